"""Imports go one way, and the command line starts without the heavy packages."""

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import renp_infer
from renp_infer.__main__ import COLLECTED_AFTER

ROOT = Path(renp_infer.__file__).parent
ORDER = (
    (
        "errors",
        "finite",
        "fields",
        "files",
        "target",
        "records",
        "switches",
        "resources",
        "versions",
        "terminal",
        "display",
        "kernels",
    ),
    ("physics",),
    ("measurement",),
    ("inference",),
    ("design",),
    ("reproduction",),
    ("figures",),
    ("study",),
    ("engine",),
    ("verbs",),
    ("report", "exports"),
    ("explorer", "live"),
    ("app",),
)
"""Rooms, from the ground up; those of one row do not matter to each other's order."""
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}
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


def modules() -> dict[str, Path]:
    """Files of the package by dotted name, without the package itself."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        steps = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(steps).removesuffix(".__init__")] = path
    del found["__init__"], found["__main__"]
    return found


MODULES = modules()


def home_of(name: str) -> str:
    """Module that a name of the package itself is loaded from; empty for the version."""
    homes = (home for home, names in renp_infer._HOMES.items() if name in names)
    return "" if name == "__version__" else next(homes, "app.library")


HOMES = {name: home_of(name) for name in renp_infer.__all__}
"""A name that is taken from the package itself comes from a room all the same."""


def imported(source: str) -> Iterator[str]:
    """Modules of the package that a text imports: in functions and for typing, too."""
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
            if package == "renp_infer":
                yield HOMES.get(rest.partition(".")[0], rest)


VERBS = (
    "inputs", "about", "remembered", "hidden", "evaluate", "simulate", "infer",
    "compare", "calibrate", "forecast", "scan", "sequential", "optimize", "atlas", "table",
    "reproduce",
)  # fmt: skip
"""Inside ``verbs``: what may import what. Only the table looks at all of them."""


def module_of(name: str) -> str:
    """Module that an imported name is, or is in."""
    while name not in MODULES:
        name = name.rpartition(".")[0]
        assert name, "an import from nowhere"
    return name


def room(module: str) -> str:
    return module.partition(".")[0]


def upward(home: str, source: str) -> list[str]:
    """Rooms that are imported against the order; an unknown room is a ``KeyError``."""
    rooms = [room(name) for name in imported(source)]
    return [other for other in rooms if other and RANK[other] > RANK[home]]


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_one_way(module: str) -> None:
    assert upward(room(module), MODULES[module].read_text(encoding="utf-8")) == []


def verb_of(module: str) -> str:
    """Folder or file of ``verbs`` that a module is in; empty elsewhere."""
    steps = module.split(".")
    return steps[1] if steps[0] == "verbs" and len(steps) > 1 else ""


@pytest.mark.parametrize("module", [name for name in MODULES if verb_of(name)])
def test_verbs_know_those_before_them(module: str) -> None:
    text = MODULES[module].read_text(encoding="utf-8")
    others = {verb_of(module_of(name)) for name in imported(text) if name} - {""}
    rank = VERBS.index(verb_of(module))
    assert [other for other in others if VERBS.index(other) > rank] == []


STRANGERS = {"physics", "measurement", "inference", "design", "reproduction", "verbs"}
"""Rooms of which the engine knows nothing."""


def strangers(source: str) -> set[str]:
    return {room(name) for name in imported(source)} & STRANGERS


@pytest.mark.parametrize("module", [name for name in MODULES if room(name) == "engine"])
def test_the_engine_knows_neither_physics_nor_verbs(module: str) -> None:
    assert strangers(MODULES[module].read_text(encoding="utf-8")) == set()


def test_physics_in_the_engine_is_found() -> None:
    found = "def f():\n    from renp_infer.physics.targets.target import GENERIC"
    assert strangers(found) == {"physics"}


def test_names_of_the_package_are_of_the_rooms_they_come_from() -> None:
    for name in set(HOMES) - {"__version__", "PRESETS"}:
        lent = renp_infer.__name__ + "." + HOMES[name]
        assert getattr(importlib.import_module(lent), name) is getattr(renp_infer, name)


def test_every_room_is_seen() -> None:
    assert {room(module) for module in MODULES} == set(RANK)


def circles(graph: dict[str, set[str]]) -> list[str]:
    """Modules from which a way of imports leads back to themselves."""
    rest = {name: set(others) for name, others in graph.items()}
    while free := [name for name, others in rest.items() if not others & rest.keys()]:
        for name in free:
            del rest[name]
    return sorted(rest)


def test_no_imports_go_in_circles() -> None:
    graph = {
        name: {module_of(other) for other in imported(path.read_text(encoding="utf-8")) if other}
        - {name}
        for name, path in MODULES.items()
    }
    assert circles(graph) == []


def test_a_circle_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["a", "b", "c"]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize(
    "source",
    [
        "import renp_infer.app.cli",
        "from renp_infer import app",
        "from renp_infer.app import cli",
        "from renp_infer import infer",
        "from renp_infer import Run as Found",
        "def f():\n    from renp_infer.app.cli import main",
        "if TYPE_CHECKING:\n    from renp_infer.app.cli import main",
    ],
)
def test_an_upward_import_is_found(source: str) -> None:
    assert upward("physics", source) == ["app"]
    assert upward("app", source) == []


MOST_MODULES = 25


def test_no_folder_is_crowded() -> None:
    for folder in {path.parent for path in MODULES.values()}:
        assert len(list(folder.glob("*.py"))) <= MOST_MODULES, folder


FAMILIES = {
    "physics": ("targets", "pairs", "cycle", "signal", "ions", "atlas"),
    "inference": (
        "priors", "responses", "knowledge", "results", "profiles", "samplers", "judging",
    ),
    "design": ("utilities", "spaces", "sequences", "searches"),
}  # fmt: skip
"""Families inside a room: each may import those before it, and what has no family."""


def family(module: str) -> str:
    """Folder of a room that a module is in; empty for what is common to all of them."""
    steps = module.split(".")
    return steps[1] if steps[1:] and steps[1] in FAMILIES.get(steps[0], ()) else ""


@pytest.mark.parametrize("module", [name for name in MODULES if family(name)])
def test_families_know_those_before_them(module: str) -> None:
    home = room(module)
    text = MODULES[module].read_text(encoding="utf-8")
    others = {family(module_of(name)) for name in imported(text) if room(name) == home} - {""}
    order = FAMILIES[home]
    own = order.index(family(module))
    assert [other for other in others if order.index(other) > own] == []


def test_every_folder_of_a_room_with_families_is_one() -> None:
    for home, names in FAMILIES.items():
        assert {path.parent.name for path in (ROOT / home).glob("*/*.py")} == set(names)


MOST_LINES = 400


@pytest.mark.parametrize("module", MODULES)
def test_no_module_is_long(module: str) -> None:
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= MOST_LINES


SEEN_FROM_PYTHON = {"Run"}
"""A run as a Python session sees it has the name of what it extends."""


def classes(source: str) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)}


def test_a_name_of_a_class_is_that_of_one_class() -> None:
    found = [name for path in MODULES.values() for name in classes(path.read_text("utf-8"))]
    assert {name for name in found if found.count(name) > 1} == SEEN_FROM_PYTHON


def modules_after(statement: str) -> set[str]:
    """Modules in a fresh interpreter after a statement."""
    code = f"{statement}\nimport json, sys\nsys.stdout.write(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def loaded_by(statement: str) -> set[str]:
    """Top-level packages in a fresh interpreter after a statement."""
    return {name.partition(".")[0] for name in modules_after(statement)}


def test_the_command_line_starts_light() -> None:
    loaded = loaded_by("import renp_infer.app.cli")
    assert "renp_infer" in loaded
    assert not loaded & HEAVY


EVALUATION = """
import contextlib, io, sys
from renp_infer.__main__ import main
sys.argv = ["renp", "evaluate", "seed-layout-published", "--set", "layout.theta_s_deg=[50]"]
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    main()
"""


def test_an_evaluation_loads_what_it_uses() -> None:
    loaded = modules_after(EVALUATION)
    assert "renp_infer.verbs.evaluate.work" in loaded and "numba" in loaded
    assert not loaded & {"h5py", "xarray", "scipy.optimize", "scipy.stats", "scipy.interpolate"}
    assert not {name.partition(".")[0] for name in loaded} & (HEAVY - {"numba"})


def test_a_process_of_the_command_line_seldom_looks_for_cycles() -> None:
    code = "import gc, sys\nfrom renp_infer.__main__ import main\nsys.argv = ['renp', '--version']"
    seen = f"{code}\ntry:\n    main()\nfinally:\n    sys.stderr.write(str(gc.get_threshold()[0]))"
    done = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True)
    assert int(done.stderr) == COLLECTED_AFTER


def test_exported_names_are_what_their_module_defines() -> None:
    for name in renp_infer.__all__:
        value = getattr(renp_infer, name)
        home = getattr(value, "__module__", "")
        homes = ("errors", "target", "records", "switches", "app.library", "app.outside", "app.run")
        homes += ("study.load", "study.study", "live.campaign")
        assert home in [f"renp_infer.{place}" for place in homes] or name in (
            "PRESETS",
            "__version__",
        )
        assert not callable(value) or value.__doc__


def test_exported_names_load_lazily() -> None:
    assert "numpy" not in loaded_by("import renp_infer")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = renp_infer.nothing
