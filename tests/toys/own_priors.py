"""Priors of a study by parameter, of every kind, beside the same of scipy."""

from __future__ import annotations

import numpy as np
from scipy import stats

from renp_infer.inference.priors.marginals import (
    LogNormal,
    LogUniform,
    Normal,
    Tabulated,
    Truncated,
    Uniform,
)
from renp_infer.inference.priors.own_prior import OwnPrior, TiedBlock

TRIANGLE = Tabulated((1.0, 2.0, 4.0), (0.0, 3.0, 0.0))
KINKED = Tabulated((0.0, 1.0, 1.5, 4.0), (2.0, 1.0, 3.0, 0.5))


class Kinked(stats.rv_continuous):
    """Straight lines between four points, by scipy's own integrals."""

    def _pdf(self, x):
        return np.interp(x, KINKED.values, KINKED.heights) / 6.875

    def _cdf(self, x):
        return np.array([self._to(end) for end in np.atleast_1d(x)])

    def _to(self, end):
        places = np.array([v for v in KINKED.values if v < end] + [end])
        return np.trapezoid(self._pdf(places), places)


MARGINALS = {
    "log-normal": (LogNormal(0.3, 50.0), stats.lognorm(0.3, scale=50.0)),
    "truncated": (Truncated(Normal(1.0, 2.0), 0.0, 3.5), stats.truncnorm(-0.5, 1.25, 1.0, 2.0)),
    "upper-tail": (Truncated(Normal(0.0, 1.0), 6.0, 9.0), stats.truncnorm(6.0, 9.0)),
    "lower-tail": (Truncated(Normal(0.0, 1.0), -np.inf, -5.0), stats.truncnorm(-np.inf, -5.0)),
    "triangle": (TRIANGLE, stats.triang(1.0 / 3.0, 1.0, 3.0)),
    "kinked": (KINKED, Kinked(a=0.0, b=4.0)()),
}
"""Forms that a default prior does not have, and the same distributions of scipy."""

CORRELATION = ((1.0, 0.6), (0.6, 1.0))
OWN = (
    OwnPrior(
        "m1_meV", "log-normal", Truncated(LogNormal(0.4, 90.0), 0.0, 450.0), "log-normal", "both"
    ),
    OwnPrior("amplitude", "normal", Normal(1.02, 0.1), "normal", "both"),
    OwnPrior("baseline_nG", "uniform", Uniform(-0.08, 0.05), "uniform", "both"),
    OwnPrior("refractive_index", "block", Normal(1.4502, 4e-4), "normal", "both"),
    OwnPrior("theta_s_offset_deg", "block", Normal(0.002, 0.008), "normal", "both"),
    OwnPrior(
        "theta_e_offset_deg", "truncated", Truncated(Normal(0.0, 0.01), -0.01, 0.02), "cut", "both"
    ),
    OwnPrior(
        "sin2_13", "table", Tabulated((0.021, 0.0222, 0.0236), (0.2, 2.0, 0.1)), "table", "both"
    ),
    OwnPrior("dm2_21", "log-uniform", LogUniform(7.2e-5, 7.8e-5), "log-uniform", "both"),
    OwnPrior("delta_deg", "normal", Truncated(Normal(200.0, 30.0), 20.0, 380.0), "normal", "both"),
)
BLOCKS = (TiedBlock(("refractive_index", "theta_s_offset_deg"), CORRELATION, "both"),)
"""A prior of its own for nearly every parameter of the toy."""


def scipy_log_density(values):
    """Log density of ``OWN`` and ``BLOCKS`` at values (n,) by name, by scipy alone."""
    kinked = stats.truncnorm(-1.0, 2.0, 0.0, 0.01)
    delta = stats.truncnorm(-6.0, 6.0, 200.0, 30.0)
    grid, heights = (0.021, 0.0222, 0.0236), np.array([0.2, 2.0, 0.1])
    area = np.trapezoid(heights, grid)
    sds = np.array([4e-4, 0.008])
    pair = stats.multivariate_normal([1.4502, 0.002], np.array(CORRELATION) * np.outer(sds, sds))
    both = np.column_stack([values["refractive_index"], values["theta_s_offset_deg"]])
    with np.errstate(divide="ignore"):
        table = np.log(np.interp(values["sin2_13"], grid, heights / area, 0.0, 0.0))
    return (
        stats.lognorm(0.4, scale=90.0).logpdf(values["m1_meV"])
        - stats.lognorm(0.4, scale=90.0).logcdf(450.0)
        + stats.norm(1.02, 0.1).logpdf(values["amplitude"])
        + stats.uniform(-0.08, 0.13).logpdf(values["baseline_nG"])
        + pair.logpdf(both)
        + kinked.logpdf(values["theta_e_offset_deg"])
        + table
        + stats.loguniform(7.2e-5, 7.8e-5).logpdf(values["dm2_21"])
        + delta.logpdf(values["delta_deg"])
    )
