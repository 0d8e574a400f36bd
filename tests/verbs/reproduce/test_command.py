"""``renp reproduce``: streams, files, figures, and the feasibility table."""

import csv
import io
import json
import math
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from renp_infer.app.cli import execute
from renp_infer.records import PRESETS
from renp_infer.reproduction import ledger as ledgers
from renp_infer.reproduction.paper import Paper
from renp_infer.resources import share_path
from renp_infer.study.load import load_study
from renp_infer.terminal import show
from renp_infer.verbs.evaluate.work import evaluate
from renp_infer.verbs.reproduce import asked as reproducing
from renp_infer.verbs.reproduce.asked import FIGURE_NAMES, closing_lines, ledger_table
from renp_infer.verbs.reproduce.feasibility import feasibility_document, feasibility_tables
from renp_infer.verbs.reproduce.figures import FIGURES
from renp_infer.verbs.reproduce.page import csv_text

KEYS = {"id", "where", "printed", "published", "corrected", "unit", "verdict", "why", "test"}


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the three files."""
    return tmp_path_factory.mktemp("ledger")


@pytest.fixture(scope="module")
def ledger(out: Path) -> dict[str, Any]:
    """The document on standard output of one run that also writes the files."""
    with pytest.MonkeyPatch.context() as patch:
        stream = io.StringIO()
        patch.setattr(sys, "stdout", stream)
        assert execute(["reproduce", "--json", "--out", str(out)]) == 0
    found: dict[str, Any] = json.loads(stream.getvalue())
    return found


def test_the_document_keeps_the_contract(ledger: dict[str, Any], out: Path) -> None:
    assert ledger["schema"] == 1
    assert all(set(row) >= KEYS for row in ledger["rows"])
    kinds = {type(row[key]) for row in ledger["rows"] for key in ("published", "corrected")}
    assert kinds == {float, list, type(None)}
    rows = {row["id"]: row for row in ledger["rows"]}
    assert rows["eq24-C"]["printed"] == 2.02e11
    assert rows["fig6-peak"]["printed"] == "central peak"
    assert [f["id"] for f in ledger["findings"]] == [
        "planar-integral",
        "moment-per-event",
        "thresholds",
    ]
    assert json.loads((out / "ledger.json").read_text(encoding="utf-8")) == ledger


def test_the_page_stands_alone(ledger: dict[str, Any], out: Path) -> None:
    text = (out / "ledger.html").read_text(encoding="utf-8")
    assert text.count('src="data:image/svg+xml;base64,') == len(FIGURES) == 7
    assert not re.search(r'(src|href)="(?!data:|#)', text)
    assert "<script" not in text
    assert all(f'id="{row["id"]}"' in text for row in ledger["rows"])
    assert "&lt;= 1e-3" in text  # what comes from data is escaped
    for name in FIGURES:
        assert f'id="{name}"' in text
        assert f"Fig. {name[3:]}: " in text


def test_the_comma_separated_file_has_every_row(ledger: dict[str, Any], out: Path) -> None:
    with (out / "ledger.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == [row["id"] for row in ledger["rows"]]
    by_id = {row["id"]: row for row in rows}
    assert float(by_id["eq59"]["printed"]) == 0.29
    assert by_id["a13-ratios"]["printed"] == "4.0;5.1;4.0"
    assert csv_text([]).startswith("id,where")


def test_the_table_fits_80_columns(
    ledger: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    show(ledger_table(ledger["rows"], Paper().printed), *closing_lines(ledger))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) == 80
    assert sum("agrees within rounding" in line for line in lines) >= 3
    (row,) = [line for line in lines if "eq23-cos-e " in line]
    assert row.split() == ["eq23-cos-e", "-0.7838", "-0.7838", "-0.7838", "agrees"]
    assert "(3/2) R eps" in " ".join(lines)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fgi9"], "did you mean 'fig9'"),
        (["fig5"], "fig6"),
        (["feasability"], "did you mean 'feasibility'"),
        (["fig9", "--set", "layout.length_cm=1"], "--set"),
        (["--set", "layout.length_cm=1"], "--set"),
        (["feasibility", "--set", "layout.lenght_cm=1"], "layout.lenght_cm"),
        (["fig9", "fig10"], "command line"),
    ],
)
def test_wrong_input_is_one_line_and_exit_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert execute(["reproduce", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_refused_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_paper: Any) -> Any:
        raise AssertionError("work was done")

    monkeypatch.setattr(ledgers, "make_ledger", fail)
    (tmp_path / "file").write_text("")
    assert execute(["reproduce", "--out", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.startswith("renp: --out: ")


def test_a_run_directory_is_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    asked = []
    monkeypatch.setattr(reproducing, "do_again", lambda path, _options: asked.append(path) or 3)
    for name in ("run", "fig9"):
        (tmp_path / name).mkdir()
    assert execute(["reproduce", "run", "--set", "name=x"]) == 3
    assert execute(["reproduce", "./fig9"]) == 3  # without the dot it is the figure
    assert asked == [Path("run"), Path("./fig9")]


def test_one_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert FIGURE_NAMES == tuple(FIGURES)
    assert execute(["reproduce", "fig12", "--json", "--out", str(tmp_path)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["caption"].startswith("Fig. 12: ")
    assert Path(found["path"]).read_text(encoding="utf-8").startswith("<?xml")
    assert [path.name for path in tmp_path.iterdir()] == ["fig12.svg"]


@pytest.fixture(scope="module")
def feasible() -> dict[str, Any]:
    """The whole document."""
    return feasibility_document()


@pytest.fixture(scope="module")
def gap(feasible: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Scenarios by preset and their first word; the two of all, by the whole name."""
    found = {}
    for row in feasible["rows"]:
        name = row["name"]
        found[row["preset"], name if name.startswith("all") else name.split()[0]] = row
    return found


WIDER = math.log10(57.34 / 2.51327e8)
DENSER = math.log10(1.4e22 / 1.4e19)
POWER_LAWS = {
    # V^2 of the rate; V R in the plane and 1/V in space of the integral; 1/V of the moment
    "published": {"crystal": 4.0, "every": 3 * DENSER, "trigger": 5.0, "gamma_ep": WIDER},
    "corrected": {"crystal": 0.0, "every": 2 * DENSER, "trigger": 5.0, "gamma_ep": 2 * WIDER},
    "first-principles": {"crystal": 0.0, "every": 2 * DENSER, "trigger": 0.0, "gamma_ep": 0.0},
}


@pytest.mark.parametrize("preset", PRESETS)
def test_terms_of_the_gap_follow_their_power_laws(
    gap: dict[tuple[str, str], dict[str, Any]], preset: str
) -> None:
    most = 0.25 if preset == "first-principles" else 0.08192
    expected = POWER_LAWS[preset] | {"largest": math.log10(most / 1e-3), "pickup": 2.0}
    for name, gain in expected.items():
        found = gap[preset, name]["gain_orders"]
        assert found == pytest.approx(gain, abs=0.1 if name == "crystal" else 2e-3), name
    others = [gap[preset, n]["gain_orders"] for n in ("spins", "SQUID", "angles")]
    kept = {n: g for n, g in expected.items() if n not in ("trigger", "gamma_ep")}
    # slow cycles gain more from a SQUID without 1/f noise: terms add up to a tenth or two;
    # the trigger's gain is in no sum of the radiative width
    single = sum(kept.values()) + sum(others)
    assert gap[preset, "all improvements"]["gain_orders"] == pytest.approx(single, abs=0.3)
    last = gap[preset, "all, with the real width"]["gain_orders"]
    assert last == pytest.approx(single + expected["trigger"] + expected["gamma_ep"], abs=0.3)


def test_a_trigger_that_saturates_is_marked(gap: dict[tuple[str, str], dict[str, Any]]) -> None:
    """2 h_r of Eq. (9) is 1496 at the radiative width, and 0.0003 at 40 MHz and 10 mW/cm^2."""
    wide = ("gamma_ep", "all, with the real width")
    for (preset, name), row in gap.items():
        paper = preset != "first-principles"
        assert row["trigger_counted_twice"] == (paper and name not in wide), name
    orders = gap["published", "trigger"]["counted_twice_orders"]
    assert orders == pytest.approx(2 * math.log10(2 * 748 * math.sqrt(1e5)), abs=1e-3)
    known = gap["corrected", "all improvements"]["set"]
    assert "lasers.trigger_mW_cm2=1e6" not in known
    assert "lasers.trigger_mW_cm2=1e6" in gap["corrected", "all, with the real width"]["set"]


def test_steps_lead_from_preset_to_preset(
    feasible: dict[str, Any], gap: dict[tuple[str, str], dict[str, Any]]
) -> None:
    steps = feasible["steps"]
    assert steps[0]["gap_orders"] == gap["published", "reference"]["gap_orders"]
    places = [k for k, row in enumerate(steps) if row["preset"] == "published"]
    ends = {"corrected": steps[places[-1]], "first-principles": steps[-1]}
    for preset, row in ends.items():
        for key in ("gap_orders", "peak_signal_nG", "rate_per_s"):
            assert row[key] == pytest.approx(gap[preset, "reference"][key], rel=1e-9, abs=0.0)
    total = sum(row["gain_orders"] for row in steps)
    assert total == pytest.approx(steps[0]["gap_orders"] - steps[-1]["gap_orders"])
    gains = {row["name"]: row["gain_orders"] for row in steps}
    assert gains["spinors with A = 2 S"] == pytest.approx(math.log10(16))
    twice = gap["corrected", "reference"]["counted_twice_orders"]
    assert gains["the trigger counted once"] == pytest.approx(-twice, abs=1e-6)


def test_exposure_to_three_sigma(gap: dict[tuple[str, str], dict[str, Any]]) -> None:
    row = gap["corrected", "reference"]
    assert row["gap_orders"] == pytest.approx(math.log10(3 / row["snr"]))
    assert row["gap_orders"] > 20
    study = load_study("feasibility", [f"detector.exposure_s={row['exposure_3sigma_s'] * 1e-40}"])
    found = evaluate(study.experiment, study.parameters, "x")
    snr = np.sqrt(np.sum((found.signal_nG / found.sigma_nG) ** 2))
    assert snr == pytest.approx(3 * 1e-20, rel=1e-6, abs=0.0)


def test_one_preset_can_be_asked_for() -> None:
    found = feasibility_document(["physics.preset=corrected", "detector.exposure_s=36000"])
    assert {row["preset"] for row in found["rows"]} == {"corrected"}
    assert found["steps"] == []
    assert "detector.exposure_s=36000" in found["rows"][0]["set"]


def test_the_feasibility_tables_fit_80_columns(
    feasible: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    show(*feasibility_tables(feasible))
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    (line,) = [line for line in out.splitlines() if line.strip().startswith("trigger 1 kW")]
    assert line.split()[3:] == ["+5.0", "-7.0†", "+5.0", "18.8†", "+0.0", "31.0"]
    assert "weak magnetism in place of S.v" in out


@pytest.mark.parametrize("path", sorted(share_path("studies").glob("*.toml")), ids=lambda p: p.stem)
def test_every_study_that_ships_loads(path: Path) -> None:
    study = load_study(path)
    assert study.name == path.stem
    assert study.text.startswith("# ")


@pytest.mark.parametrize(("name", "mass", "nature"), [("fig6", 0.01, "dirac"),
                                                      ("fig10", 0.6, "majorana")])  # fmt: skip
def test_studies_of_figures_are_the_ledgers(name: str, mass: float, nature: Any) -> None:
    study, paper = load_study(name), Paper()
    found = evaluate(study.experiment, study.parameters, study.name)
    step = 0.36 if name == "fig6" else 0.036
    setup = paper.experiment("published", angles=paper.angles(len(found.theta_s_deg), step))
    np.testing.assert_allclose(found.theta_s_deg, np.rad2deg(setup.layout.theta_s), atol=1e-3)
    np.testing.assert_allclose(found.sum_G_eV5, paper.sums(setup, mass, nature)[1], rtol=1e-5)
    assert found.model.phase_space == PRESETS["published"].phase_space
