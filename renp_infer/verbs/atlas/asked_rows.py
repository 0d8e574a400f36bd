"""What rows of the atlas told that were asked as studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from renp_infer.design.utilities.utility import UNKNOWN, Utility
from renp_infer.engine.provenance import PROVENANCE
from renp_infer.engine.result import WORDS, Result, Verdict
from renp_infer.study.atlas_study import UTILITIES
from renp_infer.verbs.optimize.confirmed import BEST, ConfirmResult
from renp_infer.verbs.optimize.parts import Appraisal, known

MEASURES = (*UTILITIES.values(), "sd_m1")
"""Utilities of a row that is appraised."""


def _order(found: Utility) -> float:
    """Larger utilities first, unknown ones last."""
    return -found.value if found.known else np.inf


@dataclass(frozen=True)
class AppraisedRow:
    """A row whose own layout was appraised.

    Attributes
    ----------
    ladder : str
    utilities : mapping
        Of `MEASURES`; none after a failure.
    failed : str
    """

    ladder: str
    utilities: Mapping[str, Utility]
    failed: str = ""

    def of(self, name: str) -> Utility:
        """One of them; not known where there is none."""
        return self.utilities.get(name, UNKNOWN)

    def plain(self) -> dict[str, Any]:
        """As JSON knows it."""
        found = {name: utility.plain() for name, utility in self.utilities.items()}
        return {"ladder": self.ladder, "utilities": found, "failed": self.failed}

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> AppraisedRow:
        """From a plain row."""
        found = {name: Utility.read(own) for name, own in row["utilities"].items()}
        return cls(row["ladder"], found, row["failed"])


@dataclass(frozen=True)
class AppraiseResult(Result):
    """The first rows of each ranking, in the order of what the appraiser expects of them.

    Attributes
    ----------
    name : str
    reference_snr : float
        Peak S/N of the paper's ladder at the noise of all rows.
    candidates : mapping
        Ladders by question, in the order of the closed form.
    found : mapping
        Rows by ladder.
    """

    name: str
    reference_snr: float
    candidates: Mapping[str, Sequence[str]]
    found: Mapping[str, AppraisedRow]

    def ranking(self, question: str) -> list[AppraisedRow]:
        """Rows of a question, the most telling first; of equal ones by the closed form."""
        name = UTILITIES[question]
        rows = [self.found[ladder] for ladder in self.candidates[question] if ladder in self.found]
        return sorted(rows, key=lambda row: _order(row.of(name)))

    def correlation(self, question: str) -> float | None:
        """Rank correlation of closed form and utility; ``None`` of fewer than three rows."""
        places = self.candidates[question]
        rows = [row for row in self.ranking(question) if row.of(UTILITIES[question]).known]
        if len(rows) < 3:
            return None
        closed = [-places.index(row.ladder) for row in rows]
        return known(spearmanr(closed, [row.of(UTILITIES[question]).value for row in rows])[0])

    def rows(self) -> list[tuple[str, str]]:
        """The first of each question."""
        found = []
        for question, name in UTILITIES.items():
            if rows := self.ranking(question)[:1]:
                value = rows[0].of(name)
                text = f"{rows[0].ladder}: {name} {value.value:.3g} ± {value.error:.1g}"
                found.append((f"appraised for {question}", text))
        return found

    def told(self) -> dict[str, Any]:
        """The document."""
        return self.to_document()

    def to_document(self) -> dict[str, Any]:
        """``appraise.json``."""
        return {
            "schema": 1,
            "name": self.name,
            "reference_snr": self.reference_snr,
            "candidates": {name: list(rows) for name, rows in self.candidates.items()},
            "correlation": {name: self.correlation(name) for name in self.candidates},
            "rows": [row.plain() for row in self.found.values()],
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> AppraiseResult:
        """From ``appraise.json``."""
        rows = [AppraisedRow.read(row) for row in document["rows"]]
        return cls(
            document["name"], document["reference_snr"], document["candidates"],
            {row.ladder: row for row in rows},
        )  # fmt: skip


@dataclass(frozen=True)
class LayoutRow:
    """A row whose layout was searched for a question.

    Attributes
    ----------
    ladder, question : str
    search : mapping
        Document of ``renp optimize``.
    confirmed : ConfirmResult
        Promise and outcome of the layout that was found.
    """

    ladder: str
    question: str
    search: Mapping[str, Any]
    confirmed: ConfirmResult

    @property
    def utility(self) -> Utility:
        """Of the layout that was found."""
        return Appraisal.read(self.search["last"]["best"]).of(UTILITIES[self.question])

    @property
    def own(self) -> Utility:
        """Of the row's own layout."""
        return Appraisal.read(self.search["last"]["reference"]).of(UTILITIES[self.question])

    @property
    def confirms(self) -> bool:
        """Whether there are outcomes."""
        return self.confirmed.confirm > 0

    def told(self, measure: str) -> tuple[Utility, Utility]:
        """Promise and outcome at the mass that rows are told at."""
        own = self.confirmed.row(BEST, self.confirmed.m1_meV[0]).measures[measure]
        return own.promise, own.outcome

    @property
    def verdict(self) -> Verdict:
        """The worse of the search's and the promise's, with all reasons."""
        both = [Verdict.of(self.search), *self.confirmed.verdicts().values()]
        words = {one.verdict for one in both}
        worst = next(word for word in WORDS if word in words)
        return Verdict(worst, tuple(reason for one in both for reason in one.reasons))


@dataclass(frozen=True)
class LayoutsResult(Result):
    """Rows whose layouts were searched, by question, the most telling first.

    Attributes
    ----------
    document : mapping
        ``layouts.json``, without where it comes from.
    """

    document: Mapping[str, Any]

    def ranking(self, question: str) -> list[LayoutRow]:
        """Rows of a question, by the utility of the layout that was found."""
        rows = [
            LayoutRow(
                row["ladder"], question, row["optimize"],
                ConfirmResult.of(row["confirm"] | {PROVENANCE: {}}),
            )
            for row in self.document["rows"]
            if row["question"] == question
        ]  # fmt: skip
        return sorted(rows, key=lambda row: _order(row.utility))

    def rows(self) -> list[tuple[str, str]]:
        """The first of each question."""
        found = []
        for question, name in UTILITIES.items():
            for row in self.ranking(question)[:1]:
                value = row.utility
                text = f"{row.ladder}: {name} {value.value:.3g} ± {value.error:.1g}"
                found.append((f"best layout for {question}", text))
        return found

    def verdicts(self) -> dict[str, Verdict]:
        """Of all searches: a failure is one of a row."""
        rows = [row for question in UTILITIES for row in self.ranking(question)]
        failed = [f"{r.ladder}, {r.question}" for r in rows if r.verdict.verdict == "fail"]
        return {"layouts": Verdict("fail" if failed else "pass", tuple(failed))}

    def told(self) -> dict[str, Any]:
        """The document."""
        return dict(self.document)
