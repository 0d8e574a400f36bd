"""What an inference found."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from renp_infer.engine.provenance import PROVENANCE
from renp_infer.engine.result import Result, Verdict
from renp_infer.inference.judging.tension import WARN_SIGMA, Tension
from renp_infer.inference.parameters import MASS, PARAMETERS
from renp_infer.inference.results.judged import Summary
from renp_infer.verbs.infer.cells import estimate, interval
from renp_infer.verbs.infer.judged import Checks, Diagnostics

if TYPE_CHECKING:
    import xarray

CONSTRAINTS = "constraints"
"""The verdict on constraints and data."""
SAMPLED = ("sample_stats", "renp_cross_check")
"""Groups of a posterior whose attributes name a sampler."""


@dataclass(frozen=True, eq=False)
class InferResult(Result):
    """The posterior, its estimates and what was judged of them.

    Attributes
    ----------
    tree : DataTree
        ``infer.nc``, in memory.
    estimates : mapping
        Of each free parameter, by name.
    diagnostics : Diagnostics
    checks : Checks or None
        ``None`` for a result from before there were any.
    """

    tree: xarray.DataTree
    estimates: Mapping[str, Summary]
    diagnostics: Diagnostics
    checks: Checks | None

    @classmethod
    def of(cls, tree: xarray.DataTree) -> InferResult:
        """Result of the tree of ``infer.nc``."""
        summary = summary_in(tree)
        checks = checks_in(tree)
        return cls(
            tree,
            {name: _estimate(tree, name, row) for name, row in summary["parameters"].items()},
            Diagnostics.of(summary["diagnostics"]),
            None if checks is None else Checks.of(checks),
        )

    @property
    def mass(self) -> Summary:
        """Estimate of m1, meV."""
        return self.estimates[MASS]

    def verdicts(self) -> dict[str, Verdict]:
        """Of the sampler's diagnostics, of the model checks, and of constraints against data."""
        found = {"diagnostics": self.diagnostics.verdict}
        if self.checks is not None:
            found["model checks"] = self.checks.verdict
        if self.tension:
            apart = {n: one for n, one in self.tension.items() if not one.sigma <= WARN_SIGMA}
            why = tuple(_far_apart(name, one) for name, one in apart.items())
            found[CONSTRAINTS] = Verdict("warn" if apart else "pass", why)
        return found

    @property
    def tension(self) -> dict[str, Tension]:
        """How far each constraint is from the data, by name; none of an older result."""
        rows = summary_in(self.tree).get("tension", {})
        return {name: Tension.of(row) for name, row in rows.items()}

    def rows(self) -> list[tuple[str, str]]:
        """The mass."""
        return [("m1 [meV]", estimate(self.mass)), ("95 % interval", interval(self.mass))]

    def origin(self) -> dict[str, Any]:
        """Attributes of the tree's group of that name."""
        if PROVENANCE not in self.tree.children:
            return {}
        return {str(k): v for k, v in self.tree[PROVENANCE].attrs.items()}

    def samplers(self) -> list[str]:
        """That of the posterior, and that of a cross-check."""
        groups = [self.tree[name] for name in SAMPLED if name in self.tree.children]
        return [str(group.attrs["sampler"]) for group in groups]

    def told(self) -> xarray.DataTree:
        """The tree."""
        return self.tree


def _estimate(tree: xarray.DataTree, name: str, row: Mapping[str, Any]) -> Summary:
    """Estimate of a parameter; one from before priors were compared is compared now."""
    found = Summary.of(row)
    if found.measured is not None:
        return found
    from renp_infer.inference.results.summary import compared

    groups = (tree[group].to_dataset() for group in ("posterior", "prior"))
    draws, before = (group[name].values for group in groups)
    lowest = 0.0 if name == MASS else -math.inf
    return compared(found, draws, before, (lowest, math.inf))


def _far_apart(name: str, found: Tension) -> str:
    """That a constraint and the data disagree."""
    there = ", ".join(f"{PARAMETERS.text(n)} {value:.4g}" for n, value in found.found.items())
    posterior = f"; the posterior has {there}" if there else ""
    return f"data and {name} are {found.sigma:.1f} sigma apart (p = {found.p:.1g}){posterior}"


def summary_in(tree: xarray.DataTree) -> dict[str, Any]:
    """Estimates and diagnostics as ``infer.nc`` has them."""
    found: dict[str, Any] = json.loads(tree.attrs["renp_summary"])
    return found


def checks_in(tree: xarray.DataTree) -> dict[str, Any] | None:
    """Model checks as ``infer.nc`` has them; ``None`` if it has none."""
    text = tree.attrs.get("renp_checks")
    return None if text is None else json.loads(text)
