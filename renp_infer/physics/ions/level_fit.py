"""Calculated Stark levels against the observed ones of an ion."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np

from renp_infer.physics.ions.lanthanides import Observed
from renp_infer.physics.ions.spectrum import Spectrum
from renp_infer.records import FloatArray

_ELSEWHERE = 500.0
"""A group of levels whose mean is off by more, 1/cm, does not begin where the last one ended."""


@dataclass(frozen=True)
class LevelFit:
    """Observed levels at their places.

    Attributes
    ----------
    observed : ndarray, shape (n,)
        Energy by level of the spectrum, 1/cm; NaN where none is known.
    count : int
        Observed levels; a degenerate one that is listed twice counts twice.
    rms, largest : float
        Of calculated less observed, 1/cm.
    """

    observed: FloatArray
    count: int
    rms: float
    largest: float


def fit_of(spectrum: Spectrum, listed: tuple[Observed, ...]) -> LevelFit:
    """Put a list of observed levels beside a spectrum.

    Groups of manifolds stand in the list by energy, a place for each Stark level of a Kramers
    ion and for each state of another. Where a group is left out, the next one is far from
    the places that follow: it is moved up to where its mean is right.

    Parameters
    ----------
    spectrum : Spectrum
    listed : tuple of Observed
    """
    half = spectrum.multiplets.j[0] % 1.0 != 0.0
    places = np.arange(spectrum.energy.size)
    states = places if half else np.repeat(places, spectrum.size)
    energy, begin = spectrum.energy[states], 0
    observed, errors = np.full(places.size, np.nan), []
    for _, rows in groupby(listed, key=lambda row: row.term):
        group = np.array([np.nan if row.energy is None else row.energy for row in rows])
        begin = _begin(energy, group, begin)
        part = slice(begin, begin + group.size)
        errors.append(energy[part] - group)
        seen = np.isfinite(group)
        observed[states[part][seen]] = group[seen]
        begin += group.size
    off = np.concatenate(errors)
    off = off[np.isfinite(off)]
    rms = float(np.sqrt(np.mean(off**2)))
    return LevelFit(observed, off.size, rms, float(np.max(np.abs(off))))


def _begin(energy: FloatArray, group: FloatArray, begin: int) -> int:
    """Place of a group: the next one, unless that is far off."""

    def off(start: int) -> float:
        apart = energy[start : start + group.size] - group
        return float(abs(np.nanmean(apart))) if np.isfinite(apart).any() else 0.0

    if off(begin) <= _ELSEWHERE:
        return begin
    return min(range(begin, energy.size - group.size + 1), key=off)
