"""Records of numbers: their columns, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import xarray as xr

from renp_infer.records import FloatArray
from renp_infer.verbs.forecast.columns import (
    column,
    columns_of,
    group,
    picked,
    read,
    stacked,
    written,
)


@dataclass(frozen=True)
class Inner[V]:
    low: V
    high: V


@dataclass(frozen=True)
class Outer[V]:
    number: V
    left: Inner[V] = group(Inner, "{}_left")
    right: Inner[V] = group(Inner, "right_{}")


@dataclass(frozen=True)
class Curve:
    x: FloatArray = column("place")
    map: FloatArray = column("row", "place")


def outer(number: float) -> Outer[float]:
    return Outer(number, Inner(number + 0.1, number + 0.2), Inner(number + 0.3, number + 0.4))


NAMES = ["number", "low_left", "high_left", "right_low", "right_high"]


def test_columns_stand_in_the_order_of_fields_and_get_names_by_pattern() -> None:
    found = columns_of(outer(1.0))
    assert [one.name for one in found] == NAMES
    assert [float(one.values) for one in found] == [1.0, 1.1, 1.2, 1.3, 1.4]


def test_stacked_records_are_picked_again() -> None:
    rows = [outer(1.0), outer(2.0), outer(5.0)]
    whole: Outer[FloatArray] = stacked(rows)
    assert whole.left.high.tolist() == [1.2, 2.2, 5.2]
    assert [picked(whole, (k,)) for k in range(3)] == rows
    pairs: Outer[FloatArray] = stacked([whole, whole])
    assert picked(pairs, (..., 0)).right.low.tolist() == [1.3, 1.3]


def test_a_record_is_read_from_what_was_written() -> None:
    whole = stacked([outer(1.0), outer(2.0)])
    dataset = xr.Dataset(written(whole, "truth"))
    assert list(dataset.data_vars) == NAMES
    assert dataset["low_left"].dims == ("truth",)
    again = read(Outer, dataset)
    assert again is not None and again.right.high.tolist() == [1.4, 2.4]
    curve = Curve(np.arange(3.0), np.arange(6.0).reshape(2, 3))
    assert xr.Dataset(written(curve))["map"].dims == ("row", "place")
    both = read(Curve, dataset.merge(xr.Dataset(written(curve))))
    assert both is not None and np.array_equal(both.map, curve.map)


def test_a_record_that_is_not_there_is_none_and_half_a_record_is_refused() -> None:
    dataset = xr.Dataset(written(outer(1.0)))
    assert read(Curve, dataset) is None
    with pytest.raises(KeyError, match="right_low"):
        read(Outer, dataset.drop_vars("right_low"))
