"""What an inference found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from renp_infer.engine.result import Result, Verdict

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True)
class InferResult(Result):
    """The posterior, its estimates and what was judged of them.

    Attributes
    ----------
    tree : DataTree
        ``infer.nc``, in memory.
    summary : dict
        Estimates and diagnostics.
    checks : dict or None
        Model checks; ``None`` for a result from before there were any.
    """

    tree: xarray.DataTree
    summary: dict[str, Any]
    checks: dict[str, Any] | None

    @classmethod
    def of(cls, tree: xarray.DataTree) -> InferResult:
        """Result of the tree of ``infer.nc``."""
        checks = tree.attrs.get("renp_checks")
        summary = json.loads(tree.attrs["renp_summary"])
        return cls(tree, summary, None if checks is None else json.loads(checks))

    def verdicts(self) -> dict[str, Verdict]:
        """Of the sampler's diagnostics, and of the model checks."""
        found = {"diagnostics": Verdict.of(self.summary["diagnostics"])}
        if self.checks is not None:
            found["model checks"] = Verdict.of(self.checks)
        return found

    def rows(self) -> list[tuple[str, str]]:
        """The mass."""
        row = self.summary["parameters"]["m1_meV"]
        low, high = row["interval_95"]
        estimate = f"{row['mean']:.4g} ± {row['sd']:.2g} meV"
        return [("m1", f"{estimate}, 95 % interval {low:.4g} to {high:.4g} meV")]

    def told(self) -> xarray.DataTree:
        """The tree."""
        return self.tree
