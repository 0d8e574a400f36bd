"""``renp reweight``: a finished posterior with the constraints of a file, without a new fit."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from renp_infer.engine.driver import DONE, study_in
from renp_infer.engine.options import Options
from renp_infer.errors import ConfigError
from renp_infer.fields import Said
from renp_infer.inference.parameters import MASS, PARAMETERS, SEEN_PHASE
from renp_infer.inference.priors.marginals import FULL_TURN_DEG
from renp_infer.inference.priors.phases import ALPHA31, DELTA
from renp_infer.study.knowledge import constraint_file, read_constraints, refuse_twice
from renp_infer.terminal import WIDTH, plain, show, write_document
from renp_infer.verbs.about import opening
from renp_infer.verbs.infer.blinded import refuse_blinded
from renp_infer.verbs.infer.cells import NOT_MEASURED
from renp_infer.verbs.infer.result import InferResult, summary_in
from renp_infer.verbs.infer.words import mass_prior_of, mass_words, premise
from renp_infer.verbs.table import load_run

if TYPE_CHECKING:
    from renp_infer.inference.knowledge.constraints import PublishedTerm
    from renp_infer.inference.results.reweight import Reweighted
    from renp_infer.records import FloatArray
    from renp_infer.study.study import Study


def reweight_run(directory: Path, file: str, options: Options) -> int:
    """Weigh the draws of a run by the constraints of a file; writes nothing.

    Raises
    ------
    ConfigError
        If the run has no posterior, or one of the constraints already.
    WeightsError
        If the weights cannot be trusted.
    """
    study, run = study_in(directory), load_run(directory)
    refuse_blinded(run)
    if run.find(InferResult) is None:
        raise ConfigError(
            str(directory), Said("no posterior"), "a run that renp infer has finished"
        )
    tree = run.get(InferResult).tree
    terms = _terms(study, file)
    found = _reweighted(study, tree, terms)
    names = [*summary_in(tree).get("constraints", ()), *(term.name for term in terms)]
    if options.json:
        write_document(_document(run.name, names, found))
    else:
        answer = f"{mass_words(found.estimates[MASS], mass_prior_of(run.study))}; {premise(run)}."
        show(opening(run.name, run.study, answer))
        show(_table(found), f"constraints: {'; '.join(names)}")
    return DONE


def _terms(study: Study, file: str) -> tuple[PublishedTerm, ...]:
    """Constraints of a file that hold under the study's ordering."""
    stated = read_constraints(constraint_file(file, "--with"))
    refuse_twice(stated, study.knowledge, "--with")
    ordering = study.parameters.ordering
    terms = tuple(row.term for row in stated if row.ordering in ("both", ordering))
    known = {term.name for term in study.known_under(ordering)}
    for term in terms:
        if term.name in known:
            raise ConfigError("--with", term.name, "constraints that the run does not have yet")
        for name in term.quantities:
            if study.sharing is not None and study.sharing.parts(name):
                allowed = f"quantities that all data sets share, which {name} is not here"
                raise ConfigError("--with", term.name, allowed)
    return terms


def _reweighted(study: Study, tree: Any, terms: tuple[PublishedTerm, ...]) -> Reweighted:
    from renp_infer.inference.fit import DERIVED
    from renp_infer.inference.knowledge.external import External
    from renp_infer.inference.knowledge.quantities import Quantities
    from renp_infer.inference.priors.prior import truth_values
    from renp_infer.inference.results.reweight import reweight

    truth = study.parameters
    table = study.oscillation.values[truth.ordering]
    quantities = Quantities(truth.ordering, truth.nature, table.get("sin2_23"))
    draws = _draws(tree, "posterior")
    values = {**truth_values(truth, study.experiment.target.refractive_index), **draws}
    size = next(iter(draws.values())).size
    log_weights = np.zeros(size) + External(terms, quantities).at(values)
    rows = summary_in(tree)["parameters"]
    known = [rows[name]["ess_bulk"] for name in draws if rows[name]["ess_bulk"] is not None]
    independent = min([size, *known])
    derived, prior = _draws(tree, DERIVED), _draws(tree, "prior")
    before = {**prior, **quantities.of({**values, **prior})}
    if SEEN_PHASE in derived:
        before[SEEN_PHASE] = np.mod(prior[ALPHA31] - 2.0 * prior[DELTA], FULL_TURN_DEG)
    limited = [name for name, row in rows.items() if row.get("upper_90") is not None]
    return reweight({**draws, **derived}, before, log_weights, float(independent), limited)


def _draws(tree: Any, group: str) -> dict[str, FloatArray]:
    """Draws (n,) by name."""
    found = tree[group].to_dataset()
    return {str(name): np.asarray(found[name].values, float).ravel() for name in found.data_vars}


def _document(name: str, constraints: list[str], found: Reweighted) -> dict[str, Any]:
    lost = ("r_hat", "ess_tail", "truth", "reaches")
    rows = {
        n: {k: v for k, v in asdict(row).items() if k not in lost} | {"mean_error": found.errors[n]}
        for n, row in found.estimates.items()
    }
    whole: dict[str, Any] = plain(
        {
            "schema": 1,
            "name": name,
            "constraints": constraints,
            "pareto_k": found.pareto_k if np.isfinite(found.pareto_k) else None,
            "pareto_k_limit": found.pareto_k_limit,
            "ess": found.ess,
            "parameters": rows,
        }
    )
    return whole


def _table(found: Reweighted) -> Table:
    from renp_infer.figures.drawing import rounded

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), width=WIDTH)
    for head in ("parameter", "mean ± sd", "95 % interval"):
        table.add_column(head, justify="left" if head == "parameter" else "right")
    for name, row in found.estimates.items():
        if row.measured is False:
            table.add_row(PARAMETERS.text(name), NOT_MEASURED, "–")
            continue
        low, high = row.interval_95
        table.add_row(
            PARAMETERS.text(name),
            f"{rounded(row.mean, row.sd)} ± {rounded(row.sd, row.sd)}",
            f"{rounded(low, row.sd)} to {rounded(high, row.sd)}",
        )
    table.caption = (
        f"Pareto k of the weights {found.pareto_k:.2f}, trusted up to "
        f"{found.pareto_k_limit:.2f}; they are worth {found.ess:.0f} independent draws, by which "
        f"m₁ errs by {found.errors[MASS]:.2g} meV"
    )
    return table
