"""From a study's section ``[optimize]`` to its design space, region and objective."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.design.spaces.constraints import Constraint, quantities
from renp_infer.design.spaces.region import Region
from renp_infer.design.spaces.space import Dimension, Keys, Space, Window
from renp_infer.design.utilities.beside import Beside, Split, Taken
from renp_infer.errors import DomainError
from renp_infer.inference.priors.prior import mass_prior
from renp_infer.records import Experiment, Parameters
from renp_infer.study import reading as config
from renp_infer.study.datasets import assemble_sets, assembled
from renp_infer.study.design_tables import Design, value_at, with_keys
from renp_infer.study.resolve import assemble
from renp_infer.study.sections.grids.windows import RangeSection
from renp_infer.study.sections.optimize import cost_model

if TYPE_CHECKING:
    from renp_infer.design.searches.objective import Objective
    from renp_infer.design.utilities.utility import Appraiser
    from renp_infer.study.study import DataSet, Study

_SETTINGS = ("centre_deg", "distance_deg", "distance_meV", "width_deg", "points", "share")
SHARE = "share."
"""What a key of a data set's share of the exposure begins with."""
TOLD_MEV = (5.0, 20.0, 50.0)
"""Masses at which designs are told where a study names none."""
STAGES = ("search", "choice", "last", "robustness")
"""Appraisals, each with truths and noise of its own."""


def study_at(design: Design, keys: Keys) -> Study:
    """The study with some keys: a complete study.

    Raises
    ------
    ConfigError
        Where they make none.
    """
    tables = _of_one(design.tables) if design.data else design.tables
    return assemble(config.validate(with_keys(tables, keys)), "", Path(design.folder))


def _of_one(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Tables of one data set alone, which knows no priors of single groups."""
    inference = dict(tables.get("inference", {}))
    priors = {key: own for key, own in inference.pop("priors", {}).items() if key != "group"}
    inference |= {"priors": priors} if priors else {}
    found = {key: table for key, table in tables.items() if key != "inference"}
    return found | ({"inference": inference} if "inference" in tables else {})


def whole_at(design: Design, keys: Keys) -> Study:
    """The study with some keys and all its data sets.

    Raises
    ------
    ConfigError
        Where they make none.
    """
    tables = with_keys(design.tables, keys)
    if not design.data:
        return study_at(design, keys)
    checked = config.validate(tables | {"data": list(design.data)})
    return assemble_sets(checked, "", Path(design.folder))


def designed(study: Study, keys: Keys) -> dict[str, Any]:
    """Tables of the study with a design: shares in its data sets, or one data set more."""
    design = study.design
    assert design is not None
    if not design.data:
        return with_keys(design.tables, keys)
    if splits(study):
        pairs = zip(design.data, study.sets, split_of(study, keys).exposures_s, strict=True)
        data = [
            with_keys(entry, {"detector.exposure_s": exposure_s})
            if one.study.measurement is None
            else entry
            for entry, one, exposure_s in pairs
        ]
        return design.tables | {"data": data}
    beside = beside_of(study)
    assert beside is not None
    new = beside.with_one(study_at(design, keys).experiment)[-1]
    one_more = with_keys({"name": new.name, "crystal": new.crystal}, keys)
    return design.tables | {"data": [*design.data, one_more]}


def splits(study: Study) -> bool:
    """Whether designs only split an exposure among the data sets."""
    assert study.design is not None
    return bool(study.sets) and any(name.startswith(SHARE) for name in study.design.section.vary)


def split_of(study: Study, keys: Keys) -> Split:
    """All mock data sets with their shares of the exposure that they have together.

    A share that is not given is in proportion to the study's own, of what is left.

    Raises
    ------
    DomainError
        Where the shares leave nothing for the others.
    """
    own_s = own_exposures(study)
    given = {name.removeprefix(SHARE): float(keys[name]) for name in keys if SHARE in name}
    left = 1.0 - sum(given.values())
    if left <= 0.0:
        raise DomainError("shares", given, "less than 1 in all: the other sets have the rest")
    total_s = sum(own_s.values())
    rest_s = sum(seconds for name, seconds in own_s.items() if name not in given)
    found = {
        name: total_s * (given[name] if name in given else left * seconds / rest_s)
        for name, seconds in own_s.items()
    }
    exposures_s = tuple(
        found.get(one.name, one.study.experiment.detector.exposure_s) for one in study.sets
    )
    return Split(**vars(study.sets[0].study.experiment), exposures_s=exposures_s)


def own_exposures(study: Study) -> dict[str, float]:
    """Exposure of each data set that is not measured yet, s, by name."""
    mock = (one for one in study.sets if one.study.measurement is None)
    return {one.name: one.study.experiment.detector.exposure_s for one in mock}


def base_of(study: Study) -> Experiment:
    """Apparatus that designs begin from: the study's own, beside its data sets."""
    assert study.design is not None
    return study_at(study.design, {}).experiment if study.sets else study.experiment


def beside_of(study: Study) -> Beside | None:
    """Data sets that a design stands beside; ``None`` where there is one or none."""
    if not study.sets:
        return None
    said = study.resolved.get("inference", {}).get("sharing") or {}
    return Beside(tuple(_taken(one) for one in study.sets), said, study.priors.templates)


def _taken(one: DataSet) -> Taken:
    from renp_infer.measurement.noise import Noise, noise_by_exposure
    from renp_infer.measurement.normalise import coherence, noise_scale

    experiment, measurement = one.study.experiment, one.study.measurement
    if measurement is not None:
        seen = measurement.observation.covariance_nG2
        noise = Noise(lambda _: seen, True, experiment.detector.exposure_s)
        return Taken(one.member, experiment, noise, measured=True)
    scale = noise_scale(experiment, one.study.parameters, coherence(experiment))
    return Taken(one.member, experiment, noise_by_exposure(experiment, scale**2))


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

    known = {key: table for key, table in design.tables.items() if key != "constraints"}
    bare = replace(design, tables=known)  # an apparatus needs none of them

    def build(keys: Keys) -> Experiment:
        return split_of(study, keys) if splits(study) else study_at(bare, keys).experiment

    return Space(dimensions, windows, build, study.parameters, constant)


def _dimension(name: str, setting: RangeSection | tuple[Any, ...]) -> Dimension:
    if isinstance(setting, tuple):
        return Dimension(name, choices=setting)
    whole = name.endswith(".points")
    log, circle = (setting.scale == scale for scale in ("log", "circle"))
    return Dimension(name, setting.low, setting.high, log, whole, circle=circle)


def region_of(study: Study, constant: Keys | None = None) -> Region:
    """Allowed designs of a study."""
    assert study.design is not None
    section = study.design.section
    constraints = [Constraint(text) for text in section.constraints]
    return Region(space_of(study, constant), cost_model(section.cost), constraints)


def own_values(study: Study, region: Region) -> dict[str, Any]:
    """The study's own values of what varies, as far as it has them."""
    assert study.design is not None
    if splits(study):
        own_s = own_exposures(study)
        return {f"{SHARE}{name}": s / sum(own_s.values()) for name, s in own_s.items()}
    known = quantities(base_of(study), {}, region.cost)
    for name in region.space.names:
        if (given := value_at(study.design.tables, name)) is not None:
            known[name] = given
    return {n: known[n] for n in region.space.names if n in known}


def told_masses(study: Study) -> tuple[float, ...]:
    """True masses, meV, at which designs are told in other units than the search's.

    None where the study's own hypothesis, which is true there, is not among those that may be.
    """
    assert study.design is not None
    given = study.design.section.at_m1_meV
    if not has_own_odds(study):
        return ()
    low, high = mass_prior(study.priors).limits
    return tuple(m for m in TOLD_MEV if low <= m <= high) if given is None else given


def has_own_odds(study: Study) -> bool:
    """Whether the study's own hypothesis is among those that designs are judged under."""
    assert study.design is not None
    section, own = study.design.section, study.parameters
    odds = getattr(section.prior_odds, f"{own.ordering}_{own.nature}")
    return own.ordering in section.orderings and own.nature in section.natures and odds > 0.0


def study_with(study: Study, keys: Keys) -> Study:
    """The study with a design in all its data sets, ready to be fitted."""
    assert study.design is not None
    return assembled(config.validate(designed(study, keys)), "", Path(study.design.folder))


def frozen_noise(study: Study) -> Keys:
    """Keys that keep the noise of the study's own settings for all designs.

    Noise that is scaled to a signal-to-noise would be scaled by each design's own
    signal. Where only the layout varies, the paper's layout gives the same scale for
    all, and there are no such keys; nor where an exposure is shared, since all sets have the
    study's own scale, whatever their part; else the scaled noise is given as a number.
    """
    from renp_infer.measurement.normalise import coherence, noise_scale

    design = study.design
    assert design is not None
    only_layout = all(name.startswith("layout.") for name in design.section.vary)
    own = base_of(study)
    if own.detector.reference_snr == 0.0 or only_layout or splits(study):
        return {}
    scale = noise_scale(own, study.parameters, coherence(own))
    given = design.tables.get("detector", {})
    white = "noise_uPhi0_rtHz" if "noise_uPhi0_rtHz" in given else "noise_fT_rtHz"
    level = given.get(white, own.detector.noise_fT_rtHz)
    keys = {f"detector.{white}": scale * level, "detector.reference_snr": 0.0}
    drift = own.detector.drift_fT
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
    from renp_infer.design.searches.objective import Objective

    assert study.design is not None
    section = study.design.section
    appraiser = appraiser_of(study, region, stage, truth)
    return Objective(region, appraiser, section.utility, per_cost=section.per_cost)


def appraiser_of(
    study: Study, region: Region, stage: str = "search", truth: Parameters | None = None
) -> Appraiser:
    """What says the utilities of an apparatus; see `objective_of`."""
    from renp_infer.design.utilities import utility
    from renp_infer.measurement.normalise import coherence, noise_scale

    assert study.design is not None
    section = study.design.section
    odds = {k.replace("_", " "): v for k, v in section.prior_odds.model_dump().items()}
    settings = utility.UtilitySettings(
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
    own = base_of(study)
    scale = 1.0 if frozen else noise_scale(own, study.parameters, coherence(own))
    return utility.Appraiser(
        settings,
        truth or study.parameters,
        study.oscillation,
        rng,
        noise_scale=scale,
        finite_crystal=stage == "last" or section.finite_crystal,
        knowledge=study.knowledge_by_ordering,
        beside=beside_of(study),
        seed=study.seed,
    )
