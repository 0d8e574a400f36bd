"""Designs under several priors of m1: each best under its own, and the one that loses least."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from renp_infer.design.utilities import utility
from renp_infer.design.utilities.utility import Utility
from renp_infer.inference.parameters import MASS
from renp_infer.inference.priors.prior import mass_prior
from renp_infer.records import Experiment
from renp_infer.study.load import load_study
from renp_infer.study.mass_priors import with_mass_prior
from renp_infer.verbs.optimize.page import page
from renp_infer.verbs.optimize.priors import PriorTable
from renp_infer.verbs.optimize.result import OptimizeResult
from renp_infer.verbs.table import load_run
from tests.toys.design import ToyAppraiser
from tests.verbs.optimize.test_work import CRYSTAL, HEAD, optimize, write

pytestmark = pytest.mark.usefixtures("kept")

BEST_CM = {"uniform": 1.2, "log-uniform": 0.9, "cosmology": 0.8}
ALL = 'optimize.priors=["uniform", "log-uniform", "cosmology"]'


class ByPrior(ToyAppraiser):
    """The best radius depends on where the prior of m1 has its mass."""

    def __init__(self, settings: Any, *_: Any, **__: Any) -> None:
        prior = settings.inference
        own = any(one.name == MASS for one in prior.own)
        self.best = BEST_CM["cosmology" if own else prior.m1_prior]

    def __call__(self, experiment: Experiment, names: Any) -> dict[str, Utility]:
        layout = experiment.layout
        value = 3.0 - 10.0 * (layout.radius_cm - self.best) ** 2 - 0.2 * np.log(layout.length_cm)
        return {"eig_m1": Utility(float(value), 0.01)}


@pytest.fixture(autouse=True)
def by_prior(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(utility, "Appraiser", ByPrior)


def found_with(tmp_path: Path, *changes: str) -> tuple[dict[str, Any], Path]:
    path, home = write(tmp_path, HEAD + CRYSTAL), tmp_path / "run"
    more = ["optimize.evaluations=6", "optimize.polish=80", "optimize.comparisons=false"]
    more += ["optimize.optimizer=sobol", 'optimize.baselines=["random"]']
    words = [word for change in (*more, *changes) for word in ("--set", change)]
    assert optimize(path, home, *words) == 0
    return json.loads((home / "optimize.json").read_text()), home


def test_each_best_is_the_best_under_its_own_prior(tmp_path: Path) -> None:
    found, home = found_with(tmp_path, ALL)
    table = found["priors"]
    assert [row["name"] for row in table["rows"]] == [*BEST_CM, "own"]
    for row in table["rows"][:3]:
        here = BEST_CM[row["name"]]
        assert row["design"]["layout.radius_cm"] == pytest.approx(here, abs=0.02)
        for prior, there in BEST_CM.items():
            lost = 10.0 * (row["design"]["layout.radius_cm"] - there) ** 2
            length = 0.2 * np.log(row["design"]["layout.length_cm"])
            assert row["utilities"][prior]["value"] == pytest.approx(3.0 - lost - length)
    assert found["best"]["layout.radius_cm"] == pytest.approx(BEST_CM["uniform"], abs=0.02)
    told = PriorTable.read(table)
    assert told.plain() == table
    run = load_run(home)
    assert run.get(OptimizeResult).to_document()["priors"] == table
    [part] = page(run).parts
    captions = [getattr(block, "caption", "") for block in part.blocks]
    assert any("under each prior" in caption for caption in captions)


def test_maximin_is_between_the_farthest_priors(tmp_path: Path) -> None:
    """Of parabolas with tops at 1.2, 0.9 and 0.8 cm the worst loss is least at 1.0 cm: 0.4."""
    found, _ = found_with(tmp_path, ALL, "optimize.maximin=true")
    rows = {row["name"]: row for row in found["priors"]["rows"]}
    assert rows["maximin"]["design"]["layout.radius_cm"] == pytest.approx(1.0, abs=0.02)
    assert rows["maximin"]["largest_loss"] == pytest.approx(0.4, abs=0.05)
    assert rows["maximin"]["largest_loss"] == min(row["largest_loss"] for row in rows.values())
    assert found["best"]["layout.radius_cm"] == rows["maximin"]["design"]["layout.radius_cm"]


def test_the_priors_are_what_they_are_called(tmp_path: Path) -> None:
    """Cosmology's has 95 % below the limit that ships; its mode is 0."""
    study = load_study(write(tmp_path, HEAD + CRYSTAL))
    priors = {name: mass_prior(with_mass_prior(study, name).priors) for name in BEST_CM}
    rng = np.random.default_rng(8)
    draws = {n: p.from_unit(rng.standard_normal((40_000, 1))) for n, p in priors.items()}
    assert np.mean(draws["cosmology"] < 23.0) == pytest.approx(0.95, abs=0.005)
    top = study.priors.m1_max_meV
    assert np.mean(draws["uniform"] < 23.0) == pytest.approx(23.0 / top, abs=0.005)
    bottom = study.priors.m1_min_meV
    share = np.log(23.0 / bottom) / np.log(top / bottom)
    assert np.mean(draws["log-uniform"] < 23.0) == pytest.approx(share, abs=0.01)
    assert priors["cosmology"].log_density(0.0) > priors["cosmology"].log_density(5.0)


@pytest.mark.parametrize(
    ("changes", "path", "allowed"),
    [
        (['optimize.priors=["flat"]'], "optimize.priors", "uniform, log-uniform, cosmology"),
        (["optimize.maximin=true"], "optimize.maximin", "false without optimize.priors"),
        (
            [ALL, "optimize.maximin=true", 'optimize.utility=["eig_m1", "cost"]'],
            "optimize.maximin",
            "false with several objectives",
        ),
        (
            [ALL, 'inference.priors.m1_meV={kind="uniform", low=0.0, high=100.0}'],
            "optimize.priors",
            "nothing beside inference.priors.m1_meV",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(
    tmp_path: Path,
    changes: list[str],
    path: str,
    allowed: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    study, home = write(tmp_path, HEAD + CRYSTAL), tmp_path / "run"
    words = [word for change in changes for word in ("--set", change)]
    assert optimize(study, home, *words) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert path in said and allowed in said
    assert not home.exists()
