"""Truths for which designs are appraised: spread evenly over the prior, drawn once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import qmc

from renp_infer.design.utilities.foreknown import KnownTruths
from renp_infer.physics.constants import EV_TO_MILLI_EV
from renp_infer.records import FloatArray, Parameters

_EDGE = 1e-9


@dataclass(frozen=True)
class Truths:
    """T true states, T/H for each of H hypotheses, one after the other.

    Attributes
    ----------
    hypothesis : ndarray of int, shape (T,)
    m1_meV : ndarray, shape (T,)
    phases : ndarray, shape (T, 2)
        alpha21 and alpha31 - 2 delta, rad.
    seed : int
        Of nuisances and noise.
    """

    hypothesis: np.ndarray
    m1_meV: FloatArray
    phases: FloatArray
    seed: int

    def drawn(self, nuisances: int, angles: int) -> tuple[FloatArray, FloatArray]:
        """Standard normal nuisances (T, d) and noise (T, n).

        The first angles, and the first nuisances, get the same whatever their number.
        """
        shape = (self.m1_meV.size,)
        streams = np.random.SeedSequence(self.seed).spawn(2)
        parts = [
            np.random.default_rng(stream).standard_normal((count, *shape)).T
            for stream, count in zip(streams, (nuisances, angles), strict=True)
        ]
        return parts[0], parts[1]


def prior_truths(known: KnownTruths, count: int, rng: np.random.Generator) -> Truths:
    """Masses and phases from the prior: a scrambled Sobol sequence, in blocks.

    Parameters
    ----------
    known : KnownTruths
        Prior of H hypotheses.
    count : int
        Truths for each hypothesis.
    rng : numpy.random.Generator
    """
    hypotheses = known.odds.size
    blocks = [qmc.Sobol(3, rng=rng).random_base2(_bits(count))[:count] for _ in range(hypotheses)]
    found = [known.truths(h, np.clip(b, _EDGE, 1.0 - _EDGE)) for h, b in enumerate(blocks)]
    masses, phases = (np.concatenate(part) for part in zip(*found, strict=True))
    return Truths(np.repeat(np.arange(hypotheses), count), masses, phases, _seed(rng))


def fixed_truth(place: int, parameters: Parameters, count: int, rng: np.random.Generator) -> Truths:
    """One truth, ``count`` times; ``place`` is that of its hypothesis."""
    phases = (parameters.alpha21, parameters.alpha31 - 2.0 * parameters.delta)
    return Truths(
        np.full(count, place),
        np.full(count, EV_TO_MILLI_EV * parameters.m1_eV),
        np.tile(phases, (count, 1)),
        _seed(rng),
    )


def _bits(count: int) -> int:
    return int(np.ceil(np.log2(count)))


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**63))


def spread(values: FloatArray, order: Sequence[float] | FloatArray) -> float:
    """Standard error of the mean of values (k,) spread evenly along some order.

    From differences of neighbours: what changes slowly along the order is not noise of
    an even spread. Slightly too large, as slow change adds to the differences.
    """
    if values.size < 2:
        return np.inf
    steps = np.diff(values[np.argsort(order, kind="stable")])
    return float(np.sqrt(0.5 * np.mean(steps**2) / values.size))
