"""Imports go one way, and the command line starts without the heavy packages."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import renp_infer

ROOT = Path(renp_infer.__file__).parent
RANK = {
    "errors": 0,
    "finite": 0,
    "records": 0,
    "resources": 0,
    "versions": 0,
    "physics": 1,
    "measurement": 2,
    "inference": 3,
    "design": 4,
    "reproduction": 5,
    "runner": 6,
    "explorer": 6,
}
HEAVY = {
    "arviz",
    "dash",
    "dask",
    "dieke",
    "distributed",
    "emcee",
    "flask",
    "magpylib",
    "matplotlib",
    "numba",
    "nutpie",
    "pandas",
    "pymc",
    "pytensor",
    "sklearn",
    "sympy",
}


def imported(source: str) -> Iterator[str]:
    """Layers of the package that a module imports, at any depth of its code."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import, line {node.lineno}"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            layer = rest.partition(".")[0]
            if package == "renp_infer" and layer not in ("", *renp_infer.__all__):
                yield layer


def upward(layer: str, source: str) -> list[str]:
    """Imports that go against the order; an unknown layer is a ``KeyError``."""
    return [other for other in imported(source) if RANK[other] > RANK[layer]]


def modules() -> list[Path]:
    return sorted(set(ROOT.rglob("*.py")) - {ROOT / "__init__.py", ROOT / "__main__.py"})


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    layer = path.relative_to(ROOT).parts[0].removesuffix(".py")
    assert upward(layer, path.read_text(encoding="utf-8")) == []


def test_every_layer_is_seen() -> None:
    seen = {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in modules()}
    assert seen == set(RANK)


@pytest.mark.parametrize(
    "source",
    [
        "import renp_infer.runner.cli",
        "from renp_infer import runner",
        "from renp_infer.runner import cli",
        "def f():\n    from renp_infer.runner.cli import main",
    ],
)
def test_an_upward_import_is_found(source: str) -> None:
    assert upward("physics", source) == ["runner"]
    assert upward("runner", source) == []


def loaded_by(statement: str) -> set[str]:
    """Top-level packages in a fresh interpreter after a statement."""
    code = f"{statement}\nimport json, sys\nsys.stdout.write(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_the_command_line_starts_light() -> None:
    loaded = loaded_by("import renp_infer.runner.cli")
    assert "renp_infer" in loaded
    assert not loaded & HEAVY


def test_exported_names_are_what_their_module_defines() -> None:
    for name in renp_infer.__all__:
        value = getattr(renp_infer, name)
        home = getattr(value, "__module__", "")
        homes = ("errors", "records", "runner.library", "runner.results")
        homes += ("runner.sources", "runner.study")
        assert home in [f"renp_infer.{place}" for place in homes] or name in (
            "PRESETS",
            "__version__",
        )
        assert not callable(value) or value.__doc__


def test_exported_names_load_lazily() -> None:
    assert "numpy" not in loaded_by("import renp_infer")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = renp_infer.nothing
