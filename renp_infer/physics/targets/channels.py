"""Channels of an ion: what a neutrino pair takes from it, and the moment that it leaves.

A channel leads from the "+" partner of Stark level e to a partner of level p, with the
elements ``<p|X|e>`` of

    S = Sum s,   M = L + 2 S,   Q_ij = Sum (r_i r_j - r^2 delta_ij / 3)

over the 4f electrons, z along the c axis. Here S is the spin, as in the paper; the
axial current of the pair is ``A = <Sum sigma> = 2 S``. From the "-" partner
``S_- = -S_+*, M_- = -M_+*, Q_- = Q_+*`` and the moments change sign (time reversal). The
vector current is ``V = (i / 2 m_e) (P x M + i m_e eps Q P)``, magnetic dipole and electric
quadrupole: the pair's momentum P interferes with S by ``P . interference``, and the sign
of it times `Channel.delta_mu` does not depend on which partner is called "+".
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from renp_infer.errors import ConfigError
from renp_infer.physics.constants import ELECTRON_MASS_EV, FINE_STRUCTURE
from renp_infer.physics.targets.reader import Reader, checked
from renp_infer.records import FloatArray

ComplexArray = NDArray[np.complex128]
PARTNERS = ("same", "other")
"""From e+ to p+, or from e+ to p-."""
BOHR_RADIUS_PER_EV = 1.0 / (FINE_STRUCTURE * ELECTRON_MASS_EV)
"""a_0 in natural units, 1/eV."""
QUADRUPOLE = ("xx", "xy", "xz", "yy", "yz", "zz")
_KEYS = ("e", "p", "partners", "states", "epsilon_eV", "S", "M", "Q", "mu", "mu_flip")
_UNITS = {"unit_S": "1", "unit_M": "1", "unit_Q": "a0^2", "unit_mu": "mu_B"}
_TRACE = 1e-6
"""Largest trace of Q, in a_0^2; files have eight digits."""
_ZERO = 1e-12
"""An interference below this is zero by symmetry, with rounding."""

Vector = tuple[complex, ...]


@dataclass(frozen=True)
class Channel:
    """Transition from a state of level e to a state of level p.

    Attributes
    ----------
    e, p : int
        Stark levels in their manifolds, from 1.
    partners : str
        "same": e+ to p+; "other": e+ to p-. A singlet is its own partner: "same".
    states : tuple of int
        Degeneracies of e and p: 2 or 1.
    epsilon : float
        Energy of the pair, eV.
    spin, magnetic : tuple of complex
        x, y, z of S and of L + 2 S.
    quadrupole : tuple of complex or None
        Q as in `QUADRUPOLE`, in units of the squared Bohr radius; None: not known.
    mu : tuple of float
        <L + g_s S> along c before and after, mu_B: e+, then p of this channel.
    flip : tuple of tuple of complex, or None
        x, y, z of ``<e+|L + g_s S|e->`` and of ``<p+|L + g_s S|p->``, mu_B; zero for a
        singlet; None: not known. For light that mixes partners.
    """

    e: int
    p: int
    partners: str
    states: tuple[int, int]
    epsilon: float
    spin: Vector
    magnetic: Vector
    quadrupole: Vector | None
    mu: tuple[float, float]
    flip: tuple[Vector, Vector] | None = None

    @property
    def spin_squared(self) -> float:
        """``|S|^2`` of this channel alone."""
        return float(np.sum(np.abs(self.spin) ** 2))

    @property
    def delta_mu(self) -> float:
        """Moment after less moment before, along c, mu_B: effective g / 2 each."""
        return self.mu[1] - self.mu[0]

    @property
    def weight(self) -> int:
        """Factor of rate and moment against those between two doublets: 2 with a singlet.

        Ions of two doublets share one coherence among two ladders; with a singlet
        every ion is in the one there is.
        """
        return 1 if self.states == (2, 2) else 2


def magnetic_part(channel: Channel) -> FloatArray:
    """``Im(M* x S)``, shape (3,), dimensionless."""
    return np.imag(np.cross(np.conj(channel.magnetic), channel.spin))


def quadrupole_part(channel: Channel) -> FloatArray:
    """``-m_e eps Re(S_i Q_ij*)``, shape (3,), dimensionless; zero where Q is not known."""
    tensor = quadrupole_tensor(channel)
    return -ELECTRON_MASS_EV * channel.epsilon * np.real(np.array(channel.spin) @ tensor.conj())


def quadrupole_tensor(channel: Channel) -> ComplexArray:
    """Q of a channel, shape (3, 3), 1/eV^2; zero where it is not known."""
    xx, xy, xz, yy, yz, zz = channel.quadrupole or (0.0,) * 6
    tensor = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]], dtype=complex)
    return np.asarray(BOHR_RADIUS_PER_EV**2 * tensor, dtype=np.complex128)


def interference(channel: Channel) -> FloatArray:
    """Vector whose product with P makes the parity-violating moment, shape (3,).

    ``Im(M* x S) - m_e eps Re(S_i Q_ij*)``: S with weak magnetism and the electric
    quadrupole. At sites of symmetry S4 it lies along c.
    """
    return magnetic_part(channel) + quadrupole_part(channel)


def axis(channel: Channel) -> FloatArray | None:
    """Unit vector n along `interference`; None where that is zero."""
    vector = interference(channel)
    size = float(np.linalg.norm(vector))
    return None if size < _ZERO else vector / size


def figure_of_merit(channel: Channel) -> float:
    """``weight (P . interference) delta_mu`` for P = eps / sqrt(3) along +c, eV mu_B.

    That is where the moment of massless pairs is largest. It does not depend on the
    phases of the wave functions, nor on which partner is called "+".
    """
    along = float(interference(channel)[2])
    return channel.weight * channel.epsilon / sqrt(3.0) * along * channel.delta_mu


_HALF = 1.0 / sqrt(2.0)
_SHAPES: dict[int, Vector] = {
    -1: (_HALF, 1j * _HALF, 0.0), 0: (0.0, 0.0, 1.0), 1: (-_HALF, 1j * _HALF, 0.0),
}  # fmt: skip


def vector_of(component: int, element: float) -> Vector:
    """x, y, z of a vector with one spherical component, -1, 0 or 1."""
    return tuple(complex(element * x) for x in _SHAPES[component])


def quadrupole_of(component: int, element: float) -> Vector:
    """Q as in `QUADRUPOLE` where C^2 has one component, -1, 0 or 1: in units of <r^2>."""
    if component == 0:
        zz = 2.0 / 3.0 * element
        return (complex(-zz / 2.0), 0j, 0j, complex(-zz / 2.0), 0j, complex(zz))
    across = element / sqrt(6.0)
    return (0j, 0j, complex(-component * across), 0j, complex(0.0, across), 0j)


def leading_channel(squared: float, step: int, epsilon: float, mu: tuple[float, float]) -> Channel:
    """Channel of one component M_e to M_p between levels of pure J that differ.

    J = L + S has no elements there, so that L + 2 S has those of S: M = S. For the
    lowest levels of 2H11/2 and 4I13/2 in LiYF4, whose J are mixed by the crystal
    field, M is 0.885 S.

    Parameters
    ----------
    squared : float
        S_ep^2, Eq. (33).
    step : int
        M_p - M_e: -1, 0 or 1.
    epsilon : float
        Energy of the pair, eV.
    mu : tuple of float
        g_J M_e and g_J M_p, mu_B.
    """
    spin = vector_of(step, sqrt(squared))
    return Channel(1, 1, "same", (2, 2), epsilon, spin, spin, None, mu)


@dataclass(frozen=True, eq=False)
class Elements:
    """All elements between two levels, rows p+, p- and columns e+, e-, for any light.

    Attributes
    ----------
    spin, magnetic : ndarray, shape (3, n_p, n_e), complex
    quadrupole : ndarray, shape (3, 3, n_p, n_e), complex
        1/eV^2; zero where Q is not known.
    moment_e, moment_p : ndarray, shape (3, n, n), complex
        L + g_s S, mu_B; without components across c where `Channel.flip` is not known.
    """

    spin: ComplexArray
    magnetic: ComplexArray
    quadrupole: ComplexArray
    moment_e: ComplexArray
    moment_p: ComplexArray


def elements(channels: tuple[Channel, ...]) -> Elements:
    """Elements between two levels from their channels, with time reversal for the rest.

    ``|-> = T|+>``, and ``T T = -1`` where a channel leads to the other partner: at S4
    only Kramers ions have one.

    Parameters
    ----------
    channels : tuple of Channel
        One or both between one e and one p.
    """
    n_e, n_p = channels[0].states
    spin, magnetic = (np.zeros((3, n_p, n_e), dtype=complex) for _ in range(2))
    quad = np.zeros((3, 3, n_p, n_e), dtype=complex)
    mu = [0.0, 0.0]
    for channel in channels:
        tensor = quadrupole_tensor(channel)
        sign = 1.0 if channel.partners == "same" else -1.0  # T T = -1
        row = 0 if channel.partners == "same" else 1
        mu = [channel.mu[0], sign * channel.mu[1]]
        for whole, part, odd in ((spin, channel.spin, -1.0), (magnetic, channel.magnetic, -1.0),
                                 (quad, tensor, 1.0)):  # fmt: skip
            whole[..., row, 0] = part
            if (n_e, n_p) != (1, 1):
                back = (1 - row) if n_p == 2 else 0
                whole[..., back, n_e - 1] = odd * sign * np.conj(part)
    flip = channels[0].flip or ((0.0,) * 3,) * 2
    sides = [_moment(m, f, n) for m, f, n in zip(mu, flip, (n_e, n_p), strict=True)]
    return Elements(spin, magnetic, quad, *sides)


def _moment(mu: float, flip: Vector, size: int) -> ComplexArray:
    found = np.zeros((3, size, size), dtype=complex)
    if size == 2:
        found[2] = np.diag([mu, -mu])
        found[:, 0, 1] += np.array(flip)
        found[:, 1, 0] += np.conj(flip)
    return found


def read_channels(raw: Reader) -> tuple[Channel, ...]:
    """Read ``[currents]`` of a scheme; empty where it has none.

    Raises
    ------
    ConfigError
        A key is unknown, missing or of the wrong kind, or a channel stands twice.
    """
    if raw.at("currents") is None:
        return ()
    raw.refuse_unknown(("source", "note", "r2", *_UNITS, "channels"), "currents")
    raw.text("currents.source")
    for name, unit in _UNITS.items():
        if raw.at(f"currents.{name}") != unit:
            raise ConfigError(raw.label(f"currents.{name}"), raw.at(f"currents.{name}"), repr(unit))
    rows = raw.at("currents.channels")
    if not isinstance(rows, list) or not rows or not all(isinstance(r, dict) for r in rows):
        raise ConfigError(raw.label("currents.channels"), rows, "tables [[currents.channels]]")
    found = tuple(_channel(row, raw, k) for k, row in enumerate(rows))
    keys = [(c.e, c.p, c.partners) for c in found]
    for k, key in enumerate(keys):
        if key in keys[:k]:
            raise ConfigError(raw.label(f"currents.channels[{k}]"), key, "each channel once")
    return found


def _channel(row: dict[str, Any], raw: Reader, k: int) -> Channel:
    """One row; errors count from 0, as lists of a parsed file do."""
    inside, path = Reader(row, raw.file), raw.label(f"currents.channels[{k}]")
    try:
        inside.refuse_unknown(_KEYS)
    except ConfigError as error:
        name = error.path.partition(":")[2]
        raise ConfigError(f"{path}.{name}", error.given, error.allowed, error.hint) from None
    states, partners = row.get("states"), row.get("partners")
    whole = isinstance(states, list) and all(type(n) is int for n in states)
    if not whole or states not in ([2, 2], [1, 2], [2, 1], [1, 1]):
        raise ConfigError(f"{path}.states", states, "degeneracies of e and p: [2, 2] or with 1")
    if partners not in PARTNERS:
        raise ConfigError(f"{path}.partners", partners, ", ".join(PARTNERS))
    if partners == "other" and states != [2, 2]:
        raise ConfigError(f"{path}.partners", partners, "same: a singlet has no other partner")
    mu = _numbers(row.get("mu"), f"{path}.mu", 2)
    for place, (size, value) in enumerate(zip(states, mu, strict=True)):
        if size == 1 and value != 0.0:
            raise ConfigError(f"{path}.mu[{place}]", value, "0: a singlet has no moment")
    return Channel(
        e=_stark(row.get("e"), f"{path}.e"),
        p=_stark(row.get("p"), f"{path}.p"),
        partners=partners,
        states=(states[0], states[1]),
        epsilon=checked(row.get("epsilon_eV"), f"{path}.epsilon_eV"),
        spin=_vector(row.get("S"), f"{path}.S", 3),
        magnetic=_vector(row.get("M"), f"{path}.M", 3),
        quadrupole=_quadrupole(row, path),
        mu=(mu[0], mu[1]),
        flip=_flip(row, path, states),
    )


def _stark(value: Any, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(key, value, "an integer from 1: 1 is the lowest level")
    return value


def _numbers(values: Any, key: str, length: int) -> tuple[float, ...]:
    if not isinstance(values, list) or len(values) != length:
        raise ConfigError(key, values, f"a list of {length} numbers")
    return tuple(checked(v, f"{key}[{n}]", -np.inf) for n, v in enumerate(values))


def _vector(values: Any, key: str, length: int) -> Vector:
    if not isinstance(values, list) or len(values) != length:
        raise ConfigError(key, values, f"a list of {length} pairs [real, imaginary]")
    pairs = [_numbers(pair, f"{key}[{n}]", 2) for n, pair in enumerate(values)]
    return tuple(complex(*pair) for pair in pairs)


def _quadrupole(row: dict[str, Any], path: str) -> Vector | None:
    if row.get("Q") is None:
        return None
    found = _vector(row["Q"], f"{path}.Q", len(QUADRUPOLE))
    trace = found[0] + found[3] + found[5]
    if abs(trace) > _TRACE:
        raise ConfigError(f"{path}.Q", row["Q"], "xx + yy + zz = 0")
    return found


def _flip(row: dict[str, Any], path: str, states: list[int]) -> tuple[Vector, Vector] | None:
    values, key = row.get("mu_flip"), f"{path}.mu_flip"
    if values is None:
        return None
    if not isinstance(values, list) or len(values) != 2:
        raise ConfigError(key, values, "two vectors, of e and of p")
    before, after = (_vector(value, f"{key}[{n}]", 3) for n, value in enumerate(values))
    for place, (size, vector) in enumerate(zip(states, (before, after), strict=True)):
        if size == 1 and any(vector):
            raise ConfigError(f"{key}[{place}]", values[place], "zero: a singlet has no moment")
    return before, after
