"""A verb of tiny tasks, some of which fail as they are told; importable by workers."""

from __future__ import annotations

import functools
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from renp_infer.engine.tasks import Context, Task, Verb
from renp_infer.errors import DomainError
from renp_infer.study.load import load_study
from renp_infer.study.study import Study

STUDY = 'schema = 1\nname = "toy"\n[layout]\ntheta_s_deg = [50.0, 60.0]\n'


def toy_study(folder: Path, *overrides: str) -> Study:
    """A valid study; its physics plays no part."""
    path = folder / "toy.toml"
    path.write_text(STUDY)
    return load_study(path, overrides)


def _perform(
    _study: Study, task: Task, _context: Context, orders: str, milliseconds: float
) -> dict[str, Any]:
    """Draw a number; first obey ``orders/<index>``, whose last letter is used up."""
    time.sleep(1e-3 * milliseconds)
    order = Path(orders) / str(task.index)
    if order.is_file() and (letters := order.read_text()):
        order.write_text(letters[:-1])
        if letters[-1] == "k":
            os.kill(os.getpid(), signal.SIGKILL)
        if letters[-1] == "n":
            raise DomainError("index", task.index, "an index that is not ordered to fail")
        raise RuntimeError(f"ordered to fail at {task.index}")
    with (Path(orders) / "log").open("a") as log:
        log.write(f"{task.index}\n")
    return {"index": task.index, "value": float(np.random.default_rng(task.seed()).normal())}


def _inputs(study: Study) -> dict[str, Any]:
    return {"seed": study.seed, "length": study.experiment.layout.length_cm}


def _many(_study: Study, count: int) -> int:
    return count


def _join(_study: Study, paths: Iterator[str], target: Path) -> None:
    rows = [json.loads(Path(path).read_bytes()) for path in paths]
    target.write_text(json.dumps([[row["index"], row["value"]] for row in rows]))


def toy_verb(orders: Path, count: int = 20, milliseconds: float = 0.0) -> Verb:
    """A verb of ``count`` tasks that log what they do in a folder."""
    orders.mkdir(exist_ok=True)
    return Verb(
        "toy",
        "toy.json",
        functools.partial(_perform, orders=str(orders), milliseconds=milliseconds),
        _inputs,
        functools.partial(_many, count=count),
        merge=_join,
    )


def performed(orders: Path) -> list[int]:
    """Indices of the tasks that were carried out, in order of index."""
    log = orders / "log"
    return sorted(map(int, log.read_text().split())) if log.is_file() else []
