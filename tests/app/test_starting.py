"""New studies have every key and run; keys and schema are explained from the command line."""

import json
import re
import tomllib
from pathlib import Path
from typing import get_args

import jsonschema
import pytest

from renp_infer.app.cli import execute
from renp_infer.errors import ConfigError
from renp_infer.study.load import load_study
from renp_infer.study.reading import validate
from renp_infer.study.texts.keys import tables
from renp_infer.study.texts.schema import schema_text
from renp_infer.study.texts.starters import (
    LEFT_OUT,
    QUESTIONS,
    STARTERS,
    PresetName,
    Question,
    starting_text,
)

PRESETS: tuple[PresetName, ...] = get_args(PresetName)
PAIRS = [
    (question, preset)
    for question in QUESTIONS
    for preset in PRESETS
    if (question, preset) != ("own-data", "published")
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(question: Question, preset: PresetName = "first-principles") -> Path:
    """A new study in the working directory."""
    words = ["init", "mine", "--question", question, "--preset", preset]
    assert execute([*words, "--quiet"]) == 0
    return Path("mine.toml")


@pytest.mark.parametrize(("question", "preset"), PAIRS)
def test_a_new_study_loads_with_its_preset_chosen(
    here: Path, question: Question, preset: PresetName
) -> None:
    study = load_study(written(question, preset))
    assert study.resolved["physics"]["preset"] == preset
    assert "preset_by_default" not in study.resolved["physics"]
    assert study.name == "mine"


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_new_study_asks_its_question_alone(here: Path, question: Question) -> None:
    study = load_study(written(question))
    asked = {
        "forecast": study.forecast is not None,
        "own-data": study.measurement is not None,
        "layout": study.design is not None and study.sequential is None,
        "compare": study.compare is not None,
        "live": study.sequential is not None,
    }
    assert [name for name, yes in asked.items() if yes] == [question]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_new_study_has_every_key_once(question: Question) -> None:
    text = starting_text(question, "first-principles", "mine")
    section, found = "", []
    for line in text.splitlines():
        if heading := re.fullmatch(r"#?\[+([\w.]+)\]+", line):
            section = f"{heading[1]}."
        elif key := re.fullmatch(r"#?(\w+) =.*", line):
            found.append(section + key[1])
    known = [key.path for table in tables() for key in table.keys]
    assert found == [path for path in known if path not in LEFT_OUT]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_new_study_says_what_every_key_means_and_takes(question: Question) -> None:
    text = starting_text(question, "first-principles", "mine")
    prose = " ".join(line.removeprefix("# ") for line in text.splitlines() if line[:2] == "# ")
    for key in (key for table in tables() for key in table.keys if key.path not in LEFT_OUT):
        assert key.meaning in prose and f"Allowed: {key.allowed}; default: " in prose


@pytest.mark.parametrize("question", QUESTIONS)
def test_defaults_behind_a_mark_are_values(question: Question) -> None:
    """Without the mark they are TOML, and what a study that leaves them out has."""
    text = starting_text(question, "first-principles", "mine")
    assert "\n#seed" not in text
    values = re.sub(r"^#(\w+ = .*)$", r"\1", text, flags=re.MULTILINE)
    values = values.replace("#:schema", "# schema")
    given, kept = _sections(values), _sections(text)
    assert validate(given) == validate(kept)


def _sections(text: str) -> dict[str, object]:
    """Tables of a study without the sections that are behind a mark."""
    lines, hidden = [], False
    for line in text.splitlines():
        if re.match(r"#?\[", line):
            hidden = line.startswith("#")
        lines += [] if hidden else [line]
    return tomllib.loads("\n".join(lines))


@pytest.mark.parametrize(("question", "preset"), PAIRS)
def test_a_new_study_is_by_the_schema_that_it_names(
    here: Path, question: Question, preset: PresetName
) -> None:
    text = written(question, preset).read_text(encoding="utf-8")
    named = Path(text.splitlines()[0].removeprefix("#:schema "))
    schema = json.loads(named.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(tomllib.loads(text))


@pytest.mark.slow
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_new_study_runs(here: Path, question: Question) -> None:
    study = written(question)
    words = STARTERS[question].does.format(file=study).split()[1:]
    assert execute([*words, "--quiet"]) in (0, 3)
    assert Path("runs/mine/manifest.json").is_file()


def test_nothing_is_written_over(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = written("forecast")
    study.write_text("mine", encoding="utf-8")
    assert execute(["init", "mine"]) == 2
    assert "NAME: got 'mine.toml'; allowed: a file that is not there yet" in capsys.readouterr().err
    assert study.read_text(encoding="utf-8") == "mine"
    assert execute(["init", "mine", "--force"]) == 0
    assert load_study(study).name == "mine"


@pytest.mark.parametrize("name", ["a/b", "../up", ".hidden", "", "x" * 101])
def test_a_name_that_is_no_file_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert execute(["init", name]) == 2
    assert "NAME: got" in capsys.readouterr().err
    assert list(here.iterdir()) == []


def test_own_data_as_printed_are_refused(here: Path) -> None:
    with pytest.raises(ConfigError, match="--preset: got 'published'"):
        starting_text("own-data", "published", "mine")


def test_a_study_goes_where_it_is_asked_for(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        execute(["init", "mine.toml", "--question", "own-data", "--out", "deep/er", "--json"]) == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found["files"] == ["deep/er/mine.toml", "deep/er/mine-data.csv"]
    assert found["preset_chosen"] is True
    assert load_study(Path("deep/er/mine.toml")).measurement is not None


def test_keys_of_the_terminal_are_those_of_the_document(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("detector", "optimize.windows", "neutrino.m1_meV"):
        assert execute(["keys", name]) == 0
        shown = capsys.readouterr().out
        assert execute(["keys", name, "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        for row in (row for section in document["sections"] for row in section["keys"]):
            assert f"\n{row['path']}\n" in shown
            assert " ".join(row["meaning"].split()[:3]) in shown
    assert execute(["keys"]) == 0
    outline = capsys.readouterr().out
    assert all(table.heading in outline for table in tables())


def test_no_line_of_keys_is_wide(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("", "detector", "constraints", "optimize"):
        assert execute(["keys", name]) == 0
        assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_an_unknown_key_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["keys", "lasers.cycle"]) == 2
    assert "did you mean 'lasers.cycle_ms'?" in capsys.readouterr().err


def test_the_schema_is_printed_and_written(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["schema"]) == 0
    assert capsys.readouterr().out == schema_text()
    assert execute(["schema", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(schema_text())
    assert execute(["schema", "--out", "a.json"]) == 0
    assert Path("a.json").read_text(encoding="utf-8") == schema_text()
    assert execute(["schema", "--out", "."]) == 2
