"""Mutation testing: which changes of the code the fast tests do not notice.

    mutants.py all [PART ...]      functions that tests/mutants.toml lists, in full
    mutants.py changed REVISION    functions that differ from those of a revision
    mutants.py rest ROOM ...       the others of a room; --most COUNT: a sample of them
    mutants.py report              what is known of the first, and of which survivors are judged

mutmut makes the mutants and runs for each the tests that reach its function, all in copies of the
project under build/mutants. What is decided there stays decided until its function changes: an
interrupted run goes on where it ended. ``--again`` tries survivors anew, after tests were added.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w
from mutmut.configuration import reset_config
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.mutation.file_mutation import compute_function_hashes, mutate_file_contents
from mutmut.stats import status_by_exit_code
from mutmut.utils.format_utils import get_mutant_name, mangled_name_from_mutant_name

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "renp_infer"
BUILD = ROOT / "build" / "mutants"
LISTED = ROOT / "tests" / "mutants.toml"
SHARED = (PACKAGE, "tests", "benchmarks", "data", "docs", "models", "scripts", "studies")
SHARED_FILES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "LICENSE")
SEED = 19
NOTICED = ("killed", "timeout", "segfault", "suspicious")
DONE = (*NOTICED, "survived", "no tests")


@dataclass(frozen=True)
class Part:
    """Functions that are tried with some tests.

    Attributes
    ----------
    name : str
        Of the copy of the project.
    files : tuple of str
    tests : tuple of str
        What pytest is given.
    wanted : callable
        Whether a function counts, by module and name as mutmut has them: ``a.b.x_f``.
    """

    name: str
    files: tuple[str, ...]
    tests: tuple[str, ...]
    wanted: Callable[[str], bool]

    @property
    def place(self) -> Path:
        """The copy."""
        return BUILD / self.name

    def names(self) -> list[str]:
        """All mutants."""
        with within(self.prepared()):
            found = [name for file in self.files for name in mutants_of(file)]
        return [name for name in found if self.wanted(mangled_name_from_mutant_name(name))]

    def prepared(self) -> Path:
        """The copy, made of links, with settings of its own."""
        self.place.mkdir(parents=True, exist_ok=True)
        for name in (*SHARED, *SHARED_FILES):
            if not (self.place / name).exists():
                (self.place / name).symlink_to(ROOT / name)
        settings, own = tables(ROOT / "pyproject.toml"), self.place / "pyproject.toml"
        chosen = settings["tool"]["mutmut"]
        chosen["only_mutate"] = list(self.files)
        chosen["pytest_add_cli_args_test_selection"] = list(self.tests)
        asked = [name for name in chosen if name.startswith("pytest")]
        if own.exists() and any(tables(own)["tool"]["mutmut"][k] != chosen[k] for k in asked):
            shutil.rmtree(self.place / "mutants", ignore_errors=True)  # by other tests: of no use
        own.write_text(tomli_w.dumps(settings))
        return self.place

    def known(self) -> dict[str, str]:
        """Status by mutant, of those that were run."""
        found = {}
        for file in self.files:
            with contextlib.suppress(FileNotFoundError):
                codes = json.loads((self.place / "mutants" / f"{file}.meta").read_text())
                for name, code in codes["exit_code_by_key"].items():
                    found[name] = status_by_exit_code[code]
        return {name: word for name, word in found.items() if word in DONE}

    def run(self, names: list[str], minutes: float) -> None:
        """Run mutants by name; stops, as if interrupted, after some minutes."""
        if not names:
            return
        tool = Path(sys.executable).with_name("mutmut")
        command = [str(tool), "run", "--max-children", "1", *names]
        env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        process = subprocess.Popen(command, cwd=self.prepared(), env=env, start_new_session=True)
        try:
            process.wait(60.0 * minutes if minutes else None)
        except subprocess.TimeoutExpired:
            print(f"{self.name}: stopped after {minutes:g} minutes")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()

    def change(self, name: str) -> str:
        """Lines that a mutant takes away and puts there."""
        file = next(f for f in self.files if name.startswith(get_mutant_name(Path(f), "x")))
        with within(self.place):
            lines = get_diff_for_mutant(name, path=file).splitlines()[2:]
        return "\n".join(f"{k[0]} {k[1:].strip()}" for k in lines if k[0] in "+-")


@contextlib.contextmanager
def within(place: Path) -> Iterator[None]:
    """Settings of mutmut are those of the working directory."""
    reset_config()
    with contextlib.chdir(place):
        yield
    reset_config()


def tables(path: Path) -> dict[str, Any]:
    """A TOML file."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def mutants_of(file: str) -> Iterable[str]:
    """Mutants of a file, by name."""
    found = mutate_file_contents(file, Path(file).read_text()).mutant_names
    return [get_mutant_name(Path(file), name) for name in found]


def listed() -> list[Part]:
    """Parts of tests/mutants.toml."""
    return [_listed(row) for row in tables(LISTED)["part"]]


def _listed(row: dict[str, list[str]]) -> Part:
    whole, single = set(), defaultdict(set)
    for entry in row["functions"]:
        module, _, function = entry.partition(":")
        whole.add(module) if not function else single[module].add(function)
    files = tuple(f"{module.replace('.', '/')}.py" for module in (*whole, *single))

    def wanted(key: str) -> bool:
        module, _, function = key.rpartition(".")
        return module in whole or plain(function) in single[module]

    return Part(str(row["name"]), tuple(sorted(files)), tuple(row["tests"]), wanted)


def plain(function: str) -> str:
    """Name of a function as people write it: ``f``, ``Class.f``."""
    return ".".join(function[1:].split("ǁ")[1:]) if "ǁ" in function else function[2:]


def changed(revision: str) -> Part:
    """Functions that differ from those of a revision."""
    asked = ["git", "diff", "--name-only", "--diff-filter=d", revision, "--", f"{PACKAGE}/**.py"]
    files = subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True)
    keys: set[str] = set()
    for file in files.stdout.split():
        shown = ["git", "show", f"{revision}:{file}"]
        before = subprocess.run(shown, cwd=ROOT, capture_output=True, text=True).stdout
        old, new = (compute_function_hashes(t) for t in (before, (ROOT / file).read_text()))
        keys |= {get_mutant_name(Path(file), k) for k, v in new.items() if old.get(k) != v}
    return _mirrored("changed", tuple(files.stdout.split()), keys.__contains__)


def rest(room: str) -> Part:
    """Functions of a room that are in no part, and neither draw nor are compiled."""
    taken = {file for part in listed() for file in part.files}
    drawing = ("figures", "drawing", "template", "page", "plate")
    files = tuple(
        sorted(
            str(path.relative_to(ROOT))
            for path in (ROOT / PACKAGE / room).rglob("*.py")
            if path.stem not in drawing and not path.stem.endswith(("_kernel", "_kernels"))
        )
    )
    files = tuple(file for file in files if file not in taken)
    return _mirrored(f"rest-{room}", files, lambda _: True)


def _mirrored(name: str, files: tuple[str, ...], wanted: Callable[[str], bool]) -> Part:
    """With the tests of the parts that have a file, else with those of the same name."""
    tests: set[str] = set()
    for file in files:
        own = [part.tests for part in listed() if file in part.files]
        tests |= {test for part in own for test in part} if own else {mirror(Path(file))}
    return Part(name, files, tuple(sorted(tests)), wanted)


def mirror(file: Path) -> str:
    """Tests of a module: the file of its name, or of its folder."""
    folder = Path("tests", *file.parent.parts[1:])
    single = folder / f"test_{file.stem}.py"
    while not (ROOT / folder).is_dir():
        folder = folder.parent
    return str(single if (ROOT / single).is_file() else folder)


@dataclass(frozen=True)
class Count:
    """What became of some mutants."""

    noticed: int
    survived: int
    equivalent: int
    unjudged: tuple[str, ...]
    left: int

    def __str__(self) -> str:
        run, real = self.noticed + self.survived, self.noticed + self.survived - self.equivalent
        share = 100.0 * self.noticed / max(real, 1)
        return (
            f"{self.noticed} of {run} killed, {self.equivalent} equivalent: {share:.1f} %; "
            f"{len(self.unjudged)} survivors not judged, {self.left} not run"
        )


def verdict(function: str, change: str) -> str | None:
    """Kind of a survivor that is judged, by itself or by a rule for all functions."""
    for row in tables(LISTED).get("judged", []):
        if (row["function"], row["change"].strip()) == (function, change):
            return str(row["kind"])
    for row in tables(LISTED).get("rule", []):
        if re.fullmatch(row["change"], change):
            return str(row["kind"])
    return None


def count(part: Part) -> Count:
    """What is known of a part."""
    names, known = part.names(), part.known()
    words = {name: known[name] for name in names if name in known}
    lost = [name for name, word in words.items() if word not in NOTICED]
    kinds = {name: verdict(function_of(name), part.change(name)) for name in lost}
    return Count(
        noticed=len(words) - len(lost),
        survived=len(lost),
        equivalent=sum(kind == "equivalent" for kind in kinds.values()),
        unjudged=tuple(name for name, kind in kinds.items() if kind is None),
        left=len(names) - len(words),
    )


def function_of(name: str) -> str:
    """``module:function`` of a mutant."""
    module, _, key = mangled_name_from_mutant_name(name).rpartition(".")
    return f"{module}:{plain(key)}"


def report(parts: Iterable[Part]) -> int:
    """Say what is known; 1 if a survivor is not judged or a mutant not run."""
    open_ends = 0
    for part in parts:
        found = count(part)
        print(f"{part.name}: {found}")
        for name in found.unjudged:
            print(f"\n[[judged]] # {name}, {part.known()[name]}")
            print(f'function = "{function_of(name)}"')
            print(f"change = '''\n{part.change(name)}'''\nkind = \"\"\nwhy = \"\"")
        open_ends += len(found.unjudged) + found.left
    return int(open_ends > 0)


def run(part: Part, arguments: argparse.Namespace, most: int = 0) -> int:
    """Run what is not decided, and say what is known."""
    names, known = part.names(), part.known()
    if most and len(names) > most:
        names = random.Random(SEED).sample(names, most)
        print(f"{part.name}: {most} mutants, drawn with seed {SEED}")
    left = [n for n in names if n not in known or (arguments.again and known[n] not in NOTICED)]
    if arguments.again:  # which tests reach a function is found out anew
        (part.place / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)
    part.run(left, arguments.minutes)
    return report([part])


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("all", "changed", "rest", "report"))
    parser.add_argument("which", nargs="*")
    parser.add_argument("--minutes", type=float, default=0.0, help="stop after these; 0: never")
    parser.add_argument("--most", type=int, default=0, help="draw a sample of this size")
    parser.add_argument("--again", action="store_true", help="try survivors again")
    arguments = parser.parse_args()
    parts = {part.name: part for part in listed()}
    match arguments.what:
        case "all":
            chosen = [parts[name] for name in arguments.which or parts]
            return max(run(part, arguments) for part in chosen)
        case "changed":
            return run(changed(arguments.which[0]), arguments, arguments.most)
        case "rest":
            return max(run(rest(room), arguments, arguments.most) for room in arguments.which)
        case _:
            return report(parts.values())


if __name__ == "__main__":
    sys.exit(main())
