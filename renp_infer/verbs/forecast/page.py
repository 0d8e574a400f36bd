"""The forecast in the report: its tables, its figures, and what is said beside them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from renp_infer.engine.page import Answer, Block, Column, Page, Part, Table, Text
from renp_infer.engine.run import Run
from renp_infer.figures.drawing import number
from renp_infer.verbs.evaluate.figures import normalised_label
from renp_infer.verbs.forecast.figures import forecast_plates
from renp_infer.verbs.forecast.judged import judged
from renp_infer.verbs.forecast.result import ForecastResult
from renp_infer.verbs.forecast.summary import headline
from renp_infer.verbs.forecast.tables import Sheet, forecast_remarks, forecast_sheets

METHODS = {"asimov": "profile likelihood", "fisher": "Fisher information"}


def page(run: Run) -> Page:
    """Remarks, tables and figures of a run's forecast, and the error that it expects."""
    return page_of(run.get(ForecastResult), normalised_label(run))


def page_of(found: ForecastResult, label: str) -> Page:
    """The same of a forecast, with the label of its noise."""
    verdict = judged(found)
    blocks: list[Block] = [Text("Searches and tasks", verdict.verdict)]
    blocks += [Text(text) for text in forecast_remarks(found)]
    for sheet in forecast_sheets(found):
        blocks += _sheet(sheet, label)
    part = Part(40, "forecast", "Forecast", (*blocks, *forecast_plates(found)))
    text = _said(found)
    return Page((part,), (Answer("Forecast", text),) if text else ())


def answer(found: ForecastResult) -> str:
    """The expected error, or that there is none."""
    return _said(found) or "No method gives an error of the mass."


def _said(found: ForecastResult) -> str:
    """The expected error, behind what is wrong with the forecast."""
    verdict, text = judged(found), sentence(found)
    if verdict.verdict == "pass" or not text:
        return text
    return f"{verdict.verdict.upper()}: {'; '.join(verdict.reasons)}. {text}"


def _sheet(sheet: Sheet, label: str) -> Iterator[Block]:
    tail = f", {label}" if label and not sheet.absolute else ""
    note = f"{sheet.note} For the total of all angles, unless said otherwise{tail}."
    yield Text(note, title=sheet.title, small=True)
    columns = [
        Column(head, number=bool(head), heads=place == 0) for place, head in enumerate(sheet.heads)
    ]
    yield Table(tuple(columns), sheet.rows, name=sheet.title, style="sheet")


def sentence(found: ForecastResult) -> str:
    """Expected error of the mass nearest to the study's own; empty without one."""
    first, about = headline(found), found.about
    if first is None:
        return ""
    place = int(np.argmin(np.abs(np.array(first.m1_meV) - about.truth.m1_meV)))
    sigma = float(first.cells.sigma_m1_meV[place])
    mass = f"m₁ = {number(first.m1_meV[place])} meV"
    text = f"Expected error of {mass}: {number(sigma, 2)} meV (half of a 68 % confidence interval)"
    if not np.isfinite(sigma):
        text = (
            f"{mass} would not be measured: its 68 % confidence interval has no end within the "
            "bounds of m₁"
        )
    scaled = ", normalised noise" if about.normalised else ""
    return (
        f"{text} after {number(about.exposure_s)} s "
        f"({first.ordering} ordering, {first.nature.capitalize()}, "
        f"{METHODS[first.method]}{scaled})."
    )
