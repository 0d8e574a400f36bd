"""Did the sampler do its work: one verdict, with reasons.

Every call to ArviZ' statistics lives here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import arviz as az
import numpy as np
import xarray as xr

from renp_infer.records import FloatArray

Verdict = Literal["pass", "warn", "fail"]
_ORDER: tuple[Verdict, ...] = ("pass", "warn", "fail")

R_HAT_PASS, R_HAT_WARN = 1.01, 1.05
ESS_PASS, ESS_WARN = 400.0, 100.0
DIVERGENT_FRACTION_WARN = 1e-3
BFMI_PASS = 0.3
MAX_DEPTH_FRACTION_PASS = 0.01
_TAILS = (0.05, 0.95)


@dataclass(frozen=True)
class Convergence:
    """Convergence of one parameter."""

    r_hat: float
    ess_bulk: float
    ess_tail: float


def defined(statistic: float) -> float | None:
    """A statistic for a document: ``None`` where draws that never moved have none."""
    return statistic if np.isfinite(statistic) else None


def convergence(draws: FloatArray, circular: bool = False) -> Convergence:
    """R-hat and effective sample sizes of draws (chains, draws).

    A circular parameter (degrees) is judged by its sine and its cosine; the
    worse of the two counts.
    """
    if not circular:
        parts = [draws]
    else:
        parts = [np.sin(np.deg2rad(draws)), np.cos(np.deg2rad(draws))]
    return Convergence(
        max(float(az.rhat(part)) for part in parts),
        min(float(az.ess(part, method="bulk")) for part in parts),
        min(float(az.ess(part, method="tail", prob=_TAILS)) for part in parts),
    )


def quantile_error(draws: FloatArray, probability: float) -> float:
    """Monte Carlo standard error of a quantile of draws (chains, draws)."""
    return float(az.mcse(draws, method="quantile", prob=probability))


def diagnose(convergences: dict[str, Convergence], statistics: xr.Dataset) -> dict[str, object]:
    """Verdict on one run.

    ============  ===========  ============  ========
    statistic     pass         warn          else
    ============  ===========  ============  ========
    R-hat         < 1.01       < 1.05        fail
    ESS           >= 400       >= 100        fail
    divergences   0            <= 0.1 %      fail
    E-BFMI        > 0.3                      warn
    at max depth  <= 1 %                     warn
    length rule   reached                    fail
    ============  ===========  ============  ========

    Parameters
    ----------
    convergences : dict
        By parameter.
    statistics : xarray.Dataset
        Sampler statistics by (chain, draw), attribute ``sampler``.

    Returns
    -------
    dict
        ``verdict``, ``reasons`` and the numbers they rest on; ``None`` for
        a number the sampler does not have, or that is not defined.
    """
    graded = [*_grade_convergence(convergences), *_grade_statistics(statistics)]
    bfmi = _bfmi(statistics)
    verdict = max((grade for grade, _ in graded), key=_ORDER.index, default="pass")
    return {
        "verdict": verdict,
        "reasons": [reason for _, reason in graded],
        "divergences": _total(statistics, "diverging"),
        "r_hat_max": defined(float(np.max(_column(convergences, "r_hat")))),
        "ess_bulk_min": defined(float(np.min(_column(convergences, "ess_bulk")))),
        "ess_tail_min": defined(float(np.min(_column(convergences, "ess_tail")))),
        "bfmi_min": None if bfmi is None else defined(bfmi),
        "max_depth_reached": _total(statistics, "reached_max_depth"),
        "sampler": statistics.attrs["sampler"],
        "sampling_library": statistics.attrs["sampling_library"],
        "step_methods": statistics.attrs["step_methods"],
    }


def _grade_convergence(rows: dict[str, Convergence]) -> list[tuple[Verdict, str]]:
    graded: list[tuple[Verdict, str]] = []
    for name, row in rows.items():
        # Written so that a NaN fails.
        if not row.r_hat < R_HAT_PASS:
            grade: Verdict = "warn" if row.r_hat < R_HAT_WARN else "fail"
            graded.append((grade, f"R-hat of {name} is {row.r_hat:.3f}"))
        for kind, ess in (("bulk", row.ess_bulk), ("tail", row.ess_tail)):
            if not ess >= ESS_PASS:
                grade = "warn" if ess >= ESS_WARN else "fail"
                graded.append((grade, f"{kind} ESS of {name} is {ess:.0f}"))
    return graded


def _grade_statistics(statistics: xr.Dataset) -> list[tuple[Verdict, str]]:
    graded: list[tuple[Verdict, str]] = []
    size = statistics["lp"].size
    divergences = _total(statistics, "diverging")
    if divergences:
        grade: Verdict = "warn" if divergences <= DIVERGENT_FRACTION_WARN * size else "fail"
        graded.append((grade, f"{divergences} of {size} transitions diverged"))
    bfmi = _bfmi(statistics)
    if bfmi is not None and not bfmi > BFMI_PASS:
        graded.append(("warn", f"E-BFMI is {bfmi:.2f}"))
    deep = _total(statistics, "reached_max_depth")
    if deep is not None and deep > MAX_DEPTH_FRACTION_PASS * size:
        graded.append(("warn", f"{deep} of {size} trajectories met the depth limit"))
    if not statistics.attrs.get("length_rule_reached", 1):
        graded.append(("fail", f"not reached: {statistics.attrs['length_rule']}"))
    return graded


def _total(statistics: xr.Dataset, name: str) -> int | None:
    return int(statistics[name].sum()) if name in statistics else None


def _bfmi(statistics: xr.Dataset) -> float | None:
    if "energy" not in statistics:
        return None
    return float(np.min(az.bfmi(statistics["energy"].transpose("chain", "draw").values)))


def _column(rows: dict[str, Convergence], name: str) -> FloatArray:
    return np.array([getattr(row, name) for row in rows.values()])
