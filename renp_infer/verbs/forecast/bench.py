"""What the tasks of a forecast share: responses, noise, rivals; made once per process."""

from __future__ import annotations

import copy
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from renp_infer.inference.hypothesis import (
    HypothesisModel,
    ModelLike,
    hypothesis_model,
    offset_shapes,
    phase_settings,
)
from renp_infer.inference.library import Library
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.parameters import MASS, PARAMETERS, parted
from renp_infer.inference.priors.prior import Prior
from renp_infer.inference.profiles.exposure import ByExposure
from renp_infer.inference.profiles.fisher import expand
from renp_infer.inference.responses.accurate import AccurateResponses, ErrorBudget
from renp_infer.inference.results.comparison import Hypothesis, hypothesis_named
from renp_infer.inference.settings import InferenceSettings
from renp_infer.measurement.data import Data
from renp_infer.measurement.noise import Noise, noise_by_exposure
from renp_infer.measurement.normalise import coherence, noise_covariance
from renp_infer.measurement.squid import covariance_nG2
from renp_infer.physics.constants import EV_TO_MILLI_EV
from renp_infer.physics.cycle.field_cycle import bloch_cycle
from renp_infer.records import Experiment, FloatArray, Observation, Parameters, Switches
from renp_infer.study.sections.forecast import MASS_MARGIN, ForecastSettings, largest_mass_meV
from renp_infer.study.sections.lasers import under
from renp_infer.target import Target

if TYPE_CHECKING:
    from renp_infer.study.study import Study

RIVAL_MASSES, RIVAL_PHASES = 40, 8
LIGHTEST_RIVAL_MEV = 0.1
OTHER = {"normal": "inverted", "inverted": "normal", "dirac": "majorana", "majorana": "dirac"}


def noise_of(experiment: Experiment, parameters: Parameters, chi2: float) -> Noise:
    """Noise by exposure; where it is normalised, by the study's truth and exposure."""
    angles = experiment.layout.theta_s.size
    own = covariance_nG2(experiment.detector, experiment.lasers, angles, bloch_cycle(experiment))
    variance = float(noise_covariance(experiment, parameters, chi2)[0, 0] / own[0, 0])
    return noise_by_exposure(experiment, variance)


def corrected(study: Study, switches: Switches) -> Study:
    """A study with other switches, the coherence that they allow, and absolute noise."""
    detector = replace(study.experiment.detector, reference_snr=0.0)
    experiment = replace(under(study.experiment, switches), detector=detector)
    sets = tuple(replace(one, study=corrected(one.study, switches)) for one in study.sets)
    return replace(study, experiment=experiment, sets=sets)


class Bench:
    """A study's apparatus, ready for many truths."""

    def __init__(self, study: Study) -> None:
        assert study.forecast is not None
        self.study, self.experiment = study, study.experiment
        self.settings: ForecastSettings = study.forecast
        self.chi2 = coherence(self.experiment)
        self.noise = noise_of(self.experiment, study.parameters, self.chi2)
        self.covariance = self.noise.covariance(self.noise.exposure_s)
        own = study.parameters
        self.phases = phase_settings(
            self.settings.phase_settings, (own.delta, own.alpha21, own.alpha31)
        )
        self._shapes: dict[Hypothesis, dict[str, FloatArray]] = {}
        self._reaching: dict[float, Any] = {}
        self._begin(self.largest_meV(EV_TO_MILLI_EV * own.m1_eV))

    def _begin(self, m1_max_meV: float) -> None:
        """Begin with masses up to a largest one."""
        self.m1_max_meV = m1_max_meV
        flat = self.study.priors.without_own([MASS])  # of m1 a forecast takes no prior
        self.priors = replace(flat, m1_max_meV=self.m1_max_meV, m1_prior="uniform")
        self._responses = AccurateResponses(
            self.experiment,
            self.chi2,
            self.fit_settings(),
            self.study.oscillation,
            self.noise.sigma_nG,
            self.study.seed,
        )
        self._libraries: dict[tuple[str, str], Library] = {}
        self._reaching[self.m1_max_meV] = self

    @property
    def targets(self) -> tuple[Target, ...]:
        """Of all data sets."""
        return (self.experiment.target,)

    def corrected(self, switches: Switches) -> Bench:
        """The bench of the same study with other switches, and with absolute noise."""
        return type(self)(corrected(self.study, switches)).up_to(self.m1_max_meV)

    @property
    def budget(self) -> ErrorBudget:
        """Errors of the responses that were asked for."""
        return self._responses.budget

    def largest_meV(self, m1_meV: float) -> float:
        """Largest mass that is considered for a truth: the prior's, doubled until it suffices.

        It knows of no other truth: what is found for one must not depend on the others.
        """
        own = self.study.priors.m1_max_meV
        doublings = max(0.0, np.ceil(np.log2(MASS_MARGIN * m1_meV / own))) if m1_meV > 0.0 else 0.0
        return float(min(own * 2.0**doublings, largest_mass_meV(self.experiment)))

    def reaching(self, m1_meV: float) -> Self:
        """The same bench with the largest mass that a truth of ``m1_meV`` asks for."""
        return self.up_to(self.largest_meV(m1_meV))

    def up_to(self, m1_max_meV: float) -> Self:
        """The same bench with masses up to a largest one."""
        if m1_max_meV not in self._reaching:
            copy.copy(self)._begin(m1_max_meV)
        found: Self = self._reaching[m1_max_meV]
        return found

    def hypothesis(self, ordering: str, nature: str) -> ModelLike:
        """Hypothesis at the study's mass and phases."""
        return self.one(ordering, nature)

    def one(self, ordering: str, nature: str) -> HypothesisModel:
        """The same of one data set; one response serves both natures."""
        return hypothesis_model(
            hypothesis_named(ordering, nature),
            self.experiment,
            self.study.parameters,
            self.study.oscillation,
            self.fit_settings(),
            self._responses,
            shapes={},
            knowledge=self.study.known_under(ordering),
        )

    def fit_settings(self, known: Collection[str] = ()) -> InferenceSettings:
        """Priors with the systematics fixed that are known or that the forecast leaves out."""
        groups, given = PARAMETERS.systematics, self.settings.systematics
        left_out = {group for group in groups if group in known or group not in given}
        names = [name for group in left_out for name in groups[group]]
        templates = tuple(one for one in self.priors.templates if one.name not in known)
        settings = replace(self.priors.without_own(names), templates=templates)
        return replace(settings, **PARAMETERS.known(*left_out))

    def systematics(self, prior: Prior) -> dict[str, tuple[str, ...]]:
        """Parameters of a prior by systematic, in the order in which they are added.

        Templates of the study are the last, each by its name.
        """
        groups = prior.table.systematics
        found = {name: groups[name] for name in self.settings.systematics}
        for one in self.priors.templates:
            found[one.name] = tuple(name for name in prior.names if parted(name)[0] == one.name)
        return found

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

    def data(self, field_nG: FloatArray) -> Data:
        """Data that are a given field."""
        normalised = self.experiment.detector.reference_snr > 0.0
        angles = self.experiment.layout.theta_s
        return Data.of(Observation(angles, field_nG, self.covariance, normalised))

    def likelihood(
        self, model: ModelLike, data: Data, truth: ModelLike, at: Parameters
    ) -> Likelihood:
        """Likelihood under a hypothesis of data of another, or the same, at true parameters.

        Offsets have the shapes of the truth's hypothesis at the study's mass and phases.
        Constraints of other experiments enter by what they tell, not by what they found: each
        as if it had found the truth, with its covariance or, of another shape, its curvature
        there. One that only the rival's ordering has finds the rival's own central values.
        """
        found = self.scaled(model, truth, truth.field(at)).likelihood(data)
        if not found.external:
            return found
        phases = (at.delta, at.alpha21, at.alpha31)
        there = truth.every(at)
        here = model.every(model.at(EV_TO_MILLI_EV * at.m1_eV, phases))
        own = {row.name for row in self.study.known_under(at.ordering)}
        return found.with_external(
            found.external.expected(lambda term: there if term.name in own else here)
        )

    def scaled(self, model: ModelLike, truth: ModelLike, field_nG: FloatArray) -> ModelLike:
        """A hypothesis with offsets as large as a true field, and of the truth's shapes."""
        assert isinstance(model, HypothesisModel) and isinstance(truth, HypothesisModel)
        return model.of_peak(float(np.max(np.abs(field_nG))), self.shapes_of(model, truth))

    def shapes_of(self, model: HypothesisModel, truth: HypothesisModel) -> dict[str, FloatArray]:
        """Shapes (n,) of the offsets of a hypothesis, at the study's mass."""
        pair = Hypothesis(truth.parameters.ordering, truth.parameters.nature)
        if pair not in self._shapes:
            self._shapes[pair] = offset_shapes(self.experiment, truth.parameters, self.priors)
        free = {one.name for one in model.settings.templates}
        return {
            name: shape
            for name, shape in self._shapes[pair].items()
            if name in PARAMETERS.offsets or name in free
        }

    def room(self, m1_meV: float) -> tuple[float, float]:
        """How far m1 may move down and up, meV."""
        return -m1_meV, self.m1_max_meV - m1_meV

    def by_exposure(self, likelihood: Likelihood, vector: FloatArray) -> ByExposure:
        """A likelihood linearised at free parameters (d,), for many exposures."""
        return ByExposure(expand(likelihood, vector), self.noise)
