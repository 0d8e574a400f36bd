"""``renp infer``: the posterior and its summary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from renp_infer.engine.campaign import WHOLE, parse_shard
from renp_infer.engine.driver import (
    DONE,
    Options,
    Plan,
    bring_up_to_date,
    data_section,
    home_of,
    judge,
    load,
)
from renp_infer.engine.run import Run
from renp_infer.terminal import show, write_document
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.infer.verb import INFER
from renp_infer.verbs.load import load_run
from renp_infer.verbs.summary import shortfall, summary_table


def infer(
    path: Path, options: Options, *, data: Path | None = None, covariance: Path | None = None
) -> int:
    """Sample the posterior and print its summary."""
    study = load(path, options, inference=True, data=data_section(data, covariance))
    directory = home_of(study, options)
    bring_up_to_date([Plan(study, directory, [EVALUATE, INFER])], options)
    if parse_shard(options.shard) != WHOLE:
        return DONE
    run = load_run(directory)
    if options.json:
        write_document(_hypotheses(run))
    else:
        show(summary_table([run]), *filter(None, [shortfall(run)]), f"results: {directory}")
    return judge([run])


def _hypotheses(run: Run) -> dict[str, Any]:
    assert run.summary is not None
    row = dict(run.summary["hypothesis"])
    row |= {part: run.summary[part] for part in ("parameters", "diagnostics")}
    row["checks"] = run.checks
    return {
        "schema": 1,
        "name": run.name,
        "data": run.evaluation.get("data", "mock"),
        "normalised": run.evaluation["normalised"],
        "peak_snr": run.evaluation["peak_snr"],
        "hypotheses": [row],
    }
