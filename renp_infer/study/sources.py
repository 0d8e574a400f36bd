"""The data files that a study's results depend on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from renp_infer.files import digest
from renp_infer.physics.target import GENERIC
from renp_infer.resources import read_toml, share_path
from renp_infer.study.knowledge import constraint_file
from renp_infer.study.priors import files_of
from renp_infer.study.study import Study


def data_digests(study: Study) -> dict[str, str]:
    """SHA-256 of every data file that a study's results depend on, as it is now.

    Parameters
    ----------
    study : Study

    Returns
    -------
    dict
        By path below the package's data for files it ships, by bare name for
        the user's, after the name of its data set where there are several; empty for a file
        that can no longer be read. A measurement's is that of
        the bytes that were read.
    """
    measured = {} if study.measurement is None else dict(study.measurement.digests)
    for one in study.sets:
        if one.study.measurement is not None:
            own = one.study.measurement.digests
            measured |= {f"{one.name}: {name}": found for name, found in own.items()}
    return {name: digest(path) for name, path in _data_files(study).items()} | measured


def _data_files(study: Study) -> dict[str, Path]:
    scheme = study.resolved["target"]["scheme"]
    files = {}
    if scheme.endswith(".toml"):
        files[Path(scheme).name] = Path(scheme)
    elif scheme != GENERIC:
        files |= _shipped("models", f"targets/{scheme}.toml")
    table = study.oscillation.name
    if table.endswith(".toml"):
        files[Path(table).name] = Path(table)
    else:
        files |= _shipped("data", f"oscillation/{table}.toml")
    if study.experiment.switches.weights == "table-iv":  # printed rows, kept in that file
        files |= _shipped("data", "oscillation/seed.toml")
    priors = study.resolved.get("inference", {}).get("priors", {})
    files |= {path.name: path for path in files_of(priors)}
    templates = [Path(one["file"]) for one in study.resolved.get("systematics", ())]
    files |= {path.name: path for path in templates}
    if study.knowledge:
        files |= _constraints(study.resolved["constraints"])
    return files


def _constraints(section: Mapping[str, Any]) -> dict[str, Path]:
    """Files of constraints, and the files that they and the section name."""
    files: dict[str, Path] = {}
    own = [entry["file"] for kind in ("table", "chain") for entry in section.get(kind, ())]
    for name in section.get("use", ()):
        path = constraint_file(name)
        shipped = not name.endswith(".toml")
        files |= _shipped("data", f"constraints/{name}.toml") if shipped else {path.name: path}
        raw = read_toml(path, str(path))
        rows = [entry for kind in ("table", "chain") for entry in raw.get(kind, ())]
        own += [str(path.parent / entry["file"]) for entry in rows]
    return files | {Path(name).name: Path(name) for name in own}


def _shipped(folder: Literal["models", "data"], name: str) -> dict[str, Path]:
    return {f"{folder}/{name}": share_path(folder) / name}
