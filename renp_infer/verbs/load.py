"""A finished run, read back from its directory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.engine.run import Run, checked, load_tree, parsed, readable
from renp_infer.engine.store import read_manifest
from renp_infer.verbs.calibrate.verb import CALIBRATE
from renp_infer.verbs.compare.verb import COMPARE
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.forecast.verb import FORECAST
from renp_infer.verbs.infer.verb import INFER
from renp_infer.verbs.optimize.verb import OPTIMIZE
from renp_infer.verbs.sequential.verb import SEQUENTIAL

if TYPE_CHECKING:
    import xarray


def load_run(directory: str | Path) -> Run:
    """Read a run directory.

    Parameters
    ----------
    directory : str or Path

    Raises
    ------
    StoreError
        If a file is missing, is not what the manifest says, or is no result.
    """
    directory = Path(directory)
    manifest = read_manifest(directory)
    study = parsed(directory, manifest, "study.resolved.toml")
    evaluation = parsed(directory, manifest, EVALUATE.file)
    inference = summary = calibration = None
    with readable(directory):
        if "infer" in manifest["tasks"] and "inference" in study:
            inference = load_tree(checked(directory, manifest, INFER.file))
            summary = json.loads(inference.attrs["renp_summary"])
        if "calibrate" in manifest["tasks"] and "calibrate" in study:
            calibration = load_tree(checked(directory, manifest, CALIBRATE.file))
        comparison = None
        if "compare" in manifest["tasks"] and "compare" in study:
            comparison = _comparison(load_tree(checked(directory, manifest, COMPARE.file)), study)
        forecast = None
        if FORECAST.name in manifest["tasks"] and "forecast" in study:
            forecast = load_tree(checked(directory, manifest, FORECAST.file))
        return Run(
            directory,
            study["name"],
            study,
            evaluation,
            inference,
            summary,
            calibration,
            comparison,
            forecast,
            *_designs(directory, manifest, study),
        )


def _designs(
    directory: Path, manifest: dict[str, Any], study: dict[str, Any]
) -> tuple[dict[str, Any] | None, xarray.DataTree | None]:
    """What a search and what campaigns found."""
    from renp_infer.verbs.optimize.work import TRIALS

    optimum = sequential = None
    if OPTIMIZE.name in manifest["tasks"] and "optimize" in study:
        optimum = parsed(directory, manifest, OPTIMIZE.file)
        lines = checked(directory, manifest, TRIALS).read_text(encoding="utf-8").splitlines()
        optimum["trials"] = [json.loads(line) for line in lines]
    if SEQUENTIAL.name in manifest["tasks"] and "sequential" in study.get("optimize", {}):
        sequential = load_tree(checked(directory, manifest, SEQUENTIAL.file))
    return optimum, sequential


def _comparison(tree: xarray.DataTree, study: dict[str, Any]) -> dict[str, Any]:
    from renp_infer.inference.comparison import CompareSettings, compare
    from renp_infer.verbs.compare.work import evidences

    return compare(evidences(tree), CompareSettings(**study["compare"]))
