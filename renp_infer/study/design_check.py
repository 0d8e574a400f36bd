"""Designs of a section ``[optimize]`` that make no studies, refused before any work.

What concerns the section's own keys alone stands beside them in ``sections``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.design.spaces.constraints import Constraint, quantities
from renp_infer.design.utilities.measures import UTILITIES
from renp_infer.errors import ConfigError, DomainError
from renp_infer.fields import Said, nearest
from renp_infer.inference.parameters import MASS
from renp_infer.inference.priors.prior import mass_prior
from renp_infer.study import reading as config
from renp_infer.study.design_tables import Design, value_at, with_keys
from renp_infer.study.designing import (
    SHARE,
    has_own_odds,
    own_exposures,
    region_of,
    space_of,
    splits,
)
from renp_infer.study.sections.grids.windows import RangeSection, check_windows, ends, on_circle
from renp_infer.study.sections.optimize import check_wanted, cost_model

if TYPE_CHECKING:
    from renp_infer.study.study import Study

DIRECTIONS = ("layout.theta_e_deg", "layout.c_axis_deg")
"""Keys that may vary on a circle."""
NOISES = ("detector.noise_fT_rtHz", "detector.noise_uPhi0_rtHz", "detector.drift_fT")
"""Keys that `detector.reference_snr` scales."""
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
    if splits(study):
        _check_shares(study)
    else:
        for name, setting in section.vary.items():
            _check_key(study.design, name, setting)
    if section.priors and any(own.name == MASS for own in study.priors.own):
        allowed = f"nothing beside inference.priors.{MASS}: it has the place of all of them"
        raise ConfigError("optimize.priors", list(section.priors), allowed)
    check_windows(section.windows, study.parameters.m1_eV)
    check_wanted(section)
    _check_masses(study)
    _check_constraints(study)


def _check_masses(study: Study) -> None:
    """Masses at which designs are told are within the prior, and their hypothesis is possible."""
    assert study.design is not None
    section = study.design.section
    low, high = mass_prior(study.priors).limits
    for mass in section.at_m1_meV or ():
        if not low <= mass <= high:
            allowed = f"masses within the prior of m1, {low:g} to {high:g} meV"
            raise ConfigError("optimize.at_m1_meV", mass, allowed)
    asked = "confirm" if section.confirm else "at_m1_meV"
    if (section.confirm or section.at_m1_meV) and not has_own_odds(study):
        own, given = study.parameters, getattr(section, asked)
        shown, least = (given, "0") if section.confirm else (list(given), "[]")
        allowed = f"{least} where {own.ordering} {own.nature}, which is true, has no odds"
        hint = "name it in optimize.orderings, natures and prior_odds, or change [neutrino]"
        raise ConfigError(f"optimize.{asked}", shown, allowed, hint)


def _check_shares(study: Study) -> None:
    """Shares of the exposure are of data sets that are not measured yet, and vary alone."""
    assert study.design is not None
    section, known = study.design.section, list(own_exposures(study))
    for name, setting in section.vary.items():
        path, given = f"optimize.vary.{name}", Said("this key")
        own = name.removeprefix(SHARE)
        if own == name:
            allowed = f"only {SHARE} keys, or none: designs split the exposure of the data sets, "
            raise ConfigError(path, given, allowed + "or add one")
        if own not in known:
            names = ", ".join(known) or "there is none"
            allowed = f"the name of a mock data set of [[data]]: {names}"
            raise ConfigError(path, given, allowed, nearest(own, known))
        if not all(_is_share(value) for value in ends(setting)):
            raise ConfigError(path, list(ends(setting)), "shares of the exposure, > 0 and < 1")
    if len(section.vary) >= len(known):
        allowed = f"at most {len(known) - 1} shares for {len(known)} data sets: one has the rest"
        raise ConfigError("optimize.vary", list(section.vary), allowed)
    for key, default, why in (
        ("windows", (), "angles are those of the data sets"),
        ("per_cost", False, "all splits cost the same"),
        ("robustness", False, "what is lost around a split, the map of the trials shows"),
    ):
        if getattr(section, key) != default:
            shown = str(default).lower() if key != "windows" else "none"
            raise ConfigError(f"optimize.{key}", Said("this"), f"{shown} with {SHARE} keys: {why}")
    if other := [name for name in section.utility if name not in UTILITIES]:
        allowed = f"utilities with {SHARE} keys, of which no split costs more"
        raise ConfigError("optimize.utility", other[0], allowed)


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and 0.0 < value < 1.0


def _check_key(design: Design, name: str, setting: RangeSection | tuple[Any, ...]) -> None:
    """A key that may vary, and whose ends are allowed one by one."""
    path = f"optimize.vary.{name}"
    section, _, key = name.partition(".")
    if section == SHARE.strip("."):
        allowed = "a key of layout, lasers, detector or target: shares are of the sets of [[data]]"
        raise ConfigError(path, Said("this key"), allowed)
    if section not in VARIED or not key:
        known = f"a key of {', '.join(VARIED)}, such as layout.length_cm"
        raise ConfigError(path, Said("this key"), known, nearest(section, VARIED))
    table = name.rpartition(".")[0]
    if "." in key and not isinstance(value_at(design.tables, table), dict):
        allowed = f"a key of a table that the study has, but there is no [{table}]"
        raise ConfigError(path, Said("this key"), allowed)
    _check_noise(design, name)
    if name in ("layout.theta_s_deg", "detector.exposure_shares"):
        raise ConfigError(path, Said("this key"), "[[optimize.windows]] for trigger angles")
    if on_circle(setting) and name not in DIRECTIONS:
        allowed = f'"linear" or "log": only {" and ".join(DIRECTIONS)} are directions'
        raise ConfigError(f"{path}.scale", "circle", allowed)
    for value in ends(setting):
        try:
            config.validate(with_keys(design.tables, {name: value}))
        except ConfigError as error:
            raise ConfigError(path, error.given, error.allowed, error.hint) from error


def _check_noise(design: Design, name: str) -> None:
    """A level of noise does not vary where the signal sets it, nor what it is normalised to."""
    if name == "detector.reference_snr":
        allowed = "another key: it scales the noise of all designs alike"
        raise ConfigError(f"optimize.vary.{name}", Said("this key"), allowed)
    given = design.tables.get("detector", {}).get("reference_snr", 0.0)
    if name in NOISES and given > 0.0:
        allowed = f"another key, or detector.reference_snr = 0 (it is {given:g})"
        why = "noise that is normalised has no level of its own"
        raise ConfigError(f"optimize.vary.{name}", Said("this key"), allowed, why)


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
        known = quantities(study.experiment, example, cost_model(study.design.section.cost))
        for name in sorted(names - set(known)):
            allowed = "quantities such as volume_cm3, total_power_mW, min_spacing_deg, cost"
            hint = nearest(name, known) or "keys of the study, with or without their section"
            raise ConfigError(f"optimize.constraints[{k}]", text, allowed, f"{name}: {hint}")
    region = region_of(study, {"detector.reference_snr": 0.0})  # designs keep the study's noise
    try:
        next(region.sobol(np.random.SeedSequence(0)))
    except DomainError as error:
        given = Said(" and ".join(texts) or "ranges that make no study")
        raise ConfigError("optimize.constraints", given, error.allowed) from error
