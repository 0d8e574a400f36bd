"""The forecast in the report: its sentence, its tables, its figures, what is said beside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from renp_infer.engine.run import Run
from renp_infer.figures.drawing import number
from renp_infer.figures.plate import Plate
from renp_infer.verbs.forecast.figures import forecast_plates
from renp_infer.verbs.forecast.result import ForecastResult
from renp_infer.verbs.forecast.summary import headline
from renp_infer.verbs.forecast.tables import Sheet, forecast_remarks, forecast_sheets

METHODS = {"asimov": "profile likelihood", "fisher": "Fisher information"}


@dataclass(frozen=True)
class ForecastPage:
    """What the template shows of a forecast."""

    sheets: list[Sheet]
    remarks: list[str]
    plates: list[Plate]


def forecast_page(run: Run) -> ForecastPage | None:
    """The forecast's part of the page; ``None`` without one."""
    found = run.find(ForecastResult)
    return None if found is None else page_of(found)


def page_of(found: ForecastResult) -> ForecastPage:
    """What is shown of a forecast."""
    return ForecastPage(forecast_sheets(found), forecast_remarks(found), forecast_plates(found))


def forecast_sentence(found: ForecastResult) -> str:
    """Expected error of the mass nearest to the study's own; empty without one."""
    first, about = headline(found), found.about
    if first is None:
        return ""
    place = int(np.argmin(np.abs(np.array(first.m1_meV) - about.truth.m1_meV)))
    sigma = float(first.cells.sigma_m1_meV[place])
    text = f"Expected error of m₁ = {number(first.m1_meV[place])} meV: {number(sigma, 2)} meV"
    scaled = ", normalised noise" if about.normalised else ""
    return (
        f"{text} after {number(about.exposure_s)} s "
        f"({first.ordering} ordering, {first.nature.capitalize()}, "
        f"{METHODS[first.method]}{scaled})."
    )
