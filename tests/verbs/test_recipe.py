"""A verb is one folder: this one, made here, is found by everything that loops over verbs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

VERB = '''
"""The number of trigger angles."""

from __future__ import annotations

from dataclasses import dataclass

from renp_infer.engine.result import Result, Verdict
from renp_infer.engine.verb import Verb
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.inputs import model_inputs


@dataclass(frozen=True)
class CountResult(Result):
    """How many angles there are."""

    angles: int

    def verdicts(self):
        few = ("fewer than ten angles",) if self.angles < 10 else ()
        return {"count": Verdict("fail" if few else "pass", few)}

    def rows(self):
        return [("angles counted", str(self.angles))]

    def told(self):
        return self.angles


class Count(Verb):
    """Count the trigger angles."""

    name, file, rank = "count", "count.json", 5
    returns = "int"
    cites = ("Talts2018",)

    def wanted(self, study):
        return True

    def inputs(self, study):
        return model_inputs(study)

    def plan(self, study):
        return (EVALUATE, self)

    def perform(self, study, task, context):
        return {"angles": study.experiment.layout.theta_s.size}

    def read(self, files, study):
        return CountResult(files.tables(self.file)["angles"])


COUNT = Count()
VERBS = (COUNT,)
'''
COMMAND = '''
"""``renp count``."""

from __future__ import annotations

from pathlib import Path

from renp_infer.engine.options import DEFAULTS, Options


def count(study: Path, /, *, options: Options = DEFAULTS) -> int:
    """Count the trigger angles of a study."""
    from renp_infer.engine.driver import DONE, asked, judge, load
    from renp_infer.terminal import show
    from renp_infer.verbs.count.verb import COUNT, CountResult

    run = asked(load(study, options), COUNT, options)
    if run is None:
        return DONE
    show(f"{run.get(CountResult).angles} angles")
    return judge([run])
'''
WITH_IT = "import sys, renp_infer.verbs as v; v.__path__.append(sys.argv.pop(1)); "
COMMAND_LINE = WITH_IT + "from renp_infer.app import cli; cli.main()"
PYTHON = WITH_IT + (
    "import renp_infer as renp; assert renp.count(sys.argv[1], quiet=True) == 61; "
    "assert 'Count the trigger angles' in renp.count.__doc__; "
    "run = renp.open_run(sys.argv[2]); assert run.count == 61 and 'count' in dir(run); "
    "assert run.inference is None and not hasattr(run, 'nothing'); "
    "sys.stdout.write(repr(run))"
)
FEW = ("--set", "layout.theta_s_deg=[50.0, 60.0]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy verb, in a folder that is no part of the package."""
    place = tmp_path_factory.mktemp("verbs")
    (place / "count").mkdir()
    for name, text in (("__init__", '"""Count."""'), ("verb", VERB), ("command", COMMAND)):
        (place / "count" / f"{name}.py").write_text(text.lstrip("\n"))
    return place


def call(code: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", code, str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_folder_makes_a_verb(folder: Path, tmp_path: Path) -> None:
    runs = str(tmp_path / "run")
    done = call(COMMAND_LINE, folder, "count", "fig6", "--out", runs, "--quiet")
    assert (done.returncode, done.stdout) == (0, "61 angles\n"), done.stderr
    assert "Count the trigger angles of a study." in call(COMMAND_LINE, folder, "--help").stdout
    status = call(COMMAND_LINE, folder, "status", runs, "--json")
    rows = {row["task"]: row["state"] for row in json.loads(status.stdout)["tasks"]}
    assert rows["count"] == "done", status.stderr
    shown = call(PYTHON, folder, "fig6", runs)
    assert "angles counted 61" in shown.stdout and "count pass" in shown.stdout, shown.stderr


@pytest.mark.slow
def test_its_verdict_is_in_exit_code_and_report(folder: Path, tmp_path: Path) -> None:
    runs = tmp_path / "few"
    done = call(COMMAND_LINE, folder, "count", "fig6", *FEW, "--out", str(runs), "--quiet")
    assert done.returncode == 3
    assert done.stderr == "renp: fig6: count failed: fewer than ten angles\n"
    report = call(COMMAND_LINE, folder, "report", str(runs))
    assert report.returncode == 0, report.stderr
    text = (runs / "report.html").read_text()
    assert "fewer than ten angles" in text and "{Talts2018," in text
