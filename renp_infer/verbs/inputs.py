"""What results of a study depend on, as plain values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from renp_infer.records import Experiment
from renp_infer.study.study import DataSet, Study
from renp_infer.versions import PHYSICS_VERSION

SAMPLING = ("sampler", "chains", "draws", "tune", "target_accept", "cross_check")
"""Settings of ``[inference]`` that are no priors."""


def model_inputs(study: Study) -> dict[str, Any]:
    """What every result depends on: physics, its version, and the data it reads."""
    found = {
        "physics_version": PHYSICS_VERSION,
        "data": dict(study.digests),
        "name": study.name,
        "experiment": _apparatus(study.experiment),
        "parameters": asdict(study.parameters),
    }
    return found | ({"sets": [_of_set(one) for one in study.sets]} if study.sets else {})


def _apparatus(experiment: Experiment) -> dict[str, Any]:
    found = asdict(experiment)
    for name in ("reference", "beside"):
        if not found[name]:
            del found[name]  # one data set has keys as before there were several
    return found


def _of_set(one: DataSet) -> dict[str, Any]:
    return model_inputs(one.study) | {"run": one.run, "crystal": one.crystal}


def data_inputs(study: Study) -> dict[str, Any]:
    """What mock data depend on besides."""
    noise = "drawn" if study.settings is None else study.settings.noise
    return model_inputs(study) | {"seed": study.seed, "noise": noise}


def posterior_inputs(study: Study) -> dict[str, Any]:
    """What a posterior depends on besides."""
    assert study.settings is not None
    settings, table = asdict(study.settings), asdict(study.oscillation)
    inputs = data_inputs(study) | {"settings": settings, "oscillation": table}
    if study.knowledge:
        inputs["constraints"] = study.resolved["constraints"]
    return inputs | _shared(study)


def _shared(study: Study) -> dict[str, Any]:
    """What data sets have in common, and their priors where these depend on the set."""
    if study.sharing is None:
        return {}
    priors = [asdict(one.study.priors) for one in study.sets]
    return {"sharing": dict(study.sharing.groups), "priors of sets": priors}


def prior_inputs(study: Study) -> dict[str, Any]:
    """What a forecast of a study depends on: physics, seed and priors, but no sampler."""
    priors = asdict(study.priors)
    for name in SAMPLING:
        del priors[name]
    facts: dict[str, Any] = {
        "seed": study.seed,
        "oscillation": asdict(study.oscillation),
        "priors": priors,
    }
    if study.knowledge:
        facts["constraints"] = study.resolved["constraints"]
    return model_inputs(study) | facts | _shared(study)


def question_of(study: Study) -> dict[str, Any]:
    """What a posterior is asked: all numbers that it depends on, but no seed, sampler or name."""
    priors = asdict(study.priors)
    for name in (*SAMPLING, "noise"):
        del priors[name]
    found: dict[str, Any] = {
        "physics_version": PHYSICS_VERSION,
        "experiment": asdict(study.experiment),
        "parameters": asdict(study.parameters),
        "oscillation": asdict(study.oscillation),
        "priors": priors,
        "constraints": [_unnamed(row.term) | {"ordering": row.ordering} for row in study.knowledge],
    }
    if study.measurement is not None:
        seen = study.measurement.observation
        found["data"] = [seen.theta_s, seen.field_nG, seen.covariance_nG2]
    if study.sharing is not None:
        runs, crystals = ([getattr(one, k) for one in study.sets] for k in ("run", "crystal"))
        found["sets"] = [question_of(one.study) for one in study.sets]
        found["runs"], found["crystals"] = _places(runs), _places(crystals)
        found["sharing"] = {k: _places(list(v)) for k, v in study.sharing.groups.items()}
    return found


def _unnamed(term: Any) -> dict[str, Any]:
    """Fields of a constraint but its name."""
    return {key: value for key, value in asdict(term).items() if key != "name"}


def _places(names: list[str]) -> list[int]:
    """Names by the place where each first stands."""
    return [names.index(name) for name in names]
