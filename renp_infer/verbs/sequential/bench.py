"""What choosing from a study takes: its states of nature, its noise, and mock truths."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from renp_infer.design.beliefs import Atlas, Beliefs, IntArray
from renp_infer.design.expansion import Expander
from renp_infer.design.sequential import MASS, Menu
from renp_infer.design.states import make_states
from renp_infer.inference.comparison import HYPOTHESES
from renp_infer.inference.fisher import MASSLESS_MEV
from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.measurement.normalise import coherence, noise_scale
from renp_infer.measurement.squid import standard_error_nG
from renp_infer.physics.field_cycle import bloch_cycle
from renp_infer.study.hypotheses import accurate_responses, hypothesis_of, true_peak_nG
from renp_infer.verbs.remembered import remembered

if TYPE_CHECKING:
    from renp_infer.records import FloatArray
    from renp_infer.study.study import Study


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
        States expanded about the centres of all nuisances.
    expander : Expander
    """

    def __init__(self, study: Study, more: FloatArray | None = None) -> None:
        assert study.sequential is not None
        self.study, self.settings = study, study.sequential
        others = (study.experiment.layout.theta_s, np.empty(0) if more is None else more)
        chosen = (np.array(self.settings.angles), np.array(self.settings.fixed))
        self.theta_s: FloatArray = np.unique(np.concatenate([*chosen, *others]))
        detector = replace(study.experiment.detector, exposure_shares=None)
        layout = replace(study.experiment.layout, theta_s=self.theta_s)
        self.experiment = replace(study.experiment, layout=layout, detector=detector)
        self.chi2 = coherence(self.experiment)
        self.priors = study.priors
        odds = dict(zip(HYPOTHESES, self.settings.odds, strict=True))
        self.hypotheses = tuple(pair for pair, weight in odds.items() if weight)
        self._second_nG = self._noise()
        self._models = self._hypotheses()
        weights = [odds[pair] for pair in self.hypotheses]
        states = make_states(self._models, self._masses(), weights)
        self.atlas = Atlas.of(states)
        self.expander = Expander(self._models, states.names, states.hypothesis)

    def _hypotheses(self) -> list[HypothesisModel]:
        """Good for what a campaign knows if it spends all its time on one angle."""
        bench, peak = replace(self.study, experiment=self.experiment), true_peak_nG(self.study)
        sigma = np.full(self.theta_s.size, self.sigma_nG(self.settings.total_s))
        responses = accurate_responses(bench, sigma)
        return [hypothesis_of(bench, h, responses, peak_nG=peak) for h in self.hypotheses]

    def _masses(self) -> FloatArray:
        """Centres of the cells of m1, meV: equal in the measure of its prior."""
        low = self.priors.m1_min_meV if self.priors.m1_prior == "log-uniform" else 0.0
        space = np.geomspace if low else np.linspace
        return np.asarray(space(low, self.priors.m1_max_meV, self.settings.masses))

    def _noise(self) -> float:
        """Standard error after one second at one angle, nG."""
        detector = replace(self.experiment.detector, exposure_s=1.0)
        cycle = bloch_cycle(self.experiment)
        error = standard_error_nG(detector, self.experiment.lasers, 1, cycle)
        return error * noise_scale(self.study.experiment, self.study.parameters, self.chi2)

    def sigma_nG(self, exposure_s: float) -> float:
        """Standard error of one measurement, nG."""
        return float(self._second_nG / np.sqrt(exposure_s))

    def menu(self) -> Menu:
        """Settings among which to choose."""
        chosen = self.settings
        places = self.places(np.array(chosen.angles))
        exposures = np.array(chosen.exposures_s)
        return Menu(places, exposures, self.sigma_nG, chosen.setting_s, chosen.goal)

    def places(self, theta_s: FloatArray) -> IntArray:
        """Places of angles (n,), rad, in the atlas."""
        return np.searchsorted(self.theta_s, theta_s)

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
        vector = prior.sample(rng, 1)[0]
        vector[prior.names.index("m1_meV")] = max(m1_meV, MASSLESS_MEV)
        return model.expected(prior.values(vector))


bench_of = remembered(SequenceBench)
"""The bench of a study, from before if the key is the same."""
