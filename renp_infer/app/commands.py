"""What each verb does; every function returns the exit code."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from renp_infer.engine.campaign import WHOLE, parse_shard
from renp_infer.engine.driver import DONE, Plan, bring_up_to_date, home_of, judge, load
from renp_infer.engine.options import Options
from renp_infer.engine.result import readable
from renp_infer.engine.run import Run
from renp_infer.engine.store import Store, check_directory, runs_in
from renp_infer.errors import ConfigError, StoreError
from renp_infer.files import is_directory, make_directory
from renp_infer.study.study import Preset, Study
from renp_infer.terminal import say, show, write_document
from renp_infer.verbs.about import opening
from renp_infer.verbs.infer.summary import summary_table
from renp_infer.verbs.table import VERBS, load_run, verbs_of

REPORT = "report.html"


def run(paths: Sequence[Path], options: Options) -> int:
    """Do all tasks of all studies, then write the report."""
    studies = load_all(paths, options)
    top, directories = places(studies, options)
    for directory in directories:  # refuse before anything is written
        check_directory(directory)
    pairs = zip(studies, directories, strict=True)
    bring_up_to_date([Plan(study, home, verbs_of(study)) for study, home in pairs], options)
    if parse_shard(options.shard) != WHOLE:
        return DONE
    runs = [load_run(directory) for directory in directories]
    page = _tried_report(runs, top, options)
    if options.json:
        shown = None if page is None else str(page)
        write_document({"schema": 1, "report": shown, "runs": [_outcome(r) for r in runs]})
    else:
        texts = [verb.remark(run) for verb in reversed(VERBS.values()) for run in runs]
        texts += [] if page is None else [f"report: {page}"]
        show(*map(_answers, runs), summary_table(runs), *filter(None, texts))
    return judge(runs)


def _tried_report(runs: Sequence[Run], top: Path, options: Options) -> Path | None:
    """The page; ``None`` if it cannot be made, which undoes no result."""
    try:
        return _report(runs, top)
    except StoreError:  # a full disk is the run's business, too
        raise
    except Exception as error:
        if options.debug:
            raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        again = f"renp report {shlex.quote(str(top))} tries again"
        say(f"results stand, but the report is missing: {reason}; {again}")
        return None


def load_all(paths: Sequence[Path], options: Options) -> list[Study]:
    """Studies of some files, whose names must differ."""
    if not paths:
        raise ConfigError("STUDY.toml", (), "one or more study files")
    studies = [load(path, options) for path in paths]
    names = [study.name for study in studies]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError("name", name, "a different name for each study of one run")
    return studies


def places(studies: Sequence[Study], options: Options) -> tuple[Path, list[Path]]:
    """Directory of the report, and one directory per study."""
    if len(studies) == 1:
        home = home_of(studies[0], options)
        return home, [home]
    top = options.out if options.out is not None else Path("runs")
    return top, [top / study.name for study in studies]


def _answers(run: Run) -> str:
    """What a run found, the last verb's answer first; the evaluation's where there is no other."""
    found = [verb.answer(run) for verb in reversed(VERBS.values()) if verb.name in run.results]
    said = list(filter(None, found))
    return opening(run.name, run.study, " ".join(said[:-1] or said))


def _outcome(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = {"name": run.name, "verdict": run.verdict}
    found |= Preset.of(run.study).document
    found["directory"] = str(run.directory)
    for verb in VERBS.values():
        found |= verb.outcome(run)
    return found


def _report(runs: Sequence[Run], top: Path, formats: Sequence[str] = ()) -> Path:
    """Write the page and its figures; inside a run directory its manifest learns the hashes."""
    from renp_infer.report import page as pages
    from renp_infer.report.files import write_figures

    with contextlib.redirect_stdout(sys.stderr), readable(top):
        found = pages.contents(runs, top)
        with contextlib.ExitStack() as stack:
            own = [run.directory for run in runs] == [top]
            store = stack.enter_context(Store(top)) if own else None
            pages.write_page(found, top / REPORT)
            names = write_figures(found, top, formats)
            if store is not None:
                store.note(REPORT, *names)
    return top / REPORT


def report(paths: Sequence[Path], options: Options, *, figures: str = "") -> int:
    """Write the report of finished runs, given as studies or run directories."""
    from renp_infer.report.files import parse_formats

    formats = parse_formats(figures)
    if any(map(is_directory, paths)):
        directories = [run for path in paths for run in runs_in(path)]
        if options.out is None and len(paths) > 1:
            # a joint page inside one of the runs would replace that run's own
            raise ConfigError("--out", None, "a directory, for a report of several runs")
        top = options.out if options.out is not None else paths[0]
        make_directory(top)
    else:
        top, directories = places(load_all(paths, options), options)
    runs = [load_run(directory) for directory in directories]
    page = _report(runs, top, formats)
    if options.json:
        write_document({"schema": 1, "report": str(page), "runs": [_outcome(r) for r in runs]})
    else:
        show(*map(_answers, runs), f"report: {page}")
    return DONE
