"""Does the model describe the data: predictive checks, leave-one-out, sensitivity.

Everything is about the likelihood's pulls r: independent and standard normal if model and
noise are right.

Posterior predictive p-values are of discrepancies T(r), whose tail is known exactly for
standard normal r; they are averaged over the posterior's draws (Gelman, Meng and Stern,
Statistica Sinica 6 (1996) 733). They are conservative: the chance of p <= a is at most 2a
if the model is right (Meng, Ann. Stat. 22 (1994) 1142).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

from renp_infer.inference.knowledge.external import NAME, External
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.parameters import MASS, of_group, parted
from renp_infer.inference.priors.prior import Prior
from renp_infer.inference.results.diagnostics import leave_one_out, power_scaling, worst
from renp_infer.inference.results.judged import Grade, Impact, LeaveOneOut, ModelChecks, Sensitivity
from renp_infer.records import FloatArray

TIES = "correlations"
"""As diagnostics call what ties correlated priors, beside their marginals."""
P_WARN, P_FAIL = 1e-2, 1e-3
"""p-values below which a check warns and fails. Four posterior checks: at most 0.8 % of
right models fail, in practice far fewer."""
SMOOTH_TERMS = 6
"""Orthonormal polynomials of the angle that make up a smooth misfit."""
SENSITIVE = 0.05
"""Power-scaling sensitivity above which something matters (Kallioinen et al., Stat.
Comput. 34 (2024) 57)."""


def log_prior_group(
    prior: Prior, external: External, vectors: FloatArray, like: xr.Dataset
) -> xr.Dataset:
    """Log prior density of each parameter, and of constraints, at draws (chains, kept, d)."""
    columns = {
        name: np.vectorize(marginal.log_density, otypes=[float])(vectors[..., k])
        for k, (name, marginal) in enumerate(prior.marginals.items())
    }
    if prior.blocks:
        columns[TIES] = prior.log_tie(vectors)
    if external:
        columns[NAME] = external.log_density(prior, vectors)
    coords = {name: like[name] for name in ("chain", "draw")}
    return xr.Dataset({n: (("chain", "draw"), c) for n, c in columns.items()}, coords)


def posterior_p_values(pulls: FloatArray, angles: FloatArray) -> dict[str, float]:
    """Posterior predictive p-values.

    Parameters
    ----------
    pulls : ndarray, shape (draws, n)
    angles : ndarray, shape (n,)

    Returns
    -------
    dict
        ``chi_squared``, two-sided: too large or, with overstated errors, too small;
        ``largest_pull``; ``trend`` with the angle, two-sided; ``smooth``: the part of
        the pulls in the first six polynomials of the angle.
    """
    size = angles.size
    chi2 = np.sum(pulls**2, axis=1)
    upper = np.mean(stats.chi2.sf(chi2, size))
    lower = np.mean(stats.chi2.cdf(chi2, size))
    outside = 2.0 * stats.norm.sf(np.max(np.abs(pulls), axis=1))
    with np.errstate(divide="ignore"):  # a pull of nothing at all: p = 1
        largest = -np.expm1(size * np.log1p(-outside))
    shares = pulls @ polynomials(angles)
    found = {
        "chi_squared": min(1.0, 2.0 * min(upper, lower)),
        "largest_pull": np.mean(largest),
        "smooth": np.mean(stats.chi2.sf(np.sum(shares**2, axis=1), shares.shape[1])),
    }
    if size > 1:
        found["trend"] = np.mean(2.0 * stats.norm.sf(np.abs(shares[:, 1])))
    return {name: float(p) for name, p in found.items()}


def polynomials(angles: FloatArray) -> FloatArray:
    """Orthonormal polynomials over the angles, shape (n, at most 6), constant first."""
    x = angles - np.mean(angles)
    x = x / (np.max(np.abs(x)) or 1.0)
    terms = min(SMOOTH_TERMS, angles.size)
    return np.asarray(np.linalg.qr(np.polynomial.legendre.legvander(x, terms - 1))[0])


def prior_p_values(likelihood: Likelihood, replicates: FloatArray) -> dict[str, float]:
    """Two-sided prior predictive p-values of the field in units of its error.

    Parameters
    ----------
    likelihood : Likelihood
    replicates : ndarray, shape (draws, n)
        Fields with noise, drawn from the prior.

    Returns
    -------
    dict
        Of the ``mean``, the ``spread`` (sd) and the ``peak`` (largest modulus) over
        the angles; no smaller than 2 / (draws + 1).
    """
    data = likelihood.data.vector / likelihood.data.sigma
    fields = replicates / likelihood.data.sigma
    found = {}
    for name, statistic in _STATISTICS.items():
        drawn, seen = statistic(fields), statistic(data)
        ends = (np.sum(drawn >= seen), np.sum(drawn <= seen))
        found[name] = float(min(1.0, 2.0 * (1 + min(ends)) / (1 + len(drawn))))
    return found


_STATISTICS: Mapping[str, Any] = {
    "mean": lambda fields: np.mean(fields, axis=-1),
    "spread": lambda fields: np.std(fields, axis=-1),
    "peak": lambda fields: np.max(np.abs(fields), axis=-1),
}


def prior_sensitivity(tree: xr.DataTree) -> Sensitivity:
    """Power-scaling sensitivity of m1, in words and numbers."""
    names = [str(name) for name in tree["log_prior"].data_vars]
    prior = power_scaling(tree, MASS, "prior", names)
    likelihood = power_scaling(tree, MASS, "likelihood")
    by_prior = {name: power_scaling(tree, MASS, "prior", [name]) for name in names}
    verdict = _sensitivity_verdict(prior, likelihood, by_prior)
    return Sensitivity(prior, likelihood, by_prior, verdict)


def _sensitivity_verdict(prior: float, likelihood: float, by_prior: Mapping[str, float]) -> str:
    if not np.isfinite(prior + likelihood):
        return "not known: too few draws"
    strongest = f"the prior of {max(by_prior, key=by_prior.__getitem__)}"
    words = {
        (False, True): "the data decide",
        (True, True): f"data and {strongest} both matter",
        (True, False): f"{strongest} decides",
        (False, False): "a change of data or priors hardly matters",
    }
    return words[prior >= SENSITIVE, likelihood >= SENSITIVE]


def model_checks(
    tree: xr.DataTree, likelihood: Likelihood, means: FloatArray, impact: Impact
) -> tuple[ModelChecks, xr.Dataset]:
    """All checks of one fit.

    Parameters
    ----------
    tree : DataTree
        With posterior, ``log_prior``, ``log_likelihood`` and ``prior_predictive``.
    likelihood : Likelihood
    means : ndarray, shape (chains, kept, n)
        Expected data of the posterior's kept draws.
    impact : Impact
        Of the nuisances.

    Returns
    -------
    checks : ModelChecks
        With p-values of each of several data sets, too, named as ``chi_squared[first]``.
    by_angle : Dataset
        ``pull``, ``pareto_k`` and ``elpd_loo``.
    """
    size = means.shape[-1]
    predicted = tree["prior_predictive"].to_dataset()[str(likelihood.data.label)]
    replicates = predicted.values.reshape(-1, size)
    pulls = likelihood.pulls(means.reshape(-1, size))
    loo, pareto_k, elpd = leave_one_out(tree)
    posterior_p = posterior_p_values(pulls, likelihood.data.theta_s)
    for name in dict.fromkeys(likelihood.data.sets):
        own = np.array(likelihood.data.sets) == name
        found = posterior_p_values(pulls[:, own], likelihood.data.theta_s[own])
        posterior_p |= {of_group(what, name): p for what, p in found.items()}
    prior_p = prior_p_values(likelihood, replicates)
    graded = _graded(posterior_p, prior_p, loo)
    checks = ModelChecks(
        worst(graded),
        tuple(text for _, text in graded),
        posterior_p,
        prior_p,
        loo,
        prior_sensitivity(tree),
        impact,
    )
    seen = tree["observed_data"].to_dataset()[str(likelihood.data.label)]
    columns = {"pull": pulls.mean(axis=0), "pareto_k": pareto_k, "elpd_loo": elpd}
    by_angle = xr.Dataset({name: (seen.dims, c) for name, c in columns.items()}, seen.coords)
    return checks, by_angle


def _graded(
    posterior_p: Mapping[str, float], prior_p: Mapping[str, float], loo: LeaveOneOut
) -> list[tuple[Grade, str]]:
    graded: list[tuple[Grade, str]] = []
    for name, p in posterior_p.items():
        if not p >= P_WARN:  # a NaN fails
            grade: Grade = "warn" if p >= P_FAIL else "fail"
            graded.append((grade, f"the model misses the data: {_words(name)}, p = {p:.2g}"))
    for name, p in prior_p.items():
        if not p >= P_WARN:
            text = f"the prior hardly allows the data: {name} of the field, p = {p:.2g}"
            graded.append(("warn", text))
    if loo.bad_k:
        angles = "angles decide" if loo.bad_k > 1 else "angle decides"
        text = f"{loo.bad_k} {angles} much: Pareto k surely above {loo.good_k:.2f}"
        graded.append(("warn", text))
    return graded


def _words(name: str) -> str:
    what, group = parted(name)
    return what.replace("_", " ") + (f" in the data set {group!r}" if group else "")
