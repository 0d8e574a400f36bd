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
from renp_infer.verbs.forecast.quantities import RIVALS
from renp_infer.verbs.forecast.result import ForecastResult
from renp_infer.verbs.forecast.summary import Headline, headline, own_error
from renp_infer.verbs.forecast.tables import Sheet, forecast_remarks, forecast_sheets

TOLD = 3.0
"""Separation, in sigma, from which a hypothesis counts as told from its rival."""
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
    return Page(
        (part,),
        (Answer("Forecast", text),) if text else (),
        "What the experiment could see, and in what time",
        "How well would the lightest mass be measured, and could ordering and nature be told",
    )


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
    """Expected error at the study's own mass, and what tells rivals apart; empty without one."""
    first, own, about = headline(found), own_error(found), found.about
    if first is None or own is None:
        return ""
    mass = f"m₁ = {number(own.m1_meV)} meV"
    sigma = number(own.sigma_m1_meV, 2)
    text = f"Expected error of {mass}: {sigma} meV (half of a 68 % confidence interval)"
    if not np.isfinite(own.sigma_m1_meV):
        text = (
            f"{mass} would not be measured: its 68 % confidence interval has no end within the "
            "bounds of m₁"
        )
    scaled = ", normalised noise" if about.normalised else ""
    return (
        f"{text} after {number(about.exposure_s)} s "
        f"({own.ordering} ordering, {own.nature.capitalize()}, {METHODS[own.method]}{scaled})."
        f"{_told_apart(first, own.m1_meV)}"
    )


def _told_apart(first: Headline, m1_meV: float) -> str:
    """How far the rivals are, where the forecast has the study's own mass."""
    place = first.place_of(m1_meV)
    if place is None:
        return ""
    ordering, nature = (_told(float(first.cells.against.of(r).separation[place])) for r in RIVALS)
    return f" In the median: ordering {ordering}, Dirac or Majorana {nature}."


def _told(separation: float) -> str:
    """Whether two hypotheses would be told apart, and how well."""
    if not np.isfinite(separation):
        return "unknown"
    sigma = f"{number(separation, 2)} sigma"
    return f"told by {sigma}" if separation >= TOLD else f"not told ({sigma})"
