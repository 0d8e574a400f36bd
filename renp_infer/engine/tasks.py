"""Tasks: pure pieces of a study's work, each with a key, a seed and one result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

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
    part : plain
        What it is about, as its verb says it.
    """

    index: int
    key: str
    base: str
    root_seed: int
    part: Any = None

    def seed(self, *stream: int) -> np.random.SeedSequence:
        """Seed of one of the task's random streams, from root seed, key and index."""
        words = tuple(int(self.base[k : k + 8], 16) for k in range(0, 64, 8))
        return np.random.SeedSequence(self.root_seed, spawn_key=(*words, self.index, *stream))


@dataclass(frozen=True)
class Scratch:
    """Where a task that was killed finds what it can go on from.

    Attributes
    ----------
    run : str
        The run directory.
    folder : str
        A folder in it, which need not exist.
    """

    run: str
    folder: str

    def path(self, name: str) -> Path | None:
        """Path of a file; ``None`` where the run directory is not on this machine."""
        return Path(self.run, self.folder, name) if Path(self.run).is_dir() else None


@dataclass(frozen=True)
class Context:
    """What a task may use; none of it changes a result.

    Attributes
    ----------
    cores : int
    tell : callable
    scratch : Scratch, optional
    """

    cores: int = 1
    tell: Tell = field(default=silent, compare=False)
    scratch: Scratch | None = None
