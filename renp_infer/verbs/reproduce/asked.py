"""What ``renp reproduce`` does: the ledger, one figure, the feasibility table, or a run again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from renp_infer.errors import ConfigError
from renp_infer.fields import nearest
from renp_infer.files import is_directory, make_directory
from renp_infer.terminal import WIDTH, show, write_document
from renp_infer.verbs.reproduce.again import do_again

if TYPE_CHECKING:
    from renp_infer.engine.options import Options
    from renp_infer.reproduction.printed import Printed

_WEAK = "what the weak Hamiltonian, Eq. (1), gives"
DEFAULT = Path("runs") / "ledger"
"""Where a figure goes without ``--out``."""
FIGURE_NAMES = tuple(f"fig{number}" for number in range(6, 13))
FEASIBILITY = "feasibility"


def reproduce(what: str | None, options: Options) -> int:
    """Do what the argument names; without one, the whole ledger.

    Parameters
    ----------
    what : str or None
        A figure, "feasibility", or a run directory.
    options : Options

    Raises
    ------
    ConfigError
        For an unknown name, or settings that nothing here has.
    """
    if what == FEASIBILITY:
        return feasibility(options)
    if what is not None and what not in FIGURE_NAMES and is_directory(Path(what)):
        return do_again(Path(what), options)
    if options.overrides:
        allowed = f"no settings, except with {FEASIBILITY}: the paper's apparatus is fixed"
        raise ConfigError("--set", options.overrides[0], allowed)
    if what is None:
        return ledger(options)
    if what in FIGURE_NAMES:
        return figure(what, options)
    known = (*FIGURE_NAMES, FEASIBILITY)
    allowed = f"{', '.join(known)}, or a run directory"
    raise ConfigError("reproduce", what, allowed, nearest(what, known))


def ledger(options: Options) -> int:
    """Recompute every printed value; print the table, write files if ``--out`` is given."""
    from renp_infer.reproduction.ledger import ledger_document, make_ledger
    from renp_infer.reproduction.paper import Paper

    if options.out is not None:
        make_directory(options.out)
    paper = Paper()
    found = ledger_document(paper, make_ledger(paper))
    if options.json:
        write_document(found)
    else:
        show(ledger_table(found["rows"], paper.printed), *closing_lines(found))
    if options.out is not None:
        from renp_infer.verbs.reproduce.page import write_ledger

        files = write_ledger(found, paper, options.out)
        if not options.json:
            show(*(f"written: {path}" for path in files))
    return 0


def figure(name: str, options: Options) -> int:
    """Draw one figure as SVG."""
    from renp_infer.reproduction.paper import Paper
    from renp_infer.verbs.reproduce.figures import draw
    from renp_infer.verbs.reproduce.page import write_text

    folder = options.out if options.out is not None else DEFAULT
    make_directory(folder)
    plate, path = draw(name, Paper()), folder / f"{name}.svg"
    write_text(path, plate.svg)
    if options.json:
        write_document({"schema": 1, "figure": name, "path": str(path), "caption": plate.caption})
    else:
        show(plate.caption, f"written: {path}")
    return 0


def ledger_table(rows: Sequence[Mapping[str, Any]], printed: Mapping[str, Printed]) -> Table:
    """One line per printed value, 80 columns wide."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), width=WIDTH)
    for name, width in (("row", 17), ("printed", 10), ("published", 10), ("corrected", 10)):
        table.add_column(name, no_wrap=True, overflow="ellipsis", width=width)
    table.add_column("verdict", no_wrap=True, min_width=22)
    for row in rows:
        entry = printed[row["id"]]
        values = (_short(row[key], entry.digits) for key in ("published", "corrected"))
        table.add_row(row["id"], entry.text, *values, row["verdict"])
    return table


def _short(value: Any, digits: int) -> str:
    """Numbers with as many digits as the printed ones, at least three."""
    if value is None:
        return "-"
    if isinstance(value, list):
        return ", ".join(_short(v, digits) for v in value)
    return f"{value:.{max(digits, 3)}g}"


def closing_lines(found: Mapping[str, Any]) -> list[str]:
    """Counts and findings below the table."""
    from renp_infer.reproduction.printed import OTHERS
    from renp_infer.verbs.reproduce.page import READINGS, cell, counts

    totals = ", ".join(f"{n} {verdict}" for verdict, n in counts(found["rows"]).items())
    cited = sum(all(row[key] is None for key in READINGS) for row in found["rows"])
    others = sum(row["of"] == OTHERS for row in found["rows"])
    lines = [
        f"{len(found['rows'])} printed values, {others} of other papers: {totals}; {cited} are "
        "cited facts without a formula. --json and --out say why.",
        f"Beside published and corrected, {_WEAK}:",
        *_first_principles(found["rows"]),
    ]
    for number, one in enumerate(found["findings"], start=1):
        unit = "" if one["unit"] == "1" else f" {one['unit']}"
        lines.append(f"{number}. {one['statement']}: {cell(one['value'])}{unit}")
    return lines


def _first_principles(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A line for each row that the weak Hamiltonian was asked about."""
    for row in rows:
        if row["first_principles"] is not None:
            yield f"  {row['id']}: {_short(row['first_principles'], 3)}"


def feasibility(options: Options) -> int:
    """Tabulate how far the absolute signal is from being seen, term by term."""
    from renp_infer.terminal import document
    from renp_infer.verbs.reproduce.feasibility import feasibility_document, feasibility_tables
    from renp_infer.verbs.reproduce.page import write_text

    if options.out is not None:
        make_directory(options.out)
    found = feasibility_document(options.overrides)
    if options.out is not None:
        write_text(options.out / "feasibility.json", document(found))
    if options.json:
        write_document(found)
    else:
        show(*feasibility_tables(found))
    return 0
