"""What a forecast found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from renp_infer.engine.result import Result

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True)
class ForecastResult(Result):
    """Errors, limits, separations and exposures.

    Attributes
    ----------
    tree : DataTree
        ``forecast.nc``, in memory.
    """

    tree: xarray.DataTree

    def told(self) -> xarray.DataTree:
        """The tree."""
        return self.tree
