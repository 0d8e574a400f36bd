"""Random couplings and currents without any symmetry but those that are meant."""

from __future__ import annotations

import numpy as np

from renp_infer.physics.signal.currents import Channels, Currents

EPSILON = 1.5896
MASSES = ((0.0, 0.0, 0.0), (0.01, 0.0132, 0.0511), (0.05, 0.2, 0.45), (0.0, 0.3, 0.3))
NATURES = ("dirac", "majorana")


def complex_numbers(rng, *shape):
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


def hermitian(rng, size=3):
    matrix = complex_numbers(rng, size, size)
    return matrix + matrix.conj().T


def momentum(rng, masses, epsilon=EPSILON):
    """P inside the support of the lightest pair at least, often near its edge."""
    rim = np.sqrt(epsilon**2 - 4.0 * min(masses) ** 2)
    direction = rng.normal(size=3)
    return rim * (1.0 - 10.0 ** rng.uniform(-3.0, 0.0)) * direction / np.linalg.norm(direction)


def currents(rng, **changes):
    """S, M, Q and v of an ion that has no symmetry at all."""
    quadrupole = complex_numbers(rng, 3, 3) * 1e-6
    values = {
        "spin": complex_numbers(rng, 3),
        "magnetic": complex_numbers(rng, 3),
        "quadrupole": quadrupole + quadrupole.T,
        "velocity": complex_numbers(rng, 3) * 1e-6,
        "delta_mu": 1.7,
    }
    return Currents(**(values | changes))


def antiunitary(size, kramers):
    """U of T = U K of a level: T^2 = -1 for Kramers doublets, +1 for even electrons."""
    if size == 1:
        return np.eye(1)
    return np.array([[0.0, 1.0], [-1.0 if kramers else 1.0, 0.0]])


def time_even(x, kramers):
    """Part of a matrix between two levels, rows and columns, that T leaves alone."""
    u, v = (antiunitary(size, kramers) for size in x.shape)
    return 0.5 * (x + u @ x.conj() @ v.T)


def odd(rng, n_p, n_e, kramers):
    """Elements between two levels of an operator odd under time reversal, as S, L, v."""
    return 1j * time_even(complex_numbers(rng, n_p, n_e), kramers)


def moment(rng, size, kramers):
    """A Hermitian, time-odd moment, not along any axis; zero for a singlet."""
    matrix = odd(rng, size, size, kramers)
    return matrix + matrix.conj().T


def channels(rng, n_p=2, n_e=2, kramers=None, small=1e-6):
    """All elements between two levels, constrained by time reversal only.

    ``small`` is the size of v and of m_e eps Q.
    """
    kramers = n_p == n_e == 2 if kramers is None else kramers
    assert not kramers or n_p == n_e == 2, "an odd number of electrons has no singlets"
    vector = {
        name: np.array([odd(rng, n_p, n_e, kramers) for _ in range(3)])
        for name in ("spin", "magnetic", "velocity")
    }
    q = complex_numbers(rng, 3, 3, n_p, n_e)
    q = np.array([[time_even(q[i, j], kramers) for j in range(3)] for i in range(3)])
    return Channels(
        spin=vector["spin"],
        magnetic=vector["magnetic"],
        quadrupole=small * (q + q.transpose(1, 0, 2, 3)),
        velocity=small * vector["velocity"],
        moment_p=np.array([moment(rng, n_p, kramers) for _ in range(3)]),
        moment_e=np.array([moment(rng, n_e, kramers) for _ in range(3)]),
    )


def linear_light(rng, n_e, n_p, kramers):
    """Ladder that linearly polarised lasers leave: time reversal maps it to itself."""
    return time_even(complex_numbers(rng, n_e, n_p), kramers)


def rotated(ion: Currents, rotation) -> Currents:
    """The same in other coordinates: ``x' = R x``, R proper."""
    r = np.asarray(rotation, dtype=float)
    return Currents(
        spin=r @ ion.spin,
        magnetic=r @ ion.magnetic,
        quadrupole=r @ ion.quadrupole @ r.T,
        velocity=r @ ion.velocity,
        delta_mu=ion.delta_mu,
        axis=r @ ion.axis,
        doublets=ion.doublets,
    )
