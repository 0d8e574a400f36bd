"""A verb of tiny tasks, some of which fail as they are told; importable by workers."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from renp_infer import versions
from renp_infer.engine.result import Files, Result
from renp_infer.engine.tasks import Context, Task
from renp_infer.engine.verb import Verb
from renp_infer.errors import DomainError
from renp_infer.study.load import load_study
from renp_infer.study.study import Study

STUDY = 'schema = 1\nname = "toy"\n[layout]\ntheta_s_deg = [50.0, 60.0]\n'


def toy_study(folder: Path, *overrides: str) -> Study:
    """A valid study; its physics plays no part."""
    path = folder / "toy.toml"
    path.write_text(STUDY)
    return load_study(path, overrides)


@dataclass(frozen=True)
class ToyResult(Result):
    """Index and number of each task."""

    rows_found: list[list[float]]


@dataclass(frozen=True)
class Toy(Verb):
    """Tasks that draw a number, and log what they do in a folder."""

    orders: str
    count: int = 20
    milliseconds: float = 0.0

    name, file, rank, merges = "toy", "toy.json", 0, True

    def wanted(self, _study: Study) -> bool:
        return True

    def inputs(self, study: Study) -> dict[str, Any]:
        found = {"seed": study.seed, "length": study.experiment.layout.length_cm}
        return found | {"physics_version": versions.PHYSICS_VERSION}

    def parts(self, _study: Study) -> list[dict[str, Any]]:
        return [{}] * self.count

    def perform(self, _study: Study, task: Task, _context: Context) -> dict[str, Any]:
        """Draw a number; first obey ``orders/<index>``, whose last letter is used up."""
        os.close(tempfile.mkstemp(prefix="left-")[0])  # as libraries do
        time.sleep(1e-3 * self.milliseconds)
        order = Path(self.orders) / str(task.index)
        if order.is_file() and (letters := order.read_text()):
            order.write_text(letters[:-1])
            if letters[-1] == "k":
                os.kill(os.getpid(), signal.SIGKILL)
            if letters[-1] in "lp":
                _lose_an_interruption()
            if letters[-1] == "p":
                return {"index": task.index, "value": 0.0}
            if letters[-1] == "m":
                _run_out_of_memory()
            if letters[-1] == "n":
                raise DomainError("index", task.index, "an index that is not ordered to fail")
            raise RuntimeError(f"ordered to fail at {task.index}")
        with (Path(self.orders) / "log").open("a") as log:
            log.write(f"{task.index}\n")
        return {"index": task.index, "value": float(np.random.default_rng(task.seed()).normal())}

    def merge(self, _study: Study, paths: Iterator[str], target: Path) -> None:
        rows = [json.loads(Path(path).read_bytes()) for path in paths]
        text = json.dumps([[row["index"], row["value"]] for row in rows])
        order = Path(self.orders) / "merge"
        if order.is_file():
            order.unlink()
            target.write_text(text[: len(text) // 2])
            (Path(self.orders) / "merging").touch()
            time.sleep(60.0)
        target.write_text(text)

    def read(self, files: Files, _study: Mapping[str, Any]) -> ToyResult:
        return ToyResult(json.loads(files.path(self.file).read_bytes()))


@dataclass(frozen=True)
class Single(Toy):
    """One long task, which tells how far it is and whose result is the verb's."""

    name, file, merges = "single", "single.json", False

    def perform(self, study: Study, task: Task, context: Context) -> dict[str, Any]:
        for k in range(20):
            context.tell("working", k / 20)
            time.sleep(1e-3 * self.milliseconds)
        return super().perform(study, task, context)

    def read(self, files: Files, _study: Mapping[str, Any]) -> ToyResult:
        found = json.loads(files.path(self.file).read_bytes())
        return ToyResult([[found["index"], found["value"]]])


def _run_out_of_memory() -> None:
    """Take more than the system lets a process have; what was taken is given back."""
    limit, most = resource.getrlimit(resource.RLIMIT_AS)
    there = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (there + 2**26, most))
    try:
        [bytearray(2**22) for _ in range(100)]
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (limit, most))


def _lose_an_interruption() -> None:
    """Be told to end, and go on, as a library may that knows better."""
    with contextlib.suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60.0)


def toy_verb(orders: Path, count: int = 20, milliseconds: float = 0.0) -> Verb:
    """A verb of ``count`` tasks that log what they do in a folder."""
    orders.mkdir(exist_ok=True)
    return Toy(str(orders), count, milliseconds)


def single_verb(orders: Path, milliseconds: float = 0.0) -> Verb:
    """A verb that is one task in twenty steps."""
    orders.mkdir(exist_ok=True)
    return Single(str(orders), 1, milliseconds)


def performed(orders: Path) -> list[int]:
    """Indices of the tasks that were carried out, in order of index."""
    log = orders / "log"
    return sorted(map(int, log.read_text().split())) if log.is_file() else []
