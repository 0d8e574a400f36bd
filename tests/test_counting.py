"""The tally behind ``benchmarks/floor.py``, against counts made by hand."""

import sys
from pathlib import Path

import numpy as np
import pytest
from numba import njit


@pytest.fixture
def counted(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    from counting import counted

    yield counted
    del sys.modules["counting"]


@njit
def inner(x):
    return np.sqrt(x) / 2.0 + np.exp(-x)


@njit
def outer(values, rows, power):
    total, places = 0.0, 0
    for n in range(values.size):
        places += 2 * n + 1
        if values[n] > 0.0:
            total += inner(values[n]) * values[n] ** 2
        else:
            total -= abs(values[n]) ** 1.5
    return total, places, 3.0 * rows, rows @ rows.T + power / 2


def test_operations_are_those_that_were_done(counted):
    values, rows = np.array([1.0, 2.0, -1.0]), np.ones((2, 5))
    tally, result = counted(outer, values, rows, 4)
    # twice (sum in inner, product, square, sum of total), once a difference; then 3 * rows,
    # the matrix product, its sum
    assert tally["flop"] == 2 * 4 + 1 + 10 + 2 * 2 * 5 * 2 + 4
    assert tally["divide"] == 2 + 1
    assert tally["sqrt"] == 2
    assert tally["exp"] == 2 + 1 and tally["log"] == 1
    assert set(tally) == {"flop", "divide", "sqrt", "exp", "log"}
    for found, expected in zip(result, outer(values, rows, 4), strict=True):
        np.testing.assert_allclose(found, expected)
