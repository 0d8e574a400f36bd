"""Where tasks run: in this process, in processes of this machine, or on a cluster.

All executors are one loop: take batches while there is room, give back what
became of each. Which executor it is, and how many workers it has, changes no
result. Processes of this machine hang on pipes (``processes.py``); more than one
machine is always Dask, whose scheduler replaces workers that die.
"""

from __future__ import annotations

import json
import os
import re
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, Self

from renp_infer.engine.interruption import unlost_interruption
from renp_infer.engine.processes import Processes
from renp_infer.engine.tasks import Context
from renp_infer.engine.verb import Batch
from renp_infer.engine.worker import Given, Reply, Take, of_this_version, perform
from renp_infer.errors import ConfigError, ExecutorError
from renp_infer.study.paths import expanded
from renp_infer.terminal import say

ALLOWED = "serial | processes:N | dask:ADDRESS | dask:local[:N] | jobqueue:SYSTEM:N"
_REFRESH_S = 1.0
"""How often a cluster is asked for the number of its workers."""
SUSPICIOUS_S = 30.0
"""A cluster that answers nothing for so long is asked what its workers are at."""
_SETTINGS = {
    # A dead worker is this package's business: it knows which task to blame.
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.worker.memory.terminate": False,
    "distributed.worker.memory.pause": False,
    # Dask remembers its last messages, by default a thousand; each holds a batch of tasks.
    "distributed.admin.low-level-log-length": 8,
}


class Executor(Protocol):
    """What runs tasks.

    Attributes
    ----------
    name : str
        As the user gave it.
    largest_batch : int
        Tasks that may travel together, and be lost together.
    """

    name: str
    largest_batch: int

    def run(self, take: Take, context: Context) -> Iterator[Given]:
        """Run batches until there are none, in any order."""

    def __enter__(self) -> Self:
        """Hold the workers."""

    def __exit__(self, *_exc: object) -> None:
        """Let the workers go."""


class Serial:
    """One batch after the other, in this process."""

    name, largest_batch = "serial", 1

    def run(self, take: Take, context: Context) -> Iterator[Given]:
        """Run batches until there are none."""
        while (batch := take()) is not None:
            with unlost_interruption():
                answers = perform(batch, context)
            yield batch, answers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        """Nothing to let go."""


class Dask:
    """Workers of a Dask scheduler, which is met when there is work.

    Parameters
    ----------
    name : str
        As the user gave it.
    connect : callable
        ``ExitStack -> Client``; what it enters is left with the executor.
    cores : int
        Cores a task may use.
    """

    largest_batch = 1000

    def __init__(self, name: str, connect: Callable[[ExitStack], Any], cores: int) -> None:
        self.name, self._connect, self._cores = name, connect, cores
        self._stack = ExitStack()
        self._client: Any = None
        self._doubts = _Doubts()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stack.close()
        self._client = None

    def run(self, take: Take, context: Context) -> Iterator[Given]:
        """Run batches until there are none; two per worker are under way at a time."""
        quiet = replace(context, cores=self._cores, tell=Context().tell)
        flying: dict[Future[list[Reply]], tuple[str, Batch]] = {}
        while True:
            while len(flying) < self._room() and (batch := take()) is not None:
                key = f"renp-{uuid.uuid4()}"
                flying[self._submit(batch, quiet, key)] = key, batch
            if not flying:
                return
            done, _ = wait(flying, timeout=_REFRESH_S, return_when=FIRST_COMPLETED)
            if not done and self._client.status != "running":
                raise ExecutorError(f"{self.name}: the scheduler is gone")
            for future in done:
                self._doubts.heard()
                yield flying.pop(future)[1], _answers(future)
            lost = self._doubts.lost(self._client)
            for future in [future for future, (key, _) in flying.items() if key in lost]:
                future.cancel()
                yield flying.pop(future)[1], None

    def _submit(self, batch: Batch, context: Context, key: str) -> Future[list[Reply]]:
        if self._client is None:
            import dask
            import distributed  # noqa: F401  # its defaults first: what is set before is lost

            self._stack.enter_context(dask.config.set(_SETTINGS))
            self._client = self._connect(self._stack)
            self._pool = self._client.get_executor(pure=False)
            # Left before the client, so that nothing new starts while it closes.
            self._stack.callback(self._pool.shutdown, wait=False)
        future: Future[list[Reply]] = self._pool.submit(perform, batch, context, key=key)
        return future

    def _room(self) -> int:
        """Batches that may be under way: enough that no worker waits for the next."""
        if self._client is None:
            return 1
        try:
            threads = self._client.nthreads()
        except OSError as error:  # a lost connection is one
            raise ExecutorError(f"{self.name}: the scheduler is gone") from error
        return 2 * max(1, sum(threads.values()))


class _Doubts:
    """Finds batches that a living worker has lost, for which one would wait for ever."""

    def __init__(self) -> None:
        self._idle: dict[str, float] = {}
        self.heard()

    def heard(self) -> None:
        """Note that the cluster answers."""
        self._next = time.monotonic() + SUSPICIOUS_S

    def lost(self, client: Any) -> set[str]:
        """Keys that were twice, in reports of different times, with a worker that did nothing."""
        if time.monotonic() < self._next:
            return set()
        self.heard()
        before, self._idle = self._idle, _idle_keys(client)
        return {key for key, seen in self._idle.items() if before.get(key, seen) < seen}


def _idle_keys(client: Any) -> dict[str, float]:
    """Keys that are with workers who do nothing, and when these last reported."""

    def look(dask_scheduler: Any) -> dict[str, float]:
        workers = dask_scheduler.workers.values()
        idle = [worker for worker in workers if not worker.executing]
        return {task.key: worker.last_seen for worker in idle for task in worker.processing}

    try:
        found: dict[str, float] = client.run_on_scheduler(look)
    except Exception:  # one that does not tell, or is gone: the next round says so
        return {}
    return found


def _answers(future: Future[list[Reply]]) -> list[Reply] | None:
    """Answers of a batch; ``None`` if its worker died.

    Raises
    ------
    ExecutorError
        If the cluster failed, or its workers would compute something else.
    """
    from distributed.scheduler import KilledWorker

    try:
        answers = future.result()
    except KilledWorker:
        return None
    except (Exception, CancelledError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ExecutorError(f"the workers cannot do their work ({reason})") from error
    return of_this_version(answers)


def is_dask(name: str) -> bool:
    """Whether an executor of this name is Dask."""
    return name.startswith(("dask:", "jobqueue:")) and not name.startswith("dask:local")


def parse_executor(text: str) -> Executor:
    """Read the value of ``--executor``; starts nothing.

    Parameters
    ----------
    text : str
        One of ``ALLOWED``.

    Raises
    ------
    ConfigError
        If it is none of them.
    """
    kind, _, rest = text.partition(":")
    if text == "serial":
        return Serial()
    if kind == "processes" and _is_count(rest):
        return Processes(text, int(rest))
    if kind == "dask" and re.match(r"local(:|$)", rest):
        count = rest.removeprefix("local").removeprefix(":") or str(os.cpu_count() or 1)
        if _is_count(count) and not rest.endswith(":"):
            return Processes(text, int(count))
    elif kind == "dask" and (rest.endswith(".json") or re.fullmatch(r"[\x21-\x7e]{1,500}", rest)):
        return Dask(text, lambda stack: _remote(stack, rest), 1)
    system, _, count = rest.partition(":")
    if kind == "jobqueue" and re.fullmatch(r"[a-z]{1,20}", system) and _is_count(count):
        from renp_infer.engine.jobqueue import connector

        return Dask(text, connector(system, int(count)), 1)
    raise ConfigError("--executor", text, ALLOWED)


def _is_count(text: str) -> bool:
    return re.fullmatch(r"[1-9][0-9]{0,3}", text) is not None


def _remote(stack: ExitStack, given: str) -> Any:
    """Client of a scheduler that runs elsewhere."""
    from distributed import Client
    from distributed.comm.addressing import parse_host_port

    _be_quiet(stack)
    try:
        address = _address_in(expanded(given)) if given.endswith(".json") else given
        # A client that finds nobody keeps trying, and complains even when it is dropped.
        host, port = parse_host_port(address.rpartition("://")[2])
        socket.create_connection((host, port), timeout=10).close()
        if not address.startswith("tls://"):
            open_to_all = "has no certificates: whoever reaches it can run programs as its owner"
            say(f"--executor: {address} {open_to_all}; see docs/running.md")
        return stack.enter_context(Client(address, timeout=10, set_as_default=False))
    except (OSError, ValueError, TypeError, KeyError) as error:
        allowed = "the address of a Dask scheduler that answers, or its scheduler file"
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ConfigError("--executor", f"dask:{given}", allowed, reason) from error


def _address_in(path: Path) -> str:
    """Address that a scheduler wrote into its file."""
    return str(json.loads(path.read_bytes())["address"])


def _be_quiet(stack: ExitStack) -> None:
    """Keep a cluster's own messages off the terminal while it is used; we tell what matters."""
    import logging

    for name in ("distributed", "tornado", "asyncio"):
        logger = logging.getLogger(name)
        stack.callback(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL)
