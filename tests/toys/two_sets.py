"""A study with two data sets, small enough to fit in a test."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

TABLES: dict[str, Any] = {
    "schema": 1,
    "name": "two",
    "physics": {"preset": "corrected"},
    "layout": {"theta_s_deg": {"start": 140.0, "stop": 148.0, "points": 9}},
    "lasers": {"chi_squared": 1e-3},
    "detector": {"reference_snr": 60.0},
    "data": [
        {"name": "first"},
        {"name": "second", "crystal": "small", "layout": {"length_cm": 1.0}},
    ],
}


def two_sets(*sets: dict[str, Any], **sections: Any) -> dict[str, Any]:
    """Tables of the study with other data sets, and with more or other sections."""
    found = deepcopy(TABLES) | deepcopy(sections)
    if sets:
        found["data"] = [deepcopy(one) for one in sets]
    return found
