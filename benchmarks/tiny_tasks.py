"""Tasks that do nothing, to see what the layer around them costs."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renp_infer.engine.campaign import Work, update
from renp_infer.engine.executors import parse_executor
from renp_infer.engine.store import Store
from renp_infer.engine.tasks import Context, Task
from renp_infer.engine.verb import Verb
from renp_infer.study.load import load_study
from renp_infer.study.study import Study


@dataclass(frozen=True)
class Tiny(Verb):
    """Tasks that keep a core busy for some time."""

    count: int
    seconds: float

    name, file, rank, merges = "tiny", "tiny.json", 0, True

    def inputs(self, study: Study) -> int:
        return study.seed

    def parts(self, _study: Study) -> list[dict[str, Any]]:
        return [{}] * self.count

    def perform(self, _study: Study, task: Task, _context: Context) -> dict[str, Any]:
        # by the wall clock, workers that share a core would seem to work at the same time
        end = time.thread_time() + self.seconds
        while time.thread_time() < end:
            pass
        return {"index": task.index}

    def merge(self, _study: Study, paths: Iterator[str], target: Path) -> None:
        target.write_text(str(sum(os.path.getsize(path) for path in paths)))


def tiny(count: int, seconds: float = 0.0) -> Verb:
    """A verb of ``count`` tasks that keep a core busy for some time."""
    return Tiny(count, seconds)


def peak_mb() -> float:
    """Largest resident memory so far of this process, without its children; Linux only."""
    # getrusage would begin with what the parent of this process had
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return float(status.partition("VmHWM:")[2].split()[0]) / 1024


def main(count: int, executor: str, seconds: float) -> None:
    """Wall and processor seconds of a run, wall seconds of its resumption, memory in MB.

    Processor time and memory are those of this process, without workers. One line.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tiny.toml").write_text('schema = 1\nname = "tiny"\n')
        study, verb = load_study(folder / "tiny.toml"), tiny(count, seconds)
        times: list[float] = []
        busy: list[float] = []
        with parse_executor(executor) as workers:
            with Store(folder / "warm") as store:  # starts the workers
                update([Work(study, store, tiny(8))], workers, quiet=True)
            with Store(folder / "run") as store:
                for _ in range(2):
                    begin, before = time.perf_counter(), time.process_time()
                    update([Work(study, store, verb)], workers, quiet=True)
                    times.append(time.perf_counter() - begin)
                    busy.append(time.process_time() - before)
                    store.path(verb.file).unlink()
        sys.stdout.write(f"{times[0]} {busy[0]} {times[1]} {peak_mb()}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
