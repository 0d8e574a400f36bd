"""What a ladder would tell, in closed form: the field of a large crystal against its noise.

With P along the moment's axis and V large, Sum W is ``(2 pi / V) W(P)``,

    W = P Sum_ij Phi [Re(b c*) K - delta_M m_i m_j Re(b c)],

and the field ``C |rho_ep|^2 (weight h delta_mu) W / V``, C the same for all ladders. The data
are `ANGLES` momenta, evenly over a window that ends at the threshold. A question is a change d
of W. What the size of the field (and, of ordering and nature, the lightest mass) could imitate
of it is projected out: the merit is the root mean square of the rest, and of all windows the
best counts. Times the field's constants and over the noise of the whole exposure it is
the number of standard errors:

    mass      d = m_1 dW/dm_1                          of W
    ordering  d = W(other ordering) - W                of W and dW/dm_1
    nature    d = W(other nature) - W                  of W and dW/dm_1

The window is sharp, without the detector's angular resolution or correlated noise, and its
changes are linear in m_1: it ranks, and is no forecast.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from renp_infer.physics.ions.spectrum import IntArray
from renp_infer.physics.neutrinos import couplings, masses
from renp_infer.physics.pairs.pair_tensor import pair_structure
from renp_infer.records import FloatArray, Parameters

QUESTIONS = ("mass", "ordering", "nature")
ANGLES = 61
WINDOWS = np.array([1.0, 0.5, 0.25, 0.125, 0.0625])
"""Widths of the windows, in eps: the last is about four times the paper's resolution."""
_STEP = 0.01
"""Relative step of m_1 in derivatives; their error is 1e-4 of them, away from thresholds."""
_NODES = 400
"""Energies of the table, evenly in log eps."""


def pair_field(momentum: FloatArray, epsilon: FloatArray, truth: Parameters) -> FloatArray:
    """W, eV^3, see the module.

    Parameters
    ----------
    momentum, epsilon : ndarray, shape (...)
        |P| and energy of the pair, eV.
    truth : Parameters
    """
    m, (b, c) = masses(truth), couplings(truth)
    exchange = 1.0 if truth.nature == "majorana" else 0.0
    total = np.zeros(np.broadcast(momentum, epsilon).shape)
    for i in range(3):
        for j in range(3):
            pair = pair_structure(epsilon**2 - momentum**2, float(m[i]), float(m[j]))
            direct = (b[i, j] * np.conj(c[i, j])).real * pair.k
            swapped = exchange * m[i] * m[j] * (b[i, j] * c[i, j]).real
            total += pair.phi * (direct - swapped)
    return np.asarray(momentum * total)


@dataclass(frozen=True, eq=False)
class MeritTable:
    """Merits by energy of the pair and by the first window that a ladder can reach.

    Attributes
    ----------
    epsilon : ndarray, shape (n,)
        eV.
    values : dict
        By question, shape (n, windows), eV^3: best of a window and those inside it.
    """

    epsilon: FloatArray
    values: dict[str, FloatArray]

    def at(self, question: str, epsilon: FloatArray) -> FloatArray:
        """Merits at energies, shape (..., windows + 1); zero in the last place.

        Interpolated linearly: 1e-3 of the merit, but near thresholds. Below the table it is zero.
        """
        columns = [
            np.interp(epsilon, self.epsilon, column, left=0.0, right=0.0)
            for column in self.values[question].T
        ]
        return np.stack([*columns, np.zeros_like(epsilon)], axis=-1)


def first_window(least: FloatArray, epsilon: FloatArray) -> IntArray:
    """First window without momenta below ``least``, eV; their number if none is."""
    ratio = np.asarray(1.0 - least / epsilon)
    return np.sum(WINDOWS[:, None, None] > ratio + 1e-12, axis=0)


def merit_table(truth: Parameters, others: dict[str, Parameters], top_eV: float) -> MeritTable:
    """Merits of all questions, from the smallest energy that emits pairs to ``top_eV``.

    Parameters
    ----------
    truth : Parameters
        With m_1 above zero.
    others : dict
        The truth with the other ordering, and with the other nature.
    top_eV : float
    """
    lowest = 2.02 * float(np.min(masses(truth)))
    epsilon = np.geomspace(lowest, top_eV, _NODES)
    found = {name: np.zeros((_NODES, WINDOWS.size)) for name in QUESTIONS}
    for w, width in enumerate(WINDOWS):
        part = (np.arange(ANGLES) + 0.5) / ANGLES
        momentum = epsilon[:, None] * (1.0 - width * (1.0 - part))
        for name, merit in _window(momentum, epsilon[:, None], truth, others).items():
            found[name][:, w] = merit
    best = {n: np.maximum.accumulate(v[:, ::-1], axis=1)[:, ::-1] for n, v in found.items()}
    return MeritTable(epsilon, best)


def _window(
    momentum: FloatArray, epsilon: FloatArray, truth: Parameters, others: dict[str, Parameters]
) -> dict[str, FloatArray]:
    """Merits of one window by question, shape (n,)."""

    def field(parameters: Parameters) -> FloatArray:
        return pair_field(momentum, epsilon, parameters)

    own, slope = field(truth), _slope(field, truth)
    changes = {name: field(other) - own for name, other in others.items()}
    rest = {"mass": unlike(slope, [own])}
    return rest | {name: unlike(change, [own, slope]) for name, change in changes.items()}


def _slope(field: Callable[[Parameters], FloatArray], truth: Parameters) -> FloatArray:
    """``m_1 dW/dm_1`` by a central difference."""
    up, down = (replace(truth, m1_eV=truth.m1_eV * (1.0 + s)) for s in (_STEP, -_STEP))
    return (field(up) - field(down)) / (2.0 * _STEP)


def unlike(change: FloatArray, shapes: list[FloatArray]) -> FloatArray:
    """Root mean square of what is left of a change by rows, shapes taken out in turn."""
    taken: list[FloatArray] = []
    for shape in [*shapes, change]:
        rest = shape
        for _ in range(2):  # the second time takes out what rounding left
            for unit in taken:
                rest = rest - np.sum(rest * unit, axis=1, keepdims=True) * unit
        size = np.sqrt(np.sum(rest**2, axis=1, keepdims=True))
        with np.errstate(invalid="ignore", divide="ignore"):
            taken.append(np.where(size > 0.0, rest / size, 0.0))
    return np.asarray(size[:, 0] / np.sqrt(change.shape[1]))
