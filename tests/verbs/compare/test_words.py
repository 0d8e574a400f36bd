"""What is quoted of the mass averaged over hypotheses: a number only where it is measured."""

from dataclasses import replace

import numpy as np
import pytest

from renp_infer.inference.results.comparison import HYPOTHESES, compare
from renp_infer.terminal import show
from renp_infer.verbs.compare.page import sentence
from renp_infer.verbs.compare.tables import averaged_line, hypothesis_table
from tests.toys.compared import MASS_PRIOR, N, row
from tests.toys.settings import compare_with


def found_of(values):
    """Comparison of four hypotheses with the same draws of m1."""
    base = replace(row(), draws={"smc": {"m1_meV": values}})
    rows = [replace(base, hypothesis=hypothesis) for hypothesis in HYPOTHESES]
    return compare(rows, compare_with(), MASS_PRIOR)


def table(found, capsys):
    show(hypothesis_table("four", found))
    return capsys.readouterr().out


def test_draws_of_the_prior_are_a_limit_that_leans_on_it(rng, capsys):
    found = found_of(rng.uniform(0.0, 450.0, N))
    for said in (averaged_line(found.m1_meV, MASS_PRIOR), sentence(found, MASS_PRIOR)):
        assert "The mass is not measured" in said and "what the prior alone gives" in said
        assert "credible, one-sided, prior uniform from 0 to 450 meV" in said
        assert f"{found.m1_meV.mean:.0f} ±" not in said
    assert table(found, capsys).count("measured") == 4


def test_a_mass_at_its_end_is_a_limit(rng, capsys):
    found = found_of(np.abs(6.0 * rng.standard_normal(N)))
    said = averaged_line(found.m1_meV, MASS_PRIOR)
    assert f"m₁ < {found.m1_meV.upper_95:.1f} meV at 95 %" in said and "±" not in said
    assert table(found, capsys).count("<") == 4


def test_a_measured_mass_is_a_number(rng):
    found = found_of(50.0 + rng.standard_normal(N))
    mean, sd = found.m1_meV.mean, found.m1_meV.sd
    assert f"m₁ = {mean:.2f} ± {sd:.2f} meV" in averaged_line(found.m1_meV, MASS_PRIOR)
    assert found.m1_meV.interval_95 == pytest.approx((48.04, 51.96), abs=0.15)
