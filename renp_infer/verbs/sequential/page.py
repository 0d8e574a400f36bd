"""The part of the report about campaigns of measurements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from renp_infer.engine.page import Block, Column, Page, Part, Table, Text
from renp_infer.figures.drawing import number
from renp_infer.verbs.evaluate.figures import normalised_label
from renp_infer.verbs.sequential.figures import sequential_plates
from renp_infer.verbs.sequential.result import SequentialResult
from renp_infer.verbs.sequential.summary import campaign_document

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

_WHO = {"sequential": "sequence", "study": "own layout", "fixed": "fixed_deg"}
COLUMNS = (
    Column("true m₁ [meV]", number=True),
    Column("measured by", heads=True),
    Column("sd of m₁ [meV]", number=True),
    Column("score [nat]", number=True),
    Column("p(true hypothesis)", number=True),
    Column("measurements", number=True),
)


def page(run: Run) -> Page:
    """Campaigns against fixed layouts: sentence, table and figures."""
    tree = run.get(SequentialResult).tree
    found, label = campaign_document(tree), normalised_label(run)
    tail = f", {label}" if label else ""
    caption = f"One measurement after the other against fixed layouts in the same time{tail}."
    blocks: tuple[Block, ...] = (
        Text(_sentence(found)),
        Table(COLUMNS, tuple(_rows(found)), caption),
        *sequential_plates(tree),
    )
    return Page((Part(20, "design", "Design", blocks),))


def _rows(found: dict[str, Any]) -> list[tuple[str, ...]]:
    rows = []
    for truth in found["truths"]:
        for key, name in _WHO.items():
            count = truth[key].get("measurements", found["angles"].get(key))
            if count:
                cells = [truth[key][k] for k in ("sd_m1_meV", "score_nat", "probability")]
                texts = ["–" if v is None else number(v, 3) for v in cells]
                rows.append((number(truth["m1_meV"]), name, *texts, number(count)))
    return rows


def _sentence(found: dict[str, Any]) -> str:
    text = (
        f"{found['campaigns']} campaigns of {number(found['total_s'])} s for each true m₁, "
        f"{number(found['setting_s'])} s per move; medians. The score is the logarithm of "
        "posterior by prior density at the true m₁; its mean over the prior is the information "
        "gained."
    )
    missing = found["missing_tasks"]
    return f"{text} {missing} campaigns failed and are missing." if missing else text
