"""A campaign beside the apparatus: ``ingest`` readings, ``suggest`` settings, ``report``.

Nothing is remembered that is not on the disk: a campaign that was killed goes on with the
same study in the same directory, and advises what it would have advised.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from renp_infer.errors import ConfigError
from renp_infer.fields import nearest
from renp_infer.live.log import COLUMNS, Log, Reading
from renp_infer.study.blinding import revealing
from renp_infer.study.load import Source, with_sections
from renp_infer.study.study import Study
from renp_infer.verbs.sequential.advice import (
    Advice,
    Adviser,
    Learned,
    NextSetting,
    Pending,
    following,
    told,
)
from renp_infer.verbs.sequential.bench import own_angles
from renp_infer.verbs.sequential.verb import SEQUENTIAL
from renp_infer.versions import versions

MOST = 100
"""Settings that are suggested at a time."""
_SLACK_DEG = 1e-9
Points = Iterable[Mapping[str, float]] | Mapping[str, Iterable[float]]
"""Readings one by one, or by column."""


class Campaign:
    """One measurement after the other, each chosen from what is known by then.

    Parameters
    ----------
    study : Study, str, Path or mapping
        With settings of ``[optimize.sequential]``, else with their defaults.
    out : str or Path, optional
        Directory that keeps readings and advice; ``runs/NAME-live`` by default. With what is
        in it the campaign goes on.

    Raises
    ------
    ConfigError
        If the study names measured data, or is blinded.
    StoreError
        If the directory is of another study, or cannot be written.
    """

    def __init__(self, study: Study | Source, out: str | Path | None = None) -> None:
        self.study = with_sections(study, *SEQUENTIAL.sections)
        if self.study.blinding is not None:
            raise revealing("a campaign")
        if self.study.measurement is not None:
            source = self.study.measurement.observation.source
            raise ConfigError("data.file", source, "no section [data]: ingest takes its place")
        directory = Path("runs") / f"{self.study.name}-live" if out is None else Path(out)
        self._log = Log(directory, self.study)
        self._adviser = Adviser(self.study)

    @property
    def directory(self) -> Path:
        """Where readings and advice are kept."""
        return self._log.directory

    @property
    def pending(self) -> tuple[Pending, ...]:
        """Settings that were suggested and have neither been read nor given up."""
        return self._log.pending(self._angles_deg())

    def ingest(self, points: Points) -> int:
        """Take readings, all of them or none.

        Parameters
        ----------
        points : iterable of mappings, or mapping of columns
            ``theta_s_deg``, ``field_nG``, ``error_nG`` and ``exposure_s`` of each, in the
            order in which they were measured.

        Returns
        -------
        int
            How many there are now.

        Raises
        ------
        ConfigError
            On the first wrong point, with its place and column.
        """
        more = self._checked(points)
        with self._log.held():
            self._log.add(more)
            return len(self._angles_deg())

    def suggest(self, n: int = 1) -> list[NextSetting]:
        """Settings to measure next, in this order; what is pending counts as read.

        Parameters
        ----------
        n : int

        Returns
        -------
        list of NextSetting
            Fewer than asked for, or none, where the time is spent or enough is known.
            The first one is what ``renp optimize --sequential --data`` says of the same
            readings, if nothing is pending.
        """
        if type(n) is not int or not 1 <= n <= MOST:
            raise ConfigError("n", n, f"an integer from 1 to {MOST}")
        with self._log.held():
            known, pending = self._learned(), self.pending
            for setting in pending:
                known = known.expecting(setting)
            found: list[NextSetting] = []
            while len(found) < n and not known.enough and (choice := known.next()) is not None:
                found.append(following(known.bench, choice))
                known = known.expecting(Pending(found[-1].theta_s_deg, found[-1].exposure_s))
            self._log.write(self._line(found, pending, known))
        return found

    def give_up(self) -> None:
        """Forget what is pending: those settings will not be read."""
        with self._log.held():
            self._log.write({"after": len(self._angles_deg()), "utc": _now(), "given_up": True})

    def report(self) -> Advice:
        """What the readings say: m1, the hypotheses, whether the model fits, what to set next."""
        count = len(self._angles_deg())
        return told(self.study, self._learned(), count, self._log.source)

    def _learned(self) -> Learned:
        return self._adviser.learned(self._log.readings())

    def _angles_deg(self) -> list[float]:
        """Of all readings."""
        found = self._log.readings()
        return [] if found is None else np.rad2deg(found.theta_s).tolist()

    def _line(
        self, found: Sequence[NextSetting], pending: Sequence[Pending], known: Learned
    ) -> dict[str, Any]:
        """Line of the log about an advice, with its reason."""
        goal = known.bench.settings.goal
        if found:
            first = found[0]
            reason = (
                f"most expected information about {goal} per second: "
                f"{first.expected_information_nat:.4g} nat in {first.seconds:g} s"
            )
        else:
            reason = "enough is known" if known.enough else "the time is spent"
            reason += ", once what is pending has been read" * bool(pending)
        return {
            "after": len(self._angles_deg()),
            "utc": _now(),
            "version": versions()["renp-infer"],
            "pending": [asdict(setting) for setting in pending],
            "settings": [asdict(setting) for setting in found],
            "reason": reason,
        }

    def _checked(self, points: Points) -> list[Reading]:
        """Readings, each column looked at."""
        rows = _rows(points)
        if not rows:
            raise ConfigError("points", [], "at least one reading")
        own = np.rad2deg(own_angles(self.study))
        return [_reading(row, f"points[{k}]", own[0], own[-1]) for k, row in enumerate(rows)]


def _rows(points: Points) -> list[Mapping[str, Any]]:
    """One mapping for each reading."""
    if not isinstance(points, Mapping):
        if not isinstance(points, Iterable):
            raise ConfigError("points", points, "readings, each a table, or a table of columns")
        return list(points)
    columns = {name: list(np.atleast_1d(np.asarray(points[name]))) for name in points}
    sizes = {len(column) for column in columns.values()}
    if len(sizes) > 1:
        raise ConfigError("points", sorted(sizes), "columns that are equally long")
    size = sizes.pop() if sizes else 0
    return [{name: column[k] for name, column in columns.items()} for k in range(size)]


def _reading(row: Mapping[str, Any], place: str, low: float, high: float) -> Reading:
    """A reading with nothing missing, strange, or outside the layout."""
    if not isinstance(row, Mapping):
        raise ConfigError(place, row, f"a table with {', '.join(COLUMNS)}")
    for name in row:
        if name not in COLUMNS:
            raise ConfigError(f"{place}.{name}", row[name], ", ".join(COLUMNS),
                              nearest(str(name), COLUMNS))  # fmt: skip
    values = {name: _number(row.get(name), f"{place}.{name}") for name in COLUMNS}
    for name in ("error_nG", "exposure_s"):
        if values[name] <= 0.0:
            raise ConfigError(f"{place}.{name}", values[name], "a finite number > 0")
    turned = values["theta_s_deg"] - 360.0 * round(
        (values["theta_s_deg"] - 0.5 * (low + high)) / 360.0
    )
    if not low - _SLACK_DEG <= turned <= high + _SLACK_DEG:
        allowed = f"{low:.6g} to {high:.6g} deg, the range of the layout and the candidates"
        raise ConfigError(f"{place}.theta_s_deg", values["theta_s_deg"], allowed)
    return Reading(**values)


def _number(given: Any, place: str) -> float:
    """A finite number that is no text and no truth value."""
    wrong = isinstance(given, str | bytes | bool) or given is None
    try:
        value = math.nan if wrong else float(given)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise ConfigError(place, given, "a finite number")
    return value


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
