"""Blinded runs: what is checked before any work, and the seal that a run directory holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from renp_infer.engine.result import Files
from renp_infer.engine.store import MANIFEST, Store
from renp_infer.engine.verb import Verb
from renp_infer.engine.worker import identity
from renp_infer.errors import ConfigError, StoreError
from renp_infer.fields import Said
from renp_infer.files import is_file
from renp_infer.study.blinding import (
    OF_QUESTION,
    Seal,
    check_outside,
    content_of,
    digest_of_data,
    revealing,
)
from renp_infer.study.study import Study

SEAL = "blinding.json"
"""What a run directory holds of the secret."""
OPENED, RECORD = "unblinded", "unblinded.jsonl"
"""Within a blinded run: the run in the open, and who made it."""


def secret_for(
    study: Study, directory: Path, verbs: Sequence[Verb], *, whole: bool
) -> bytes | None:
    """Secret of a study, before anything is written; ``None`` where nothing is hidden.

    Raises
    ------
    ConfigError
        If a verb would show what is hidden, or the key is none, is within the run directory or
        is not that of the run, or offsets of the run are those of an older version.
    """
    if study.blinding is None:
        return None
    for verb in verbs:
        if verb.reveals(study):
            raise revealing(f"renp {verb.name}")
    if not any(verb.hides for verb in verbs):
        return None
    if not whole:
        allowed = "0/1 with [blinding]: what is hidden is one task"
        raise ConfigError("--shard", Said("a part of the tasks"), allowed)
    path = Path(study.blinding.key)
    check_outside(path, directory, "blinding.key")
    content = content_of(study.blinding)
    seal = read_seal(directory)
    if seal is None:
        return content
    if not seal.fits(content):
        allowed = f"the key with which {directory} was blinded"
        raise ConfigError("blinding.key", str(path), allowed, "another directory takes another key")
    if seal.offsets != OF_QUESTION:
        allowed = "a run directory whose offsets belong to one question alone"
        hint = f"an older version ({seal.version}) made it; take another directory, and a new key"
        raise ConfigError("--out", str(directory), allowed, hint)
    return content


def refuse_opening(study: Study, directory: Path, verbs: Sequence[Verb], *, force: bool) -> None:
    """Refuse to put an open answer beside a hidden one, unless it is forced.

    Raises
    ------
    ConfigError
    """
    showing = any(verb.hides or verb.reveals(study) for verb in verbs)
    if force or study.blinding is not None or not showing or read_seal(directory) is None:
        return
    hint = f"the study has no [blinding], and {SEAL} is there; --force puts the open answer there"
    raise ConfigError("--out", str(directory), "a directory without a blinded run", hint)


def seal(store: Store, content: bytes, study: Study) -> None:
    """Put a salted hash of the secret into a run, unless it has one."""
    if read_seal(store.directory) is None:
        made = Seal.new(content, digest_of_data(study.measured), identity())
        store.write_text(SEAL, json.dumps({"schema": 1} | asdict(made), indent=1) + "\n")


def read_seal(directory: Path) -> Seal | None:
    """Seal of a run directory; ``None`` if it has none.

    Raises
    ------
    StoreError
        If it is altered.
    """
    if not is_file(directory / MANIFEST) or not is_file(directory / SEAL):
        return None
    try:
        return Seal.of(Files.of(directory).tables(SEAL))
    except KeyError as error:
        raise StoreError(f"{directory / SEAL} is no seal of a blinded run") from error


def openings(directory: Path) -> list[dict[str, Any]]:
    """Record of a blinded run, line by line; empty where nobody has looked."""
    if not is_file(directory / RECORD):
        return []
    lines = (directory / RECORD).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]
