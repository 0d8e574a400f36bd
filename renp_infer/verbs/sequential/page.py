"""The part of the report about campaigns of measurements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renp_infer.engine.page import Answer, Block, Column, Page, Part, Table, Text
from renp_infer.figures.drawing import number
from renp_infer.verbs.evaluate.figures import normalised_label
from renp_infer.verbs.infer.words import mass_prior_of
from renp_infer.verbs.sequential.figures import sequential_plates
from renp_infer.verbs.sequential.result import SequentialResult
from renp_infer.verbs.sequential.summary import WHO, CampaignSummary, summary
from renp_infer.verbs.sequential.tables import answer, prior_alone

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

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
    result, label = run.get(SequentialResult), normalised_label(run)
    found = summary(result)
    tail = f", {label}" if label else ""
    caption = f"One measurement after the other against fixed layouts in the same time{tail}."
    blocks: tuple[Block, ...] = (
        Text(f"{_sentence(found)} {prior_alone(mass_prior_of(run.study))}"),
        Table(COLUMNS, tuple(campaign_rows(found)), caption),
        *sequential_plates(result),
    )
    return Page(
        (Part(20, "design", "Design", blocks),),
        (Answer("Sequence", answer(found)),),
        "One measurement after the other, against fixed layouts",
        "Does it pay to choose each angle by what is known so far",
    )


def campaign_rows(found: CampaignSummary) -> list[tuple[str, ...]]:
    """Who came how far, for each true mass."""
    rows = []
    for row in found.truths:
        for key, name in WHO.items():
            if count := found.measurements(row, key):
                own = row.of(key)
                cells = (own.sd_m1_meV, own.score_nat, own.probability)
                texts = ["–" if v is None else number(v, 3) for v in cells]
                rows.append((number(row.m1_meV), name, *texts, number(count)))
    return rows


def _sentence(found: CampaignSummary) -> str:
    text = (
        f"{found.campaigns} campaigns of {number(found.about.total_s)} s for each true m₁, "
        f"{number(found.about.setting_s)} s per move; medians. The score is the logarithm of "
        "posterior by prior density at the true m₁; its mean over the prior is the information "
        "gained."
    )
    missing = found.about.missing
    return f"{text} {missing} campaigns failed and are missing." if missing else text
