"""Beams that fade because ions take their photons: |chi|^2 averaged over the crystal.

Each beam runs through the crystal along its mean way, all three from their face at the same
share s of it. What is left of beam j, by its intensity at the face, follows from the net
photons a_j that an ion takes in a cycle there,

    d x_j / d s = -k_j a_j(x),    k_j = ions along the way per photon of the beam,

so no photon is counted twice. For weak beams a_j is as x_j: the law of Beer and Lambert.
Within a cycle a beam keeps its shape in time.

Emission of pairs with momentum P goes as |Int d3r rho_ep exp(-iPr)|^2. Where the light is
deep compared with 1 / P, the sum over P is (2 pi)^3 Int d3r |rho_ep|^2 (Parseval): what
counts is the mean of |chi|^2 over the crystal, not the square of the mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log

import numpy as np

from renp_infer.errors import ConvergenceError, DomainError
from renp_infer.records import FloatArray

STEP = 0.01
"""Largest change of the logarithm of an intensity in a step. The mean errs by less than 1e-2, also
where nothing dephases and strong lasers make ions beat; there the last digit of an intensity grows
to 4e-3 of the mean, to 2e-2 in steps of 0.03."""
TAIL = 1e-3
"""Share of the mean beyond which the beams are not followed."""
MAX_STEPS = 20000
WINDOW = 30
"""Steps by which it is judged how |chi|^2 falls: single ones beat."""
NEAR = 1e-6
"""Relative difference below which two ends are one."""
LEAST_DEPTH_CM = 0.01
"""Depth at which 1 / L of a crystal blurs the momentum of pairs by 2 meV, a tenth of a degree
of the trigger; a thinner skin is no large crystal any more."""
Seen = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
"""``x (3,) -> |chi|^2 at the nodes of a cycle (n,), net photons per ion of each beam (3,)``."""


@dataclass(frozen=True)
class Faded:
    """A crystal in which the beams fade.

    Attributes
    ----------
    chi_squared : ndarray, shape (n,)
        Mean over the crystal at the nodes of the cycle.
    depth : float
        Mean over the crystal, by that where the light comes in.
    """

    chi_squared: FloatArray
    depth: float


def faded(
    seen: Seen, ions_per_photon: FloatArray, weights: FloatArray, step: float = STEP
) -> Faded:
    """Average over the crystal.

    By the rule of Heun in the logarithms of the intensities, which is exact for Beer and
    Lambert; between its points the mean of |chi|^2 in time is an exponential.

    Parameters
    ----------
    seen : callable
    ions_per_photon : ndarray, shape (3,)
        k of each beam.
    weights : ndarray, shape (n,)
        Time that each node stands for, s.
    step : float
        Largest change of a logarithm in a step.

    Raises
    ------
    ConvergenceError
        If the beams have not faded after ``MAX_STEPS``.
    """
    place, fallen = 0.0, np.zeros(3)
    here, photons = seen(np.ones(3))
    weights = weights / weights.sum()
    face, total = float(weights @ here), np.zeros_like(here)
    run: list[tuple[float, float]] = []
    for _ in range(MAX_STEPS):
        rate = ions_per_photon * photons * np.exp(-fallen)
        size = min(1.0 - place, step / max(float(np.max(np.abs(rate))), np.finfo(float).tiny))
        _, ahead = seen(np.exp(fallen - size * rate))
        ahead = ions_per_photon * ahead * np.exp(size * rate - fallen)
        fallen = fallen - 0.5 * size * (rate + ahead)
        there, photons = seen(np.exp(fallen))
        ends = float(weights @ here), float(weights @ there)
        # in time it beats otherwise from step to step: its mean falls, not each of its values
        scale = _between(*ends) / (0.5 * sum(ends)) if sum(ends) > 0.0 else 1.0
        total += size * scale * 0.5 * (here + there)
        place += size
        found = float(weights @ total)
        run.append((size, ends[1]))
        if place >= 1.0 or _tail(run) < TAIL * found:
            return Faded(total, found / face if face > 0.0 else 1.0)
        here = there
    raise ConvergenceError("beams through the crystal, share of the way", place, 1.0)


def check_depth(depth_cm: float) -> None:
    """Refuse light that does not come deep enough for pairs to have a momentum.

    Raises
    ------
    DomainError
    """
    if depth_cm < LEAST_DEPTH_CM:
        allowed = (
            f'>= {LEAST_DEPTH_CM:g}, with lasers.absorption = "ions": more power, a smaller '
            "crystal or fewer ions; pairs from a thinner skin have no sharp momentum"
        )
        raise DomainError("depth of the lasers in cm", f"{depth_cm:.2g}", allowed)


def _between(first: float, last: float) -> float:
    """Mean of an exponential between two ends; of what vanishes, that of a straight line."""
    middle = 0.5 * (first + last)
    if min(first, last) <= 0.0 or abs(first - last) <= NEAR * middle:
        return middle
    return (first - last) / log(first / last)


def _tail(run: list[tuple[float, float]]) -> float:
    """What follows if all goes on to fall as in two windows of steps; endless if it does not."""
    if len(run) < 2 * WINDOW:
        return np.inf
    width = sum(size for size, _ in run[-WINDOW:])
    first, last = (
        max(value for _, value in part) for part in (run[-2 * WINDOW : -WINDOW], run[-WINDOW:])
    )
    if last >= first:
        return np.inf if first > 0.0 else 0.0
    return width * last**2 / (first - last)
