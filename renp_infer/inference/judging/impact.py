"""Which nuisance moves the mass, and how much: impacts from the posterior's own draws.

A nuisance z enters the posterior of m1 through p(m1 | z, data). Its mean and sd with z
fixed are those of the draws near that value, within half a posterior sd, around a
parabola. Removing the prior of z ("freed") changes the marginal of z and leaves
p(m1 | z, data) as it is, since the priors are independent; of one that is correlated there is
no such number. No fit is repeated. ``z`` is the unit coordinate of its prior: the distance from
the centre of a Gaussian one in its standard deviations.

Errors. Shifts carry ``error_meV``: that of sampling, and what the parabola changes over a
line. The sd with z fixed is exact for a Gaussian posterior, and within 5 % for the toy of
the tests, whose mass is a curved function of z known 20 times better with it. A freed z is
a Gaussian of precision 1/w^2 - 1 for a posterior width w, and E[m1 | z] a straight line:
exact for a Gaussian posterior, an order of magnitude where it curves or meets the mass's
bounds. Where the draws know that precision to no better than 25 %, the data hardly bound
z, and there is no number. The sd with all nuisances fixed is what a linear regression
leaves, too large where they curve.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from renp_infer.inference.parameters import MASS
from renp_infer.inference.priors.prior import Prior
from renp_infer.inference.results.judged import Impact, Nuisance
from renp_infer.records import FloatArray

_NEAR = 0.5
"""Draws within half a posterior sd of a value stand for the nuisance being fixed there."""
_FEWEST = 12
"""Fewer draws make no parabola."""
_PRECISION = 4.0
"""Standard errors that the data's share of a nuisance's precision must be from zero."""


def impacts(prior: Prior, vectors: FloatArray, ess: float) -> Impact:
    """Impact of every nuisance on m1.

    Parameters
    ----------
    prior : Prior
    vectors : ndarray, shape (..., d)
        Posterior draws of its free parameters.
    ess : float
        Effective number of draws of m1.
    """
    draws = vectors.reshape(-1, vectors.shape[-1])
    columns = dict(zip(prior.names, draws.T, strict=True))
    mass = columns.pop(MASS)
    rows = {
        name: _phase(mass, values, ess)
        if name in prior.circular
        else _nuisance(
            mass, prior.marginals[name].to_unit(values), ess, alone=name not in prior.tied
        )
        for name, values in columns.items()
    }
    return Impact(
        mean_meV=float(np.mean(mass)),
        sd_meV=float(np.std(mass)),
        statistical_sd_meV=_statistical_sd(mass, columns, prior),
        nuisances=rows,
    )


def _nuisance(mass: FloatArray, z: FloatArray, ess: float, *, alone: bool) -> Nuisance:
    pull, width = float(np.mean(z)), float(np.std(z))
    t = (z - pull) / (width or 1.0)
    below, here, above = (_conditional(t, mass, center, ess) for center in (-1.0, 0.0, 1.0))
    mean = float(np.mean(mass))
    slope = 0.5 * (above.mean - below.mean)
    shift, sd = _freed(slope, here.sd, pull, width, ess) if alone else (None, None)
    return Nuisance(
        pull=pull,
        width=width,
        down_meV=below.mean - mean,
        up_meV=above.mean - mean,
        fixed_sd_meV=here.sd,
        freed_shift_meV=shift,
        freed_sd_meV=sd,
        error_meV=max(below.error, above.error),
    )


@dataclass(frozen=True)
class _Conditional:
    """Mean and sd of m1 at one value of a nuisance, and the error of the mean."""

    mean: float
    sd: float
    error: float


def _conditional(t: FloatArray, mass: FloatArray, center: float, ess: float) -> _Conditional:
    """From the draws near a value; from all of them where few are near."""
    near = np.abs(t - center) < _NEAR
    if np.sum(near) < _FEWEST:
        near = np.ones_like(near)
    x, y = t[near] - center, mass[near]
    if np.ptp(x) == 0.0:  # a sampler that never moved
        return _Conditional(float(np.mean(y)), float(np.std(y)), float(np.std(y) / np.sqrt(ess)))
    line, parabola = (_regression(x, y, degree) for degree in (1, 2))
    sd = float(np.std(y - parabola(x)))
    # The value of a parabola in the middle of its data has 9/4 the variance of a mean.
    sampling = sd * np.sqrt(2.25 * t.size / (ess * x.size) + 1.0 / ess)
    bend = float(parabola(0.0) - line(0.0))
    return _Conditional(float(parabola(0.0)), sd, float(np.hypot(sampling, bend)))


def _regression(x: FloatArray, y: FloatArray, degree: int) -> np.polynomial.Polynomial:
    """Polynomial of least squares; the smallest one if there are too few draws."""
    powers = np.vander(x, degree + 1, increasing=True)
    return np.polynomial.Polynomial(np.linalg.lstsq(powers, y)[0])


def _freed(
    slope: float, fixed: float, pull: float, width: float, ess: float
) -> tuple[float | None, float | None]:
    """Shift and sd of m1 without the nuisance's prior, or nothing if it is unbounded."""
    error = width**2 * np.sqrt(2.0 / ess)
    if 1.0 - width**2 < _PRECISION * error:
        return None, None
    free = 1.0 - width**2  # posterior variance by freed variance
    return slope * pull * width / free, float(np.hypot(fixed, slope / np.sqrt(free)))


def _phase(mass: FloatArray, angles_deg: FloatArray, ess: float) -> Nuisance:
    """First harmonic of the conditional mean around the circle."""
    centered = mass - np.mean(mass)
    design = _harmonics(angles_deg)
    design = design - design.mean(axis=0)
    harmonic = np.linalg.lstsq(design, centered)[0]
    residual = float(np.std(centered - design @ harmonic))
    largest = float(np.hypot(*harmonic))
    return Nuisance(
        pull=None,
        width=None,
        down_meV=-largest,
        up_meV=largest,
        fixed_sd_meV=residual,
        freed_shift_meV=None,
        freed_sd_meV=None,
        error_meV=residual * float(np.sqrt(2.0 / ess)),
    )


def _harmonics(angles_deg: FloatArray) -> FloatArray:
    angles = np.deg2rad(angles_deg)
    return np.column_stack([np.cos(angles), np.sin(angles)])


def _statistical_sd(mass: FloatArray, columns: Mapping[str, FloatArray], prior: Prior) -> float:
    """Sd of m1 with all nuisances fixed: what a linear regression on them leaves."""
    parts = [np.ones((mass.size, 1))]
    for name, values in columns.items():
        circular = name in prior.circular
        part = _harmonics(values) if circular else prior.marginals[name].to_unit(values)[:, None]
        parts.append(part)
    design = np.hstack(parts)
    return float(np.std(mass - design @ np.linalg.lstsq(design, mass)[0]))
