"""The list of mutation testing names what there is: functions, tests, and survivors of both."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LISTED = tomllib.loads((ROOT / "tests" / "mutants.toml").read_text(encoding="utf-8"))
PARTS = LISTED["part"]
JUDGED = LISTED["judged"]


def functions(path: Path) -> dict[str, str]:
    """Source of functions and methods by name, ``f`` or ``Class.f``."""
    text = path.read_text(encoding="utf-8")
    found = {}
    for node in ast.parse(text).body:
        members = node.body if isinstance(node, ast.ClassDef) else [node]
        before = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
        for member in members:
            if isinstance(member, ast.FunctionDef):
                found[before + member.name] = ast.get_source_segment(text, member) or ""
    return found


def source_of(entry: str) -> str:
    """Source of a function, or names of all that a module has."""
    module, _, function = entry.partition(":")
    own = functions(ROOT / f"{module.replace('.', '/')}.py")
    return own[function] if function else " ".join(own)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part["name"])
def test_a_part_lists_functions_and_tests_that_there_are(part: dict[str, list[str]]) -> None:
    assert all(map(source_of, part["functions"]))
    for entry in part["tests"]:
        file, _, test = entry.partition("::")
        assert not test or test in functions(ROOT / file), entry
        assert (ROOT / file).is_file(), entry


def test_no_function_is_in_two_parts() -> None:
    every = [entry for part in PARTS for entry in part["functions"]]
    assert len(set(every)) == len(every)


def test_a_judged_survivor_is_of_a_listed_function_as_it_stands() -> None:
    """What a mutant takes away is in the function, and why it may live is said once."""
    every = {entry for part in PARTS for entry in part["functions"]}
    for row in JUDGED:
        module = row["function"].partition(":")[0]
        assert {row["function"], module} & every, row["function"]
        assert row["kind"] in ("equivalent", "stays") and row["why"]
        source = source_of(row["function"])
        for line in row["change"].splitlines():
            if line.startswith("- "):
                assert line[2:].strip() in source, f"{row['function']}: {line}"
    keys = [(row["function"], row["change"]) for row in JUDGED]
    assert len(set(keys)) == len(keys)
