"""How a running task tells that it is alive: one protocol, three listeners."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, Self

INTERVAL_S = 0.5
"""Shortest time between two lines about the same task."""


class ProgressSink(Protocol):
    """What a task may tell."""

    def start(self, task: str, total: float | None = None) -> None:
        """Tell that a task begins, with its number of steps if known."""

    def update(self, task: str, completed: float, **facts: Any) -> None:
        """Tell how many steps are done; ``facts`` are small and plain."""

    def finish(self, task: str, **facts: Any) -> None:
        """Tell that a task has ended well."""


class Lines:
    """One JSON object per event, appended to a file.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._stream = path.open("a", encoding="utf-8")
        self._last: dict[str, float] = {}

    def start(self, task: str, total: float | None = None) -> None:
        """Write that a task begins."""
        self._write("start", task, total=total)

    def update(self, task: str, completed: float, **facts: Any) -> None:
        """Write how many steps are done, unless the last line is recent."""
        now = time.monotonic()
        if now - self._last.get(task, -INTERVAL_S) >= INTERVAL_S:
            self._last[task] = now
            self._write("update", task, completed=completed, **facts)

    def finish(self, task: str, **facts: Any) -> None:
        """Write that a task has ended well."""
        self._write("finish", task, **facts)

    def _write(self, event: str, task: str, **facts: Any) -> None:
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"time": when, "event": event, "task": task} | facts
        self._stream.write(json.dumps(line, default=str) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


class Bar:
    """A bar per task on a terminal's standard error."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            redirect_stdout=False,
        )
        self._bars.start()
        self._ids: dict[str, Any] = {}

    def start(self, task: str, total: float | None = None) -> None:
        """Show a bar."""
        self._ids[task] = self._bars.add_task(task, total=1.0 if total is None else total)

    def update(self, task: str, completed: float, **_facts: Any) -> None:
        """Move the bar."""
        self._bars.update(self._ids[task], completed=completed)

    def finish(self, task: str, **_facts: Any) -> None:
        """Fill the bar."""
        bar = self._ids[task]
        total = next(shown.total for shown in self._bars.tasks if shown.id == bar)
        self._bars.update(bar, completed=total)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._bars.stop()


class Progress:
    """Tells all its listeners; use as a context manager.

    Parameters
    ----------
    path : Path or None
        File for JSON lines; ``None`` writes none.
    quiet : bool
        Whether to show no bar even on a terminal.
    """

    def __init__(self, path: Path | None = None, *, quiet: bool = False) -> None:
        self._sinks: list[Lines | Bar] = [] if path is None else [Lines(path)]
        if not quiet and sys.stderr.isatty():
            self._sinks.append(Bar())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        for sink in self._sinks:
            sink.close()

    def start(self, task: str, total: float | None = None) -> None:
        """Tell that a task begins."""
        for sink in self._sinks:
            sink.start(task, total)

    def update(self, task: str, completed: float, **facts: Any) -> None:
        """Tell how many steps are done."""
        for sink in self._sinks:
            sink.update(task, completed, **facts)

    def finish(self, task: str, **facts: Any) -> None:
        """Tell that a task has ended well."""
        for sink in self._sinks:
            sink.finish(task, **facts)
