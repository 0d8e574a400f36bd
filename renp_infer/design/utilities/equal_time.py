"""How long one layout has to measure to be worth what another is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from renp_infer.records import FloatArray

MOST = 1e6
"""Factor of the exposure beyond which nothing is looked for: noise that is smaller by 1000 shows
what a response does not have."""
_STEP = 0.5
"""Decades between the exposures that are tried: a standard deviation that falls as the root of
the exposure and levels off is met to 0.02 decades, a test."""


@dataclass(frozen=True)
class EqualTime:
    """Exposure in which a layout reaches a utility.

    Attributes
    ----------
    exposure_s : float or None
        ``None`` where ``MOST`` times its own exposure does not do. Where less than its own over
        ``MOST`` does, it is that.
    lower_s, upper_s : float or None
        The same for a utility that is less or more by a standard error.
    """

    exposure_s: float | None
    lower_s: float | None
    upper_s: float | None


def equal_time(
    score: Callable[[float], float], goal: float, error: float, own_s: float
) -> EqualTime:
    """Exposure in which a score, which grows with it, reaches a goal.

    Parameters
    ----------
    score : callable
        ``exposure_s -> float``: of which more is better.
    goal, error : float
        In the score's unit; the error is that of the difference of both.
    own_s : float
        Exposure of the layout.
    """
    decades, scores = [0.0], [score(own_s)]
    end = float(np.log10(MOST))

    def add(decade: float) -> float:
        decades.append(decade)
        scores.append(score(own_s * 10.0**decade))
        return scores[-1]

    if scores[0] < goal + error and add(end) >= goal - error:
        decade = _STEP
        while decade < end and max(scores[0], *scores[2:], -np.inf) < goal + error:
            add(decade)
            decade += _STEP
        if decade < end:
            add(decade)  # a curve is better known inside its points than at their end
    decade = -_STEP
    while decade >= -end and min(scores) > goal - error:
        add(decade)
        decade -= _STEP
    order = np.argsort(decades)
    table = np.array(decades)[order], np.maximum.accumulate(np.array(scores)[order])
    found = [_reached(*table, level) for level in (goal, goal - error, goal + error)]
    return EqualTime(*(None if d is None else own_s * 10.0**d for d in found))


def _reached(decades: FloatArray, scores: FloatArray, level: float) -> float | None:
    """Decade at which rising scores (n,) reach a level; ``None`` where they do not."""
    if scores[-1] < level:
        return None
    place = int(np.argmax(scores >= level))
    if place == 0:
        return float(decades[0])
    fine = np.linspace(decades[place - 1], decades[place], 1001)
    curve = PchipInterpolator(decades, scores)(fine)
    return float(fine[int(np.argmax(curve >= min(level, curve[-1])))])
