"""The atlas in the report: rankings, what they rest on, the map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renp_infer.engine.page import Answer, Block, Column, Note, Page, Part, Table, Text
from renp_infer.figures.drawing import number
from renp_infer.verbs.atlas.figures import atlas_plates
from renp_infer.verbs.atlas.result import SIGNIFICANT, AtlasResult, records
from renp_infer.verbs.atlas.tables import FAMILY_TITLES, TITLES, paper_line

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

SHOWN = 20
"""Rows of each ranking on the page; the file has all that are kept."""
_COLUMNS = (
    Column("rank", number=True), Column("ladder", code=True), Column("e"), Column("p"),
    Column("eps [eV]", number=True), Column("|S|²", number=True), Column("h", number=True),
    Column("Δμ [μ_B]", number=True), Column("standard errors", number=True),
    Column("|ρ|² reached", number=True), Column("rank if guesses move"),
)  # fmt: skip


def page(run: Run) -> Page:
    """Rankings and figures of an atlas."""
    found = run.get(AtlasResult)
    blocks: list[Block] = [Note(_distance(found)), *atlas_plates(found)]
    for family, title in FAMILY_TITLES.items():
        for question in found.questions:
            blocks.append(Text(paper_line(found, family, question)))
            blocks.append(_ranking(found, family, question, title))
    blocks.append(_ions(found))
    answers = (Answer("Atlas", _distance(found)),)
    return Page(
        (Part(80, "atlas", "Atlas of ladders", tuple(blocks)),),
        answers,
        "Which ion and which of its levels tell most",
        "Which levels of which lanthanide would tell the mass, the ordering and the nature best",
    )


def _distance(found: AtlasResult) -> str:
    """How far the best of all is from an answer."""
    parts = []
    for question in found.questions:
        errors = found.table("ceiling", question)["standard_errors"].values
        if errors.size:
            parts.append(f"{TITLES[question]} {number(float(errors[0]), 2)}")
    if not parts:
        return "No ladder of these ions is allowed within these photon energies."
    return (
        f"Standard errors of the best ladder, of which {SIGNIFICANT:g} would be an answer: "
        f"{'; '.join(parts)}."
    )


def _ranking(found: AtlasResult, family: str, question: str, title: str) -> Table:
    rows = []
    for row in records(found.table(family, question))[:SHOWN]:
        rows.append(
            (
                f"{row['rank']:.0f}", row["ladder"], row["term_e"], row["term_p"],
                f"{row['epsilon_eV']:.3f}", number(row["spin"] ** 2, 3),
                number(row["handedness"], 3), number(row["delta_mu"], 3),
                number(row["standard_errors"], 2), number(row["coherence"], 2), _moves(row),
            )
        )  # fmt: skip
    return Table(_COLUMNS, tuple(rows), f"{TITLES[question].capitalize()}: {title}.")


def _moves(row: dict[str, float]) -> str:
    """Ranks if one guess of this ion alone is off by a factor of three, either way."""
    guesses = [name[5:-5] for name in row if name.startswith("rank_") and name.endswith("_high")]
    parts = []
    for guess in guesses:
        ends = sorted((row[f"rank_{guess}_high"], row[f"rank_{guess}_low"]))
        parts.append(f"{guess.replace('_', ' ')} {ends[0]:.0f} to {ends[1]:.0f}")
    return ", ".join(parts)


def _ions(found: AtlasResult) -> Table:
    columns = (
        Column("ion", heads=True), Column("ladders", number=True), Column("observed", number=True),
        Column("rms [1/cm]", number=True), Column("largest [1/cm]", number=True),
    )  # fmt: skip
    rows = tuple(
        (
            row["ion"], f"{row['ladders']:.0f}", f"{row['observed']:.0f}",
            f"{row['rms_per_cm']:.1f}", f"{row['largest_per_cm']:.0f}",
        )
        for row in records(found.ions.reset_coords())
    )  # fmt: skip
    return Table(columns, rows, "Ladders of each ion, and its calculated levels against observed.")
