"""From the paper's equations to the weak Hamiltonian: each step is what its switches give."""

from __future__ import annotations

import json

import numpy as np
import pytest

from renp_infer.app.cli import execute
from renp_infer.study.load import load_study
from renp_infer.verbs.evaluate.page import WHY, steps_table
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.evaluate.steps import LADDER, steps
from renp_infer.verbs.evaluate.work import evaluate

STUDY = "edge-layout-first-principles"
SEVEN = {"layout.theta_s_deg": [131.0, 138.0, 143.0, 144.0, 145.0]}


def field(**changes):
    keys = SEVEN | {key.replace("__", "."): value for key, value in changes.items()}
    study = load_study(STUDY, changes=keys)
    return evaluate(study.experiment, study.parameters, "step").signal_nG


@pytest.mark.slow
def test_ends_and_middle_are_studies_of_their_own():
    study = load_study(STUDY, changes=SEVEN)
    found = {step.name: step.signal_nG for step in steps(study.experiment, study.parameters)}
    most = {"lasers__chi_squared": 256 / 3125, "lasers__zeeman_field_G": 0.0}
    for preset in ("published", "corrected"):
        own = field(physics__preset=preset, **most)
        np.testing.assert_allclose(found[preset], own, rtol=1e-12, atol=0)
    conserved = field(physics__preset="corrected", physics__vector_current="conserved", **most)
    np.testing.assert_allclose(found["vector_current"], conserved, rtol=1e-12, atol=0)
    last = found[" + ".join(LADDER[-1])]
    np.testing.assert_allclose(last, field(), rtol=1e-12, atol=0)
    spinors = found["current_normalisation"] / found["trigger"]
    np.testing.assert_allclose(spinors, 16.0, rtol=1e-12)


def test_a_step_that_cannot_be_says_why():
    study = load_study(STUDY, changes=SEVEN | {"target.scheme": "er-ylf-built"})
    first = steps(study.experiment, study.parameters)[0]
    assert first.signal_nG is None
    assert "targets that print" in first.failed


@pytest.mark.parametrize("preset, count", (("first-principles", 6), ("corrected", 0)))
def test_they_stand_in_the_document_and_are_read_back(capsys, preset, count):
    name = f"edge-layout-{preset}"
    assert execute(["evaluate", name, "--json", "--quiet"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert len(document.get("steps", ())) == count
    found = EvaluateResult.of(document)
    assert [step.name for step in found.steps] == list(WHY)[:count]
    if count:
        table = steps_table(found.steps)
        assert [row[0] for row in table.rows] == list(WHY)
        assert table.rows[4][2] == "16"
