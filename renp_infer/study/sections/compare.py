"""Section ``[compare]``: evidence of the four hypotheses."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator as After
from pydantic import BeforeValidator as Before

from renp_infer.fields import Number, Whole
from renp_infer.inference.results.comparison import (
    DEFAULT_ESTIMATORS,
    ESTIMATORS,
    CompareSettings,
    Estimator,
)
from renp_infer.study.sections.base import Section, about, choice, several
from renp_infer.study.sections.odds import OddsSection, some_odds


class CompareSection(Section):
    """Evidence of the four hypotheses."""

    estimators: Annotated[
        tuple[Estimator, ...],
        several(*ESTIMATORS),
        about(
            "How evidences are estimated; two check each other.", page="hypotheses.md#estimators"
        ),
    ] = DEFAULT_ESTIMATORS
    importance_draws: Annotated[
        int,
        Before(Whole(200, 10_000_000)),
        about("Draws of importance sampling, of all its proposals together."),
    ] = 8000
    live_points: Annotated[
        int,
        Before(Whole(50, 1_000_000)),
        about("Live points of all nested runs of a hypothesis together; more: smaller errors."),
    ] = 1000
    nested_runs: Annotated[
        int, Before(Whole(2, 256)), about("Independent nested runs; their scatter is an error.")
    ] = 4
    smc_draws: Annotated[
        int, Before(Whole(50, 1_000_000)), about("Particles of each sequential Monte Carlo run.")
    ] = 1000
    smc_chains: Annotated[
        int, Before(Whole(2, 256)), about("Independent sequential Monte Carlo runs.")
    ] = 4
    reference: Annotated[
        Literal["fitted", "prior"],
        choice("fitted", "prior"),
        about("Density that estimators start from; changes their work, not what they estimate."),
    ] = "fitted"
    gate: Annotated[
        float,
        Before(Number(low=0, high=1e6, open_low=True)),
        about("Distance of two estimators, in combined errors, beyond which the verdict is fail."),
    ] = 4.0
    prior_odds: Annotated[
        OddsSection, After(some_odds), about("Prior odds of the four hypotheses, of any sum.")
    ] = OddsSection()


def compare_settings(section: CompareSection) -> CompareSettings:
    """Settings of a checked section."""
    return CompareSettings(**section.model_dump())
