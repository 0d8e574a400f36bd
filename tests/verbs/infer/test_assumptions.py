"""What a posterior takes for granted: constraints in words, groups of sets, what is far apart."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xarray as xr

from renp_infer.engine.result import Verdict
from renp_infer.inference.judging.tension import Tension
from renp_infer.inference.results.diagnostics import Convergence
from renp_infer.inference.results.summary import summarise
from renp_infer.study.load import load_study
from renp_infer.verbs.infer.assumptions import (
    assumptions_of,
    constraint_rows,
    sentences,
    sharing_rows,
    used_uppers,
    words_of,
)
from renp_infer.verbs.infer.blinded import verdicts_told
from renp_infer.verbs.infer.result import InferResult
from renp_infer.verbs.infer.words import masses_sentence
from tests.toys.external import EVERY
from tests.toys.two_sets import two_sets

GOOD = Convergence(1.0, 1000.0, 1000.0)


@pytest.fixture(scope="module")
def study() -> Any:
    own = {
        "use": ["desi-dr2-lcdm"],
        "gaussian": [
            {"name": "r", "quantities": ["sin2_13"], "values": [0.022], "errors": [5e-4]},
            {
                "name": "elsewhere",
                "quantities": ["sin2_12"],
                "values": [0.3],
                "errors": [0.01],
                "ordering": "inverted",
            },
        ],
    }
    return load_study(two_sets(inference={"sharing": {"baseline_nG": "all"}}, constraints=own))


def test_a_line_has_the_masses_that_are_compared(rng: np.random.Generator) -> None:
    """Dirac neutrinos have no m_betabeta."""
    rows = {
        name: summarise(mean + sd * rng.standard_normal((2, 500)), None, GOOD, False)
        for name, mean, sd in (("sum_meV", 197.7, 2.2), ("m_beta_meV", 60.2, 0.8))
    }
    run: Any = SimpleNamespace(get=lambda _: SimpleNamespace(estimates=rows))
    text = masses_sentence(run)
    assert re.fullmatch(r"Σm \[meV\] 197\.\d ± 2\.\d, m_β \[meV\] 60\.\d\d ± 0\.\d\d", text)


def run_of(study: Any, **tension: Tension) -> Any:
    """A run whose posterior has nothing but what is asked for here."""
    summary = {
        "assumptions": assumptions_of(study),
        "tension": {name.replace("_", " "): vars(one) for name, one in tension.items()},
    }
    names = ("m1_meV", "amplitude[small]", "amplitude[crystal]", "baseline_nG")
    posterior = xr.Dataset({name: ("draw", np.zeros(2)) for name in names})
    tree = xr.DataTree.from_dict({"posterior": posterior})
    tree.attrs["renp_summary"] = json.dumps(summary)
    good: Any = SimpleNamespace(verdict=Verdict("pass"))
    result = InferResult(tree, {}, good, None)
    return SimpleNamespace(get=lambda _: result, result=result)


def test_each_constraint_in_use_is_told_with_shape_and_source(study: Any) -> None:
    run = run_of(study, r=Tension(19.4, 1.1e-5, 4.4, {"sin2_13": 0.0242}))
    rows = {row[0]: row[1:] for row in constraint_rows(run)}
    assert set(rows) == {"DESI DR2 + CMB, LCDM", "r"}  # the other holds under the other ordering
    says, ordering, source, distance = rows["DESI DR2 + CMB, LCDM"]
    assert says == "Σm [meV] < 64.2 at 95 %, half a normal above 0" and ordering == "both"
    assert source == "DESI (Elbers et al.), arXiv:2503.14744, 2025-03" and distance == "–"
    assert rows["r"] == (
        "sin²θ₁₃ 0.022 ± 0.0005, normal",
        "both",
        "the study",
        "4.4 σ, p = 1.1e-05",
    )
    assert any(text.startswith("r: sin²θ₁₃ 0.022 ± 0.0005") for text in sentences(run))
    assert used_uppers(run) == {"sum_meV": [64.2]}


def test_what_sets_share_is_a_table(study: Any) -> None:
    rows = {row[0]: row[1:] for row in sharing_rows(run_of(study))}
    assert rows["m₁ [meV]"] == rows["baseline [nG]"] == ("all", "all")
    assert rows["amplitude"] == ("crystal", "small")
    assert len(rows) == 3  # of the free parameters


def test_data_far_from_a_constraint_are_a_warning(study: Any) -> None:
    near, far = Tension(0.1, 0.7, 0.4, {}), Tension(19.4, 1.1e-5, 4.4, {"sin2_13": 0.0242})
    assert "constraints" not in run_of(study).result.verdicts()
    assert run_of(study, r=near).result.verdicts()["constraints"].verdict == "pass"
    found = run_of(study, r=far, other_one=near).result.verdicts()["constraints"]
    assert found.verdict == "warn"
    (why,) = found.reasons
    assert why == "data and r are 4.4 sigma apart (p = 1e-05); the posterior has sin²θ₁₃ 0.0242"


def test_a_blinded_run_does_not_tell_how_far_constraints_are(study: Any) -> None:
    """145 meV over the width of a limit is a mass."""
    found = run_of(study, r=Tension(19.4, 1.1e-5, 4.4, {"sum_meV": 145.0})).result
    assert set(verdicts_told(found)) == set(found.verdicts()) - {"constraints"}


@pytest.mark.parametrize("kind", EVERY)
def test_every_kind_has_words(kind: str) -> None:
    term = EVERY[kind]()
    words = words_of(term)
    assert len(words) > 20 and not words.endswith("_deg")
