"""What each verb does; every function returns the exit code."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from renp_infer.errors import ConfigError
from renp_infer.runner import tasks
from renp_infer.runner.progress import Progress
from renp_infer.runner.results import Run, load_run
from renp_infer.runner.store import (
    PROGRESS,
    TASK_FILES,
    Store,
    check_directory,
    make_directory,
    read_manifest,
)
from renp_infer.runner.study import Study, load_study
from renp_infer.runner.terminal import (
    angle_table,
    document,
    say,
    shortfall,
    show,
    summary_table,
    write_document,
)

DONE, DIAGNOSTIC_FAILED, RUN_FAILED = 0, 3, 4
REPORT = "report.html"


@dataclass(frozen=True)
class Options:
    """What the common options say.

    Attributes
    ----------
    out : Path or None
    overrides : tuple of str
        Values of ``--set``.
    executor : str
    json, quiet, force : bool
    """

    out: Path | None = None
    overrides: tuple[str, ...] = ()
    executor: str = "serial"
    json: bool = False
    quiet: bool = False
    force: bool = False


def _load(path: Path, options: Options, *, inference: bool | None = None) -> Study:
    if options.executor != "serial":
        allowed = "serial (other executors are not available in this version)"
        raise ConfigError("--executor", options.executor, allowed)
    return load_study(path, options.overrides, inference=inference)


def _home(study: Study, options: Options) -> Path:
    return options.out if options.out is not None else Path("runs") / study.name


def _compute(study: Study, task: str, progress: Progress) -> Any:
    # Libraries that print must not reach standard output: it may be one document.
    with contextlib.redirect_stdout(sys.stderr):
        if task == "infer":
            return tasks.run_infer(study, progress)
        progress.start(task)
        work = tasks.run_evaluate if task == "evaluate" else tasks.run_simulate
        result = work(study)
        progress.finish(task)
        return result


def _write_study(store: Store, study: Study) -> None:
    store.write_text("study.toml", study.text)
    store.write_text("study.resolved.toml", tomli_w.dumps(study.resolved))


def _perform(store: Store, study: Study, task: str, progress: Progress) -> bool:
    """Do a task unless it is done; tell whether there was work."""
    if store.is_done(task, study.key(task)):
        return False
    begin = time.monotonic()
    result, name = _compute(study, task, progress), TASK_FILES[task]
    if task == "infer":
        store.write(name, lambda path: result.to_netcdf(path, engine="h5netcdf"))
    else:
        store.write_text(name, document(result))
    store.finish(task, study.key(task), time.monotonic() - begin)
    return True


def _run_tasks(study: Study, wanted: Sequence[str], directory: Path, options: Options) -> None:
    """Bring a run directory up to date."""
    with Store(directory) as store:
        if options.force:
            store.forget(wanted)
        _write_study(store, study)
        with Progress(store.path(PROGRESS), quiet=options.quiet) as progress:
            for task in wanted:
                if not _perform(store, study, task, progress) and not options.quiet:
                    say(f"{study.name}: {task} is done already; --force starts over")
        store.note(PROGRESS)


def evaluate(path: Path, options: Options) -> int:
    """Print the forward model at the truth; write it only if ``--out`` is given."""
    study = _load(path, options, inference=False)
    result = _result(study, "evaluate", options)
    if options.json:
        write_document(result)
        return DONE
    columns = {
        "theta_s [deg]": result["theta_s_deg"],
        "rate [1/s]": result["rate_per_s"],
        "signal [nG]": result["signal_nG"],
        "sigma [nG]": result["sigma_nG"],
    }
    label = ", normalised" if result.get("normalised") else ""
    show(angle_table(f"{study.name}{label}", columns))
    show(f"|chi|^2 = {result['chi_squared']:.4g}")
    return DONE


def simulate(path: Path, options: Options) -> int:
    """Print mock data; write them only if ``--out`` is given."""
    study = _load(path, options)
    result = _result(study, "simulate", options)
    if options.json:
        write_document(result)
        return DONE
    columns = {
        "theta_s [deg]": result["theta_s_deg"],
        "field [nG]": result["field_nG"],
        "sigma [nG]": result["sigma_nG"],
    }
    label = ", normalised" if result["normalised"] else ""
    show(angle_table(f"{study.name}: mock data, seed {study.seed}{label}", columns))
    return DONE


def _result(study: Study, task: str, options: Options) -> dict[str, Any]:
    """Result of a task whose file is JSON, from a run directory if there is one."""
    if options.out is None:
        with Progress(quiet=options.quiet) as progress:
            result: dict[str, Any] = _compute(study, task, progress)
            return result
    _run_tasks(study, [task], options.out, options)
    text = (options.out / TASK_FILES[task]).read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def infer(path: Path, options: Options) -> int:
    """Sample the posterior and print its summary."""
    study = _load(path, options, inference=True)
    directory = _home(study, options)
    _run_tasks(study, study.tasks, directory, options)
    run = load_run(directory)
    if options.json:
        write_document(_hypotheses(run))
    else:
        show(summary_table([run]), *filter(None, [shortfall(run)]), f"results: {directory}")
    return _judge([run])


def _hypotheses(run: Run) -> dict[str, Any]:
    assert run.summary is not None
    row = dict(run.summary["hypothesis"])
    row |= {part: run.summary[part] for part in ("parameters", "diagnostics")}
    return {
        "schema": 1,
        "name": run.name,
        "normalised": run.evaluation["normalised"],
        "peak_snr": run.evaluation["peak_snr"],
        "hypotheses": [row],
    }


def _judge(runs: Sequence[Run]) -> int:
    """Exit code by the diagnostics; everything has been saved by then."""
    code = DONE
    for run in runs:
        found = run.summary["diagnostics"] if run.summary else {"verdict": "pass"}
        if found["verdict"] == "fail":
            say(f"{run.name}: diagnostics failed: {'; '.join(found['reasons'])}")
            code = DIAGNOSTIC_FAILED
    return code


def run(paths: Sequence[Path], options: Options) -> int:
    """Do all tasks of all studies, then write the report."""
    studies = _load_all(paths, options)
    top, directories = _places(studies, options)
    for directory in directories:  # refuse before anything is written
        check_directory(directory)
    make_directory(top)
    for study, directory in zip(studies, directories, strict=True):
        _run_tasks(study, study.tasks, directory, options)
    runs = [load_run(directory) for directory in directories]
    page = _report(runs, top)
    if options.json:
        write_document({"schema": 1, "report": str(page), "runs": [_outcome(r) for r in runs]})
    else:
        lines = [line for line in map(shortfall, runs) if line]
        show(summary_table(runs), *lines, f"report: {page}")
    return _judge(runs)


def _load_all(paths: Sequence[Path], options: Options) -> list[Study]:
    if not paths:
        raise ConfigError("STUDY.toml", (), "one or more study files")
    studies = [_load(path, options) for path in paths]
    names = [study.name for study in studies]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError("name", name, "a different name for each study of one run")
    return studies


def _places(studies: Sequence[Study], options: Options) -> tuple[Path, list[Path]]:
    """Directory of the report, and one directory per study."""
    if len(studies) == 1:
        home = _home(studies[0], options)
        return home, [home]
    top = options.out if options.out is not None else Path("runs")
    return top, [top / study.name for study in studies]


def _outcome(run: Run) -> dict[str, Any]:
    return {
        "name": run.name,
        "directory": str(run.directory),
        "peak_snr": run.evaluation["peak_snr"],
        "normalised": run.evaluation["normalised"],
        "m1_meV": run.summary["parameters"]["m1_meV"] if run.summary else None,
        "diagnostics": run.summary["diagnostics"] if run.summary else None,
    }


def _report(runs: Sequence[Run], top: Path) -> Path:
    """Write the page; inside a run directory its manifest learns the hash."""
    from renp_infer.runner.report import write_report

    with contextlib.redirect_stdout(sys.stderr):
        if [run.directory for run in runs] != [top]:
            write_report(runs, top / REPORT)
        else:
            with Store(top) as store:
                write_report(runs, store.path(REPORT))
                store.note(REPORT)
    return top / REPORT


def report(paths: Sequence[Path], options: Options) -> int:
    """Write the report of finished runs, given as studies or run directories."""
    if paths and all(path.is_dir() for path in paths):
        directories = list(paths)
        if options.out is None and len(directories) > 1:
            # a joint page inside one of the runs would replace that run's own
            raise ConfigError("--out", None, "a directory, for a report of several runs")
        top = options.out if options.out is not None else directories[0]
        make_directory(top)
    else:
        top, directories = _places(_load_all(paths, options), options)
    runs = [load_run(directory) for directory in directories]
    page = _report(runs, top)
    if options.json:
        write_document({"schema": 1, "report": str(page), "runs": [_outcome(r) for r in runs]})
    else:
        show(f"report: {page}")
    return DONE


def status(paths: Sequence[Path], options: Options) -> int:
    """Tell which tasks of the studies are done."""
    studies = _load_all(paths, options)
    _, directories = _places(studies, options)
    rows = []
    for study, directory in zip(studies, directories, strict=True):
        known = read_manifest(directory)["tasks"]
        for task in study.tasks:
            fresh = known.get(task, {}).get("key") == study.key(task)
            state = "done" if fresh else "outdated" if task in known else "to do"
            rows.append({"name": study.name, "task": task, "state": state})
    if options.json:
        write_document({"schema": 1, "tasks": rows})
    else:
        show(*(f"{row['name']}  {row['task']}  {row['state']}" for row in rows))
    return DONE


def doctor(options: Options) -> int:
    """Check the installation."""
    from renp_infer.runner.doctor import examine

    with contextlib.redirect_stdout(sys.stderr):
        checks = examine(Path.cwd())
    good = all(check.good for check in checks)
    if options.json:
        rows = [{"name": c.name, "good": c.good, "found": c.found} for c in checks]
        write_document({"schema": 1, "good": good, "checks": rows})
    else:
        show(*(f"{'ok  ' if c.good else 'BAD '} {c.name}: {c.found}" for c in checks))
    return DONE if good else RUN_FAILED


def cite(options: Options) -> int:
    """Print what to cite."""
    from renp_infer.runner.citations import BIBTEX

    if options.json:
        write_document({"schema": 1, "bibtex": BIBTEX})
    else:
        sys.stdout.write(BIBTEX)
    return DONE
