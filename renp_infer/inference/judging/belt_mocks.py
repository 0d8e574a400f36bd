"""Mock experiments for the confidence belt: the likelihood ratio of a true mass."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from renp_infer.errors import RenpError
from renp_infer.inference.judging.sbc import mock
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.profiles.profile import Fit, Profile
from renp_infer.records import FloatArray


@dataclass(frozen=True)
class BeltMock:
    """One mock experiment at a true mass.

    Attributes
    ----------
    statistic : float
        ``chi^2(true m1) - min chi^2 >= 0``; NaN if the fit failed.
    best_m1_meV : float
        Where the minimum is.
    failure : str
        Empty, or the error.
    """

    statistic: float
    best_m1_meV: float
    failure: str


def belt_mock(
    likelihood: Likelihood,
    truth: FloatArray,
    m1_meV: float,
    starts_meV: Sequence[float],
    seed: np.random.SeedSequence,
) -> BeltMock:
    """Draw data at a mass and find the likelihood ratio of that mass.

    Parameters
    ----------
    likelihood : Likelihood
        Prior, response and noise; constraints, all of them Gaussian, are measured anew.
    truth : ndarray, shape (d,)
        Phases of the mock data; nuisances are at their prior's centre.
    m1_meV : float
        True mass.
    starts_meV : sequence of float
        Masses from which the minimum is sought too.
    seed : numpy.random.SeedSequence

    Returns
    -------
    BeltMock
        An error in the fit is recorded, not raised.
    """
    rng = np.random.default_rng(seed)
    expected = Profile(likelihood)
    calibration = expected.expected + rng.standard_normal(expected.expected.size)
    try:
        central = expected.central(m1_meV, truth)
        data = mock(likelihood, likelihood.mean(central), rng)
        if data.external:
            known = data.external.redrawn(likelihood.prior.values(central), rng)
            data = data.with_external(known)
        return ratio(Profile(data, calibration), m1_meV, truth, starts_meV)
    except (RenpError, np.linalg.LinAlgError) as error:
        return BeltMock(np.nan, np.nan, f"{type(error).__name__}: {error}")


def ratio(
    profile: Profile, m1_meV: float, truth: FloatArray, starts_meV: Sequence[float]
) -> BeltMock:
    """Likelihood ratio of a mass: the better of several searches on both sides."""
    fixed = profile.at(m1_meV, profile.central(m1_meV, truth))
    starts = [fixed.vector, *(fixed.at_mass(profile.mass, start) for start in starts_meV)]
    best = _best_of(lambda start: profile.best([start]), starts) or fixed
    # nuisances of the best fit may lead to a better one at the fixed mass, too
    again = _best_of(lambda start: profile.at(m1_meV, start), [best.vector]) or fixed
    statistic = max(0.0, min(fixed.chi2, again.chi2) - best.chi2)
    return BeltMock(statistic, float(best.vector[profile.mass]), "")


def _best_of(search: Callable[[FloatArray], Fit], starts: list[FloatArray]) -> Fit | None:
    """Lowest minimum from several starts; one where the response is not finite is no start."""
    found = []
    for start in starts:
        with contextlib.suppress(RenpError):
            found.append(search(start))
    return min(found, key=lambda fit: fit.chi2, default=None)
