"""Where the package's data folders are, and how their TOML files are read."""

from __future__ import annotations

import copy
import difflib
import functools
import os
import re
import tomllib
from pathlib import Path
from typing import Any, Literal

from renp_infer.errors import ConfigError, StoreError

PACKAGE = Path(__file__).resolve().parent
"""Folder of this package."""
MAX_BYTES = 10_000_000
"""Largest TOML file that is read."""
KEPT = 8
"""Contents of TOML files that a process remembers."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def share_path(name: Literal["models", "data", "studies"]) -> Path:
    """Folder that ships with the package.

    An installed wheel carries it inside the package, a checkout beside it.

    Raises
    ------
    StoreError
        If the installation lacks the folder.
    """
    for folder in (PACKAGE / "_share" / name, PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise StoreError(f"this installation has no folder {name!r}; install it again")


def kernel_cache() -> Path | None:
    """Folder in which Numba keeps this package's compiled kernels, if it can be written."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(given) if given else PACKAGE / "__pycache__"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def named_file(folder: Path, name: str, key: str, extra: str = "") -> Path:
    """Find the file ``name.toml`` of a folder.

    Parameters
    ----------
    folder : Path
        Folder that holds the known files.
    name : str
        A plain name, without a folder or a suffix.
    key : str
        Dotted key to blame in an error.
    extra : str, optional
        What else the caller would accept, for the error's text.

    Raises
    ------
    ConfigError
        If there is no such file; names the nearest one.
    """
    known = sorted(path.stem for path in folder.glob("*.toml"))
    if _NAME.fullmatch(name) and name in known:
        return folder / f"{name}.toml"
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else ""
    raise ConfigError(key, name, ", ".join(known) + extra, hint)


def read_toml(path: Path, key: str) -> dict[str, Any]:
    """Contents of a TOML file.

    Raises
    ------
    ConfigError
        If the file is missing, unreadable, not UTF-8 or not TOML, nested too
        deep, too large, or no regular file: a pipe or a device never ends.
    """
    try:
        if path.exists() and not path.is_file():
            raise ConfigError(key, str(path), "a regular file")
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(key, str(path), f"a file of at most {MAX_BYTES} bytes")
        return copy.deepcopy(_parsed(path.read_bytes().decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        raise ConfigError(key, str(path), "a TOML file in UTF-8", str(error)) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(key, str(path), "a valid TOML file", str(error)) from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise ConfigError(key, str(path), "a readable file", str(error)) from error


@functools.lru_cache(maxsize=KEPT)
def _parsed(text: str) -> dict[str, Any]:
    """Tables of a text; a search of designs asks for the same ones at each."""
    return tomllib.loads(text)
