"""Tables ``[[optimize.windows]]``, and what may vary of a design: ranges and choices."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator as After
from pydantic import BeforeValidator as Before
from pydantic import Discriminator, Tag, model_validator

from renp_infer.design.spaces.space import TURN_DEG
from renp_infer.errors import ConfigError
from renp_infer.fields import Number, Said, refusal
from renp_infer.physics.constants import EV_TO_MILLI_EV
from renp_infer.study.sections.base import Section, about, as_tuple, choice, kind_of_grid

PAIR_NAMES = ("11", "12", "22", "13", "23", "33")
MAX_POINTS = 2000
Scale = Annotated[Literal["linear", "log", "circle"], choice("linear", "log", "circle")]
Finite = Annotated[float, Before(Number())]


class RangeSection(Section):
    """A range of numbers."""

    low: Annotated[Finite, about("Lower end.")]
    high: Annotated[Finite, about("Upper end, larger than the lower.")]
    scale: Annotated[
        Scale,
        about(
            "Steps in the number, or in its logarithm; or a direction, all around: both ends are "
            "the same."
        ),
    ] = "linear"


def _rising(found: RangeSection) -> RangeSection:
    if found.low >= found.high:
        raise refusal("low < high")
    if found.scale == "log" and found.low <= 0.0:
        raise refusal('low > 0 with scale = "log"')
    if found.scale == "circle" and found.high - found.low != TURN_DEG:
        raise refusal('high = low + 360 with scale = "circle"')
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

    centre_deg: Annotated[
        Setting | None,
        about("Middle of the window.", unset="it is tied to a threshold"),
    ] = None
    threshold: Annotated[
        Literal[PAIR_NAMES] | None,  # type: ignore[valid-type]
        choice(*PAIR_NAMES),
        about("Pair at whose threshold the window is.", unset="it has a centre"),
    ] = None
    side: Annotated[
        Literal["upper", "lower"],
        choice("upper", "lower"),
        about("Which of the two thresholds of the pair, above or below phase matching."),
    ] = "upper"
    distance_deg: Annotated[
        Setting | None,
        about("Middle of the window from the threshold.", unset="a distance in mass, or 0"),
    ] = None
    distance_meV: Annotated[
        Setting | None,
        about(
            "Middle at the threshold of an m1 that is larger by so much.",
            unset="a distance in angle, or 0",
        ),
    ] = None
    width_deg: Annotated[Setting, about("From the first to the last angle.")] = 5.0
    points: Annotated[Setting, about("Number of angles.")] = 30.0
    share: Annotated[
        Setting | None,
        about("Part of the exposure that the first of two windows has.", unset="by angles"),
    ] = None

    @model_validator(mode="after")
    def _one_place(self) -> WindowSection:
        distances = [d for d in (self.distance_deg, self.distance_meV) if d is not None]
        if (self.centre_deg is None) == (self.threshold is None):
            raise refusal("centre_deg, or threshold with distance_deg or distance_meV")
        if self.threshold is None and distances or len(distances) > 1:
            raise refusal("distance_deg or distance_meV with threshold, and only one of them")
        for key in ("distance_deg", "distance_meV", "width_deg", "points", "share"):
            if on_circle(getattr(self, key)):
                raise refusal(f'{key} with scale = "linear" or "log": it is no direction')
        limits = {"width_deg": (1e-6, 180.0), "points": (1, MAX_POINTS), "share": (1e-3, 0.999)}
        for key, (low, high) in limits.items():
            if not all(low <= number <= high for number in ends(getattr(self, key))):
                raise refusal(f"{key} from {low:g} to {high:g}")
        if not all(float(number).is_integer() for number in ends(self.points)):
            raise refusal("points as whole numbers")
        return self


def on_circle(setting: Any) -> bool:
    """Whether a setting is a direction that goes round."""
    return isinstance(setting, RangeSection) and setting.scale == "circle"


def ends(setting: Any) -> tuple[float, ...]:
    """Numbers that a setting reaches: its ends, its choices, or itself."""
    if setting is None:
        return ()
    if isinstance(setting, RangeSection):
        return setting.low, setting.high
    return setting if isinstance(setting, tuple) else (setting,)


def check_windows(windows: tuple[WindowSection, ...], m1_eV: float) -> None:
    """Refuse a third window, a share of nothing, and masses below 0.

    Raises
    ------
    ConfigError
    """
    if len(windows) > 2:
        raise ConfigError("optimize.windows", Said(f"{len(windows)} windows"), "one or two")
    for k, window in enumerate(windows):
        if window.share is not None and (k or len(windows) == 1):
            allowed = "only in the first of two windows; the other has the rest"
            raise ConfigError(f"optimize.windows[{k}].share", Said("a share"), allowed)
        lowest = -EV_TO_MILLI_EV * m1_eV
        for value in ends(window.distance_meV):
            if value < lowest:
                path = f"optimize.windows[{k}].distance_meV"
                raise ConfigError(path, value, f">= {lowest:g}: no mass is negative")
