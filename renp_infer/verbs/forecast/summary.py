"""A finished forecast in a few numbers: the headline, the methods compared, what matters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.profiles.fisher import NONLINEAR
from renp_infer.records import FloatArray
from renp_infer.verbs.forecast.columns import picked
from renp_infer.verbs.forecast.quantities import (
    RIVALS,
    DerivedErrors,
    EnsembleCell,
    FisherCell,
    Flags,
    Method,
    Rival,
)
from renp_infer.verbs.forecast.result import Axes, Cells, ForecastResult, LocalCell, TruthInShort

CENTRAL_68 = (0.16, 0.84)


def cells_of(found: ForecastResult) -> dict[Method, Cells]:
    """Tables of cells by method, of those that the forecast has."""
    every: dict[Method, Cells | None] = {
        "fisher": found.fisher,
        "asimov": found.asimov,
        "ensemble": found.ensemble,
    }
    return {method: cells for method, cells in every.items() if cells is not None}


@dataclass(frozen=True)
class Headline:
    """Numbers for the study's ordering and nature, at its own phases.

    Attributes
    ----------
    method : {"asimov", "fisher"}
    ordering, nature : str
        The study's, or the first that the forecast has.
    m1_meV : tuple of float
        True masses.
    cells : FisherCell or AsimovCell
        By true mass.
    """

    method: Method
    ordering: str
    nature: str
    m1_meV: tuple[float, ...]
    cells: LocalCell

    def place_of(self, m1_meV: float) -> int | None:
        """Which of the true masses one is; ``None`` if it is none of them."""
        alike = np.isclose(self.m1_meV, m1_meV, rtol=1e-9, atol=0.0)
        return int(np.argmax(alike)) if np.any(alike) else None


def headline(found: ForecastResult) -> Headline | None:
    """The headline by profile likelihood, or by Fisher where there is none."""
    table = found.asimov or found.fisher
    if table is None:
        return None
    own = _own(table.axes, found.about.truth)
    cells = first_setting(table.at(*own))
    return Headline("asimov" if found.asimov else "fisher", *own, table.axes.m1_meV, cells)


@dataclass(frozen=True)
class OwnError:
    """Expected error of m1 at one mass, meV: the study's own, if the forecast has it anywhere."""

    m1_meV: float
    sigma_m1_meV: float
    method: Method
    ordering: str
    nature: str


def own_error(found: ForecastResult) -> OwnError | None:
    """The error at the study's own truth; without one, at the nearest mass of the headline.

    Where the masses of the forecast leave the study's own out, the steps of its systematics have
    it: the last has all of them. ``None`` without a headline.
    """
    first, truth = headline(found), found.about.truth
    if first is None:
        return None
    hypothesis = first.ordering, first.nature
    place, own = first.place_of(truth.m1_meV), (truth.ordering, truth.nature)
    if place is None and found.steps is not None and hypothesis == own:
        sigma = float(found.steps.asimov_sigma_m1_meV[-1])
        return OwnError(truth.m1_meV, sigma, "asimov", *hypothesis)
    if place is None:
        place = int(np.argmin(np.abs(np.array(first.m1_meV) - truth.m1_meV)))
    sigma = float(first.cells.sigma_m1_meV[place])
    return OwnError(first.m1_meV[place], sigma, first.method, *hypothesis)


def first_setting[R](cells: R) -> R:
    """Cells (..., settings) at the study's own phases, shape (...)."""
    return picked(cells, (..., 0))


def _own(axes: Axes, truth: TruthInShort) -> tuple[str, str]:
    """The study's ordering and nature, or the first that the forecast has."""
    ordering = truth.ordering if truth.ordering in axes.ordering else axes.ordering[0]
    return ordering, truth.nature if truth.nature in axes.nature else axes.nature[0]


@dataclass(frozen=True)
class DerivedRows:
    """Errors of derived quantities for the study's hypothesis, by Fisher, at its own phases.

    Attributes
    ----------
    m1_meV : tuple of float
        True masses.
    errors : DerivedErrors
        By true mass.
    valid : ndarray, shape (masses,)
        1: nothing speaks against them.
    """

    m1_meV: tuple[float, ...]
    errors: DerivedErrors[FloatArray]
    valid: FloatArray


def derived_rows(found: ForecastResult) -> DerivedRows | None:
    """What a forecast says of derived quantities; ``None`` without derivatives."""
    if found.fisher is None:
        return None
    axes = found.fisher.axes
    cells = first_setting(found.fisher.at(*_own(axes, found.about.truth)))
    if not np.any(np.isfinite(cells.derived.sum_meV)):
        return None
    return DerivedRows(axes.m1_meV, cells.derived, cells.error.valid)


@dataclass(frozen=True)
class Precision:
    """How well a systematic must be known, at the study's truth.

    Attributes
    ----------
    systematic : str
    parameters : tuple of str
    halving_meV, asimov_halving_meV : float
        What priors half as wide would take off the error; of phases, by profile likelihood,
        what knowing them would.
    shift_meV : float
        How far the estimate moves when its calibration errs by one standard deviation.
    impact_meV, asimov_impact_meV : float
        Square root of what knowing it exactly would take off the variance of m1.
    factor : float
        By how much its priors must narrow for the goal; 1: it is met; NaN: not by this alone.
    goal_meV : float
    """

    systematic: str
    parameters: tuple[str, ...]
    halving_meV: float
    asimov_halving_meV: float
    shift_meV: float
    impact_meV: float
    asimov_impact_meV: float
    factor: float
    goal_meV: float


def required_precision(found: ForecastResult) -> list[Precision]:
    """Which systematic must improve, and by how much, for the goal; see ``rank``."""
    about, steps = found.about, found.steps
    if steps is None:
        return []
    rows = [
        Precision(
            name,
            PARAMETERS.systematics.get(name, (name,)),
            float(steps.halving_meV[k]),
            float(steps.asimov_halving_meV[k]),
            float(steps.shift_meV[k]),
            float(steps.impact_meV[k]),
            float(steps.asimov_impact_meV[k]),
            float(steps.factor[k]),
            about.goal_meV,
        )
        for k, name in enumerate(about.systematics)
    ]
    return sorted(rows, key=rank)


def rank(row: Precision) -> tuple[float, float]:
    """Larger gains by halving first, by the method that sees more; then larger shifts."""
    gains = [gain for gain in (row.halving_meV, row.asimov_halving_meV) if np.isfinite(gain)]
    return -max(gains, default=0.0), -row.shift_meV


def comparison(found: ForecastResult) -> str:
    """Where Fisher fails, and how far it is from Asimov elsewhere, in words."""
    if found.fisher is None or found.asimov is None:
        return ""
    fisher, asimov = found.fisher.values, found.asimov.values
    flags = fisher.error
    there = np.isfinite(flags.valid)
    valid = there & (flags.valid == 1.0)
    boundary = int(np.nansum(flags.at_boundary))
    phases = int(np.nansum(flags.phases_unknown))
    bent = int(np.sum(_bent(flags)))
    text = (
        f"Fisher is flagged in {int(np.sum(there & ~valid))} of {int(np.sum(there))} cells: "
        f"{boundary} at a bound of m₁, {bent} nonlinear, {phases} with unknown phases that matter."
    )
    ratio = fisher.sigma_m1_meV[valid] / asimov.sigma_m1_meV[valid]
    ratio = ratio[np.isfinite(ratio)]
    if ratio.size:
        worst = 100.0 * float(np.max(np.abs(ratio - 1.0)))
        text += f" Elsewhere its σ(m₁) differs from Asimov's by at most {worst:.2g} %."
    return text


def _bent(flags: Flags[FloatArray]) -> Any:
    """Where an expansion is not straight enough."""
    return np.isfinite(flags.nonlinearity) & (flags.nonlinearity > NONLINEAR)


@dataclass(frozen=True)
class PhaseRow:
    """What phases do in one ordering, at the study's mass.

    Attributes
    ----------
    ordering : str
    share_measured : list of float
        Share of the phases' torus in which 0, 1 or 2 combinations are measured.
    separation_nature_lowest, separation_nature_median, separation_nature_highest : float
        Of a Majorana truth from Dirac, over the torus, in standard deviations.
    separation_nature_phases_zero : float
        Where both combinations are 0.
    """

    ordering: str
    share_measured: list[float]
    separation_nature_lowest: float
    separation_nature_median: float
    separation_nature_highest: float
    separation_nature_phases_zero: float


def cp_phases(found: ForecastResult) -> list[PhaseRow]:
    """What the phases do, per ordering."""
    if found.phases is None:
        return []
    rows = []
    for ordering in found.phases.axes.ordering:
        one = found.phases.at(ordering)
        away, counts = one.separation_nature, one.measurable
        known = away[np.isfinite(away)]
        low, median, high = np.quantile(known, (0.0, 0.5, 1.0)) if known.size else [np.nan] * 3
        rows.append(
            PhaseRow(
                ordering=ordering,
                share_measured=[float(np.mean(counts == k)) for k in range(3)],
                separation_nature_lowest=float(low),
                separation_nature_median=float(median),
                separation_nature_highest=float(high),
                separation_nature_phases_zero=float(away[0, 0]),
            )
        )
    return rows


@dataclass(frozen=True)
class MethodCell:
    """One truth by one method.

    Attributes
    ----------
    sigma_m1_meV : float
        Of drawn data: half the central 68 % of the estimates.
    separation : dict
        By rival; of drawn data the median.
    band : dict
        Of drawn data: the central 68 % of each separation.
    flags : tuple of str, optional
        Why Fisher must not be believed; ``None`` for other methods.
    """

    sigma_m1_meV: float
    separation: Mapping[Rival, float]
    band: Mapping[Rival, tuple[float, float]]
    flags: tuple[str, ...] | None = None


@dataclass(frozen=True)
class MethodRow:
    """One true mass by all methods."""

    m1_meV: float
    methods: Mapping[Method, MethodCell]


def method_rows(found: ForecastResult) -> list[MethodRow]:
    """The methods side by side, by true mass, at the headline's hypothesis and phases."""
    tables = cells_of(found)
    if not tables:
        return []
    axes = next(iter(tables.values())).axes
    own = _own(axes, found.about.truth)
    rows = []
    for m1_meV in axes.m1_meV:
        cells = {method: table.at(*own, m1_meV) for method, table in tables.items()}
        rows.append(MethodRow(m1_meV, {method: _compared(c) for method, c in cells.items()}))
    return rows


def _compared(cell: LocalCell | EnsembleCell[FloatArray]) -> MethodCell:
    if isinstance(cell, EnsembleCell):
        return _drawn(cell)
    one = first_setting(cell)
    away = {rival: float(one.against.of(rival).separation) for rival in RIVALS}
    flags = _reasons(one.error) if isinstance(one, FisherCell) else None
    return MethodCell(float(one.sigma_m1_meV), away, {}, flags)


def _reasons(flags: Flags[FloatArray]) -> tuple[str, ...]:
    """What speaks against an error, in words."""
    words = {
        "bound of m1": flags.at_boundary == 1.0,
        "phases": flags.phases_unknown == 1.0,
        "nonlinear": _bent(flags),
    }
    return tuple(word for word, holds in words.items() if holds)


def _drawn(cell: EnsembleCell[FloatArray]) -> MethodCell:
    low, high = np.nanquantile(cell.best_m1_meV, CENTRAL_68)
    away = {rival: np.sqrt(np.maximum(cell.ratio(rival), 0.0)) for rival in RIVALS}
    bands = {rival: np.nanquantile(values, CENTRAL_68).tolist() for rival, values in away.items()}
    return MethodCell(
        sigma_m1_meV=0.5 * float(high - low),
        separation={rival: float(np.nanmedian(values)) for rival, values in away.items()},
        band={rival: (low, high) for rival, (low, high) in bands.items()},
    )
