"""Estimates of a run's posterior, for formats that show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from renp_infer.errors import ConfigError
from renp_infer.fields import Said
from renp_infer.verbs.infer.blinded import refuse_blinded
from renp_infer.verbs.infer.result import InferResult

if TYPE_CHECKING:
    from renp_infer.engine.run import Run
    from renp_infer.inference.results.judged import Summary


def posterior_of(run: Run, kind: str) -> InferResult:
    """Posterior of a run.

    Raises
    ------
    ConfigError
        If it has none, which a format needs.
    """
    refuse_blinded(run)
    found = run.find(InferResult)
    if found is None:
        allowed = f"a run that renp infer has finished, for --to {kind}; csv takes every run"
        raise ConfigError(str(run.directory), Said("no posterior"), allowed)
    return found


def hypothesis_of(run: Run) -> str:
    """Ordering and nature under which the run was fitted."""
    neutrino: Mapping[str, object] = run.study["neutrino"]
    return f"{neutrino['ordering']} ordering, {neutrino['nature']}"


def limits(found: Summary) -> tuple[tuple[str, float | None], ...]:
    """Numbers of an estimate by their names; those that were not found are left out."""
    low_68, high_68 = found.interval_68
    low_95, high_95 = found.interval_95
    return (
        ("mean", found.mean),
        ("sd", found.sd),
        ("median", found.median),
        ("low_68", low_68),
        ("high_68", high_68),
        ("low_95", low_95),
        ("high_95", high_95),
        ("upper_90", found.upper_90),
        ("upper_95", found.upper_95),
    )
