"""Recipes of the documentation, against the simulators of the programs they are for."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import renp_infer as renp
from renp_infer.study.load import load_study
from renp_infer.verbs.sequential.bench import bench_of
from tests.verbs.sequential.test_work import STUDY as TEXT

RECIPES = Path(__file__).parents[2] / "docs" / "recipes"


def recipe(name):
    spec = importlib.util.spec_from_file_location(name, RECIPES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "toy.toml"
    path.write_text(TEXT)
    return load_study(path)


@pytest.fixture
def apparatus(study):
    """Field and standard error at an angle, deg, after a time, s: of a mock truth."""
    bench = bench_of(study, "recipes")
    field, degrees = bench.truth(60.0, np.random.default_rng(1)), np.rad2deg(bench.theta_s)
    noise = np.random.default_rng(2)

    def read(angle, seconds):
        sigma = bench.sigma_nG(seconds)
        return float(np.interp(angle, degrees, field) + sigma * noise.standard_normal()), sigma

    return read


def told(study, campaign):
    """What a finished campaign says: its time is spent, and the mass is near the truth."""
    found = campaign.report()
    assert found.stop == "the time is spent" and not campaign.pending
    assert found.measurements >= study.sequential.total_s / 500.0
    assert abs(found.m1_meV.mean - 60.0) < 5.0 * found.m1_meV.sd
    return found.measurements


@pytest.mark.slow
def test_bluesky(study, apparatus, tmp_path):
    pytest.importorskip("bluesky")
    sim = pytest.importorskip("ophyd.sim")
    from bluesky import RunEngine
    from ophyd import Signal

    trigger, exposure = sim.SynAxis(name="theta_s"), Signal(name="exposure", value=1.0)
    field = sim.SynSignal(name="field", func=lambda: apparatus(trigger.position, exposure.get())[0])
    error = sim.SynSignal(name="error", func=lambda: apparatus(trigger.position, exposure.get())[1])
    documents = []
    campaign = renp.Campaign(study, tmp_path / "campaign")
    plan = recipe("with_bluesky").campaign_plan(campaign, trigger, exposure, field, error)
    RunEngine(call_returns_result=False)(plan, lambda name, _document: documents.append(name))
    assert documents.count("event") == told(study, campaign)


@pytest.mark.slow
def test_qcodes(study, apparatus, tmp_path):
    pytest.importorskip("qcodes")
    from qcodes.dataset import initialise_or_create_database_at, load_or_create_experiment
    from qcodes.parameters import ManualParameter, Parameter

    initialise_or_create_database_at(str(tmp_path / "runs.db"))
    load_or_create_experiment("renp", "toy")
    trigger, exposure = ManualParameter("theta_s"), ManualParameter("exposure")
    field = Parameter("field", get_cmd=lambda: apparatus(trigger(), exposure())[0])
    error = Parameter("error", get_cmd=lambda: apparatus(trigger(), exposure())[1])
    campaign = renp.Campaign(study, tmp_path / "campaign")
    kept = recipe("with_qcodes").measure(campaign, trigger, exposure, field, error)
    assert kept.get_parameter_data()["field"]["field"].size == told(study, campaign)
