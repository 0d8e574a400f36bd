"""Section ``[inference]``: priors and sampler."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator as Before

from renp_infer.errors import ConfigError
from renp_infer.fields import Number, Whole
from renp_infer.inference.joint import By
from renp_infer.inference.parameters import MASS, PARAMETERS
from renp_infer.inference.settings import (
    HAMILTONIAN,
    UNTUNED,
    Choice,
    InferenceSettings,
    Sampler,
)
from renp_infer.study.sections.base import Flag, Section, about, choice
from renp_infer.study.sections.priors import PriorsSection, with_absolute_priors

Spread = Annotated[float, Before(Number(low=0, high=5))]
Index = Annotated[float, Before(Number(low=0, high=0.1))]
Pointing = Annotated[float, Before(Number("degree", 0, 10))]


SHARED = tuple(row.name for row in PARAMETERS.rows if row.level != "all")
"""Parameters of the apparatus, which several data sets may or may not have in common."""
SharedName = Annotated[str, choice(*SHARED)]
SharedBy = Annotated[By, choice(*get_args(By))]


class InferenceSection(Section):
    """Priors and sampler; a spread of 0 fixes its parameter.

    That of the extraordinary index, where a beam has it, is by default that of the other.
    With several data sets ``sharing`` says which of them have a parameter in common, where
    that is not what the table of parameters says.
    """

    sampler: Annotated[
        Choice,
        choice(*get_args(Choice)),
        about(
            "What draws the posterior; all have the same prior and likelihood. auto takes the "
            "independence sampler where its own check passes, else NUTS, and says which.",
            typical="auto; another to see whether it agrees",
            page="hypotheses.md#samplers-of-renp-infer",
        ),
    ] = "auto"
    cross_check: Annotated[
        Literal["none"] | Sampler,
        choice("none", *get_args(Sampler)),
        about("Another sampler, whose quantiles must agree.", typical="independence"),
    ] = "none"
    chains: Annotated[
        int,
        Before(Whole(2, 256)),
        about("Chains, or independent ensembles, populations or runs.", typical="4"),
    ] = 4
    draws: Annotated[
        int,
        Before(Whole(4, 10_000_000)),
        about("Draws kept of each chain; particles of smc, live points of nested."),
    ] = 1000
    tune: Annotated[
        int,
        Before(Whole(1, 10_000_000)),
        about("Draws of each chain spent on tuning; refused for smc and nested, which need none."),
    ] = 1000
    target_accept: Annotated[
        float,
        Before(Number(low=0.5, high=1, open_low=True, open_high=True)),
        about(
            "Mean acceptance that NUTS aims at, closer to 1: smaller steps; refused for samplers "
            "that do not.",
            typical="0.8, 0.95",
        ),
    ] = 0.9
    m1_prior: Annotated[
        Literal["uniform", "log-uniform"],
        choice("uniform", "log-uniform"),
        about("Prior of the lightest mass.", page="priors.md#the-mass"),
    ] = "uniform"
    m1_min_meV: Annotated[
        float,
        Before(Number("meV", 0, 1e9, open_low=True)),
        about(
            "Lower end of the log-uniform prior; the uniform one starts at 0 and refuses it.",
            page="priors.md#the-mass",
        ),
    ] = 0.1
    m1_max_meV: Annotated[
        float,
        Before(Number("meV", 0, 1e9, open_low=True)),
        about(
            "Upper end of the prior; half the pair's energy is the most that can be.",
            source="the direct limit of KATRIN",
            page="priors.md#the-mass",
        ),
    ] = 450.0
    amplitude_sd: Annotated[
        Spread,
        about("Standard deviation of the logarithm of the signal's size; 0: known.", typical="0.2"),
    ] = 0.2
    baseline_sd: Annotated[
        Spread,
        about("Standard deviation of a constant offset, over the peak signal; 0: none."),
    ] = 0.1
    leakage_sd: Annotated[
        Spread,
        about(
            "Standard deviation of a parity-even leakage, shaped as the rate, over the peak "
            "signal; 0: none.",
            typical="0 to 0.1",
        ),
    ] = 0.0
    refractive_index_sd: Annotated[
        Index,
        about("Standard deviation of the refractive index, or of the ordinary ones; 0: known."),
    ] = 5e-4
    extraordinary_index_sd: Annotated[
        Index | None,
        about(
            "Standard deviation of the extraordinary indices, where a beam has one.",
            unset="that of refractive_index_sd",
            page="first-principles.md#15-polarised-beams",
        ),
    ] = None
    theta_s_offset_sd_deg: Annotated[
        Pointing, about("Standard deviation of the zero of the trigger's angle; 0: known.")
    ] = 0.01
    theta_e_offset_sd_deg: Annotated[
        Pointing, about("Standard deviation of the zero of the second laser's angle; 0: known.")
    ] = 0.01
    oscillation_errors: Annotated[
        Flag, about("Whether oscillation parameters have their measured errors, or are known.")
    ] = True
    phases: Annotated[
        Literal["free", "fixed"],
        choice("free", "fixed"),
        about("CP phases uniform on the circle, or known to be those of [neutrino]."),
    ] = "free"
    noise: Annotated[
        Literal["drawn", "none"],
        choice("drawn", "none"),
        about("Mock data with noise, or their expectation (Asimov data)."),
    ] = "drawn"
    sharing: Annotated[
        dict[SharedName, SharedBy] | None,
        about(
            "Of several data sets: which have a parameter of the apparatus in common, where that "
            "is not what is usual of it.",
            unset="what is usual: index by crystal, offsets by run",
            page="several-sets.md",
        ),
    ] = None
    priors: Annotated[
        PriorsSection | None,
        about(
            "Priors by parameter, each a table with its name, and correlated blocks of them.",
            page="priors.md",
            unset="the default priors",
        ),
    ] = None


def inference_settings(section: InferenceSection, extraordinary: bool = False) -> InferenceSettings:
    """Settings of a checked section, without priors by parameter.

    Parameters
    ----------
    section : InferenceSection
    extraordinary : bool
        Whether a beam is an extraordinary ray.
    """
    given = section.model_dump(exclude={"extraordinary_index_sd", "sharing", "priors"})
    own = section.extraordinary_index_sd
    spread = section.refractive_index_sd if own is None else own
    return InferenceSettings(**given, extraordinary_index_sd=spread if extraordinary else 0.0)


def tunes(*samplers: str) -> bool:
    """Whether a sampler among some spends draws on tuning."""
    return not set(samplers) - {"none"} <= UNTUNED


def aims(*samplers: str) -> bool:
    """Whether a sampler among some aims at an acceptance."""
    return bool(set(samplers) & HAMILTONIAN)


def check_tuning(section: InferenceSection) -> None:
    """Refuse steps to tune a sampler that does not tune, and an acceptance none aims at.

    Raises
    ------
    ConfigError
    """
    given = "target_accept" in section.model_fields_set
    if given and not aims(section.sampler, section.cross_check):
        samplers = " or ".join(f'"{name}"' for name in sorted(HAMILTONIAN))
        allowed = f"only with inference.sampler or inference.cross_check = {samplers}"
        raise ConfigError("inference.target_accept", section.target_accept, allowed)
    if "tune" in section.model_fields_set and not tunes(section.sampler, section.cross_check):
        raise nothing_to_tune("inference", section.tune, section.sampler)


def nothing_to_tune(table: str, tune: int, sampler: str) -> ConfigError:
    """What to raise for steps to tune a sampler that does not tune."""
    allowed = f'nothing with inference.sampler = "{sampler}", which adapts by itself'
    hint = f"{table}.draws sets its live points or particles; leave tune out"
    return ConfigError(f"{table}.tune", tune, allowed, hint)


def own_settings(section: InferenceSection) -> dict[str, str]:
    """Keys whose part a prior by parameter plays, and the parameter.

    A key that is about several parameters stays: it is about the others.
    """
    if section.priors is None:
        return {}
    alone = Counter(row.setting for row in PARAMETERS.rows)
    blocked = {name for entry in section.priors.block for name in entry.parameters}
    found = {
        row.setting: row.name
        for row in PARAMETERS.rows
        if alone[row.setting] == 1
        and (getattr(section.priors, row.name) is not None or row.name in blocked)
    }
    return found | ({"m1_min_meV": MASS} if MASS in found.values() else {})


def absolute_priors(section: InferenceSection | None, folder: Path) -> InferenceSection | None:
    """Section whose priors' paths mean the same from any folder."""
    if section is None or section.priors is None:
        return section
    return section.model_copy(update={"priors": with_absolute_priors(section.priors, folder)})


def check_own_priors(section: InferenceSection) -> None:
    """Refuse two priors of one parameter.

    Raises
    ------
    ConfigError
    """
    for key, name in own_settings(section).items():
        if key in section.model_fields_set and getattr(section, key) is not None:
            allowed = f"nothing beside inference.priors for {name}: one prior for each parameter"
            raise ConfigError(f"inference.{key}", getattr(section, key), allowed)


def check_lower_bound(section: InferenceSection) -> None:
    """A lower bound of m1 belongs to the log-uniform prior, and is below the upper one.

    Raises
    ------
    ConfigError
    """
    given = "m1_min_meV" in section.model_fields_set
    if given and section.m1_prior == "uniform":
        allowed = 'only with m1_prior = "log-uniform"; the uniform prior starts at 0'
        raise ConfigError("inference.m1_min_meV", section.m1_min_meV, allowed)
    if section.m1_min_meV >= section.m1_max_meV:
        if given:
            allowed = f"< inference.m1_max_meV = {section.m1_max_meV:g}"
            raise ConfigError("inference.m1_min_meV", section.m1_min_meV, allowed)
        allowed = f"> inference.m1_min_meV = {section.m1_min_meV:g}"
        raise ConfigError("inference.m1_max_meV", section.m1_max_meV, allowed)
