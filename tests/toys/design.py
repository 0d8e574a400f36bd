"""Design spaces and utilities whose optimum is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from renp_infer.design.searches.objective import Objective
from renp_infer.design.searches.search import Trial
from renp_infer.design.spaces.constraints import Constraint
from renp_infer.design.spaces.region import Region
from renp_infer.design.spaces.space import Dimension, Keys, Space
from renp_infer.design.utilities.foreknown import KnownTruths
from renp_infer.design.utilities.utility import Utility, UtilitySettings
from renp_infer.engine.result import Verdict
from renp_infer.inference.priors.prior import mass_prior
from renp_infer.physics.neutrinos import load_oscillation, make_parameters
from renp_infer.physics.targets.target import load_target
from renp_infer.records import Detector, Experiment, Lasers, Layout, Parameters, Switches
from renp_infer.verbs.optimize.parts import Appraisal
from renp_infer.verbs.optimize.result import FoundBy, OptimizeResult, Repeats, Tried
from tests.toys.settings import cost_with, inference_with

PEAK = (0.9, 2.2)
"""Radius and length of the best crystal of the toy utility, cm."""


def truth(m1_meV: float = 50.0) -> Parameters:
    table = load_oscillation("nufit-6.0")
    return make_parameters(
        m1_eV=1e-3 * m1_meV, ordering="normal", nature="majorana",
        delta=0.0, alpha21=0.0, alpha31=0.0, table=table,
    )  # fmt: skip


def build(keys: Keys) -> Experiment:
    """An apparatus from a few keys."""
    angles = keys.get("layout.theta_s_deg", [140.0, 141.0])
    layout = Layout(
        keys.get("layout.length_cm", 2.0),
        keys.get("layout.radius_cm", 1.0),
        np.deg2rad(keys.get("layout.theta_e_deg", 141.607)),
        np.deg2rad(np.array(angles)),
    )
    detector = Detector(exposure_shares=keys.get("detector.exposure_shares"))
    return Experiment(load_target("er-ylf"), layout, Lasers(), detector, Switches())


def crystal_space() -> Space:
    dimensions = [
        Dimension("layout.radius_cm", 0.5, 1.5),
        Dimension("layout.length_cm", 1.0, 4.0, log=True),
    ]
    return Space(dimensions, [], build, truth())


def crystal_region(*constraints: str) -> Region:
    return Region(crystal_space(), cost_with(), [Constraint(text) for text in constraints])


class ToyAppraiser:
    """A narrow ridge in a crystal's sizes, or minus the mean squared angle."""

    calls = 0

    def __init__(self, settings: UtilitySettings | None = None, *_: Any, **__: Any) -> None:
        inference = inference_with() if settings is None else settings.inference
        self.known = KnownTruths.unconstrained(mass_prior(inference), np.ones(1))

    def __call__(self, experiment: Experiment, names: Sequence[str]) -> dict[str, Utility]:
        type(self).calls += 1
        layout = experiment.layout
        across = (layout.radius_cm - PEAK[0]) / 0.1
        along = np.log(layout.length_cm / PEAK[1]) / 0.3
        value = float(3.0 * np.exp(-0.5 * across**2) / (1.0 + along**2))
        found = {"eig_m1": Utility(value, 0.01), "sd_m1": Utility(float(np.exp(-value)), 0.0)}
        return {name: found.get(name, Utility(value, 0.01)) for name in names}


def crystal_objective(*constraints: str) -> Objective:
    return Objective(crystal_region(*constraints), ToyAppraiser(), ["eig_m1"])


def search_found(verdict: Verdict) -> OptimizeResult:
    """A search of one trial: 4.65 nat against 0.444 of the study's own design."""
    length = {"layout.length_cm": 3.0}
    trial = Trial("start", (0.5,), length, {"eig_m1": 4.7}, {"eig_m1": 0.1})
    return OptimizeResult(
        name="toy",
        objective="eig_m1",
        per_cost=False,
        normalised=False,
        best=length,
        design=length,
        x=trial.x,
        bounds=(),
        found_by=FoundBy("skopt", 0, "start"),
        search=trial.utility("eig_m1"),
        last=Appraisal({"eig_m1": Utility(4.65, 0.02)}),
        reference=Appraisal({"eig_m1": Utility(0.444, 0.024)}),
        gain=4.21,
        evaluations=1,
        allowed_share=None,
        searches=(Repeats("skopt", 1, 4.7, 4.7, 4.7),),
        verdict=verdict,
        trials=(Tried("skopt", 0, 0, trial),),
    )
