"""Priors in graphs: from unit coordinates to values, as ``Prior.from_unit`` has it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from renp_infer.inference.priors.marginals import (
    FULL_TURN_DEG,
    Circular,
    LogNormal,
    LogUniform,
    Normal,
    Tabulated,
    Truncated,
    Uniform,
)
from renp_infer.inference.priors.prior import Prior

_TINY, _ALL = 1e-200, 1.0 - 2.0**-53


def constant(value: Any) -> TensorVariable:
    """A number no compiled code depends on: code is reused by every study."""
    array = np.asarray(value)
    array = array.astype(float) if array.dtype.kind == "b" else array
    return pytensor.shared(array, shape=array.shape)


def from_unit(prior: Prior, unit: TensorVariable) -> TensorVariable:
    """Graph twin of ``Prior.from_unit``, shape (d,), one node per kind."""
    groups: dict[type, list[str]] = {}
    for name, marginal in prior.marginals.items():
        groups.setdefault(type(marginal), []).append(name)
    parts = [_group_from_unit(prior, names, unit) for names in groups.values()]
    grouped = [name for names in groups.values() for name in names]
    order = np.array([grouped.index(name) for name in prior.names])
    return pt.concatenate(parts)[order]


def _group_from_unit(prior: Prior, names: list[str], unit: TensorVariable) -> TensorVariable:
    """Values of parameters whose marginals are of one kind."""
    slices = prior.unit_slices()
    first = unit[np.array([slices[name].start for name in names])]
    marginals: list[Any] = [prior.marginals[name] for name in names]

    def column(attribute: str) -> TensorVariable:
        return constant([getattr(marginal, attribute) for marginal in marginals])

    match marginals[0]:
        case Uniform():
            low, high = column("low"), column("high")
            return low + (high - low) * _normal_cdf(first)
        case LogUniform():
            low, high = pt.log(column("low")), pt.log(column("high"))
            return pt.exp(low + (high - low) * _normal_cdf(first))
        case Normal():
            return column("mean") + column("sd") * first
        case LogNormal():
            return column("median") * pt.exp(column("sd") * first)
        case Truncated():
            return pt.stack([_truncated(m, first[k]) for k, m in enumerate(marginals)])
        case Tabulated():
            return pt.stack([_tabulated(m, first[k]) for k, m in enumerate(marginals)])
        case Circular():
            second = unit[np.array([slices[name].start + 1 for name in names])]
            angle = pt.rad2deg(pt.arctan2(second, first))
            return pt.switch(angle < 0.0, angle + FULL_TURN_DEG, angle)
    raise TypeError(f"no graph for {marginals[0]!r}")


def _truncated(marginal: Truncated, unit: TensorVariable) -> TensorVariable:
    """Graph twin of ``Truncated.from_unit`` for a scalar."""
    (sign, first, second), base = marginal.tail, marginal.base
    mirror = np.float64(sign)
    share = constant(first) + constant(second - first) * _normal_cdf(mirror * unit)
    share = pt.clip(share, np.float64(_TINY), np.float64(_ALL))  # slopes stay finite
    own = -mirror * np.sqrt(np.float64(2.0)) * pt.erfcinv(np.float64(2.0) * share)
    if isinstance(base, Normal):
        found = constant(base.mean) + constant(base.sd) * own
    else:
        found = constant(base.median) * pt.exp(constant(base.sd) * own)
    return pt.clip(found, constant(marginal.low), constant(marginal.high))


def _tabulated(marginal: Tabulated, unit: TensorVariable) -> TensorVariable:
    """Graph twin of ``Tabulated.from_unit`` for a scalar."""
    x, density, shares = (constant(column) for column in marginal.nodes)
    share = _normal_cdf(unit)
    cell = pt.sum(share >= shares[1:-1])
    slope = (density[cell + 1] - density[cell]) / (x[cell + 1] - x[cell])
    # a density of 0 at an end has no slope there: the tiniest share stands for none
    rest = pt.maximum(share - shares[cell], np.float64(_TINY))
    root = pt.sqrt(pt.maximum(density[cell] ** 2 + 2.0 * slope * rest, np.float64(_TINY)))
    return pt.clip(x[cell] + 2.0 * rest / (density[cell] + root), x[0], x[-1])


def _normal_cdf(unit: TensorVariable) -> TensorVariable:
    # A Python float would enter the graph in single precision.
    return 0.5 * pt.erfc(-np.sqrt(np.float64(0.5)) * unit)
