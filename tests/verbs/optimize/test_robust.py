"""Where the apparatus is off: what the table of parameters says moves it, and a row more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import renp_infer as renp
from renp_infer.inference.parameters import PARAMETERS, Inferred
from renp_infer.inference.responses.response import Response
from renp_infer.measurement.normalise import coherence
from renp_infer.records import Experiment, Pickup
from renp_infer.study.study import Study
from renp_infer.verbs.optimize.robust import SIGMAS, shifts_of
from tests.toys.nuisance import TILT, TiltSettings, tilted, with_tilt

STUDY = {
    "schema": 1,
    "name": "off",
    "layout": {"theta_s_deg": [143.2, 144.4, 145.6]},
    "lasers": {"chi_squared": 1e-3},
    "detector": {"reference_snr": 100.0},
    "inference": {"amplitude_sd": 0.02},
}
BUILT = {"schema": 1, "name": "built", "physics": {"preset": "first-principles"}} | {
    "target": {"scheme": "er-ylf-built", "channel": "e1-p1"},
    "layout": {"c_axis_deg": 90.0},
    "lasers": {
        "chi_squared": 1e-3, "qg_polarisation": "extraordinary",
        "eq_polarisation": "ordinary", "trigger_polarisation": "ordinary",
    },
}  # fmt: skip
OLD = ("amplitude", "refractive_index", "theta_s_offset_deg", "theta_e_offset_deg")


def stretched(experiment: Experiment, by: float) -> Experiment:
    layout = experiment.layout
    return replace(experiment, layout=replace(layout, length_cm=layout.length_cm * (1.0 + by)))


STRETCH = replace(TILT, moves=stretched)


@pytest.fixture(scope="module")
def study() -> Study:
    return renp.load_study(STUDY)


def length(make: Callable[[], Experiment | None]) -> float:
    """A utility in closed form."""
    experiment = make()
    assert experiment is not None
    return experiment.layout.length_cm * experiment.detector.coupling


@pytest.mark.parametrize("row", [r for r in PARAMETERS.moving if r.slot], ids=lambda r: r.name)
def test_what_moves_the_apparatus_moves_the_response(study: Study, row: Inferred) -> None:
    """The apparatus off, taken as it is, gives the field of the parameter that says so."""
    experiment = study.experiment
    if row.kind == "excess":
        experiment = renp.load_study(BUILT).experiment
        assert experiment.target.indices is not None
    chi2 = coherence(experiment)
    off = 1e-3

    def response(apparatus: Experiment) -> Response:
        return Response(apparatus, study.parameters, chi2, 0.2, finite_crystal=False)

    own = response(experiment)
    vector = own.nominal()
    vector[own.names.index(row.slot)] += row.scale * off
    assert row.moves is not None
    moved = response(row.moves(experiment, row.scale * off))
    field, nominal = own(vector)[0], own(own.nominal())[0]
    peak = np.max(np.abs(nominal))
    assert np.max(np.abs(field - nominal)) > 1e-6 * peak > 0.0
    assert moved(moved.nominal())[0] == pytest.approx(field, rel=1e-9, abs=1e-12 * peak)


def test_names_and_spreads_follow_the_table(study: Study) -> None:
    found = shifts_of(study, study.experiment, length)
    assert found.names == OLD
    factor = np.exp(SIGMAS * 0.02)
    assert found.singles[0] == pytest.approx((found.nominal / factor, found.nominal * factor))
    assert found.singles[1:] == ((found.nominal, found.nominal),) * 3
    assert found.lowest == pytest.approx(found.nominal / factor)


def test_a_loop_is_as_its_geometry(study: Study) -> None:
    experiment = study.experiment
    detector = replace(experiment.detector, pickup=Pickup(1.0))
    found = shifts_of(study, replace(experiment, detector=detector), length)
    assert found.names == OLD[1:]


def test_a_toy_by_one_row(study: Study) -> None:
    """Its prior gives how far it is off, its move what that does."""
    with tilted(STRETCH):
        toy = with_tilt(study)
        found = shifts_of(toy, toy.experiment, length)
        assert PARAMETERS.label("tilt") == ("t", "")
    assert found.names == (OLD[0], "tilt", *OLD[1:])
    by = SIGMAS * TiltSettings.tilt_sd
    assert found.singles[1] == pytest.approx((found.nominal * (1 - by), found.nominal * (1 + by)))
    assert found.lowest == pytest.approx(found.nominal * (1 - by) * np.exp(-SIGMAS * 0.02))
