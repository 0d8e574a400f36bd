"""What runs where the work is done: a batch of tasks in, answers out.

An answer is plain data, so that an error or a result crosses to the driver
whatever the worker's libraries are. Only the driver writes.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from renp_infer.engine.provenance import add_provenance
from renp_infer.engine.surroundings import own_surroundings
from renp_infer.engine.tasks import Context, Task, fingerprint
from renp_infer.engine.verb import Batch
from renp_infer.errors import ExecutorError, RenpError
from renp_infer.files import open_own, require_room, sweeping, write_text
from renp_infer.resources import PACKAGE, kernel_cache
from renp_infer.study.units import described
from renp_infer.terminal import document

WARM: set[str] = set()
"""Kinds of work for which this process has its kernels."""


@dataclass(frozen=True)
class Reply:
    """What became of one task.

    Attributes
    ----------
    task : Task
    payload : bytes or None
        The result's file; ``None`` after an error.
    error : str
        Class and text of the error, in one line; empty if there is none.
    trace : str
        Its traceback, for ``--debug``.
    named : bool
        Whether the package raised it on purpose: the task would fail again.
    seconds : float
        Time taken, by a clock that does not jump.
    worker : str
        Host and process.
    identity : str
        Version of the package and of the physics there.
    """

    task: Task
    payload: bytes | None
    error: str
    trace: str
    named: bool
    seconds: float
    worker: str
    identity: str


Take = Callable[[], Batch | None]
"""Gives the next batch, or ``None`` if there is none at the moment."""
Given = tuple[Batch, list[Reply] | None]
"""A batch and its answers; ``None`` if its worker died or lost it."""


def identity() -> str:
    """Version of the package and of the physics in this process."""
    import renp_infer
    from renp_infer.versions import PHYSICS_VERSION

    return f"{renp_infer.__version__}, physics {PHYSICS_VERSION}"


def of_this_version(answers: list[Reply]) -> list[Reply]:
    """Answers of a worker that computes what this process would.

    Raises
    ------
    ExecutorError
        If it has another version of the package or of the physics.
    """
    for answer in answers:
        if answer.identity != identity():
            text = f"worker {answer.worker} has renp-infer {answer.identity}, not {identity()}"
            raise ExecutorError(text)
    return answers


def here() -> str:
    """Host and process that run this."""
    return f"{platform.node()}:{os.getpid()}"


def perform(batch: Batch, context: Context) -> list[Reply]:
    """Do the tasks of a batch, one after the other.

    Parameters
    ----------
    batch : Batch
    context : Context

    Returns
    -------
    list of Reply
        In the order of the tasks. One that fails does not stop the others.
    """
    context = replace(context, scratch=batch.scratch)
    # Libraries that print must not reach standard output: it may be one document.
    stderr = contextlib.redirect_stdout(sys.stderr)
    with own_surroundings(), sweeping(), stderr, _compiled_once(batch):
        return [_answer(batch, task, context) for task in batch.tasks]


def _answer(batch: Batch, task: Task, context: Context) -> Reply:
    begin = time.monotonic()
    blank = Reply(task, None, "", "", False, 0.0, here(), identity())
    try:
        result = batch.verb.perform(batch.study, task, context)
        if not batch.verb.merges:
            result = add_provenance(result, batch.study, time.monotonic() - begin)
        return replace(blank, payload=encoded(result), seconds=time.monotonic() - begin)
    except Exception as error:
        named = isinstance(error, RenpError)
        text = str(error) if named else f"{type(error).__name__}: {error}"
        return replace(
            blank,
            error=" ".join(text.split()),
            trace=traceback.format_exc(),
            named=named,
            seconds=time.monotonic() - begin,
        )


def encoded(result: Any) -> bytes:
    """File of a result: JSON of a ``dict``, netCDF-4 of a ``DataTree``."""
    if isinstance(result, dict):
        return document(result).encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result.nc"
        require_room(path, sum(node.to_dataset(inherit=False).nbytes for node in result.subtree))
        described(result).to_netcdf(path, engine="h5netcdf")
        return path.read_bytes()


@contextlib.contextmanager
def _compiled_once(batch: Batch) -> Iterator[None]:
    """Let the first process of a node compile; the others wait and read its cache.

    Kernels are cached on disk by Numba. A marker beside the cache says that this
    kind of work has been done with the present sources; without a cache that can
    be written, each process compiles for itself.
    """
    kind = fingerprint(batch.verb.name, batch.study.kernel_inputs)[:16]
    cache = kernel_cache()
    if kind in WARM or cache is None:
        yield
        return
    marker, stamp = cache / f"renp-{kind}.compiled", _sources()
    with _locked(cache / f"renp-{kind}.lock") as release:
        if _text(marker) == stamp:
            release()
        yield
        if _text(marker) != stamp:
            with contextlib.suppress(OSError):  # the next process compiles, too
                write_text(marker, stamp)
    WARM.add(kind)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[Callable[[], None]]:
    """Hold a file's lock, until a function is called; none where there are no locks."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            handle = open_own(path, os.O_RDWR | os.O_CREAT)
            stack.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield stack.close


def _text(path: Path) -> str:
    """Text of a file; empty if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _sources() -> str:
    """Names, sizes and times of the package's modules, as Numba's cache sees them."""
    facts = [
        (str(path.relative_to(PACKAGE)), path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(PACKAGE.rglob("*.py"))
    ]
    return json.dumps(fingerprint(facts))
