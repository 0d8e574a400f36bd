"""Section ``[optimize]`` of a study: what may vary, what is wanted, who searches."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator as After
from pydantic import BeforeValidator as Before

from renp_infer.design.cost import CostModel
from renp_infer.design.measures import OBJECTIVES, UTILITIES, direction
from renp_infer.errors import ConfigError
from renp_infer.fields import Number, Several, Whole, nearest, refusal
from renp_infer.study.sections.base import Flag, Section, Word, as_tuple, choice, flat, several
from renp_infer.study.sections.grids.windows import Varied, WindowSection
from renp_infer.study.sections.odds import Odds, OddsSection, some_odds
from renp_infer.study.sections.sequential import SequentialSection

OPTIMIZERS = ("skopt", "sklearn", "sobol", "random", "botorch")


class CostSection(Section):
    """Prices; see ``design/cost.py``.

    The defaults are placeholders in hours of beam time, to be replaced by a study's own.
    """

    crystal_per_cm3: Odds = 0.1
    beam_per_hour: Odds = 1.0
    laser_per_W: Odds = 10.0
    per_angle: Odds = 0.0


def cost_model(section: CostSection) -> CostModel:
    """Prices of a checked section."""
    return CostModel(**section.model_dump())


def _objectives(value: object) -> object:
    """One utility, or two or three objectives of which the first is a utility."""
    names = (value,) if isinstance(value, str) else as_tuple(value)
    text = f"one of {', '.join(UTILITIES)}; or a list of two or three of {', '.join(OBJECTIVES)}"
    if not isinstance(names, tuple) or not 1 <= len(names) <= 3 or len(set(names)) < len(names):
        raise refusal(text)
    for k, name in enumerate(names):
        known = OBJECTIVES if k else UTILITIES
        if name not in known:
            raise refusal(f"one of {', '.join(known)}", nearest(str(name), known))
    return names


def _entries(value: object) -> object:
    """A list; or what stands in a table of named entries; or one table alone."""
    if not isinstance(value, dict):
        return as_tuple(value) if isinstance(value, list | tuple) else _refused()
    named = all(isinstance(v, dict | str) for v in value.values())
    return tuple(value.values()) if named and value else (value,)


def _refused() -> object:
    raise refusal("a list, or a table of named entries")


def _searchers(value: object) -> object:
    """Other optimizers, or none."""
    return Several(*OPTIMIZERS)(value) if value not in ((), []) else ()


class OptimizeSection(Section):
    """A design space, what is wanted of a design, and how it is searched."""

    utility: Annotated[tuple[str, ...], Before(_objectives)] = ("eig_m1",)
    per_cost: Flag = False
    evaluations: Annotated[int, Before(Whole(1, 1_000_000))] = 60
    polish: Annotated[int, Before(Whole(0, 1_000_000))] = 40
    batch: Annotated[int, Before(Whole(1, 1000))] = 1
    optimizer: Annotated[
        Literal["skopt", "sklearn", "sobol", "random", "botorch"], choice(*OPTIMIZERS)
    ] = "skopt"
    baselines: Annotated[tuple[str, ...], Before(_searchers)] = ()
    repeats: Annotated[int, Before(Whole(1, 10_000))] = 1
    physics_starts: Flag = True
    truth: Annotated[Literal["prior", "fixed"], choice("prior", "fixed")] = "prior"
    truths: Annotated[int, Before(Whole(2, 100_000))] = 32
    final_truths: Annotated[int, Before(Whole(2, 100_000))] = 128
    masses: Annotated[int, Before(Whole(2, 10_000))] = 193
    orderings: Annotated[tuple[str, ...], several("normal", "inverted")] = (
        "normal",
        "inverted",
    )
    natures: Annotated[tuple[str, ...], several("dirac", "majorana")] = (
        "dirac",
        "majorana",
    )
    prior_odds: Annotated[OddsSection, After(some_odds)] = OddsSection()
    vary: Annotated[dict[str, Varied], Before(flat)] = {}
    windows: Annotated[tuple[WindowSection, ...], Before(_entries)] = ()
    constraints: Annotated[tuple[Word, ...], Before(_entries)] = ()
    cost: CostSection = CostSection()
    comparisons: Flag = True
    robustness: Flag = False
    follow: Annotated[tuple[Word, ...], Before(as_tuple)] = ()
    robustness_loss: Annotated[float, Before(Number(low=0, high=10, open_low=True))] = 0.1
    sequential: SequentialSection | None = None

    @property
    def searched(self) -> bool:
        """Whether there is anything to search."""
        return bool(self.vary or self.windows)

    @property
    def parts(self) -> list[tuple[str, int]]:
        """Optimizer and repeat of each task; more repeats begin with the fewer."""
        names = (self.optimizer, *self.baselines)
        return [(name, repeat) for repeat in range(self.repeats) for name in names]


def check_wanted(section: OptimizeSection) -> None:
    """Refuse what is less the better, by cost, and too few truths for an error.

    Raises
    ------
    ConfigError
    """
    smaller = [n for n in section.utility if direction(n) < 0]
    if section.per_cost and smaller:
        allowed = f"false with {smaller[0]}, of which less is better"
        raise ConfigError("optimize.per_cost", True, allowed)
    fewest = 2 * len(section.orderings) * len(section.natures)
    for key in ("truths", "final_truths"):
        if section.truth == "prior" and getattr(section, key) < fewest:
            allowed = f">= {fewest}, two for each hypothesis: else there is no error"
            raise ConfigError(f"optimize.{key}", getattr(section, key), allowed)
