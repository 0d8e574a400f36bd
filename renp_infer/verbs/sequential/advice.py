"""Data in, next setting out: what an experimenter runs beside the apparatus."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2

from renp_infer.design.sequences.beliefs import Atlas, Beliefs, Readings
from renp_infer.design.sequences.sequential import SettingChoice, choose, settled
from renp_infer.engine.result import Verdict
from renp_infer.errors import ConfigError
from renp_infer.inference.priors.prior import mass_prior
from renp_infer.inference.results.compared import Averaged
from renp_infer.inference.results.summary import decile_edges, information_of, overall
from renp_infer.study.measured.datafile import Sequence, read_sequence
from renp_infer.verbs.sequential.bench import SequenceBench, new_run

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


def advice(study: Study, so_far: Sequence) -> Advice:
    """What is known, and the setting that tells most per second from here.

    Parameters
    ----------
    study : Study
        With settings of ``[optimize.sequential]``.
    so_far : Sequence
    """
    bench = SequenceBench(study, so_far.theta_s)
    settings, places = bench.settings, bench.places(so_far.theta_s)
    readings = Readings(places, so_far.field_nG, so_far.covariance_nG2)
    known = bench.before().and_then(readings)
    atlas, beliefs = settled(bench.atlas, known, bench.expander.refined, ROUNDS)
    spent = float(np.sum(so_far.exposures_s)) + settings.setting_s * so_far.moves
    choice = choose(beliefs, atlas, bench.menu(), int(places[-1]), settings.total_s - spent)
    stop = "enough is known" if bench.enough(beliefs) else ""
    stop = stop or ("" if choice else "the time is spent")
    pairs = zip(bench.hypotheses, bench.probabilities(beliefs), strict=True)
    return Advice(
        name=study.name,
        data=so_far.source,
        measurements=places.size,
        elapsed_s=spent,
        left_s=max(settings.total_s - spent, 0.0),
        goal=settings.goal,
        normalised=study.experiment.detector.reference_snr > 0.0,
        m1_meV=mass_estimate(beliefs, atlas, mass_prior(bench.priors)),
        hypotheses=tuple(Chance(o, n, float(p)) for (o, n), p in pairs),
        next_setting=_following(bench, choice) if choice is not None and not stop else None,
        stop=stop,
        fit=_fit(beliefs, known.angles.size),
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


def _following(bench: SequenceBench, choice: SettingChoice) -> NextSetting:
    return NextSetting(
        theta_s_deg=float(np.rad2deg(bench.atlas.theta_s[choice.angle])),
        exposure_s=choice.exposure_s,
        seconds=choice.seconds,
        expected_information_nat=choice.information,
        expected_sigma_nG=bench.sigma_nG(choice.exposure_s),
    )


def _fit(beliefs: Beliefs, count: int) -> Misfit:
    smallest = float(np.min(beliefs.misfit))
    p = float(chi2.sf(smallest, count))
    reason = f"no state fits the data: chi2 {smallest:.4g} for {count} measurements"
    verdict = Verdict("fail", (reason,)) if p < LEAST_P else Verdict("pass")
    return Misfit(verdict, smallest, p)
