"""A run as a Python session sees it: its results by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from renp_infer.engine.run import Run as AnyRun
from renp_infer.verbs.calibrate.result import CalibrateResult
from renp_infer.verbs.compare.result import CompareResult
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.forecast.result import ForecastResult
from renp_infer.verbs.infer.result import InferResult, checks_in, summary_in
from renp_infer.verbs.optimize.result import OptimizeResult
from renp_infer.verbs.sequential.result import SequentialResult

if TYPE_CHECKING:
    import xarray


class Run(AnyRun):
    """Results of a run directory; ``None`` for what the run has not done.

    Attributes
    ----------
    directory : Path
    name : str
    study : dict
        The resolved study.
    results : mapping
        Result by name of the verb.
    """

    @property
    def evaluation(self) -> dict[str, Any]:
        """``evaluate.json``."""
        return self.get(EvaluateResult).document

    @property
    def prediction(self) -> xarray.Dataset:
        """Forward model at the truth, by angle: ``evaluation`` as arrays."""
        return self.get(EvaluateResult).told()

    @property
    def inference(self) -> xarray.DataTree | None:
        """``infer.nc``."""
        found = self.find(InferResult)
        return None if found is None else found.tree

    @property
    def summary(self) -> dict[str, Any] | None:
        """Estimates and diagnostics of the inference."""
        found = self.find(InferResult)
        return None if found is None else summary_in(found.tree)

    @property
    def checks(self) -> dict[str, Any] | None:
        """Model checks of the inference."""
        found = self.find(InferResult)
        return None if found is None else checks_in(found.tree)

    @property
    def comparison(self) -> dict[str, Any] | None:
        """What the evidences say with the study's prior odds."""
        found = self.find(CompareResult)
        return None if found is None else found.document

    @property
    def calibration(self) -> xarray.DataTree | None:
        """``calibrate.nc``."""
        found = self.find(CalibrateResult)
        return None if found is None else found.tree

    @property
    def forecast(self) -> xarray.DataTree | None:
        """``forecast.nc``."""
        found = self.find(ForecastResult)
        return None if found is None else found.tree

    @property
    def optimum(self) -> dict[str, Any] | None:
        """``optimize.json``, with the rows of ``trials.jsonl`` as ``trials``."""
        found = self.find(OptimizeResult)
        return None if found is None else found.told()

    @property
    def sequential(self) -> xarray.DataTree | None:
        """``sequential.nc``."""
        found = self.find(SequentialResult)
        return None if found is None else found.tree
