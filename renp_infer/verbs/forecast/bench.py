"""What the tasks of a forecast share: responses, noise, rivals; made once per process."""

from __future__ import annotations

import functools
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from renp_infer.inference.exposure import ByExposure
from renp_infer.inference.fisher import Noise, expand
from renp_infer.inference.hypothesis import Hypothesis, Library, phase_settings
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.prior import (
    OSCILLATION_NAMES,
    GaussianPrior,
    InferenceSettings,
)
from renp_infer.inference.response import Response
from renp_infer.measurement.field import leakage_shape
from renp_infer.measurement.normalise import coherence, noise_covariance
from renp_infer.measurement.squid import covariance_nG2
from renp_infer.physics.field_cycle import bloch_cycle
from renp_infer.physics.neutrinos import make_parameters
from renp_infer.records import Experiment, FloatArray, Observation, Parameters
from renp_infer.study.sections.forecast import (
    MASS_MARGIN,
    SYSTEMATICS,
    ForecastSettings,
    largest_mass_meV,
)

if TYPE_CHECKING:
    from renp_infer.study.study import Study

RIVAL_MASSES, RIVAL_PHASES = 40, 8
LIGHTEST_RIVAL_MEV = 0.1
OTHER = {"normal": "inverted", "inverted": "normal", "dirac": "majorana", "majorana": "dirac"}


@dataclass(frozen=True)
class _Keyed:
    """A study that is remembered by its key."""

    key: str
    study: Study = field(compare=False)


def bench_of(study: Study, key: str) -> Bench:
    """The bench of a study, from before if the key is the same."""
    return _bench(_Keyed(key, study))


@functools.lru_cache(maxsize=2)
def _bench(keyed: _Keyed) -> Bench:
    return Bench(keyed.study)


def noise_of(experiment: Experiment, parameters: Parameters, chi2: float) -> Noise:
    """Noise by exposure; where it is normalised, by the study's truth and exposure."""
    detector, lasers = experiment.detector, experiment.lasers
    cycle, angles = bloch_cycle(experiment), experiment.layout.theta_s.size
    own = covariance_nG2(detector, lasers, angles, cycle)
    scale = float(noise_covariance(experiment, parameters, chi2)[0, 0] / own[0, 0])

    def covariance(exposure_s: float) -> FloatArray:
        moved = replace(detector, exposure_s=exposure_s)
        return scale * covariance_nG2(moved, lasers, angles, cycle)

    return Noise(covariance, detector.drift_fT > 0.0, detector.exposure_s)


class Bench:
    """A study's apparatus, ready for many truths."""

    def __init__(self, study: Study) -> None:
        assert study.forecast is not None
        self.study, self.experiment = study, study.experiment
        self.settings: ForecastSettings = study.forecast
        self.chi2 = coherence(self.experiment)
        self.noise = noise_of(self.experiment, study.parameters, self.chi2)
        self.covariance = self.noise.covariance(self.noise.exposure_s)
        heaviest = MASS_MARGIN * max(*self.settings.m1_meV, 1e3 * study.parameters.m1_eV)
        priors = study.priors
        self.m1_max_meV = min(max(heaviest, priors.m1_max_meV), largest_mass_meV(self.experiment))
        self.priors = replace(priors, m1_max_meV=self.m1_max_meV, m1_prior="uniform")
        own = study.parameters
        self.phases = phase_settings(
            self.settings.phase_settings, (own.delta, own.alpha21, own.alpha31)
        )
        self.excluded = [
            name
            for group, names in SYSTEMATICS.items()
            if group not in self.settings.systematics
            for name in names
        ]
        self._responses: dict[str, Response] = {}
        self._libraries: dict[tuple[str, str], Library] = {}
        self._leakages: dict[tuple[str, str], FloatArray] = {}

    def hypothesis(self, ordering: str, nature: str) -> Hypothesis:
        """Hypothesis at the study's mass and phases; one response serves both natures."""
        own, table = self.study.parameters, self.study.oscillation
        parameters = make_parameters(
            own.m1_eV,
            "normal" if ordering == "normal" else "inverted",
            "dirac" if nature == "dirac" else "majorana",
            own.delta,
            own.alpha21,
            own.alpha31,
            table,
        )
        response = self._response_of(parameters).with_nature(parameters.nature)
        values, sigmas = table.values[ordering], table.sigmas[ordering]
        measured = {n: GaussianPrior(values[n], sigmas[n]) for n in OSCILLATION_NAMES}
        index = self.experiment.target.refractive_index
        return Hypothesis(response, parameters, measured, self.fit_settings(), index)

    def response(self, ordering: str) -> Response:
        """Response of the study's nature in an ordering."""
        self.hypothesis(ordering, self.study.parameters.nature)
        return self._responses[ordering].with_nature(self.study.parameters.nature)

    def _response_of(self, parameters: Parameters) -> Response:
        ordering = parameters.ordering
        if ordering not in self._responses:
            limit = 1e-3 * self.m1_max_meV
            self._responses[ordering] = Response(self.experiment, parameters, self.chi2, limit)
        return self._responses[ordering]

    def fit_settings(self, known: Collection[str] = ()) -> InferenceSettings:
        """Priors with the systematics fixed that are known or that the forecast leaves out."""
        left_out = set(SYSTEMATICS) - set(self.settings.systematics) | set(known)
        changes: dict[str, dict[str, object]] = {
            "amplitude": {"amplitude_sd": 0.0},
            "baseline": {"baseline_sd": 0.0, "leakage_sd": 0.0},
            "refractive-index": {"refractive_index_sd": 0.0},
            "pointing": {"theta_s_offset_sd_deg": 0.0, "theta_e_offset_sd_deg": 0.0},
            "oscillations": {"oscillation_errors": False},
            "phases": {"phases": "fixed"},
        }
        chosen = self.priors
        for name in left_out:
            chosen = replace(chosen, **changes[name])  # type: ignore[arg-type]
        return chosen

    def library(self, ordering: str, nature: str) -> Library:
        """Expectations of a rival hypothesis over masses and phases."""
        key = (ordering, nature)
        if key not in self._libraries:
            masses = np.geomspace(LIGHTEST_RIVAL_MEV, self.m1_max_meV, RIVAL_MASSES)
            own = self.study.parameters
            fixed = "phases" not in self.settings.systematics
            count = 1 if nature == "dirac" or fixed else RIVAL_PHASES
            phases = phase_settings(count, (own.delta, own.alpha21, own.alpha31))
            model = self.hypothesis(ordering, nature)
            self._libraries[key] = Library(model, np.append(0.0, masses), phases)
        return self._libraries[key]

    def data(self, field_nG: FloatArray) -> Observation:
        """Data that are a given field."""
        normalised = self.experiment.detector.reference_snr > 0.0
        return Observation(self.experiment.layout.theta_s, field_nG, self.covariance, normalised)

    def likelihood(self, model: Hypothesis, data: Observation, peak_nG: float) -> Likelihood:
        """Likelihood of data under a hypothesis; leakage has the shape of the study's mass."""
        if model.settings.leakage_sd == 0.0:
            return model.likelihood(data, peak_nG)
        key = (model.parameters.ordering, model.parameters.nature)
        if key not in self._leakages:
            shape = leakage_shape(self.experiment, model.parameters, self.chi2)
            self._leakages[key] = shape / np.max(np.abs(shape))
        return model.likelihood(data, peak_nG, peak_nG * self._leakages[key])

    def room(self, m1_meV: float) -> tuple[float, float]:
        """How far m1 may move down and up, meV."""
        return -m1_meV, self.m1_max_meV - m1_meV

    def by_exposure(self, likelihood: Likelihood, vector: FloatArray) -> ByExposure:
        """A likelihood linearised at free parameters (d,), for many exposures."""
        return ByExposure(expand(likelihood, vector), self.noise)
