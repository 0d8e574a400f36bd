"""What the terminal says of an evaluation: physics, answer, orders of magnitude, pairs, angles."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from renp_infer.app.cli import execute
from renp_infer.terminal import show
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.evaluate.tables import answer, field_table, orders, pair_table
from tests.toys.runs import make_run


@pytest.fixture
def found() -> EvaluateResult:
    return make_run(infer=False).get(EvaluateResult)


def cells(table: object, capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    show(table)
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_the_answer_is_the_strongest_angle(found: EvaluateResult) -> None:
    place = int(np.argmax(np.abs(found.signal_nG)))
    assert f"{found.signal_nG[place]:.3g} nG at {found.theta_s_deg[place]:.2f} deg" in answer(found)


@pytest.mark.parametrize(
    ("snr", "scale", "words"),
    [
        (1e-9, 1.0, "9.0 orders of magnitude short of S/N = 1"),
        (1e3, 1.0, "3.0 orders of magnitude above S/N = 1"),
        (1e3, 1e-8, "Without the scaling of the noise the field is 5.0 orders of magnitude short"),
    ],
)
def test_orders_of_magnitude_are_said(
    found: EvaluateResult, snr: float, scale: float, words: str
) -> None:
    given = replace(found, peak_snr=snr, noise_scale=scale, normalised=scale != 1.0)
    assert words in orders(given)


def test_signal_to_noise_stands_beside_both(
    found: EvaluateResult, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row for row in cells(field_table(found.name, found), capsys) if len(row) == 5][1:]
    assert len(rows) > 10
    for *_, signal, sigma, ratio in rows:
        if math.isfinite(float(ratio)):
            assert float(ratio) == pytest.approx(abs(float(signal)) / float(sigma), rel=1e-4)


def test_every_pair_has_its_thresholds_and_integrals(
    found: EvaluateResult, capsys: pytest.CaptureFixture[str]
) -> None:
    integrals = np.arange(1.0, 7.0)[:, None] * np.ones(found.theta_s_deg.size)
    given = replace(
        found,
        pair_A_eV5=integrals,
        pair_B_eV3=10 * integrals,
        thresholds_deg=dict(found.thresholds_deg) | {"33": None},
    )
    rows = {
        row[0]: row for row in cells(pair_table(given), capsys) if row and row[0] in found.pairs
    }
    assert list(rows) == list(found.pairs)
    low, high = found.thresholds_deg["11"] or (0.0, 0.0)
    assert rows["11"][1:] == [f"{low:.2f},", f"{high:.2f}", "1", "10"]
    assert rows["33"][1:] == ["never", "6", "60"]


@pytest.mark.parametrize(
    ("change", "words"), [((), "chosen"), (("--set", "physics.preset=corrected"), "chosen")]
)
def test_the_first_line_names_the_preset(
    change: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ("--set", "layout.theta_s_deg=[58.79]", "--set", "lasers.chi_squared=1e-3")
    assert execute(["evaluate", "fig6", *few, *change]) == 0
    shown = capsys.readouterr().out
    preset = "corrected" if change else "published"
    assert shown.startswith(f"fig6, preset {preset} ({words}): the field peaks at ")


def test_a_default_preset_is_said_to_be_one(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    study = tmp_path / "study.toml"
    study.write_text(
        "schema = 1\n[layout]\ntheta_s_deg = [58.79]\n[lasers]\nchi_squared = 1e-3\n", "utf-8"
    )
    assert execute(["evaluate", str(study)]) == 0
    first = "study, preset published (the default, not chosen): "
    assert capsys.readouterr().out.startswith(first)
    assert execute(["evaluate", str(study), "--json", "--out", str(tmp_path / "run")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["preset"], found["preset_chosen"]) == ("published", False)
    # what was resolved is still nobody's choice, until somebody chooses
    again = str(tmp_path / "run" / "study.resolved.toml")
    assert execute(["evaluate", again]) == 0
    assert capsys.readouterr().out.startswith(first)
    assert execute(["evaluate", again, "--set", "physics.preset=published"]) == 0
    assert "preset published (chosen): " in capsys.readouterr().out
