"""``renp init``, ``keys`` and ``schema``: from nothing to a study."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from renp_infer.engine.driver import DONE
from renp_infer.engine.options import Options
from renp_infer.errors import ConfigError
from renp_infer.fields import directory_name
from renp_infer.files import make_directory, write_text
from renp_infer.resources import share_path
from renp_infer.study.load import load_study
from renp_infer.study.texts.keys import Key, KeyTable, explained
from renp_infer.study.texts.schema import schema_text, study_schema
from renp_infer.study.texts.starters import (
    EXAMPLES,
    STARTERS,
    PresetName,
    Question,
    starting_tables,
    starting_text,
)
from renp_infer.terminal import columns, show, write_document


def init(name: str, question: Question, preset: PresetName, options: Options) -> int:
    """Write a study to start from, and what it reads."""
    try:
        stem = directory_name(name.removesuffix(".toml"))
    except ValueError as error:
        raise ConfigError("NAME", name, str(error)) from None
    text = starting_text(question, preset, stem)
    folder = options.out if options.out is not None else Path()
    study = folder / f"{stem}.toml"
    files = {study: text} | _data_files(question, preset, stem, folder)
    for path in files:
        if os.path.lexists(path) and not options.force:
            raise ConfigError("NAME", str(path), "a file that is not there yet, or --force")
    make_directory(folder)
    for path, content in files.items():
        write_text(path, content)
    load_study(study)  # what is handed out is a study
    does = STARTERS[question].does.format(file=study)
    if options.json:
        names = [str(path) for path in files]
        found = {"schema": 1, "question": question, "preset": preset, "preset_chosen": True}
        write_document(found | {"files": names, "command": does})
    else:
        show(f"{study}: {STARTERS[question].asks} Preset: {preset} (chosen).")
        show(*(f"also written: {path}" for path in list(files)[1:]), f"next: {does}")
    return DONE


def _data_files(question: Question, preset: PresetName, stem: str, folder: Path) -> dict[Path, str]:
    """Example data, where the study has a place for them."""
    section = starting_tables(question, preset, stem).get("data")
    if section is None:
        return {}
    example = share_path("data") / "examples" / EXAMPLES[preset]
    return {folder / section["file"]: example.read_text(encoding="utf-8")}


def keys(name: str, options: Options) -> int:
    """Explain the keys of a study: an outline, a section, or one key."""
    found = explained(name)
    if options.json:
        write_document({"schema": 1, "sections": [_document(table) for table in found]})
        return DONE
    lines = _outline(found) if not name else _explanation(found)
    sys.stdout.write("\n".join(lines) + "\n")
    return DONE


def _document(table: KeyTable) -> dict[str, object]:
    rows = [asdict(key) for key in table.keys]
    return {
        "section": table.path,
        "meaning": table.meaning,
        "page": f"docs/{table.page}",
        "keys": [row | {"page": f"docs/{row['page']}"} for row in rows],
    }


def _outline(found: list[KeyTable]) -> Iterator[str]:
    """A line for each section."""
    yield 'Sections of a study; "renp keys SECTION" or "renp keys SECTION.KEY" explains.'
    yield ""
    width = max(len(table.heading) for table in found)
    for table in found:
        if table.path:
            yield from _hanging(f"{table.heading:{width}}  ", table.meaning)
    yield ""
    yield f"Above them: {', '.join(key.name for key in found[0].keys)}."


def _explanation(found: list[KeyTable]) -> Iterator[str]:
    """Sections with their keys."""
    for k, table in enumerate(found):
        yield from [""] if k else []
        yield from _hanging(f"{table.heading or 'above all sections'}  ", table.meaning)
        for key in table.keys:
            yield ""
            yield from _about(key)


def _about(key: Key) -> Iterator[str]:
    """All that is known of a key."""
    yield key.path
    yield from _hanging("  ", key.meaning)
    rows = [("allowed", key.allowed), ("default", key.default_text), ("typical", key.typical)]
    rows += [("source", key.source), ("page", f"docs/{key.page}")]
    for name, text in rows:
        if text:
            yield from _hanging(f"  {name}  ", text)


def _hanging(head: str, text: str) -> list[str]:
    """Text behind a head, its further lines below its first."""
    lines = textwrap.wrap(
        text, max(columns() - len(head), 20), break_long_words=False, break_on_hyphens=False
    )
    return [(head if not k else " " * len(head)) + line for k, line in enumerate(lines or [""])]


def schema(options: Options) -> int:
    """Print the JSON schema of studies, or write it into a file."""
    if options.out is not None:
        if options.out.is_dir():
            raise ConfigError("--out", str(options.out), "a file")
        write_text(options.out, schema_text())
        if options.json:
            write_document({"schema": 1, "file": str(options.out)})
        else:
            show(f"written: {options.out}")
    elif options.json:
        write_document(study_schema())
    else:
        sys.stdout.write(schema_text())
    return DONE
