"""Bring run directories up to date: hand out what is not done, keep what comes back.

The driver is the only writer. It takes tasks in order, a few seconds' worth at a
time, so that neither memory nor traffic grows with their number.
"""

from __future__ import annotations

import math
import os
import re
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from renp_infer.engine.archive import keep_inputs
from renp_infer.engine.blocks import Blocks
from renp_infer.engine.executors import Executor
from renp_infer.engine.progress import Meter
from renp_infer.engine.provenance import append_provenance
from renp_infer.engine.store import PROGRESS, Store
from renp_infer.engine.tasks import Context, Task
from renp_infer.engine.verb import Batch, Series, Verb
from renp_infer.engine.worker import Reply
from renp_infer.errors import ConfigError, TaskError
from renp_infer.files import require_room
from renp_infer.study.study import Study
from renp_infer.terminal import say

BATCH_SECONDS = 1.0
"""Work that travels together: long against the traffic, short against a kill."""
SHOWN_FAILURES = 3
WHOLE = (0, 1)
"""The shard that is everything."""


def parse_shard(text: str) -> tuple[int, int]:
    """Read the value of ``--shard``.

    Raises
    ------
    ConfigError
        If it is not ``K/N`` with 0 <= K < N.
    """
    match = re.fullmatch(r"([0-9]{1,7})/([0-9]{1,7})", text)
    if not match or not int(match[1]) < int(match[2]):
        raise ConfigError("--shard", text, "K/N with 0 <= K < N")
    return int(match[1]), int(match[2])


@dataclass
class Work:
    """A study's share of a verb: its run directory, and how far it is.

    Attributes
    ----------
    study : Study
    store : Store
    verb : Verb
    shard : tuple of int
        ``(k, n)``: only tasks whose index is k modulo n.
    """

    study: Study
    store: Store
    verb: Verb
    shard: tuple[int, int] = WHOLE
    series: Series = field(init=False)
    blocks: Blocks = field(init=False)
    failures: list[str] = field(default_factory=list)
    failed: int = 0
    trace: str = ""
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.series = self.verb.series(self.study)
        self.blocks = self.store.blocks(self.verb)

    @property
    def count(self) -> int:
        """Number of the verb's tasks."""
        return self.series.count

    @property
    def mine(self) -> range:
        """Indices of this shard's tasks."""
        first, step = self.shard
        return range(first, self.series.count, step)

    def task(self, index: int) -> Task:
        """The task at a place."""
        return self.series.task(index)

    def note_failure(self, task: Task, error: str) -> None:
        """Count a failure, and remember the first few."""
        self.failed += 1
        if len(self.failures) < SHOWN_FAILURES:
            self.failures.append(f"task {task.index}: {error}")


def work_of(study: Study, store: Store, verb: Verb, shard: tuple[int, int] = WHOLE) -> Work | None:
    """Work of a study as its verb finds it in a run; ``None`` where what it rests on is missing."""
    found = verb.prepared(study, store.directory)
    return None if found is None else Work(found, store, verb, shard)


class Queue:
    """Tasks that are not done, in order; those to be tried again come first."""

    def __init__(self, works: Sequence[Work], meter: Meter, largest: int) -> None:
        self._meter, self._largest = meter, largest
        self._fresh = self._open(works)
        self._again: deque[tuple[Work, Task]] = deque()
        self._held: tuple[Work, Task] | None = None
        self._works: dict[Batch, Work] = {}
        self._seconds, self._measured = 0.0, 0

    def _open(self, works: Sequence[Work]) -> Iterator[tuple[Work, Task]]:
        for work in works:
            for index in work.mine:
                task = work.task(index)
                if work.blocks.is_done(task):
                    work.seconds += (work.blocks.entry(task) or {}).get("seconds", 0.0)
                    self._meter.found(work.study.name)
                else:
                    yield work, task

    def take(self) -> Batch | None:
        """Give the next batch: one task that failed before, or several new ones."""
        if self._again:
            work, task = self._again.popleft()
            return self._batch(work, [task])
        first = self._next()
        if first is None:
            return None
        work, tasks = first[0], [first[1]]
        while len(tasks) < self._size() and (item := self._next()) is not None:
            if item[0] is not work:
                self._held = item
                break
            tasks.append(item[1])
        return self._batch(work, tasks)

    def _next(self) -> tuple[Work, Task] | None:
        item, self._held = self._held or next(self._fresh, None), None
        return item

    def _batch(self, work: Work, tasks: Sequence[Task]) -> Batch:
        batch = Batch(work.study, work.verb, tuple(tasks), work.blocks.scratch)
        self._works[batch] = work
        self._meter.begin(work.study.name)
        return batch

    def _size(self) -> int:
        if not self._measured:
            return 1
        mean = self._seconds / self._measured
        most = self._largest
        return most if mean * most <= BATCH_SECONDS else math.ceil(BATCH_SECONDS / mean)

    def owner(self, batch: Batch) -> Work:
        """Work that a batch is part of; a batch comes back once."""
        return self._works.pop(batch)

    def again(self, work: Work, task: Task) -> None:
        """Put a task back, to travel alone."""
        self._again.append((work, task))

    def measured(self, answer: Reply) -> None:
        """Learn from how long a task took."""
        self._seconds += answer.seconds
        self._measured += 1


class Keeper:
    """Keeps results and judges failures."""

    def __init__(self, queue: Queue, meter: Meter) -> None:
        self._queue, self._meter = queue, meter
        self._attempts: dict[str, int] = {}

    def keep(self, batch: Batch, answers: list[Reply] | None) -> None:
        """Write what came back of a batch, or have its tasks done again."""
        work = self._queue.owner(batch)
        if answers is None and len(batch.tasks) > 1:  # one of them is to blame: which?
            count = len(batch.tasks)
            text = f"a worker died or lost its {count} tasks; they are done again, one by one"
            say(f"{work.study.name}: {text}")
            for task in batch.tasks:
                self._queue.again(work, task)
        elif answers is None:
            self._fail(work, batch.tasks[0], "its worker died or lost it", {}, final=False)
        else:
            for answer in answers:
                self._keep(work, answer)

    def _keep(self, work: Work, answer: Reply) -> None:
        facts = {"seconds": round(answer.seconds, 6), "worker": answer.worker}
        self._queue.measured(answer)
        work.seconds += answer.seconds
        if answer.payload is None:
            work.trace = work.trace or answer.trace
            self._fail(work, answer.task, answer.error, facts, final=answer.named)
            return
        if answer.task.key in self._attempts:
            facts["attempts"] = self._attempts.pop(answer.task.key) + 1
        work.blocks.write(answer.task, answer.payload, facts)
        self._meter.count(work.study.name)

    def _fail(
        self, work: Work, task: Task, error: str, facts: dict[str, Any], *, final: bool
    ) -> None:
        """Try again, or record the failure: for good after some attempts.

        An error that the package raises on purpose comes from the inputs and
        would come again.
        """
        attempts = self._attempts.pop(task.key, 0) + 1
        if not final and attempts < work.study.execution.attempts:
            self._attempts[task.key] = attempts
            say(f"{work.study.name}: {work.verb.name} task {task.index}: {error}; tried again")
            self._queue.again(work, task)
            return
        work.blocks.write_failure(task, facts | {"error": error, "attempts": attempts})
        work.note_failure(task, error)
        self._meter.count(work.study.name, failed=True)


def update(
    works: Sequence[Work], executor: Executor, *, quiet: bool, lines: bool = False
) -> list[TaskError]:
    """Do what is missing of a verb in several run directories, then merge.

    Parameters
    ----------
    works : sequence of Work
        All of the same verb.
    executor : Executor
    quiet : bool
        Whether to show no progress and say nothing of what is done already.
    lines : bool
        Whether progress is JSON lines on standard error, for programs.

    Returns
    -------
    list of TaskError
        Of the works that have no result because tasks failed.

    Raises
    ------
    StoreError, ExecutorError
        What was finished before has been saved.
    """
    missing = []
    for work in works:
        key, entry = work.series.key, work.store.entry(work.verb.name)
        if work.store.is_done(work.verb, key):
            if not quiet:
                say(f"{work.study.name}: {work.verb.name} is done already; --force starts over")
            continue
        if entry is not None:
            reason = "its file was altered" if entry.get("key") == key else "the study has changed"
            say(f"{work.study.name}: the result of {work.verb.name} is stale: {reason}")
        missing.append(work)
    if missing:
        perform_all(missing, executor, quiet=quiet, lines=lines)
    return [error for work in missing if (error := _merged(work, executor.name)) is not None]


def _merged(work: Work, executor: str) -> TaskError | None:
    """Merge a work that is no shard; gives the error, so that others are merged too."""
    if work.shard != WHOLE:
        return None
    try:
        merge(work, executor)
    except TaskError as error:
        return error
    return None


def perform_all(
    works: Sequence[Work], executor: Executor, *, quiet: bool, lines: bool = False
) -> None:
    """Do all tasks of one verb in several run directories that are not done.

    Parameters
    ----------
    works : sequence of Work
        All of the same verb.
    executor : Executor
    quiet : bool
        Whether to show no bar.
    lines : bool
        Whether progress is JSON lines on standard error, for programs.

    Raises
    ------
    StoreError, ExecutorError
        What was finished before has been saved.
    """
    totals = {work.study.name: len(work.mine) for work in works}
    files = {work.study.name: work.store.path(PROGRESS) for work in works}
    with Meter(works[0].verb.name, totals, files, quiet=quiet, lines=lines) as meter:
        queue = Queue(works, meter, executor.largest_batch)
        keeper = Keeper(queue, meter)
        for batch, answers in executor.run(queue.take, Context(os.cpu_count() or 1, meter.tell)):
            keeper.keep(batch, answers)


def merge(work: Work, executor: str) -> None:
    """Write the merged result of a work whose tasks have been tried, and declare it done.

    Parameters
    ----------
    work : Work
    executor : str
        Name of what did the work, for the manifest.

    Raises
    ------
    TaskError
        If more tasks failed than the study allows; nothing is merged then.
    """
    study, verb, store = work.study, work.verb, work.store
    _judge(work)
    begin = time.monotonic()
    paths = _results(work)
    if not verb.merges:
        only = next(paths)
        store.write(verb.file, lambda path: os.replace(only, path))
    else:

        def write(path: Path) -> None:
            size = sum(os.path.getsize(one) for one in _results(work))
            require_room(store.path(verb.file), size)
            verb.merge(study, paths, path)
            if verb.suffix == ".nc":
                append_provenance(path, study, work.seconds + time.monotonic() - begin)

        store.write(verb.file, write)
    for name, text in verb.also(study, _results(work), store.path(verb.file)).items():
        store.write_text(name, text)
    seconds = work.seconds + time.monotonic() - begin
    counts = {"tasks": work.count, "failed": work.failed}
    facts = counts | {"seconds": round(seconds, 3), "executor": executor}
    store.finish(verb, work.series.key, facts)


def _results(work: Work) -> Iterator[str]:
    """Files of the tasks that did not fail, in order."""
    for index in range(work.count):
        task = work.task(index)
        if "sha256" in (work.blocks.entry(task) or {}):
            yield work.blocks.path(task)


def _judge(work: Work) -> None:
    if not work.failed:
        return
    study, verb = work.study, work.verb
    first = "; ".join(work.failures)
    allowed = study.execution.failures_allowed * work.count
    if work.failed <= allowed and work.failed < work.count:
        share = f"{work.failed} of {work.count} tasks failed, as execution.failures_allowed permits"
        say(f"{study.name}: {verb.name}: {share}; {first}")
        return
    if work.count == 1:
        error = TaskError(f"{study.name}: {verb.name}: {first.partition(': ')[2]}")
    else:
        error = TaskError(
            f"{study.name}: {verb.name}: {work.failed} of {work.count} tasks failed "
            f"(execution.failures_allowed = {study.execution.failures_allowed:g}); {first}"
        )
    error.add_note(work.trace)
    raise error


def write_study(store: Store, study: Study) -> None:
    """Write the study as given and as resolved, with its files, unless they are there."""
    for name, text in (
        ("study.toml", study.text),
        ("study.resolved.toml", tomli_w.dumps(keep_inputs(store, study))),
    ):
        path = store.path(name)
        if not (store.is_intact(name) and path.read_text(encoding="utf-8") == text):
            store.write_text(name, text)
