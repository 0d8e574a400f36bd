"""``renp infer``: the posterior and its summary."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.engine.options import DEFAULTS, NO_FILES, Measured, Options

if TYPE_CHECKING:
    from renp_infer.engine.run import Run


TOLD = ("constraints", "priors", "tension", "assumptions")
"""What a summary has where there is any."""


def infer(study: Path, /, *, measured: Measured = NO_FILES, options: Options = DEFAULTS) -> int:
    """Sample the posterior of the study's data, mock or measured; resumes."""
    from renp_infer.engine.driver import DONE, asked, data_section, judge, load
    from renp_infer.terminal import show, write_document
    from renp_infer.verbs.about import opening
    from renp_infer.verbs.evaluate.shortfall import shortfall
    from renp_infer.verbs.infer.blinded import BlindedFit
    from renp_infer.verbs.infer.blinded_page import blinded_table
    from renp_infer.verbs.infer.summary import summary_table
    from renp_infer.verbs.infer.verb import INFER

    found = load(study, options, inference=True, data=data_section(measured))
    run = asked(found, INFER, options)
    if run is None:
        return DONE
    if options.json:
        write_document(document_of(run))
    else:
        first = opening(run.name, run.study, INFER.answer(run))
        table = summary_table([run]) if run.find(BlindedFit) is None else blinded_table(run)
        show(first, *filter(None, [shortfall(run)]), table, f"results: {run.directory}")
    return judge([run])


def document_of(run: Run) -> dict[str, Any]:
    """The document of ``renp infer --json``."""
    from renp_infer.study.study import Preset
    from renp_infer.verbs.evaluate.result import EvaluateResult
    from renp_infer.verbs.infer.alone_result import SetsResult
    from renp_infer.verbs.infer.blinded import BlindedFit, document_of_blinded
    from renp_infer.verbs.infer.result import InferResult, checks_in, summary_in

    if run.find(BlindedFit) is not None:
        return document_of_blinded(run)
    tree, evaluation = run.get(InferResult).tree, run.get(EvaluateResult)
    summary = summary_in(tree)
    row = dict(summary["hypothesis"])
    row |= {part: summary[part] for part in ("parameters", "diagnostics")}
    row["checks"] = checks_in(tree)
    row |= {name: summary[name] for name in TOLD if name in summary}
    alone = run.find(SetsResult)
    if alone is not None:
        row["sets"] = alone.told()
    return {
        "schema": 1,
        "name": run.name,
        **Preset.of(run.study).document,
        "verdict": run.verdict,
        "data": evaluation.data or "mock",
        "normalised": evaluation.normalised,
        "peak_snr": evaluation.peak_snr,
        "hypotheses": [row],
    }
