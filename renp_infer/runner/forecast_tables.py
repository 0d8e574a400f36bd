"""The tables of a forecast, for the terminal and the report alike.

Every title says by which method a number is found, and of what kind it is; all are for
the total of all angles, but for signal-to-noise ratios.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from renp_infer.runner.forecast_methods import method_rows
from renp_infer.runner.forecast_summary import TARGETS, YEAR_S, forecast_document
from renp_infer.runner.labels import plain_sigma

if TYPE_CHECKING:
    import xarray
