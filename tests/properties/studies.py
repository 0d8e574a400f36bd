"""Random studies of all three presets, and what a user gets for them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

import numpy as np
import pytest
import xarray as xr

import renp_infer as renp
from renp_infer.physics.neutrinos import masses
from renp_infer.physics.pairs.kinematics import threshold_angles
from tests.conftest import SEED

PRESETS = tuple(renp.PRESETS)
MARGIN_DEG = 12.0
"""Distance of the angles from all edges, near which integrals take seconds."""
PHASES = ("delta_deg", "alpha21_deg", "alpha31_deg")
FIELDS = ("magnetization_nG_per_s", "signal_nG")
RATES = ("rate_per_s", "sum_F_eV5")
ROUNDING = 1e-10
"""Of numbers calculated in another order, over the largest of an array."""

Tables = dict[str, Any]
Law = TypeVar("Law", bound=Callable[..., None])


def of_all_presets(few: int = 1, many: int = 5) -> Callable[[Law], Law]:
    """Random studies of a law: ``few`` in the fast tests, ``many`` of each preset in all.

    Which presets are tried in the fast tests goes by the law's name, so that all are.
    """

    def parametrised(law: Law) -> Law:
        first = zlib.crc32(law.__name__.encode())
        fast = {(first + n) % len(PRESETS) + len(PRESETS) * (n // len(PRESETS)) for n in range(few)}
        cases = [
            pytest.param(
                case,
                id=f"{PRESETS[case % len(PRESETS)]}-{case // len(PRESETS)}",
                marks=[] if case in fast else [pytest.mark.slow],
            )
            for case in range(len(PRESETS) * many)
        ]
        found: Law = pytest.mark.parametrize("case", cases)(law)
        return found

    return parametrised


def preset_of(study: Tables) -> str:
    """Name of its preset."""
    return str(study["physics"]["preset"])


def random_study(case: int, **neutrino: Any) -> Tables:
    """Tables of a random study, whose angles see pairs and no edge.

    Parameters
    ----------
    case : int
        Its remainder by three is the preset.
    **neutrino
        Keys of ``[neutrino]`` in the place of random ones.
    """
    rng = np.random.default_rng([SEED, case])
    study = _tables(rng, PRESETS[case % len(PRESETS)], neutrino)
    found = renp.load_study(study)
    heaviest = 2.0 * masses(found.parameters).max()
    layout, target = found.experiment.layout, found.experiment.target
    lower, upper = np.rad2deg(threshold_angles(heaviest, target, layout.theta_e))
    first, width = lower + MARGIN_DEG, (upper - lower) % 360.0 - 2.0 * MARGIN_DEG
    if np.isnan(width):  # pairs leave in all directions
        first, width = -180.0, 360.0
    angles = first + width * np.sort(rng.uniform(size=3))
    study["layout"]["theta_s_deg"] = (angles - 360.0 * (angles[-1] > 180.0)).tolist()
    return study


def _tables(rng: np.random.Generator, preset: str, neutrino: Mapping[str, Any]) -> Tables:
    phases = dict(zip(PHASES, rng.uniform(-180.0, 180.0, 3).tolist(), strict=True))
    return {
        "schema": 1,
        "name": "random",
        "neutrino": {
            "m1_meV": float(rng.uniform(0.0, 200.0)),
            "ordering": str(rng.choice(["normal", "inverted"])),
            "nature": str(rng.choice(["dirac", "majorana"])),
            **phases,
            **neutrino,
        },
        "physics": {"preset": preset},
        "target": {
            "density_per_cm3": float(10.0 ** rng.uniform(18.0, 20.0)),
            "refractive_index": float(rng.uniform(1.3, 1.6)),
        },
        "layout": {
            "length_cm": float(rng.uniform(0.5, 5.0)),
            "radius_cm": float(rng.uniform(0.5, 2.0)),
            "theta_e_deg": float(rng.uniform(110.0, 180.0) * rng.choice([-1, 1])),
            "theta_s_deg": [0.0],
            "c_axis_deg": float(rng.uniform(-180.0, 180.0)),
        },
        "lasers": {
            "chi_squared": float(10.0 ** rng.uniform(-4.0, -2.0)),
            "cycle_ms": float(rng.uniform(2.0, 20.0)),
        },
        "detector": {
            "noise_fT_rtHz": float(rng.uniform(0.5, 10.0)),
            "knee_hz": float(rng.uniform(0.0, 10.0)),
            "coupling": float(rng.uniform(0.001, 0.1)),
            "resolution_deg": float(rng.uniform(0.0, 2.0)),
            "kernel": str(rng.choice(["box", "gaussian"])),
            "spin_relaxation_ms": float(rng.uniform(1.0, 20.0)),
            "exposure_s": float(10.0 ** rng.uniform(2.0, 6.0)),
        },
    }


def evaluated(study: Tables, changes: Mapping[str, Any] | None = None) -> xr.Dataset:
    """What ``renp.evaluate`` gives, with other values of some keys."""
    found: xr.Dataset = renp.evaluate(renp.load_study(study, changes or {}), quiet=True)
    return found


def assert_alike(
    found: Mapping[str, Any],
    expected: Mapping[str, Any],
    names: Collection[str] = (*FIELDS, *RATES),
    tolerance: float = ROUNDING,
) -> None:
    """Compare arrays, to a tolerance of the largest entry of each."""
    for name in names:
        one, other = np.asarray(found[name]), np.asarray(expected[name])
        peak = np.abs(other).max()
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * peak, err_msg=name)


def thresholds(found: xr.Dataset) -> np.ndarray:
    """Angles (k, 2) of the thresholds of those pairs that have some, degrees."""
    sides = json.loads(found.attrs["renp_evaluation"])["thresholds_deg"].values()
    return np.array([pair for pair in sides if pair]).reshape(-1, 2)
