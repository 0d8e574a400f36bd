"""What verbs found, read back once from a run directory."""

from __future__ import annotations

import contextlib
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from renp_infer.engine.store import MANIFEST, judged_manifest
from renp_infer.errors import StoreError
from renp_infer.files import digest_own, is_directory, is_file

if TYPE_CHECKING:
    import xarray

Word = Literal["fail", "warn", "pass"]
WORDS: tuple[Word, ...] = ("fail", "warn", "pass")
"""What a judgement can be, the worst first."""


@dataclass(frozen=True)
class Verdict:
    """What became of a judgement.

    Attributes
    ----------
    verdict : {"pass", "warn", "fail"}
    reasons : tuple of str
    lapse : str
        What a failure is called: "failed", or "disagree".
    """

    verdict: Word
    reasons: tuple[str, ...] = ()
    lapse: str = "failed"

    @classmethod
    def of(cls, found: Mapping[str, Any], lapse: str = "failed") -> Verdict:
        """Verdict of a document with ``verdict`` and ``reasons``."""
        return cls(found["verdict"], tuple(found["reasons"]), lapse)


class Result:
    """What a verb found; one subclass for each."""

    def verdicts(self) -> Mapping[str, Verdict]:
        """Verdicts by what was judged."""
        return {}

    def rows(self) -> list[tuple[str, str]]:
        """What was found, in a few words each."""
        return []

    def origin(self) -> Mapping[str, Any]:
        """Where it comes from, as far as the report tells it."""
        return {}

    def samplers(self) -> Sequence[str]:
        """Samplers that made it, as far as it knows."""
        return ()

    def told(self) -> Any:
        """What a Python session gets of it."""
        raise NotImplementedError


@dataclass(frozen=True)
class Files:
    """Files of a run directory, each of which is what the manifest says.

    Attributes
    ----------
    directory : Path
    manifest : dict
    """

    directory: Path
    manifest: dict[str, Any] = field(repr=False)

    @classmethod
    def of(cls, directory: Path) -> Files:
        """Files of a directory.

        Raises
        ------
        ConfigError
            If a newer version wrote it.
        StoreError
            If there is no valid manifest, without which no file of a run counts.
        """
        if not is_file(directory / MANIFEST):
            missing = MANIFEST if is_directory(directory) else "directory of this name"
            text = f"{directory}: no {missing}; open a run directory, or run the study again"
            raise StoreError(f"{text} with a new one")
        manifest, distrust = judged_manifest(directory)
        if distrust:
            raise StoreError(f"{directory}: {distrust}; run the study again")
        return cls(directory, manifest)

    def path(self, name: str) -> Path:
        """Path of a file.

        Raises
        ------
        StoreError
            If it is missing, or altered.
        """
        path = self.directory / name
        known, found = self.manifest["files"].get(name), digest_own(path)
        if not found or found != known:
            state = "is not what the manifest says" if found else "is missing"
            raise StoreError(f"{path} {state}; run the study again")
        return path

    def tables(self, name: str) -> dict[str, Any]:
        """Tables of a TOML or JSON file."""
        with readable(self.directory):
            text = self.path(name).read_text(encoding="utf-8")
            parsed = tomllib.loads(text) if name.endswith(".toml") else json.loads(text)
            if not isinstance(parsed, dict):
                raise TypeError(f"{name} is no table")
            return parsed

    def tree(self, name: str) -> xarray.DataTree:
        """Tree of a netCDF file, in memory."""
        return load_tree(self.path(name))


@contextlib.contextmanager
def readable(directory: Path) -> Iterator[None]:
    """Name what a file with the right hash makes go wrong that holds something else.

    Raises
    ------
    StoreError
    """
    try:
        yield
    except StoreError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, OSError, RecursionError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        text = f"{directory} holds what is no result of this version ({reason})"
        raise StoreError(f"{text}; run the study again") from error


def load_tree(path: Path) -> xarray.DataTree:
    """Tree in memory, its file closed: open readers lock it against writers."""
    import xarray

    with xarray.open_datatree(path, engine="h5netcdf") as tree:
        return tree.load()
