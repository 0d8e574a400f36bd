"""Medians and bands over settings of the phases, or over drawn data."""

from __future__ import annotations

import numpy as np

from renp_infer.records import FloatArray
from renp_infer.verbs.forecast.columns import columns_of

OVER_PHASES = {"median": 0.5, "lowest": 0.0, "highest": 1.0}
OVER_DATA = {"median": 0.5, "low_95": 0.025, "low_68": 0.16, "high_68": 0.84, "high_95": 0.975}


def spread(record: object, shares: dict[str, float]) -> dict[str, dict[str, FloatArray]]:
    """Quantiles over the last dimension of each column, by its name and the quantile's."""
    return {
        one.name: {key: quantile(one.values, share) for key, share in shares.items()}
        for one in columns_of(record)
    }


def quantile(values: FloatArray, share: float) -> FloatArray:
    """Quantile over the last dimension, of what is there.

    What is nowhere there stays NaN, infinity counts.
    """
    rows = values.reshape(-1, values.shape[-1])
    found = np.full(rows.shape[0], np.nan)
    for k, row in enumerate(rows):
        present = row[~np.isnan(row)]
        if present.size:
            found[k] = np.quantile(present, share, method="lower")
    return found.reshape(values.shape[:-1])
