"""Campaigns of a run that begins where other data sets end."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w

from renp_infer.app.cli import execute
from renp_infer.design.sequences.beliefs import Readings
from renp_infer.design.sequences.sequential import settled
from renp_infer.design.utilities.prediction import COSINES
from renp_infer.errors import ConfigError
from renp_infer.inference.joint import JointModel
from renp_infer.study.load import load_study
from renp_infer.study.study import Study
from renp_infer.verbs.sequential.bench import SequenceBench
from tests.verbs.sequential.test_work import STUDY

pytestmark = pytest.mark.usefixtures("kept")

SHARED = {"baseline_nG": "all", "theta_s_offset_deg": "all", "theta_e_offset_deg": "all"}
FIRST = {"name": "first", "layout": {"theta_s_deg": [136.0, 140.0, 144.0, 148.0]}}
OTHER = {"name": "first", "crystal": "small", "layout": {"length_cm": 1.0}}


def study_with(*sets: dict[str, Any], sharing: dict[str, str] | None = None) -> Study:
    tables = tomllib.loads(STUDY)
    if sets:
        tables["data"] = list(sets)
    if sharing:
        tables["inference"]["sharing"] = sharing
    return load_study(tables)


@pytest.mark.slow
def test_a_set_of_the_same_run_is_so_many_readings() -> None:
    """With all in common, what was taken and what is read are one and the same."""
    joint, alone = SequenceBench(study_with(FIRST, sharing=SHARED)), SequenceBench(study_with())
    before = joint.before()
    theta = joint.study.sets[0].study.experiment.layout.theta_s
    readings = Readings(alone.places(theta), before.data, before.covariance)
    found = settled(joint.atlas, before, joint.expander.refined, 2)
    expected = settled(alone.atlas, readings, alone.expander.refined, 2)
    assert found[1].mass(found[0]) == pytest.approx(expected[1].mass(expected[0]), rel=1e-7)
    np.testing.assert_allclose(found[1].weights, expected[1].weights, rtol=1e-6, atol=1e-12)
    assert found[1].mass(found[0])[1] < 0.9 * joint.atlas.start().mass(joint.atlas)[1]


@pytest.mark.slow
def test_an_expansion_of_two_sets_is_their_field_and_its_differences() -> None:
    bench = SequenceBench(study_with(OTHER))
    atlas, expander = bench.atlas, bench.expander
    model = bench._models[0]
    assert isinstance(model, JointModel)
    state, names = 5, expander.names  # type: ignore[attr-defined]
    z = np.random.default_rng(3).normal(size=1 + len(names))
    field, slopes = expander.at(atlas, state, z)
    m1 = float(atlas.m1_meV[state] + atlas.rest_meV[state] * z[0])
    values = dict(model.prior.fixed) | {"m1_meV": m1}
    values |= dict.fromkeys(model.prior.circular, 0.0)
    for name, own in zip(names, z[1:], strict=True):
        if name in COSINES:  # which a Dirac hypothesis does not have
            continue
        values[name] = float(model.prior.marginals[name].from_unit(np.array([own])))
    np.testing.assert_allclose(field, model.expected(values), rtol=1e-9)
    assert field.size == 7 + bench.theta_s.size
    for k in range(z.size):
        step = 1e-4 * np.eye(z.size)[k]
        (up, _), (down, _) = (expander.at(atlas, state, z + s) for s in (step, -step))
        peak = np.max(np.abs(slopes[:, k]))
        np.testing.assert_allclose((up - down) / 2e-4, slopes[:, k], atol=1e-5 * peak, rtol=0)


def test_campaigns_draw_the_sets_before_of_the_same_truth() -> None:
    """Their readings scatter about the truth's field by their own noise."""
    bench = SequenceBench(study_with(OTHER))
    field = bench.truth(50.0, np.random.default_rng(1))
    rng = np.random.default_rng(2)
    drawn = np.array([bench.drawn_before(field, rng).data for _ in range(400)])
    sigma = np.sqrt(np.diag(bench.before().covariance))
    assert np.max(np.abs(drawn.mean(axis=0) - field[:7]) / sigma) < 4.5 / 20.0
    np.testing.assert_allclose(drawn.std(axis=0), sigma, rtol=0.15)


def test_polarised_sets_are_refused() -> None:
    tables = tomllib.loads(STUDY) | {"data": [OTHER | {"target": {"polarisation": 0.5}}]}
    with pytest.raises(ConfigError, match=r"data\[0\]\.target\.polarisation"):
        load_study(tables)


@pytest.mark.slow
def test_campaigns_and_advice_take_data_sets(tmp_path: Path, capsys) -> None:
    path, home = tmp_path / "toy.toml", tmp_path / "run"
    path.write_text(tomli_w.dumps(tomllib.loads(STUDY) | {"data": [OTHER]}))
    assert execute(["optimize", str(path), "--sequential", "--out", str(home), "--quiet"]) == 0
    bench = SequenceBench(load_study(path))
    place = bench.places(np.deg2rad([140.0]))[0]
    field = bench.truth(50.0, np.random.default_rng(4))[place]
    row = f"140,{float(field)!r},{bench.sigma_nG(400.0)!r},400"
    (tmp_path / "so-far.csv").write_text(f"theta_s_deg,field_nG,error_nG,exposure_s\n{row}\n")
    alone = tmp_path / "alone.toml"
    alone.write_text(STUDY)
    capsys.readouterr()
    errors = []
    for study in (path, alone):
        words = ["optimize", str(study), "--sequential", "--data", str(tmp_path / "so-far.csv")]
        execute([*words, "--json", "--quiet"])
        found = json.loads(capsys.readouterr().out)
        assert found["measurements"] == 1
        errors.append(found["m1_meV"]["sd"])
    assert errors[0] < errors[1]
