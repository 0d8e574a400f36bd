"""The evidences of a blinded study: hypotheses under letters, in an order that the key gives.

All evidences are one task: places, names and times of several would tell which is which. Odds
are equal and no mass stands beside a letter, nor its width: either could be recognised.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.engine.page import Answer, Block, Column, Note, Page, Part, Table, Text, reasons
from renp_infer.engine.result import Result, Verdict
from renp_infer.engine.tasks import Context, Task
from renp_infer.inference.results.compared import LogEvidence
from renp_infer.inference.results.comparison import (
    HYPOTHESES,
    Evidence,
    agreement,
    columns,
    posterior_probabilities,
    task_of,
)
from renp_infer.verbs.compare.work import estimate_one
from renp_infer.verbs.hidden import BLINDED, hidden, secret_in

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.run import Run
    from renp_infer.study.study import Study

LETTERS = "ABCD"
WARNING = (
    "Blinded: hypotheses stand under letters in an order that the key gives, with equal odds. "
    "renp unblind RUN --key FILE shows which is which."
)


@dataclass(frozen=True)
class Lettered:
    """One hypothesis, whichever it is.

    Attributes
    ----------
    letter : str
    log_evidence, log_evidence_error : float
    by_estimator : mapping
        Value and error of each.
    probability : float
        With equal odds.
    """

    letter: str
    log_evidence: float
    log_evidence_error: float
    by_estimator: Mapping[str, tuple[float, float]]
    probability: float


def blinded_comparison(study: Study, task: Task, context: Context) -> xarray.DataTree:
    """All evidences of a blinded study, and what may be seen of them.

    Raises
    ------
    ConfigError
        If the key cannot be read.
    BlindedError
        If one of them fails.
    """
    import xarray as xr

    secret = secret_in(study)
    with hidden():
        assert study.compare is not None
        found = _evidences(study, task, context.cores)
        order = secret.order("hypotheses", len(found))
        shown = [asdict(row) for row in lettered([found[k] for k in order])]
        judged = agreement(found, study.compare.gate)
        document = {"rows": shown, "verdict": judged.verdict, "distance": judged.distance,
                    "gate": judged.gate}  # fmt: skip
        tree = xr.DataTree()
        tree.attrs = {BLINDED: json.dumps(document)}
        return tree


def _evidences(study: Study, task: Task, cores: int) -> list[Evidence]:
    """Evidence of each hypothesis, by the seeds of its own tasks."""
    assert study.compare is not None
    estimators = study.compare.estimators
    estimates: dict[str, dict[str, LogEvidence]] = {one.name: {} for one in HYPOTHESES}
    for index in range(len(HYPOTHESES) * len(estimators)):
        hypothesis, estimator = task_of(index, estimators)
        attrs = estimate_one(study, replace(task, index=index), Context(cores)).attrs
        found = LogEvidence(float(attrs["log_evidence"]), float(attrs["log_evidence_error"]))
        estimates[hypothesis.name][estimator] = found
    return [Evidence(one, estimates[one.name], {}) for one in HYPOTHESES]


def lettered(rows: Sequence[Evidence]) -> list[Lettered]:
    """Evidences by letter, in the order in which they come."""
    values, _ = columns([row.combined for row in rows])
    shares = posterior_probabilities(values, np.ones(len(rows)))
    return [
        Lettered(
            letter,
            row.combined.log_evidence,
            row.combined.log_evidence_error,
            {k: (v.log_evidence, v.log_evidence_error) for k, v in sorted(row.estimates.items())},
            float(share),
        )
        for letter, row, share in zip(LETTERS, rows, shares, strict=True)
    ]


@dataclass(frozen=True, eq=False)
class BlindedComparison(Result):
    """What may be seen of a comparison.

    Attributes
    ----------
    rows_found : tuple of Lettered
    agreement : Verdict
        Of the estimators.
    distance, gate : float
        The largest there is, and the largest allowed, in combined errors.
    tree : DataTree
        ``compare.nc``, in memory.
    """

    rows_found: tuple[Lettered, ...]
    agreement: Verdict
    distance: float
    gate: float
    tree: xarray.DataTree = field(repr=False)

    @classmethod
    def of(cls, tree: xarray.DataTree) -> BlindedComparison:
        """From ``compare.nc`` of a blinded run."""
        found = json.loads(tree.attrs[BLINDED])
        distance, gate = found["distance"], found["gate"]
        far = f"estimators are up to {distance:.1f} combined errors apart, {gate:g} allowed"
        why = () if found["verdict"] == "pass" else (far,)
        judged = Verdict(found["verdict"], why, lapse="disagree")
        return cls(tuple(Lettered(**row) for row in found["rows"]), judged, distance, gate, tree)

    def verdicts(self) -> dict[str, Verdict]:
        """Of the estimators."""
        return {"estimators": self.agreement}

    def rows(self) -> list[tuple[str, str]]:
        """The most probable letter."""
        best = max(self.rows_found, key=lambda row: row.probability)
        return [("blinded, most probable", f"{best.letter}: {best.probability:.3g}")]

    def samplers(self) -> list[str]:
        """The estimators."""
        return list(self.rows_found[0].by_estimator)

    @property
    def document(self) -> dict[str, Any]:
        """As ``renp compare --json`` says it."""
        rows = [asdict(row) for row in self.rows_found]
        return {"blinded": True, "hypotheses": rows, "distance": self.distance, "gate": self.gate}

    def told(self) -> xarray.DataTree:
        """The tree."""
        return self.tree


def cells_of(found: BlindedComparison) -> list[tuple[str, ...]]:
    """Letter, evidence and probability of each row, as text."""
    return [
        (row.letter, f"{row.log_evidence:.2f} ± {row.log_evidence_error:.2g}",
         f"{row.probability:.3g}")
        for row in found.rows_found
    ]  # fmt: skip


def page(run: Run) -> Page:
    """Evidence and probability by letter."""
    found = run.get(BlindedComparison)
    heads = (Column("hypothesis", heads=True), Column("ln Z", number=True),
             Column("probability", number=True))  # fmt: skip
    table = Table(heads, tuple(cells_of(found)), "Log-evidence, and probability of equal odds.")
    text = Text("Estimators", found.agreement.verdict)
    blocks: tuple[Block, ...] = (Note(WARNING), text, *reasons(found.agreement), table)
    part = Part(50, "hypotheses", "Four hypotheses, blinded", blocks, "Hypotheses")
    best = dict(found.rows()).popitem()[1]
    return Page(
        (part,),
        (Answer("Hypotheses", f"Blinded. Most probable: {best}."),),
        "Blinded hypotheses",
        "Do the data favour one of four hypotheses, whichever it is",
    )
