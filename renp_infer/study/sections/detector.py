"""Section ``[detector]``: SQUID, pickup loop, readout and angular resolution."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator as Before

from renp_infer.errors import ConfigError, ConvergenceError, DomainError
from renp_infer.fields import Number, Said
from renp_infer.physics.signal.pickup import noise_from_flux_fT, pickup_coupling
from renp_infer.records import Detector, Layout, Pickup
from renp_infer.study.sections.base import (
    Degrees,
    Millisecond,
    Section,
    about,
    as_tuple,
    choice,
)

Share = Annotated[float, Before(Number(low=0, high=1e9, open_low=True))]


class PickupSection(Section):
    """Pickup loop; ``physics/signal/pickup.py`` has the geometry."""

    radius_cm: Annotated[float, Before(Number("cm", 1e-3, 1e3)), about("Radius of the loop.")]
    stand_off_cm: Annotated[
        float,
        Before(Number("cm", 0, 1e3)),
        about(
            "Distance: along the axis between the centres of crystal and loop (around), or the "
            "gap between the crystal's side and the loop (beside)."
        ),
    ] = Pickup.stand_off_cm
    tilt_deg: Annotated[
        Degrees, about("Normal of the loop from k1, towards the trigger in the k1-k2 plane.")
    ] = math.degrees(Pickup.tilt)
    position: Annotated[
        Literal["around", "beside"],
        choice("around", "beside"),
        about("Whether the loop lies around the crystal or beside it."),
    ] = Pickup.position


class DetectorSection(Section):
    """SQUID, readout and angular resolution; T1 from the target scheme if not given."""

    noise_fT_rtHz: Annotated[
        float,
        Before(Number("fT/Hz^0.5", 0, 1e18, open_low=True)),
        about(
            "White amplitude spectral density of the magnetometer's field.",
            typical="1 to 10 for a SQUID; 0.15 is the best",
            page="theory.md#noise",
        ),
    ] = Detector.noise_fT_rtHz
    knee_hz: Annotated[
        float,
        Before(Number("Hz", 0, 1e12)),
        about(
            "Frequency below which the noise rises as 1/f; 0: white.",
            typical="1 to 10",
            page="theory.md#noise",
        ),
    ] = Detector.knee_hz
    drift_fT: Annotated[
        float,
        Before(Number("fT", 0, 1e18)),
        about("rms of a slow drift that successive angles share; 0: none."),
    ] = Detector.drift_fT
    drift_time_s: Annotated[
        float, Before(Number("s", 0, 1e12, open_low=True)), about("Correlation time of the drift.")
    ] = Detector.drift_time_s
    resolution_deg: Annotated[
        float,
        Before(Number("degree", 0, 45)),
        about(
            "Full width of the smoothing in the trigger angle; 0: none. For a Gaussian, the full "
            "width at half maximum.",
            page="theory.md#smoothing-and-the-response",
        ),
    ] = math.degrees(Detector.resolution)
    kernel: Annotated[
        Literal["box", "gaussian"], choice("box", "gaussian"), about("Shape of the smoothing.")
    ] = Detector.kernel
    noise_uPhi0_rtHz: Annotated[
        float | None,
        Before(Number("micromagnetic_flux_quantum/Hz^0.5", 0, 1e18, open_low=True)),
        about(
            "White noise as flux in the SQUID, in place of noise_fT_rtHz; needs flux_transfer "
            "and a pickup loop.",
            unset="the noise is given as a field",
            typical="about 1 for a SQUID",
        ),
    ] = None
    flux_transfer: Annotated[
        float | None,
        Before(Number(low=0, high=1, open_low=True)),
        about(
            "Flux in the SQUID per flux in the pickup loop, with noise_uPhi0_rtHz.",
            unset="no flux is converted",
        ),
    ] = None
    coupling: Annotated[
        float | Literal["pickup"],
        Before(Number(low=0, high=1, open_low=True, also="pickup")),
        about(
            "xi: field at the magnetometer per 4 pi M of the crystal; or from the geometry of "
            "[detector.pickup].",
            source="Eq. (59)",
            page="theory.md#pickup",
        ),
    ] = Detector.coupling
    pickup: Annotated[
        PickupSection | None,
        about(
            'Geometry of a pickup loop, for coupling = "pickup".',
            unset="coupling is a number",
            page="theory.md#pickup",
        ),
    ] = None
    spin_relaxation_ms: Annotated[
        Millisecond | None,
        about("T1 of the spins, by which magnetization fades.", unset="that of the target scheme"),
    ] = None
    exposure_s: Annotated[
        float,
        Before(Number("s", 0, 1e15, open_low=True)),
        about(
            "Total time of measurement, shared by all angles.", typical="3600 to 1.7e6 (20 days)"
        ),
    ] = Detector.exposure_s
    exposure_shares: Annotated[
        tuple[Share, ...] | None,
        Before(as_tuple),
        about("Relative time at each angle, of any sum.", unset="equal shares"),
    ] = Detector.exposure_shares
    reference_snr: Annotated[
        float,
        Before(Number(low=0, high=1e9)),
        about(
            "0: absolute noise. Else noise is scaled until the peak signal-to-noise per angle "
            "would be this in the paper's layout (first-principles: of a massless pair where the "
            "moment is largest). Results then say normalised, and nothing of feasibility.",
            typical="0 for an experiment, 1000 to compare methods",
            page="limits.md#what-a-number-does-not-mean",
        ),
    ] = Detector.reference_snr
    reversal_leakage: Annotated[
        float,
        Before(Number(low=0, high=1)),
        about(
            "Share of a polarised target's parity-even field that reversing the pair's momentum "
            "leaves.",
            page="first-principles.md#10-polarised-targets",
        ),
    ] = Detector.reversal_leakage


_PICKUP = "detector.pickup"
_BLIND = 1e-12
"""Coupling that is nothing but rounding."""


def detector_of(section: DetectorSection, layout: Layout, relaxation_ms: float) -> Detector:
    """Record of a detector, its loop checked against the crystal.

    Parameters
    ----------
    section : DetectorSection
    layout : Layout
    relaxation_ms : float
        T1 of the target, where the section gives none.

    Raises
    ------
    ConfigError
        Keys that exclude or need each other, a wire through the crystal, or a
        loop that does not see it.
    """
    _check_noise(section)
    _check_coupling(section)
    _check_shares(section, layout)
    loop = {"coupling", "pickup", "noise_uPhi0_rtHz", "flux_transfer", "resolution_deg"}
    values: dict[str, Any] = section.model_dump(exclude=loop)
    values["resolution"] = math.radians(section.resolution_deg)
    if section.spin_relaxation_ms is None:
        values["spin_relaxation_ms"] = relaxation_ms
    if section.pickup is None:
        return Detector(**values, coupling=float(section.coupling))
    keys = section.pickup.model_dump(exclude={"tilt_deg"})
    pickup = Pickup(**keys, tilt=math.radians(section.pickup.tilt_deg))
    xi = _coupling(pickup, layout)
    if section.reference_snr > 0.0:
        _coupling(pickup, _reference_layout(layout))
    if section.noise_uPhi0_rtHz is not None and section.flux_transfer is not None:
        values["noise_fT_rtHz"] = noise_from_flux_fT(
            section.noise_uPhi0_rtHz, section.flux_transfer, pickup.radius_cm
        )
    return Detector(**values, coupling=xi, pickup=pickup)


def noise_keys(section: DetectorSection) -> tuple[str, ...]:
    """Keys whose default does not count, because the noise is given as a flux."""
    return () if section.noise_uPhi0_rtHz is None else ("noise_fT_rtHz",)


def _check_noise(section: DetectorSection) -> None:
    """Noise as a field, or as a flux with all that turns it into a field."""
    flux, transfer = section.noise_uPhi0_rtHz, section.flux_transfer
    if flux is None:
        if transfer is not None:
            allowed = "only with detector.noise_uPhi0_rtHz"
            raise ConfigError("detector.flux_transfer", transfer, allowed)
        return
    if "noise_fT_rtHz" in section.model_fields_set:
        allowed = "no value beside detector.noise_fT_rtHz: one of the two"
        raise ConfigError("detector.noise_uPhi0_rtHz", flux, allowed)
    if transfer is None:
        allowed = "a number > 0 and <= 1: flux in the SQUID per flux in the loop"
        raise ConfigError("detector.flux_transfer", Said("nothing"), allowed)
    if section.pickup is None:
        allowed = 'only with detector.coupling = "pickup": the field needs the loop\'s area'
        raise ConfigError("detector.noise_uPhi0_rtHz", flux, allowed)


def _check_coupling(section: DetectorSection) -> None:
    """The word "pickup" and its table go together."""
    if section.coupling == "pickup" and section.pickup is None:
        allowed = 'a table with radius_cm, for detector.coupling = "pickup"'
        raise ConfigError(_PICKUP, Said("nothing"), allowed)
    if section.coupling != "pickup" and section.pickup is not None:
        given = Said(f"a table beside coupling = {section.coupling}")
        raise ConfigError(_PICKUP, given, 'only with detector.coupling = "pickup"')


def _check_shares(section: DetectorSection, layout: Layout) -> None:
    """A share of the exposure for each angle, or none."""
    shares, count = section.exposure_shares, layout.theta_s.size
    if shares is not None and len(shares) != count:
        allowed = f"{count} numbers > 0, one for each of layout.theta_s_deg"
        raise ConfigError("detector.exposure_shares", Said(f"{len(shares)} numbers"), allowed)


def _coupling(pickup: Pickup, layout: Layout) -> float:
    """Coupling of a loop, which must fit this crystal and see its field."""
    given = Said(
        f"{pickup.position}, radius_cm = {pickup.radius_cm:g}, stand_off_cm = "
        f"{pickup.stand_off_cm:g}, tilt_deg = {math.degrees(pickup.tilt):g}"
    )
    crystal = f"R = {layout.radius_cm:g} cm, L = {layout.length_cm:g} cm"
    try:
        xi = pickup_coupling(pickup, layout.radius_cm, layout.length_cm, layout.c_axis)
    except (DomainError, ConvergenceError) as error:
        allowed = f"a loop whose wire keeps clear of the crystal with {crystal}"
        raise ConfigError(_PICKUP, given, allowed) from error
    if abs(xi) < _BLIND and layout.c_axis is not None:
        allowed = f"a loop through which flux of the crystal with {crystal} passes"
        raise ConfigError(_PICKUP, given, allowed)
    return xi


def _reference_layout(layout: Layout) -> Layout:
    """The paper's crystal, whose signal a normalised noise refers to."""
    from renp_infer.measurement.normalise import REFERENCE_CRYSTAL_CM

    length_cm, radius_cm = REFERENCE_CRYSTAL_CM
    return replace(layout, length_cm=length_cm, radius_cm=radius_cm, c_axis=0.0)
