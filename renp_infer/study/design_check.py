"""What is refused of a section ``[optimize]`` before any work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.design.constraints import Constraint, quantities
from renp_infer.design.cost import CostModel
from renp_infer.design.measures import direction
from renp_infer.errors import ConfigError, DomainError
from renp_infer.fields import Said, nearest
from renp_infer.study import reading as config
from renp_infer.study.design_tables import Design, with_keys
from renp_infer.study.designing import region_of, space_of
from renp_infer.study.sections.optimize import RangeSection, WindowSection, ends

if TYPE_CHECKING:
    from renp_infer.study.study import Study

VARIED = ("layout", "lasers", "detector", "target")
"""Sections whose keys may vary."""


def check_design(study: Study) -> None:
    """Refuse a section ``[optimize]`` whose designs make no studies.

    Raises
    ------
    ConfigError
        Also if no design satisfies the constraints.
    """
    assert study.design is not None
    section = study.design.section
    if not section.searched:
        if section.sequential is not None:
            return
        allowed = "keys that vary, or [[optimize.windows]] of trigger angles"
        raise ConfigError("optimize.vary", Said("nothing"), allowed)
    for name, setting in section.vary.items():
        _check_key(study.design, name, setting)
    _check_windows(study, section.windows)
    smaller = [n for n in section.utility if direction(n) < 0]
    if section.per_cost and smaller:
        allowed = f"false with {smaller[0]}, of which less is better"
        raise ConfigError("optimize.per_cost", True, allowed)
    fewest = 2 * len(section.orderings) * len(section.natures)
    for key in ("truths", "final_truths"):
        if section.truth == "prior" and getattr(section, key) < fewest:
            allowed = f">= {fewest}, two for each hypothesis: else there is no error"
            raise ConfigError(f"optimize.{key}", getattr(section, key), allowed)
    _check_constraints(study)


def _check_key(design: Design, name: str, setting: RangeSection | tuple[Any, ...]) -> None:
    """A key that may vary, and whose ends are allowed one by one."""
    path = f"optimize.vary.{name}"
    section, _, key = name.partition(".")
    if section not in VARIED or not key or "." in key:
        known = f"a key of {', '.join(VARIED)}, such as layout.length_cm"
        raise ConfigError(path, Said("this key"), known, nearest(section, VARIED))
    if name in ("layout.theta_s_deg", "detector.exposure_shares"):
        raise ConfigError(path, Said("this key"), "[[optimize.windows]] for trigger angles")
    for value in ends(setting):
        try:
            config.validate(with_keys(design.tables, {name: value}))
        except ConfigError as error:
            raise ConfigError(path, error.given, error.allowed, error.hint) from error


def _check_windows(study: Study, windows: tuple[WindowSection, ...]) -> None:
    if len(windows) > 2:
        raise ConfigError("optimize.windows", Said(f"{len(windows)} windows"), "one or two")
    for k, window in enumerate(windows):
        if window.share is not None and (k or len(windows) == 1):
            allowed = "only in the first of two windows; the other has the rest"
            raise ConfigError(f"optimize.windows[{k}].share", Said("a share"), allowed)
        lowest = -1e3 * study.parameters.m1_eV
        for value in ends(window.distance_meV):
            if value < lowest:
                path = f"optimize.windows[{k}].distance_meV"
                raise ConfigError(path, value, f">= {lowest:g}: no mass is negative")


def _check_constraints(study: Study) -> None:
    """Each is a constraint, speaks of known quantities, and all hold somewhere."""
    assert study.design is not None
    texts = study.design.section.constraints
    for k, text in enumerate(texts):
        try:
            names = Constraint(text).names
        except DomainError as error:
            raise ConfigError(f"optimize.constraints[{k}]", text, error.allowed) from error
        space = space_of(study)
        example = dict.fromkeys(space.names, 1.0)
        known = quantities(study.experiment, example, CostModel())
        for name in sorted(names - set(known)):
            allowed = "quantities such as volume_cm3, total_power_mW, min_spacing_deg, cost"
            hint = nearest(name, known) or "keys of the study, with or without their section"
            raise ConfigError(f"optimize.constraints[{k}]", text, allowed, f"{name}: {hint}")
    region = region_of(study)
    try:
        next(region.sobol(np.random.SeedSequence(0)))
    except DomainError as error:
        given = Said(" and ".join(texts) or "ranges that make no study")
        raise ConfigError("optimize.constraints", given, error.allowed) from error
