"""``renp optimize --sequential``: simulate campaigns, or say what to measure next."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from renp_infer.engine.driver import DIAGNOSTIC_FAILED, DONE, asked, load
from renp_infer.engine.options import Options
from renp_infer.errors import ConfigError
from renp_infer.study.blinding import revealing
from renp_infer.study.study import Preset
from renp_infer.terminal import say, show, write_document
from renp_infer.verbs.about import opening
from renp_infer.verbs.sequential.result import SequentialResult
from renp_infer.verbs.sequential.verb import SEQUENTIAL


def refuse_data(data: Path | None, covariance: Path | None) -> None:
    """Refuse files that only the sequence of measurements reads."""
    for option, path in (("--data", data), ("--covariance", covariance)):
        if path is not None:
            raise ConfigError(option, str(path), "only with --sequential")


def campaigns(path: Path, options: Options, covariance: Path | None) -> int:
    """Simulate campaigns and compare them with fixed layouts."""
    from renp_infer.verbs.evaluate.shortfall import shortfall
    from renp_infer.verbs.infer.words import mass_prior_of
    from renp_infer.verbs.sequential.summary import summary
    from renp_infer.verbs.sequential.tables import campaign_tables

    if covariance is not None:
        raise ConfigError("--covariance", str(covariance), "only with --data FILE")
    study = load(path, options, add=SEQUENTIAL.sections)
    run = asked(study, SEQUENTIAL, options)
    if run is None:
        return DONE
    found = summary(run.get(SequentialResult))
    if options.json:
        more = Preset.of(run.study).document | {"file": str(run.directory / SEQUENTIAL.file)}
        write_document(found.to_document() | more)
    else:
        first = [opening(run.name, run.study, SEQUENTIAL.answer(run))]
        first += filter(None, [shortfall(run)])
        tables = campaign_tables(found, mass_prior_of(run.study))
        show(*first, *tables, f"results: {run.directory}")
    return DONE


def next_measurement(path: Path, options: Options, data: Path, covariance: Path | None) -> int:
    """Say what to measure next, given all data so far; nothing is written."""
    from renp_infer.verbs.infer.words import mass_prior_of
    from renp_infer.verbs.sequential.advice import advice, read_so_far
    from renp_infer.verbs.sequential.tables import advice_lines

    study = load(path, options, add=SEQUENTIAL.sections)
    if study.blinding is not None:
        raise revealing("renp optimize --sequential --data")
    so_far = read_so_far(study, data, covariance)
    with contextlib.redirect_stdout(sys.stderr):
        found = advice(study, so_far)
    if options.json:
        write_document(found.to_document() | Preset.of(study.resolved).document)
    else:
        step = found.next_setting
        what = f"stop: {found.stop}." if step is None else f"next, {step.theta_s_deg:.6g} deg."
        first = opening(found.name, study.resolved, what)
        show(first, *advice_lines(found, mass_prior_of(study.resolved)))
    judged = found.fit.verdict
    if judged.verdict == "fail":
        say(f"{found.name}: {'; '.join(judged.reasons)}")
        return DIAGNOSTIC_FAILED
    return DONE
