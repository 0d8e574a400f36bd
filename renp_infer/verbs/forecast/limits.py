"""Expected upper limits of m1 if the truth is 0: by Fisher, Asimov and drawn data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from renp_infer.inference.profiles.fisher import expand, limit_quantile, sigma
from renp_infer.inference.profiles.profile import Fit, Profile
from renp_infer.inference.profiles.upper_limits import UpperLimits
from renp_infer.records import FloatArray
from renp_infer.verbs.forecast.cells import Drawn, TruthCell
from renp_infer.verbs.forecast.columns import stacked
from renp_infer.verbs.forecast.quantities import DrawnLimits, ExpectedLimits, Kind, Limits

STRAIGHT = 0.1
"""Share of the profile's limit that Fisher's may be from it."""


def expected_limits(cell: TruthCell) -> ExpectedLimits[float]:
    """Limits of the median experiment, by Fisher and Asimov; the truth is massless."""
    error, largest = _error(cell), cell.bench.m1_max_meV

    def linear(kind: Kind, level: float) -> float:
        found = limit_quantile(level, credible=kind == "credible") * error
        return found if found <= largest else np.nan

    fisher = Limits.each(linear)
    asimov = _limits(Profile(cell.own), Fit(cell.vector, 0.0), error)
    parting = abs(fisher.confidence_90_meV / asimov.confidence_90_meV - 1.0)
    return ExpectedLimits(
        fisher_sigma_m1_meV=error,
        m1_max_meV=largest,
        fisher_valid=float(parting < STRAIGHT),
        fisher=fisher,
        asimov=asimov,
    )


def drawn_limits(
    cell: TruthCell, seeds: Sequence[np.random.SeedSequence]
) -> DrawnLimits[FloatArray]:
    """Limits of mock experiments, each (datasets,); the truth is massless."""
    error = _error(cell)

    def row(seed: np.random.SeedSequence) -> DrawnLimits[float]:
        profile = Drawn(cell, np.random.default_rng(seed)).profile
        return DrawnLimits(_limits(profile, profile.best([cell.vector]), error))

    whole: DrawnLimits[FloatArray] = stacked([row(seed) for seed in seeds])
    return whole


def _error(cell: TruthCell) -> float:
    return sigma(expand(cell.own, cell.vector), cell.bench.noise, cell.bench.noise.exposure_s)


def _limits(profile: Profile, best: Fit, error_meV: float) -> Limits[float]:
    found = UpperLimits(profile, best, error_meV)

    def limit(kind: Kind, level: float) -> float:
        return found.confidence(level) if kind == "confidence" else found.credible(level)

    return Limits.each(limit)
