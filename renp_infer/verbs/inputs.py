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
