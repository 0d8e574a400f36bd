"""From a study's section ``[optimize]`` to its design space, region and objective."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.design.constraints import Constraint, quantities
from renp_infer.design.region import Region
from renp_infer.design.space import Dimension, Keys, Space, Window
from renp_infer.records import Experiment, Parameters
from renp_infer.study import reading as config
from renp_infer.study.design_tables import Design, with_keys
from renp_infer.study.resolve import assemble
from renp_infer.study.sections.optimize import cost_model
from renp_infer.study.sections.windows import RangeSection

if TYPE_CHECKING:
    from renp_infer.design.objective import Objective
    from renp_infer.study.study import Study

_SETTINGS = ("centre_deg", "distance_deg", "distance_meV", "width_deg", "points", "share")
STAGES = ("search", "choice", "last", "robustness")
"""Appraisals, each with truths and noise of its own."""


def study_at(design: Design, keys: Keys) -> Study:
    """The study with some keys: a complete study.

    Raises
    ------
    ConfigError
        Where they make none.
    """
    return assemble(config.validate(with_keys(design.tables, keys)), "", Path(design.folder))


def space_of(study: Study, constant: Keys | None = None) -> Space:
    """Design space of a study."""
    design = study.design
    assert design is not None
    section = design.section
    dimensions = [_dimension(name, setting) for name, setting in section.vary.items()]
    windows = []
    for k, window in enumerate(section.windows, 1):
        name = f"window{k}"
        settings = {key: getattr(window, key) for key in _SETTINGS}
        dimensions += [
            _dimension(f"{name}.{key}", value)
            for key, value in settings.items()
            if isinstance(value, RangeSection | tuple)
        ]
        fixed = {k: v for k, v in settings.items() if isinstance(v, int | float)}
        windows.append(Window(name, fixed, window.threshold or "", window.side == "upper"))

    def build(keys: Keys) -> Experiment:
        return study_at(design, keys).experiment

    return Space(dimensions, windows, build, study.parameters, constant)


def _dimension(name: str, setting: RangeSection | tuple[Any, ...]) -> Dimension:
    if isinstance(setting, tuple):
        return Dimension(name, choices=setting)
    whole = name.endswith(".points")
    return Dimension(name, setting.low, setting.high, setting.scale == "log", whole)


def region_of(study: Study, constant: Keys | None = None) -> Region:
    """Allowed designs of a study."""
    assert study.design is not None
    section = study.design.section
    constraints = [Constraint(text) for text in section.constraints]
    return Region(space_of(study, constant), cost_model(section.cost), constraints)


def own_values(study: Study, region: Region) -> dict[str, Any]:
    """The study's own values of what varies, as far as it has them."""
    assert study.design is not None
    known = quantities(study.experiment, {}, region.cost)
    for name in region.space.names:
        section, _, key = name.partition(".")
        given = study.design.tables.get(section, {})
        if key in given:
            known[name] = given[key]
    return {n: known[n] for n in region.space.names if n in known}


def frozen_noise(study: Study) -> Keys:
    """Keys that keep the noise of the study's own settings for all designs.

    Noise that is scaled to a signal-to-noise would be scaled by each design's own
    signal. Where only the layout varies, the paper's layout gives the same scale for
    all, and there are no such keys; else the scaled noise is given as a number.
    """
    from renp_infer.measurement.normalise import coherence, noise_scale

    design = study.design
    assert design is not None
    only_layout = all(name.startswith("layout.") for name in design.section.vary)
    if study.experiment.detector.reference_snr == 0.0 or only_layout:
        return {}
    chi2 = coherence(study.experiment)
    scale = noise_scale(study.experiment, study.parameters, chi2)
    given = design.tables.get("detector", {})
    white = "noise_uPhi0_rtHz" if "noise_uPhi0_rtHz" in given else "noise_fT_rtHz"
    level = given.get(white, study.experiment.detector.noise_fT_rtHz)
    keys = {f"detector.{white}": scale * level, "detector.reference_snr": 0.0}
    drift = study.experiment.detector.drift_fT
    return keys | ({"detector.drift_fT": scale * drift} if drift else {})


def objective_of(
    study: Study, region: Region, stage: str = "search", truth: Parameters | None = None
) -> Objective:
    """What the designs of a region are judged by.

    Parameters
    ----------
    study : Study
    region : Region
    stage : str
        Of ``STAGES``: the search; the choice among its best designs, by other and
        more truths; the last appraisal, by others again and with the finite crystal;
        and what happens around it, by others again.
    truth : Parameters, optional
        The one truth, in place of what the section says.
    """
    from renp_infer.design.objective import Objective
    from renp_infer.design.utility import Appraiser, UtilitySettings
    from renp_infer.measurement.normalise import coherence, noise_scale

    assert study.design is not None
    section = study.design.section
    odds = {k.replace("_", " "): v for k, v in section.prior_odds.model_dump().items()}
    settings = UtilitySettings(
        inference=study.priors,
        orderings=section.orderings,
        natures=section.natures,
        odds=odds,
        truth=section.truth if truth is None else "fixed",
        truths=section.truths if stage == "search" else section.final_truths,
        masses=section.masses,
    )
    stream = np.random.SeedSequence(study.seed, spawn_key=(1 + STAGES.index(stage),))
    rng = np.random.default_rng(stream)
    frozen = "detector.reference_snr" in region.space.constant
    own = study.experiment
    scale = 1.0 if frozen else noise_scale(own, study.parameters, coherence(own))
    appraiser = Appraiser(
        settings,
        truth or study.parameters,
        study.oscillation,
        rng,
        noise_scale=scale,
        finite_crystal=stage == "last",
    )
    return Objective(region, appraiser, section.utility, per_cost=section.per_cost)
