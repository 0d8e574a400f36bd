"""The data files that a study's results depend on."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from renp_infer.files import digest
from renp_infer.physics.target import GENERIC
from renp_infer.resources import share_path
from renp_infer.study.study import Study


def data_digests(study: Study) -> dict[str, str]:
    """SHA-256 of every data file that a study's results depend on.

    Parameters
    ----------
    study : Study

    Returns
    -------
    dict
        By path below the package's data for files it ships, by bare name for
        the user's; empty for a file that can no longer be read.
    """
    measured = {} if study.measurement is None else study.measurement.digests
    return {name: digest(path) for name, path in _data_files(study).items()} | measured


def _data_files(study: Study) -> dict[str, Path]:
    scheme = study.resolved["target"]["scheme"]
    files = {}
    if scheme.endswith(".toml"):
        files[Path(scheme).name] = Path(scheme)
    elif scheme != GENERIC:
        files |= _shipped("models", f"targets/{scheme}.toml")
    files |= _shipped("data", f"oscillation/{study.oscillation.name}.toml")
    if study.experiment.switches.weights == "table-iv":  # printed rows, kept in that file
        files |= _shipped("data", "oscillation/seed.toml")
    return files


def _shipped(folder: Literal["models", "data"], name: str) -> dict[str, Path]:
    return {f"{folder}/{name}": share_path(folder) / name}
