"""What the pages name exists: links, commands, options, keys, studies, files, targets."""

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from cyclopts import CycloptsError
from pydantic import BaseModel

import renp_infer
from renp_infer.app.cli import app
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.study.reading import StudyConfig

ROOT = Path(renp_infer.__file__).parents[1]
PAGES = sorted(
    path
    for where in ("", "docs", "docs/tutorials", "benchmarks", "data")
    for path in (ROOT / where).glob("*.md")
)
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`]+)`(?!`)", re.DOTALL)
LINK = re.compile(r"\[[^\]\[]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
IN_REPOSITORY = re.compile(
    r"(?:studies|docs|tests|data|models|benchmarks|scripts|renp_infer)/[\w./*-]*\w"
)


def prose(page: Path) -> str:
    """Text of a page without its fenced blocks."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def code(page: Path) -> Iterator[str]:
    """Lines of shell blocks, and what stands between backticks."""
    text = page.read_text(encoding="utf-8")
    for language, block in FENCE.findall(text):
        if language == "sh":
            yield from block.replace("\\\n", " ").splitlines()
    for inline in INLINE.findall(prose(page)):
        yield " ".join(inline.split())


def commands(page: Path) -> Iterator[list[str]]:
    """Words after ``renp`` of every command of a page."""
    for line in code(page):
        for part in re.split(r";|\|\||&&", re.sub(r"(^|\s)#.*", "", line)):
            if re.match(r"\s*(\.venv/bin/)?renp\s", part):
                yield shlex.split(part)[1:]


def slug(heading: str) -> str:
    """Anchor of a heading, as GitHub and MyST make it."""
    plain = re.sub(r"[^\w\- ]", "", heading.lower().replace("`", ""))
    return plain.replace(" ", "-")


def fault_of_link(page: Path, target: str) -> str:
    """What is wrong with a link; nothing, if it is right."""
    if re.match(r"https?://", target):
        return ""
    name, _, anchor = target.partition("#")
    file = (page.parent / name).resolve() if name else page
    if not file.exists():
        return f"no file {target}"
    if anchor and anchor not in map(slug, HEADING.findall(file.read_text(encoding="utf-8"))):
        return f"no heading {target}"
    return ""


def has_key(model: type[BaseModel], path: list[str]) -> bool:
    """Whether a dotted key leads to a key of a study."""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    field = fields.get(path[0])
    if field is None:
        return False
    parts = (field.annotation, *get_args(field.annotation))
    if any(get_origin(part) is dict for part in parts):  # keys of other sections, or parameters
        known = len(path) < 2 or path[1] in PARAMETERS.names or path[1].startswith("share.")
        return known or has_key(StudyConfig, path[1].split("."))
    return not path[1:] or any(has_key(inner, path[1:]) for inner in tables(field.annotation))


def tables(annotation: Any) -> Iterator[type[BaseModel]]:
    """Sections inside an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from tables(part)


def fault_of_command(words: list[str]) -> str:
    """Why a command would be refused before it looks at a file; nothing, if it would not."""
    if words[0].isupper():  # a placeholder for any verb
        return ""
    if words in (["--help"], ["--version"], ["--install-completion"]):
        return ""
    depth = 2 if words[0] == "scheme" else 1
    try:
        inner = app
        for word in words[:depth]:
            inner = inner[word]
    except (KeyError, CycloptsError):
        return "no such verb"
    if len(words) > depth:  # a verb alone is only mentioned
        try:
            app.parse_args(words, exit_on_error=False, print_error=False)
        except CycloptsError as error:
            if any(not word.startswith("-") for word in words[depth:]):
                return str(error)
    settings = [words[i + 1] for i, word in enumerate(words) if word == "--set"]
    settings += [word.removeprefix("--set=") for word in words if word.startswith("--set=")]
    for key in (setting.partition("=")[0] for setting in settings):
        if key != "section.key" and not has_key(StudyConfig, key.split(".")):
            return f"no key {key}"
    return ""


def fault_of_study(words: list[str]) -> str:
    """Studies and schemes of a command that are not there."""
    schemes = {p.stem for p in (ROOT / "models").glob("*/*.toml")}
    studies = {p.stem for p in (ROOT / "studies").glob("*.toml")}
    known = {"scheme": schemes}.get(words[0], studies)
    if words[0] not in ("scheme", *VERBS_OF_STUDIES):
        return ""
    for word in words[1 + (words[0] == "scheme") :]:
        if word.startswith("-"):
            break
        if re.fullmatch(r"[a-z0-9-]{5,}", word) and word not in known:
            return f"nothing is called {word}"
    return ""


VERBS_OF_STUDIES = ("run", "evaluate", "simulate", "infer", "compare", "calibrate", "forecast")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    faults = [fault_of_link(page, target) for target in LINK.findall(prose(page))]
    assert not [fault for fault in faults if fault]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_parse_and_name_what_exists(page: Path) -> None:
    found = [(words, fault_of_command(words) or fault_of_study(words)) for words in commands(page)]
    assert not [(" ".join(words), fault) for words, fault in found if fault]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_and_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in code(page):
        for name in IN_REPOSITORY.findall(line):
            assert any(ROOT.glob(name)) or "results/" in name, name
        for target in re.findall(r"^make (?:\w+=\S+ )*([a-z-]+)", line):
            assert target in targets, line


NAMED_TEST = re.compile(r"(?<![\w/])(?:tests/(?:\w+/)*)?(test_\w+)(\.py)?(?:::(\w+))?")


@cache
def known_tests() -> dict[str, set[str]]:
    """Functions and methods of every file of tests, by its name without the ending."""
    found: dict[str, set[str]] = {}
    for path in ROOT.glob("tests/**/test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        found.setdefault(path.stem, set()).update(names)
    return found


def fault_of_test(named: re.Match[str]) -> str:
    """What is wrong with a name of a test, however it is written; nothing, if it is right."""
    whole, (name, file, function) = named.group(), named.groups()
    files = known_tests()
    if whole.startswith("tests/") and file:
        path = ROOT / whole.partition("::")[0]
        if not path.is_file():
            return f"no file {whole}"
    if file or function:
        known = files.get(name)
        return "" if known is not None and (not function or function in known) else f"no {whole}"
    return "" if name in files or any(name in names for names in files.values()) else f"no {name}"


@pytest.mark.parametrize(
    "page",
    [*PAGES, *sorted((ROOT / "docs").glob("**/*.ipynb"))],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_every_test_that_is_named_exists(page: Path) -> None:
    faults = map(fault_of_test, NAMED_TEST.finditer(page.read_text(encoding="utf-8")))
    assert not [fault for fault in faults if fault]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("tests/physics/pairs/test_densities.py", True),
        ("tests/physics/signal/test_emission.py::test_anchors", True),
        ("`test_densities.py`", True),
        ("test_anchors_at_rest", True),
        ("tests/measurement/test_pairs.py", False),
        ("test_emission.py::test_anchors_at_rest", False),
        ("test_no_such_thing", False),
        ("test_no_such_file.py", False),
    ],
)
def test_a_test_that_is_not_there_is_found(text: str, right: bool) -> None:
    (named,) = NAMED_TEST.finditer(text)
    assert (fault_of_test(named) == "") is right


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_keys_of_studies_exist(page: Path) -> None:
    for language, block in FENCE.findall(page.read_text(encoding="utf-8")):
        if language == "toml":
            assert not [
                key for key in dotted(tomllib.loads(block)) if not has_key(StudyConfig, key)
            ]


def dotted(table: dict[str, Any]) -> Iterator[list[str]]:
    """Paths of all keys of tables."""
    for key, value in table.items():
        inner = list(dotted(value)) if isinstance(value, dict) else []
        yield from ([key, *rest] for rest in inner or [[]])


def stated_defaults() -> list[tuple[str, str, str]]:
    """Section, key and default of every row of a table of defaults."""
    found = []
    for page in PAGES:
        section = ""
        for line in page.read_text(encoding="utf-8").splitlines():
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if len(cells) > 1 and cells[1] == "default":
                section = "".join(re.findall(r"`\[(\w+)\]`", cells[0]))
            elif section and line.startswith("| `"):
                keys, values = cells[0].replace("`", "").split(", "), cells[1].replace("`", "")
                each = values.split(", ") if len(keys) > 1 else [values]
                each = each * len(keys) if len(each) == 1 else each
                found += [(section, *pair) for pair in zip(keys, each, strict=True)]
            elif not line.startswith("|"):
                section = ""
    return found


@pytest.mark.parametrize(("section", "key", "value"), stated_defaults())
def test_defaults_are_those_of_the_models(section: str, key: str, value: str) -> None:
    (model,) = tables(StudyConfig.model_fields[section].annotation)
    default = model.model_fields[key].default
    words = {(True, "true"), (False, "false")}
    if isinstance(default, bool):
        assert (default, value) in words
    elif isinstance(default, int | float):
        assert float(value) == default
    elif isinstance(default, tuple) and isinstance(default[0], float):
        assert tuple(map(float, value.split(","))) == default
    elif isinstance(default, BaseModel):
        assert tomllib.loads(f"x = {value}")["x"] == default.model_dump()
    else:
        assert value in ("both", "all three", "all six")  # in words
        assert len(default) == {"both": 2, "all three": 3, "all six": 6}[value]


def definitions() -> list[tuple[str, str]]:
    """Names and files of every row of the page of definitions."""
    rows = []
    for line in (ROOT / "docs/definitions.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[3].startswith("`renp_infer/"):
            rows += [(name, cells[3].strip("`")) for name in re.findall(r"`(\w+)`", cells[2])]
    return rows


@pytest.mark.parametrize(("name", "file"), definitions())
def test_what_is_defined_stands_in_the_file_beside_it(name: str, file: str) -> None:
    assert re.search(rf"\b{name}\b", (ROOT / file).read_text(encoding="utf-8"))


def test_definitions_name_every_kind_of_result() -> None:
    assert len(definitions()) > 40
    files = " ".join(file for _, file in definitions())
    kinds = ("evaluate", "inference/results", "forecast", "optimize", "calibrate")
    assert all(kind in files for kind in kinds)


def test_the_pages_are_read() -> None:
    text = [word for page in PAGES for words in commands(page) for word in words]
    assert {"infer", "forecast", "--set", "--executor"} <= set(text)
    assert len(stated_defaults()) > 15
    assert sum(len(LINK.findall(prose(page))) for page in PAGES) > 20


@pytest.mark.parametrize(
    "line",
    [
        "infre STUDY.toml",
        "infer STUDY.toml --outt DIR",
        "infer STUDY.toml --set neutrino.m2_meV=1",
        "infer STUDY.toml --set lasers.no.key=1",
        "infer no-such-study",
        "slurm STUDY.toml --jobs many",
        "scheme shw er-ylf",
        "scheme show er-yfl",
    ],
)
def test_a_wrong_command_is_found(line: str) -> None:
    words = line.split()
    assert fault_of_command(words) or fault_of_study(words)


@pytest.mark.parametrize("target", ["nowhere.md", "theory.md#no-such-heading", "../NOTHING"])
def test_a_wrong_link_is_found(target: str) -> None:
    assert fault_of_link(ROOT / "docs" / "index.md", target)
    assert not fault_of_link(ROOT / "docs" / "index.md", "theory.md#kinematics")
