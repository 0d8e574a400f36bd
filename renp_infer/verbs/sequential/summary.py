"""What campaigns came to: medians by truth, against the fixed layouts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from renp_infer.verbs.sequential.result import CampaignsAbout, Knowledge, SequentialResult

WHO = {"sequential": "sequence", "study": "own layout", "fixed": "fixed angles"}
"""Who measured, by key of the document, as people read it."""


@dataclass(frozen=True)
class Medians:
    """What was known at the end, medians over campaigns; ``None`` where nothing was.

    Attributes
    ----------
    sd_m1_meV, score_nat, probability : float, optional
        Of the true hypothesis, the last.
    """

    sd_m1_meV: float | None
    score_nat: float | None
    probability: float | None


@dataclass(frozen=True)
class SequenceMedians(Medians):
    """The same of the sequence.

    Attributes
    ----------
    measurements, elapsed_s : float, optional
        Medians over campaigns.
    pulls : tuple of float or None
        (mean - truth) / sd of every campaign.
    """

    measurements: float | None
    elapsed_s: float | None
    pulls: tuple[float | None, ...]


@dataclass(frozen=True)
class AtTruth:
    """One true mass.

    Attributes
    ----------
    m1_meV : float
    sequential : SequenceMedians
    fixed : mapping
        Medians of each fixed layout after the whole time.
    """

    m1_meV: float
    sequential: SequenceMedians
    fixed: Mapping[str, Medians]

    def of(self, name: str) -> Medians:
        """Of the sequence, or of a layout."""
        return self.sequential if name == "sequential" else self.fixed[name]


@dataclass(frozen=True)
class CampaignSummary:
    """Campaigns in a few numbers.

    Attributes
    ----------
    about : CampaignsAbout
    campaigns : int
        Of each true mass.
    truths : tuple of AtTruth
    """

    about: CampaignsAbout
    campaigns: int
    truths: tuple[AtTruth, ...]

    def measurements(self, row: AtTruth, name: str) -> float:
        """How many there were, of a campaign's median or a layout's angles; 0: none."""
        if name == "sequential":
            return row.sequential.measurements or 0.0
        return self.about.angles[name]

    def to_document(self) -> dict[str, Any]:
        """The document of ``renp optimize --sequential --json``.

        ``truths`` has for each true m1 the medians over campaigns: standard deviation of m1
        in meV, ``score_nat`` (log of posterior by prior density at the truth, whose mean over
        the prior is the information gained) and probability of the true hypothesis, for the
        sequence and for each fixed layout after the same time; null where a layout's moves
        alone take longer. ``pulls`` are (mean - truth) / sd of every campaign.
        """
        about = self.about
        return {
            "schema": 1,
            "name": about.name,
            "preset": about.preset,
            "normalised": about.normalised,
            "goal": about.goal,
            "lookahead": about.lookahead,
            "truth": about.truth,
            "total_s": about.total_s,
            "setting_s": about.setting_s,
            "campaigns": self.campaigns,
            "missing_tasks": about.missing,
            "angles": dict(about.angles),
            "truths": [
                {"m1_meV": row.m1_meV, "sequential": asdict(row.sequential)}
                | {name: asdict(found) for name, found in row.fixed.items()}
                for row in self.truths
            ],
        }


def summary(found: SequentialResult) -> CampaignSummary:
    """Medians over campaigns."""
    truths = tuple(_at_truth(found, place) for place in range(found.m1_meV.size))
    return CampaignSummary(found.about, found.campaigns, truths)


def _at_truth(found: SequentialResult, place: int) -> AtTruth:
    steps, m1 = found.steps, float(found.m1_meV[place])
    ends, elapsed = steps.known.at(steps.last), steps.elapsed_s[steps.last]
    own = ends.at(place)
    pulls = (own.m1_mean - m1) / own.m1_sd
    sequence = SequenceMedians(
        **asdict(_medians(own, found.truth)),
        measurements=_median(steps.counts[place].astype(float)),
        elapsed_s=_median(elapsed[place]),
        pulls=tuple(p if np.isfinite(p) else None for p in pulls.tolist()),
    )
    after = found.layouts.known.at((place, slice(None), slice(None), -1))
    fixed = {
        name: _medians(after.at((slice(None), k)), found.truth)
        for k, name in enumerate(found.about.angles)
    }
    return AtTruth(m1, sequence, fixed)


def _medians(known: Knowledge, truth: int) -> Medians:
    return Medians(
        sd_m1_meV=_median(known.m1_sd),
        score_nat=_median(known.score_nat),
        probability=_median(known.probability[..., truth]),
    )


def _median(values: np.ndarray) -> float | None:
    good = values[np.isfinite(values)]
    return float(np.median(good)) if good.size else None
