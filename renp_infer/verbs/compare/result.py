"""What a comparison of hypotheses found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from renp_infer.engine.result import Result, Verdict

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True)
class CompareResult(Result):
    """What the evidences say with the study's prior odds.

    Attributes
    ----------
    tree : DataTree
        ``compare.nc``, in memory.
    document : dict
        Probabilities, Bayes factors, agreement of the estimators.
    """

    tree: xarray.DataTree
    document: dict[str, Any]

    @property
    def best(self) -> Mapping[str, Any]:
        """Row of the most probable hypothesis."""
        rows: list[Mapping[str, Any]] = self.document["hypotheses"]
        return max(rows, key=lambda row: row["probability"])

    def verdicts(self) -> dict[str, Verdict]:
        """Of the estimators, which should agree."""
        return {"estimators": Verdict.of(self.document["agreement"], lapse="disagree")}

    def rows(self) -> list[tuple[str, str]]:
        """The most probable hypothesis."""
        best = self.best
        name = f"{best['ordering']} ordering, {best['nature']}"
        return [("most probable", f"{name}: {best['probability']:.3g}")]

    def samplers(self) -> list[str]:
        """The estimators."""
        return list(self.document["estimators"])

    def told(self) -> xarray.DataTree:
        """The tree, with the comparison as a table and as JSON."""
        import xarray as xr

        rows = self.document["hypotheses"]
        columns = ("log_evidence", "log_evidence_error", "probability")
        tree = self.tree.copy()
        tree["renp_comparison"] = xr.Dataset(
            {name: ("hypothesis", [row[name] for row in rows]) for name in columns},
            {"hypothesis": [f"{row['ordering']}_{row['nature']}" for row in rows]},
        )
        tree.attrs["renp_comparison"] = json.dumps(self.document)
        return tree
