"""Section ``[optimize]`` of a study: what may vary, what is wanted, who searches."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator as After
from pydantic import BeforeValidator as Before
from pydantic import Discriminator, Tag, model_validator

from renp_infer.design.measures import OBJECTIVES, UTILITIES
from renp_infer.fields import Number, Several, Whole, nearest, refusal
from renp_infer.study.sections.apparatus import Flag, Section, Word, as_tuple, choice, kind_of_grid
from renp_infer.study.sections.sequential import SequentialSection
from renp_infer.study.sections.tasks import Odds, OddsSection, some_odds

OPTIMIZERS = ("skopt", "sobol", "random", "botorch")
PAIR_NAMES = ("11", "12", "22", "13", "23", "33")
MAX_POINTS = 2000
Scale = Annotated[Literal["linear", "log"], choice("linear", "log")]
Finite = Annotated[float, Before(Number())]


class RangeSection(Section):
    """A range of numbers."""

    low: Finite
    high: Finite
    scale: Scale = "linear"


def _rising(found: RangeSection) -> RangeSection:
    if found.low >= found.high:
        raise refusal("low < high")
    if found.scale == "log" and found.low <= 0.0:
        raise refusal('low > 0 with scale = "log"')
    return found


def _choices(values: tuple[Any, ...]) -> tuple[Any, ...]:
    plain = all(isinstance(v, int | float | str) and not isinstance(v, bool) for v in values)
    if len(values) < 2 or not plain or len(set(values)) < len(values):
        raise refusal("two or more different numbers or words")
    return values


def kind_of_setting(value: object) -> str | None:
    """Tag of what may vary: a list, a range, or a number that does not."""
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        return "<number>"
    return kind_of_grid(value)


Range = Annotated[RangeSection, After(_rising), Tag("<table>")]
Choices = Annotated[tuple[Any, ...], Before(as_tuple), After(_choices), Tag("<list>")]
Varied = Annotated[
    Range | Choices,
    Discriminator(
        kind_of_grid,
        custom_error_type="refused",
        custom_error_message="{ low, high, scale } or a list of choices",
    ),
]
Setting = Annotated[
    Range | Choices | Annotated[float, Before(Number()), Tag("<number>")],
    Discriminator(
        kind_of_setting,
        custom_error_type="refused",
        custom_error_message="a number, { low, high, scale } or a list of choices",
    ),
]


class WindowSection(Section):
    """A stretch of trigger angles: around a centre, or tied to a pair's threshold."""

    centre_deg: Setting | None = None
    threshold: Annotated[Literal[PAIR_NAMES] | None, choice(*PAIR_NAMES)] = None  # type: ignore[valid-type]
    side: Annotated[Literal["upper", "lower"], choice("upper", "lower")] = "upper"
    distance_deg: Setting | None = None
    distance_meV: Setting | None = None
    width_deg: Setting = 5.0
    points: Setting = 30.0
    share: Setting | None = None

    @model_validator(mode="after")
    def _one_place(self) -> WindowSection:
        distances = [d for d in (self.distance_deg, self.distance_meV) if d is not None]
        if (self.centre_deg is None) == (self.threshold is None):
            raise refusal("centre_deg, or threshold with distance_deg or distance_meV")
        if self.threshold is None and distances or len(distances) > 1:
            raise refusal("distance_deg or distance_meV with threshold, and only one of them")
        limits = {"width_deg": (1e-6, 180.0), "points": (1, MAX_POINTS), "share": (1e-3, 0.999)}
        for key, (low, high) in limits.items():
            if not all(low <= number <= high for number in ends(getattr(self, key))):
                raise refusal(f"{key} from {low:g} to {high:g}")
        return self


def ends(setting: Any) -> tuple[float, ...]:
    """Numbers that a setting reaches: its ends, its choices, or itself."""
    if setting is None:
        return ()
    if isinstance(setting, RangeSection):
        return setting.low, setting.high
    return setting if isinstance(setting, tuple) else (setting,)


class CostSection(Section):
    """Prices; see ``design/cost.py``."""

    crystal_per_cm3: Odds = 0.1
    beam_per_hour: Odds = 1.0
    laser_per_W: Odds = 10.0
    per_angle: Odds = 0.0


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


def _flat(value: Any, path: str = "") -> Any:
    """Tables of keys as one table of dotted keys."""
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for key, inner in value.items():
        name = f"{path}{key}"
        if isinstance(inner, dict) and not {"low", "high"} & set(inner) and "." not in name:
            found |= _flat(inner, f"{name}.")
        else:
            found[name] = inner
    return found


class OptimizeSection(Section):
    """A design space, what is wanted of a design, and how it is searched."""

    utility: Annotated[tuple[str, ...], Before(_objectives)] = ("eig_m1",)
    per_cost: Flag = False
    evaluations: Annotated[int, Before(Whole(1, 1_000_000))] = 60
    polish: Annotated[int, Before(Whole(0, 1_000_000))] = 40
    batch: Annotated[int, Before(Whole(1, 1000))] = 1
    optimizer: Annotated[Literal["skopt", "sobol", "random", "botorch"], choice(*OPTIMIZERS)] = (
        "skopt"
    )
    baselines: Annotated[tuple[str, ...], Before(_searchers)] = ()
    repeats: Annotated[int, Before(Whole(1, 10_000))] = 1
    physics_starts: Flag = True
    truth: Annotated[Literal["prior", "fixed"], choice("prior", "fixed")] = "prior"
    truths: Annotated[int, Before(Whole(2, 100_000))] = 32
    final_truths: Annotated[int, Before(Whole(2, 100_000))] = 128
    masses: Annotated[int, Before(Whole(2, 10_000))] = 193
    orderings: Annotated[tuple[str, ...], Before(Several("normal", "inverted"))] = (
        "normal",
        "inverted",
    )
    natures: Annotated[tuple[str, ...], Before(Several("dirac", "majorana"))] = (
        "dirac",
        "majorana",
    )
    prior_odds: Annotated[OddsSection, After(some_odds)] = OddsSection()
    vary: Annotated[dict[str, Varied], Before(_flat)] = {}
    windows: Annotated[tuple[WindowSection, ...], Before(_entries)] = ()
    constraints: Annotated[tuple[Word, ...], Before(_entries)] = ()
    cost: CostSection = CostSection()
    comparisons: Flag = True
    robustness: Flag = False
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
