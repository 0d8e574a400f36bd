"""The forecast in the report: its tables, its figures, and what is said beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from renp_infer.engine.page import Answer, Block, Column, Page, Part, Table, Text
from renp_infer.engine.run import Run
from renp_infer.figures.drawing import number
from renp_infer.verbs.evaluate.figures import normalised_label
from renp_infer.verbs.forecast.figures import forecast_plates
from renp_infer.verbs.forecast.result import ForecastResult
from renp_infer.verbs.forecast.summary import forecast_document
from renp_infer.verbs.forecast.tables import Sheet, forecast_remarks, forecast_sheets

if TYPE_CHECKING:
    import xarray

METHODS = {"asimov": "profile likelihood", "fisher": "Fisher information"}


def page(run: Run) -> Page:
    """Remarks, tables and figures of a forecast, and the error that it expects."""
    tree = run.get(ForecastResult).tree
    label = normalised_label(run)
    blocks: list[Block] = [Text(text) for text in forecast_remarks(tree)]
    for sheet in forecast_sheets(tree):
        blocks += _sheet(sheet, label)
    part = Part(40, "forecast", "Forecast", (*blocks, *forecast_plates(tree)))
    text = sentence(tree)
    return Page((part,), (Answer("Forecast", text),) if text else ())


def _sheet(sheet: Sheet, label: str) -> Iterator[Block]:
    tail = f", {label}" if label and not sheet.absolute else ""
    note = f"{sheet.note} For the total of all angles, unless said otherwise{tail}."
    yield Text(note, title=sheet.title, small=True)
    columns = [
        Column(head, number=bool(head), heads=place == 0) for place, head in enumerate(sheet.heads)
    ]
    yield Table(tuple(columns), sheet.rows, name=sheet.title, style="sheet")


def sentence(tree: xarray.DataTree) -> str:
    """Expected error of the mass nearest to the study's own; empty without one."""
    found = forecast_document(tree)
    if "sigma_m1_meV" not in found:
        return ""
    masses = np.asarray(found["m1_meV"], float)
    place = int(np.argmin(np.abs(masses - found["truth"]["m1_meV"])))
    sigma = float(np.asarray(found["sigma_m1_meV"], float)[place])
    text = f"Expected error of m₁ = {number(masses[place])} meV: {number(sigma, 2)} meV"
    scaled = ", normalised noise" if found["normalised"] else ""
    return (
        f"{text} after {number(found['exposure_s'])} s "
        f"({found['ordering']} ordering, {found['nature'].capitalize()}, "
        f"{METHODS[found['method']]}{scaled})."
    )
