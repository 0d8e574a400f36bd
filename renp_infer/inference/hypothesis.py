"""A hypothesis (ordering, nature) of an experiment: the one assembly of what a fit needs.

Its own are ordering, nature, the oscillation parameters of that ordering, and with them
response and prior. Common to all hypotheses is what is of the apparatus and the data:
noise, the peak that scales the prior of the baseline, and the shapes of the offsets.

The shape of a leakage, the truth's, is common, too, also for a rival. A leakage is a field
that the real crystal adds, of the pairs that it really emits, whatever is assumed of
them in a fit; with shapes of their own, two hypotheses of the same signal would be told apart
by how the leakage was tabulated. A rival that competes has moved to where its signal is most
like the data's, with thresholds near theirs, and there its rate is near the truth's. What is
neglected, that the rate changes with what is fitted, is l times the change of the shape, for a
leakage l, as within one hypothesis; see ``measurement.leakage.leakage_shape``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from renp_infer.inference.knowledge.constraints import PublishedTerm
from renp_infer.inference.knowledge.derived import derived
from renp_infer.inference.knowledge.external import NOTHING, External
from renp_infer.inference.knowledge.quantities import Quantities
from renp_infer.inference.likelihood import (
    Likelihood,
    ResponseLike,
    shapes_of,
    sum_of,
    template_at,
)
from renp_infer.inference.parameters import AMPLITUDE, PARAMETERS
from renp_infer.inference.priors.prior import (
    GaussianPrior,
    Prior,
    build_prior,
    free_names,
    measured,
    own_of,
    response_argument,
    truth_values,
)
from renp_infer.inference.priors.template import templates_at
from renp_infer.inference.profiles.fisher import MASSLESS_MEV
from renp_infer.inference.results.comparison import Hypothesis
from renp_infer.inference.settings import InferenceSettings
from renp_infer.measurement.data import Data
from renp_infer.physics.constants import MILLI_EV_TO_EV
from renp_infer.physics.neutrinos import ATMOSPHERIC
from renp_infer.records import Experiment, FloatArray, Parameters

if TYPE_CHECKING:
    from renp_infer.inference.responses.response import Response
    from renp_infer.physics.neutrinos import OscillationTable

TORUS_STEP = (0.7548776662466927, 0.5698402909980532)
"""Powers of 1 / 1.3247..., the plastic number: the most even lattice in two dimensions."""


class ModelLike(Protocol):
    """What a fit needs of a hypothesis, of one data set or of several."""

    @property
    def response(self) -> ResponseLike:
        """Of all data."""

    @property
    def parameters(self) -> Parameters:
        """Central values."""

    @property
    def settings(self) -> InferenceSettings:
        """Priors and sampler."""

    @property
    def prior(self) -> Prior:
        """Of every parameter."""

    @property
    def all_shapes(self) -> dict[str, FloatArray]:
        """What offsets of 1 add (n,)."""

    @property
    def external(self) -> External:
        """Constraints of other experiments on the hypothesis."""

    def at(self, m1_meV: float, phases: Sequence[float] | None = None) -> Parameters:
        """Parameters of a mass and of phases (delta, alpha21, alpha31), rad."""

    def every(self, parameters: Parameters) -> dict[str, float]:
        """Parameters, and what follows from them, by name at a point: what constraints know."""

    def values(self, parameters: Parameters) -> dict[str, float]:
        """Every parameter by name at a point, all nuisances at their centres."""

    def argument(self, values: Mapping[str, float]) -> FloatArray:
        """Argument of the response, from values of every parameter."""

    def field(self, parameters: Parameters) -> FloatArray:
        """Expected data (n,) with the nominal apparatus, without offsets."""

    def expected(
        self, values: Mapping[str, float], template: FloatArray | None = None
    ) -> FloatArray:
        """Expected data (n,) at values of every parameter, offsets included."""

    def derived(self, vectors: FloatArray) -> dict[str, FloatArray]:
        """What follows from free parameters (..., d), by name, shape (...) each."""

    def split(
        self, values: Mapping[str, float]
    ) -> list[tuple[HypothesisModel, Mapping[str, float]]]:
        """Model and values of each data set."""

    def likelihood(self, data: Data) -> Likelihood:
        """Likelihood of data."""

    def vector(self, parameters: Parameters) -> FloatArray:
        """Free parameters (d,) of a point, all nuisances at their centres."""

    def with_settings(self, settings: InferenceSettings) -> ModelLike:
        """The same with other priors."""

    def with_response(self, response: ResponseLike) -> ModelLike:
        """The same with another response."""


@dataclass(frozen=True)
class HypothesisModel:
    """What a fit of one ordering and nature needs.

    Attributes
    ----------
    response : ResponseLike
    parameters : Parameters
        Central values; mass and phases are those of the truth.
    oscillation : mapping
        Measured oscillation parameters of this ordering, among them sin^2 theta_23 where it
        is known.
    settings : InferenceSettings
    refractive_index : float
        Nominal value.
    peak : float or None
        Unit of the baseline's prior: the peak of the true signal. ``None`` is that of
        this hypothesis's own.
    shapes : mapping, optional
        What offsets of 1 add (n,), of those that are free and not uniform.
    knowledge : tuple of PublishedTerm
        Constraints of other experiments.
    """

    response: ResponseLike
    parameters: Parameters
    oscillation: Mapping[str, GaussianPrior]
    settings: InferenceSettings
    refractive_index: float
    peak: float | None = None
    shapes: Mapping[str, FloatArray] | None = None
    knowledge: tuple[PublishedTerm, ...] = ()

    @functools.cached_property
    def prior(self) -> Prior:
        """Of every parameter."""
        peak = self.peak
        if peak is None:
            peak = float(np.max(np.abs(self.field(self.parameters))))
        return build_prior(
            self.parameters, self.settings, self.oscillation, self.refractive_index, peak
        )

    @property
    def sin2_23(self) -> float | None:
        """Central value; ``None`` where no table gives it."""
        known = self.oscillation.get(ATMOSPHERIC)
        return None if known is None else known.mean

    def derived(self, vectors: FloatArray) -> dict[str, FloatArray]:
        """What follows from free parameters (..., d), by name, shape (...) each."""
        return derived(self.prior, self.parameters.nature, vectors, self.sin2_23)

    def at(self, m1_meV: float, phases: Sequence[float] | None = None) -> Parameters:
        """Parameters of a mass and of phases (delta, alpha21, alpha31), rad."""
        moved = replace(self.parameters, m1_eV=max(m1_meV, MASSLESS_MEV) * MILLI_EV_TO_EV)
        if phases is None:
            return moved
        delta, alpha21, alpha31 = phases
        return replace(moved, delta=delta, alpha21=alpha21, alpha31=alpha31)

    def values(self, parameters: Parameters) -> dict[str, float]:
        """Every parameter by name at a point, all nuisances at their centres."""
        own = {one.name: 0.0 for one in self.settings.templates}
        return truth_values(parameters, self.refractive_index) | own

    def argument(self, values: Mapping[str, float]) -> FloatArray:
        """Argument of the response, shape (12,), from values of every parameter."""
        return response_argument(values)

    def field(self, parameters: Parameters) -> FloatArray:
        """Expected data (n,) with the nominal apparatus, without offsets."""
        return template_at(self.response, self.argument(self.values(parameters)))

    def expected(
        self, values: Mapping[str, float], template: FloatArray | None = None
    ) -> FloatArray:
        """Expected data (n,) at values of every parameter, offsets included.

        ``template`` (n,) is what amplitude 1 gives, by default the response's.
        """
        if template is None:
            template = template_at(self.response, self.argument(values))
        return np.asarray(values[AMPLITUDE] * self.factor(values) * template + self.offset(values))

    def factor(self, values: Mapping[str, float]) -> FloatArray | float:
        """What multiplicative templates make of the signal (n,), or 1."""
        return 1.0 + sum(values[name] * shape for name, shape in self.factors.items())

    @functools.cached_property
    def factors(self) -> dict[str, FloatArray]:
        """Multiplicative templates (n,)."""
        return templates_at(self.settings.templates, "multiplicative", self.response.theta_s)

    @functools.cached_property
    def all_shapes(self) -> dict[str, FloatArray]:
        """What offsets of 1 add (n,), uniform ones among them."""
        return shapes_of(self.prior, self.response.theta_s.size, self.shapes)

    def offset(self, values: Mapping[str, float]) -> FloatArray:
        """What all offsets add (n,)."""
        return sum_of(values[name] * shape for name, shape in self.all_shapes.items())

    def split(
        self, values: Mapping[str, float]
    ) -> list[tuple[HypothesisModel, Mapping[str, float]]]:
        """Model and values of each data set; this is that of one."""
        return [(self, values)]

    def likelihood(self, data: Data) -> Likelihood:
        """Likelihood of data."""
        return Likelihood(self.prior, self.response, data, self.shapes, self.external, self.factors)

    @functools.cached_property
    def external(self) -> External:
        """Constraints on this hypothesis."""
        return External(self.knowledge, self._quantities) if self.knowledge else NOTHING

    @property
    def _quantities(self) -> Quantities:
        return Quantities(self.parameters.ordering, self.parameters.nature, self.sin2_23)

    def every(self, parameters: Parameters) -> dict[str, float]:
        """Parameters, and what follows from them, by name at a point: what constraints know."""
        return External((), self._quantities).every(self.values(parameters))

    def vector(self, parameters: Parameters) -> FloatArray:
        """Free parameters (d,) of a point, all nuisances at their centres."""
        values = self.values(parameters)
        names = free_names(self.parameters, self.settings, self.oscillation)
        return np.array([values[name] for name in names])

    def with_settings(self, settings: InferenceSettings) -> HypothesisModel:
        """The same with other priors."""
        return replace(self, settings=settings)

    def with_response(self, response: ResponseLike) -> HypothesisModel:
        """The same with another response."""
        return replace(self, response=response)

    def of_peak(
        self,
        peak: float,
        shapes: Mapping[str, FloatArray] | None = None,
        alike: Mapping[str, tuple[float, float]] | None = None,
    ) -> HypothesisModel:
        """The same for a true signal of another peak, which the offsets' shapes (n,) go with.

        ``alike`` has for offsets that other data sets have, too, the peak of the signal and
        of the shape in all of these; by default those of this one.
        """
        tops = {n: (peak, float(np.max(np.abs(e)))) for n, e in (shapes or {}).items()}
        tops |= alike or {}
        scaled = {
            n: tops[n][0] * (e / tops[n][1]) if n in PARAMETERS.offsets else e
            for n, e in (shapes or {}).items()
        }
        return replace(self, peak=peak, shapes=scaled)


class Responses:
    """Responses of an experiment by ordering: their tables serve both natures.

    Parameters
    ----------
    make : callable
        Response of parameters.
    """

    def __init__(self, make: Callable[[Parameters], Response]) -> None:
        self._make = make
        self._made: dict[str, Response] = {}

    def __call__(self, parameters: Parameters) -> Response:
        """Response of the ordering and nature of parameters."""
        if parameters.ordering not in self._made:
            self._made[parameters.ordering] = self._make(parameters)
        return self._made[parameters.ordering].with_nature(parameters.nature)


def assumed(hypothesis: Hypothesis, truth: Parameters, table: OscillationTable) -> Parameters:
    """Parameters that a hypothesis assumes: mass and phases are the truth's."""
    values = table.values[hypothesis.ordering]
    mixing: dict[str, Any] = {name: values[name] for name in PARAMETERS.oscillation}
    return replace(truth, **mixing, **hypothesis._asdict())


def offset_shapes(
    experiment: Experiment, truth: Parameters, settings: InferenceSettings
) -> dict[str, FloatArray]:
    """Shapes (n,) of the offsets that are free and not uniform: those of the truth.

    Additive templates of a study are among them.
    """
    from renp_infer.measurement.normalise import coherence

    own = own_of(settings, truth.ordering)
    wanted = {
        row.name: row.shape
        for row in PARAMETERS.rows
        if row.shape is not None and (getattr(settings, row.setting) > 0.0 or row.name in own)
    }
    chi2 = coherence(experiment) if wanted else 0.0
    known = templates_at(settings.templates, "additive", experiment.layout.theta_s)
    return {name: shape(experiment, truth, chi2) for name, shape in wanted.items()} | known


def hypothesis_model(
    hypothesis: Hypothesis,
    experiment: Experiment,
    truth: Parameters,
    table: OscillationTable,
    settings: InferenceSettings,
    response: Callable[[Parameters], ResponseLike],
    *,
    peak: float | None = None,
    shapes: Mapping[str, FloatArray] | None = None,
    knowledge: tuple[PublishedTerm, ...] = (),
) -> HypothesisModel:
    """Assemble a hypothesis of an experiment.

    Parameters
    ----------
    hypothesis : Hypothesis
    experiment : Experiment
    truth : Parameters
        Of the data: their mass and phases are the point that every hypothesis starts
        from, and offsets have the shapes of theirs.
    table : OscillationTable
    settings : InferenceSettings
    response : callable
        Response of the parameters that the hypothesis assumes.
    peak : float, optional
        See ``HypothesisModel``.
    shapes : mapping, optional
        By default those of the truth.
    knowledge : tuple of PublishedTerm
        Constraints of other experiments.
    """
    parameters = assumed(hypothesis, truth, table)
    return HypothesisModel(
        response(parameters),
        parameters,
        measured(table, hypothesis.ordering),
        settings,
        experiment.target.refractive_index,
        peak,
        offset_shapes(experiment, truth, settings) if shapes is None else shapes,
        knowledge,
    )


def phase_settings(count: int, own: Sequence[float]) -> list[tuple[float, float, float]]:
    """Settings of the CP phases (delta, alpha21, alpha31), rad, evenly over what counts.

    The field depends on alpha21 and alpha31 - 2 delta, and not on the common sign of
    both, so delta stays and half the torus is covered: first the study's own phases,
    then the four that conserve CP, then a lattice.
    """
    delta = own[0]
    corners = [(a, b) for a in (0.0, np.pi) for b in (0.0, np.pi)]
    steps = np.arange(1, max(count, 1))[:, None] * np.array(TORUS_STEP)
    lattice = np.mod(steps, 1.0) * np.array([np.pi, 2.0 * np.pi])
    points = [tuple(own)]
    for alpha21, effective in [*corners, *lattice]:
        point = (delta, float(alpha21), float(np.mod(effective + 2.0 * delta, 2.0 * np.pi)))
        if not any(np.allclose(point, other) for other in points):
            points.append(point)
    return [(p[0], p[1], p[2]) for p in points[:count]]
