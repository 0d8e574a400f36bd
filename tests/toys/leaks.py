"""Every number that the files of a folder hold, however they are written."""

from __future__ import annotations

import json
import re
import struct
from base64 import b64decode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

NUMBER = re.compile(rb"(?<![\w.])[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?")
ENCODED = re.compile(rb"base64,([A-Za-z0-9+/=]+)")
CLOSE = 2e-6
"""Relative distance of two numbers that are the same, in single precision or in a text."""


def numbers_in(path: Path) -> Iterator[float]:
    """All numbers of a file: of its texts, of texts within, and of its arrays."""
    content = path.read_bytes()
    if path.suffix == ".nc":
        yield from _numbers_of_arrays(path)
    yield from _numbers_of_text(content)
    for encoded in ENCODED.findall(content):
        yield from _numbers_of_text(b64decode(encoded))


def _numbers_of_text(content: bytes) -> Iterator[float]:
    for token in NUMBER.findall(content.replace("\N{MINUS SIGN}".encode(), b"-")):
        yield float(token)


def _numbers_of_arrays(path: Path) -> Iterator[float]:
    found: list[Any] = []

    def look(_name: str, item: Any) -> None:
        found.extend(item.attrs.values())
        if isinstance(item, h5py.Dataset):
            found.append(item[()])

    with h5py.File(path) as file:
        found.extend(file.attrs.values())
        file.visititems(look)
    for value in found:
        array = np.asarray(value)
        if array.dtype.kind in "fiu":
            yield from array.ravel().astype(float).tolist()
        else:
            for text in array.ravel().tolist():
                yield from _numbers_of_text(text if isinstance(text, bytes) else str(text).encode())


def files_of(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def leaks(folder: Path, secrets: dict[str, float]) -> list[tuple[str, str]]:
    """Secrets that a file of a folder holds, by name and file: as a number, or as its bytes."""
    found = []
    for path in files_of(folder):
        content = path.read_bytes()
        known = np.array(sorted(numbers_in(path)))
        for name, value in secrets.items():
            bits = [struct.pack(code, value) for code in ("<d", ">d", "<f", ">f")]
            near = np.abs(known - value) <= CLOSE * abs(value)
            if any(one in content for one in bits) or np.any(near):
                found.append((name, path.name))
    return found


def leaks_in_text(text: str, secrets: dict[str, float]) -> list[str]:
    """Secrets that a text shows to four digits or more."""
    tokens = {token.decode() for token in NUMBER.findall(text.replace("−", "-").encode())}
    shown = {name: {f"{v:.{k}g}" for k in range(4, 12)} | {f"{v:.{k}f}" for k in (2, 3, 4)}
             for name, v in secrets.items()}  # fmt: skip
    return [name for name, forms in shown.items() if forms & tokens]


def flat(tree: Any, path: str = "") -> dict[str, float]:
    """Numbers of a JSON document by path."""
    if isinstance(tree, dict):
        items: Iterable[Any] = tree.items()
    elif isinstance(tree, list):
        items = enumerate(tree)
    else:
        number = isinstance(tree, int | float) and not isinstance(tree, bool)
        return {path: float(tree)} if number else {}
    return {k: v for key, value in items for k, v in flat(value, f"{path}/{key}").items()}


def document(path: Path, attribute: str) -> dict[str, Any]:
    """JSON in an attribute of a netCDF file."""
    with h5py.File(path) as file:
        found: dict[str, Any] = json.loads(file.attrs[attribute])
    return found
