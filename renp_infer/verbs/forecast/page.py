"""The forecast in the report: its tables, its figures, and what is said beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from renp_infer.verbs.forecast.figures import forecast_plates
from renp_infer.verbs.forecast.tables import forecast_remarks, forecast_sheets

if TYPE_CHECKING:
    import xarray


def forecast_page(tree: xarray.DataTree | None) -> dict[str, Any] | None:
    """What the template shows of a forecast; ``None`` without one."""
    if tree is None:
        return None
    return {
        "sheets": forecast_sheets(tree),
        "remarks": forecast_remarks(tree),
        "plates": forecast_plates(tree),
    }
