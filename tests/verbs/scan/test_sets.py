"""Scans of a study with several data sets: each cell is the single run."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import tomli_w

import renp_infer as renp
from renp_infer.app.cli import execute
from renp_infer.engine.result import load_tree
from renp_infer.study.hypotheses import own_hypothesis
from renp_infer.study.load import load_study
from renp_infer.study.observed import data_of
from renp_infer.verbs.infer.work import checked
from renp_infer.verbs.scan.figures import scan_plates
from renp_infer.verbs.scan.result import ScanResult
from renp_infer.verbs.scan.tables import shown_rows
from renp_infer.verbs.scan.work import surface
from tests.toys.two_sets import two_sets

pytestmark = pytest.mark.usefixtures("kept")

QUICK = {"phases": "fixed", "oscillation_errors": False}


def test_a_scan_of_evaluations_has_every_set_of_every_cell(tmp_path):
    path, home = tmp_path / "two.toml", tmp_path / "run"
    path.write_text(tomli_w.dumps(two_sets()))
    words = ["--over", "neutrino.m1_meV=50", "--over", "layout.radius_cm=0.5,1"]
    assert execute(["scan", str(path), *words, "--out", str(home), "--quiet"]) == 0
    table = load_tree(home / "scan.nc")["cells"].to_dataset()
    assert table["peak_snr"].dims == ("neutrino.m1_meV", "layout.radius_cm", "data_set")
    changes = {"neutrino.m1_meV": 50, "layout.radius_cm": 0.5}
    single = renp.evaluate(load_study(path, changes), quiet=True)
    alone = json.loads(single.attrs["renp_evaluation"])["sets"]
    cell = table.sel(changes)
    for one in alone:
        own, found = one["evaluation"], cell.sel(data_set=one["name"])
        assert float(found["peak_snr"]) == own["peak_snr"]
        assert float(found["peak_rate_per_s"]) == max(own["rate_per_s"])
        assert found["thresholds_deg"].values.tolist() == list(own["thresholds_deg"].values())
    with (home / "scan.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert float(rows[0]["peak_snr[second]"]) == float(cell["peak_snr"].sel(data_set="second"))
    assert float(rows[0]["thresholds_deg_12_high[first]"]) == float(
        cell["thresholds_deg"].sel(data_set="first", pair="12", side="high")
    )
    found = ScanResult.of(load_tree(home / "scan.nc"))
    assert shown_rows(found, 3)[0][2:] == [
        f"{name}[{own}]"
        for own in ("first", "second")
        for name in ("peak_snr", "peak_signal_nG", "peak_rate_per_s")
    ]
    (drawn,) = scan_plates(found, "")
    assert len(drawn.figure.axes) == 6


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::renp_infer.DiagnosticWarning")
def test_a_forecast_of_a_cell_is_that_of_the_single_run():
    forecast = {"m1_meV": [60.0], "methods": ["fisher"], "corrections": False}
    forecast |= {"orderings": ["normal"], "natures": ["dirac"]}
    tables = two_sets(inference=QUICK, forecast=forecast)
    over = {"what": "forecast", "over": {"neutrino.m1_meV": [60.0]}}
    cell = renp.scan(tables | {"scan": over}, quiet=True)["cells"].to_dataset()
    changes = {"neutrino.m1_meV": 60.0}
    single = renp.forecast(load_study(tables, changes), quiet=True)["fisher"].to_dataset()
    for name in ("sigma_m1_meV", "sigma_sum_meV", "separation_ordering", "peak_snr"):
        assert float(cell[name].item()) == float(single[name].values.ravel()[0]), name


@pytest.mark.slow
def test_a_profile_of_a_crystals_own_amplitude_is_chi_squared_minimised():
    """With all else fixed the profile is chi-squared of data and prior as it is written down."""
    fixed = QUICK | {
        name: 0.0
        for name in ("refractive_index_sd", "theta_s_offset_sd_deg", "theta_e_offset_sd_deg",
                     "baseline_sd", "leakage_sd")
    }  # fmt: skip
    names = ("amplitude[crystal]", "amplitude[small]")
    profile = {"profile": {names[0]: "0.9,1", names[1]: "0.95,1.1"}}
    study = load_study(two_sets(inference=fixed, scan=profile))
    found = surface(study)
    data = data_of(study)
    model, _ = checked(study, own_hypothesis(study), data.sigma)
    assert model.prior.names == ("m1_meV", *names)
    held = dict(zip(names, (0.9, 1.1), strict=True))
    field = [model.expected(model.prior.values(np.array([m1, 0.9, 1.1])))
             for m1 in np.linspace(0.0, 120.0, 481)]  # fmt: skip
    sd = study.priors.amplitude_sd
    pulls = sum((np.log(value) / sd) ** 2 for value in held.values())
    by_hand = min(np.sum(((data.vector - own) / data.sigma) ** 2) for own in field) + pulls
    best = found.at(held).fit.chi2
    assert best <= by_hand == pytest.approx(best, abs=0.02)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"over": {"layout.length_cm": "1:2:3"}}, ["scan.over.layout.length_cm", "has its own"]),
        ({"profile": {"m1_meV": "auto", "amplitude": "auto"}},
         ["scan.profile.amplitude", "amplitude[small]"]),
        ({"profile": {"m1_meV": "auto", "amplitude[small]": [0.0, 1.0]}},
         ["scan.profile.amplitude[small]", "as the prior"]),
    ],
)  # fmt: skip
def test_what_means_nothing_of_several_sets_is_refused(section, words):
    sets = [{"name": "a", "layout": {"length_cm": 2.0}},
            {"name": "b", "crystal": "small", "layout": {"length_cm": 1.0}}]  # fmt: skip
    with pytest.raises(renp.ConfigError) as caught:
        load_study(two_sets(*sets, inference={}, scan=section))
    assert not [word for word in words if word not in str(caught.value)], str(caught.value)
