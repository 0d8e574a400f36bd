"""Columns of a CSV file by name: a line of names, then numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from renp_infer.errors import ConfigError
from renp_infer.fields import Said
from renp_infer.records import FloatArray

_MOST = 1_000_000


def columns_of(
    path: Path, names: tuple[str, ...], key: str, *, weight: str = ""
) -> list[FloatArray]:
    """Columns (n,) by name.

    Parameters
    ----------
    path : Path
    names : tuple of str
    key : str
        Key that names the file, for refusals.
    weight : str
        A further column, 1 everywhere in a file without it.

    Raises
    ------
    ConfigError
    """
    try:
        if not path.is_file():
            raise OSError("no such file")
        with path.open(encoding="utf-8-sig") as file:
            heads = [head.strip() for head in file.readline().lstrip("#").split(",")]
            rows = np.loadtxt(file, delimiter=",", ndmin=2, max_rows=_MOST)
    except (OSError, ValueError) as error:
        allowed = "a CSV file: a line of names, then numbers"
        raise ConfigError(key, str(path), allowed, str(error)) from error
    if rows.shape[1] != len(heads) or not np.all(np.isfinite(rows)):
        raise ConfigError(key, str(path), f"finite numbers in {len(heads)} columns")
    for name in names:
        if name not in heads:
            raise ConfigError(key, Said(", ".join(heads)), f"a column {name}")
    found = [rows[:, heads.index(name)] for name in names]
    if weight:
        found.append(rows[:, heads.index(weight)] if weight in heads else np.ones(len(rows)))
    return found
