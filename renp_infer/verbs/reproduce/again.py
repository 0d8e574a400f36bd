"""A run done again: are both the same? Array by array, whatever is told of how they were made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from renp_infer.engine.driver import DIAGNOSTIC_FAILED, DONE, Plan, bring_up_to_date, study_in
from renp_infer.engine.options import Options
from renp_infer.engine.provenance import PROVENANCE
from renp_infer.errors import StoreError
from renp_infer.study.study import Study
from renp_infer.terminal import show, write_document
from renp_infer.verbs.table import verbs_of


def compare_runs(study: Study, first: Path, second: Path) -> list[dict[str, Any]]:
    """Compare all results of two runs of a study.

    Parameters
    ----------
    study : Study
    first, second : Path
        Run directories; both are complete.

    Returns
    -------
    list of dict
        ``task``, ``quantity``, ``identical`` (bit for bit) and, where numbers
        differ, ``largest_difference``.

    Raises
    ------
    StoreError
        If a result is missing.
    """
    rows = []
    for verb in verbs_of(study):
        ours, theirs = (_read(home / verb.file) for home in (first, second))
        for name in sorted(ours | theirs):
            row = {"task": verb.name, "quantity": name}
            rows.append(row | _difference(ours.get(name), theirs.get(name)))
    return rows


def _read(path: Path) -> dict[str, Any]:
    """Quantities of a result by name.

    Raises
    ------
    StoreError
        If it is missing, or cannot be read as a result.
    """
    try:
        return dict(_quantities(path))
    except (OSError, ValueError, AttributeError, KeyError, RecursionError) as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"{path} is no result; run the study again") from error


def _quantities(path: Path) -> Iterator[tuple[str, Any]]:
    """Names and values of a result, without what differs from run to run."""
    if not path.is_file():
        raise StoreError(f"{path} is missing; run the study again")
    if path.suffix == ".json":
        document = json.loads(path.read_bytes())
        yield from ((k, v) for k, v in document.items() if k != PROVENANCE)
        return
    import xarray

    with xarray.open_datatree(path, engine="h5netcdf") as tree:
        for node in tree.subtree:
            if node.name != PROVENANCE:
                for name, array in node.to_dataset().variables.items():
                    yield f"{node.path.strip('/')}/{name}", array.values


def _difference(ours: Any, theirs: Any) -> dict[str, Any]:
    if not isinstance(ours, np.ndarray) or not isinstance(theirs, np.ndarray):
        return {"identical": ours == theirs}
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return {"identical": False}
    if ours.tobytes() == theirs.tobytes():
        return {"identical": True}
    if not np.issubdtype(ours.dtype, np.number):
        return {"identical": bool(np.array_equal(ours, theirs))}
    return {"identical": False, "largest_difference": float(np.nanmax(np.abs(ours - theirs)))}


def do_again(path: Path, options: Options) -> int:
    """Do a run again in another directory, and compare all numbers."""
    study = study_in(path)
    again = options.out if options.out is not None else path.with_name(path.name + "-again")
    bring_up_to_date([Plan(study, again, verbs_of(study))], options)
    rows = compare_runs(study, path, again)
    differing = [row for row in rows if not row["identical"]]
    if options.json:
        write_document({"schema": 1, "identical": not differing, "rows": rows})
    else:
        lines = [f"{row['task']}: {row['quantity']} differs" for row in differing]
        show(*lines, f"{len(rows) - len(differing)} of {len(rows)} quantities are identical")
    return DIAGNOSTIC_FAILED if differing else DONE
