"""What is asked of an atlas besides its rankings: levels of an ion, a row as a study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from renp_infer.engine.driver import DONE
from renp_infer.errors import ConfigError
from renp_infer.fields import nearest
from renp_infer.files import make_directory
from renp_infer.physics.ions.lanthanides import IONS
from renp_infer.study.atlas_study import RowQuestion, atlas_study
from renp_infer.study.load import load_study
from renp_infer.terminal import show, write_document
from renp_infer.verbs.atlas.result import records
from renp_infer.verbs.atlas.tables import level_table
from renp_infer.verbs.atlas.work import level_rows

if TYPE_CHECKING:
    from renp_infer.engine.options import Options


def checked_ions(ions: tuple[str, ...]) -> tuple[str, ...]:
    """Symbols of ions that there are.

    Raises
    ------
    ConfigError
    """
    for symbol in ions:
        if symbol not in IONS:
            near = nearest(symbol, IONS)
            raise ConfigError("--ion", symbol, ", ".join(IONS), near)
    return ions


def checked_csv(file: Path | None) -> Path | None:
    """A file that can be written.

    Raises
    ------
    ConfigError
    """
    if file is not None and (file.suffix != ".csv" or not file.parent.is_dir()):
        raise ConfigError("--csv", str(file), "a file that ends in .csv, in a folder that is there")
    return file


def checked_top(top: int) -> None:
    """Refuse a number of rows that shows nothing.

    Raises
    ------
    ConfigError
    """
    if top < 1:
        raise ConfigError("--top", top, "an integer from 1")


def show_levels(ion: str, options: Options) -> int:
    """Print the levels of an ion."""
    (symbol,) = checked_ions((ion,))
    rows = level_rows(symbol, load_study("atlas", options.overrides))
    if options.json:
        about = {str(name): value for name, value in rows.attrs.items()}
        write_document({"schema": 1, "ion": symbol, **about, "levels": records(rows)})
    else:
        show(level_table(rows, symbol))
    return DONE


def write_row(row: str, question: str, source: Path, options: Options) -> int:
    """Write a row as a study of a question with its scheme, into --out or here.

    Its noise is that of the rows of an atlas, and so is the number of data sets that confirm
    what is found.

    Raises
    ------
    ConfigError
        There is no such ladder, or a file is there already.
    """
    section = load_study(source, options.overrides, add=["atlas"]).atlas
    assert section is not None
    found = atlas_study(row, RowQuestion.of(section, question), "--study")
    folder = options.out if options.out is not None else Path()
    for name in found.files:
        if (folder / name).exists() and not options.force:
            raise ConfigError("--out", str(folder / name), "a new file", "--force replaces it")
    make_directory(folder)
    for name, text in found.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    paths = [str(folder / name) for name in found.files]
    if options.json:
        write_document({"schema": 1, "study": paths[0], "scheme": paths[1]})
    else:
        show(f"study: {paths[0]}", f"scheme: {paths[1]}")
    return DONE
