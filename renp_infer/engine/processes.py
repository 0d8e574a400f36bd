"""Worker processes of this machine, each at the end of a pipe.

A pipe has no name and no address: nobody but the two processes that hold it can
open it, whatever other users the machine has. One batch at a time goes down, its
answers come up; the end of a pipe is the end of its worker, on either side.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Self

from renp_infer.engine.tasks import Context, silent
from renp_infer.engine.verb import Batch
from renp_infer.engine.worker import Given, Take, of_this_version, perform
from renp_infer.errors import ExecutorError
from renp_infer.resources import kernel_cache

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Workers side by side: threads of their own would only slow each other down."""


@dataclass(eq=False)
class _Worker:
    """A process, our end of its pipe, and what it is at."""

    process: BaseProcess
    pipe: Connection
    batch: Batch | None = None
    ready: bool = False

    def end(self) -> None:
        """Let go of the process, which may be in the middle of something."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


class Processes:
    """Worker processes of this machine; started when there is work.

    Parameters
    ----------
    name : str
        As the user gave it.
    workers : int
        Most that run at a time.
    """

    largest_batch = 1000

    def __init__(self, name: str, workers: int) -> None:
        self.name, self._most = name, workers
        self._cores = max(1, (os.cpu_count() or 1) // workers)
        self._workers: list[_Worker] = []
        self._stack = ExitStack()
        self._folder = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        while self._workers:
            self._workers[-1].end()
            self._workers.pop()
        self._stack.close()

    def run(self, take: Take, context: Context) -> Iterator[Given]:
        """Run batches until there are none, one per worker at a time."""
        quiet = replace(context, cores=self._cores, tell=silent)
        while True:
            while len(self._busy()) < self._most and (batch := take()) is not None:
                self._give(batch, quiet)
            if not self._busy():
                return
            for batch, answers in self._answered():
                # The worker's next batch goes down before these answers are kept.
                if (following := take()) is not None:
                    self._give(following, quiet)
                yield batch, answers

    def _busy(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.batch is not None]

    def _give(self, batch: Batch, context: Context) -> None:
        """Send a batch to a worker that waits, or to a new one."""
        for worker in [worker for worker in self._workers if worker.batch is None]:
            if self._sent(worker, batch, context):
                return
        if not self._sent(self._start(), batch, context):
            raise self._no_start()

    def _sent(self, worker: _Worker, batch: Batch, context: Context) -> bool:
        """Whether a batch could be sent; a worker that has died meanwhile is dropped."""
        try:
            worker.pipe.send((batch, context))
        except OSError:
            self._drop(worker)
            return False
        worker.batch = batch
        return True

    def _start(self) -> _Worker:
        if not self._folder:
            kept = tempfile.TemporaryDirectory(prefix="renp-", ignore_cleanup_errors=True)
            self._folder = self._stack.enter_context(kept)
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        with theirs, _environment(self._variables()):
            process = spawn.Process(target=_serve, args=(theirs,), daemon=True)
            process.start()
        self._workers.append(_Worker(process, ours))
        return self._workers[-1]

    def _variables(self) -> dict[str, str]:
        """Environment of the workers; where kernels cannot be kept, they are for the run."""
        found = _ONE_THREAD | {"TMPDIR": self._folder}
        return found if kernel_cache() else found | {"NUMBA_CACHE_DIR": self._folder}

    def _drop(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.end()

    def _no_start(self) -> ExecutorError:
        hint = "a script that starts them needs a line if __name__ == '__main__'"
        return ExecutorError(f"{self.name}: the worker processes end before they begin; {hint}")

    def _answered(self) -> Iterator[Given]:
        """Batches of the workers that answer next, or die.

        Raises
        ------
        ExecutorError
            If one ends before it has begun, or would compute something else.
        """
        pipes: dict[object, _Worker] = {worker.pipe: worker for worker in self._busy()}
        for pipe in wait([worker.pipe for worker in self._busy()]):
            worker = pipes[pipe]
            batch = worker.batch
            try:
                said = worker.pipe.recv()
            except (EOFError, OSError) as error:
                self._drop(worker)
                if not worker.ready:
                    raise self._no_start() from error
                said = None
            if batch is not None and worker.ready:
                worker.batch = None
                yield batch, None if said is None else of_this_version(said)
            worker.ready = True


def _serve(pipe: Connection) -> None:
    """Do what comes through a pipe until its other end is closed: a worker's life."""
    for number in (signal.SIGINT, signal.SIGHUP):  # of a terminal: the driver decides
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_driver, daemon=True).start()
    with contextlib.suppress(EOFError, ConnectionError):
        pipe.send(None)  # it has begun
        while True:
            batch, context = pipe.recv()
            pipe.send(perform(batch, context))


def _end_with_driver() -> None:
    driver = multiprocessing.parent_process()
    if driver is not None:
        driver.join()
        os._exit(1)


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables for a process that is started within."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
