"""Channels between Stark levels from their wave functions, for sites of symmetry S4."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np

from renp_infer.physics.ions.crystal_field import Stark, moment, time_reversed
from renp_infer.physics.ions.shell import Shell, cartesian, quadrupole
from renp_infer.physics.targets.channels import QUADRUPOLE, Channel
from renp_infer.records import ComplexArray

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
    moment : ndarray, shape (3, n, n)
        L + g_s S, mu_B.
    quadrupole : ndarray, shape (6, n, n), or None
        Q as in `QUADRUPOLE`, squared Bohr radii.
    reverse : callable
        Time reversal T of a state, shape (n,).
    """

    spin: ComplexArray
    magnetic: ComplexArray
    moment: ComplexArray
    quadrupole: ComplexArray | None
    reverse: Callable[[ComplexArray], ComplexArray]


def channel_operators(shell: Shell, r2: float | None) -> Operators:
    """Operators of a shell; <r^2> of 4f in squared Bohr radii, without which there is no Q."""
    return Operators(
        spin=cartesian(shell.spin),
        magnetic=cartesian(shell.orbital + 2.0 * shell.spin),
        moment=moment(shell),
        quadrupole=None if r2 is None else r2 * _upper(quadrupole(shell)),
        reverse=lambda state: time_reversed(shell, state[:, None])[:, 0],
    )


def _upper(tensor: ComplexArray) -> ComplexArray:
    """The six components of `QUADRUPOLE`, shape (6, n, n), of a symmetric tensor."""
    return np.array([tensor["xyz".index(ij[0]), "xyz".index(ij[1])] for ij in QUADRUPOLE])


def plus_state(level: Stark) -> ComplexArray:
    """State of a doublet with M > 0 modulo 4, or the state of a singlet, shape (n,)."""
    return level.states[:, int(np.argmax(level.classes))]


def channels_between(
    operators: Operators, upper: Stark, lower: Stark, names: tuple[int, int], epsilon: float
) -> list[Channel]:
    """Channels between two levels in which S does not vanish.

    The "-" partners are ``T|+>``. Phases are such that the largest spherical component of S is
    positive in every channel; where there is one, ``T|singlet> = |singlet>`` for one
    of the levels, or <p+|mu|p->, else <e+|mu|e->, has its largest component positive.

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
    sizes = (len(upper.classes), len(lower.classes))
    initial, final = _gauged(operators, plus_state(upper), plus_state(lower), sizes)
    finals = {"same": final}
    if sizes == (2, 2):
        finals["other"] = operators.reverse(final)
    flip = (_flip(operators, initial, sizes[0]), _flip(operators, final, sizes[1]))
    found = []
    for partners, state in finals.items():
        spin, quad = _element(operators.spin, state, initial), operators.quadrupole
        if np.sum(np.abs(spin) ** 2) < _SMALLEST:
            continue
        mu = [_diagonal(operators.moment[2], s) for s in (initial, state)]
        found.append(
            Channel(
                e=names[0],
                p=names[1],
                partners=partners,
                states=sizes,
                epsilon=round(epsilon, 7),
                spin=_rounded(spin),
                magnetic=_rounded(_element(operators.magnetic, state, initial)),
                quadrupole=None if quad is None else _rounded(_element(quad, state, initial)),
                mu=(_number(mu[0]) * (sizes[0] - 1), _number(mu[1]) * (sizes[1] - 1)),
                flip=(_rounded(flip[0]), _rounded(flip[1])),
            )
        )
    return found


def _flip(operators: Operators, state: ComplexArray, size: int) -> ComplexArray:
    """<+|mu|-> of a doublet, shape (3,); zero for a singlet."""
    if size == 1:
        return np.zeros(3, dtype=complex)
    return _element(operators.moment, state, operators.reverse(state))


def _gauged(
    operators: Operators, initial: ComplexArray, final: ComplexArray, sizes: tuple[int, int]
) -> tuple[ComplexArray, ComplexArray]:
    """States e+ and p+ with the phases of `channels_between`."""
    same = _element(operators.spin, final, initial)
    other = np.zeros(3, dtype=complex)
    if sizes == (2, 2):
        other = _element(operators.spin, operators.reverse(final), initial)
    rows, angles = [], []
    if np.sum(np.abs(same) ** 2) > _SMALLEST:  # beta - alpha: of e+ and p+
        rows.append((1.0, -1.0))
        angles.append(-_angle(same))
    if np.sum(np.abs(other) ** 2) > _SMALLEST:
        rows.append((1.0, 1.0))
        angles.append(-_angle(other))
    if len(rows) == 1:
        row, angle = _second_phase(operators, initial, final, sizes)
        rows.append(row)
        angles.append(angle)
    if not rows:
        return initial, final
    beta, alpha = np.linalg.solve(np.array(rows), np.array(angles))
    return initial * np.exp(1j * beta), final * np.exp(1j * alpha)


def _second_phase(
    operators: Operators, initial: ComplexArray, final: ComplexArray, sizes: tuple[int, int]
) -> tuple[tuple[float, float], float]:
    """Condition on the phases (beta, alpha) of e+ and p+ that S leaves open."""
    for state, size, row in ((initial, sizes[0], (2.0, 0.0)), (final, sizes[1], (0.0, 2.0))):
        if size == 1:
            return row, float(np.angle(np.vdot(state, operators.reverse(state))))
    for state, row in ((final, (0.0, 2.0)), (initial, (2.0, 0.0))):
        flip = _flip(operators, state, 2)
        if np.max(np.abs(flip)) > _ROUNDING:
            return row, _angle(flip)
    return (0.0, 1.0), 0.0


def _element(operators: ComplexArray, final: ComplexArray, initial: ComplexArray) -> ComplexArray:
    return (operators @ initial) @ final.conj()


def _diagonal(operator: ComplexArray, state: ComplexArray) -> float:
    return float(np.real(state.conj() @ operator @ state))


def _angle(vector: ComplexArray) -> float:
    """Phase of the largest of the components -, 0, +, rad."""
    x, y, z = vector
    spherical = [(x - 1j * y) / sqrt(2.0), z, -(x + 1j * y) / sqrt(2.0)]
    return float(np.angle(max(spherical, key=abs)))


def _number(value: float) -> float:
    return 0.0 if abs(value) < _ROUNDING else float(f"{value:.{_DIGITS}g}")


def _rounded(vector: ComplexArray) -> tuple[complex, ...]:
    return tuple(complex(_number(v.real), _number(v.imag)) for v in vector)
