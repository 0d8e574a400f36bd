"""Section ``[detector]``: SQUID, pickup loop, readout and angular resolution."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator as Before

from renp_infer.fields import Number
from renp_infer.study.sections.base import Degrees, Millisecond, Section, as_tuple, choice

Share = Annotated[float, Before(Number(low=0, high=1e9, open_low=True))]


class PickupSection(Section):
    """Pickup loop; ``physics/pickup.py`` has the geometry."""

    radius_cm: Annotated[float, Before(Number("cm", 1e-3, 1e3))]
    stand_off_cm: Annotated[float, Before(Number("cm", 0, 1e3))] = 0.0
    tilt_deg: Degrees = 0.0
    position: Annotated[Literal["around", "beside"], choice("around", "beside")] = "around"


class DetectorSection(Section):
    """SQUID, readout and angular resolution; T1 from the target scheme if not given."""

    noise_fT_rtHz: Annotated[float, Before(Number("fT/Hz^0.5", 0, 1e18, open_low=True))] = 2.0
    knee_hz: Annotated[float, Before(Number("Hz", 0, 1e12))] = 1.0
    drift_fT: Annotated[float, Before(Number("fT", 0, 1e18))] = 0.0
    drift_time_s: Annotated[float, Before(Number("s", 0, 1e12, open_low=True))] = 600.0
    resolution_deg: Annotated[float, Before(Number("degree", 0, 45))] = 1.44
    kernel: Annotated[Literal["box", "gaussian"], choice("box", "gaussian")] = "box"
    noise_uPhi0_rtHz: Annotated[
        float | None, Before(Number("micromagnetic_flux_quantum/Hz^0.5", 0, 1e18, open_low=True))
    ] = None
    flux_transfer: Annotated[float | None, Before(Number(low=0, high=1, open_low=True))] = None
    coupling: Annotated[
        float | Literal["pickup"], Before(Number(low=0, high=1, open_low=True, also="pickup"))
    ] = 0.01
    pickup: PickupSection | None = None
    spin_relaxation_ms: Millisecond | None = None
    exposure_s: Annotated[float, Before(Number("s", 0, 1e15, open_low=True))] = 3600.0
    exposure_shares: Annotated[tuple[Share, ...] | None, Before(as_tuple)] = None
    reference_snr: Annotated[float, Before(Number(low=0, high=1e9))] = 0.0
