"""Pages from templates: text from outside is escaped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from renp_infer.figures.data import data_uri
from renp_infer.figures.drawing import number
from renp_infer.figures.plate import Plate

EMBEDDED = 120_000
"""Longest table of numbers, in characters, that the page carries beside its figure."""


def csv_uri(plate: Plate) -> str:
    """Numbers of a figure as a data URI; empty for those that would bloat the page."""
    text = plate.csv
    return data_uri("text/csv", text) if len(text) <= EMBEDDED else ""


def fill_template(path: Path, **values: Any) -> str:
    """Text of a template, which may include others of its folder."""
    environment = Environment(
        loader=FileSystemLoader(path.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "csv_uri": csv_uri}
    return environment.get_template(path.name).render(**values)
