"""Medians and bands over drawn data, of what is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from renp_infer.records import FloatArray
from renp_infer.verbs.forecast.spread import OVER_DATA, OVER_PHASES, quantile, spread


@dataclass(frozen=True)
class Two[V]:
    first: V
    second: V


def test_a_band_over_data_holds_its_share_of_them() -> None:
    """A quantile is one of the values, at least its share of which are no larger."""
    values = np.random.default_rng(1).permutation(np.arange(1.0, 201.0)).reshape(1, -1)
    for name, share in OVER_DATA.items():
        found = float(quantile(values, share)[0])
        assert found in values
        assert np.mean(values <= found) == pytest.approx(share, abs=1.0 / 200.0), name
        assert np.mean(values < found) <= share
    assert sorted(OVER_DATA.values()) == pytest.approx([0.025, 0.16, 0.5, 0.84, 0.975])


def test_over_phases_the_ends_are_the_smallest_and_the_largest() -> None:
    values = np.array([[3.0, -1.0, 2.0, 7.0]])
    found = {name: float(quantile(values, share)[0]) for name, share in OVER_PHASES.items()}
    assert found == {"median": 2.0, "lowest": -1.0, "highest": 7.0}


@pytest.mark.parametrize(
    ("row", "lowest", "median", "highest"),
    [
        ([np.nan, 4.0, np.nan, 2.0, 3.0], 2.0, 3.0, 4.0),
        ([np.nan] * 5, np.nan, np.nan, np.nan),
        ([np.inf, 1.0, np.inf, np.inf, 2.0], 1.0, np.inf, np.inf),
        ([np.nan, np.nan, np.nan, np.nan, 5.0], 5.0, 5.0, 5.0),
    ],
)
def test_what_is_not_there_does_not_count_and_infinity_does(
    row: list[float], lowest: float, median: float, highest: float
) -> None:
    values = np.array([row, [1.0, 2.0, 3.0, 4.0, 5.0]])
    for share, own, other in ((0.0, lowest, 1.0), (0.5, median, 3.0), (1.0, highest, 5.0)):
        np.testing.assert_array_equal(quantile(values, share), [own, other])


def test_each_column_has_its_quantiles_over_the_last_dimension() -> None:
    rng = np.random.default_rng(2)
    record: Two[FloatArray] = Two(rng.normal(size=(2, 3, 5)), rng.normal(size=(4, 5)))
    found = spread(record, {"median": 0.5, "highest": 1.0})
    for name, values in (("first", record.first), ("second", record.second)):
        np.testing.assert_array_equal(found[name]["median"], np.sort(values)[..., 2])
        np.testing.assert_array_equal(found[name]["highest"], np.max(values, axis=-1))
    assert set(found) == {"first", "second"} and set(found["first"]) == {"median", "highest"}
