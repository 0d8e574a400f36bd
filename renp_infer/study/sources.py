"""The data files that a study's results depend on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from renp_infer.files import digest
from renp_infer.physics.targets.target import GENERIC
from renp_infer.resources import read_toml, share_path
from renp_infer.study.knowledge import constraint_file
from renp_infer.study.priors import files_of
from renp_infer.study.study import Study

type NamedFile = tuple[str, Path]
"""A file, and what results call it."""


def data_digests(study: Study) -> dict[str, str]:
    """SHA-256 of every data file that a study's results depend on, as it is now.

    Parameters
    ----------
    study : Study

    Returns
    -------
    dict
        By path below the package's data for files it ships, by bare name for the user's,
        with a number where another file of the study has the same; a measurement's after its
        key, and the name of its data set where there are several. Empty for a file that can no
        longer be read. A measurement's is that of the bytes that were read.
    """
    files = _told_apart(_data_files(study))
    return {name: digest(path) for name, path in files.items()} | study.measured


def _told_apart(files: Iterable[NamedFile]) -> dict[str, Path]:
    """Files by name; another one of a name that is taken has a number behind it."""
    found: dict[str, Path] = {}
    for name, path in files:
        number, own = 1, name
        while found.setdefault(own, path) != path:
            number += 1
            own = f"{name} ({number})"
    return found


def _data_files(study: Study) -> Iterator[NamedFile]:
    """Every file that a study names, in one order, some of them more than once."""
    for own in (study, *(one.study for one in study.sets)):
        yield from _target_files(own)
    table = study.oscillation.name
    yield _own(table) if table.endswith(".toml") else _shipped("data", f"oscillation/{table}.toml")
    if study.experiment.switches.weights == "table-iv":  # printed rows, kept in that file
        yield _shipped("data", "oscillation/seed.toml")
    yield from map(_own, files_of(study.resolved.get("inference", {}).get("priors", {})))
    for one in study.resolved.get("systematics", ()):
        yield _own(one["file"])
    yield from _constraints(study.resolved.get("constraints", {}))


def _target_files(study: Study) -> Iterator[NamedFile]:
    scheme = study.resolved["target"]["scheme"]
    if scheme.endswith(".toml"):
        yield _own(scheme)
    elif scheme != GENERIC:
        yield _shipped("models", f"targets/{scheme}.toml")


def _constraints(section: Mapping[str, Any]) -> Iterator[NamedFile]:
    """Files of constraints, and the files that they and the section name."""
    yield from (_own(entry["file"]) for entry in _tabulated(section))
    for name in section.get("use", ()):
        path = constraint_file(name)
        yield _own(path) if name.endswith(".toml") else _shipped("data", f"constraints/{name}.toml")
        yield from (_own(path.parent / row["file"]) for row in _tabulated(read_toml(path, name)))


def _tabulated(section: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Constraints of a section or a file that name a file of numbers."""
    return [entry for kind in ("table", "chain") for entry in section.get(kind, ())]


def _own(path: str | Path) -> NamedFile:
    return Path(path).name, Path(path)


def _shipped(folder: Literal["models", "data"], name: str) -> NamedFile:
    return f"{folder}/{name}", share_path(folder) / name
