"""The figures of a report as files: PDF and SVG for papers, CSV for the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from renp_infer.errors import ConfigError
from renp_infer.fields import Said
from renp_infer.figures import drawing as plots
from renp_infer.figures.plate import Plate
from renp_infer.files import make_directory, replacing

if TYPE_CHECKING:
    from renp_infer.report.page import Contents

FORMATS = ("pdf", "svg", "csv")
FOLDER = "figures"


def parse_formats(text: str) -> tuple[str, ...]:
    """Read the value of ``--figures``; empty text means no files.

    Raises
    ------
    ConfigError
        If it names another format.
    """
    formats = tuple(dict.fromkeys(part.strip() for part in text.split(","))) if text else ()
    if not set(formats) <= set(FORMATS):
        raise ConfigError("--figures", text, f"some of {','.join(FORMATS)}")
    return formats


def write_figures(found: Contents, directory: Path, formats: Sequence[str]) -> list[str]:
    """Write all figures of a page into ``figures``, of several runs by their number.

    Parameters
    ----------
    found : Contents
        Of the page.
    directory : Path
        That of the page.
    formats : sequence of str
        Some of ``FORMATS``.

    Returns
    -------
    list of str
        Names of the files, relative to ``directory``.

    Raises
    ------
    StoreError
        If a file cannot be written.
    """
    folders = {FOLDER: list(found.together)} if len(found.sections) > 1 else {}
    for section in found.sections:
        folders[f"{FOLDER}/{section.anchor}" if folders else FOLDER] = section.plates
    names = []
    for folder, plates in folders.items() if formats else ():
        for place in (directory / FOLDER, directory / folder):
            if place.is_symlink():
                raise ConfigError(str(place), Said("a link"), "a folder of the run's own")
        make_directory(directory / folder)
        for plate in plates:
            for kind in formats:
                names.append(f"{folder}/{plate.key}.{kind}")
                write_figure(plate, directory / names[-1])
    return names


def write_figure(plate: Plate, path: Path) -> None:
    """Write one figure in the format that the suffix names.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    with replacing(path) as temporary:
        if path.suffix == ".pdf":
            # fonts as outlines of TrueType, which journals take; the same bytes each time
            with plots.styled(**{"pdf.fonttype": 42}):
                plate.figure.savefig(temporary, format="pdf", metadata={"CreationDate": None})
        else:
            text = plate.csv if path.suffix == ".csv" else plate.svg
            temporary.write_text(text, encoding="utf-8")
