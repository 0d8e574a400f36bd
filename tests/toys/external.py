"""Constraints of every kind, on quantities of the toy."""

import numpy as np

from renp_infer.inference.knowledge.constraints import (
    ChainConstraint,
    GaussianConstraint,
    LimitConstraint,
    TableConstraint,
)
from renp_infer.inference.knowledge.external import External
from renp_infer.inference.knowledge.quantities import Quantities


def gaussian():
    covariance = np.array([[400.0, 6.0], [6.0, 0.25]])
    return GaussianConstraint(
        "two", ("sum_meV", "m_beta_squared_eV2"), np.array([120.0, -0.14]), covariance
    )


def limit(least=None):
    return LimitConstraint("limit", "m_betabeta_meV", 122.0, 0.9, least=least)


def table(size=41):
    """A parabola of the sum: its spline is exact."""
    axis = np.linspace(50.0, 1400.0, size)
    return TableConstraint("table", ("sum_meV",), (axis,), ((axis - 200.0) / 60.0) ** 2 + 3.0)


def table_of_two():
    x, y = np.linspace(0.0, 500.0, 31), np.linspace(0.2, 0.4, 23)
    u, v = (x[:, None] - 150.0) / 80.0, (y - 0.3) / 0.02
    return TableConstraint("plane", ("m1_meV", "sin2_12"), (x, y), u**2 + v**2 + 0.8 * u * v)


def chain(n=4000):
    rng = np.random.default_rng(8)
    draws = rng.multivariate_normal([0.0221, 2.51e-3], [[2.5e-7, 4e-9], [4e-9, 4e-10]], n)
    delta = rng.normal(350.0, 25.0, n) % 360.0
    names = ("sin2_13", "dm2_3l", "delta_deg")
    return ChainConstraint("chain", names, np.column_stack([draws, delta]), np.ones(n))


def angle():
    return GaussianConstraint("angle", ("delta_deg",), np.array([350.0]), np.array([[400.0]]))


def turn():
    axis = np.linspace(-180.0, 180.0, 25)
    cosine = np.cos(np.deg2rad(axis + 90.0))
    return TableConstraint("turn", ("delta_deg",), (axis,), 5.0 * (1.0 - cosine))


EVERY = {
    "gaussian": gaussian,
    "limit": limit,
    "averaged limit": lambda: limit(28.0),
    "table": table,
    "table of two": table_of_two,
    "chain": chain,
    "angle": angle,
    "turn": turn,
}


def external(*terms, ordering="normal", nature="majorana"):
    return External(terms, Quantities(ordering, nature, 0.47))
