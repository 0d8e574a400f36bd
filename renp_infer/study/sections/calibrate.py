"""Section ``[calibrate]``: mock experiments that test the analysis."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator as After
from pydantic import BeforeValidator as Before

from renp_infer.errors import ConfigError
from renp_infer.fields import Number, Whole, refusal
from renp_infer.study.sections.base import Section, about, as_tuple


def _rising_masses(masses: tuple[float, ...]) -> tuple[float, ...]:
    if len(masses) < 2 or any(a >= b for a, b in zip(masses, masses[1:], strict=False)):
        raise refusal("two or more masses, each larger than the one before")
    return masses


class CalibrateSection(Section):
    """Mock experiments that test the posterior, the hypotheses and the belt; 0 leaves a part out.

    Draws, tune and chains are those of each fit; a thinning of 0 is by effective sample
    size. ``false_alarm`` is for all tests of a part together.
    """

    data_sets: Annotated[
        int,
        Before(Whole(0, 1_000_000)),
        about("Mock experiments that test ranks and intervals of the posterior; 0: none."),
    ] = 200
    chains: Annotated[int, Before(Whole(2, 256)), about("Chains of each fit.")] = 2
    draws: Annotated[
        int,
        Before(Whole(4, 1_000_000)),
        about("Draws kept of each chain.", typical='1000 with inference.sampler = "independence"'),
    ] = 400
    tune: Annotated[
        int,
        Before(Whole(1, 1_000_000)),
        about("Draws spent on tuning each chain; refused for samplers that do not tune."),
    ] = 400
    thinning: Annotated[
        int,
        Before(Whole(0, 1_000_000)),
        about("Every how many draws one is ranked; 0: by the effective sample size."),
    ] = 0
    false_alarm: Annotated[
        float,
        Before(Number(low=0, high=0.5, open_low=True)),
        about("Probability that a right analysis fails, for all tests of a part together."),
    ] = 0.01
    failed_fits_allowed: Annotated[
        float, Before(Number(low=0, high=1)), about("Share of fits that may fail.")
    ] = 0.05
    hypothesis_sets: Annotated[
        int,
        Before(Whole(0, 1_000_000)),
        about("Mock experiments that test the probabilities of hypotheses; 0: none."),
    ] = 100
    importance_draws: Annotated[
        int, Before(Whole(100, 1_000_000)), about("Draws for each of their evidences.")
    ] = 2000
    belt_sets: Annotated[
        int,
        Before(Whole(0, 1_000_000)),
        about("Mock experiments of the Feldman-Cousins belt at each mass; 0: no belt."),
    ] = 300
    belt_m1_meV: Annotated[
        tuple[Annotated[float, Before(Number("meV", 0, 1e9))], ...],
        Before(as_tuple),
        After(_rising_masses),
        about("True lightest masses of the belt, two or more, each larger than the one before."),
    ] = (0.0, 5.0, 10.0, 20.0, 40.0)


def check_parts(section: CalibrateSection) -> None:
    """Refuse a calibration of nothing.

    Raises
    ------
    ConfigError
    """
    if not (section.data_sets or section.hypothesis_sets or section.belt_sets):
        allowed = "more than 0, unless hypothesis_sets or belt_sets are"
        raise ConfigError("calibrate.data_sets", 0, allowed)
