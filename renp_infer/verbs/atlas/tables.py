"""What the terminal shows of an atlas, and its rankings as CSV."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

from renp_infer.verbs.atlas.result import SIGNIFICANT, AtlasResult, records

if TYPE_CHECKING:
    import xarray

FAMILY_TITLES = {
    "ceiling": "all coherence there can be: wave functions and published parameters alone",
    "driven": "the coherence these lasers reach: guessed intensities and widths",
}
TITLES = {"mass": "mass", "ordering": "ordering", "nature": "Dirac or Majorana"}
PAPER = "paper"


def atlas_tables(
    found: AtlasResult, questions: tuple[str, ...], family: str, top: int, ions: tuple[str, ...]
) -> list[Table | str]:
    """Rankings for the terminal, and how far they are from an answer."""
    parts: list[Table | str] = [
        ranking_table(chosen(found.table(family, question), ions), question, family, top)
        for question in questions
    ]
    parts += [paper_line(found, family, question) for question in questions]
    count = f"{int(found.tree.attrs['ladders']):,}".replace(",", " ")
    return [*parts, f"{count} ladders of {found.ions['ion'].size} ions"]


def chosen(rows: xarray.Dataset, ions: tuple[str, ...]) -> xarray.Dataset:
    """Rows of some ions; of all where none is named."""
    return rows.isel(row=rows["ion"].isin(list(ions)).values) if ions else rows


def ranking_table(rows: xarray.Dataset, question: str, family: str, top: int) -> Table:
    """The first rows of a ranking."""
    table = Table(
        "rank", "ladder", "e to p", "eps\n[eV]", "|S|^2", "h", "delta mu\n[mu_B]",
        "standard\nerrors", title=f"{TITLES[question]}: {FAMILY_TITLES[family]}",
        box=SIMPLE_HEAD, padding=(0, 1, 0, 0),
    )  # fmt: skip
    for row in records(rows)[:top]:
        table.add_row(
            f"{row['rank']:.0f}", row["ladder"], f"{row['term_e']} {row['term_p']}",
            f"{row['epsilon_eV']:.3f}", f"{row['spin'] ** 2:.3g}", f"{row['handedness']:.3g}",
            f"{row['delta_mu']:.3g}", f"{row['standard_errors']:.2g}",
        )  # fmt: skip
    return table


def paper_line(found: AtlasResult, family: str, question: str) -> str:
    """Where the paper's ladder stands."""
    row = records(found.paper)[0]
    rank, errors = (row[f"{what}_{family}_{question}"] for what in ("rank", "standard_errors"))
    return (
        f"{TITLES[question]}: the paper's ladder, {row['ladder']}, is number {rank:.0f} "
        f"with {errors:.2g} of {SIGNIFICANT:g} standard errors"
    )


def csv_text(found: AtlasResult, ions: tuple[str, ...]) -> str:
    """All rankings in one table: family, question, then the columns of a row."""
    stream = io.StringIO()
    rows = [
        {"family": family, "question": question} | row
        for family in FAMILY_TITLES
        for question in found.questions
        for row in records(chosen(found.table(family, question), ions))
    ]
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(stream, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def level_table(rows: xarray.Dataset, symbol: str) -> Table:
    """Stark levels of an ion, calculated and observed."""
    about = rows.attrs
    table = Table(
        "number", "level", "irrep", "energy\n[1/cm]", "observed\n[1/cm]", "g par", "g perp",
        title=f"{symbol}: {about['observed']} observed levels, rms {about['rms_per_cm']:.1f} 1/cm, "
        f"largest {about['largest_per_cm']:.0f}", box=SIMPLE_HEAD, padding=(0, 1, 0, 0),
    )  # fmt: skip
    for row in records(rows):
        seen = row["observed_per_cm"]
        table.add_row(
            f"{row['number']:.0f}", f"{row['term']} ({row['stark']:.0f})", row["irrep"],
            f"{row['energy_per_cm']:.1f}", "-" if seen is None else f"{seen:.1f}",
            f"{row['g_parallel']:.3f}", f"{row['g_perp']:.3f}",
        )  # fmt: skip
    return table
