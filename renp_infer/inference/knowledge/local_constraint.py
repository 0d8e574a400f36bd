"""What a constraint tells at one point, whatever it found: for forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from renp_infer.inference.knowledge.constraints import Lift, PublishedTerm, departures, plain
from renp_infer.records import FloatArray

_FLAT = 1e-6
"""Curvature over a term's own scale below which it tells nothing."""
_IMAGINARY, _SHARE_OF_SCALE = 1e-20, 1e-3
"""Steps of first and second derivatives, of a term's own scale."""
_LEAST = 1e-12
"""Shortest column that has a scale of its own."""


@dataclass(frozen=True, eq=False)
class LocalConstraint:
    """What a constraint tells at one point: the Gaussian there that has its curvature.

    Attributes
    ----------
    name : str
    quantities : tuple of str
        k of them.
    centre : ndarray, shape (k,)
    rows : ndarray, shape (r, k)
        Residuals by quantity; r is 0 where the constraint is flat.
    drawn : ndarray, shape (r,)
        What a repetition of it finds besides, in standard errors.
    """

    name: str
    quantities: tuple[str, ...]
    centre: FloatArray
    rows: FloatArray
    drawn: FloatArray

    @classmethod
    def of(cls, term: PublishedTerm, values: FloatArray) -> LocalConstraint:
        """A constraint around values (k,) of its quantities, which it then finds.

        Where its chi-squared bends downwards it counts as flat.
        """
        unit = np.diag(term.scales)
        bend = unit @ _curvature(term, np.asarray(values, float)) @ unit
        strengths, directions = np.linalg.eigh(bend)
        kept = strengths > _FLAT
        rows = np.sqrt(strengths[kept])[:, None] * directions.T[kept] / term.scales
        return cls(term.name, term.quantities, np.array(values), rows, np.zeros(len(rows)))

    @property
    def scales(self) -> FloatArray:
        """Lengths of the columns, inverted (k,)."""
        return 1.0 / np.maximum(np.linalg.norm(self.rows, axis=0), _LEAST)

    def residuals(self, values: Sequence[Any], xp: Any = np, lift: Lift = plain) -> list[Any]:
        """Pulls, made independent."""
        off = departures(self.quantities, values, list(self.centre), xp)
        return [
            sum(row[j] * off[j] for j in range(len(off))) - more
            for row, more in zip(lift(self.rows), lift(self.drawn), strict=True)
        ]


def _curvature(term: PublishedTerm, values: FloatArray) -> FloatArray:
    """Second derivatives (k, k) of half a chi-squared, by differences of exact first ones."""
    size, scales = values.size, term.scales

    def slopes(place: FloatArray) -> FloatArray:
        steps = place + 1j * _IMAGINARY * np.diag(scales)
        half = [0.5 * sum(r**2 for r in term.residuals(list(row))) for row in steps]
        return np.array([np.imag(one) for one in half]) / (_IMAGINARY * scales)

    moves = _SHARE_OF_SCALE * np.diag(scales)
    rows = [(slopes(values + move) - slopes(values - move)) for move in moves]
    found = np.array(rows).reshape(size, size) / (2.0 * _SHARE_OF_SCALE * scales[:, None])
    return np.asarray(0.5 * (found + found.T))
