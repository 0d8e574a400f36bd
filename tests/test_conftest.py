"""What all tests share: a comparison of small numbers says what decides it."""

from typing import Any

import numpy as np
import pytest

SMALL = [1e-28, -1e-28, [0.0, 1e-28], np.array([1e-28, -1e-10]), {"a": 1e-28}]


@pytest.mark.parametrize("expected", SMALL, ids=str)
def test_a_small_number_needs_an_absolute_tolerance(expected: Any) -> None:
    with pytest.raises(AssertionError, match="abs=0"):
        pytest.approx(expected, rel=1e-3)
    pytest.approx(expected, rel=1e-3, abs=0.0)


@pytest.mark.parametrize("expected", [1.0, [1e-28, 1.0], 0.0, {"a": 1.0}, np.ones((2, 2))])
def test_others_are_compared_as_ever(expected: Any) -> None:
    pytest.approx(expected, rel=1e-3)


def test_told_nothing_it_would_compare_nothing() -> None:
    assert 2e-28 == pytest.approx(1e-28, rel=1e-3, abs=1e-12)
    assert 2e-28 != pytest.approx(1e-28, rel=1e-3, abs=0.0)


def test_what_is_no_number_is_compared_as_ever() -> None:
    for value in ({"a": "b"}, {"a": None}, ["a", None]):
        assert value == pytest.approx(value)
