"""Posteriors that the benchmarks of inference share, and their converged reference."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from run import Row, machine, show

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.results.comparison import Hypothesis
from renp_infer.inference.samplers.importance import importance_sample
from renp_infer.inference.samplers.marginalised import marginalise
from renp_infer.inference.samplers.model import build_model
from renp_infer.inference.samplers.nuts import CompiledModel, compile_model
from renp_infer.records import FloatArray
from renp_infer.study.load import load_study
from renp_infer.verbs.compare.work import likelihood_of

STUDY = "edge-layout-normalised"
PRESETS = {"full": "corrected", "planar": "published"}
"""61 angles across the upper pair thresholds, all nuisances, peak signal 1000 times the noise."""
QUICK_PRESETS = {"full": PRESETS["full"]}
PACKAGES = ("pymc", "nutpie", "emcee", "dynesty")


def likelihood(kind: str, nature: str = "dirac") -> Likelihood:
    """Normal ordering; the data are the study's, of a Dirac truth."""
    study = load_study(STUDY, [f"physics.preset={PRESETS[kind]}"])
    return likelihood_of(study, Hypothesis("normal", nature))[0]


def spent(function: Callable[[], Any]) -> tuple[Any, float]:
    """Value, and processor time in s, which other programs hardly lengthen."""
    start = process_time()
    value = function()
    return value, process_time() - start


def compiled(target: Likelihood) -> CompiledModel:
    """Machine code of a posterior, called once: the call is what compiles it."""
    model = compile_model(build_model(target))
    model(np.zeros(model.size))
    return model


def reference(target: Likelihood, draws: int, seed: int = 1) -> Row:
    """Mass and evidence by independent weighted draws: no chain, no nested shells.

    Baseline and leakage are integrated exactly, the amplitude by quadrature.
    """
    rng = np.random.default_rng(seed)
    integrated = marginalise(target, rng).target
    drawn = importance_sample(integrated, rng, draws)
    found, mass = drawn.evidence, drawn.vectors[:, integrated.prior.names.index("m1_meV")]
    mean = float(np.average(mass, weights=drawn.weights))
    sd = float(np.sqrt(np.average((mass - mean) ** 2, weights=drawn.weights)))
    row: Row = {"draws": draws, "effective": found.ess, "mean m1": mean, "sd m1": sd}
    return row | {"mean's error": sd * found.ess**-0.5, "ln Z": found.log_z, "error": found.error}


def weighted_size(log_weights: FloatArray) -> float:
    """Number of equal draws that weights are worth (Kish)."""
    weights = np.exp(log_weights - np.max(log_weights))
    return float(np.sum(weights) ** 2 / np.sum(weights**2))


Tables = dict[str, tuple[str, list[Row]]]


def publish(name: str, tables: Tables) -> None:
    """Print tables, each under its title, and keep them."""
    for title, rows in tables.values():
        show(title, rows)
    keep(name, {key: rows for key, (_, rows) in tables.items()})


def keep(name: str, tables: dict[str, list[Row]]) -> None:
    """Write tables to ``results``."""
    where = machine(PACKAGES) | {"load after": round(os.getloadavg()[0], 2)}
    kept = {"machine": where, "tables": tables}
    home = Path(__file__).parent / "results"
    home.mkdir(exist_ok=True)
    (home / f"{name}.json").write_text(json.dumps(kept, indent=1) + "\n")
