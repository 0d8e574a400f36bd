"""The forecast in the report: its tables, its figures, and what is said beside them."""

from __future__ import annotations

from typing import Any

from renp_infer.engine.run import Run
from renp_infer.verbs.forecast.figures import forecast_plates
from renp_infer.verbs.forecast.result import ForecastResult
from renp_infer.verbs.forecast.tables import forecast_remarks, forecast_sheets


def forecast_page(run: Run) -> dict[str, Any] | None:
    """What the template shows of a forecast; ``None`` without one."""
    found = run.find(ForecastResult)
    if found is None:
        return None
    tree = found.tree
    return {
        "sheets": forecast_sheets(tree),
        "remarks": forecast_remarks(tree),
        "plates": forecast_plates(tree),
    }
