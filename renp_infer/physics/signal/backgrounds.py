"""QED backgrounds and the depletion of the excited state, Section V.

Every process empties e with or without a neutrino pair. Rates of the amplified
ones are those of the pair with its phase space replaced: per ion,

    pair     N |chi|^2 h_r^2  G_F^2 S_ep^2 (3/4)  Eq. (67)
    photons  N |chi|^2 h_r^2  (d^2)^k / Delta^(2(k-1))  Eq. (66), k = 2, 3
    photon   N |chi|^2 h_r^2  gamma_ep <U W>

where 3/4 is Sum |b_ij|^2. Beyond the single photon these are orders of
magnitude: one dipole moment d, the largest of the scheme, one energy
denominator Delta, no momentum conservation. The first two lines have the same
finite-size factor, so their ratio is free of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial, pi

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ellipe

from renp_infer.physics.constants import (
    BOHR_MAGNETON_EV_PER_T,
    EV_TO_PER_S,
    FERMI_CONSTANT_PER_EV2,
    GAUSS_TO_TESLA,
    PER_S_TO_EV,
)
from renp_infer.physics.cycle.lindblad import decay_rates
from renp_infer.physics.pairs.form_factor import crystal_size
from renp_infer.physics.pairs.kinematics import beams_of, mismatch
from renp_infer.physics.signal.magnetization import COHERENT, SPINOR, ions, partners
from renp_infer.physics.targets.matrix_elements import h_r, reference_gamma_per_s, spin_squared
from renp_infer.records import Experiment, FloatArray, Lasers
from renp_infer.target import Target

RATE_WEIGHTS = 0.75
"""Sum of |b_ij|^2 over the nine ordered pairs, exact for a unitary matrix."""
_TAIL = (pi / 4.0) ** (2.0 / 3.0)
"""(1 + this y^2)^(-3/2) has the value of W at 0 and its mean far away."""


@dataclass(frozen=True)
class Backgrounds:
    """Rates at each trigger angle, shape (n,); per ion of the target, 1/s.

    Attributes
    ----------
    pair_per_s, two_photon_per_s, three_photon_per_s, four_photon_per_s : ndarray
        Amplified emission of a neutrino pair, or of one, two or three photons
        in its place; the signal photon counts as one more.
    e1_per_s : float
        Spontaneous electric dipole branch e to g.
    other_per_s : float
        Spontaneous decays of e to q and p.
    """

    pair_per_s: FloatArray
    two_photon_per_s: FloatArray
    three_photon_per_s: FloatArray
    four_photon_per_s: FloatArray
    e1_per_s: float
    other_per_s: float

    def depletion(self, time_s: float) -> dict[str, FloatArray]:
        """Share of the population of e that each process takes in ``time_s``.

        No pumping, all rates constant: ``r_k / r (1 - exp(-r t))`` with r the
        sum. The amplified ones fall with the population, so theirs are upper
        bounds once the total is no longer small.
        """
        rates = {
            "pair": self.pair_per_s,
            "two_photon": self.two_photon_per_s,
            "three_photon": self.three_photon_per_s,
            "four_photon": self.four_photon_per_s,
            "e1": np.full_like(self.pair_per_s, self.e1_per_s),
            "other": np.full_like(self.pair_per_s, self.other_per_s),
        }
        total = sum(rates.values(), np.zeros_like(self.pair_per_s))
        lost = -np.expm1(-total * time_s)
        return {name: rate / total * lost for name, rate in rates.items()}


def backgrounds(experiment: Experiment, rate_per_s: FloatArray, chi_squared: float) -> Backgrounds:
    """All background rates of an experiment.

    Parameters
    ----------
    experiment : Experiment
    rate_per_s : ndarray, shape (n,)
        Rate of neutrino pairs of the whole target, Eq. (57).
    chi_squared : float
        Coherence factor.
    """
    target, lasers, switches = experiment.target, experiment.lasers, experiment.switches
    pair = np.asarray(rate_per_s) / ions(target, experiment.layout)
    spin, decays = spin_squared(target, switches), decay_rates(target)
    share = photon_share(experiment)
    three = share * photons_to_pair(target, 2, spin) * partner_share(target, lasers)
    return Backgrounds(
        pair_per_s=pair,
        two_photon_per_s=two_photon_per_s(experiment, chi_squared),
        three_photon_per_s=three * pair,
        four_photon_per_s=share * photons_to_pair(target, 3, spin) * pair,
        e1_per_s=decays["eg"],
        other_per_s=decays["eq"] + decays["ep"],
    )


def photon_share(experiment: Experiment) -> float:
    """What rates of photons over that of the pair are multiplied by: 1 for the paper's.

    Emission counted once has 1 in the place of h_r^2 for photons; `prefactor_per_s_eV5`
    has 1/4 for pairs, the number of spinors and the share of unpolarised partners.
    """
    switches = experiment.switches
    once = COHERENT**-2 if switches.trigger == "coherence" else 1.0
    spinor = SPINOR if switches.current_normalisation == "spinor" else 1.0
    return once / (spinor * partners(experiment))


def events_per_lifetime(target: Target, rate_per_s: ArrayLike) -> FloatArray:
    """Pairs from the whole target in the lifetime of the E1 branch, Eq. (68).

    At |chi|^2 = 1, Sum F = 1e-8 eV^5 and the crystal of Eq. (57) this is 0.061
    for the printed rate, where the paper prints 0.19.
    """
    return np.asarray(rate_per_s) / decay_rates(target)["eg"]


def two_photon_per_s(experiment: Experiment, chi_squared: float) -> FloatArray:
    """Amplified emission of one photon of energy eps_ep for the pair, per ion, 1/s.

    No direction of the photon matches all momenta (Section V): what is left
    is `finite_size_factor`. The rate of the dipole e to p takes the place of
    that of the pair; its pattern is taken as isotropic, which is wrong by at
    most 3/2. It goes as gamma_ep^-2 whatever ``gamma_power``.

    Parameters
    ----------
    experiment : Experiment
    chi_squared : float

    Returns
    -------
    ndarray, shape (n,)
    """
    target, layout = experiment.target, experiment.layout
    narrowing = reference_gamma_per_s(target, experiment.switches) / target.gamma_ep_per_s
    trigger = (h_r(target, experiment.lasers, experiment.switches) * narrowing) ** 2
    if experiment.switches.trigger == "coherence":
        trigger = 1.0
    factor = finite_size_factor(
        *mismatch(layout.theta_s, layout.theta_e, target, beams_of(experiment)),
        target.refractive_index * target.epsilon_ep,
        *crystal_size(experiment),
    )
    return ions(target, layout) * chi_squared * trigger * decay_rates(target)["ep"] * factor


def finite_size_factor(
    w_l: ArrayLike, w_t: ArrayLike, k: float, half_length: float, radius: float
) -> FloatArray:
    """Mean of U W of Eq. (15) over all directions of a photon of momentum k.

    Two regions count: the belt w_l = k_l, where U is narrow and W a smooth
    tail, and the caps w_t = k_t, the other way round. The integral of the
    narrow one is exact, and the tail is averaged over its oscillations with
    the size of the crystal. Error at most 20 % for k R and k L / 2 > 25. Within a few
    1/L and 1/R of phase matching, w = k, both are the same region: a factor
    of 0.6 to 3. The crystal ends sharply; an excitation that fades over more
    than a wavelength leaves less.

    Parameters
    ----------
    w_l, w_t : array_like, shape (n,)
        Momentum left by the lasers along and across the crystal's axis, eV.
    k : float
        In the crystal, refractive index times energy, eV.
    half_length, radius : float
        Of the crystal, 1/eV.

    Returns
    -------
    ndarray, shape (n,)
    """
    w_l, w_t = np.asarray(w_l, dtype=float), np.abs(np.asarray(w_t, dtype=float))
    ring = np.sqrt(np.maximum(k**2 - w_l**2, 0.0))
    belt = 0.5 * pi / (k * half_length) * _mean_tail(w_t * radius, ring * radius)
    cosine = np.sqrt(np.maximum(1.0 - (w_t / k) ** 2, 0.0))
    tails = [1.0 / (1.0 + 2.0 * ((w_l - s * k * cosine) * half_length) ** 2) for s in (1.0, -1.0)]
    with np.errstate(divide="ignore"):
        caps = (tails[0] + tails[1]) / (cosine * (k * radius) ** 2)
    total = np.where(ring > 0.0, belt, 0.0) + np.where(cosine > 0.0, caps, 0.0)
    return np.minimum(total, 1.0)


def _mean_tail(a: FloatArray, b: FloatArray) -> FloatArray:
    """Mean over phi of (1 + c |a - b e^(i phi)|^2)^(-3/2), a complete elliptic integral."""
    near, far = 1.0 + _TAIL * (a - b) ** 2, 1.0 + _TAIL * (a + b) ** 2
    return 2.0 / pi * ellipe(1.0 - near / far) / (near * np.sqrt(far))


def photon_phase_space(epsilon: float, count: int) -> float:
    """Phase space of photons that share ``epsilon``, eV^(4 count - 1), Eq. (66).

    ``(2/3)^k (2 pi)^(1 - 2k) Int Prod omega_i^3 delta(Sum omega_i - eps)``,
    without the energy denominators; the integral is ``6^k / (4k - 1)!`` times a
    power of eps, 1/184800 for k = 3. For k = 1 it is omega^3 / 3 pi, that of
    spontaneous emission.
    """
    power = 4 * count - 1
    moments = 6.0**count / factorial(power)
    angles: float = (2.0 / 3.0) ** count * (2.0 * pi) ** (1 - 2 * count)
    return angles * moments * epsilon**power


def pair_phase_space(epsilon: float) -> float:
    """Phase space of two massless neutrinos, eV^5, Eq. (67).

    ``(4 pi)^2 (2 pi)^-5 Int E1^2 E2^2 delta(E1 + E2 - eps)``; the integrand is
    printed without E1^2 E2^2, the result 2/15 (2 pi)^-3 eps^5 has it.
    """
    return 2.0 / 15.0 * (2.0 * pi) ** -3 * epsilon**5


def photons_to_pair(target: Target, count: int, spin_squared: float) -> float:
    """Amplified photons in place of the pair, over the pair: an order of magnitude.

    Every dipole moment is the scheme's largest and every energy denominator is
    eps_ep. The paper's estimate below Eq. (66) puts d^2/3 for d^2, although Eq. (66)
    has averaged over directions already, and 1 for S_ep^2 Sum |b|^2.

    Parameters
    ----------
    target : Target
    count : int
        Photons besides the signal photon: 2 or 3.
    spin_squared : float
        S_ep^2.
    """
    epsilon = target.epsilon_ep
    photons = dipole_squared(target) ** count * photon_phase_space(epsilon, count)
    current = FERMI_CONSTANT_PER_EV2**2 * spin_squared * RATE_WEIGHTS
    return photons / epsilon ** (2 * (count - 1)) / (current * pair_phase_space(epsilon))


def dipole_squared(target: Target) -> float:
    """Largest squared dipole moment of the scheme, ``3 pi gamma / omega^3``, 1/eV^2."""
    energies = {
        "ep": target.epsilon_ep,
        "pg": target.omega_s,
        "eg": target.omega_1 + target.omega_2,
        "eq": target.omega_2,
        "qg": target.omega_1,
        "qp": target.omega_1 - target.omega_s,
    }
    return max(
        3.0 * pi * rate * PER_S_TO_EV / energies[name] ** 3
        for name, rate in decay_rates(target).items()
        if energies[name] > 0.0
    )


def zeeman_splitting_eV(target: Target, field_G: float) -> float:
    """Splitting of the Kramers partners, ``g mu_B B``, eV."""
    return target.g_factor * BOHR_MAGNETON_EV_PER_T * GAUSS_TO_TESLA * field_G


def partner_share(target: Target, lasers: Lasers) -> float:
    """Coherence, squared, left between the wrong Kramers partners: 1 without a field.

    A Lorentzian of width gamma_ep at the Zeeman splitting. It rejects the
    three-photon process only as far as no T-even operator joins the partners
    chosen. Eq. (65) argues that with states of definite time reversal, but with an
    odd number of electrons T^2 = -1 and there are none: T makes the elements
    of both partners equal or opposite and forbids neither. A symmetry of the
    crystal must.
    """
    splitting = zeeman_splitting_eV(target, lasers.zeeman_field_G) * EV_TO_PER_S
    return 1.0 / (1.0 + (2.0 * splitting / target.gamma_ep_per_s) ** 2)
