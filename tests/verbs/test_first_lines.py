"""What verbs show of a run begins with what its signal amounts to."""

import importlib
import json
from types import SimpleNamespace

import pytest

from renp_infer.app.cli import execute
from renp_infer.engine import driver
from renp_infer.engine.result import Verdict
from renp_infer.records import PRESETS
from renp_infer.verbs.forecast import document, page, tables
from renp_infer.verbs.forecast.result import ForecastResult
from tests.toys.design import search_found
from tests.toys.runs import make_run, with_evaluation, with_result


@pytest.fixture
def run(monkeypatch):
    """A normalised run of the weak Hamiltonian, whose verbs have been done already."""
    made = make_run(infer=False)
    found = with_result(made, "optimize", search_found(Verdict("pass")))
    found = with_result(found, "forecast", object.__new__(ForecastResult))
    found = with_evaluation(
        found, model=PRESETS["first-principles"], normalised=True, noise_scale=1e-25
    )
    importlib.import_module("renp_infer.verbs.sequential.ask")  # keeps the functions it begins with
    monkeypatch.setattr(driver, "load", lambda *_given, **_named: SimpleNamespace())
    monkeypatch.setattr(driver, "asked", lambda *_given: found)
    monkeypatch.setattr(tables, "forecast_sheets", lambda _found: [])
    monkeypatch.setattr(tables, "forecast_remarks", lambda _found: [])
    monkeypatch.setattr(document, "forecast_json", lambda _found: {"schema": 1})
    monkeypatch.setattr(page, "answer", lambda _found: "Expected error of m1: 1 meV.")
    return found


@pytest.mark.parametrize("verb", ["forecast", "optimize"])
def test_the_first_line_is_the_answer_with_its_preset(verb, run, capsys):
    for by_default, words in ((False, "chosen"), (True, "the default, not chosen")):
        run.study["physics"]["preset_by_default"] = by_default
        assert execute([verb, "toy"]) == 0
        preset = run.study["physics"]["preset"]
        text = " ".join(capsys.readouterr().out.split())
        first = {"optimize": "Best design: ", "forecast": "Expected error of m1: 1 meV."}[verb]
        assert text.startswith(f"{run.name}, preset {preset} ({words}): {first}")
        assert execute([verb, "toy", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["preset"], found["preset_chosen"]) == (preset, not by_default)


@pytest.mark.parametrize("verb", ["forecast", "optimize"])
def test_then_stands_how_rare_a_pair_is_and_what_is_missing(verb, run, capsys):
    assert execute([verb, "toy"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert f". {run.name}: Of neutrino pairs the whole crystal emits one in" in text
    assert "Without the scaling of the noise its field is" in text
    assert execute([verb, "toy", "--json"]) == 0
    assert "orders of magnitude short of S/N = 1" in json.loads(capsys.readouterr().out)["remark"]
