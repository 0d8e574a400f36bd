"""A study in numbers: field, noise, thresholds and the expected error of m1.

The same functions as ``renp evaluate`` and ``renp forecast`` use. The share of the
finite crystal, which takes nearly all of the time, is remembered: it changes with
masses, crystal, angles and smoothing, and not with nature, phases, lasers or noise.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import lru_cache

import numpy as np

from renp_infer.errors import RenpError
from renp_infer.inference.profiles.fisher import NONLINEAR, expand, sigma, validity
from renp_infer.inference.responses.response import Response, share_at
from renp_infer.inference.settings import InferenceSettings
from renp_infer.measurement.data import Data
from renp_infer.measurement.field import exact_field
from renp_infer.measurement.noise import Noise
from renp_infer.measurement.normalise import coherence
from renp_infer.measurement.smoothing import Smoother, make_smoother
from renp_infer.physics.constants import EV_TO_MILLI_EV, MILLI_EV_TO_EV
from renp_infer.physics.neutrinos import masses
from renp_infer.records import FloatArray, Observation
from renp_infer.study.hypotheses import hypothesis_of, own_hypothesis
from renp_infer.study.sections.forecast import largest_mass_meV
from renp_infer.study.study import Study, leaking
from renp_infer.verbs.evaluate.work import pair_thresholds
from renp_infer.verbs.forecast.bench import noise_of

REMEMBERED = 64
"""Shares of a finite crystal that are kept, 70 kB each."""


@dataclass(frozen=True)
class MassError:
    """Expected error of m1 by Fisher information, at the study's exposure.

    Attributes
    ----------
    all_free_meV : float
        All parameters with a prior profiled; inf without information.
    alone_meV : float
        Everything but m1 known exactly.
    free, fixed : tuple of str
        Names of the other parameters.
    caveat : str
        Why Fisher information should not be believed here; empty if it may.
    """

    all_free_meV: float
    alone_meV: float
    free: tuple[str, ...]
    fixed: tuple[str, ...]
    caveat: str


@dataclass(frozen=True)
class Curve:
    """What one preset predicts.

    Attributes
    ----------
    label : str
    theta_deg, signal_nG, sigma_nG : ndarray, shape (n,)
        Trigger angles; smoothed field; its standard error for the study's exposure.
    thresholds_deg : dict
        Angles of each pair's threshold on both sides, or ``None``.
    chi_squared : float
    peak_snr : float
        Largest of one angle.
    total_snr : float
        Of all angles together, noise correlations included.
    normalised : bool
    m1_meV : float
        The truth.
    mass_error : MassError or str
        Or why there is none.
    """

    label: str
    theta_deg: FloatArray
    signal_nG: FloatArray
    sigma_nG: FloatArray
    thresholds_deg: dict[str, list[float] | None]
    chi_squared: float
    peak_snr: float
    total_snr: float
    normalised: bool
    m1_meV: float
    mass_error: MassError | str


@dataclass(frozen=True)
class _Remembered:
    """A smoother and masses (3,), told apart by their bytes."""

    key: bytes
    smoother: Smoother = field(compare=False)
    masses_eV: FloatArray = field(compare=False)


@lru_cache(maxsize=REMEMBERED)
def _share(asked: _Remembered) -> tuple[FloatArray, FloatArray]:
    return share_at(asked.smoother, asked.masses_eV)


def _remembered_share(smoother: Smoother, masses_eV: FloatArray) -> tuple[FloatArray, FloatArray]:
    grid = smoother.grid
    parts = [getattr(smoother, f.name) for f in fields(smoother) if f.name != "grid"]
    parts += [grid.borders, grid.weights, masses_eV]
    key = b"|".join(np.asarray(part).tobytes() for part in parts)
    return _share(_Remembered(key, smoother, masses_eV))


def curve_of(study: Study, priors: InferenceSettings, label: str) -> Curve:
    """Predict a study.

    Parameters
    ----------
    study : Study
    priors : InferenceSettings
        What is free in the error of m1.
    label : str

    Raises
    ------
    RenpError
        Where ``renp evaluate`` would.
    """
    experiment, own = study.experiment, study.parameters
    priors = leaking(priors, study.residual)
    chi2 = coherence(experiment)
    noise = noise_of(experiment, own, chi2)
    covariance = noise.covariance(noise.exposure_s)
    response: Response | RenpError
    try:
        share = _remembered_share(make_smoother(experiment), masses(own))
        response = Response(
            experiment, own, chi2, MILLI_EV_TO_EV * largest_mass_meV(experiment), share=share
        )
        signal = response.template(response.nominal())
    except RenpError as error:  # no large-crystal limit: a field, but no derivatives
        response, signal = error, exact_field(experiment, own, chi2)
    deviation = np.sqrt(np.diag(covariance))
    return Curve(
        label=label,
        theta_deg=np.rad2deg(experiment.layout.theta_s),
        signal_nG=signal,
        sigma_nG=deviation,
        thresholds_deg=pair_thresholds(experiment, masses(own)),
        chi_squared=chi2,
        peak_snr=float(np.max(np.abs(signal) / deviation)),
        total_snr=float(np.linalg.norm(noise.whiten(signal, noise.exposure_s))),
        normalised=experiment.detector.reference_snr > 0.0,
        m1_meV=EV_TO_MILLI_EV * own.m1_eV,
        mass_error=_mass_error(study, priors, response, noise),
    )


def _mass_error(
    study: Study, priors: InferenceSettings, response: Response | RenpError, noise: Noise
) -> MassError | str:
    """Error of m1, or why there is none."""
    if isinstance(response, RenpError):
        return str(response)
    try:
        return expected_error(study, priors, response, noise)
    except RenpError as error:
        return str(error)


def expected_error(
    study: Study, priors: InferenceSettings, response: Response, noise: Noise
) -> MassError:
    """Error of m1 at the truth, as ``renp forecast`` defines it, with all systematics.

    The derivative lacks what the finite crystal's share does with m1 at a fixed
    distance from the edges: up to 1.2 % of the error in docs/explorer.md's 16 cases.
    """
    own, experiment = study.parameters, study.experiment
    limit_meV = largest_mass_meV(experiment)
    asked = replace(study, settings=priors)
    model = hypothesis_of(asked, own_hypothesis(study), lambda _: response)
    field_nG = model.field(model.at(EV_TO_MILLI_EV * own.m1_eV))
    model = replace(model, peak=float(np.max(np.abs(field_nG))))
    data = Observation(
        experiment.layout.theta_s, field_nG, noise.covariance(noise.exposure_s), False
    )
    likelihood = model.likelihood(Data.of(data))
    vector = model.vector(model.at(EV_TO_MILLI_EV * own.m1_eV))
    expansion = expand(likelihood, vector)
    others = expansion.names[1:]
    judged = validity(likelihood, vector, noise, limit_meV)
    reasons = {
        "m1 is within two errors of its bounds": judged.boundary,
        "not linear over one error": not judged.boundary and judged.nonlinearity > NONLINEAR,
        "CP phases stay unknown": judged.phases,
    }
    return MassError(
        all_free_meV=float(sigma(expansion, noise, noise.exposure_s)),
        alone_meV=float(sigma(expansion.without(others), noise, noise.exposure_s)),
        free=others,
        fixed=tuple(likelihood.prior.fixed),
        caveat="; ".join(reason for reason, applies in reasons.items() if applies),
    )
