"""Currents of the electrons between two Stark levels, to first order in P.

The pair carries q = (eps, P) away from an ion in e, which is left in p. With all
matrix elements from e to p, <p| . |e>, and the operator e^{-i P.r},

    A   = (0, 2 S),                                    axial, slow electrons
    V_i = v_i + (i/2m) (P x M)_i - (eps/2) Q_ij P_j,   M = L + 2 S, Q_ij = r_i r_j
    V_0 = P.V / eps,                                   conservation, q.V = 0

v is the E1 element, v = -i eps r; the antisymmetric part of -i P_j v_i r_j is the
orbital half of weak magnetism, its symmetric part the electric quadrupole.

Time reversal turns the transition between two states into that between their
Kramers partners: S, M and v go to minus, Q to plus their complex conjugates.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from renp_infer.errors import DomainError
from renp_infer.physics.constants import ELECTRON_MASS_EV
from renp_infer.physics.pairs.pair_tensor import CurrentPair
from renp_infer.records import ComplexArray, FloatArray

VectorCurrent = Literal["spatial", "conserved"]
_DEFINITE = 1e-6
"""Largest moment between partners, mu_B, that is rounding."""


def _zeros(*shape: int) -> Any:
    return field(default_factory=lambda: np.zeros(shape, dtype=complex))


@dataclass(frozen=True, eq=False)
class Currents:
    """Transition e to p of one partner, the "+" channel; the other follows from it.

    Attributes
    ----------
    spin : ndarray, shape (3,), complex
        S = <p|S|e>; z is the crystal's c axis, as in the scheme's wave functions.
    magnetic : ndarray, shape (3,), complex
        M = <p|L + 2 S|e>.
    quadrupole : ndarray, shape (3, 3), complex
        Q_ij = <p|Sum r_i r_j|e>, 1/eV^2.
    velocity : ndarray, shape (3,), complex
        v = <p|Sum v|e> of the forced electric dipole.
    delta_mu : float
        mu_p - mu_e of this channel along ``axis``, mu_B, each the mean of L + 2 S: g/2
        with its sign. Electrons being negative, the magnetization is minus that.
    axis : ndarray, shape (3,)
        Unit vector of the moments: c at an S4 site.
    doublets : int
        How many of e and p are doublets. 2: Kramers or non-Kramers; 1: a singlet and
        a doublet, delta_mu its moment; 0: two singlets, which have no moment.

    Raises
    ------
    DomainError
        A wrong shape, a number that is not finite, an axis that is no unit vector, or
        a moment of two singlets.
    """

    spin: ComplexArray
    magnetic: ComplexArray = _zeros(3)
    quadrupole: ComplexArray = _zeros(3, 3)
    velocity: ComplexArray = _zeros(3)
    delta_mu: float = 0.0
    axis: FloatArray = field(default_factory=lambda: np.array([0.0, 0.0, 1.0]))
    doublets: int = 2

    def __post_init__(self) -> None:
        for name in ("spin", "magnetic", "quadrupole", "velocity", "axis"):
            shape = (3, 3) if name == "quadrupole" else (3,)
            _freeze(self, name, shape, float if name == "axis" else complex)
        if not np.isfinite(self.delta_mu):
            raise DomainError("delta_mu", self.delta_mu, "finite")
        if not abs(float(np.linalg.norm(self.axis)) - 1.0) < 1e-9:
            raise DomainError("axis", self.axis.tolist(), "a unit vector")
        if self.doublets not in (0, 1, 2):
            raise DomainError("doublets", self.doublets, "0, 1 or 2")
        if self.doublets == 0 and self.delta_mu != 0.0:
            raise DomainError("delta_mu", self.delta_mu, "0 between two singlets")

    @property
    def partner(self) -> Currents:
        """The time-reversed channel."""
        return Currents(
            spin=-self.spin.conj(),
            magnetic=-self.magnetic.conj(),
            quadrupole=self.quadrupole.conj(),
            velocity=-self.velocity.conj(),
            delta_mu=-self.delta_mu,
            axis=self.axis,
            doublets=self.doublets,
        )

    def handedness(self, epsilon: float) -> FloatArray:
        """``Im(M* x S)_j - m_e eps Re(S_i Q_ij*)``: what P is projected on, shape (3,).

        Parameters
        ----------
        epsilon : float
            Energy of the pair, eV.
        """
        magnetic = np.cross(self.magnetic.conj(), self.spin).imag
        electric = (self.spin @ self.quadrupole.conj()).real
        return np.asarray(magnetic - ELECTRON_MASS_EV * epsilon * electric)

    def four(
        self, epsilon: float, momentum: ArrayLike, vector_current: VectorCurrent = "conserved"
    ) -> CurrentPair:
        """Four-currents A^mu and V^mu, each of shape (..., 4).

        Parameters
        ----------
        epsilon : float
            Energy of the pair, eV.
        momentum : array_like, shape (..., 3)
            P, eV.
        vector_current : {"conserved", "spatial"}
            V_0 = P.V/eps, or zero and v alone, as the paper has it.
        """
        return four_currents(
            self.spin, self.magnetic, self.quadrupole, self.velocity, epsilon, momentum,
            vector_current,
        )  # fmt: skip


def _freeze(record: Any, name: str, shape: tuple[int, ...], kind: type) -> None:
    """Make a field a read-only array of its own, of the right shape and finite."""
    value: NDArray[Any] = np.array(getattr(record, name), dtype=kind)
    if value.shape != shape or not np.isfinite(value).all():
        raise DomainError(name, value.tolist(), f"finite numbers, shape {shape}")
    value.flags.writeable = False
    object.__setattr__(record, name, value)


def four_currents(
    spin: ComplexArray,
    magnetic: ComplexArray,
    quadrupole: ComplexArray,
    velocity: ComplexArray,
    epsilon: float,
    momentum: ArrayLike,
    vector_current: VectorCurrent,
) -> CurrentPair:
    """A^mu and V^mu from the elements of one transition; see `Currents.four`."""
    p = np.asarray(momentum, dtype=float)
    lead = p.shape[:-1]
    axial = np.broadcast_to(np.concatenate([[0.0], 2.0 * spin]), (*lead, 4))
    if vector_current == "spatial":
        return CurrentPair(axial, np.broadcast_to(np.concatenate([[0.0], velocity]), (*lead, 4)))
    space = velocity + 0.5j / ELECTRON_MASS_EV * np.cross(p, magnetic)
    space = space - 0.5 * epsilon * (p @ quadrupole.T)
    charge = np.sum(p * space, axis=-1, keepdims=True) / epsilon
    return CurrentPair(axial, np.concatenate([charge, space], axis=-1))


@dataclass(frozen=True, eq=False)
class Channels:
    """All transitions between the states of two Stark levels, for any light.

    Lasers leave each ion with a coherence between e and p; its mean over the ions is
    ``<X> = rho_L Tr(ladder X)``. The vector forms of `Currents` are special cases.

    Attributes
    ----------
    spin, magnetic, velocity : ndarray, shape (3, n_p, n_e), complex
    quadrupole : ndarray, shape (3, 3, n_p, n_e), complex
        1/eV^2.
    moment_p : ndarray, shape (3, n_p, n_p), complex
        Moment in mu_B, in the sign of L + 2 S.
    moment_e : ndarray, shape (3, n_e, n_e), complex
    """

    spin: ComplexArray
    magnetic: ComplexArray
    quadrupole: ComplexArray
    velocity: ComplexArray
    moment_p: ComplexArray
    moment_e: ComplexArray

    def __post_init__(self) -> None:
        n_p, n_e = np.shape(self.spin)[1:]
        for one in fields(self):
            tail = {"moment_p": (n_p, n_p), "moment_e": (n_e, n_e)}.get(one.name, (n_p, n_e))
            lead = (3, 3) if one.name == "quadrupole" else (3,)
            _freeze(self, one.name, (*lead, *tail), complex)

    def mean(
        self,
        ladder: ComplexArray,
        epsilon: float,
        momentum: ArrayLike,
        vector_current: VectorCurrent = "conserved",
    ) -> CurrentPair:
        """``Tr(ladder J^mu)``, each of shape (..., 4).

        Parameters
        ----------
        ladder : ndarray, shape (n_e, n_p)
        epsilon, momentum, vector_current
            See `Currents.four`.
        """
        parts = (self.spin, self.magnetic, self.quadrupole, self.velocity)
        return self._four(ladder, parts, epsilon, momentum, vector_current)

    def mean_change(
        self, ladder: ComplexArray, k: int, epsilon: float, momentum: ArrayLike
    ) -> CurrentPair:
        """``Tr(ladder [m_k, J^mu])``: moment before from after, in mu_B, conserved V.

        Parameters
        ----------
        ladder : ndarray, shape (n_e, n_p)
        k : int
            Component of the moment.
        epsilon, momentum
            See `Currents.four`.
        """
        after, before = self.moment_p[k], self.moment_e[k]
        whole = (self.spin, self.magnetic, self.quadrupole, self.velocity)
        parts = tuple(after @ part - part @ before for part in whole)
        return self._four(ladder, parts, epsilon, momentum, "conserved")

    def currents(self, p: int, e: int) -> Currents:
        """The channel from state e to state p as the "+" one, moments along z.

        Parameters
        ----------
        p, e : int
            States of definite moment along z.

        Raises
        ------
        DomainError
            If a state of a doublet has no definite moment along z.
        """
        moments = self.moment_p[2], self.moment_e[2]
        for name, matrix in zip(("moment_p", "moment_e"), moments, strict=True):
            mixed = float(np.max(np.abs(matrix - np.diag(np.diag(matrix))), initial=0.0))
            if mixed > _DEFINITE:
                raise DomainError(f"{name} along z between partners, mu_B", mixed, "0")
        return Currents(
            spin=self.spin[:, p, e],
            magnetic=self.magnetic[:, p, e],
            quadrupole=self.quadrupole[:, :, p, e],
            velocity=self.velocity[:, p, e],
            delta_mu=float(moments[0][p, p].real - moments[1][e, e].real),
            doublets=sum(len(matrix) == 2 for matrix in moments),
        )

    def _four(
        self,
        ladder: ComplexArray,
        parts: tuple[ComplexArray, ...],
        epsilon: float,
        momentum: ArrayLike,
        vector_current: VectorCurrent,
    ) -> CurrentPair:
        spin, magnetic, quadrupole, velocity = (
            np.einsum("ep,...pe->...", ladder, part) for part in parts
        )
        return four_currents(
            spin, magnetic, quadrupole, velocity, epsilon, momentum, vector_current
        )


def partner_channels(currents: Currents) -> Channels:
    """`Channels` of two doublets whose partners do not mix, from the "+" channel."""
    other = currents.partner
    moment = 0.5 * currents.delta_mu * currents.axis[:, None, None] * np.diag([1.0, -1.0])

    def diagonal(name: str) -> ComplexArray:
        plus, minus = getattr(currents, name), getattr(other, name)
        return np.asarray(
            plus[..., None, None] * np.diag([1.0, 0.0])
            + minus[..., None, None] * np.diag([0.0, 1.0])
        )

    return Channels(
        spin=diagonal("spin"),
        magnetic=diagonal("magnetic"),
        quadrupole=diagonal("quadrupole"),
        velocity=diagonal("velocity"),
        moment_p=moment.astype(complex),
        moment_e=-moment.astype(complex),
    )


def doublet_ladder(laser_phase: float, polarisation: float = 0.0) -> ComplexArray:
    """Ladder matrix of two doublets, partners at a relative phase ``2 laser_phase``.

    Parameters
    ----------
    laser_phase : float
        phi of the event rate, rad.
    polarisation : float
        (n_+ - n_-)/n of the ions.
    """
    shares = 0.5 * np.array([1.0 + polarisation, 1.0 - polarisation])
    return np.diag(shares * np.exp(np.array([0.0, 2.0j * laser_phase])))
