"""The tasks of a forecast: what each is about, and where its numbers stand."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from renp_infer.records import PRESETS
from renp_infer.verbs.forecast.quantities import Method

if TYPE_CHECKING:
    from renp_infer.study.study import Study

MAP_AXES = ("alpha21", "alpha31", "delta")
AXES = ("ordering", "nature", "m1_meV", "variant")
"""Dimensions along which parts are put together."""


@dataclass(frozen=True)
class ForecastPart:
    """What a task is about.

    Attributes
    ----------
    kind : str
        Its name in the task.
    """

    kind: ClassVar[str]

    @property
    def group(self) -> str:
        """Group of the merged tree."""
        return self.kind

    @property
    def inner(self) -> tuple[str, ...]:
        """Dimension along which records of the part itself are stacked, if they are."""
        return ()

    @property
    def place(self) -> dict[str, str | float]:
        """Coordinates by axis, in the order of ``AXES``."""
        return {name: value for name, value in asdict(self).items() if name in AXES}

    def plain(self) -> dict[str, str | float]:
        """As JSON knows it."""
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True)
class CellPart(ForecastPart):
    """One truth by one method."""

    kind = "cell"
    method: Method
    ordering: str
    nature: str
    m1_meV: float

    @property
    def group(self) -> str:
        """That of the method."""
        return self.method

    @property
    def inner(self) -> tuple[str, ...]:
        """Data sets, or settings of the phases."""
        return ("dataset",) if self.method == "ensemble" else ("setting",)


@dataclass(frozen=True)
class LimitPart(ForecastPart):
    """Limits of the median experiment."""

    kind = "limit"
    ordering: str
    nature: str


@dataclass(frozen=True)
class DrawnLimitPart(ForecastPart):
    """Limits of drawn data."""

    kind = "drawn limit"
    ordering: str
    nature: str

    @property
    def group(self) -> str:
        """That of the other limits."""
        return LimitPart.kind

    @property
    def inner(self) -> tuple[str, ...]:
        """Data sets."""
        return ("dataset",)


@dataclass(frozen=True)
class StepsPart(ForecastPart):
    """Systematics one by one."""

    kind = "steps"


@dataclass(frozen=True)
class AccuracyPart(ForecastPart):
    """Error of the tabulated response."""

    kind = "accuracy"


@dataclass(frozen=True)
class MapPart(ForecastPart):
    """Separation from Dirac against m1 and one phase."""

    kind = "map"
    axis: str

    @property
    def group(self) -> str:
        """One for each phase."""
        return f"{self.kind}_{self.axis}"


@dataclass(frozen=True)
class PhasesPart(ForecastPart):
    """What data say about the phases."""

    kind = "phases"
    ordering: str


@dataclass(frozen=True)
class CorrectionPart(ForecastPart):
    """Switches of the published preset that are changed together."""

    kind = "correction"
    variant: str


BY_KIND: dict[str, type[ForecastPart]] = {
    kind.kind: kind
    for kind in (
        CellPart,
        LimitPart,
        DrawnLimitPart,
        StepsPart,
        AccuracyPart,
        MapPart,
        PhasesPart,
        CorrectionPart,
    )
}


def part_of(plain: dict[str, Any]) -> ForecastPart:
    """The part that plain values are."""
    return BY_KIND[plain["kind"]](**{name: v for name, v in plain.items() if name != "kind"})


def parts(study: Study) -> list[ForecastPart]:
    """What each task of a forecast is about, in order."""
    settings = study.forecast
    assert settings is not None
    pairs = [(o, n) for o in settings.orderings for n in settings.natures]
    found: list[ForecastPart] = [
        CellPart(method, o, n, m)
        for method in cast("tuple[Method, ...]", settings.methods)
        for o, n in pairs
        for m in settings.m1_meV
    ]
    found += [LimitPart(*pair) for pair in pairs]
    if "ensemble" in settings.methods:
        found += [DrawnLimitPart(*pair) for pair in pairs]
    found += [StepsPart(), AccuracyPart()]
    found += [MapPart(axis) for axis in MAP_AXES]
    found += [PhasesPart(o) for o in settings.orderings]
    if settings.corrections:
        found += [CorrectionPart(name) for name in variants()]
    return found


def variants() -> dict[str, dict[str, Any]]:
    """Switches of each row of the table of corrections: one changed at a time.

    The full phase space needs plane waves, so these two come together as well.
    """
    published, corrected = (asdict(PRESETS[name]) for name in ("published", "corrected"))
    found: dict[str, dict[str, Any]] = {"published": {}}
    for name, value in corrected.items():
        if value != published[name] and name != "phase_space":
            found[name] = {name: value}
    names = ("phase_space", "form_factor")
    found["phase_space + form_factor"] = {name: corrected[name] for name in names}
    found["corrected"] = corrected
    return found
