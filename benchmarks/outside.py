"""Time of signal and likelihood as programs of others call them.

``python benchmarks/outside.py`` prints one table. Processor seconds of this process, one
core, medians; the first call, which makes the table of a study, is not counted.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

import numpy as np
from run import Row, machine, show

import renp_infer as renp

REPEATS = 30
STUDY = "edge-layout-normalised"
MASSES_MEV = np.linspace(0.0, 300.0, 400)
ONE_MS, MANY_MS, TIMES = 5.0, 100.0, 2.0
"""Targets: one signal, 400 masses, and a likelihood over the one that our samplers call."""


def milliseconds(call: Callable[[], Any]) -> float:
    """Median of some calls after a first one."""
    call()
    found = []
    for _ in range(REPEATS):
        begin = process_time()
        for _ in range(10):
            call()
        found.append(100.0 * (process_time() - begin))
    return median(found)


def measure() -> list[Row]:
    """Signals and a log-likelihood of one study, ms."""
    study = renp.load_study(STUDY)
    found = renp.likelihood(study)
    point = found.prior.sample(1, 1)[0]
    inner = found._likelihood.log_likelihood
    return [
        row("signal of one mass", milliseconds(lambda: renp.signal(study, 20.0)), ONE_MS),
        row("signal of 400 masses", milliseconds(lambda: renp.signal(study, MASSES_MEV)), MANY_MS),
        row(
            "log-likelihood",
            milliseconds(lambda: found(point)),
            TIMES * milliseconds(lambda: inner(point)),
        ),
    ]


def row(name: str, taken_ms: float, target_ms: float) -> Row:
    """One line of the table."""
    return {"what": name, "ms": taken_ms, "target ms": target_ms, "met": taken_ms <= target_ms}


def main() -> None:
    """Print the table."""
    print(", ".join(f"{key} {value}" for key, value in machine().items()))
    show(measure.__doc__ or "", measure())


if __name__ == "__main__":
    main()
