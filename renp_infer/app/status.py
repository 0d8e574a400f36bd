"""How far runs are, read from their directories while they run or after."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from renp_infer.engine.blocks import Blocks, read_entries
from renp_infer.engine.lock import holder
from renp_infer.engine.store import PROGRESS, read_manifest
from renp_infer.engine.verb import Series, Verb
from renp_infer.files import digest_own, open_own
from renp_infer.study.study import Study
from renp_infer.verbs.table import verbs_of

TAIL_BYTES = 65536
"""How much of the progress file is read from its end."""


def status_of(study: Study, directory: Path) -> list[dict[str, Any]]:
    """State of each verb of a study in its run directory.

    Parameters
    ----------
    study : Study
    directory : Path

    Returns
    -------
    list of dict
        ``name``, ``task``, ``state`` ("done", "running", "interrupted", "failed",
        "stale", "altered" or "to do"), numbers of tasks ``completed``, ``failed``,
        ``stale`` and ``total``, and while it runs ``writer``, ``rate_per_s`` and
        ``remaining_s``.

    Raises
    ------
    ConfigError
        If a newer version wrote the directory.
    """
    manifest, writer = read_manifest(directory), holder(directory)
    last = _last_update(directory / PROGRESS)
    return [_row(study, verb, directory, manifest, writer, last) for verb in verbs_of(study)]


def _row(
    study: Study,
    verb: Verb,
    directory: Path,
    manifest: dict[str, Any],
    writer: str,
    last: dict[str, Any],
) -> dict[str, Any]:
    series = verb.series(verb.prepared(study, directory) or study)
    row = {"name": study.name, "task": verb.name, "total": series.count, "stale": 0}
    entry = manifest["tasks"].get(verb.name)
    begun = last.get("verb") == verb.name and last.get("event") != "finish"
    if writer and begun:
        facts = {k: last.get(k) for k in ("completed", "failed", "rate_per_s", "remaining_s")}
        return row | {"state": "running", "writer": writer} | facts
    if entry is not None and entry.get("key") == series.key:
        whole = digest_own(directory / verb.file) == manifest["files"].get(verb.file)
        failed = entry.get("failed", 0)
        counts = {"completed": row["total"] - failed, "failed": failed}
        return row | {"state": "done" if whole else "altered"} | counts
    counts = _counts(series, verb, directory)
    if entry is not None:
        state = "stale"
    elif counts["failed"]:
        state = "failed"
    else:
        state = "interrupted" if counts["completed"] or begun else "to do"
    return row | {"state": state} | counts


def _counts(series: Series, verb: Verb, directory: Path) -> dict[str, int]:
    """Tasks of the present study that are done or failed, and results of other inputs."""
    found = {"completed": 0, "failed": 0, "stale": 0}
    blocks = Blocks(directory, verb.name, verb.suffix)
    for number, manifest in blocks.manifests():
        entries = read_entries(manifest)
        for index in blocks.indices(number, series.count):
            entry = entries.pop(series.task(index).key, {})
            found["completed"] += "sha256" in entry
            found["failed"] += "error" in entry
        found["stale"] += sum("sha256" in entry for entry in entries.values())
    return found


def _last_update(path: Path) -> dict[str, Any]:
    """Last whole line of a progress file."""
    try:
        with open(open_own(path, os.O_RDONLY), "rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - TAIL_BYTES))
            lines = stream.read().splitlines()
    except OSError:
        return {}
    for line in reversed(lines):
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    return {}


def in_words(row: dict[str, Any]) -> str:
    """One line about a verb, at most 80 columns for names of usual length."""
    text = f"{row['name']}  {row['task']}  {row['state']}"
    if row["total"] > 1 and row["state"] != "to do":
        text += f"  {row['completed']:g} of {row['total']}"
    if row["failed"]:
        text += f", {row['failed']} failed"
    if row["stale"]:
        text += f", {row['stale']} stale"
    if row.get("remaining_s") is not None:
        text += f", {row['rate_per_s']:.3g}/s, {row['remaining_s']:.0f} s left"
    return text + (f", process {row['writer']}" if "writer" in row else "")
