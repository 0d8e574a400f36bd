"""What a calibration found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from renp_infer.engine.result import Result, Verdict

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True)
class CalibrateResult(Result):
    """Mock experiments, and what they say of the claims.

    Attributes
    ----------
    tree : DataTree
        ``calibrate.nc``, in memory.
    document : dict
        Verdict, reasons, and a table for each kind of mock experiment.
    """

    tree: xarray.DataTree
    document: dict[str, Any]

    @classmethod
    def of(cls, tree: xarray.DataTree) -> CalibrateResult:
        """Result of the tree of ``calibrate.nc``."""
        return cls(tree, json.loads(tree.attrs["renp_calibration"]))

    def verdicts(self) -> dict[str, Verdict]:
        """Of all tests together."""
        return {"calibration": Verdict.of(self.document)}

    def told(self) -> xarray.DataTree:
        """The tree."""
        return self.tree
