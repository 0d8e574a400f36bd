"""A key of a study stands in the file of its section, and its default in one place."""

import ast
import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import renp_infer
from renp_infer.study.reading import StudyConfig, kinds_of
from renp_infer.study.sections.base import Section

ROOT = Path(renp_infer.__file__).parent
SECTIONS = sorted((ROOT / "study" / "sections").rglob("*.py"))
RESULTS = sorted([*(ROOT / "verbs").rglob("*.py"), *(ROOT / "report").rglob("*.py")])
TABLES = [ROOT / "design" / "measures.py", ROOT / "inference" / "parameters.py"]
"""What was found, and columns of a table, may have the name of a key, but are no setting."""
OTHERS = [path for path in sorted(ROOT.rglob("*.py")) if path not in (*SECTIONS, *RESULTS, *TABLES)]
UNITS = ("", "_deg", "_meV", "_s")
"""What the name of a key may have beside that of the field it fills."""


def texts(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        yield path.read_text(encoding="utf-8")


def classes(text: str, decorated: str = "") -> Iterator[ast.ClassDef]:
    """Classes of a module with a decorator, if one is named."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            marks = [ast.unparse(mark) for mark in node.decorator_list]
            if not decorated or any(decorated in mark for mark in marks):
                yield node


def defaults(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    """Fields of a class with a default, other than None: that says nothing."""
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            if line.value is not None and ast.unparse(line.value) != "None":
                yield line.target.id, line.value


def references(value: ast.expr, places: Iterable[str]) -> list[str]:
    """Fields of classes in a value: ``cycle_ms`` for ``Lasers.cycle_ms``."""
    return [
        node.attr
        for node in ast.walk(value)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in places
    ]


RECORDS = {node.name for text in texts(OTHERS) for node in classes(text, "dataclass")}


def elsewhere(value: ast.expr) -> bool:
    """Whether a value is named, not said: by a field of a record, or a constant."""
    names = [node.id for node in ast.walk(value) if isinstance(node, ast.Name)]
    return bool(references(value, RECORDS)) or any(name.isupper() for name in names)


def said(text: str) -> set[str]:
    """Keys of sections whose default is said there."""
    return {key for n in classes(text) for key, value in defaults(n) if not elsewhere(value)}


def again(keys: set[str], text: str) -> list[str]:
    """Fields of dataclasses that say a default for one of these keys, too."""
    return [
        f"{node.name}.{name}"
        for node in classes(text, "dataclass")
        for name, value in defaults(node)
        if not elsewhere(value) and keys & {name + unit for unit in UNITS}
    ]


def test_no_default_stands_twice() -> None:
    keys = set().union(*map(said, texts(SECTIONS)))
    assert len(keys) > 50
    assert [found for text in texts(OTHERS) for found in again(keys, text)] == []


def test_a_default_that_stands_twice_is_found() -> None:
    section = "class S(Section):\n    chains: Whole = 4\n    tilt_deg: Degrees = 0.0"
    record = "@dataclass(frozen=True)\nclass R:\n    chains: int = 4\n    tilt: float = 1.0\n"
    assert again(said(section), record) == ["R.chains", "R.tilt"]
    assert again(said(section.replace("4", "Lasers.chains").replace("0.0", "None")), record) == []
    assert again(said(section), record.replace("1.0", "UPRIGHT")) == ["R.chains"]
    assert again(said(section), record.replace("@dataclass(frozen=True)\n", "")) == []


@pytest.mark.parametrize("path", SECTIONS, ids=lambda path: path.stem)
def test_a_default_of_a_record_is_that_of_the_same_key(path: Path) -> None:
    for node in classes(path.read_text(encoding="utf-8")):
        for key, value in defaults(node):
            for name in references(value, RECORDS):
                assert key in [name + unit for unit in UNITS]


@pytest.mark.parametrize("key", list(StudyConfig.model_fields))
def test_each_section_has_its_file(key: str) -> None:
    for kind in kinds_of(StudyConfig.model_fields[key].annotation):
        if isinstance(kind, type) and issubclass(kind, Section):
            home = importlib.import_module(f"renp_infer.study.sections.{key}")
            assert kind.__module__ == home.__name__
            return
    assert key in ("schema_version", "name", "seed", "include")
