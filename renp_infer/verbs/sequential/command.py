"""``renp optimize --sequential``: simulate campaigns, or say what to measure next."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from renp_infer.engine.campaign import WHOLE, parse_shard
from renp_infer.engine.driver import (
    DIAGNOSTIC_FAILED,
    DONE,
    Options,
    Plan,
    bring_up_to_date,
    home_of,
)
from renp_infer.engine.executors import parse_executor
from renp_infer.errors import ConfigError
from renp_infer.study.load import load_study
from renp_infer.terminal import say, show, write_document
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.sequential.verb import SEQUENTIAL

SECTION = "optimize.sequential"


def refuse_data(data: Path | None, covariance: Path | None) -> None:
    """Refuse files that only the sequence of measurements reads."""
    for option, path in (("--data", data), ("--covariance", covariance)):
        if path is not None:
            raise ConfigError(option, str(path), "only with --sequential")


def sequential(
    path: Path, options: Options, data: Path | None = None, covariance: Path | None = None
) -> int:
    """Simulate campaigns and compare them with fixed layouts; with data, choose once."""
    parse_executor(options.executor)
    shard = parse_shard(options.shard)
    if data is None and covariance is not None:
        raise ConfigError("--covariance", str(covariance), "only with --data FILE")
    study = load_study(path, options.overrides, add=[SECTION])
    if data is not None:
        return _next(path, options, data, covariance)
    directory = home_of(study, options)
    bring_up_to_date([Plan(study, directory, [EVALUATE, SEQUENTIAL])], options)
    if shard != WHOLE:
        return DONE
    from renp_infer.verbs.sequential.summary import campaign_document, campaign_tables, load

    tree = load(directory / SEQUENTIAL.file)
    found = campaign_document(tree)
    if options.json:
        write_document(found | {"file": str(directory / SEQUENTIAL.file)})
    else:
        show(*campaign_tables(found), f"results: {directory}")
    return DONE


def _next(path: Path, options: Options, data: Path, covariance: Path | None) -> int:
    """What to measure next, given all data so far; nothing is written."""
    from renp_infer.verbs.sequential.advice import advice, advice_lines, read_so_far

    study = load_study(path, options.overrides, add=[SECTION])
    so_far = read_so_far(study, data, covariance)
    with contextlib.redirect_stdout(sys.stderr):
        found = advice(study, so_far)
    if options.json:
        write_document(found)
    else:
        show(*advice_lines(found))
    if found["diagnostics"]["verdict"] == "fail":
        say(f"{found['name']}: {'; '.join(found['diagnostics']['reasons'])}")
        return DIAGNOSTIC_FAILED
    return DONE
