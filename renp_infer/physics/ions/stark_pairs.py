"""Elements between the Stark levels of a `Spectrum`: what pairs take, and radiative rates.

At S4 one spherical component q leads from one state to another. With the elements s, m, c
of S, L + 2 S and C^2 in it, all real, the handedness of `channels.interference` along c is

    h = -q m s - m_e eps <r^2> s c (2/3 for q = 0, else 1/sqrt 3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np

from renp_infer.physics.constants import ELECTRON_MASS_EV, PHOTON_EV_CM
from renp_infer.physics.ions.intensities import md_rate_per_s, strength_rate_per_s
from renp_infer.physics.ions.shell import RANKS
from renp_infer.physics.ions.spectrum import IntArray, Spectrum, component
from renp_infer.physics.targets.channels import BOHR_RADIUS_PER_EV
from renp_infer.physics.targets.matrix_elements import three_j
from renp_infer.records import BoolArray, FloatArray

_SMALLEST = 1e-9
"""``|S|^2`` below this is zero by symmetry, with rounding."""


@dataclass(frozen=True, eq=False)
class StarkPairs:
    """The strongest channel from each level e to each level p, all arrays of shape (e, p).

    Attributes
    ----------
    epsilon : ndarray
        Energy of the pair, eV; not above 0 where p is not below e.
    component : ndarray of int
        q of the channel.
    other : ndarray of bool
        Whether it leads to the "-" partner of p.
    spin, magnetic, quadrupole : ndarray
        Elements of S, L + 2 S and C^2 in that component; zero where S has none.
    handedness : ndarray
        Along c.
    delta_mu : ndarray
        <L + g_s S> along c of p less that of e, mu_B.
    weight : ndarray
        2 with a singlet, else 1.
    """

    epsilon: FloatArray
    component: IntArray
    other: BoolArray
    spin: FloatArray
    magnetic: FloatArray
    quadrupole: FloatArray
    handedness: FloatArray
    delta_mu: FloatArray
    weight: IntArray

    @property
    def moment(self) -> FloatArray:
        """``weight h delta_mu``, mu_B: to which the field is proportional at given momentum."""
        return self.weight * self.handedness * self.delta_mu


def stark_pairs(spectrum: Spectrum, upper: IntArray, lower: IntArray, r2: float) -> StarkPairs:
    """Channels from levels ``upper`` (e,) to levels ``lower`` (p,), by their places.

    Parameters
    ----------
    spectrum : Spectrum
    upper, lower : ndarray of int
    r2 : float
        <r^2> of 4f, squared Bohr radii.
    """
    shape = (len(upper), len(lower))
    epsilon = PHOTON_EV_CM * (spectrum.energy[upper][:, None] - spectrum.energy[lower])
    doubles = spectrum.size[upper][:, None] * spectrum.size[lower] == 4
    mu, found = spectrum.moments(), {name: np.zeros(shape) for name in ("s", "m", "c", "h", "d")}
    q_found, other_found = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=bool)
    best = np.full(shape, -1.0)
    for c, final, q, rows, columns in _classes(spectrum, upper, lower):
        place = np.ix_(rows, columns)
        s, m, k = (
            _elements(spectrum, reduced, rank, q, (c, final), upper[rows], lower[columns])
            for reduced, rank in _operators(spectrum)
        )
        share = 2.0 / 3.0 if q == 0 else 1.0 / sqrt(3.0)
        quadrupole = ELECTRON_MASS_EV * r2 * BOHR_RADIUS_PER_EV**2 * epsilon[place] * s * k * share
        h, sign = -q * m * s - quadrupole, -1.0 if final < 0.0 else 1.0
        change = sign * mu[lower[columns]] - mu[upper[rows]][:, None]
        strength = np.where(s**2 < _SMALLEST, -1.0, np.abs(h * change) + 1e-12 * s**2)
        better = strength > best[place]
        values = {"s": s, "m": m, "c": k, "h": h, "d": change}
        for name, value in values.items():
            found[name][place] = np.where(better, value, found[name][place])
        q_found[place] = np.where(better, q, q_found[place])
        other_found[place] = np.where(better, final < 0.0, other_found[place])
        best[place] = np.where(better, strength, best[place])
    return StarkPairs(
        epsilon, q_found, other_found, found["s"], found["m"], found["c"], found["h"],
        found["d"], np.where(doubles, 1, 2),
    )  # fmt: skip


def _operators(spectrum: Spectrum) -> tuple[tuple[FloatArray, int], ...]:
    """S, L + 2 S and C^2 as reduced elements, with their ranks."""
    own = spectrum.multiplets
    return (own.spin, 1), (own.orbital + 2.0 * own.spin, 1), (own.tensors[2], 2)


def _classes(
    spectrum: Spectrum, upper: IntArray, lower: IntArray
) -> Iterator[tuple[float, float, int, IntArray, IntArray]]:
    """Classes of M of e+ and of a state of p that a vector joins, q, and where their levels are.

    From a singlet to a doublet there is one channel: that to its "+" state.
    """
    for c in np.unique(spectrum.kind[upper]):
        rows = np.flatnonzero(spectrum.kind[upper] == c)
        for kind in np.unique(spectrum.kind[lower]):
            columns = np.flatnonzero(spectrum.kind[lower] == kind)
            both = c % 2.0 != 0.0 and kind % 2.0 != 0.0
            for final in (kind, -kind) if both else (kind,):
                q = component(c, final)
                if q is not None:
                    yield float(c), float(final), q, rows, columns


def _elements(
    spectrum: Spectrum, reduced: FloatArray, rank: int, q: int, classes: tuple[float, float],
    upper: IntArray, lower: IntArray,
) -> FloatArray:  # fmt: skip
    """``<p|T|e+>``, shape (e, p), of levels of one kind each."""
    initial, final = spectrum.place[upper], spectrum.place[lower]
    return spectrum.element(reduced, rank, q, *classes, columns=initial, rows=final).T


@dataclass(frozen=True, eq=False)
class Radiation:
    """Radiative rates from each level (a,) to each lower one (b,), 1/s, shape (a, b).

    Attributes
    ----------
    magnetic : ndarray
        Magnetic dipole, from the wave functions.
    electric : ndarray
        Forced electric dipole, with guessed or published Judd-Ofelt intensities.
    """

    magnetic: FloatArray
    electric: FloatArray

    @property
    def total(self) -> FloatArray:
        """Both, 1/s."""
        return self.magnetic + self.electric


def radiation(
    spectrum: Spectrum, upper: IntArray, lower: IntArray, omega_cm2: Mapping[int, float],
    index: float,
) -> Radiation:  # fmt: skip
    """Rates from levels ``upper`` to levels ``lower``; zero where these are not lower.

    The electric strength from a state to a Stark level is taken as
    ``Sum_k Omega_k Sum_q |<U^k_q>|^2``: isotropic light on average over a manifold, as Judd and
    Ofelt have it, while that of a single Stark level is only as good as a factor of a few.

    Parameters
    ----------
    spectrum : Spectrum
    upper, lower : ndarray of int
        Places of levels.
    omega_cm2 : mapping
        Intensities by rank, cm^2.
    index : float
        Refractive index.
    """
    energy = PHOTON_EV_CM * (spectrum.energy[upper][:, None] - spectrum.energy[lower])
    down = np.maximum(energy, 0.0)
    magnetic = _strengths(spectrum, spectrum.moment, 1, upper, lower)
    electric = np.zeros_like(down)
    for k in RANKS:
        single = 49.0 * three_j(3.0, k, 3.0, 0.0, 0.0, 0.0) ** 2  # <3|C^k|3>^2
        tensor = spectrum.multiplets.tensors[k]
        electric += omega_cm2[k] / single * _strengths(spectrum, tensor, k, upper, lower)
    return Radiation(
        magnetic=md_rate_per_s(magnetic, down, index),
        electric=strength_rate_per_s(electric, down, index),
    )


def _strengths(
    spectrum: Spectrum, reduced: FloatArray, k: int, upper: IntArray, lower: IntArray
) -> FloatArray:
    """``Sum |<b|T^k_q|a+>|^2`` over q and the states of each level b, shape (a, b)."""
    found = np.zeros((len(upper), len(lower)))
    for c in np.unique(spectrum.kind[upper]):
        rows = np.flatnonzero(spectrum.kind[upper] == c)
        for kind in np.unique(spectrum.kind[lower]):
            columns = np.flatnonzero(spectrum.kind[lower] == kind)
            for final in {kind, -kind} if kind % 2.0 != 0.0 else {kind}:
                for q in range(-k, k + 1):
                    if (final - c - q) % 4.0 == 0.0:
                        pair = upper[rows], lower[columns]
                        part = _elements(spectrum, reduced, k, q, (c, final), *pair)
                        found[np.ix_(rows, columns)] += part**2
    return found
