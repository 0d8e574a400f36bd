"""``renp compare``: what the evidences of the four hypotheses say, as JSON or tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.engine.options import DEFAULTS, NO_FILES, Measured, Options

if TYPE_CHECKING:
    from renp_infer.engine.run import Run


def compare(study: Path, /, *, measured: Measured = NO_FILES, options: Options = DEFAULTS) -> int:
    """Weigh the four hypotheses, ordering and nature, by their evidence; resumes."""
    from renp_infer.engine.driver import DONE, asked, data_section, judge, load
    from renp_infer.terminal import show, write_document
    from renp_infer.verbs.about import opening
    from renp_infer.verbs.compare.blinded import BlindedComparison
    from renp_infer.verbs.compare.result import CompareResult
    from renp_infer.verbs.compare.tables import (
        averaged_line,
        blinded_parts,
        derived_table,
        factor_table,
        hypothesis_table,
    )
    from renp_infer.verbs.compare.verb import COMPARE
    from renp_infer.verbs.evaluate.shortfall import shortfall
    from renp_infer.verbs.infer.words import known_sentences, mass_prior_of

    asks = load(study, options, data=data_section(measured), add=["compare"])
    run = asked(asks, COMPARE, options)
    if run is None:
        return DONE
    if options.json:
        write_document(document_of(run))
    elif run.find(BlindedComparison) is not None:
        first = opening(run.name, run.study, COMPARE.answer(run))
        show(first, *blinded_parts(run), f"results: {run.directory}")
    else:
        found = run.get(CompareResult).comparison
        mass = averaged_line(found.m1_meV, mass_prior_of(run.study))
        parts = [hypothesis_table(run.name, found), factor_table(found), mass]
        parts += [derived_table(found)] if found.derived else []
        parts += known_sentences(run.get(CompareResult).constraints, run.get(CompareResult).priors)
        parts += [f"warning: {text}" for text in found.warnings]
        first = opening(run.name, run.study, COMPARE.answer(run))
        show(first, *filter(None, [shortfall(run)]), *parts, f"results: {run.directory}")
    return judge([run])


def document_of(run: Run) -> dict[str, Any]:
    """The document of ``renp compare --json``."""
    from renp_infer.study.study import Preset
    from renp_infer.verbs.compare.blinded import BlindedComparison
    from renp_infer.verbs.compare.result import CompareResult
    from renp_infer.verbs.evaluate.result import EvaluateResult

    blinded = run.find(BlindedComparison)
    if blinded is not None:
        return {"schema": 1, "name": run.name, "verdict": run.verdict} | blinded.document
    evaluation = run.get(EvaluateResult).document
    head = {"schema": 1, "name": run.name} | Preset.of(run.study).document
    head["verdict"] = run.verdict
    told = {name: getattr(run.get(CompareResult), name) for name in ("constraints", "priors")}
    head |= {name: texts for name, texts in told.items() if texts}
    head["data"] = evaluation.get("data", "mock")
    head["normalised"] = evaluation["normalised"]
    head["peak_snr"] = evaluation["peak_snr"]
    return head | run.get(CompareResult).document
