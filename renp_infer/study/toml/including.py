"""``include``: a study laid over other TOML files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from renp_infer.errors import ConfigError
from renp_infer.fields import Said
from renp_infer.study.toml.tables import parse_toml, read_study_text

KEY = "include"
MAX_FILES = 100
"""Most files that a study may be laid over, each counted as often as it is named."""
ALLOWED = "a list of TOML files, relative to the folder of the file that names them"


def laid_over(raw: Mapping[str, Any], folder: Path, file: Path | None = None) -> dict[str, Any]:
    """Tables over those of the files that they include.

    Files count in the order of the list, each over those before, and what includes them
    over all: tables are joined key by key, any other value is replaced as a whole.

    Parameters
    ----------
    raw : mapping
        Tables of a study, which may have the key ``include``.
    folder : Path
        What relative paths of ``include`` start from.
    file : Path, optional
        Where the tables were read from.

    Returns
    -------
    dict
        Tables without the key.

    Raises
    ------
    ConfigError
        A file is missing, no TOML, includes itself, or one of more than are read.
    """
    return _Reader().over(raw, folder, () if file is None else (_place(file),), "")


class _Reader:
    """Counts the files of one study."""

    def __init__(self) -> None:
        self._count = 0

    def over(
        self, raw: Mapping[str, Any], folder: Path, chain: tuple[str, ...], where: str
    ) -> dict[str, Any]:
        """Tables over what they include; ``chain`` are the files being read, ``where`` blames."""
        rest = {key: value for key, value in raw.items() if key != KEY}
        found: dict[str, Any] = {}
        for k, name in enumerate(_names(raw.get(KEY, []), f"{where}{KEY}")):
            found = _joined(found, self._read(name, folder, chain, f"{where}{KEY}[{k}]"))
        return _joined(found, rest)

    def _read(self, name: str, folder: Path, chain: tuple[str, ...], key: str) -> dict[str, Any]:
        path = folder / name
        place = _place(path)
        if place in chain:
            names = " -> ".join(os.path.basename(step) for step in (*chain, place))
            raise ConfigError(key, name, f"a file that does not include itself: {names}")
        self._count += 1
        if self._count > MAX_FILES:
            raise ConfigError(key, name, f"at most {MAX_FILES} files in all")
        try:
            raw = parse_toml(read_study_text(path), str(path))
        except ConfigError as error:
            given = error.given if isinstance(error.given, Said) else repr(error.given)
            raise ConfigError(key, Said(f"{name!r}, {given}"), ALLOWED, error.hint) from error
        return self.over(raw, path.parent, (*chain, place), f"{path}: ")


def _names(value: object, key: str) -> list[str]:
    """Names of files that a key gives."""
    if not isinstance(value, list | tuple):
        raise ConfigError(key, value, ALLOWED)
    for k, name in enumerate(value):
        if not isinstance(name, str) or not name or not name.isprintable():
            raise ConfigError(f"{key}[{k}]", name, "the path of a TOML file")
    return list(value)


def _place(path: Path) -> str:
    """One name for a file, however it is reached."""
    return os.path.realpath(path)


def _joined(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Tables joined key by key; of two values the upper one."""
    both = dict(below)
    for key, value in above.items():
        under = both.get(key)
        if isinstance(value, dict) and isinstance(under, dict):
            both[key] = _joined(under, value)
        else:
            both[key] = value
    return both
