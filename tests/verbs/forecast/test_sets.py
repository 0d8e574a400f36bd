"""Forecasts of several data sets against one set with less noise, and against explicit blocks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.profiles.fisher import expand, sigma
from renp_infer.measurement.noise import Noise, joined_noise
from renp_infer.study.load import load_study
from renp_infer.study.study import Study
from renp_infer.verbs.forecast.bench import Bench
from renp_infer.verbs.forecast.cells import TruthCell
from renp_infer.verbs.forecast.joint import bench_made
from tests.toys.two_sets import two_sets

pytestmark = pytest.mark.usefixtures("kept")

FORECAST = {"m1_meV": [50.0], "orderings": ["normal"], "natures": ["dirac"]}
ALL = {row.name: "all" for row in PARAMETERS.rows if row.level != "all"}
HAMILTONIAN: dict[str, Any] = {
    "physics": {"preset": "first-principles"},
    "lasers": {"chi_squared": 0.25},
    "detector": {"reference_snr": 300.0},
    "inference": {"m1_max_meV": 200.0, "leakage_sd": 0.1},
}
PAIRS: dict[str, tuple[tuple[dict[str, Any], ...], dict[str, Any]]] = {
    "two crystals": (({"name": "a"}, {"name": "b", "crystal": "b", "layout": {"length_cm": 1.0}}),
                     {"inference": {}}),
    "two layouts": (({"name": "a", "run": "r"},
                     {"name": "b", "run": "r",
                      "layout": {"theta_s_deg": {"start": 142.0, "stop": 150.0, "points": 7}}}),
                    {"inference": {}}),
    "P reversed": (({"name": "a"}, {"name": "b", "layout": {"c_axis_deg": 180.0}}),
                   HAMILTONIAN),
}  # fmt: skip


def cell_of(bench: Bench) -> TruthCell:
    own = bench.study.parameters
    return TruthCell(bench, bench.hypothesis(own.ordering, own.nature), own)


def error(study: Study) -> float:
    bench = bench_made(study)
    cell = cell_of(bench)
    return bench.by_exposure(cell.own, cell.vector).sigma(bench.noise.exposure_s)


@pytest.mark.slow
def test_two_equal_sets_with_all_shared_are_one_of_half_the_variance() -> None:
    twice = two_sets({"name": "a"}, {"name": "b"}, inference={"sharing": ALL}, forecast=FORECAST)
    once = two_sets(inference={}, forecast=FORECAST)
    del once["data"]
    once["detector"]["reference_snr"] *= np.sqrt(2.0)
    assert error(load_study(twice)) == pytest.approx(error(load_study(once)), rel=1e-8)


@pytest.mark.slow
def test_how_a_run_is_cut_changes_no_forecast() -> None:
    """Parts whose exposures are the shares of their angles, with a leakage of the run."""
    angles = np.linspace(136.0, 148.0, 9)
    parts = [
        {"name": f"part-{part.size}", "run": "r", "layout": {"theta_s_deg": part.tolist()},
         "detector": {"exposure_s": 3600.0 * part.size / angles.size}}
        for part in (angles[:3], angles[3:])
    ]  # fmt: skip
    sections = {"inference": {"leakage_sd": 0.3, "amplitude_sd": 0.0}, "forecast": FORECAST}
    whole = two_sets(**sections, layout={"theta_s_deg": angles.tolist()})
    del whole["data"]
    assert error(load_study(two_sets(*parts, **sections))) == pytest.approx(
        error(load_study(whole)), rel=1e-4
    )


def blocks(study: Study) -> tuple[float, list[float]]:
    """Error of the mass by least squares with a block for each set, and that of each alone."""
    assert study.sharing is not None
    rows, priors, alone = [], {}, []
    names: list[str] = []
    for place, one in enumerate(study.sets):
        bench = Bench(replace(one.study, forecast=study.forecast))
        cell = cell_of(bench)
        found = expand(cell.own, cell.vector)
        alone.append(sigma(found, bench.noise, bench.noise.exposure_s))
        called = [study.sharing.names(place)[name] for name in found.names]
        names += [name for name in called if name not in names]
        white = bench.noise.whiten(found.jacobian, bench.noise.exposure_s)
        rows.append((called, white))
        for row in found.prior_rows:
            (k,) = np.flatnonzero(row)
            priors[called[k]] = min(priors.get(called[k], np.inf), row[k])
    matrix = np.zeros((sum(len(w) for _, w in rows) + len(priors), len(names)))
    start = 0
    for called, white in rows:
        matrix[start : start + len(white), [names.index(n) for n in called]] = white
        start += len(white)
    for k, (name, weight) in enumerate(priors.items()):
        matrix[start + k, names.index(name)] = weight
    covariance = np.linalg.inv(matrix.T @ matrix)
    place = names.index("m1_meV")
    return float(np.sqrt(covariance[place, place])), alone


@pytest.mark.slow
@pytest.mark.parametrize("kind", PAIRS)
def test_a_joint_error_is_that_of_explicit_blocks(kind: str) -> None:
    sets, sections = PAIRS[kind]
    study = load_study(two_sets(*sets, **sections, forecast=FORECAST))
    expected, alone = blocks(study)
    found = error(study)
    assert found == pytest.approx(expected, rel=1e-5)
    assert found < min(alone)


@pytest.mark.slow
def test_reversing_the_momentum_turns_the_field_and_not_the_leakage() -> None:
    sets, sections = PAIRS["P reversed"]
    study = load_study(two_sets(*sets, **sections, forecast=FORECAST))
    model = bench_made(study).hypothesis("normal", "dirac")
    field = model.field(study.parameters)
    np.testing.assert_allclose(field[9:], -field[:9], rtol=1e-6)


def test_exposures_of_sets_grow_together() -> None:
    parts = [Noise(lambda t, n=n: np.eye(n) / t, False, s) for n, s in ((2, 10.0), (1, 30.0))]
    both = joined_noise(parts, [True, True])
    assert both.exposure_s == 40.0
    np.testing.assert_allclose(np.diag(both.covariance(80.0)), [1 / 20, 1 / 20, 1 / 60])
    last = joined_noise(parts, [False, True])
    np.testing.assert_allclose(np.diag(last.covariance(60.0)), [1 / 10, 1 / 10, 1 / 60])
    field = np.arange(12.0).reshape(3, 4)
    for noise in (both, last):
        white = noise.whiten(field, noise.exposure_s)
        sigma = np.sqrt(np.diag(noise.covariance(noise.exposure_s)))
        np.testing.assert_allclose(white, field / sigma[:, None])


def test_a_drift_whitens_many_fields_at_once() -> None:
    matrix = np.eye(3) + 0.5
    noise = Noise(lambda _: matrix, True, 1.0)
    fields = np.random.default_rng(1).standard_normal((3, 4, 2))
    white = noise.whiten(fields, 1.0)
    for k in range(4):
        for j in range(2):
            expected = np.linalg.solve(np.linalg.cholesky(matrix), fields[:, k, j])
            np.testing.assert_allclose(white[:, k, j], expected)
