"""What a comparison of hypotheses found."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from renp_infer.engine.result import Result, Verdict
from renp_infer.study.units import described

if TYPE_CHECKING:
    import xarray

    from renp_infer.inference.results.compared import Comparison


@dataclass(frozen=True)
class CompareResult(Result):
    """What the evidences say with the study's prior odds.

    Attributes
    ----------
    tree : DataTree
        ``compare.nc``, in memory.
    comparison : Comparison
        Probabilities, Bayes factors, agreement of the estimators.
    """

    tree: xarray.DataTree
    comparison: Comparison

    @property
    def document(self) -> dict[str, Any]:
        """The comparison as plain values."""
        from renp_infer.terminal import plain

        found: dict[str, Any] = plain(asdict(self.comparison))
        return found

    @property
    def constraints(self) -> list[str]:
        """Names of the constraints of other experiments, of any hypothesis."""
        return self._told("constraints")

    @property
    def priors(self) -> list[str]:
        """Priors by parameter in words, of any hypothesis."""
        return self._told("priors")

    def _told(self, name: str) -> list[str]:
        branches = [child for row in self.tree.children.values() for child in row.children.values()]
        texts = [str(branch.attrs.get(name, "[]")) for branch in branches]
        return list(dict.fromkeys(told for text in texts for told in json.loads(text)))

    @property
    def verdict(self) -> Verdict:
        """Of the estimators, which should agree."""
        found = self.comparison.agreement
        return Verdict(found.verdict, found.reasons, lapse="disagree")

    def verdicts(self) -> dict[str, Verdict]:
        """Of the estimators."""
        return {"estimators": self.verdict}

    def rows(self) -> list[tuple[str, str]]:
        """The most probable hypothesis."""
        best = self.comparison.best
        name = f"{best.ordering} ordering, {best.nature}"
        return [("most probable", f"{name}: {best.probability:.3g}")]

    def samplers(self) -> list[str]:
        """The estimators."""
        return list(self.comparison.estimators)

    def told(self) -> xarray.DataTree:
        """The tree, with the comparison as a table and as JSON."""
        import xarray as xr

        rows, dimension = self.comparison.hypotheses, "hypothesis"
        tree = self.tree.copy()
        tree["renp_comparison"] = xr.Dataset(
            {
                "log_evidence": (dimension, [row.log_evidence for row in rows]),
                "log_evidence_error": (dimension, [row.log_evidence_error for row in rows]),
                "probability": (dimension, [row.probability for row in rows]),
            },
            {dimension: [row.name for row in rows]},
        )
        tree.attrs["renp_comparison"] = json.dumps(self.document)
        return described(tree)
