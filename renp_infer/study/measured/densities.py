"""Files of densities and of draws: what one parameter's prior is made of."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from renp_infer.errors import ConfigError
from renp_infer.fields import Said
from renp_infer.inference.knowledge.constraints import around, mean_direction
from renp_infer.inference.parameters import Inferred
from renp_infer.inference.priors.marginals import Tabulated
from renp_infer.inference.priors.own_prior import density_of
from renp_infer.records import FloatArray
from renp_infer.study.columns import columns_of

HALF_TURN_DEG = 180.0
_WEIGHT = "weight"
_FEWEST_DRAWS = 100
_MOST_ROWS = 10_000
_LARGEST = 1e100


def density_of_samples(
    path: Path, row: Inferred, key: str, limits: tuple[float, float]
) -> Tabulated:
    """Density of a file of draws; remembered, since a search of designs asks again and again.

    Phases are taken on the turn around their mean direction.
    """
    draws, weights = columns_of(path, (row.name,), f"{key}.file", weight=_WEIGHT)
    _check_size(draws, f"{key}.file")
    if draws.size < _FEWEST_DRAWS:
        allowed = f"{_FEWEST_DRAWS} draws or more"
        raise ConfigError(f"{key}.file", Said(f"{draws.size} draws"), allowed)
    if np.any(weights < 0.0) or not np.sum(weights) > 0.0:
        raise ConfigError(f"{key}.file", Said("a negative weight, or none"), "weights >= 0")
    low, high = limits
    if row.kind == "phase":
        draws, low, high = _unrolled(draws, weights)
    if not (low <= draws.min() < draws.max() <= high):
        given = Said(f"{draws.min():g} to {draws.max():g}")
        raise ConfigError(f"{key}.file", given, f"different values within {low:g} and {high:g}")
    return _smooth(draws.tobytes(), weights.tobytes(), low, high)


def _unrolled(draws: FloatArray, weights: FloatArray) -> tuple[FloatArray, float, float]:
    """Phases (n,) around their mean direction, and the ends of that turn."""
    middle = mean_direction(draws, weights / np.sum(weights))
    found = around(draws, middle)
    return found, float(middle) - HALF_TURN_DEG, float(middle) + HALF_TURN_DEG


@functools.lru_cache(maxsize=16)
def _smooth(draws: bytes, weights: bytes, low: float, high: float) -> Tabulated:
    return density_of(np.frombuffer(draws), np.frombuffer(weights), low, high)


def _check_size(values: FloatArray, key: str) -> None:
    """Refuse values whose differences could leave the range of floats."""
    if np.any(np.abs(values) > _LARGEST):
        given = Said(f"{np.abs(values).max():g}")
        raise ConfigError(key, given, f"values up to {_LARGEST:g}")


def density_of_table(values: FloatArray, heights: FloatArray, key: str) -> Tabulated:
    """Density of a table; blames ``key``.

    Raises
    ------
    ConfigError
    """
    _check_size(values, key)
    if not 2 <= values.size <= _MOST_ROWS:
        raise ConfigError(key, Said(f"{values.size} rows"), f"2 to {_MOST_ROWS} rows")
    if np.any(np.diff(values) <= 0.0):
        raise ConfigError(key, Said("values that do not rise"), "rising values")
    if np.any(heights < 0.0) or not np.any(heights > 0.0):
        raise ConfigError(key, Said("a negative density, or none"), "densities >= 0")
    some = np.flatnonzero(heights > 0.0)
    first, last = max(some[0] - 1, 0), min(some[-1] + 2, values.size)
    if some.size < some[-1] - some[0] + 1:
        given = Said("a density that is 0 between values where it is not")
        raise ConfigError(key, given, "one range in which the density is > 0")
    heights = heights / heights.max()
    return Tabulated(tuple(values[first:last].tolist()), tuple(heights[first:last].tolist()))
