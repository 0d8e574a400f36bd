"""What a beam must cover of the crystal, against a cloud of its points."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from renp_infer.physics.cycle.beams import covering_cm2, shadow_cm2
from renp_infer.records import Layout


def layout(theta_s=(0.3,), theta_e=2.0):
    return Layout(length_cm=1.7, radius_cm=0.6, theta_e=theta_e, theta_s=np.array(theta_s))


@pytest.mark.parametrize("theta", [0.0, 0.4, np.pi / 2, 2.47, -1.1, np.pi])
def test_a_shadow_is_the_outline_of_all_points(theta: float) -> None:
    own = layout()
    phi = np.linspace(0.0, 2.0 * np.pi, 2000, endpoint=False)
    rim = 0.6 * np.array([np.cos(phi), np.sin(phi)])
    ends = [np.vstack([rim, np.full(phi.size, z)]) for z in (-0.85, 0.85)]
    x, y, z = np.hstack(ends)
    across = np.column_stack([x * np.cos(theta) - z * np.sin(theta), y])
    assert shadow_cm2(own, theta) == pytest.approx(ConvexHull(across).volume, rel=1e-5)


def test_a_trigger_covers_the_crystal_at_all_its_angles() -> None:
    eq, qg, trigger = covering_cm2(layout((0.1, 1.2, 3.0)))
    assert qg == pytest.approx(np.pi * 0.36)
    assert eq == shadow_cm2(layout(), 2.0)
    assert trigger == shadow_cm2(layout(), 1.2)
