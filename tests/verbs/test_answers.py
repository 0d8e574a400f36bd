"""The one sentence of each kind of run, by what was found."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from renp_infer.app import reweighting
from renp_infer.engine.options import Options
from renp_infer.inference.results.comparison import compare
from renp_infer.inference.results.reweight import Reweighted
from renp_infer.verbs.calibrate.found import Calibration, Covered, Fits, Quantity, Ranks
from renp_infer.verbs.calibrate.tables import answer as calibration_answer
from renp_infer.verbs.compare.tables import answer as compare_answer
from renp_infer.verbs.infer.result import InferResult
from renp_infer.verbs.infer.words import answer as mass_answer
from renp_infer.verbs.scan.result import ProfiledPair, ScanAbout, ScanResult
from renp_infer.verbs.sequential.summary import (
    AtTruth,
    CampaignSummary,
    Medians,
    SequenceMedians,
)
from renp_infer.verbs.sequential.tables import answer as sequence_answer
from tests.toys.compared import MASS_PRIOR, four
from tests.toys.runs import make_run
from tests.toys.settings import compare_with


@pytest.mark.parametrize(
    ("evidences", "ordering", "nature"),
    [
        ((11.6, 11.5, 0.0, 0.0), "normal, ln B = 11.60", "not told apart, ln B = 0.10"),
        # phases that data do not see: the prior of the phases decides, not the data
        ((0.0, 0.0, 3.0, 8.0), "inverted, ln B = 8.00", "not told apart, ln B = 5.00"),
        ((0.3, 0.2, 0.1, 0.0), "not told, ln B = 0.20", "not told apart, ln B = 0.10"),
    ],
)
def test_a_comparison_says_what_data_tell(
    evidences: tuple[float, ...], ordering: str, nature: str
) -> None:
    said = compare_answer(compare(four(*evidences), compare_with(), MASS_PRIOR))
    assert said.startswith(f"Ordering: {ordering} ± ")
    assert f". Dirac or Majorana: {nature} ± " in said


def test_a_mass_says_its_hypothesis() -> None:
    said = mass_answer(make_run(normalised=True))
    assert said.startswith("m₁ = ")
    assert said.endswith("; if the ordering is normal and neutrinos are Dirac, normalised noise.")


def test_a_calibration_says_how_often_intervals_cover() -> None:
    found = Covered(0.68, 0.64, 0.02, 0.5, 0.64), Covered(0.95, 0.95, 0.01, 0.5, 0.95)
    ranks = Ranks(Fits(5, 0, {}), 5, 1e-3, (Quantity("m1_meV", 0.5, *found),), None, ())
    said = calibration_answer(Calibration("s", 0.01, "mock", ranks, None, None, "pass", ()))
    covers = "68 % intervals of m1 cover 0.640 ± 0.020, 95 % intervals 0.950 ± 0.010"
    assert said == f"{covers}; posterior: pass."


def campaigns(own: float | None, study: float | None, fixed: float | None) -> CampaignSummary:
    """Campaigns at 50 meV with these scores, in nat."""
    sequence = SequenceMedians(None, own, None, None, None, ())
    layouts = {n: Medians(None, s, None) for n, s in (("study", study), ("fixed", fixed))}
    about = SimpleNamespace()
    return CampaignSummary(about, 1, (AtTruth(50.0, sequence, layouts),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ((2.0, 1.0, 1.5), "the sequence knew more than the fixed angles by 0.50 nat"),
        ((1.0, 3.0, None), "the own layout knew more than the sequence by 2.00 nat"),
    ],
)
def test_campaigns_say_who_knew_more(scores: tuple[float | None, ...], said: str) -> None:
    assert sequence_answer(campaigns(*scores)) == f"At 50 meV {said}."


def test_campaigns_without_a_score_say_so() -> None:
    assert "No campaign" in sequence_answer(campaigns(None, 1.0, 1.0))


def test_a_scan_says_between_what_it_goes_and_where() -> None:
    about = ScanAbout("s", 0, "corrected", 0.0, "", "forecast")
    axes = {"layout.length_cm": (1.0, 2.0), "neutrino.m1_meV": (10, 50, 200)}
    errors = np.array([[5.0, 4.0, np.nan], [3.0, 2.5, 0.25]])
    cells = SimpleNamespace(sigma_m1_meV=errors)
    tree = xr.DataTree.from_dict({"cells": xr.Dataset()})
    found = ScanResult(about, axes, cells, None, tree)  # type: ignore[arg-type]
    lowest = "0.25 (layout.length_cm = 2.0, neutrino.m1_meV = 200)"
    highest = "5 (layout.length_cm = 1.0, neutrino.m1_meV = 10)"
    assert found.answer == f"sigma_m1_meV goes from {lowest} to {highest}, of 6 cells."
    cells.sigma_m1_meV = np.full((2, 3), np.nan)
    assert found.answer == "sigma_m1_meV is known nowhere, of 6 cells."
    pair = ProfiledPair(("m1_meV", "amplitude"), *([np.zeros(1)] * 4), best=(49.5, 1.0))
    found = ScanResult(about, {}, None, pair, tree)
    assert found.answer == "best fit of the profile: m1_meV = 49.5 and amplitude = 1."


def test_a_reweighted_mass_says_its_hypothesis(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run = make_run()
    estimates = run.get(InferResult).estimates
    found = Reweighted(0.1, 0.7, 100.0, estimates, dict.fromkeys(estimates, 0.1))
    for name, value in (
        ("study_in", None), ("load_run", run), ("refuse_blinded", None), ("_terms", ()),
        ("_reweighted", found),
    ):  # fmt: skip
        monkeypatch.setattr(reweighting, name, lambda *_given, value=value: value)
    assert reweighting.reweight_run(tmp_path, "katrin-2025", Options()) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith(f"{run.name}, preset published (chosen): m₁ = ")
    assert "; if the ordering is normal and neutrinos are Dirac." in said
