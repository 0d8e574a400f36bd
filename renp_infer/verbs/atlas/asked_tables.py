"""How it is told what rows of the atlas are worth as studies: terminal and report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table as TextTable

from renp_infer.design.utilities.measures import MEASURES as ALL
from renp_infer.engine.page import Block, Column, Page, Part, Table
from renp_infer.figures.drawing import number
from renp_infer.study.atlas_study import UTILITIES
from renp_infer.verbs.atlas.asked_rows import MEASURES, AppraiseResult, LayoutsResult
from renp_infer.verbs.atlas.tables import TITLES
from renp_infer.verbs.optimize.telling import measured

if TYPE_CHECKING:
    from renp_infer.engine.run import Run
    from renp_infer.verbs.atlas.asked_rows import LayoutRow

TOLD = ("eig_m1", "sd_m1", "p_ordering", "p_nature")
"""Measures of a layout at the mass that rows are told at."""

type Cells = tuple[str, ...]


def appraised_heads() -> Cells:
    """Columns of a ranking by the appraiser."""
    return ("rank", "ladder", "by the closed form", *map(_label, MEASURES))


def _label(name: str) -> str:
    unit = ALL[name].unit
    return ALL[name].words + (f" [{unit}]" if unit else "")


def appraised_cells(found: AppraiseResult, question: str) -> list[Cells]:
    """A ranking by the appraiser."""
    return [
        (
            f"{rank}", row.ladder, f"{1 + found.candidates[question].index(row.ladder)}",
            *(row.failed or measured(row.of(name)) for name in MEASURES),
        )
        for rank, row in enumerate(found.ranking(question), 1)
    ]  # fmt: skip


def layout_heads(question: str) -> Cells:
    """Columns of a ranking by the layouts that were found."""
    own = _label(UTILITIES[question])
    return ("rank", "ladder", own, "of its own layout", *map(_label, TOLD), "verdict")


def layout_cells(found: LayoutsResult, question: str) -> list[Cells]:
    """A ranking by the layouts that were found."""
    return [
        (f"{rank}", row.ladder, *_worth(row), *(_told(row, name) for name in TOLD), _verdict(row))
        for rank, row in enumerate(found.ranking(question), 1)
    ]


def _worth(row: LayoutRow) -> Cells:
    return measured(row.utility), measured(row.own)


def _told(row: LayoutRow, name: str) -> str:
    """Promise, and outcome where there is one."""
    promise, outcome = row.told(name)
    return ", ".join(measured(one) for one in (promise, outcome)[: 1 + row.confirms])


def _verdict(row: LayoutRow) -> str:
    return row.verdict.verdict


def appraised_title(found: AppraiseResult, question: str) -> str:
    """What a ranking by the appraiser is, and how it agrees with the closed form."""
    agrees = found.correlation(question)
    said = "" if agrees is None else f"; rank correlation with the closed form {agrees:.2f}"
    snr = number(found.reference_snr)
    return f"{TITLES[question]}, appraised where the paper's ladder has S/N = {snr}{said}"


def layout_title(question: str, row: LayoutRow) -> str:
    """What a ranking by layouts is."""
    mass = number(row.confirmed.m1_meV[0])
    sets = f", found in {row.confirmed.confirm} data sets" if row.confirms else ""
    return f"{TITLES[question]}, layouts searched; at {mass} meV promised{sets}"


def asked_tables(
    asked: AppraiseResult | None,
    found: LayoutsResult | None,
    questions: Cells,
    top: int,
    ions: Cells,
) -> list[TextTable]:
    """Rankings for the terminal, as far as rows were asked; of some ions, or all."""

    def shown(cells: list[Cells]) -> list[Cells]:
        return [row for row in cells if not ions or row[1].partition("-")[0] in ions][:top]

    tables = []
    for question in questions:
        if asked is not None:
            cells = shown(appraised_cells(asked, question))
            tables.append(_table(appraised_heads(), cells, appraised_title(asked, question)))
        if found is not None and (rows := found.ranking(question)):
            cells = shown(layout_cells(found, question))
            tables.append(_table(layout_heads(question), cells, layout_title(question, rows[0])))
    return tables


def _table(heads: Cells, rows: list[Cells], title: str) -> TextTable:
    table = TextTable(*heads, title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for row in rows:
        table.add_row(*row)
    return table


def appraised_page(run: Run) -> Page:
    """Rankings by the appraiser."""
    found = run.get(AppraiseResult)
    return _page(
        [
            _block(appraised_heads(), appraised_cells(found, name), appraised_title(found, name))
            for name in found.candidates
        ]
    )


def layouts_page(run: Run) -> Page:
    """Rankings by the layouts that were found."""
    found = run.get(LayoutsResult)
    rankings = {name: rows for name in UTILITIES if (rows := found.ranking(name))}
    return _page(
        [
            _block(layout_heads(name), layout_cells(found, name), layout_title(name, rows[0]))
            for name, rows in rankings.items()
        ]
    )


def _page(blocks: list[Block]) -> Page:
    return Page((Part(80, "atlas", "Atlas of ladders", tuple(blocks)),))


def _block(heads: Cells, rows: list[Cells], title: str) -> Table:
    columns = tuple(Column(name, number=k != 1, code=k == 1) for k, name in enumerate(heads))
    return Table(columns, tuple(rows), f"{title[0].upper()}{title[1:]}.")
