"""Utilities of a design: what an experiment is expected to tell, before it is done.

Truths are drawn from the prior (or one is fixed), data from the truths, and the
posterior of each data set is found on masses, hypotheses and phases with the nuisances
integrated out; see docs/design.md. Truths and noise are the same for every design
(common random numbers), so that a utility is a deterministic function of the design.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

from renp_infer.design.utilities.beside import Split
from renp_infer.design.utilities.foreknown import known_truths
from renp_infer.design.utilities.measures import UTILITIES
from renp_infer.design.utilities.truths import Truths, fixed_truth, prior_truths, spread
from renp_infer.errors import DomainError
from renp_infer.inference.parameters import LEAKAGE
from renp_infer.inference.settings import InferenceSettings
from renp_infer.measurement.leakage import leakage_unit
from renp_infer.measurement.noise import Noise, noise_by_exposure
from renp_infer.measurement.normalise import coherence
from renp_infer.physics.neutrinos import OscillationTable
from renp_infer.records import Experiment, FloatArray, Parameters

if TYPE_CHECKING:
    from renp_infer.design.utilities.appraisal import DesignBench, KnownRival, Rival
    from renp_infer.design.utilities.beside import Beside
    from renp_infer.design.utilities.posterior import Learnt
    from renp_infer.inference.joint import Sharing
    from renp_infer.inference.knowledge.constraints import PublishedTerm

EXPOSURE = "exposure_3sigma_s"

PRIOR_SHARE = 0.02
"""Share of the prior in the density of a lower bound: where the linear model has lost the
truth, the bound loses 4 nat and no more."""


@dataclass(frozen=True)
class Utility:
    """An expected utility.

    Attributes
    ----------
    value : float
    error : float
        One standard deviation of the Monte Carlo average; 0 if deterministic.
    lower, upper : float or None
        Bounds, where the estimator gives them.
    """

    value: float
    error: float
    lower: float | None = None
    upper: float | None = None

    @property
    def known(self) -> bool:
        """Whether it is a number."""
        return bool(np.isfinite(self.value))

    def plain(self) -> dict[str, float | None]:
        """As JSON knows it; ``None`` for what is no number."""
        return {
            name: None if number is None or not np.isfinite(number) else float(number)
            for name, number in asdict(self).items()
        }

    @classmethod
    def read(cls, row: Mapping[str, float | None]) -> Utility:
        """From a plain row."""
        value, error = (np.inf if row[n] is None else row[n] for n in ("value", "error"))
        return cls(value, error, row["lower"], row["upper"])  # type: ignore[arg-type]


UNKNOWN = Utility(np.inf, np.inf)
"""What nothing is known of."""


@dataclass(frozen=True)
class UtilitySettings:
    """What utilities are averaged over.

    Attributes
    ----------
    inference : InferenceSettings
        Prior of m1, which nuisances are free, and their errors; sampler settings
        are not used.
    orderings, natures : tuple of str
        Hypotheses: all combinations.
    odds : mapping
        Prior weight by "ordering nature", such as ``{"normal dirac": 2.0}``; others 1.
    truth : {"prior", "fixed"}
        Truths drawn from the prior, or the parameters given to the appraiser (nuisances
        and noise are drawn in either case).
    truths : int
        Number of truths, each with its own noise.
    masses : int
        Masses, evenly over the prior, at which fields are computed; they are interpolated
        between.
    """

    inference: InferenceSettings
    orderings: tuple[str, ...]
    natures: tuple[str, ...]
    odds: Mapping[str, float]
    truth: str
    truths: int
    masses: int

    def __post_init__(self) -> None:
        for name in ("truths", "masses"):
            if getattr(self, name) < 2:
                raise DomainError(name, getattr(self, name), ">= 2")


class Appraiser:
    """Appraises experiments, with truths and noise drawn once.

    Parameters
    ----------
    settings : UtilitySettings
    parameters : Parameters
        Central values: phases that are not free, and the fixed truth.
    table : OscillationTable
        Measured oscillation parameters of both orderings.
    rng : numpy.random.Generator
    noise_scale : float
        Factor of the noise: 1, or that of `measurement.normalise.noise_scale` for the study's
        own experiment. It stays the same for all designs.
    finite_crystal : bool
        Whether the finite crystal's share of the field, some 1e-3 of the peak for
        centimetres, is tabulated for each design (over a second) and checked to be good
        for its noise, or left out.
    knowledge : mapping, optional
        Constraints of other experiments by ordering: what they say belongs to the prior.
    beside : Beside, optional
        Data sets that count with every design, or among which designs split an exposure.
    seed : int
        Of the draws on which a response is checked.
    """

    def __init__(
        self,
        settings: UtilitySettings,
        parameters: Parameters,
        table: OscillationTable,
        rng: np.random.Generator,
        *,
        noise_scale: float = 1.0,
        finite_crystal: bool = False,
        knowledge: Mapping[str, tuple[PublishedTerm, ...]] | None = None,
        beside: Beside | None = None,
        seed: int = 0,
    ) -> None:
        self.beside = beside
        self.settings, self.noise_scale, self.seed = settings, noise_scale, seed
        self.finite_crystal, self._own, self._table = finite_crystal, parameters, table
        self.hypotheses = tuple((o, n) for o in settings.orderings for n in settings.natures)
        odds = np.array([settings.odds.get(" ".join(pair), 1.0) for pair in self.hypotheses])
        self.knowledge = knowledge or {}
        self.known = known_truths(
            self.hypotheses,
            odds / odds.sum(),
            parameters,
            table,
            settings.inference,
            self.knowledge,
        )
        self.truths = self._drawn(rng)
        self._made: dict[tuple[float, ...], list[list[KnownRival]]] = {}

    @property
    def odds(self) -> FloatArray:
        """Probabilities of the hypotheses before the data (H,)."""
        return self.known.odds

    def _drawn(self, rng: np.random.Generator) -> Truths:
        settings, own = self.settings, self._own
        if settings.truth == "fixed":
            place = self.hypotheses.index((own.ordering, own.nature))
            return fixed_truth(place, own, settings.truths, rng)
        count = -(-settings.truths // len(self.hypotheses))
        return prior_truths(self.known, count, rng)

    def at(self, parameters: Parameters, truths: int, rng: np.random.Generator) -> Appraiser:
        """The same for one truth, with so many drawn nuisances and noises.

        What the central values give, such as the shapes of offsets, stays.
        """
        other = copy.copy(self)
        other.settings = replace(self.settings, truth="fixed", truths=truths)
        place = self.hypotheses.index((parameters.ordering, parameters.nature))
        other.truths = fixed_truth(place, parameters, truths, rng)
        return other

    def __call__(
        self,
        experiment: Experiment,
        names: Sequence[str] = UTILITIES,
        shares: FloatArray | None = None,
    ) -> dict[str, Utility]:
        """Appraise an experiment.

        Parameters
        ----------
        experiment : Experiment
        names : sequence of str
            Of ``UTILITIES``.
        shares : ndarray, shape (n,), optional
            Share of the exposure spent at each angle, > 0, summing to one; equal by
            default.

        Raises
        ------
        RenpError
            Where the response or the noise of the experiment cannot be had.
        """
        return self.of_bench(self.bench(experiment, shares), names)

    def bench(self, experiment: Experiment, shares: FloatArray | None = None) -> DesignBench:
        """Hypotheses and noise of an experiment, with those of the sets beside it."""
        from renp_infer.design.utilities.appraisal import DesignBench

        beside = self.beside
        rivals: Sequence[Rival]
        if beside is not None and isinstance(experiment, Split):
            rivals = _together(self._known(experiment.exposures_s), beside.sharing())
            noise = beside.split_noise(experiment.exposures_s)
        else:
            noise = noise_by_exposure(experiment, self.noise_scale**2, shares)
            if beside is None:
                rivals = self._rivals(experiment, noise)
            else:
                sets = self._with_one(beside, experiment, noise)
                rivals = _together(sets, beside.sharing(experiment))
                noise = beside.noise(noise)
        return DesignBench(rivals, self.known, noise, self.settings.masses)

    def _rivals(
        self, experiment: Experiment, noise: Noise, groups: Mapping[str, str] | None = None
    ) -> list[Rival]:
        """Hypotheses of one experiment, which has some groups of each parameter."""
        from renp_infer.design.utilities.appraisal import rivals_of

        return rivals_of(
            experiment,
            self.hypotheses,
            self._own,
            self._table,
            self.settings.inference.of_groups(groups or {}),
            sigma_nG=noise.sigma_nG if self.finite_crystal else None,
            seed=self.seed,
            knowledge=self.knowledge,
        )

    def _with_one(
        self, beside: Beside, experiment: Experiment, noise: Noise
    ) -> list[Sequence[Rival]]:
        """Hypotheses of each set beside a design, and of the design.

        A leakage that they have in common has one scale, the peak of all of them.
        """
        from renp_infer.design.utilities.appraisal import LeakingRival

        known: list[Sequence[Rival]] = [*self._known()]
        groups = beside.sharing(experiment).own_groups(-1)
        alike = [k for k in beside.leaking_alike(experiment) if LEAKAGE in known[k][0].prior.names]
        if not alike:
            return [*known, self._rivals(experiment, noise, groups)]
        others = tuple(replace(beside.sets[k].experiment, beside=()) for k in alike)
        experiment = replace(experiment, beside=others)
        unit = leakage_unit(experiment, self._own, coherence(experiment))
        for k in alike:
            before = beside.sets[k].experiment
            factor = unit / leakage_unit(before, self._own, coherence(before))
            known[k] = [LeakingRival.of(rival, factor) for rival in self._known()[k]]
        return [*known, self._rivals(experiment, noise, groups)]

    def _known(self, exposures_s: tuple[float, ...] = ()) -> list[list[KnownRival]]:
        """Hypotheses of each set beside the designs, made once.

        With the finite crystal's share they are good for the noise of these exposures, or of
        the sets' own.
        """
        from renp_infer.design.utilities.appraisal import KnownRival

        assert self.beside is not None
        key = exposures_s if self.finite_crystal else ()
        if key not in self._made:
            sets = self.beside.sets
            own_s = key or tuple(one.noise.exposure_s for one in sets)
            pairs = zip(sets, own_s, strict=True)
            sharing = self.beside.sharing()
            rows = [
                self._rivals(one.experiment, one.noise.at(s), sharing.own_groups(place))
                for place, (one, s) in enumerate(pairs)
            ]
            self._made[key] = [[KnownRival(rival.model) for rival in row] for row in rows]
        return self._made[key]

    def lower_bound(self, bench: DesignBench) -> Utility:
        """Bound on ``eig_m1`` from below, nat, with data in which nothing is linearised.

        Mean log ratio of posterior to prior density at the true m1. For any density in
        place of the posterior it is at most the expected information (Barber and Agakov,
        NIPS 2003; Foster et al., arXiv:1903.05480); here that of the linear model, mixed
        with a share of the prior.
        """
        rows = bench.learnt(self.truths, exact=True)
        log = np.array([row.log_density for row in rows]) + np.log1p(-PRIOR_SHARE)
        return self._mean(np.logaddexp(log, np.log(PRIOR_SHARE)))

    def of_bench(self, bench: DesignBench, names: Sequence[str] = UTILITIES) -> dict[str, Utility]:
        """Appraise hypotheses and noise that are made already."""
        found = {}
        if set(names) - {EXPOSURE}:
            rows = bench.learnt(self.truths)
            values = self._values(rows)
            found = {name: self._mean(values[name]) for name in names if name != EXPOSURE}
        if EXPOSURE in names:
            found[EXPOSURE] = _median(bench.exposures_s(self.truths))
        return {name: found[name] for name in names}

    def _values(self, rows: Sequence[Learnt]) -> dict[str, FloatArray]:
        """Utility of each truth's data, (T,).

        Over the prior, probabilities and log odds are averaged over the posterior of each
        data set, which has the same mean as taking them at its truth, and less noise.
        """
        log = np.array([row.log_evidence for row in rows])
        values = {
            "eig_m1": np.array([row.mass for row in rows]),
            "eig_interest": np.array([row.interest for row in rows]),
            "sd_m1": np.array([row.sd_meV for row in rows]),
        }
        for place, kind in enumerate(("ordering", "nature")):
            members = np.array([pair[place] for pair in self.hypotheses])
            right, log_bf = self._tests(log, members)
            values |= {f"p_{kind}": right, f"log_bf_{kind}": log_bf}
        return values

    def _tests(self, log: FloatArray, members: np.ndarray) -> tuple[FloatArray, FloatArray]:
        """Probability of the true kind and log Bayes factor for it, (T,) each.

        ``members`` (H,) names the kind of each hypothesis; 1 and 0 if there is one kind only.
        """
        kinds, of = np.unique(members, return_inverse=True)
        if kinds.size == 1:
            return np.ones(len(log)), np.zeros(len(log))
        inside = of == np.arange(2)[:, None]
        share = inside @ self.odds
        weighted = np.where(inside, np.log(self.odds), -np.inf)
        evidence = logsumexp(log[:, None, :] + weighted, axis=2) - np.log(share)
        joint = evidence + np.log(share)
        posterior = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
        weights = posterior
        if self.settings.truth == "fixed":
            weights = np.eye(2)[of[self.truths.hypothesis]]
        log_bf = evidence - evidence[:, ::-1]
        return np.sum(weights * posterior, axis=1), np.sum(weights * log_bf, axis=1)

    def _mean(self, values: FloatArray) -> Utility:
        """Average over the truths, hypotheses by their odds."""
        groups = np.unique(self.truths.hypothesis)
        odds = self.odds[groups] / self.odds[groups].sum()
        mean = variance = 0.0
        for place, weight in zip(groups, odds, strict=True):
            own = self.truths.hypothesis == place
            mean += weight * float(values[own].mean())
            variance += (weight * spread(values[own], self.truths.m1_meV[own])) ** 2
        return Utility(mean, float(np.sqrt(variance)))


def _together(sets: Sequence[Sequence[Rival]], sharing: Sharing) -> list[Rival]:
    """Each hypothesis of all sets."""
    from renp_infer.design.utilities.appraisal import JointRival

    return [JointRival.of(parts, sharing) for parts in zip(*sets, strict=True)]


def _median(values: FloatArray) -> Utility:
    """Median, and its error from the order statistics one standard deviation around it."""
    ordered, count = np.sort(values), values.size
    reach = 0.5 * np.sqrt(count)
    low = ordered[max(int(0.5 * count - reach), 0)]
    high = ordered[min(int(np.ceil(0.5 * count + reach)), count) - 1]
    error = 0.5 * float(high - low) if np.isfinite(high) else np.inf
    return Utility(float(np.median(ordered)), error)
