"""Which nuisance moves the mass, and how much: impacts from the posterior's own draws.

A nuisance z, in units of its prior's standard deviation, enters the posterior of m1
through the conditional mean E[m1 | z], taken as a parabola in t, which is z in units of
its posterior sd from its posterior mean. Fixing z selects a conditional; removing its
prior ("freed") changes the marginal of z and leaves p(m1 | z, data) as it is, since the
priors are independent. No fit is repeated.

Errors. The shifts carry ``error_meV``: the Monte Carlo error of the regression, and what
a cubic term would change. The sd with z fixed is that of the residuals, the same for all
z: exact for a Gaussian posterior. Of a mass close to its bound at zero or known no better
than its prior, sds err by 20 % and the freed ones mean little. A freed nuisance is a
Gaussian of precision 1/w^2 - 1 for a posterior width w; where the data do not bound
it, within two standard errors of w^2, there is no number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from renp_infer.inference.prior import LogNormal, Marginal, Normal, Prior
from renp_infer.records import FloatArray

MASS = "m1_meV"
Row = dict[str, Any]


def impacts(prior: Prior, vectors: FloatArray, ess: float) -> dict[str, Any]:
    """Impact of every nuisance on m1.

    Parameters
    ----------
    prior : Prior
    vectors : ndarray, shape (..., d)
        Posterior draws of its free parameters.
    ess : float
        Effective number of draws of m1.

    Returns
    -------
    dict
        ``mean_meV`` and ``sd_meV`` of m1; ``statistical_sd_meV``, with all nuisances
        fixed; ``nuisances``: by name ``pull`` and ``width`` (posterior mean from the
        prior's, and posterior sd, in prior sds), ``down_meV`` and ``up_meV`` (change
        of the mean of m1 with the nuisance one posterior sd below and above its
        mean), ``fixed_sd_meV``, ``freed_shift_meV``, ``freed_sd_meV`` and
        ``error_meV``. A phase has no pull; its shifts are the largest over the circle.
    """
    draws = vectors.reshape(-1, vectors.shape[-1])
    columns = dict(zip(prior.names, draws.T, strict=True))
    mass = columns.pop(MASS)
    rows = {
        name: _phase(mass, values, ess)
        if name in prior.circular
        else _nuisance(mass, standardised(prior.marginals[name], values), ess)
        for name, values in columns.items()
    }
    return {
        "mean_meV": float(np.mean(mass)),
        "sd_meV": float(np.std(mass)),
        "statistical_sd_meV": _statistical_sd(mass, columns, prior),
        "nuisances": rows,
    }


def standardised(marginal: Marginal, values: FloatArray) -> FloatArray:
    """Values from the centre of a Gaussian prior, in its standard deviations."""
    if isinstance(marginal, LogNormal):
        return np.log(values) / marginal.sd
    assert isinstance(marginal, Normal)
    return (values - marginal.mean) / marginal.sd


def _nuisance(mass: FloatArray, z: FloatArray, ess: float) -> Row:
    pull, width = float(np.mean(z)), float(np.std(z))
    t = (z - pull) / width
    parabola, cubic = (np.polynomial.Polynomial.fit(t, mass, k).convert() for k in (2, 3))
    ends = np.array([-1.0, 1.0])
    mean = float(np.mean(mass))
    down, up = (float(value) - mean for value in parabola(ends))
    residual = float(np.std(mass - parabola(t)))
    truncation = float(np.max(np.abs(cubic(ends) - parabola(ends))))
    slope = 0.5 * (up - down)
    shift, sd = _freed(slope, residual, pull, width, ess)
    return {
        "pull": pull,
        "width": width,
        "down_meV": down,
        "up_meV": up,
        "fixed_sd_meV": residual,
        "freed_shift_meV": shift,
        "freed_sd_meV": sd,
        "error_meV": float(np.hypot(residual / np.sqrt(ess), truncation)),
    }


def _freed(
    slope: float, residual: float, pull: float, width: float, ess: float
) -> tuple[float | None, float | None]:
    """Shift and sd of m1 without the nuisance's prior, or nothing if it is unbounded."""
    if width**2 * (1.0 + 2.0 * np.sqrt(2.0 / ess)) >= 1.0:
        return None, None
    gain = 1.0 / (1.0 - width**2)  # freed variance by posterior variance
    shift = slope * (pull * gain - pull) / width
    return float(shift), float(np.hypot(residual, slope * np.sqrt(gain)))


def _phase(mass: FloatArray, angles_deg: FloatArray, ess: float) -> Row:
    """First harmonic of the conditional mean around the circle."""
    centered = mass - np.mean(mass)
    design = _harmonics(angles_deg)
    design = design - design.mean(axis=0)
    harmonic = np.linalg.lstsq(design, centered)[0]
    residual = float(np.std(centered - design @ harmonic))
    largest = float(np.hypot(*harmonic))
    keys = ("pull", "width", "freed_shift_meV", "freed_sd_meV")
    return dict.fromkeys(keys) | {
        "down_meV": -largest,
        "up_meV": largest,
        "fixed_sd_meV": residual,
        "error_meV": residual * float(np.sqrt(2.0 / ess)),
    }


def _harmonics(angles_deg: FloatArray) -> FloatArray:
    angles = np.deg2rad(angles_deg)
    return np.column_stack([np.cos(angles), np.sin(angles)])


def _statistical_sd(mass: FloatArray, columns: Mapping[str, FloatArray], prior: Prior) -> float:
    """Sd of m1 with all nuisances fixed: what a linear regression on them leaves."""
    parts = [np.ones((mass.size, 1))]
    for name, values in columns.items():
        circular = name in prior.circular
        part = (
            _harmonics(values) if circular else standardised(prior.marginals[name], values)[:, None]
        )
        parts.append(part)
    design = np.hstack(parts)
    return float(np.std(mass - design @ np.linalg.lstsq(design, mass)[0]))
