"""The nouns that travel through the package, from parameters to posterior.

``Parameters`` (what we want to learn), ``Target`` (known facts of ion and
host, in ``target``), ``Layout``, ``Lasers`` and ``Detector`` (what the experimenter
chooses) and ``Switches`` (which physics) go in; ``Observation`` comes out. All are
frozen; inside the package energies are in eV, angles in rad.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from renp_infer.errors import DomainError
from renp_infer.switches import PRESETS as PRESETS
from renp_infer.switches import Switches as Switches
from renp_infer.switches import switch_names as switch_names
from renp_infer.target import Target

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
BoolArray = NDArray[np.bool_]
Progress = Callable[[str, float], None]
"""Called with a stage's name and the fraction done."""
PAIRS = ("11", "12", "22", "13", "23", "33")
"""The six unordered mass-eigenstate pairs, in the order of every array."""
PAIR_INDEX = ((0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2))


@dataclass(frozen=True)
class Parameters:
    """What an experiment wants to learn.

    Attributes
    ----------
    m1_eV : float
        The LIGHTEST neutrino mass, whatever the ordering, in eV.
    ordering : {"normal", "inverted"}
    nature : {"dirac", "majorana"}
    delta, alpha21, alpha31 : float
        Dirac and Majorana phases (PDG convention), rad.
    sin2_12, sin2_13 : float
        Squared sines of the mixing angles.
    dm2_21, dm2_3l : float
        Mass splittings in eV^2; ``dm2_3l`` is Delta m^2_31 > 0 for normal and
        Delta m^2_32 < 0 for inverted ordering.
    sin2_w : float
        Squared sine of the weak mixing angle.
    """

    m1_eV: float
    ordering: Literal["normal", "inverted"]
    nature: Literal["dirac", "majorana"]
    delta: float
    alpha21: float
    alpha31: float
    sin2_12: float
    sin2_13: float
    dm2_21: float
    dm2_3l: float
    sin2_w: float


POLARISATIONS = ("ordinary", "extraordinary", "in-plane", "out-of-plane")
"""Of a beam: by its ray, or by the plane of the beams that its electric field lies in."""
ALONG_K1 = 0.0
"""Direction of k1, from which all are measured."""


@dataclass(frozen=True)
class Layout:
    """Crystal and beam directions.

    Attributes
    ----------
    length_cm, radius_cm : float
        Length and radius of the excited cylinder, axis along k1.
    theta_e : float
        Direction of the second excitation laser from k1, rad.
    theta_s : ndarray, shape (n,)
        Trigger directions from k1, rad, ascending.
    c_axis : float or None
        Crystal c axis from k1 in the k1-k2 plane, rad; ``None`` is normal to
        that plane, the paper's case (3).
    """

    length_cm: float
    radius_cm: float
    theta_e: float
    theta_s: FloatArray
    c_axis: float | None = ALONG_K1

    def __post_init__(self) -> None:
        for name in ("length_cm", "radius_cm"):
            if not 0.0 < getattr(self, name) < np.inf:
                raise DomainError(name, getattr(self, name), "> 0, finite")

    @property
    def volume_cm3(self) -> float:
        """Volume of the excited cylinder, cm^3."""
        return float(np.pi * self.radius_cm**2 * self.length_cm)


@dataclass(frozen=True)
class Lasers:
    """Laser settings.

    Attributes
    ----------
    eq_mW_cm2, qg_mW_cm2, trigger_mW_cm2 : float
        Intensities of the e-q, q-g and trigger lasers.
    trigger_delay_lifetimes : float
        Trigger delay in lifetimes of the state e.
    cycle_ms : float
        Repetition period.
    zeeman_field_G : float
        Static field that separates the Kramers partners, Section V.
    chi_squared : float or None
        Cycle mean of rho_ee^3 |rho_ep|^2, or of |rho_ep|^2 for the trigger "coherence";
        ``None`` takes it from the optical Bloch equations. Only these use what follows.
    cycle_start : {"ground", "periodic"}
        All ions in the ground state, or as the cycle before left them.
    eq_duration_lifetimes, qg_duration_lifetimes : float or None
        When these two lasers are switched off, from the start of the cycle in
        lifetimes of e; ``None`` at its end.
    trigger_duration_lifetimes : float or None
        How long the trigger is on; ``None`` to the end of the cycle.
    eq_detuning_kHz, qg_detuning_kHz, trigger_detuning_kHz : float
        Laser minus transition frequency.
    dephasing_per_s : float
        Pure dephasing rate of every coherence.
    inhomogeneous_width_kHz : float
        Full width at half maximum of the Gaussian spread of the e-g frequency;
        the other levels spread in proportion to their energy.
    polarisations : tuple of str or None
        Of the q-g, e-q and trigger laser, each one of `POLARISATIONS`: every photon then has
        its own refractive index. ``None`` is one index for all.
    partner_phase : float or None
        Half the phase between the coherences of the Kramers partners, rad, from where S, or
        its component in the plane of the beams, is real. Of the rate alone; ``None`` is the
        mean over it.
    beams_cm2 : tuple of float or of None
        Area of the e-q, q-g and trigger beam, where its power is given; ``None`` is the
        cross-section of the crystal.
    paths_cm : tuple of float or None
        Mean way of these three through the crystal, along which ions take their photons.
        ``None``: all ions see the full intensity.
    """

    eq_mW_cm2: float = 9.0
    qg_mW_cm2: float = 3.0
    trigger_mW_cm2: float = 1e-3
    trigger_delay_lifetimes: float = 0.2
    cycle_ms: float = 10.0
    chi_squared: float | None = None
    zeeman_field_G: float = 100.0
    cycle_start: Literal["ground", "periodic"] = "ground"
    eq_duration_lifetimes: float | None = None
    qg_duration_lifetimes: float | None = None
    trigger_duration_lifetimes: float | None = None
    eq_detuning_kHz: float = 0.0
    qg_detuning_kHz: float = 0.0
    trigger_detuning_kHz: float = 0.0
    dephasing_per_s: float = 0.0
    inhomogeneous_width_kHz: float = 0.0
    polarisations: tuple[str, str, str] | None = None
    partner_phase: float | None = None
    beams_cm2: tuple[float | None, float | None, float | None] = (None, None, None)
    paths_cm: tuple[float, float, float] | None = None


BLOCH_KEYS = (
    "cycle_start",
    "eq_duration_lifetimes",
    "qg_duration_lifetimes",
    "trigger_duration_lifetimes",
    "eq_detuning_kHz",
    "qg_detuning_kHz",
    "trigger_detuning_kHz",
    "dephasing_per_s",
    "inhomogeneous_width_kHz",
)
"""Settings of the lasers that only the optical Bloch equations use."""


@dataclass(frozen=True)
class Pickup:
    """Loop of the pickup coil; see ``physics/signal/pickup.py`` for the geometry.

    Attributes
    ----------
    radius_cm : float
    stand_off_cm : float
        "around": along the axis, from the crystal's centre to the loop's.
        "beside": gap between the crystal's side and the loop.
    tilt : float
        Normal of the loop from k1, towards the trigger in the k1-k2 plane, rad.
    position : {"around", "beside"}
    """

    radius_cm: float
    stand_off_cm: float = 0.0
    tilt: float = 0.0
    position: Literal["around", "beside"] = "around"


@dataclass(frozen=True)
class Detector:
    """SQUID, readout and angular resolution.

    Attributes
    ----------
    noise_fT_rtHz : float
        White amplitude spectral density of the field.
    knee_hz : float
        Corner of the 1/f noise.
    drift_fT, drift_time_s : float
        rms and correlation time of a slow drift shared by successive angles.
    resolution : float
        Full width of the angular smoothing, rad; 0 is none.
    kernel : {"box", "gaussian"}
        For "gaussian" the resolution is the full width at half maximum.
    coupling : float
        xi of Eq. (59): field at the SQUID per magnetization.
    pickup : Pickup or None
        With a loop, xi follows the crystal: take `pickup.coupling_of`.
    spin_relaxation_ms : float
    exposure_s : float
        Total, shared by the angles: equally, or by `exposure_shares`.
    exposure_shares : tuple of float or None
        Relative time at each angle, > 0, of any sum; ``None`` is equal.
    reference_snr : float
        0 for absolute noise, else the peak signal-to-noise that the paper's
        layout would have.
    reversal_leakage : float
        Share of the parity-conserving field of a polarised target that reversing P leaves.
    """

    noise_fT_rtHz: float = 2.0
    knee_hz: float = 1.0
    drift_fT: float = 0.0
    drift_time_s: float = 600.0
    resolution: float = float(np.deg2rad(1.44))
    kernel: Literal["box", "gaussian"] = "box"
    coupling: float = 0.01
    spin_relaxation_ms: float = Target.spin_relaxation_ms
    exposure_s: float = 3600.0
    reference_snr: float = 0.0
    reversal_leakage: float = 1.0
    pickup: Pickup | None = None
    exposure_shares: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Accuracy:
    """Numerical tolerance, by the error it bounds.

    Attributes
    ----------
    relative_tolerance : float
        Largest relative error of each pair integral; below 1e-4 smoothed fields are refined,
        too.
    """

    relative_tolerance: float = 1e-4

    def __post_init__(self) -> None:
        if not 1e-8 <= self.relative_tolerance <= 1e-1:
            raise DomainError("relative_tolerance", self.relative_tolerance, "from 1e-8 to 0.1")


@dataclass(frozen=True)
class Experiment:
    """Everything but the parameters: a complete, resolved apparatus.

    Attributes
    ----------
    target : Target
    layout : Layout
    lasers : Lasers
    detector : Detector
    switches : Switches
    accuracy : Accuracy
    reference : Experiment or None
        Of one of several data sets: the study's own apparatus, for which ``reference_snr``
        holds, so that exposures and signals of sets count by what they are to each other.
        ``None`` is this one.
    beside : tuple of Experiment
        Of one of several data sets: the others that have the same leakage.
    """

    target: Target
    layout: Layout
    lasers: Lasers
    detector: Detector
    switches: Switches
    accuracy: Accuracy = field(default_factory=Accuracy)
    reference: Experiment | None = None
    beside: tuple[Experiment, ...] = ()


@dataclass(frozen=True)
class Observation:
    """Field against trigger angle, as data.

    Attributes
    ----------
    theta_s : ndarray, shape (n,)
        Trigger angles, rad.
    field_nG : ndarray, shape (n,)
        Measured field.
    covariance_nG2 : ndarray, shape (n, n)
        Its covariance.
    normalised : bool
        Whether the noise was scaled to a reference signal-to-noise.
    source : str
        File the data come from; empty for mock data, whose truth is known.
    """

    theta_s: FloatArray
    field_nG: FloatArray
    covariance_nG2: FloatArray
    normalised: bool
    source: str = ""

    @property
    def sigma_nG(self) -> FloatArray:
        """Standard error per angle, shape (n,)."""
        return np.sqrt(np.diag(self.covariance_nG2))
