"""How a running verb tells that it is alive: lines in a file, a bar on a terminal."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self, TextIO

from renp_infer.errors import StoreError
from renp_infer.files import open_own

INTERVAL_S = 0.5
"""Shortest time between two lines about the same study."""
UNDER_WAY = 0.99
"""Largest part of a task that counts before it has ended: a bar that is full stops its clock."""


class Lines:
    """One JSON object per event, appended to a file or written to standard error.

    Parameters
    ----------
    path : Path or None
        ``None`` for standard error.
    **facts
        What every line says.

    Raises
    ------
    StoreError
        If it cannot be written.
    """

    def __init__(self, path: Path | None, **facts: Any) -> None:
        self._path, self._always = path, facts
        self._last = -INTERVAL_S
        try:
            self._stream = sys.stderr if path is None else _appended(path)
        except StoreError:
            raise
        except OSError as error:
            raise self._failure(error) from error

    def write(self, event: str, **facts: Any) -> None:
        """Write an event."""
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        try:
            self._stream.write(
                json.dumps({"time": when, "event": event} | self._always | facts) + "\n"
            )
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
        if self._path is None:
            return
        try:
            self._stream.close()
        except OSError:
            pass

    def _failure(self, error: OSError) -> StoreError:
        name = self._path or "standard error"
        return StoreError(f"{name}: cannot be written ({error.strerror})")


def _appended(path: Path) -> TextIO:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return open(open_own(path, flags), "a", encoding="utf-8")


class Pace:
    """How fast this process is; what was done before it began does not count."""

    def __init__(self) -> None:
        self._begin, self._running = time.monotonic(), False
        self._ended = 0

    def begin(self) -> None:
        """Start the clock with the first task that is handed out."""
        if not self._running:
            self._begin, self._running = time.monotonic(), True

    def count(self) -> None:
        """Count a task that has ended."""
        self._ended += 1

    @property
    def seconds(self) -> float:
        """Time since the first task was handed out."""
        return time.monotonic() - self._begin

    def rate_per_s(self, fraction: float) -> float:
        """Tasks in a second, the one that is at ``fraction`` counted in part."""
        return (self._ended + fraction) / max(self.seconds, 1e-9)


def pace_text(rate_per_s: float, left: float, total: int) -> str:
    """Rate and remaining time in words; nothing before there is a rate."""
    if rate_per_s <= 0.0:
        return ""
    rate = f"{rate_per_s:.3g}/s" if rate_per_s >= 1.0 else f"{1.0 / rate_per_s:.3g} s each"
    remaining = f"{timedelta(seconds=math.ceil(left / rate_per_s))} left"
    return f"{rate}, {remaining}" if total > 1 else remaining


class Bar:
    """A bar on a terminal's standard error, with stage, rate and remaining time.

    Times are those of the moment at which it is drawn, ten times a second.

    Parameters
    ----------
    text : str
    total : int
    """

    def __init__(self, text: str, total: int) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            ProgressColumn,
            TextColumn,
            TimeElapsedColumn,
        )
        from rich.text import Text

        pace = self._pace

        class PaceColumn(ProgressColumn):
            def render(self, _task: object) -> Text:
                return Text(pace())

        self._total, self._text = total, text
        self._rate_per_s, self._left, self._since = 0.0, float(total), time.monotonic()
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            MofNCompleteColumn() if total > 1 else TextColumn("{task.percentage:3.0f} %"),
            TimeElapsedColumn(),
            PaceColumn(),
            console=Console(stderr=True),
            redirect_stdout=False,
        )
        self._bars.start()
        self._id = self._bars.add_task(text, total=total)

    def update(self, completed: float, rate_per_s: float, stage: str = "") -> None:
        """Move the bar."""
        self._rate_per_s, self._left = rate_per_s, self._total - completed
        self._since = time.monotonic()
        text = f"{self._text}: {stage}" if stage else self._text
        self._bars.update(self._id, completed=completed, description=text)

    def _pace(self) -> str:
        """Rate and remaining time, less what has passed since they were known."""
        passed = self._rate_per_s * (time.monotonic() - self._since)
        return pace_text(self._rate_per_s, max(self._left - passed, 0.0), self._total)

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
        Whether to show nothing even on a terminal.
    lines : bool
        Whether to show JSON lines on standard error, for programs, and no bar.
    """

    def __init__(
        self,
        verb: str,
        totals: Mapping[str, int],
        files: Mapping[str, Path] | None = None,
        *,
        quiet: bool = False,
        lines: bool = False,
    ) -> None:
        self._verb, self._totals = verb, dict(totals)
        self._done, self._failed = dict.fromkeys(totals, 0), dict.fromkeys(totals, 0)
        self._reached = dict.fromkeys(totals, 0.0)
        self._paces = {name: Pace() for name in totals}
        self._pace = Pace()
        self._current = next(iter(totals))
        self._lines = {name: [Lines(path)] for name, path in (files or {}).items()}
        if lines and not quiet:
            for name in totals:
                self._lines.setdefault(name, []).append(Lines(None, study=name))
        shown = not quiet and not lines and sys.stderr.isatty()
        self._bar = Bar(verb, sum(totals.values())) if shown else None

    def __enter__(self) -> Self:
        for name, lines in self._each():
            lines.write("start", verb=self._verb, total=self._totals[name])
        return self

    def __exit__(self, kind: type[BaseException] | None, *_exc: object) -> None:
        try:
            for name, several in self._lines.items() if kind is None else ():
                facts = self._facts(name)
                for lines in several:
                    lines.write("finish", **facts)
        finally:
            for _, lines in self._each():
                lines.close()
            if self._bar is not None:
                self._bar.close()

    def _each(self) -> Iterator[tuple[str, Lines]]:
        return ((name, one) for name, several in self._lines.items() for one in several)

    def found(self, name: str) -> None:
        """Count a task that was done before."""
        self._done[name] += 1
        self._move(name, 0.0)
        if self._bar is not None:
            self._bar.update(self._sum(), self._pace.rate_per_s(0.0))

    def begin(self, name: str) -> None:
        """Note the study whose tasks begin."""
        self._current = name
        self._pace.begin()
        self._paces[name].begin()

    def count(self, name: str, *, failed: bool = False) -> None:
        """Count a task that has ended."""
        (self._failed if failed else self._done)[name] += 1
        self._pace.count()
        self._paces[name].count()
        self._show(name, 0.0)

    def tell(self, stage: str, fraction: float) -> None:
        """Tell how far the task is that this process is at."""
        self._show(self._current, min(fraction, UNDER_WAY), stage)

    def _show(self, name: str, fraction: float, stage: str = "") -> None:
        self._move(name, fraction)
        told = self._facts(name, fraction) | ({"stage": stage} if stage else {})
        for lines in self._lines.get(name, ()):
            lines.update(**told)
        if self._bar is not None:
            self._bar.update(self._sum(), self._pace.rate_per_s(fraction), stage)

    def _move(self, name: str, fraction: float) -> None:
        """Go on, never back: stages of a task begin anew, and so does one that is tried again."""
        place = self._done[name] + self._failed[name] + fraction
        self._reached[name] = max(self._reached[name], place)

    def _sum(self) -> float:
        return sum(self._reached.values())

    def _facts(self, name: str, fraction: float = 0.0) -> dict[str, Any]:
        """Counts, and the rate since this process began."""
        failed, pace = self._failed[name], self._paces[name]
        rate = pace.rate_per_s(fraction)
        left = self._totals[name] - self._reached[name]
        return {
            "verb": self._verb,
            "completed": self._reached[name] - failed,
            "failed": failed,
            "total": self._totals[name],
            "seconds": round(pace.seconds, 3),
            "rate_per_s": float(f"{rate:.4g}"),
            "remaining_s": float(f"{left / rate:.4g}") if rate > 0 else None,
        }
