"""Which sampler draws where a study names none: by proof, and as if it were alone."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from renp_infer.errors import ConvergenceError
from renp_infer.inference.samplers import independence, proof
from renp_infer.inference.samplers.proof import LARGEST_K, LEAST_ACCEPTANCE, unproven
from renp_infer.inference.samplers.sampling import draw_sample
from tests.toys.linear import linear_likelihood
from tests.toys.settings import inference_with


def drawn(sampler):
    """Few draws of a posterior whose parameters are all linear."""
    settings = inference_with(sampler=sampler, chains=2, draws=200, tune=200)
    return draw_sample(linear_likelihood(), settings, np.random.SeedSequence(7), 1, lambda *_: None)


def statistics(acceptance=(0.6, 0.5), k=(-0.1, 0.2)):
    return xr.Dataset({"acceptance_rate": ("chain", [*acceptance]), "pareto_k": ("chain", [*k])})


def independent(rng, shape=(2, 1000, 3)):
    return rng.standard_normal(shape)


def test_without_a_choice_it_is_the_independence_sampler_where_that_proves_itself():
    found, alone = drawn("auto"), drawn("independence")
    np.testing.assert_array_equal(found.vectors, alone.vectors)
    assert found.statistics.attrs["sampler"] == "independence"
    methods = alone.statistics.attrs["step_methods"]
    said = found.statistics.attrs["step_methods"]
    assert said == f"{methods}; chosen since its own check passed"


def test_else_it_is_nuts_and_the_reason_is_said(monkeypatch):
    monkeypatch.setattr(proof, "LEAST_ACCEPTANCE", 1.1)
    found, alone = drawn("auto"), drawn("nuts")
    np.testing.assert_array_equal(found.vectors, alone.vectors)
    assert found.statistics.attrs["sampler"] == "nuts"
    said = found.statistics.attrs["step_methods"]
    assert "since the independence sampler did not pass: acceptance 0." in said


def test_a_posterior_without_a_mode_to_start_from_is_left_to_nuts(monkeypatch):
    def lost(*_):
        raise ConvergenceError("modes", 1.0, 0.1)

    monkeypatch.setattr(independence, "_chain", lost)
    found = drawn("auto")
    assert found.statistics.attrs["sampler"] == "nuts"
    assert "modes" in found.statistics.attrs["step_methods"]


def test_independent_draws_are_proven(rng):
    assert unproven(independent(rng), statistics(), [False, False, True]) == ""


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (statistics(acceptance=(0.6, 0.9 * LEAST_ACCEPTANCE)), "acceptance 0.09"),
        (statistics(k=(0.1, LARGEST_K + 0.1)), "Pareto k 0.80"),
        (statistics(k=(0.1, np.nan)), "Pareto k nan"),
    ],
)
def test_the_worst_chain_counts(rng, bad, said):
    assert unproven(independent(rng), bad, [False] * 3).startswith(said)


def test_chains_apart_and_chains_that_stick_are_not_proven(rng):
    """One parameter is enough: of another place, or of a hundred states in a thousand draws."""
    apart = independent(rng)
    apart[1, :, 2] += 0.5
    assert unproven(apart, statistics(), [False] * 3).startswith("R-hat 1.0")
    stuck = independent(rng, (4, 1000, 3))
    stuck[..., 1] = np.repeat(stuck[:, ::40, 1], 40, axis=1)
    assert unproven(stuck, statistics(), [False] * 3) != ""


def test_an_angle_is_judged_on_its_circle(rng):
    """Draws about 0 degrees, half of them written as of 360 in one chain alone."""
    draws = independent(rng, (2, 1000, 1))
    draws[1] = np.mod(draws[1], 360.0)
    assert unproven(draws, statistics(), [True]) == ""
    assert unproven(draws, statistics(), [False]).startswith("R-hat")
