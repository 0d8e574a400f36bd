"""The files of a live campaign: its study, its readings, and a line per advice."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tomli_w

from renp_infer.engine.blocks import append_line, read_lines
from renp_infer.engine.lock import HeldError, Lock
from renp_infer.engine.tasks import fingerprint
from renp_infer.errors import StoreError
from renp_infer.files import is_file, make_directory, write_text
from renp_infer.study.measured.datafile import Sequence as Readings
from renp_infer.study.measured.datafile import read_sequence
from renp_infer.verbs.sequential.advice import Pending
from renp_infer.verbs.sequential.bench import own_angles

if TYPE_CHECKING:
    from renp_infer.study.study import Study

STUDY, READINGS, ADVICE = "study.resolved.toml", "readings.csv", "advice.jsonl"
MARK = "campaign.json"
"""Says of which study a directory is."""
COLUMNS = ("theta_s_deg", "field_nG", "error_nG", "exposure_s")
_SAME_DEG = 1e-6


@dataclass(frozen=True)
class Reading:
    """One measurement, by the columns of its file."""

    theta_s_deg: float
    field_nG: float
    error_nG: float
    exposure_s: float

    @property
    def row(self) -> str:
        """Line of the file, every digit kept."""
        return ",".join(repr(float(getattr(self, name))) for name in COLUMNS)


class Log:
    """Directory of one campaign; who writes there holds its lock.

    Parameters
    ----------
    directory : Path
        Made if it is not there.
    study : Study

    Raises
    ------
    StoreError
        If it is of another study, or cannot be written.
    """

    def __init__(self, directory: Path, study: Study) -> None:
        self.directory, self._study = directory, study
        self._key = fingerprint(study.resolved)
        self._make()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let no other process in."""
        try:
            lock = Lock(self.directory)
        except HeldError as error:
            raise StoreError(f"{self.directory}: in use by {error}; try again") from error
        except OSError as error:
            raise StoreError(f"{self.directory}: {error.strerror}") from error
        try:
            yield
        finally:
            lock.release()

    @property
    def source(self) -> str:
        """Name of the readings' file."""
        return READINGS

    def readings(self) -> Readings | None:
        """All that was read so far; ``None`` before the first."""
        path = self.directory / READINGS
        return read_sequence(path, None, own_angles(self._study)) if is_file(path) else None

    def add(self, more: Sequence[Reading]) -> None:
        """Keep further readings, all of them or none."""
        path = self.directory / READINGS
        old = path.read_text(encoding="utf-8") if is_file(path) else ",".join(COLUMNS) + "\n"
        write_text(path, old + "".join(reading.row + "\n" for reading in more))

    def write(self, line: Mapping[str, Any]) -> None:
        """Keep a line of what was said."""
        append_line(self.directory / ADVICE, dict(line))

    def lines(self) -> list[dict[str, Any]]:
        """All that was said; a line that a killed writer left torn is none."""
        return [line for line in read_lines(self.directory / ADVICE) if "after" in line]

    def pending(self, theta_s_deg: Sequence[float]) -> tuple[Pending, ...]:
        """Settings that were advised and neither read since nor given up.

        Parameters
        ----------
        theta_s_deg : sequence of float
            Angles of all readings, in their order.
        """
        waiting: list[Pending] = []
        seen = 0
        for line in self.lines():
            _settle(waiting, theta_s_deg[seen : line["after"]])
            seen = line["after"]
            if line.get("given_up"):
                waiting.clear()
            waiting += [
                Pending(row["theta_s_deg"], row["exposure_s"]) for row in line.get("settings", [])
            ]
        _settle(waiting, theta_s_deg[seen:])
        return tuple(waiting)

    def _make(self) -> None:
        make_directory(self.directory)
        mark = self.directory / MARK
        if is_file(mark):
            self._check(mark)
            return
        if {path.name for path in self.directory.iterdir()} - {STUDY}:
            raise StoreError(
                f"{self.directory}: holds other things; a campaign begins in a directory of its own"
            )
        write_text(self.directory / STUDY, tomli_w.dumps(self._study.resolved))
        write_text(mark, json.dumps({"schema": 1, "study": self._key}) + "\n")

    def _check(self, mark: Path) -> None:
        try:
            known = json.loads(mark.read_text(encoding="utf-8"))["study"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{mark}: not what a campaign writes") from error
        if known != self._key:
            raise StoreError(
                f"{self.directory}: a campaign of another study, {STUDY} there; "
                "name another directory"
            )


def _settle(waiting: list[Pending], theta_s_deg: Sequence[float]) -> None:
    """Take from what waits, the oldest first, what was read."""
    for angle in theta_s_deg:
        for place, setting in enumerate(waiting):
            if abs(np.mod(setting.theta_s_deg - angle + 180.0, 360.0) - 180.0) < _SAME_DEG:
                del waiting[place]
                break
