"""What is lost around a design, and over what is not known: as it is written and read.

Scores are utilities, or minus the logarithm of what shall be small.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class KeyTolerance:
    """How far one key may move, all others held, in its unit.

    Attributes
    ----------
    name : str
        Of the dimension.
    value : float
        Of the design.
    below, above : float
        Distances.
    below_ends, above_ends : bool
        Whether the end of its range ends it, not the loss.
    """

    name: str
    value: float
    below: float
    above: float
    below_ends: bool
    above_ends: bool


@dataclass(frozen=True)
class SettingErrors:
    """Mean loss when every trigger angle is set a little off.

    Attributes
    ----------
    error_deg, loss : tuple of float
        Standard deviations that were tried, and the loss with each.
    allowed_deg : float, optional
        Where the loss of the study is reached; ``None`` if nowhere.
    """

    error_deg: tuple[float, ...]
    loss: tuple[float, ...]
    allowed_deg: float | None


@dataclass(frozen=True)
class Shifts:
    """Scores where the apparatus is off, see ``design.utilities.robustness.WorstCase``.

    Attributes
    ----------
    nominal, lowest : float
        Score of the design, and the lowest found.
    shifts : tuple of float
        Where: -1, 0 or 1 for each nuisance.
    singles : tuple of (float, float)
        Score with one nuisance at its lower and upper end.
    names : tuple of str
        Nuisances.
    sigmas : float
        Their ends, in standard deviations.
    """

    nominal: float
    lowest: float
    shifts: tuple[float, ...]
    singles: tuple[tuple[float, float], ...]
    names: tuple[str, ...]
    sigmas: float


@dataclass(frozen=True)
class DesignOverTruths:
    """Scores of one design at each truth, see ``design.utilities.robustness.Spread``.

    Attributes
    ----------
    name : str
        "best", "rival 1", ..., "own".
    scores : tuple of float
    mean, worst, quantile : float
    worst_at : int
    design : mapping, optional
        Value of each dimension; the study's own design has none.
    """

    name: str
    scores: tuple[float, ...]
    mean: float
    worst: float
    worst_at: int
    quantile: float
    design: Mapping[str, Any] | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON knows it."""
        row = asdict(self)
        return row if self.design is not None else {k: v for k, v in row.items() if k != "design"}


@dataclass(frozen=True)
class OverTruths:
    """Designs compared at single true masses.

    Attributes
    ----------
    m1_meV : tuple of float
        Equally likely a priori.
    designs : tuple of DesignOverTruths
    choice : mapping
        Name of the design that is best by mean, worst and quantile.
    """

    m1_meV: tuple[float, ...]
    designs: tuple[DesignOverTruths, ...]
    choice: Mapping[str, str]


@dataclass(frozen=True)
class InformationByAngle:
    """Fisher information about m1, all else profiled.

    Attributes
    ----------
    theta_s_deg, per_meV2 : tuple of float
        Of each angle.
    priors_per_meV2 : float
        What data teach through the priors of nuisances.
    """

    theta_s_deg: tuple[float, ...]
    per_meV2: tuple[float, ...]
    priors_per_meV2: float


@dataclass(frozen=True)
class Robustness:
    """How robust a found design is.

    Attributes
    ----------
    x : tuple of float
        The design's point of the unit cube.
    score, loss : float
        Its score, and the loss that is allowed.
    dimensions : tuple of KeyTolerance
    angles : SettingErrors
    nuisances : Shifts
    truths : OverTruths
    information : mapping
        Of the "best" and the study's "own" design.
    of_best : bool
        Whether the design is the best of all searches, not only of its own.
    """

    x: tuple[float, ...]
    score: float
    loss: float
    dimensions: tuple[KeyTolerance, ...]
    angles: SettingErrors
    nuisances: Shifts
    truths: OverTruths
    information: Mapping[str, InformationByAngle]
    of_best: bool = True

    def plain(self) -> dict[str, Any]:
        """As JSON knows it."""
        found = asdict(self)
        found["truths"]["designs"] = [design.plain() for design in self.truths.designs]
        return found
