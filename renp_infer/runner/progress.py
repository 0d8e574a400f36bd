"""How a running verb tells that it is alive: lines in a file, a bar on a terminal."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from renp_infer.errors import StoreError

INTERVAL_S = 0.5
"""Shortest time between two lines about the same study."""


class Lines:
    """One JSON object per event, appended to a file.

    Parameters
    ----------
    path : Path

    Raises
    ------
    StoreError
        If it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last = -INTERVAL_S
        try:
            self._stream = path.open("a", encoding="utf-8")
        except OSError as error:
            raise self._failure(error) from error

    def write(self, event: str, **facts: Any) -> None:
        """Write an event."""
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        try:
            self._stream.write(json.dumps({"time": when, "event": event} | facts) + "\n")
            self._stream.flush()
        except OSError as error:
            raise self._failure(error) from error

    def update(self, **facts: Any) -> None:
        """Write how far it is, unless the last line is recent."""
        now = time.monotonic()
        if now - self._last >= INTERVAL_S:
            self._last = now
            self.write("update", **facts)

    def close(self) -> None:
        """Close the file; a disk that is full has been complained of by then."""
        try:
            self._stream.close()
        except OSError:
            pass

    def _failure(self, error: OSError) -> StoreError:
        return StoreError(f"{self._path}: cannot be written ({error.strerror})")


class Bar:
    """A bar on a terminal's standard error, with rate and remaining time.

    Parameters
    ----------
    text : str
    total : float
    """

    def __init__(self, text: str, total: float) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn() if total > 1 else TextColumn("{task.percentage:3.0f} %"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            redirect_stdout=False,
        )
        self._bars.start()
        self._id = self._bars.add_task(text, total=total)

    def start_at(self, completed: int) -> None:
        """Set what was done before; it does not count for the rate."""
        self._bars.reset(self._id, completed=completed)

    def update(self, completed: float) -> None:
        """Move the bar."""
        self._bars.update(self._id, completed=completed)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._bars.stop()


class Meter:
    """Counts what is done of a verb in several runs; use as a context manager.

    Parameters
    ----------
    verb : str
    totals : mapping
        Number of tasks by study.
    files : mapping
        File for the lines of each study; none for a study that is not in it.
    quiet : bool
        Whether to show no bar even on a terminal.
    """

    def __init__(
        self,
        verb: str,
        totals: Mapping[str, int],
        files: Mapping[str, Path] | None = None,
        *,
        quiet: bool = False,
    ) -> None:
        self._verb, self._totals = verb, dict(totals)
        self._done, self._failed = dict.fromkeys(totals, 0), dict.fromkeys(totals, 0)
        self._before = dict.fromkeys(totals, 0)
        self._begin = dict.fromkeys(totals, time.monotonic())
        self._current = next(iter(totals))
        self._lines = {name: Lines(path) for name, path in (files or {}).items()}
        shown = not quiet and sys.stderr.isatty()
        self._bar = Bar(verb, sum(totals.values())) if shown else None

    def __enter__(self) -> Self:
        for name, lines in self._lines.items():
            lines.write("start", verb=self._verb, total=self._totals[name])
        return self

    def __exit__(self, kind: type[BaseException] | None, *_exc: object) -> None:
        try:
            for name, lines in self._lines.items():
                if kind is None:
                    lines.write("finish", **self._facts(name))
        finally:
            for lines in self._lines.values():
                lines.close()
            if self._bar is not None:
                self._bar.close()

    def found(self, name: str) -> None:
        """Count a task that was done before."""
        self._done[name] += 1
        self._before[name] += 1
        self._begin[name] = time.monotonic()
        if self._bar is not None:
            self._bar.start_at(self._sum())

    def begin(self, name: str) -> None:
        """Note the study whose tasks begin."""
        self._current = name

    def count(self, name: str, *, failed: bool = False) -> None:
        """Count a task that has ended."""
        (self._failed if failed else self._done)[name] += 1
        self._show(name, 0.0)

    def tell(self, stage: str, fraction: float) -> None:
        """Tell how far the task is that this process is at."""
        self._show(self._current, fraction, stage=stage)

    def _show(self, name: str, fraction: float, **facts: Any) -> None:
        if name in self._lines:
            self._lines[name].update(**self._facts(name, fraction), **facts)
        if self._bar is not None:
            self._bar.update(self._sum() + fraction)

    def _sum(self) -> int:
        return sum(self._done.values()) + sum(self._failed.values())

    def _facts(self, name: str, fraction: float = 0.0) -> dict[str, Any]:
        """Counts, and the rate since this process began."""
        done, failed = self._done[name], self._failed[name]
        seconds = time.monotonic() - self._begin[name]
        rate = (done + failed + fraction - self._before[name]) / max(seconds, 1e-9)
        left = self._totals[name] - done - failed - fraction
        return {
            "verb": self._verb,
            "completed": done + fraction,
            "failed": failed,
            "total": self._totals[name],
            "seconds": round(seconds, 3),
            "rate_per_s": float(f"{rate:.4g}"),
            "remaining_s": float(f"{left / rate:.4g}") if rate > 0 else None,
        }
