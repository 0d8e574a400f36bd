"""A scan as rows: for files, documents and terminals."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from renp_infer.inference.parameters import of_group
from renp_infer.terminal import MAX_ROWS
from renp_infer.verbs.forecast.columns import columns_of
from renp_infer.verbs.scan.result import ProfiledPair, ScanResult

CELLS, PROFILE = "scan.csv", "scan-profile.csv"


def flat_columns(found: ScanResult) -> dict[str, Any]:
    """Columns (cells,) by name; of an array by pair and side, and of data sets, one for each."""
    table = found.tree["cells"].to_dataset()
    places = {str(name): table[name].values for name in table.dims}
    columns: dict[str, Any] = {}
    for one in columns_of(found.cells):
        inner = itertools.product(found.sets or [""], *(places[name] for name in one.dims))
        rows = one.values.reshape(int(np.prod(found.shape)), -1)
        for k, (own, *names) in enumerate(inner):
            name = "_".join([one.name, *map(str, names)])
            columns[of_group(name, own) if own else name] = rows[:, k]
    return columns


def cell_rows(found: ScanResult) -> Iterator[dict[str, Any]]:
    """Keys and numbers of each cell; ``None`` for what is not a finite number."""
    columns = flat_columns(found)
    for k, keys in enumerate(itertools.product(*found.axes.values())):
        numbers = {name: _finite(values[k]) for name, values in columns.items()}
        yield dict(zip(found.axes, keys, strict=True)) | numbers


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def profile_rows(pair: ProfiledPair) -> Iterator[dict[str, float | None]]:
    """Both parameters, chi-squared above the best fit, and whether searches agree."""
    one, two = pair.names
    for j, k in np.ndindex(pair.delta_chi2.shape):
        place: dict[str, float | None]
        place = {one: float(pair.first[j]), two: float(pair.second[k])}
        rise, confirmed = _finite(pair.delta_chi2[j, k]), _finite(pair.confirmed[j, k])
        yield place | {"delta_chi2": rise, "confirmed": confirmed}


def csv_files(found: ScanResult) -> dict[str, str]:
    """The tables as comma-separated values, by name of the file."""
    files = {}
    if found.cells is not None:
        files[CELLS] = _csv(cell_rows(found))
    if found.profile is not None:
        files[PROFILE] = _csv(profile_rows(found.profile))
    return files


def _csv(rows: Iterable[dict[str, Any]]) -> str:
    """Numbers in full, so that they read back as they were; empty for none."""
    buffer, kept = io.StringIO(), list(rows)
    writer = csv.DictWriter(buffer, list(kept[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(kept)
    return buffer.getvalue()


def document_of(found: ScanResult) -> dict[str, Any]:
    """The document of ``renp scan --json``."""
    said: dict[str, Any] = {"schema": 1, "name": found.about.name, "what": found.about.what}
    said |= {"normalised": found.about.normalised, "missing": found.about.missing}
    if found.cells is not None:
        axes = {key: list(values) for key, values in found.axes.items()}
        said |= {"over": axes, "cells": list(cell_rows(found))}
    if found.profile is not None:
        pair = found.profile
        said["profile"] = {
            "parameters": list(pair.names),
            "best": dict(zip(pair.names, pair.best, strict=True)),
            "points": list(profile_rows(pair)),
        }
    return said


def shown_rows(found: ScanResult, most: int) -> tuple[list[str], list[list[str]]]:
    """Heads and cells of a short table: keys and the numbers that matter."""
    heads = [*found.axes, *found.shown]
    rows = itertools.islice(cell_rows(found), most)
    return heads, [[_text(row[head]) for head in heads] for row in rows]


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def terminal_tables(found: ScanResult) -> list[Table | str]:
    """What a terminal shows: the first cells, and where the best fit is."""
    shown: list[Table | str] = []
    if found.cells is not None:
        heads, rows = shown_rows(found, MAX_ROWS)
        shown.append(_table(found, heads, rows))
    if found.profile is not None:
        pair = found.profile
        best = (f"{n} = {v:.6g}" for n, v in zip(pair.names, pair.best, strict=True))
        shown.append(f"profile likelihood, best fit: {', '.join(best)}")
    return shown


def _table(found: ScanResult, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    label = ", normalised" if found.about.normalised else ""
    table = Table(title=f"{found.about.name}: {found.about.what}{label}", box=SIMPLE_HEAD)
    for head in heads:
        table.add_column(head.replace(".", ".\n", 1), justify="right")
    for row in rows:
        table.add_row(*row)
    count = int(np.prod(found.shape))
    if count > len(rows):
        table.caption = f"{len(rows)} of {count} cells; {CELLS} and --json have them all"
    return table
