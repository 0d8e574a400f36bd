"""Forecasts with constraints of other experiments and with templates, against closed forms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from renp_infer.inference.knowledge.constraints import (
    ChainConstraint,
    GaussianConstraint,
    LimitConstraint,
    TableConstraint,
)
from renp_infer.inference.knowledge.local_constraint import LocalConstraint
from renp_infer.inference.profiles.fisher import best_step, expand
from renp_infer.inference.profiles.profile import Profile
from renp_infer.study.load import load_study
from renp_infer.study.study import Study
from renp_infer.verbs.forecast.bench import Bench
from renp_infer.verbs.forecast.cells import Drawn, TruthCell, half_width
from renp_infer.verbs.forecast.joint import bench_made
from renp_infer.verbs.forecast.steps import steps
from tests.toys.two_sets import two_sets

pytestmark = pytest.mark.usefixtures("kept")

FORECAST = {"m1_meV": [50.0], "orderings": ["normal"], "natures": ["dirac"]}
KNOWN = {"name": "r", "quantities": ["m1_meV"], "values": [20.0], "errors": [5.0]}
SUM = {"name": "s", "quantities": ["sum_meV"], "values": [100.0], "errors": [12.0]}
HUM = "theta_s_deg,template_nG\n140,{a}\n144,{b}\n148,{c}\n"


def study(*sets: dict[str, Any], **sections: Any) -> Study:
    found = two_sets(*sets, **{"inference": {}, "forecast": FORECAST} | sections)
    if not sets:
        del found["data"]
    return load_study(found)


def cell_of(found: Study) -> TruthCell:
    bench, own = bench_made(found), found.parameters
    return TruthCell(bench, bench.hypothesis(own.ordering, own.nature), own)


def error(cell: TruthCell) -> float:
    return cell.bench.by_exposure(cell.own, cell.vector).sigma(cell.bench.noise.exposure_s)


def local(term: Any, *values: float) -> Any:
    found = LocalConstraint.of(term, np.array(values))
    return found.rows.T @ found.rows


def test_what_a_constraint_tells_is_its_curvature(rng: np.random.Generator) -> None:
    names = ("m1_meV", "sin2_12")
    covariance = np.array([[9.0, 0.02], [0.02, 1e-4]])
    normal = GaussianConstraint("g", names, np.array([20.0, 0.3]), covariance)
    np.testing.assert_allclose(local(normal, 70.0, 0.4), np.linalg.inv(covariance), rtol=1e-9)
    limit = LimitConstraint("l", "sum_meV", upper=64.2, level=0.95)
    assert local(limit, 100.0) == pytest.approx(1.0 / limit.sds[0] ** 2, rel=1e-9)
    assert local(replace(limit, best=80.0, upper=120.0), 60.0) == 0.0
    axis = np.linspace(0.0, 100.0, 41)
    table = TableConstraint("t", ("m1_meV",), (axis,), ((axis - 30.0) / 8.0) ** 2)
    assert local(table, 50.0) == pytest.approx(1.0 / 64.0, rel=1e-6)
    hill = TableConstraint("t", ("m1_meV",), (axis,), 10.0 - ((axis - 50.0) / 20.0) ** 2)
    assert local(hill, 50.0) == 0.0
    draws = rng.normal(0.022, 5e-4, (4000, 1))
    chain = ChainConstraint("c", ("sin2_13",), draws, np.ones(4000))
    assert local(chain, 0.022) == pytest.approx(1.0 / 5e-4**2, rel=0.15)


def test_a_constraint_on_m1_adds_its_information_and_not_its_value() -> None:
    """In squares of inverse errors; by derivatives, and by a profile of the truth's own data."""
    plain, known = cell_of(study()), cell_of(study(constraints={"gaussian": [KNOWN]}))
    expected = (error(plain) ** -2 + 5.0**-2) ** -0.5
    assert error(known) == pytest.approx(expected, rel=1e-9)
    assert error(known) < 0.9 * error(plain) or error(plain) < 5.0
    assert known.own.external.residuals(known.own.prior, known.vector) == pytest.approx(0.0)
    best = Profile(known.own).at(known.m1_meV, known.vector)
    assert best.chi2 == pytest.approx(0.0, abs=1e-9)
    two = Profile(known.own).at(known.m1_meV + 3.0, known.vector).chi2
    one = Profile(plain.own).at(plain.m1_meV + 3.0, plain.vector).chi2
    assert two - one == pytest.approx((3.0 / 5.0) ** 2, rel=1e-6)
    exposures = [10.0, 1e9]
    assert [
        known.bench.by_exposure(known.own, known.vector).sigma(t) for t in exposures
    ] == pytest.approx(
        [(plain.bench.by_exposure(plain.own, plain.vector).sigma(t) ** -2 + 0.04) ** -0.5
         for t in exposures], rel=1e-8)  # fmt: skip


def test_a_constraint_on_the_sum_tells_by_its_slopes() -> None:
    """Against the whole information matrix, the sum's slopes by closed form."""
    plain, known = cell_of(study()), cell_of(study(constraints={"gaussian": [SUM]}))
    found = expand(plain.own, plain.vector)
    columns, _ = found.system(plain.bench.noise, plain.bench.noise.exposure_s)
    values = plain.own.prior.values(plain.vector)
    light, solar, large = (values[n] for n in ("m1_meV", "dm2_21", "dm2_3l"))
    second, third = (np.sqrt(light**2 + 1e6 * d) for d in (solar, large))
    slopes = np.zeros(len(found.names))
    slopes[found.names.index("m1_meV")] = 1.0 + light / second + light / third
    slopes[found.names.index("dm2_21")] = 1e6 / (2.0 * second)
    slopes[found.names.index("dm2_3l")] = 1e6 / (2.0 * third)
    rows = np.vstack([columns, slopes / 12.0])
    others, mass = np.delete(rows, 0, axis=1), rows[:, 0]
    rest = mass - others @ best_step(others, mass)
    assert error(known) == pytest.approx(float(rest @ rest) ** -0.5, rel=1e-6)


def test_constraints_are_drawn_anew_with_the_data() -> None:
    """What a known mass finds scatters by its error, and is one for all hypotheses."""
    cell = cell_of(study(constraints={"gaussian": [KNOWN]}))
    rows = []
    for k in range(200):
        drawn = Drawn(cell, np.random.default_rng(k))
        own, rival = (p.likelihood.external for p in (drawn.profile, drawn.profile_of(cell.own)))
        rows.append(own.residuals(cell.own.prior, cell.vector)[0])
        assert rival.residuals(cell.own.prior, cell.vector)[0] == rows[-1]
    assert np.std(rows) == pytest.approx(1.0, abs=0.2) and abs(np.mean(rows)) < 0.3


def template(folder: Any, cell: TruthCell, kind: str, **more: Any) -> dict[str, Any]:
    """A template of the size of the noise, or of a tenth of the signal."""
    size = float(np.sqrt(cell.bench.covariance[0, 0])) if kind == "additive" else 0.1
    text = HUM.format(a=size, b=-3.0 * size, c=2.0 * size)
    if kind == "multiplicative":
        text = text.replace("template_nG", "template")
    (folder / "hum.csv").write_text(text)
    return {"name": "hum", "file": str(folder / "hum.csv"), "kind": kind, "sd": 1.5} | more


def test_an_additive_template_is_the_covariance_that_it_amounts_to(tmp_path: Any) -> None:
    plain = cell_of(study())
    entry = template(tmp_path, plain, "additive")
    cell = cell_of(study(systematics=[entry]))
    shape = cell.own.shapes["hum"]
    found = expand(plain.own, plain.vector)
    whole = plain.bench.covariance + 1.5**2 * np.outer(shape, shape)
    white = np.linalg.solve(np.linalg.cholesky(whole), found.jacobian)
    rows = np.vstack([white, found.prior_rows])
    others, mass = np.delete(rows, 0, axis=1), rows[:, 0]
    rest = mass - others @ best_step(others, mass)
    assert error(cell) == pytest.approx(float(rest @ rest) ** -0.5, rel=1e-7)
    assert error(cell) > error(plain)


@pytest.mark.parametrize("kind", ["additive", "multiplicative"])
def test_a_template_keeps_at_every_exposure(tmp_path: Any, kind: str) -> None:
    cell = cell_of(study(systematics=[template(tmp_path, cell_of(study()), kind)]))
    rival = cell.alternative("mass")
    moved = rival.at(cell.bench.noise, cell.bench.noise.exposure_s)
    vector = cell.vector.copy()
    vector[cell.own.prior.names.index("hum")] = 0.7
    assert np.ptp(moved.likelihood.mean(vector) - cell.field_nG) > 0.0
    np.testing.assert_array_equal(moved.likelihood.mean(vector), cell.own.mean(vector))


def test_without_its_nuisance_a_template_is_not_there(tmp_path: Any) -> None:
    plain = cell_of(study())
    bench = Bench(study(systematics=[template(tmp_path, plain, "additive")]))
    own = bench.study.parameters
    model = bench.hypothesis(own.ordering, own.nature)
    known = TruthCell(bench, model.with_settings(bench.fit_settings(["hum"])), own)
    assert "hum" not in known.own.prior.names and "hum" not in known.own.shapes
    assert error(known) == pytest.approx(error(plain), rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("per", ["all", "run"])
def test_templates_are_the_last_systematics_of_several_sets(tmp_path: Any, per: str) -> None:
    sets = [{"name": "a"}, {"name": "b", "crystal": "b", "layout": {"length_cm": 1.0}}]
    plain = cell_of(study(*sets))
    bench = bench_made(study(*sets, systematics=[template(tmp_path, plain, "additive", per=per)]))
    found = steps(bench)
    count = len(bench.settings.systematics)
    assert found.sigma_m1_meV.size == count + 2
    assert found.sigma_m1_meV[-2] == pytest.approx(error(plain), rel=1e-8)
    assert found.sigma_m1_meV[-1] > found.sigma_m1_meV[-2]
    assert found.asimov_sigma_m1_meV[-1] == pytest.approx(half_width(cell_of(bench.study)))
