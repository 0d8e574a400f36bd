"""Data in, next setting out: what an experimenter runs beside the apparatus."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2

from renp_infer.design.sequences.beliefs import Atlas, Beliefs, Readings, predict
from renp_infer.design.sequences.sequential import SettingChoice, choose, measured, settled
from renp_infer.engine.result import Verdict
from renp_infer.errors import ConfigError
from renp_infer.inference.results.compared import Averaged
from renp_infer.inference.results.summary import decile_edges, information_of, overall
from renp_infer.study.measured.datafile import Sequence, read_sequence
from renp_infer.verbs.sequential.bench import SequenceBench, new_run, others_of

if TYPE_CHECKING:
    from renp_infer.inference.priors.marginals import Marginal
    from renp_infer.records import FloatArray
    from renp_infer.study.study import Study

ROUNDS = 4
"""Gauss-Newton steps towards the mode of each state."""
LEAST_P = 1e-4
"""A chi-squared less probable than this, in every state, contradicts the model."""


@dataclass(frozen=True)
class Chance:
    """Probability of a hypothesis."""

    ordering: str
    nature: str
    probability: float


@dataclass(frozen=True)
class NextSetting:
    """What to measure next.

    Attributes
    ----------
    theta_s_deg, exposure_s : float
    seconds : float
        With the time of the move.
    expected_information_nat, expected_sigma_nG : float
    """

    theta_s_deg: float
    exposure_s: float
    seconds: float
    expected_information_nat: float
    expected_sigma_nG: float


@dataclass(frozen=True)
class Misfit:
    """Whether the data fit any state: their misfit under the most fitting one."""

    verdict: Verdict
    smallest_chi2: float
    p_value: float


@dataclass(frozen=True)
class Advice:
    """What is known, and the setting that tells most per second from here.

    Attributes
    ----------
    name, data : str
        Of the study, and the data's source.
    measurements : int
    elapsed_s, left_s : float
        With moves.
    goal : str
    normalised : bool
    m1_meV : Averaged
    hypotheses : tuple of Chance
        Those with odds.
    next_setting : NextSetting, optional
        ``None`` where enough is known or the time is spent.
    stop : str
        Why there is none.
    fit : Misfit
    """

    name: str
    data: str
    measurements: int
    elapsed_s: float
    left_s: float
    goal: str
    normalised: bool
    m1_meV: Averaged
    hypotheses: tuple[Chance, ...]
    next_setting: NextSetting | None
    stop: str
    fit: Misfit

    def to_document(self) -> dict[str, Any]:
        """The document of ``renp optimize --sequential --data FILE --json``."""
        found = {"schema": 1} | asdict(self)
        fit = found.pop("fit")
        word = {"verdict": self.fit.verdict.verdict, "reasons": self.fit.verdict.reasons}
        return found | {"diagnostics": word | {k: fit[k] for k in ("smallest_chi2", "p_value")}}


def read_so_far(study: Study, file: Path, covariance: Path | None) -> Sequence:
    """Data measured so far; angles may occur again.

    Raises
    ------
    ConfigError
        On the first thing that is wrong, with file, line and column; or if the study
        names other data.
    """
    assert study.sequential is not None
    if study.measurement is not None:
        allowed = "no section [data]: --data FILE takes its place"
        raise ConfigError("data.file", study.measurement.observation.source, allowed)
    angles = np.concatenate([new_run(study).layout.theta_s, study.sequential.angles])
    return read_sequence(file, covariance, angles)


@dataclass(frozen=True)
class Pending:
    """A setting that was advised and has not been read yet."""

    theta_s_deg: float
    exposure_s: float


@dataclass(frozen=True)
class Learned:
    """What a bench knows after some readings.

    Attributes
    ----------
    bench : SequenceBench
    atlas : Atlas
        Expanded about what the readings say.
    beliefs : Beliefs
    count : int
        Readings, those of data sets before included.
    at : int or None
        Place in the atlas where the trigger stands.
    spent_s : float
    """

    bench: SequenceBench
    atlas: Atlas
    beliefs: Beliefs
    count: int
    at: int | None
    spent_s: float

    @property
    def enough(self) -> bool:
        """Whether the goal is reached."""
        return self.bench.enough(self.beliefs)

    def next(self) -> SettingChoice | None:
        """The setting that tells most per second; none where the time is spent."""
        left = self.bench.settings.total_s - self.spent_s
        return choose(self.beliefs, self.atlas, self.bench.menu(), self.at, left)

    def expecting(self, pending: Pending) -> Learned:
        """As if a setting had read its expectation: a guess that lets others be chosen now."""
        place = int(self.bench.places(np.deg2rad([pending.theta_s_deg]))[0])
        expected = float(self.beliefs.weights @ predict(self.beliefs, self.atlas).means[:, place])
        sigma = self.bench.sigma_nG(pending.exposure_s)
        move = self.bench.settings.setting_s * (place != self.at)
        return replace(
            self,
            beliefs=measured(self.beliefs, self.atlas, place, expected, sigma),
            at=place,
            spent_s=self.spent_s + pending.exposure_s + move,
        )


class Adviser:
    """Advice about one study; the states of nature are made for the first, and then kept.

    Parameters
    ----------
    study : Study
        With settings of ``[optimize.sequential]``.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self._bench: SequenceBench | None = None
        self._others: FloatArray = np.empty(0)

    def learned(self, so_far: Sequence | None) -> Learned:
        """What is known after measurements; ``None`` before the first."""
        theta_s = np.empty(0) if so_far is None else so_far.theta_s
        bench = self._for(theta_s)
        places = bench.places(theta_s)
        known, spent = bench.before(), 0.0
        if so_far is not None:
            known = known.and_then(Readings(places, so_far.field_nG, so_far.covariance_nG2))
            spent = float(np.sum(so_far.exposures_s)) + bench.settings.setting_s * so_far.moves
        rounds = ROUNDS if known.angles.size else 0
        atlas, beliefs = settled(bench.atlas, known, bench.expander.refined, rounds)
        at = int(places[-1]) if places.size else None
        return Learned(bench, atlas, beliefs, known.angles.size, at, spent)

    def _for(self, theta_s: FloatArray) -> SequenceBench:
        """Bench with all angles (n,); made anew where there are others than before."""
        others = others_of(self.study, theta_s)
        if self._bench is None or not np.array_equal(others, self._others):
            self._bench, self._others = SequenceBench(self.study, others), others
        return self._bench


def advice(study: Study, so_far: Sequence) -> Advice:
    """What is known, and the setting that tells most per second from here.

    Parameters
    ----------
    study : Study
        With settings of ``[optimize.sequential]``.
    so_far : Sequence
    """
    found = Adviser(study).learned(so_far)
    return told(study, found, so_far.field_nG.size, so_far.source)


def told(study: Study, found: Learned, measurements: int, source: str) -> Advice:
    """Advice from what is known after some measurements."""
    bench, beliefs, atlas = found.bench, found.beliefs, found.atlas
    choice, total = found.next(), bench.settings.total_s
    stop = "enough is known" if found.enough else ""
    stop = stop or ("" if choice else "the time is spent")
    pairs = zip(bench.hypotheses, bench.probabilities(beliefs), strict=True)
    return Advice(
        name=study.name,
        data=source,
        measurements=measurements,
        elapsed_s=found.spent_s,
        left_s=max(total - found.spent_s, 0.0),
        goal=bench.settings.goal,
        normalised=study.experiment.detector.reference_snr > 0.0,
        m1_meV=mass_estimate(beliefs, atlas, bench.known.mass),
        hypotheses=tuple(Chance(o, n, float(p)) for (o, n), p in pairs),
        next_setting=following(bench, choice) if choice is not None and not stop else None,
        stop=stop,
        fit=_fit(beliefs, found.count),
    )


def mass_estimate(beliefs: Beliefs, atlas: Atlas, prior: Marginal) -> Averaged:
    """What is believed of m1, meV, and what of it the prior alone says.

    Cells reach beyond the ends of the prior by about their width; quantiles do not.
    """
    edges = decile_edges(prior)
    found, expected = (
        np.diff(one.mass_below(atlas, edges), prepend=0.0, append=1.0)
        for one in (beliefs, atlas.start())
    )
    mean, sd = beliefs.mass(atlas)
    reach = float(np.max(atlas.m1_meV) - np.min(atlas.m1_meV)) + sd
    ends = float(np.min(atlas.m1_meV)) - reach, float(np.max(atlas.m1_meV)) + reach

    def quantile(probabilities: FloatArray) -> FloatArray:
        return np.array(
            [
                brentq(lambda m, p=p: beliefs.mass_below(atlas, np.array([m]))[0] - p, *ends)
                for p in probabilities
            ]
        )

    return overall(mean, sd, quantile, information_of(found, expected), prior.limits)


def following(bench: SequenceBench, choice: SettingChoice) -> NextSetting:
    """A choice in the units of a study."""
    return NextSetting(
        theta_s_deg=float(np.rad2deg(bench.atlas.theta_s[choice.angle])),
        exposure_s=choice.exposure_s,
        seconds=choice.seconds,
        expected_information_nat=choice.information,
        expected_sigma_nG=bench.sigma_nG(choice.exposure_s),
    )


def _fit(beliefs: Beliefs, count: int) -> Misfit:
    smallest = float(np.min(beliefs.misfit))
    p = float(chi2.sf(smallest, count)) if count else 1.0
    reason = f"no state fits the data: chi2 {smallest:.4g} for {count} measurements"
    verdict = Verdict("fail", (reason,)) if p < LEAST_P else Verdict("pass")
    return Misfit(verdict, smallest, p)
