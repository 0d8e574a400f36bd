"""Units and words on every array of every verb, written and handed out."""

import warnings

import numpy as np
import pytest
import xarray as xr

import renp_infer as renp
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.study.units import described, unit_of, words_of
from renp_infer.verbs.table import VERBS

STUDY = {
    "schema": 1,
    "name": "short",
    "physics": {"preset": "corrected"},
    "layout": {"theta_s_deg": {"start": 136.0, "stop": 148.0, "points": 5}},
    "lasers": {"chi_squared": 1e-3},
    "detector": {"reference_snr": 100.0, "exposure_s": 1800.0},
    "inference": {
        "sampler": "independence", "draws": 60, "tune": 60, "chains": 2, "phases": "fixed",
        "oscillation_errors": False, "m1_max_meV": 200.0,
    },
}  # fmt: skip
SECTIONS = {
    "evaluate": {},
    "simulate": {},
    "ensemble": {"simulate": {"datasets": 3}},
    "infer": {},
    "compare": {
        "compare": {"live_points": 60, "nested_runs": 2, "smc_draws": 60, "smc_chains": 2}
    },
    "calibrate": {
        "calibrate": {
            "data_sets": 4, "draws": 60, "tune": 60, "hypothesis_sets": 2, "belt_sets": 2,
            "belt_m1_meV": [10.0, 60.0],
        },
    },
    "forecast": {
        "forecast": {
            "m1_meV": [50.0], "orderings": ["normal"], "natures": ["dirac"], "datasets": 2,
            "phase_settings": 1,
        },
    },
    "scan": {"scan": {"what": "evaluate", "over": {"layout.radius_cm": [0.5, 1.0]}}},
    "atlas": {
        "physics": {"preset": "first-principles"},
        "target": {"scheme": "er-ylf-built"},
        "lasers": {"chi_squared": 0.25},
        "detector": {"exposure_s": 1800.0},
        "atlas": {"ions": ["Pr"], "keep": 5},
    },
    "sequential": {
        "optimize": {
            "orderings": ["normal"],
            "sequential": {
                "angles_deg": {"start": 136.0, "stop": 148.0, "points": 5},
                "exposures_s": [100, 400], "setting_s": 100.0, "masses": 12,
                "m1_meV": [30.0, 90.0], "campaigns": 1, "fixed_deg": [140.0, 145.0],
            },
        },
    },
}  # fmt: skip
"""What each verb needs; ``optimize`` and ``reproduce`` hand out documents."""


def nodes(found):
    return (
        [node.to_dataset() for node in found.subtree] if isinstance(found, xr.DataTree) else [found]
    )


def unsaid(found):
    """Names of arrays without unit or words."""
    missing = []
    for node in nodes(found):
        for name, variable in node.variables.items():
            number = variable.dtype.kind in "biufc"
            units = variable.attrs.get("units", "" if number else "-")
            if not units or not variable.attrs.get("long_name"):
                missing.append(str(name))
    return missing


def test_names_say_their_units():
    for row in PARAMETERS.rows:
        expected = {"": "1", "eV²": "eV^2"}.get(row.unit, row.unit)
        assert unit_of(row.name) == expected, row.name
        assert words_of(row.name) != row.name.replace("_", " ") or row.name == "refractive_index"
    for name, unit in (
        ("signal_nG", "nG"), ("rate_per_s", "1/s"), ("magnetization_nG_per_s", "nG/s"),
        ("sum_W_eV6", "eV^6"), ("exposure_3sigma_s", "s"), ("probability", "1"),
        ("baseline_nG[second]", "nG"), ("sigma_m1_meV", "meV"), ("score_nat", "nat"),
    ):  # fmt: skip
        assert unit_of(name) == unit, name


def test_attributes_that_are_there_stay():
    data = xr.Dataset({"field_nG": ("n", np.zeros(2), {"units": "fT"}), "word": ("n", ["a", "b"])})
    described(data)
    assert data["field_nG"].attrs["units"] == "fT" and data["field_nG"].attrs["long_name"]
    assert "units" not in data["word"].attrs
    tree = described(xr.DataTree.from_dict({"/a/b": xr.Dataset({"m1_meV": 3.0})}))
    assert tree["a/b"]["m1_meV"].attrs["units"] == "meV"


def test_no_verb_is_forgotten():
    told = {name for name, verb in VERBS.items() if verb.file.endswith(".nc")}
    assert told <= {*SECTIONS}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(SECTIONS))
def test_every_array_of_a_verb(name, tmp_path):
    verb = "simulate" if name == "ensemble" else name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", renp.DiagnosticWarning)  # so few draws
        found = getattr(renp, verb)(STUDY | SECTIONS[name], out=tmp_path / "run", quiet=True)
    assert unsaid(found) == []
    files = sorted((tmp_path / "run").glob("*.nc"))
    assert files or name in ("evaluate", "simulate")
    for file in files:
        with xr.open_datatree(file, engine="h5netcdf") as tree:
            assert unsaid(tree) == [], file.name
