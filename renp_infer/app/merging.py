"""Join run directories of the same study: shards of a cluster into one run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from renp_infer.engine.blocks import Blocks, read_entries
from renp_infer.engine.campaign import Work, merge, work_of, write_study
from renp_infer.engine.driver import study_in
from renp_infer.engine.store import MANIFEST, Store, read_manifest
from renp_infer.engine.tasks import Task
from renp_infer.engine.verb import Verb
from renp_infer.errors import ConfigError, StoreError
from renp_infer.files import digest_own, is_file
from renp_infer.study.blinding import revealing
from renp_infer.study.paths import without_folders
from renp_infer.study.study import Study
from renp_infer.verbs.table import verbs_of


def merge_runs(target: Path, sources: Sequence[Path]) -> tuple[Study, list[str]]:
    """Copy what is done in the sources into one run, and merge what is complete.

    Parameters
    ----------
    target : Path
        Run directory to be; may be one that exists, of the same study.
    sources : sequence of Path

    Returns
    -------
    study : Study
    missing : list of str
        What is not complete, in words.

    Raises
    ------
    ConfigError
        If the sources are runs of different studies; nothing is written then.
    StoreError
        If two of them have different results for the same task.
    TaskError
        If more tasks failed than the study allows.
    """
    present = [target] if is_file(target / MANIFEST) else []
    study = _common_study([*present, *sources])
    if study.blinding is not None:
        raise revealing("renp merge")
    missing = []
    with Store(target) as store:
        write_study(store, study)
        for verb in verbs_of(study):
            work = work_of(study, store, verb)
            if work is None:
                missing.append(f"{verb.name}: what it rests on is missing")
                continue
            for source in sources:
                _copy(work, source)
            if not store.is_done(verb, work.series.key):
                lacking = _settle(work)
                if lacking:
                    missing.append(f"{verb.name}: {lacking} of {work.count} tasks are missing")
    return study, missing


def _common_study(directories: Sequence[Path]) -> Study:
    studies = [study_in(directory) for directory in directories]
    first = _compared(studies[0])
    for directory, study in zip(directories, studies, strict=True):
        other = _compared(study)
        if other != first:
            section = next(k for k in first | other if first.get(k) != other.get(k))
            allowed = f"runs of the same study as {directories[0]}"
            raise ConfigError("RUN", str(directory), allowed, f"{section!r} differs")
    return studies[0]


def _compared(study: Study) -> dict[str, Any]:
    """Resolved study, but for what changes no result."""
    found: dict[str, Any] = without_folders(study.resolved)
    return {k: v for k, v in found.items() if k != "execution"}


def _copy(work: Work, source: Path) -> None:
    """Copy a verb's finished tasks, or its whole result, from another run."""
    verb = work.verb
    if not verb.merges:
        _copy_whole(work, source)
    theirs = Blocks(source, verb.name, verb.suffix)
    for task, entry in _entries(work, theirs):
        facts = {k: v for k, v in entry.items() if k not in ("key", "index", "sha256")}
        whole = "sha256" in entry and entry["sha256"] == digest_own(theirs.path(task))
        if work.blocks.is_done(task):
            if whole and entry["sha256"] != (work.blocks.entry(task) or {}).get("sha256"):
                raise _conflict(verb, source, task)
        elif whole:
            work.blocks.write(task, Path(theirs.path(task)).read_bytes(), facts)
        elif "error" in entry:
            work.blocks.write_failure(task, facts)


def _copy_whole(work: Work, source: Path) -> None:
    """Copy the result of a verb whose one task's result it is."""
    verb, store, key = work.verb, work.store, work.series.key
    manifest = read_manifest(source)
    entry, known = manifest["tasks"].get(verb.name, {}), manifest["files"].get(verb.file)
    path = source / verb.file
    if store.is_done(verb, key) or entry.get("key") != key or known != digest_own(path):
        return
    store.write(verb.file, lambda target: target.write_bytes(path.read_bytes()))
    store.finish(verb, key, {k: v for k, v in entry.items() if k not in ("key", "file")})


def _entries(work: Work, theirs: Blocks) -> Iterator[tuple[Task, dict[str, Any]]]:
    """Tasks of the present study that another run knows, with what it says of them."""
    for number, manifest in theirs.manifests():
        entries = read_entries(manifest)
        for index in theirs.indices(number, work.count):
            task = work.task(index)
            if task.key in entries:
                yield task, entries[task.key]


def _settle(work: Work) -> int:
    """Merge a verb whose tasks are complete; else the number of those that lack."""
    lacking = 0
    for task in map(work.task, range(work.count)):
        if work.blocks.is_done(task):
            continue
        error = (work.blocks.entry(task) or {}).get("error")
        if error is None:
            lacking += 1
        else:
            work.note_failure(task, error)
    if not lacking:
        merge(work, "merged shards")
    return lacking


def _conflict(verb: Verb, source: Path, task: Task) -> StoreError:
    return StoreError(
        f"{source}: {verb.name} task {task.index} has another result than the run it is "
        "merged into, from the same inputs; the two were not made by the same software"
    )
