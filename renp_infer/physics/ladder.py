"""Channels between Stark levels from their wave functions, for sites of symmetry S4."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from renp_infer.physics.channels import QUADRUPOLE, Channel
from renp_infer.physics.crystal_field import ComplexArray, Stark, moment
from renp_infer.physics.shell import Shell, cartesian, quadrupole

_SMALLEST = 1e-9
"""A channel with ``|S|^2`` below this is forbidden, with rounding."""
_DIGITS = 8
_ROUNDING = 1e-10
"""Elements below this are zero, with rounding."""


@dataclass(frozen=True)
class Operators:
    """Cartesian matrices that channels need, made once for many pairs of levels.

    Attributes
    ----------
    spin, magnetic : ndarray, shape (3, n, n)
        S and L + 2 S.
    moment : ndarray, shape (n, n)
        L + g_s S along c, mu_B.
    quadrupole : ndarray, shape (6, n, n), or None
        Q as in `QUADRUPOLE`, squared Bohr radii.
    """

    spin: ComplexArray
    magnetic: ComplexArray
    moment: ComplexArray
    quadrupole: ComplexArray | None


def channel_operators(shell: Shell, r2: float | None) -> Operators:
    """Operators of a shell; <r^2> of 4f in squared Bohr radii, without which there is no Q."""
    return Operators(
        spin=cartesian(shell.spin),
        magnetic=cartesian(shell.orbital + 2.0 * shell.spin),
        moment=moment(shell)[2],
        quadrupole=None if r2 is None else r2 * _upper(quadrupole(shell)),
    )


def _upper(tensor: ComplexArray) -> ComplexArray:
    """The six components of `QUADRUPOLE`, shape (6, n, n), of a symmetric tensor."""
    return np.array([tensor["xyz".index(ij[0]), "xyz".index(ij[1])] for ij in QUADRUPOLE])


def plus_state(level: Stark) -> ComplexArray:
    """State of a doublet with M > 0 modulo 4, or the state of a singlet, shape (n,)."""
    return level.states[:, int(np.argmax(level.classes))]


def minus_state(level: Stark) -> ComplexArray:
    """State of a doublet with M < 0 modulo 4, shape (n,)."""
    return level.states[:, int(np.argmin(level.classes))]


def channels_between(
    operators: Operators, upper: Stark, lower: Stark, names: tuple[int, int], epsilon: float
) -> list[Channel]:
    """Channels between two levels in which S does not vanish.

    Phases are such that the largest spherical component of S is positive.

    Parameters
    ----------
    operators : Operators
    upper, lower : Stark
        Levels e and p.
    names : tuple of int
        Their numbers in their manifolds.
    epsilon : float
        Energy of the pair, eV.
    """
    states = (len(upper.classes), len(lower.classes))
    initial, finals = plus_state(upper), {"same": plus_state(lower)}
    if states == (2, 2):
        finals["other"] = minus_state(lower)
    found = []
    for partners, final in finals.items():
        spin = _element(operators.spin, final, initial)
        if np.sum(np.abs(spin) ** 2) < _SMALLEST:
            continue
        back = _phase(spin).conjugate()
        others, quad = operators.magnetic, operators.quadrupole
        mu = [_diagonal(operators.moment, state) for state in (initial, final)]
        found.append(
            Channel(
                e=names[0],
                p=names[1],
                partners=partners,
                states=states,
                epsilon=round(epsilon, 7),
                spin=_rounded(back * spin),
                magnetic=_rounded(back * _element(others, final, initial)),
                quadrupole=None
                if quad is None
                else _rounded(back * _element(quad, final, initial)),
                mu=(_number(mu[0]) * (states[0] - 1), _number(mu[1]) * (states[1] - 1)),
            )
        )
    return found


def _element(operators: ComplexArray, final: ComplexArray, initial: ComplexArray) -> ComplexArray:
    return (operators @ initial) @ final.conj()


def _diagonal(operator: ComplexArray, state: ComplexArray) -> float:
    return float(np.real(state.conj() @ operator @ state))


def _phase(spin: ComplexArray) -> complex:
    """Phase of the largest of S_-, S_0, S_+."""
    x, y, z = spin
    spherical = [(x - 1j * y) / sqrt(2.0), z, -(x + 1j * y) / sqrt(2.0)]
    largest = complex(max(spherical, key=abs))
    return largest / abs(largest)


def _number(value: float) -> float:
    return 0.0 if abs(value) < _ROUNDING else float(f"{value:.{_DIGITS}g}")


def _rounded(vector: ComplexArray) -> tuple[complex, ...]:
    return tuple(complex(_number(v.real), _number(v.imag)) for v in vector)
