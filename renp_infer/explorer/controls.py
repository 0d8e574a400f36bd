"""What can be moved: keys of a study with the range and step of their sliders.

A slider's range is a convenience. What may be typed is decided by the study's own
checks, and its messages are theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

from renp_infer.records import PRESETS

GRID = "layout.theta_s_deg"
GRID_KEYS = tuple(f"{GRID}.{part}" for part in ("start", "stop", "points"))
PRESET, COUPLING, LOOP = "physics.preset", "detector.coupling", "detector.pickup"


@dataclass(frozen=True)
class Control:
    """One key that can be moved.

    Attributes
    ----------
    key : str
        Dotted path in a study.
    label, unit : str
    low, high, step : float
        Of the slider; of the decimal logarithm where ``log``.
    log : bool
    options : tuple of str
        Values of a choice, which has no slider.
    hint : str
        Words that are accepted in place of a number.
    """

    key: str
    label: str
    unit: str = ""
    low: float = 0.0
    high: float = 1.0
    step: float = 0.01
    log: bool = False
    options: tuple[str, ...] = ()
    hint: str = ""

    @property
    def name(self) -> str:
        """Name of its elements on the page."""
        return self.key.replace(".", "-")


_FAST_CM = (-0.5, 1.0)
"""Smaller crystals may be typed; their integrals take seconds, see ``SPLIT_WIDTH``."""


def _choice(key: str, label: str, *options: str) -> Control:
    return Control(key, label, options=options)


def _decades(
    key: str, label: str, unit: str, low: float, high: float, step: float = 0.05, hint: str = ""
) -> Control:
    return Control(key, label, unit, low, high, step, log=True, hint=hint)


GROUPS: dict[str, tuple[Control, ...]] = {
    "Neutrinos": (
        Control("neutrino.m1_meV", "lightest mass m₁", "meV", 0, 500, 1),
        _choice("neutrino.ordering", "ordering", "normal", "inverted"),
        _choice("neutrino.nature", "nature", "dirac", "majorana"),
        Control("neutrino.delta_deg", "phase δ", "deg", -180, 180, 5),
        Control("neutrino.alpha21_deg", "phase α₂₁", "deg", -180, 180, 5),
        Control("neutrino.alpha31_deg", "phase α₃₁", "deg", -180, 180, 5),
    ),
    "Crystal": (
        _decades("layout.length_cm", "length", "cm", *_FAST_CM),
        _decades("layout.radius_cm", "radius", "cm", *_FAST_CM),
        Control("layout.c_axis_deg", "c axis from k₁", "deg", -90, 90, 5, hint="or: normal"),
        _decades("target.density_per_cm3", "ion density", "cm⁻³", 17, 22),
        _decades("target.gamma_ep_per_s", "width γₑₚ", "s⁻¹", 0, 10),
        Control("target.refractive_index", "refractive index", "", 1.3, 2.0, 0.0005),
    ),
    "Angles": (
        Control(GRID_KEYS[0], "trigger θₛ, first", "deg", -180, 180, 0.36),
        Control(GRID_KEYS[1], "trigger θₛ, last", "deg", -180, 180, 0.36),
        Control(GRID_KEYS[2], "number of angles", "", 2, 201, 1),
        Control(
            "layout.theta_e_deg", "second laser θₑ", "deg", -180, 180, 0.5, hint="empty: matched"
        ),
    ),
    "Lasers": (
        _decades("lasers.eq_mW_cm2", "intensity e–q", "mW/cm²", -3, 4),
        _decades("lasers.qg_mW_cm2", "intensity q–g", "mW/cm²", -3, 4),
        _decades("lasers.trigger_mW_cm2", "intensity trigger", "mW/cm²", -5, 4),
        Control("lasers.trigger_delay_lifetimes", "trigger delay", "lifetimes of e", 0, 3, 0.05),
        Control("lasers.cycle_ms", "cycle", "ms", 0.5, 50, 0.5),
        _decades("lasers.chi_squared", "coherence |χ|²", "", -12, -1.1, 0.1, "or: bloch"),
    ),
    "Smoothing": (
        Control("detector.resolution_deg", "angular resolution", "deg", 0, 10, 0.06),
        _choice("detector.kernel", "shape", "box", "gaussian"),
    ),
    "Noise": (
        _decades("detector.noise_fT_rtHz", "white noise", "fT/√Hz", -2, 3),
        _decades("detector.knee_hz", "1/f knee", "Hz", -2, 3, hint="may be 0"),
        _decades("detector.drift_fT", "drift", "fT", -6, 6, hint="may be 0"),
        _decades("detector.exposure_s", "total exposure", "s", 0, 12),
        _decades("detector.spin_relaxation_ms", "spin relaxation T₁", "ms", -2, 4),
        _decades("detector.reference_snr", "S/N of the reference", "", 0, 6, hint="0: absolute"),
    ),
    "Pickup": (
        _decades(COUPLING, "coupling ξ", "", -6, 0, hint="or: pickup"),
        _decades(f"{LOOP}.radius_cm", "loop radius", "cm", -2, 2, 0.02),
        Control(f"{LOOP}.stand_off_cm", "stand-off", "cm", 0, 10, 0.1),
        Control(f"{LOOP}.tilt_deg", "tilt from k₁", "deg", -90, 90, 5),
        _choice(f"{LOOP}.position", "loop is", "around", "beside"),
    ),
    "Physics": (_choice(PRESET, "preset of the study", *PRESETS),),
}
"""Controls by heading, in the order of the page."""
CONTROLS = tuple(control for group in GROUPS.values() for control in group)
