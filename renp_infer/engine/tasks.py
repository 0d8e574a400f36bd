"""Tasks: pure pieces of a study's work, each with a key, a seed and one result.

A verb joins by an entry in ``verbs.py``: how many tasks it has, what each does
and how their results merge. Everything else (keys, seeds, executors, retries,
resuming) is the same for all of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from renp_infer.study.study import Study

Tell = Callable[[str, float], None]
"""Called with the name of a stage and the fraction of the task that is done."""


def silent(_stage: str, _fraction: float) -> None:
    """Tell nobody."""


def fingerprint(*parts: Any) -> str:
    """SHA-256 of plain values and arrays, as sorted JSON."""
    text = json.dumps(parts, sort_keys=True, default=np.ndarray.tolist)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Task:
    """One pure piece of work.

    Attributes
    ----------
    index : int
        Its place in the merged result.
    key : str
        SHA-256 of everything its result depends on.
    base : str
        The same without what belongs to this task alone: the root of its
        streams, so that a longer series begins with the shorter one.
    root_seed : int
        Seed of the study.
    """

    index: int
    key: str
    base: str
    root_seed: int

    def seed(self, *stream: int) -> np.random.SeedSequence:
        """Seed of one of the task's random streams, from root seed, key and index."""
        words = tuple(int(self.base[k : k + 8], 16) for k in range(0, 64, 8))
        return np.random.SeedSequence(self.root_seed, spawn_key=(*words, self.index, *stream))


@dataclass(frozen=True)
class Context:
    """What a task may use; none of it changes a result.

    Attributes
    ----------
    cores : int
    tell : callable
    scratch : str
        Folder for what a task that was killed can go on from; empty for none.
    """

    cores: int = 1
    tell: Tell = field(default=silent, compare=False)
    scratch: str = ""


def _one(_study: Study) -> int:
    return 1


def _nothing(_study: Study, _index: int) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Verb:
    """What a verb computes; its functions are importable by a worker process.

    Attributes
    ----------
    name : str
    file : str
        Name of the merged result; its suffix is that of the tasks' files.
    perform : callable
        ``(study, task, context) -> result``: a pure function, whose result is
        a plain ``dict`` or a ``DataTree``.
    inputs : callable
        ``study -> plain``: everything of the study that results depend on.
    count : callable
        ``study -> int``: number of tasks.
    part : callable
        ``(study, index) -> plain``: what else distinguishes a task.
    merge : callable or None
        ``(study, paths, target) -> None`` writes the merged result from the
        tasks' files, given in order; ``None`` if the one task's result is it.
    also : callable or None
        ``(study, paths, merged) -> {name: text}``: other files of the result.
    """

    name: str
    file: str
    perform: Callable[[Study, Task, Context], Any]
    inputs: Callable[[Study], Any]
    count: Callable[[Study], int] = _one
    part: Callable[[Study, int], Any] = _nothing
    merge: Callable[[Study, Iterator[str], Path], None] | None = None
    also: Callable[[Study, Iterator[str], Path], dict[str, str]] | None = None

    @property
    def suffix(self) -> str:
        """Kind of file that its results are."""
        return Path(self.file).suffix

    def base(self, study: Study) -> str:
        """Key that all tasks share."""
        return fingerprint(self.name, self.inputs(study))

    def key(self, study: Study) -> str:
        """Key of the merged result: that of a series of tasks is given by its last."""
        count = self.count(study)
        return fingerprint(self.base(study), "merged", count, self.part(study, count - 1))

    def task(self, study: Study, index: int, base: str) -> Task:
        """The task at a place; ``base`` is ``self.base(study)``, calculated once."""
        key = fingerprint(base, index, self.part(study, index))
        return Task(index, key, base, study.seed)


@dataclass(frozen=True, eq=False)
class Batch:
    """Tasks that travel to a worker together; their results do not depend on that."""

    study: Study
    verb: Verb
    tasks: Sequence[Task]
    scratch: str = ""
