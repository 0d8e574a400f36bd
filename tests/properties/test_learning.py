"""Laws of what data tell: order and units of a file, split angles, exposure, evidence, designs."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import renp_infer as renp
from tests.properties.studies import Tables, assert_alike, evaluated, of_all_presets, random_study

SNR = 100.0
"""Peak signal over noise of the studies that are inferred or designed."""
CLOSE_DEG = 1e-6
"""Distance of two angles that stand for one."""
KNOWN: Tables = {
    "phases": "fixed",
    "oscillation_errors": False,
    "refractive_index_sd": 0.0,
    "theta_s_offset_sd_deg": 0.0,
    "theta_e_offset_sd_deg": 0.0,
}
"""All but mass, amplitude and baseline, which data of three angles cannot tell anyway."""
TO_FT = 100.0
"""1 nG is 100 fT."""


def audible(case: int, **neutrino: Any) -> Tables:
    """A random study whose noise leaves a peak S/N of ``SNR``, without a reference."""
    study = random_study(case, **neutrino)
    study["detector"]["noise_fT_rtHz"] *= evaluated(study).attrs["peak_snr"] / SNR
    return study


def split(study: Tables) -> dict[str, Any]:
    """Changes that make two angles of each, with half of its exposure each."""
    angles = np.array(study["layout"]["theta_s_deg"])
    pairs = angles[:, None] + CLOSE_DEG * np.array([-0.5, 0.5])
    return {"layout.theta_s_deg": pairs.ravel().tolist()}


def information(found: xr.Dataset) -> float:
    """Squared significance of all angles together."""
    return float(np.sum((found["signal_nG"].values / found["sigma_nG"].values) ** 2))


@of_all_presets()
def test_an_angle_measured_twice_for_half_the_time_is_one_angle(case):
    """The same fields, errors larger by sqrt(2), and the same information in all."""
    study = random_study(case)
    one, two = evaluated(study), evaluated(study, split(study))
    np.testing.assert_allclose(two["sigma_nG"].values, np.sqrt(2.0) * one["sigma_nG"].values[0])
    assert information(two) == pytest.approx(information(one), rel=1e-6, abs=0)


def written(folder: Path, rows: np.ndarray, unit: str) -> str:
    """A file of measurements, columns angle (degrees), field and error."""
    file = folder / f"{unit}.csv"
    lines = [",".join(map(repr, row)) for row in rows.tolist()]
    file.write_text("\n".join([f"theta_s_deg,field_{unit},error_{unit}", *lines]) + "\n")
    return str(file)


def measured(case: int, folder: Path) -> tuple[Tables, Tables]:
    """A study with data from a file, and with the same in another order and unit."""
    study = audible(case)
    found = evaluated(study)
    columns = study["layout"]["theta_s_deg"], found["signal_nG"].values, found["sigma_nG"].values
    rows = np.transpose(columns)
    other = (rows * [1.0, TO_FT, TO_FT])[[2, 0, 1]]
    files = written(folder, rows, "nG"), written(folder, other, "fT")
    return study | {"data": {"file": files[0]}}, study | {"data": {"file": files[1]}}


@of_all_presets()
def test_rows_of_a_file_stand_in_any_order_and_unit(case, tmp_path):
    """Data are fields at angles: nothing else of a table counts."""
    one, other = map(evaluated, measured(case, tmp_path))
    np.testing.assert_array_equal(one["theta_s_deg"], other["theta_s_deg"])
    assert_alike(other, one, ["signal_nG", "sigma_nG"], 1e-14)


@pytest.mark.slow
@of_all_presets()
def test_a_fit_does_not_ask_for_the_order_of_the_data(case, tmp_path):
    """The same draws and log-likelihoods, up to the rounding of the units."""
    fits = [
        inferred(study, sampler="independence", draws=100, tune=200)
        for study in measured(case, tmp_path)
    ]
    one, other = (fit["posterior"]["m1_meV"].values for fit in fits)
    np.testing.assert_allclose(other, one, rtol=1e-6)
    one, other = (fit["log_likelihood"].to_dataset() for fit in fits)
    assert_alike(other, one, list(one.data_vars), 1e-6)


def inferred(study: Tables, **keys: Any) -> xr.DataTree:
    """Posterior of what three angles can tell; its diagnostics are not asked."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", renp.DiagnosticWarning)
        section = {"inference": KNOWN | {"chains": 2} | keys}
        found: xr.DataTree = renp.infer(study | section, quiet=True)
    return found


def evidence(study: Tables, low_meV: float, high_meV: float) -> tuple[float, float]:
    """Log evidence and its error, with m1 log-uniform between two masses."""
    prior = {"m1_prior": "log-uniform", "m1_min_meV": low_meV, "m1_max_meV": high_meV}
    found = inferred(study, sampler="smc", draws=400, **prior)["renp_evidence"]
    return float(found["log_evidence"]), float(found["log_evidence_error"])


@pytest.mark.slow
@of_all_presets(few=0, many=1)
def test_evidence_of_a_range_is_the_mean_of_those_of_its_parts(case):
    """Z of a prior cut in two is that of the parts, weighted by the share of each."""
    study = audible(case, m1_meV=20.0, nature="dirac")
    (whole, error), (lower, first), (upper, second) = (
        evidence(study, *ends) for ends in ((1.0, 200.0), (1.0, 40.0), (40.0, 200.0))
    )
    share = np.log(40.0) / np.log(200.0)
    parts = np.logaddexp(np.log(share) + lower, np.log1p(-share) + upper)
    assert abs(whole - parts) < 4.0 * np.sqrt(error**2 + first**2 + second**2)


def learnt(study: Tables, exposure: float) -> tuple[float, float]:
    """Expected information on m1, nat, and its error, of a study's own layout."""
    tables = study | {"inference": KNOWN, "optimize": DESIGNED}
    longer = {"detector.exposure_s": exposure * study["detector"]["exposure_s"]}
    found = renp.optimize(renp.load_study(tables, longer), quiet=True)
    return found["reference_utility"], found["reference_utility_error"]


DESIGNED: Tables = {
    "evaluations": 1,
    "polish": 0,
    "optimizer": "random",
    "physics_starts": False,
    "comparisons": False,
    "effects": 0,
    "at_m1_meV": [],
    "truths": 8,
    "final_truths": 8,
    "masses": 65,
    "orderings": ["normal"],
    "natures": ["dirac"],
    "vary": {"detector.resolution_deg": {"low": 1.0, "high": 1.5}},
}
"""A search that is none: only the study's own layout is looked at."""


@pytest.mark.slow
@of_all_presets(few=0, many=2)
def test_data_tell_something_and_more_of_them_tell_more(case):
    """Expected information is never negative and grows with the exposure."""
    study = audible(case, nature="dirac")
    found = [learnt(study, exposure) for exposure in (1e-6, 1.0, 100.0)]
    for value, error in found:
        assert value > -2.0 * error
    for (less, one), (more, other) in zip(found, found[1:], strict=False):
        assert more > less - 2.0 * np.hypot(one, other)
    assert found[2][0] > found[0][0] + 2.0 * np.hypot(found[0][1], found[2][1])
    assert found[0][0] < 2.0 * found[0][1] + 1e-3
