"""``renp export``: a run in the formats of others."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from renp_infer.errors import ConfigError
from renp_infer.exports.chains import chain_files
from renp_infer.exports.crate import crate_files
from renp_infer.exports.hepdata import hepdata_files
from renp_infer.exports.latex import latex_files
from renp_infer.exports.tables import csv_files
from renp_infer.files import make_directory, replacing

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

Made = Iterator[tuple[str, str | Path]]
FORMATS: Mapping[str, Callable[[Run], Made]] = {
    "csv": csv_files,
    "latex": latex_files,
    "getdist": chain_files,
    "hepdata": hepdata_files,
    "ro-crate": crate_files,
}
"""What makes the files of each format: name, and text or a file to be copied."""
FOLDER = "export"


def parse_formats(text: str) -> tuple[str, ...]:
    """Read the value of ``--to``.

    Raises
    ------
    ConfigError
        If it names nothing, or another format.
    """
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    for name in names:
        if name not in FORMATS:
            raise ConfigError("--to", text, f"some of {','.join(FORMATS)}")
    return names


def export(
    run: Run, formats: Sequence[str], target: Path, *, force: bool = False
) -> dict[str, list[Path]]:
    """Write a run in some formats, each into a folder of its name.

    Parameters
    ----------
    run : Run
    formats : sequence of str
        Some of ``FORMATS``.
    target : Path
        Directory of the folders.
    force : bool
        Replace folders that exist.

    Returns
    -------
    dict
        Files by format.

    Raises
    ------
    ConfigError
        If a folder exists, or a format needs a result that the run has not.
    """
    for name in formats:
        if (target / name).exists() and not force:
            allowed = "a folder that does not exist yet; --force replaces it"
            raise ConfigError("--out", str(target / name), allowed)
    made = {
        name: list(FORMATS[name](run)) for name in formats
    }  # refused before anything is written
    return {name: _written(files, target / name) for name, files in made.items()}


def _written(files: Sequence[tuple[str, str | Path]], folder: Path) -> list[Path]:
    if folder.is_symlink():
        raise ConfigError("--out", str(folder), "a folder, not a link to one")
    shutil.rmtree(folder, ignore_errors=True)
    make_directory(folder)
    for name, content in files:
        with replacing(folder / name) as temporary:
            if isinstance(content, Path):
                shutil.copyfile(content, temporary)
            else:
                temporary.write_text(content, encoding="utf-8")
    return [folder / name for name, _ in files]
