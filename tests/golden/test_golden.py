"""Evaluations, ledger and Fisher forecasts are what they were: 1e-9 of the largest in each column.

Other machines round differently; a change of formula, constant or assembly is far larger.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from renp_infer.study.load import load_study
from tests.golden.numbers import (
    HERE,
    SAMPLERS,
    evaluated,
    evidences,
    forecast,
    ledger,
    mass,
    studies,
)

CLOSE = 1e-9
ROUGH = 1e-2
"""Where ions absorb and beat: last digits grow to 4e-3 there (`absorption.STEP`)."""
ROOT = 1e-7
"""Of exposures, which are found by a search."""
KNOWN: dict[str, Any] = json.loads((HERE / "numbers.json").read_text(encoding="utf-8"))


def differing(found: Any, known: Any, where: str = "", close: float = CLOSE) -> list[str]:
    """Places where two documents differ by more than rounding."""
    if isinstance(known, dict):
        if not isinstance(found, dict) or found.keys() != known.keys():
            return [where]
        return [
            text
            for key in known
            for text in differing(found[key], known[key], f"{where}.{key}", close)
        ]
    if isinstance(known, list) and not _numeric(known):
        if not isinstance(found, list) or len(found) != len(known):
            return [where]
        pairs = enumerate(zip(found, known, strict=True))
        return [text for k, (a, b) in pairs for text in differing(a, b, f"{where}[{k}]", close)]
    if isinstance(known, list | float):
        ours, theirs = np.asarray(found, float), np.asarray(known, float)
        if ours.shape != theirs.shape:
            return [where]
        scale = np.max(np.abs(theirs), initial=0.0)
        return [where] * bool(np.any(np.abs(ours - theirs) > close * scale))
    return [where] * (found != known)


def _numeric(values: list[Any]) -> bool:
    """Whether a list, perhaps of lists, holds nothing but numbers."""
    return all(_numeric(v) if isinstance(v, list) else isinstance(v, int | float) for v in values)


@pytest.mark.parametrize("study", studies())
def test_evaluations_are_what_they_were(study: str) -> None:
    if study not in KNOWN["evaluate"]:
        pytest.fail(f"{study} is new: python -m tests.golden.numbers records it")
    absorbs = load_study(study).resolved["lasers"].get("absorption") == "ions"
    close = ROUGH if absorbs else CLOSE
    assert differing(evaluated(study), KNOWN["evaluate"][study], close=close) == []


def test_the_ledger_is_what_it_was() -> None:
    assert differing(ledger(), KNOWN["ledger"]) == []


def test_fisher_forecasts_are_what_they_were() -> None:
    assert differing(forecast(), KNOWN["fisher"], close=ROOT) == []


@pytest.mark.slow
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_posteriors_are_what_they_were(sampler: str) -> None:
    """Other streams of random numbers: within four standard errors of both chains."""
    found, known = mass(sampler), KNOWN["chains"][sampler]
    error = np.hypot(*(row["sd"] / np.sqrt(row["ess_bulk"]) for row in (found, known)))
    assert abs(found["mean"] - known["mean"]) < 4.0 * error
    assert found["sd"] == pytest.approx(known["sd"], rel=0.2)


@pytest.mark.slow
def test_evidences_are_what_they_were() -> None:
    """Within four stated errors, and the tenths of a nat that SMC of few particles lacks."""
    for found, known in zip(evidences(), KNOWN["evidences"], strict=True):
        for name, row in known.items():
            errors = [r["log_evidence_error"] for r in (found[name], row)]
            allowed = 4.0 * np.hypot(*errors) + 0.5
            assert abs(found[name]["log_evidence"] - row["log_evidence"]) < allowed


def test_a_change_is_found() -> None:
    known = {"a": [1.0, 2.0], "b": [{"c": 1e-30}], "d": None, "e": 3}
    assert differing(known, known) == []
    assert differing(known | {"a": [1.0, 2.0 + 1e-8]}, known) == [".a"]
    assert differing(known | {"b": [{"c": 1.1e-30}]}, known) == [".b[0].c"]
    assert differing(known | {"d": 1.0}, known) == [".d"]
    assert differing({"a": [1.0]}, known) == [""]
