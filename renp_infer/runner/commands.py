"""What each verb does; every function returns the exit code."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renp_infer.errors import ConfigError, TaskError
from renp_infer.runner.campaign import WHOLE, Work, parse_shard, update, write_study
from renp_infer.runner.executors import parse_executor
from renp_infer.runner.files import is_directory, make_directory
from renp_infer.runner.provenance import add_provenance
from renp_infer.runner.results import Run, load_run, readable
from renp_infer.runner.store import PROGRESS, Store, check_directory, check_run
from renp_infer.runner.study import Study, load_study
from renp_infer.runner.tasks import Context, Verb
from renp_infer.runner.terminal import (
    angle_table,
    say,
    shortfall,
    show,
    summary_table,
    verdict_of_hypotheses,
    write_document,
)
from renp_infer.runner.verbs import ENSEMBLE, EVALUATE, INFER, SIMULATE, verbs_of

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
    shard : str
        ``K/N``: do only every N-th task, beginning with the K-th.
    json, quiet, force : bool
    progress : str
        ``auto``: a bar on a terminal; ``json``: lines on standard error.
    """

    out: Path | None = None
    overrides: tuple[str, ...] = ()
    executor: str = "serial"
    shard: str = "0/1"
    json: bool = False
    quiet: bool = False
    force: bool = False
    progress: str = "auto"


def load(
    path: Path,
    options: Options,
    *,
    inference: bool | None = None,
    data: Mapping[str, str] | None = None,
    add: Iterable[str] = (),
) -> Study:
    """Study of a file, after a look at the options that do not belong to it."""
    parse_executor(options.executor)
    parse_shard(options.shard)
    return load_study(path, options.overrides, inference=inference, data=data, add=add)


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
    with contextlib.ExitStack() as stack:
        stores = [stack.enter_context(Store(plan.directory)) for plan in plans]
        pairs = list(zip(plans, stores, strict=True))
        for plan, store in pairs:
            _prepare(plan, store, options)
        executor = stack.enter_context(parse_executor(options.executor))
        for verb in dict.fromkeys(verb for plan in plans for verb in plan.verbs):
            works = [Work(p.study, store, verb, shard) for p, store in pairs if verb in p.verbs]
            lines = options.progress == "json"
            errors += update(works, executor, quiet=options.quiet, lines=lines)
        for store in stores:
            store.note(PROGRESS)
    for error in errors[1:]:
        say(str(error))
    if errors:
        raise errors[0]


def _prepare(plan: Plan, store: Store, options: Options) -> None:
    if store.distrust:
        say(f"{plan.study.name}: {store.distrust}: everything is checked or done again")
    if options.force:
        store.forget(plan.verbs)
    write_study(store, plan.study)


def evaluate(path: Path, options: Options) -> int:
    """Print the forward model at the truth; write it only if ``--out`` is given."""
    # Where nothing is kept, limits of the inference do not matter.
    study = load(path, options, inference=False if options.out is None else None)
    result = _result(study, EVALUATE, options)
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
    show(f"|chi|^2 = {result['chi_squared']:.4g}", *filter(None, [unphysical(result)]))
    return DONE


def unphysical(result: dict[str, Any]) -> str:
    """Say that the density matrix is none, if so."""
    state = result.get("coherence")
    if state is None or state["positive"]:
        return ""
    return f"the density matrix has an eigenvalue of {state['smallest_eigenvalue']:.3g} < 0"


def simulate(path: Path, options: Options, *, save: Path | None = None) -> int:
    """Print mock data; write them only if ``--out`` is given, or to a data file ``save``."""
    study = load(path, options)
    if save is not None:
        _save(study, save, options)
    elif study.datasets:
        return _simulate_many(study, options)
    result = _result(study, SIMULATE, options)
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


def _save(study: Study, path: Path, options: Options) -> None:
    """Write the study's mock data as a data file."""
    from renp_infer.measurement.squid import relative_times
    from renp_infer.runner.datafile import write_measurement
    from renp_infer.runner.evaluation import mock_observation

    if path.exists() and not options.force:
        raise ConfigError("--save", str(path), "a new file, or --force")
    title = f"mock data of study {study.name}, seed {study.seed}"
    with contextlib.redirect_stdout(sys.stderr):
        data = mock_observation(study)
    detector, count = study.experiment.detector, data.theta_s.size
    times_s = detector.exposure_s / count * relative_times(detector, count)
    write_measurement(path, data, times_s, title)


def _simulate_many(study: Study, options: Options) -> int:
    """Draw the ensemble of a study with a section ``[simulate]``."""
    directory = home_of(study, options)
    bring_up_to_date([Plan(study, directory, [ENSEMBLE])], options)
    if parse_shard(options.shard) != WHOLE:
        return DONE
    path = directory / ENSEMBLE.file
    from renp_infer.runner.datasets import ensemble_summary

    found = ensemble_summary(path)
    if options.json:
        write_document({"schema": 1, "name": study.name, "file": str(path)} | found)
        return DONE
    columns = {
        "theta_s [deg]": found["theta_s_deg"],
        "signal [nG]": found["signal_nG"],
        "mean [nG]": found["mean_nG"],
        "sd [nG]": found["sd_nG"],
    }
    show(angle_table(f"{study.name}: {found['datasets']} data sets", columns), f"file: {path}")
    return DONE


def _result(study: Study, verb: Verb, options: Options) -> dict[str, Any]:
    """Result of a verb whose file is JSON, from a run directory if there is one."""
    if options.out is None:
        task = verb.task(study, 0, verb.base(study))
        with contextlib.redirect_stdout(sys.stderr):
            begin = time.monotonic()
            result: dict[str, Any] = verb.perform(study, task, Context())
            add_provenance(result, study, time.monotonic() - begin)
        return result
    bring_up_to_date([Plan(study, options.out, [verb])], options)
    text = (options.out / verb.file).read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


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


def data_section(data: Path | None, covariance: Path | None) -> dict[str, str] | None:
    """Section ``[data]`` that the options mean."""
    if data is None:
        if covariance is not None:
            raise ConfigError("--covariance", str(covariance), "only with --data FILE")
        return None
    given = {"file": data, "covariance": covariance}
    return {key: str(path.absolute()) for key, path in given.items() if path is not None}


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


def judge(runs: Sequence[Run]) -> int:
    """Exit code by diagnostics and model checks; everything has been saved by then."""
    found = [reason for run in runs for reason in failures(run)]
    for reason in found:
        say(reason)
    return DIAGNOSTIC_FAILED if found else DONE


def failures(run: Run) -> list[str]:
    """What failed of a run's diagnostics, checks and tests, each in a line."""
    return [
        f"{run.name}: {name} {'disagree' if name == 'estimators' else 'failed'}: "
        f"{'; '.join(found['reasons'])}"
        for name, found in run.verdicts.items()
        if found["verdict"] == "fail"
    ]


def run(paths: Sequence[Path], options: Options) -> int:
    """Do all tasks of all studies, then write the report."""
    studies = load_all(paths, options)
    top, directories = places(studies, options)
    for directory in directories:  # refuse before anything is written
        check_directory(directory)
    make_directory(top)
    pairs = zip(studies, directories, strict=True)
    bring_up_to_date([Plan(study, home, verbs_of(study)) for study, home in pairs], options)
    if parse_shard(options.shard) != WHOLE:
        return DONE
    runs = [load_run(directory) for directory in directories]
    page = _report(runs, top)
    if options.json:
        write_document({"schema": 1, "report": str(page), "runs": [_outcome(r) for r in runs]})
    else:
        texts = [*map(verdict_of_hypotheses, runs), *map(shortfall, runs)]
        lines = [line for line in texts if line]
        show(summary_table(runs), *lines, f"report: {page}")
    return judge(runs)


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


def _outcome(run: Run) -> dict[str, Any]:
    return {
        "name": run.name,
        "directory": str(run.directory),
        "data": run.evaluation.get("data", "mock"),
        "peak_snr": run.evaluation["peak_snr"],
        "normalised": run.evaluation["normalised"],
        "m1_meV": run.summary["parameters"]["m1_meV"] if run.summary else None,
        "diagnostics": run.summary["diagnostics"] if run.summary else None,
        "comparison": run.comparison,
    }


def _report(runs: Sequence[Run], top: Path, formats: Sequence[str] = ()) -> Path:
    """Write the page and its figures; inside a run directory its manifest learns the hashes."""
    from renp_infer.runner import report as pages
    from renp_infer.runner.figure_files import write_figures

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
    from renp_infer.runner.figure_files import parse_formats

    formats = parse_formats(figures)
    if any(map(is_directory, paths)):
        directories = list(paths)
        for directory in directories:
            check_run(directory)
        if options.out is None and len(directories) > 1:
            # a joint page inside one of the runs would replace that run's own
            raise ConfigError("--out", None, "a directory, for a report of several runs")
        top = options.out if options.out is not None else directories[0]
        make_directory(top)
    else:
        top, directories = places(load_all(paths, options), options)
    runs = [load_run(directory) for directory in directories]
    page = _report(runs, top, formats)
    if options.json:
        write_document({"schema": 1, "report": str(page), "runs": [_outcome(r) for r in runs]})
    else:
        show(f"report: {page}")
    return DONE
