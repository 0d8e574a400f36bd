"""What the verbs about finished or running runs do; every function returns the exit code."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from renp_infer.app.commands import load_all, places
from renp_infer.app.merging import merge_runs
from renp_infer.engine.campaign import write_study
from renp_infer.engine.driver import (
    DONE,
    RUN_FAILED,
    home_of,
    load,
    study_in,
)
from renp_infer.engine.executors import parse_executor
from renp_infer.engine.options import Options
from renp_infer.engine.store import Store, read_manifest, runs_in
from renp_infer.errors import ConfigError
from renp_infer.fields import Said
from renp_infer.files import is_directory, is_file
from renp_infer.study.load import find_study
from renp_infer.terminal import show, write_document
from renp_infer.verbs.compare.verb import COMPARE
from renp_infer.verbs.infer.verb import INFER
from renp_infer.verbs.table import load_run, verbs_of

if TYPE_CHECKING:
    from renp_infer.app.doctor import Check

MAX_JOBS = 10_000


def status(paths: Sequence[Path], options: Options) -> int:
    """Tell how far runs are, given as studies or run directories; reads while they run."""
    from renp_infer.app.status import in_words, status_of

    if paths and all(map(is_directory, paths)):
        directories = [run for path in paths for run in runs_in(path)]
        studies = [study_in(directory) for directory in directories]
    else:
        _refuse_neither(paths)
        studies = load_all(paths, options)
        _, directories = places(studies, options)
    rows = []
    for study, directory in zip(studies, directories, strict=True):
        rows += status_of(study, directory)
    if options.json:
        write_document({"schema": 1, "tasks": rows})
    else:
        show(*map(in_words, rows))
    return DONE


def _refuse_neither(paths: Sequence[Path]) -> None:
    """Refuse what is neither a run directory nor a study, and both beside each other."""
    for path in paths:
        if not is_file(find_study(path)):
            found = "a directory beside a study" if is_directory(path) else "no such file"
            allowed = "run directories, or study files and names of shipped studies"
            raise ConfigError(str(path), Said(found), allowed)


def merge(paths: Sequence[Path], options: Options) -> int:
    """Join run directories of one study, into ``--out`` or into the first of them."""
    if len(paths) < (2 if options.out is None else 1):
        raise ConfigError("RUN", tuple(map(str, paths)), "two or more run directories")
    target = options.out if options.out is not None else paths[0]
    sources = [path for path in paths if path.absolute() != target.absolute()]
    if not sources:
        raise ConfigError("RUN", tuple(map(str, paths)), f"run directories other than {target}")
    study, missing = merge_runs(target, sources)
    if options.json:
        write_document({"schema": 1, "directory": str(target), "missing": missing})
    else:
        show(f"{study.name}: merged into {target}", *missing)
    return DONE


def export(directory: Path, to: str, options: Options) -> int:
    """Write a run in some formats."""
    from renp_infer.exports import write

    formats = write.parse_formats(to)
    target = options.out if options.out is not None else directory / write.FOLDER
    made = write.export(load_run(directory), formats, target, force=options.force)
    if options.json:
        files = {name: list(map(str, paths)) for name, paths in made.items()}
        write_document({"schema": 1, "files": files})
    else:
        show(*(f"{name}: {len(paths)} files in {target / name}" for name, paths in made.items()))
    return DONE


def slurm(path: Path, jobs: int, sbatch: Sequence[str], options: Options) -> int:
    """Write a study as a SLURM job array into its run directory."""
    from renp_infer.app.slurm import write_scripts

    if not 1 <= jobs <= MAX_JOBS:
        raise ConfigError("--jobs", jobs, f"an integer from 1 to {MAX_JOBS}")
    for option in sbatch:
        if not option.startswith("--") or not option.isprintable():
            raise ConfigError("--sbatch", option, "an option of sbatch, such as --time=02:00:00")
    study = load(path, options)
    most = max(verb.series(study).count for verb in verbs_of(study))
    with Store(home_of(study, options)) as store:
        write_study(store, study)
        scripts = write_scripts(store, study.name, min(jobs, most), sbatch)
    if options.json:
        write_document({"schema": 1, "scripts": [str(script) for script in scripts]})
    else:
        show(f"submit with: sh {shlex.quote(str(scripts[-1]))}")
    return DONE


def doctor(options: Options) -> int:
    """Check the installation."""
    from renp_infer.app.doctor import examine

    executor = "processes:1" if options.executor == "serial" else options.executor
    parse_executor(executor)
    place = options.out if options.out is not None else Path.cwd()
    if not is_directory(place):
        raise ConfigError("--out", str(place), "a directory that exists, for what is checked in it")
    with contextlib.redirect_stdout(sys.stderr):
        checks = examine(place, executor)
    good = all(check.good for check in checks)
    if options.json:
        rows = [{"name": c.name, "good": c.good, "found": c.found} for c in checks]
        write_document({"schema": 1, "good": good, "checks": rows})
    else:
        show(_checklist(checks))
    return DONE if good else RUN_FAILED


def _checklist(checks: Sequence[Check]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    for _ in range(2):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        table.add_row("ok" if check.good else "BAD", check.name, check.found)
    return table


def cite(path: Path | None, options: Options) -> int:
    """Print what to cite: all that there is, or what a run used."""
    from renp_infer.report.citations import bibtex, entries

    used = list(entries() if path is None else _used_by(path))
    text = bibtex(used)
    if options.json:
        write_document({"schema": 1, "keys": used, "bibtex": text})
    else:
        sys.stdout.write(text)
    return DONE


def _used_by(path: Path) -> list[str]:
    """Citation keys of what a run directory's results were made with."""
    from renp_infer.report.citations import used_by

    study, tasks = study_in(path), read_manifest(path)["tasks"]
    sampled = INFER.name in tasks or COMPARE.name in tasks
    return used_by(study.resolved, tasks, load_run(path) if sampled else None)
