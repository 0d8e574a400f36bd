"""RO-Crate 1.1: the files of a run with what made them, for archives."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.engine.result import Files
from renp_infer.exports.estimates import hypothesis_of
from renp_infer.exports.origin import Origin

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

METADATA = "ro-crate-metadata.json"
CONTEXT = "https://w3id.org/ro/crate/1.1/context"
PAPER = "https://doi.org/10.1103/PhysRevD.104.115006"
PROGRAM = "#renp-infer"
KINDS = {".nc": "application/netcdf", ".toml": "application/toml"}


def crate_files(run: Run) -> Iterator[tuple[str, str | Path]]:
    """Name of each file with its text, or with the file whose copy it is."""
    files = Files.of(run.directory)
    names = sorted(files.manifest["files"])
    yield METADATA, json.dumps(_metadata(run, files, names), indent=1, ensure_ascii=False) + "\n"
    for name in names:
        yield name, files.path(name)


def _metadata(run: Run, files: Files, names: list[str]) -> dict[str, Any]:
    origin = Origin.of(run)
    parts = [{"@id": name} for name in names]
    finished = max(task["finished"] for task in files.manifest["tasks"].values())
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": run.name,
        "description": "; ".join((*origin.lines(), hypothesis_of(run))),
        "datePublished": finished,
        "hasPart": parts,
        "citation": {"@id": PAPER},
        "mentions": {"@id": "#run"},
    }
    program = {
        "@id": PROGRAM,
        "@type": "SoftwareApplication",
        "name": "renp-infer",
        "version": origin.version,
        "softwareVersion": " ".join(filter(None, (origin.version, origin.commit))),
    }
    action = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": "renp " + ", ".join(files.manifest["tasks"]),
        "instrument": {"@id": PROGRAM},
        "object": {"@id": "study.toml"},
        "result": parts,
        "endTime": finished,
    }
    paper = {
        "@id": PAPER,
        "@type": "ScholarlyArticle",
        "name": "Parity violating magnetization at neutrino pair emission using trivalent "
        "lanthanoid ions",
    }
    descriptor = {
        "@id": METADATA,
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": {"@id": "./"},
    }
    entries = [_entry(name, files) for name in names]
    graph = [descriptor, root, *entries, program, action, paper]
    return {"@context": CONTEXT, "@graph": graph}


def _entry(name: str, files: Files) -> dict[str, Any]:
    path = files.path(name)
    kind = KINDS.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return {
        "@id": name,
        "@type": "File",
        "name": name,
        "contentSize": str(path.stat().st_size),
        "encodingFormat": kind,
        "sha256": files.manifest["files"][name],
    }
