"""Data of many truths under many hypotheses: what each data set tells."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from renp_infer.design.utilities.beside import joined
from renp_infer.design.utilities.foreknown import KnownTruths, NuisanceBelief, belief_of
from renp_infer.design.utilities.gaussian import Mocks, StateLikelihoods, marginalise
from renp_infer.design.utilities.landscape import FAR, curves_around, find_tops
from renp_infer.design.utilities.posterior import Learnt, learn
from renp_infer.design.utilities.prediction import (
    Prediction,
    cosines_of,
    in_degrees,
    nuisances,
    predict,
    turned,
)
from renp_infer.design.utilities.truths import Truths
from renp_infer.inference.hypothesis import (
    HypothesisModel,
    ModelLike,
    Responses,
    hypothesis_model,
    offset_shapes,
)
from renp_infer.inference.joint import JointModel, Sharing
from renp_infer.inference.knowledge.constraints import PublishedTerm
from renp_infer.inference.parameters import LEAKAGE, MASS
from renp_infer.inference.priors.marginals import PHASE_SD_DEG
from renp_infer.inference.priors.prior import Prior, response_argument, truth_values
from renp_infer.inference.profiles.exposure import ByExposure, required_exposure
from renp_infer.inference.profiles.fisher import MASSLESS_MEV, Expansion
from renp_infer.inference.responses.accurate import AccurateResponses
from renp_infer.inference.responses.response import Response
from renp_infer.inference.results.comparison import hypothesis_named
from renp_infer.inference.settings import InferenceSettings
from renp_infer.measurement.noise import Noise
from renp_infer.measurement.normalise import coherence
from renp_infer.physics.constants import MILLI_EV_TO_EV
from renp_infer.physics.neutrinos import OscillationTable
from renp_infer.records import Experiment, FloatArray, Parameters

_SIGNIFICANCE = 3.0
_STRIDE = 2
"""Every so many of the table's masses the likelihood of all data is looked at."""
_NO_PEAK = 1e-300
"""Unit of the baseline's prior where a design has no signal at all."""


@dataclass(frozen=True)
class Rival:
    """A hypothesis at the bench of a design.

    Attributes
    ----------
    model : ModelLike
    """

    model: ModelLike

    @property
    def prior(self) -> Prior:
        """Of every parameter."""
        return self.model.prior

    @functools.cached_property
    def belief(self) -> NuisanceBelief | None:
        """What constraints leave of the nuisances; ``None`` if there is none on them."""
        return belief_of(self.model)

    def known(self, m1_meV: FloatArray) -> Prediction:
        """Fields at masses (k,), with nuisances as constraints leave them."""
        found = self.predicted(m1_meV)
        return found if self.belief is None else self.belief.of(found)

    def predicted(self, m1_meV: FloatArray) -> Prediction:
        """Fields at masses (k,)."""
        assert isinstance(self.model, HypothesisModel)
        return predict(self.model, m1_meV)

    def field(self, m1_meV: float, phases: FloatArray, shifts: FloatArray) -> FloatArray:
        """Expected data (n,) at phases (2,) and nuisances (d,) in standard deviations."""
        return self.model.expected(self.values(m1_meV, phases, shifts))

    def values(self, m1_meV: float, phases: FloatArray, shifts: FloatArray) -> dict[str, float]:
        """Every parameter by name at such a point."""
        shifts = shifts if self.belief is None else self.belief.moved(shifts)
        values = dict(self.prior.fixed) | {MASS: max(m1_meV, MASSLESS_MEV)}
        for name, shift in zip(nuisances(self.prior), shifts, strict=True):
            values[name] = float(self.prior.marginals[name].from_unit(np.array([shift])))
        if self.prior.circular:
            own = self.model.parameters
            values |= in_degrees(own.delta, phases[0], phases[1] + 2.0 * own.delta)
        return values


class KnownRival(Rival):
    """One of a set that stands beside every design: its fields are calculated once."""

    @functools.cached_property
    def _known(self) -> dict[bytes, Prediction]:
        return {}

    def predicted(self, m1_meV: FloatArray) -> Prediction:
        """Fields at masses (k,)."""
        key = m1_meV.tobytes()
        if key not in self._known:
            self._known[key] = super().predicted(m1_meV)
        return self._known[key]


@dataclass(frozen=True)
class LeakingRival(Rival):
    """One of a set beside a design whose leakage is that of the design, too.

    Attributes
    ----------
    model : HypothesisModel
        With the shape that the leakage of all of them has.
    known_alone : KnownRival
        Of the set without the design.
    factor : float
        New shape by old.
    """

    known_alone: KnownRival
    factor: float

    @classmethod
    def of(cls, alone: KnownRival, factor: float) -> LeakingRival:
        """The same with another scale of the leakage."""
        model = alone.model
        assert isinstance(model, HypothesisModel)
        shapes = dict(model.shapes or {})
        shapes[LEAKAGE] = factor * shapes[LEAKAGE]
        return cls(replace(model, shapes=shapes), alone, factor)

    def predicted(self, m1_meV: FloatArray) -> Prediction:
        """Fields at masses (k,)."""
        found = self.known_alone.predicted(m1_meV)
        slopes = found.slopes.copy()
        slopes[:, :, nuisances(self.prior).index(LEAKAGE)] *= self.factor
        return replace(found, slopes=slopes)


@dataclass(frozen=True)
class JointRival(Rival):
    """A hypothesis of several data sets, from those of each.

    Attributes
    ----------
    model : JointModel
    parts : tuple of Rival
    """

    model: JointModel
    parts: tuple[Rival, ...]

    @classmethod
    def of(cls, parts: Sequence[Rival], sharing: Sharing) -> JointRival:
        """Join the same hypothesis of all sets."""
        models = [part.model for part in parts if isinstance(part.model, HypothesisModel)]
        return cls(JointModel.of(models, sharing), tuple(parts))

    def predicted(self, m1_meV: FloatArray) -> Prediction:
        """Fields at masses (k,)."""
        return joined([part.predicted(m1_meV) for part in self.parts], self.model)


def rivals_of(
    experiment: Experiment,
    hypotheses: Sequence[tuple[str, str]],
    own: Parameters,
    table: OscillationTable,
    settings: InferenceSettings,
    *,
    sigma_nG: FloatArray | None,
    seed: int,
    knowledge: Mapping[str, tuple[PublishedTerm, ...]],
) -> list[Rival]:
    """Hypotheses of an experiment, one response for each ordering.

    With standard errors ``sigma_nG`` (n,) a response has the finite crystal's share and is
    good for them, or refused; without, it is the large-crystal limit, unchecked. A search
    looks at hundreds of layouts and only ranks them: it leaves out 1e-3 of the peak anyway,
    far more than a table errs by, and a check of each would cost more than its appraisal.
    What it settles for, the study's own design and their gains are what is told and what a
    fit will be made of; they are appraised last, with the share, and checked then.

    The unit of the baseline's prior, and the shapes of the offsets, are those of the
    parameters ``own``, whatever the hypothesis. ``knowledge`` are constraints by ordering.

    Raises
    ------
    ConvergenceError
        If no response is good enough for the standard errors.
    """
    chi2 = coherence(experiment)
    largest = settings.m1_max_meV * MILLI_EV_TO_EV
    if sigma_nG is None:
        responses: Callable[[Parameters], Response] = Responses(
            lambda p: Response(experiment, p, chi2, largest, finite_crystal=False)
        )
    else:
        responses = AccurateResponses(experiment, chi2, settings, table, sigma_nG, seed)
    shapes = offset_shapes(experiment, own, settings)
    models = [
        hypothesis_model(
            hypothesis_named(*pair),
            experiment,
            own,
            table,
            settings,
            responses,
            shapes=shapes,
            knowledge=knowledge.get(pair[0], ()),
        )
        for pair in hypotheses
    ]
    values = truth_values(own, experiment.target.refractive_index)
    peak = float(np.max(np.abs(responses(own)(response_argument(values))[0])))
    return [Rival(replace(m, peak=max(peak, _NO_PEAK))) for m in models]


class DesignBench:
    """Hypotheses and noise of one design, with a table of fields over m1.

    Parameters
    ----------
    rivals : sequence of Rival
    known : KnownTruths
        Before the data.
    noise : Noise
    masses : int
        Masses of the table, evenly over the prior's probability, with both ends.
    """

    def __init__(
        self, rivals: Sequence[Rival], known: KnownTruths, noise: Noise, masses: int
    ) -> None:
        self.rivals, self.known, self.noise = rivals, known, noise
        quantiles = np.linspace(0.0, 1.0, masses)
        self.masses_meV: FloatArray = known.mass.from_unit(ndtri(quantiles)[:, None])
        self.table = [rival.known(self.masses_meV) for rival in rivals]

    def at_exposure(self, exposure_s: float) -> DesignBench:
        """The same for another exposure, shared as before."""
        other = copy.copy(self)
        other.noise = self.noise.at(exposure_s)
        return other

    def states(
        self, place: int, m1_meV: FloatArray, anchors_meV: FloatArray | None = None
    ) -> StateLikelihoods:
        """Likelihoods of the hypothesis at a place, at masses (k,).

        All is linear around the anchors (k,), by default the masses themselves.
        """
        if anchors_meV is None:
            return marginalise(self.table[place].at(m1_meV), self.noise)
        states = self.table[place].at(anchors_meV)
        field = states.mean + states.by_mass * (m1_meV - anchors_meV)[:, None]
        states = replace(states, m1_meV=m1_meV, mean=field)
        return marginalise(states, self.noise)

    def mocks(self, truths: Truths) -> Mocks:
        """Data of all truths, linear in the nuisances."""
        size = len(nuisances(self.rivals[0].prior))
        shifts, errors = truths.drawn(size, self.rivals[0].model.response.theta_s.size)
        field, cosines = errors, cosines_of(truths.phases)
        for place in np.unique(truths.hypothesis):
            own = truths.hypothesis == place
            states = self.states(place, truths.m1_meV[own])
            field[own] += states.field + np.einsum("knc,kc->kn", states.cosines, cosines[own])
        return Mocks(field, shifts)

    def exact_mocks(self, truths: Truths) -> Mocks:
        """Same data with nothing linearised, interpolated or known of the nuisances."""
        size = len(nuisances(self.rivals[0].prior))
        shifts, errors = truths.drawn(size, self.rivals[0].model.response.theta_s.size)
        fields = [
            self.rivals[place].field(float(m), phases, shift)
            for place, m, phases, shift in zip(
                truths.hypothesis, truths.m1_meV, truths.phases, shifts, strict=True
            )
        ]
        white = self.noise.whiten(np.array(fields).T, self.noise.exposure_s).T
        return Mocks(errors + white, np.zeros_like(shifts))

    def learnt(self, truths: Truths, *, exact: bool = False) -> list[Learnt]:
        """What the data of each truth tell; ``exact`` data, or those of the linear model."""
        mocks = self.exact_mocks(truths) if exact else self.mocks(truths)
        grid = np.append(self.masses_meV[:-1:_STRIDE], self.masses_meV[-1])
        places = range(len(self.rivals))
        models = [functools.partial(self.states, place) for place in places]
        tops = [find_tops(m, m(grid), mocks, truths.m1_meV) for m in models]
        heights = np.array([top.log.max(axis=0) for top in tops]) + self.known.log_odds[:, None]
        lost = heights < heights.max(axis=0) - FAR
        phases = self.known.phases
        curves = [curves_around(models[k], tops[k], mocks, lost[k], phases[k]) for k in places]
        return [
            learn(rows, self.known, float(m))
            for rows, m in zip(zip(*curves, strict=True), truths.m1_meV, strict=True)
        ]

    def exposures_s(self, truths: Truths) -> FloatArray:
        """Exposures (T,) in which m1 differs from 0 by three standard errors, s.

        From the information at the truth, see ``inference.profiles.fisher``.
        """
        found = np.empty(truths.m1_meV.size)
        for place in np.unique(truths.hypothesis):
            for t in np.nonzero(truths.hypothesis == place)[0]:
                found[t] = self._exposure_s(place, truths, int(t))
        return found

    def _exposure_s(self, place: int, truths: Truths, t: int) -> float:
        m1 = float(truths.m1_meV[t])
        expansion = self._expansion(place, m1, truths.phases[t])
        known = ByExposure(expansion, self.noise)
        return required_exposure(
            lambda exposure_s: m1 / known.sigma(exposure_s),
            _SIGNIFICANCE,
            start_s=self.noise.exposure_s,
            monotone=not self.noise.drifts,
        )

    def _expansion(self, place: int, m1_meV: float, phases: FloatArray) -> Expansion:
        """Linear model around a truth: m1, nuisances and phases in prior standard errors."""
        part = self.table[place].at(np.array([m1_meV]))
        slopes, names = part.slopes[0], list(nuisances(self.rivals[place].prior))
        if np.any(part.cosines):
            by_phase = turned(part.cosines[0], phases)
            slopes = np.column_stack([slopes, np.deg2rad(PHASE_SD_DEG) * by_phase])
            names += ["alpha21", "alpha31-2delta"]
        count = len(names)
        jacobian = np.column_stack([part.by_mass[0], slopes])
        rows = np.column_stack([np.zeros(count), np.eye(count)])
        misfit = np.zeros(jacobian.shape[0])
        return Expansion((MASS, *names), misfit, jacobian, np.zeros(count), rows)
