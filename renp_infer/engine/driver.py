"""Plans of verbs for studies, brought up to date; what the common options say."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renp_infer.engine.archive import check_inputs
from renp_infer.engine.campaign import WHOLE, parse_shard, update, work_of, write_study
from renp_infer.engine.executors import parse_executor
from renp_infer.engine.interruption import unlost_interruption
from renp_infer.engine.options import Measured, Options
from renp_infer.engine.provenance import add_provenance
from renp_infer.engine.result import Verdict
from renp_infer.engine.run import Run, load_run
from renp_infer.engine.sealing import refuse_opening, seal, secret_for
from renp_infer.engine.store import PROGRESS, Store, check_run
from renp_infer.engine.surroundings import own_surroundings
from renp_infer.engine.tasks import Context
from renp_infer.engine.verb import Verb
from renp_infer.errors import ConfigError, TaskError
from renp_infer.files import sweeping
from renp_infer.study.hints import hints
from renp_infer.study.load import load_study
from renp_infer.study.study import Study
from renp_infer.terminal import say

RESOLVED = "study.resolved.toml"

DONE, DIAGNOSTIC_FAILED, RUN_FAILED = 0, 3, 4


def load(
    path: Path,
    options: Options,
    *,
    inference: bool | None = None,
    data: Mapping[str, str] | None = None,
    scan: Mapping[str, Any] | None = None,
    add: Iterable[str] = (),
) -> Study:
    """Study of a file, after a look at the options that do not belong to it."""
    parse_executor(options.executor)
    parse_shard(options.shard)
    study = load_study(path, options.overrides, inference=inference, data=data, scan=scan, add=add)
    for question in hints(study):
        say(question)
    return study


def home_of(study: Study, options: Options) -> Path:
    """Run directory of a study."""
    return options.out if options.out is not None else Path("runs") / study.name


@dataclass(frozen=True)
class Plan:
    """Verbs to do of a study, and where."""

    study: Study
    directory: Path
    verbs: Sequence[Verb]


def bring_up_to_date(plans: Sequence[Plan], options: Options) -> None:
    """Have all plans done, each verb for all studies together.

    Raises
    ------
    TaskError
        If tasks failed; everything else has been done and saved.
    """
    errors: list[TaskError] = []
    shard = parse_shard(options.shard)
    if shard != WHOLE:
        _refuse_empty_shard(shard[0], plans, options)
    for plan in plans:
        refuse_opening(plan.study, plan.directory, plan.verbs, force=options.force)
    secrets = [secret_for(p.study, p.directory, p.verbs, whole=shard == WHOLE) for p in plans]
    with contextlib.ExitStack() as stack:
        stores = [stack.enter_context(Store(plan.directory)) for plan in plans]
        pairs = list(zip(plans, stores, strict=True))
        for plan, store in pairs:
            _prepare(plan, store, options)
        for (plan, store), secret in zip(pairs, secrets, strict=True):
            if secret is not None:
                seal(store, secret, plan.study)
        executor = stack.enter_context(parse_executor(options.executor))
        for verb in dict.fromkeys(verb for plan in plans for verb in plan.verbs):
            found = [work_of(p.study, s, verb, shard) for p, s in pairs if verb in p.verbs]
            works = [work for work in found if work is not None]
            lines = options.progress == "json"
            errors += update(works, executor, quiet=options.quiet, lines=lines)
        for store in stores:
            store.note(PROGRESS)
    for error in errors[1:]:
        say(str(error))
    if errors:
        raise errors[0]


def _refuse_empty_shard(first: int, plans: Sequence[Plan], options: Options) -> None:
    """Refuse a shard in which nothing is to be done, before anything is written."""
    most = max(verb.series(plan.study).count for plan in plans for verb in plan.verbs)
    if first >= most:
        raise ConfigError("--shard", options.shard, f"K below {most}: there are no more tasks")


def _prepare(plan: Plan, store: Store, options: Options) -> None:
    if store.distrust:
        say(f"{plan.study.name}: {store.distrust}: everything is checked or done again")
    if options.force:
        store.forget(plan.verbs)
    write_study(store, plan.study)


def data_section(measured: Measured) -> dict[str, str] | None:
    """Section ``[data]`` that the options mean."""
    data, covariance = measured.data, measured.covariance
    if data is None:
        if covariance is not None:
            raise ConfigError("--covariance", str(covariance), "only with --data FILE")
        return None
    given = {"file": data, "covariance": covariance}
    return {key: str(path.absolute()) for key, path in given.items() if path is not None}


def judge(runs: Sequence[Run]) -> int:
    """Exit code by diagnostics and model checks; everything has been saved by then."""
    found = [reason for run in runs for reason in failures(run)]
    for reason in found:
        say(reason)
    return DIAGNOSTIC_FAILED if found else DONE


def failures(run: Run) -> list[str]:
    """What failed of a run's diagnostics, checks and tests, each in a line."""
    return lapses(run.name, run.verdicts)


def lapses(name: str, verdicts: Mapping[str, Verdict]) -> list[str]:
    """What failed of a study's judgements, each in a line."""
    return [
        f"{name}: {what} {found.lapse}: {'; '.join(found.reasons)}"
        for what, found in verdicts.items()
        if found.verdict == "fail"
    ]


def result_of(study: Study, verb: Verb, options: Options) -> dict[str, Any]:
    """Result of a verb whose file is JSON, from a run directory if there is one."""
    if options.out is None:
        task = verb.series(study).task(0)
        stderr = contextlib.redirect_stdout(sys.stderr)
        with stderr, unlost_interruption(), own_surroundings(), sweeping():
            begin = time.monotonic()
            result: dict[str, Any] = verb.perform(study, task, Context())
            add_provenance(result, study, time.monotonic() - begin)
        return result
    bring_up_to_date([Plan(study, options.out, [verb])], options)
    text = (options.out / verb.file).read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def whole(options: Options) -> bool:
    """Whether all tasks are asked for; of a shard there is no result to show."""
    return parse_shard(options.shard) == WHOLE


def asked(study: Study, verb: Verb, options: Options) -> Run | None:
    """Have a verb done; the run with what it found, ``None`` after a shard."""
    plan, directory = verb.plan(study), home_of(study, options)
    bring_up_to_date([Plan(study, directory, plan)], options)
    return load_run(directory, plan) if whole(options) else None


def study_in(directory: Path) -> Study:
    """Study of a run directory, as it was resolved.

    Raises
    ------
    ConfigError
        If it is no run directory, or its study is not valid here.
    """
    check_run(directory)
    check_inputs(directory)
    return load_study(directory / RESOLVED)
