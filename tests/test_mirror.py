"""What somebody meets who has the wheel alone: every command of the README is known to it."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.test_docs import ROOT, commands

QUICK = ("init", "evaluate", "scheme", "doctor")
"""Verbs whose commands are run as they stand; each takes seconds."""
STUDIED = ("run", "infer", "compare", "forecast", "scan", "calibrate", "optimize", "atlas", "serve")
"""Verbs that take minutes: they read the study and refuse one key, before any work."""
WRONG = "layout.no_such_key=1"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command in an environment that has the wheel, and packages of this one below it."""
    folder = tmp_path_factory.mktemp("mirror")
    build = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run([sys.executable, *build], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    home = folder / "env"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    words = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([python, *words], check=True, capture_output=True)
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run([python, "-c", asked], check=True, capture_output=True, text=True)
    # a path in a .pth brings packages, not what their own .pth files say: no editable project
    (Path(done.stdout.strip()) / "below.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin" / "renp"


def said(program: Path, folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV"))}
    return subprocess.run(
        [program, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=600
    )


def readme() -> list[list[str]]:
    """Commands of the README that name a verb and what it is about, each once."""
    found = {tuple(words): words for words in commands(ROOT / "README.md") if len(words) > 1}
    found |= {("doctor",): ["doctor"]}
    return list(found.values())


@pytest.mark.slow
def test_the_package_is_that_of_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = "import renp_infer; print(renp_infer.__file__)"
    done = said(installed.with_name("python"), tmp_path, "-c", code)
    assert installed.parents[1] in Path(done.stdout).parents


@pytest.mark.slow
def test_quick_commands_of_the_readme_run(installed: Path, tmp_path: Path) -> None:
    quick = [words for words in readme() if words[0] in QUICK]
    assert len(quick) > 5
    for words in quick:
        done = said(installed, tmp_path, *words)
        assert done.returncode in (0, 3), (words, done.stderr)
        assert done.stdout and "Traceback" not in done.stderr


@pytest.mark.slow
def test_long_commands_of_the_readme_are_understood(installed: Path, tmp_path: Path) -> None:
    long = [words for words in readme() if words[0] in STUDIED and not words[1].isupper()]
    assert len(long) > 10
    for words in long:
        done = said(installed, tmp_path, *words, "--set", WRONG)
        assert done.returncode == 2, (words, done.stderr)
        assert "layout.no_such_key" in done.stderr
    assert not list(tmp_path.iterdir())
