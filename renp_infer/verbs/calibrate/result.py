"""What a calibration found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from renp_infer.engine.result import Result, Verdict

if TYPE_CHECKING:
    import xarray

    from renp_infer.records import FloatArray
    from renp_infer.verbs.calibrate.found import Calibration

ATTRIBUTE = "renp_calibration"
"""Where the file has verdict and tests, as JSON."""


@dataclass(frozen=True)
class CalibrateResult(Result):
    """Mock experiments, and what they say of the claims.

    Attributes
    ----------
    tree : DataTree
        ``calibrate.nc``, in memory.
    calibration : Calibration
        Verdict, reasons, and the tests of each kind of mock experiment.
    """

    tree: xarray.DataTree
    calibration: Calibration

    @classmethod
    def of(cls, tree: xarray.DataTree) -> CalibrateResult:
        """Result of the tree of ``calibrate.nc``."""
        from renp_infer.verbs.calibrate.found import Calibration

        return cls(tree, Calibration.of(json.loads(tree.attrs[ATTRIBUTE])))

    @property
    def fractions(self) -> FloatArray:
        """Ranks of the true values, as shares of the draws, shape (mocks, quantities)."""
        fractions: FloatArray = self.tree["ranks"].to_dataset()["fraction"].values
        return fractions

    def verdicts(self) -> dict[str, Verdict]:
        """Of all tests together."""
        return {"calibration": self.calibration.judged}

    def told(self) -> xarray.DataTree:
        """The tree."""
        return self.tree
