"""Progress for people and programs, tables of 80 columns, completion."""

import io
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from rich.box import SIMPLE_HEAD
from rich.table import Column, Table

from renp_infer import terminal
from renp_infer.app.cli import app, execute
from renp_infer.engine import progress
from renp_infer.engine.progress import Meter, pace_text
from renp_infer.terminal import angle_table, show
from renp_infer.verbs.calibrate.found import Calibration, Covered, Fits, Quantity, Ranks
from renp_infer.verbs.calibrate.tables import calibration_tables
from renp_infer.verbs.infer.summary import summary_table
from tests.toys.runs import make_run

LONG = "a-study-with-a-name-that-is-much-longer-than-anybody-would-like-to-type-twice-" * 2


class Clock:
    """A clock that goes on when told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


def last_update(path: Path) -> dict[str, Any]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    found: dict[str, Any] = [line for line in lines if line["event"] == "update"][-1]
    return found


def test_tasks_found_done_in_between_do_not_change_the_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    with Meter("forecast", {"short": 60}, {"short": tmp_path / "p"}) as meter:
        for _ in range(20):
            meter.found("short")
            meter.begin("short")
            clock.now += 4.0
            meter.count("short")
    last = last_update(tmp_path / "p")
    assert last["completed"] == 40
    assert last["rate_per_s"] == 0.25 and last["remaining_s"] == 80.0


def test_a_study_that_waited_for_another_has_a_rate_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, files = Clock(monkeypatch), {name: tmp_path / name for name in ("a", "b")}
    with Meter("forecast", {"a": 10, "b": 10}, files) as meter:
        for name, seconds in (("a", 100.0), ("b", 1.0)):
            for _ in range(10):
                meter.begin(name)
                clock.now += seconds
                meter.count(name)
    assert last_update(files["a"])["rate_per_s"] == 0.01
    assert last_update(files["b"])["rate_per_s"] == 1.0


def test_a_task_under_way_counts_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    with Meter("infer", {"short": 1}, {"short": tmp_path / "p"}) as meter:
        meter.begin("short")
        clock.now += 30.0
        meter.tell("sampling", 0.25)
    last = last_update(tmp_path / "p")
    assert last["stage"] == "sampling" and last["completed"] == 0.25
    assert last["remaining_s"] == 90.0


@pytest.mark.parametrize(
    ("rate", "left", "total", "text"),
    [
        (0.0, 5.0, 9, ""),
        (12.0, 30.0, 90, "12/s, 0:00:03 left"),
        (0.02, 3.0, 9, "50 s each, 0:02:30 left"),
        (0.01, 0.5, 1, "0:00:50 left"),
        (1e-5, 10.0, 20, "1e+05 s each, 11 days, 13:46:40 left"),
    ],
)
def test_pace_in_words(rate: float, left: float, total: int, text: str) -> None:
    assert pace_text(rate, left, total) == text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("quiet", "lines", "bars"), [(0, 0, 1), (1, 0, 0), (0, 1, 0), (1, 1, 0)])
def test_a_bar_is_for_terminals_and_lines_are_for_programs(
    monkeypatch: pytest.MonkeyPatch, quiet: int, lines: int, bars: int
) -> None:
    made: list[str] = []

    class Bar:
        def __init__(self, text: str, _total: int) -> None:
            made.append(text)

        def update(self, *_values: object) -> None: ...

        def close(self) -> None: ...

    monkeypatch.setattr(progress, "Bar", Bar)
    for stream, expected in ((Terminal(), bars), (io.StringIO(), 0)):
        made.clear()
        monkeypatch.setattr(sys, "stderr", stream)
        with Meter("infer", {"short": 3}, quiet=bool(quiet), lines=bool(lines)) as meter:
            meter.begin("short")
            meter.count("short")
        assert len(made) == expected
        said = [json.loads(line) for line in stream.getvalue().splitlines()]
        events = ["start", "update", "finish"] if lines and not quiet else []
        assert [line["event"] for line in said] == events
        assert all(line["study"] == "short" and line["verb"] == "infer" for line in said)


def test_the_bar_tells_rate_and_remaining_time(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", stream)
    with Meter("forecast", {"short": 1200}) as meter:
        meter.begin("short")
        meter._pace._begin -= 100.0
        for _ in range(200):
            meter.count("short")
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    assert re.search(r"forecast .*200/1200 .*2/s, 0:08:2\d left", shown)


def test_progress_never_goes_back_and_its_clock_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    stream, moved = Terminal(), []
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", stream)
    with Meter("optimize", {"short": 4}) as meter:
        bar = meter._bar
        assert bar is not None
        task = bar._bars.tasks[0]
        for step in (
            lambda: meter.begin("short"),
            lambda: meter.tell("search", 0.7),
            lambda: meter.tell("last appraisal", 1.0),
            lambda: meter.tell("other priors", 0.1),  # a stage of the same task begins
            lambda: meter.found("short"),
            lambda: meter.count("short", failed=True),
            lambda: meter.tell("search", 0.2),
            lambda: meter.count("short"),
            lambda: meter.tell("search", 1.0),
        ):
            step()
            moved.append(task.completed)
        assert task.finished_time is None  # a task that is over has a clock that stands
        assert task.description == "optimize: search"
        bar._rate_per_s = 0.01
        first, bar._since = bar._pace(), bar._since - 5.0
        assert (first, bar._pace()) == ("100 s each, 0:00:01 left", "100 s each, 0:00:00 left")
        meter.count("short")
        assert task.completed == 4.0 and task.finished_time is not None
    assert moved == sorted(moved) and 0.7 in moved and moved[-1] < 4.0


def test_json_progress_of_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = 'schema = 1\nname = "s"\n[layout]\ntheta_s_deg = [58.0]\n[lasers]\nchi_squared = 1e-3\n'
    (tmp_path / "s.toml").write_text(text)
    words = ["evaluate", "s.toml", "--out", "run", "--json", "--progress", "json"]
    assert execute(words) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["name"] == "s"
    lines = [json.loads(line) for line in err.splitlines()]
    assert [line["event"] for line in lines] == ["start", "update", "finish"]
    kept = (tmp_path / "run/progress.jsonl").read_text().splitlines()
    files = [json.loads(line) for line in kept]
    assert [dict(line, study="s", time="") for line in files] == [
        dict(line, time="") for line in lines
    ]
    assert execute([*words[:-1], "xml"]) == 2


def shown(capsys: pytest.CaptureFixture[str], *parts: Any) -> str:
    capsys.readouterr()
    show(*parts)
    return capsys.readouterr().out


def test_tables_fit_80_columns_and_lose_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    wide = Table(title=LONG)
    for name in ("name", "value", LONG[:40]):
        wide.add_column(name)
    wide.add_row(LONG, "1.234567e-22 ± 0.000001e-22", "x" * 90)
    cell = Covered(0.68, 0.68, 0.01, 0.5, 0.68)
    rows = (Quantity(LONG, 0.5, cell, cell),)
    ranks = Ranks(Fits(5, 0, {}), 5, 1e-3, rows, None, ())
    calibration = Calibration("s", 0.01, "mock", ranks, None, None, "pass", ())
    run = make_run(name=LONG, normalised=True, infer=True, shape=(2, 50))
    tables = [
        wide,
        angle_table(LONG, {"theta_s [deg]": [1.0], "a" * 30: [-1.23456e-300]}),
        summary_table([run]),
        *calibration_tables(calibration),
    ]
    for table in tables:
        text = shown(capsys, table)
        assert max(map(len, text.splitlines())) <= 80
        assert "…" not in text
    for table, name in ((wide, LONG), (tables[2], LONG), (tables[3], LONG)):
        letters = re.sub(r"[^a-z]", "", shown(capsys, table))
        assert re.sub(r"[^a-z]", "", name)[:8] in letters
    lines = [line.split() for line in shown(capsys, tables[2]).splitlines()[3:]]
    joined = "".join(words[0] for words in lines if words)
    assert LONG.replace("-", "")[:60] in joined.replace("-", "")


@pytest.mark.parametrize("width", [40, 50, 61, 80, 200])
def test_no_number_and_no_name_is_split(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setattr(terminal, "columns", lambda: width)
    heads = ["m₁\n[meV]", *(f"{name}\nin {k}σ" for name in ("mass", "ordering") for k in (3, 5))]
    rows = [["10", "1250 yr", "304000 yr", "14.6 min", "3.89×10⁻⁵ ± 0.1"],
            ["50", "<= 1 s", "7.01 d", "-", "refractive_index"]]  # fmt: skip
    table = Table(*(Column(head, justify="right") for head in heads), box=SIMPLE_HEAD)
    for row in rows:
        table.add_row(*row)
    lines = shown(capsys, table).splitlines()
    assert max(map(len, lines)) <= width
    words = set(" ".join(lines).split())
    assert {word for cell in [*heads, *sum(rows, [])] for word in cell.split()} <= words
    if width >= 80:  # an error stays beside its number, and all columns in one table
        assert any("3.89×10⁻⁵ ± 0.1" in line and "1250 yr" in line for line in lines)
    if width == 40:
        assert sum("[meV]" in line for line in lines) > 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_of_its_shell(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, shell: str
) -> None:
    assert execute(["completion", shell]) == 0
    script = capsys.readouterr().out
    verbs = [name for name in app if not name.startswith("-")]
    assert len(verbs) > 15 and all(verb in script for verb in verbs)
    assert "executor" in script
    if shutil.which(shell) is not None:
        path = tmp_path / "script"
        path.write_text(script)
        subprocess.run([shell, "-n", str(path)], check=True, capture_output=True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [("renp inf", "infer"), ("renp infer --exe", "--executor"), ("renp scheme sh", "show"),
     ("renp infer --progress js", "json")],
)  # fmt: skip
def test_bash_completes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: str, offered: str
) -> None:
    execute(["completion", "bash"])
    (tmp_path / "script").write_text(capsys.readouterr().out)
    line = words.split()
    code = (
        f"source {tmp_path / 'script'}; COMP_WORDS=({words}); COMP_CWORD={len(line) - 1}; "
        f'COMP_LINE="{words}"; COMP_POINT={len(words)}; _renp; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run(["bash", "-c", code], check=True, capture_output=True, text=True)
    assert offered in done.stdout.split()


def test_no_shell_but_three() -> None:
    assert execute(["completion", "powershell"]) == 2
