"""What choosing from a study takes: its states of nature, its noise, and mock truths."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from renp_infer.design.sequences.beliefs import NONE_YET, Atlas, Beliefs, IntArray, Readings
from renp_infer.design.sequences.expansion import (
    Expander,
    Expands,
    JointExpander,
    MovedExpander,
)
from renp_infer.design.sequences.sequential import MASS, Menu
from renp_infer.design.sequences.states import StateMoves, States, make_states
from renp_infer.design.utilities.appraisal import Rival
from renp_infer.design.utilities.foreknown import known_truths
from renp_infer.design.utilities.prediction import nuisances
from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.joint import JointModel
from renp_infer.inference.profiles.fisher import MASSLESS_MEV
from renp_infer.inference.results.comparison import HYPOTHESES
from renp_infer.measurement.normalise import coherence, noise_scale
from renp_infer.measurement.squid import standard_error_nG
from renp_infer.physics.cycle.field_cycle import bloch_cycle
from renp_infer.study.designing import base_of, beside_of
from renp_infer.study.hypotheses import accurate_responses, hypothesis_of, true_peak_nG
from renp_infer.study.observed import data_of
from renp_infer.verbs.remembered import remembered

if TYPE_CHECKING:
    from renp_infer.records import Experiment, FloatArray
    from renp_infer.study.study import Study

ROUNDING = 1e-9
"""rad; angles that are closer are one that was written in degrees."""

SPREAD = 4
"""Angles over which a campaign's time is shared where a response is judged."""

type Models = list[HypothesisModel] | list[JointModel]
"""Of each hypothesis: of the run that is chosen alone, or with the data sets before it."""


def new_run(study: Study) -> Experiment:
    """Apparatus of the run whose settings are chosen: the study's own, beside its data sets."""
    return base_of(study) if study.sets else study.experiment


def own_angles(study: Study) -> FloatArray:
    """Candidates, and angles of the layouts, of a sequence: rad, ascending, each once."""
    assert study.sequential is not None
    chosen = np.array(study.sequential.angles), np.array(study.sequential.fixed)
    return np.unique(np.concatenate([*chosen, new_run(study).layout.theta_s]))


def others_of(study: Study, theta_s: FloatArray) -> FloatArray:
    """Angles (k,) of data that are none of a sequence's own, rad, ascending, each once."""
    return np.setdiff1d(_snapped(theta_s, own_angles(study)), own_angles(study))


def _snapped(theta_s: FloatArray, known: FloatArray) -> FloatArray:
    """Angles (n,), each the known one where it differs from that by rounding in degrees."""
    near = known[np.argmin(np.abs(np.subtract.outer(theta_s, known)), axis=1)]
    return np.where(np.abs(near - theta_s) < ROUNDING, near, theta_s)


def expander_of(models: Models, states: States) -> Expands:
    """What expands states of some hypotheses."""
    joint = [model for model in models if isinstance(model, JointModel)]
    if joint:
        return JointExpander(joint, states.names, states.hypothesis)
    alone = [model for model in models if isinstance(model, HypothesisModel)]
    return Expander(alone, states.names, states.hypothesis)


class SequenceBench:
    """A study's states of nature at all angles that matter.

    Parameters
    ----------
    study : Study
        With settings of ``[optimize.sequential]``.
    more : ndarray, shape (k,), optional
        Other angles, those of data, rad.

    Attributes
    ----------
    hypotheses : tuple of (ordering, nature)
        Those with odds, h of them.
    theta_s : ndarray, shape (a,)
        Candidates, angles of the layouts and of data, rad, ascending.
    atlas : Atlas
        States expanded about the centres of all nuisances: at the angles of all data sets that
        the study has, then at ``theta_s``.
    expander : Expands
    own : Experiment
        The apparatus of the run that is chosen, at the angles of its layout.
    """

    def __init__(self, study: Study, more: FloatArray | None = None) -> None:
        assert study.sequential is not None
        self.study, self.settings = study, study.sequential
        self.own = new_run(study)
        self._taken = data_of(study) if study.sets else None
        others = np.empty(0) if more is None else _snapped(more, own_angles(study))
        self.theta_s: FloatArray = np.unique(np.concatenate([own_angles(study), others]))
        detector = replace(self.own.detector, exposure_shares=None)
        layout = replace(self.own.layout, theta_s=self.theta_s)
        self.experiment = replace(self.own, layout=layout, detector=detector)
        self.chi2 = coherence(self.experiment)
        self.priors = study.priors
        odds = dict(zip(HYPOTHESES, self.settings.odds, strict=True))
        self.hypotheses = tuple(pair for pair, weight in odds.items() if weight)
        self._second_nG = self._noise()
        self._models = self._hypotheses()
        weights = np.array([odds[pair] for pair in self.hypotheses])
        self.known = known_truths(
            self.hypotheses,
            weights / weights.sum(),
            study.parameters,
            study.oscillation,
            self.priors,
            study.knowledge_by_ordering,
        )
        states = make_states(self._models, self._masses(), self.known)
        self.expander = expander_of(self._models, states)
        moves = StateMoves.of(self._models, self.known, states)
        if moves is not None:
            states = states.moved(moves)
            self.expander = MovedExpander(self.expander, moves)
        self.atlas = Atlas.of(states)

    def _hypotheses(self) -> Models:
        """Good for a campaign that spends its time on ``SPREAD`` angles.

        However it spends it, what the response errs by at all angles together stays below
        sqrt(SPREAD) per cent of a standard error: less than in a layout of more angles.
        """
        sigma = np.full(self.theta_s.size, self.sigma_nG(self.settings.total_s / SPREAD))
        beside, own = beside_of(self.study), replace(self.study, experiment=self.own)
        if beside is None:
            return self._of_run(own, self.experiment, sigma)
        known = [
            self._of_run(one.study, one.study.experiment, data_of(one.study).sigma)
            for one in self.study.sets
        ]
        sharing = beside.sharing(self.own)
        own = replace(own, settings=self.priors.of_groups(sharing.own_groups(-1)))
        new = self._of_run(own, self.experiment, sigma)
        return [JointModel.of(models, sharing) for models in zip(*known, new, strict=True)]

    def _of_run(self, study: Study, at: Experiment, sigma: FloatArray) -> list[HypothesisModel]:
        """Hypotheses of one run, good for a noise (n,); the peak is that of its own layout."""
        bench, peak = replace(study, experiment=at), true_peak_nG(study)
        responses = accurate_responses(bench, sigma)
        return [hypothesis_of(bench, h, responses, peak_nG=peak) for h in self.hypotheses]

    def _masses(self) -> FloatArray:
        """Centres of the cells of m1, meV: equal in the measure of its prior."""
        low = self.priors.m1_min_meV if self.priors.m1_prior == "log-uniform" else 0.0
        space = np.geomspace if low else np.linspace
        ends = self.known.mass.limits if self.study.knowledge else (low, self.priors.m1_max_meV)
        return np.asarray(space(*ends, self.settings.masses))

    def _noise(self) -> float:
        """Standard error after one second at one angle, nG."""
        detector = replace(self.experiment.detector, exposure_s=1.0)
        cycle = bloch_cycle(self.experiment)
        error = standard_error_nG(detector, self.experiment.lasers, 1, cycle)
        return error * noise_scale(self.own, self.study.parameters, self.chi2)

    def sigma_nG(self, exposure_s: float) -> float:
        """Standard error of one measurement, nG."""
        return float(self._second_nG / np.sqrt(exposure_s))

    def menu(self) -> Menu:
        """Settings among which to choose."""
        chosen = self.settings
        places = self.places(np.array(chosen.angles))
        exposures = np.array(chosen.exposures_s)
        return Menu(
            places, exposures, self.sigma_nG, chosen.setting_s, chosen.goal, chosen.lookahead
        )

    def places(self, theta_s: FloatArray) -> IntArray:
        """Places of angles (n,) of the run that is chosen, rad, in the atlas."""
        before = 0 if self._taken is None else self._taken.vector.size
        return before + np.searchsorted(self.theta_s, _snapped(theta_s, self.theta_s))

    def before(self) -> Readings:
        """Readings of the data sets that the study has; none without any."""
        if self._taken is None:
            return NONE_YET
        places = np.arange(self._taken.vector.size)
        return Readings(places, self._taken.vector, self._taken.covariance)

    def drawn_before(self, field_nG: FloatArray, rng: np.random.Generator) -> Readings:
        """What their apparatus and noise would have read of a truth with a field (a,)."""
        own = self.before()
        if not own.angles.size:
            return own
        noise = np.linalg.cholesky(own.covariance) @ rng.standard_normal(own.angles.size)
        return replace(own, data=field_nG[own.angles] + noise)

    def enough(self, beliefs: Beliefs) -> bool:
        """Whether the goal is reached."""
        goal = self.settings.goal
        if goal == MASS:
            return beliefs.mass(self.atlas)[1] < self.settings.stop_sd_meV
        leading = float(np.max(beliefs.probabilities(self.atlas.labels[goal])))
        return self.settings.stop_probability < 1.0 and leading >= self.settings.stop_probability

    def probabilities(self, beliefs: Beliefs) -> FloatArray:
        """Probabilities of the hypotheses, (h,)."""
        return np.asarray(beliefs.weights.reshape(len(self.hypotheses), -1).sum(axis=1))

    def truth(self, m1_meV: float, rng: np.random.Generator) -> FloatArray:
        """Field (a,), nG, of the study's hypothesis with all else drawn from its prior.

        Not linearised: what the states approximate.
        """
        own = (self.study.parameters.ordering, self.study.parameters.nature)
        k = self.hypotheses.index(own)
        model, prior = self._models[k], self._models[k].prior
        if self.study.knowledge:
            return self._known_truth(k, m1_meV, rng)
        vector = prior.sample(rng, 1)[0]
        vector[prior.names.index("m1_meV")] = max(m1_meV, MASSLESS_MEV)
        return model.expected(prior.values(vector))

    def _known_truth(self, k: int, m1_meV: float, rng: np.random.Generator) -> FloatArray:
        """The same with nuisances and phases as constraints leave them at that mass."""
        rival = Rival(self._models[k])
        phases, table = 2.0 * np.pi * rng.uniform(size=2), self.known.phases[k]
        if table is not None:
            phases = table.drawn(np.array([m1_meV]), rng.uniform(size=(1, 2)))[0]
        shifts = rng.standard_normal(len(nuisances(rival.prior)))
        return rival.field(m1_meV, phases, shifts)


bench_of = remembered(SequenceBench)
"""The bench of a study, from before if the key is the same."""
