"""Did the sampler do its work: one verdict, with reasons.

Every call to ArviZ' statistics lives here.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import arviz_stats as az
import numpy as np
import xarray as xr
from scipy.special import logsumexp

from renp_infer.inference.results.judged import Diagnosis, Grade, LeaveOneOut
from renp_infer.records import FloatArray

_ORDER: tuple[Grade, ...] = ("pass", "warn", "fail")

R_HAT_PASS, R_HAT_WARN = 1.01, 1.05
ESS_PASS, ESS_WARN = 400.0, 100.0
DIVERGENT_FRACTION_PASS, DIVERGENT_FRACTION_WARN = 1e-3, 1e-2
"""Shares of divergent transitions. Posteriors of the second are those of a sampler without any."""
BFMI_PASS = 0.3
MAX_DEPTH_FRACTION_PASS = 0.01
_TAILS = (0.05, 0.95)
_SAME = 1e-9
"""Log densities that differ by less weigh all draws alike."""


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


def diagnose(convergences: dict[str, Convergence], statistics: xr.Dataset) -> Diagnosis:
    """Verdict on one run.

    ============  ===========  ============  ========
    statistic     pass         warn          else
    ============  ===========  ============  ========
    R-hat         < 1.01       < 1.05        fail
    ESS           >= 400       >= 100        fail
    divergences   <= 0.1 %     <= 1 %        fail
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

    """
    graded = [*_grade_convergence(convergences), *_grade_statistics(statistics)]
    bfmi = _bfmi(statistics)
    return Diagnosis(
        verdict=worst(graded),
        reasons=tuple(reason for _, reason in graded),
        divergences=_total(statistics, "diverging"),
        r_hat_max=defined(float(np.max(_column(convergences, "r_hat")))),
        ess_bulk_min=defined(float(np.min(_column(convergences, "ess_bulk")))),
        ess_tail_min=defined(float(np.min(_column(convergences, "ess_tail")))),
        bfmi_min=None if bfmi is None else defined(bfmi),
        max_depth_reached=_total(statistics, "reached_max_depth"),
        sampler=statistics.attrs["sampler"],
        sampling_library=statistics.attrs["sampling_library"],
        step_methods=statistics.attrs["step_methods"],
    )


def worst(graded: Sequence[tuple[Grade, str]]) -> Grade:
    """The worst of some grades, each with its reason; pass without any."""
    return max((grade for grade, _ in graded), key=_ORDER.index, default="pass")


def leave_one_out(tree: xr.DataTree) -> tuple[LeaveOneOut, FloatArray, FloatArray]:
    """Pareto-smoothed leave-one-out prediction of each component of the data.

    Vehtari, Gelman and Gabry, Stat. Comput. 27 (2017) 1413. With a drift a
    component is the field at an angle minus what the angles before it predict.

    Returns
    -------
    found : LeaveOneOut
    pareto_k, elpd : ndarray, shape (n,)
    """
    (terms,) = tree["log_likelihood"].to_dataset().data_vars.values()
    draws = terms.values.reshape(-1, terms.shape[-1])
    informed = np.ptp(draws, axis=0) > _SAME
    # Leaving out what does not tell draws apart changes no weight.
    k, elpd = np.zeros(informed.size), draws.mean(axis=0)
    if np.any(informed):
        k[informed], elpd[informed] = _smoothed(tree, terms[..., informed])
    good = min(1.0 - 1.0 / np.log10(len(draws)), 0.7)
    joint = logsumexp(draws, axis=0) - np.log(len(draws))
    found = LeaveOneOut(
        elpd=float(elpd.sum()),
        se=float(np.sqrt(elpd.size * np.var(elpd))),
        p_loo=float(np.sum(joint - elpd)),
        good_k=float(good),
        bad_k=int(np.sum(~(k - _k_error(k, len(draws)) <= good))),
        largest_k=float(np.max(k)),
    )
    return found, k, elpd


def _k_error(k: FloatArray, draws: int) -> FloatArray:
    """Standard error of Pareto shapes (n,), each of the tail of some draws.

    That of the most likely one for a long tail (Smith, Biometrika 72, 67 (1985)), a tenth more
    than that of ArviZ's, which leans on a prior of k.
    """
    tail = np.ceil(min(draws / 5.0, 3.0 * np.sqrt(draws)))
    return np.asarray((1.0 + k) / np.sqrt(tail))


def _smoothed(tree: xr.DataTree, terms: xr.DataArray) -> tuple[FloatArray, FloatArray]:
    """Pareto k and log predictive density of each component; NaN from too few draws."""
    posterior = tree["posterior"].to_dataset()
    joint = {"posterior": posterior, "log_likelihood": terms.to_dataset(name="terms")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large k, which is told instead
        try:
            loo = az.loo(xr.DataTree.from_dict(joint), pointwise=True)
        except ValueError:  # all draws in a tail are one
            unknown = np.full(terms.shape[-1], np.nan)
            return unknown, unknown
    return np.asarray(loo.pareto_k, dtype=float), np.asarray(loo.elpd_i, dtype=float)


def power_scaling(
    tree: xr.DataTree,
    name: str,
    part: Literal["prior", "likelihood"],
    priors: Sequence[str] | None = None,
) -> float:
    """Sensitivity of one parameter's posterior to a power of prior or likelihood.

    Kallioinen, Paananen, Buerkner and Vehtari, Stat. Comput. 34 (2024) 57.

    Parameters
    ----------
    tree : DataTree
        ``log_prior`` and ``log_likelihood`` at some of the posterior's draws.
    name : str
    part : {"prior", "likelihood"}
    priors : sequence of str, optional
        Parameters whose priors are scaled together.

    Returns
    -------
    float
        0 for a density that is the same everywhere; NaN from too few different draws.
    """
    group = tree[f"log_{part}"].to_dataset()
    chosen = group if priors is None else group[list(priors)]
    total = sum(
        chosen[density].sum(set(chosen[density].dims) - {"chain", "draw"})
        for density in chosen.data_vars
    )
    if np.ptp(np.asarray(total)) < _SAME:
        return 0.0
    posterior = tree["posterior"].to_dataset()[[name]].sel(draw=group["draw"])
    joint = xr.DataTree.from_dict({"posterior": posterior, f"log_{part}": group})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large k, harmless for powers of 0.99 and 1.01
        try:
            found = az.psense(joint, var_names=[name], group=part, group_var_names=priors)
        except ValueError:  # all draws in the tail are one
            return float("nan")
    return float(found[name])


def _grade_convergence(rows: dict[str, Convergence]) -> list[tuple[Grade, str]]:
    graded: list[tuple[Grade, str]] = []
    for name, row in rows.items():
        # Written so that a NaN fails.
        if not row.r_hat < R_HAT_PASS:
            grade: Grade = "warn" if row.r_hat < R_HAT_WARN else "fail"
            graded.append((grade, f"R-hat of {name} is {row.r_hat:.3f}"))
        for kind, ess in (("bulk", row.ess_bulk), ("tail", row.ess_tail)):
            if not ess >= ESS_PASS:
                grade = "warn" if ess >= ESS_WARN else "fail"
                graded.append((grade, f"{kind} ESS of {name} is {ess:.0f}"))
    return graded


def _grade_statistics(statistics: xr.Dataset) -> list[tuple[Grade, str]]:
    graded: list[tuple[Grade, str]] = []
    size = statistics["lp"].size
    divergences = _total(statistics, "diverging")
    if divergences is not None and divergences > DIVERGENT_FRACTION_PASS * size:
        grade: Grade = "warn" if divergences <= DIVERGENT_FRACTION_WARN * size else "fail"
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
