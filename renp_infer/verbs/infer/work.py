"""The posterior of a study: response, gate on its accuracy, data, fit."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from renp_infer.engine.tasks import fingerprint
from renp_infer.inference.fit import fit
from renp_infer.inference.library import Library
from renp_infer.inference.profiles.profile import Profile
from renp_infer.inference.responses.accurate import AccurateResponses, ErrorBudget, Nature
from renp_infer.measurement.data import Data
from renp_infer.study.hypotheses import accurate_responses, hypothesis_of, of_sets, own_hypothesis
from renp_infer.study.observed import data_of, observation
from renp_infer.verbs.infer.assumptions import assumptions_of

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.tasks import Context
    from renp_infer.inference.hypothesis import HypothesisModel, ModelLike
    from renp_infer.inference.responses.response import Response
    from renp_infer.inference.results.comparison import Hypothesis
    from renp_infer.records import FloatArray, Parameters
    from renp_infer.study.study import Study

CONTRADICTS = 1e-6
"""Probability of a larger chi-squared below which data contradict the model: a thousandth of
what the model checks fail."""
START_MASSES = 41
"""Masses among which the fit of such data begins."""
KEPT = 16
"""Layouts, with their noise, of which a process keeps the responses."""


def infer(study: Study, context: Context) -> xarray.DataTree:
    """Sample the posterior of a study's mock data.

    Parameters
    ----------
    study : Study
        With settings of ``[inference]``.
    context : Context

    Returns
    -------
    DataTree

    Raises
    ------
    ConvergenceError
        If the response is not accurate enough, see ``checked_model``.
    """
    return _fitted(study, data_of(study), context)


def infer_alone(study: Study, place: int, context: Context) -> xarray.DataTree:
    """The same of one of several data sets, whose name is the attribute ``data_set``."""
    one = study.sets[place]
    tree = _fitted(one.study, Data.of(observation(one.study, place)), context)
    tree.attrs["data_set"] = one.name
    return tree


def _fitted(study: Study, data: Data, context: Context) -> xarray.DataTree:
    settings = study.settings
    assert settings is not None
    model, budget = checked(study, own_hypothesis(study), data)
    cores = min(settings.chains, context.cores)
    tree = fit(model, data, study.seed, progress=context.tell, cores=cores)
    _record(tree, budget, assumptions_of(study))
    return tree


def checked(
    study: Study,
    hypothesis: Hypothesis,
    data: Data,
    peak_nG: Callable[[Study], float | None] = lambda _: None,
    natures: tuple[Nature, ...] = (),
) -> tuple[ModelLike, ErrorBudget]:
    """A hypothesis of all data with responses that are good for them, and the worst's errors.

    Parameters
    ----------
    study : Study
    hypothesis : Hypothesis
    data : Data
        Of all sets.
    peak_nG : callable, optional
        Unit of the baseline's prior in a data set; see ``hypothesis_of``.
    natures : tuple of str, optional
        Those that are asked for with the hypothesis's own, which one table serves.

    Raises
    ------
    ConvergenceError
        See ``checked_model``.
    """
    sets = enumerate(study.sets)
    parts = [Data.of(observation(one.study, place)) for place, one in sets] or [data]
    budgets = []

    def make(own: Study, place: int) -> HypothesisModel:
        peak = peak_nG(own)
        model, budget = checked_model(own, hypothesis, parts[place], peak, natures)
        budgets.append(budget)
        return model

    return of_sets(study, make), max(budgets, key=lambda one: one.total)


def checked_model(
    study: Study,
    hypothesis: Hypothesis,
    data: Data,
    peak_nG: float | None = None,
    natures: tuple[Nature, ...] = (),
) -> tuple[HypothesisModel, ErrorBudget]:
    """A hypothesis of one set of data, its response good for it: ``responses/accurate.py``.

    Measured data that contradict the model at its best fit, as with errors that are far too
    small, ask for no more than 1 % of how far they scatter, and errors are told in that: the
    model checks fail them.

    Raises
    ------
    ConvergenceError
        If the most refined response is not good enough.
    """
    natures = natures or (hypothesis.nature,)
    if study.measurement is None:
        return _good(study, hypothesis, data.sigma, peak_nG, natures)
    responses = _responses(study, data.sigma, natures)

    def best(parameters: Parameters) -> Response:
        return responses.best(parameters).response.with_nature(parameters.nature)

    model = hypothesis_of(study, hypothesis, best, peak_nG=peak_nG)
    budget = responses.best(model.parameters).budget
    scatter = 1.0 if budget.good else _scatter(model, data)
    if scatter > 1.0:
        return _good(study, hypothesis, scatter * data.sigma, peak_nG, natures)
    budget.require()
    return model, budget


def _good(
    study: Study,
    hypothesis: Hypothesis,
    sigma: FloatArray,
    peak_nG: float | None,
    natures: tuple[Nature, ...],
) -> tuple[HypothesisModel, ErrorBudget]:
    """A hypothesis with a response that is good for standard errors (n,), and how far it errs."""
    responses = _responses(study, sigma, natures)
    model = hypothesis_of(study, hypothesis, responses, peak_nG=peak_nG)
    return model, responses.best(model.parameters).budget


@dataclass(frozen=True)
class _Asked:
    """Responses that are remembered by the key of all that they depend on."""

    key: str
    study: Study = field(compare=False)
    sigma: FloatArray = field(compare=False)
    natures: tuple[Nature, ...] = field(compare=False)


def _responses(study: Study, sigma: FloatArray, natures: tuple[Nature, ...]) -> AccurateResponses:
    """Responses good for a noise (n,), from before where a process has made them."""
    apparatus, known = asdict(study.experiment), asdict(study.oscillation)
    key = fingerprint(apparatus, known, asdict(study.priors), sigma, natures, study.seed)
    return made_responses(_Asked(key, study, sigma, natures))


@functools.lru_cache(maxsize=KEPT)
def made_responses(asked: _Asked) -> AccurateResponses:
    """Responses of a key, made once."""
    return accurate_responses(asked.study, asked.sigma, asked.natures)


def _scatter(model: HypothesisModel, data: Data) -> float:
    """Root mean square pull of data at their best fit if they contradict it, else 1."""
    largest = model.settings.m1_max_meV
    masses, own = np.linspace(0.0, largest, START_MASSES), model.parameters
    starts = Library(model, masses, [(own.delta, own.alpha21, own.alpha31)])
    vectors = [model.vector(point) for point in starts.nearest(data.vector)]
    chi2, size = Profile(model.likelihood(data)).best(vectors).chi2, data.sigma.size
    return float(np.sqrt(chi2 / size)) if stats.chi2.sf(chi2, size) < CONTRADICTS else 1.0


def _record(tree: xarray.DataTree, budget: ErrorBudget, assumptions: dict[str, Any]) -> None:
    """Write the response's measured errors into the diagnostics, and what is assumed beside."""
    summary: dict[str, Any] = json.loads(tree.attrs["renp_summary"])
    if assumptions:
        summary["assumptions"] = assumptions
    summary["diagnostics"] |= budget.document
    tree.attrs["renp_summary"] = json.dumps(summary)
    tree.attrs["renp_diagnostics"] = json.dumps(summary["diagnostics"])
