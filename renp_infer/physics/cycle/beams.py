"""The excited cylinder as the beams see it: what each must cover, and its way through.

Beams are plane, evenly lit over their area and not bent at the faces. What a beam must
cover is the shadow of the cylinder along its direction, and its mean way through is volume
over shadow.
"""

from __future__ import annotations

from math import pi

import numpy as np

from renp_infer.records import Layout


def shadow_cm2(layout: Layout, theta: float) -> float:
    """Area of the cylinder's shadow along a direction from k1, cm^2."""
    ends = pi * layout.radius_cm**2 * abs(np.cos(theta))
    side = 2.0 * layout.radius_cm * layout.length_cm * abs(np.sin(theta))
    return float(ends + side)


def covering_cm2(layout: Layout) -> tuple[float, float, float]:
    """Areas of the e-q, q-g and trigger beams that cover the crystal, cm^2.

    The trigger has one, the largest that any of its angles takes: only its direction moves.
    """
    trigger = max(shadow_cm2(layout, float(theta)) for theta in layout.theta_s)
    return shadow_cm2(layout, layout.theta_e), shadow_cm2(layout, 0.0), trigger
