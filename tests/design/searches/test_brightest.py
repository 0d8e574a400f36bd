"""Starts of lasers: the largest signal-to-noise, as an evaluation has it."""

from itertools import islice

import numpy as np
import pytest

from renp_infer.design.searches import brightest
from renp_infer.design.searches.brightest import MOST, brightest_lasers
from renp_infer.design.searches.starts import starts
from renp_infer.design.spaces.region import Region
from renp_infer.study.designing import frozen_noise, own_values, region_of, study_with
from renp_infer.study.load import load_study
from renp_infer.study.study import Study
from renp_infer.verbs.evaluate.work import evaluate
from tests.toys.design import crystal_region

LOOKS = 6
LIGHT = (
    "lasers.absorption=none",
    "layout.theta_s_deg=[130.0, 140.0]",
    "optimize.vary={'lasers.eq_mW'={low=300.0, high=9000.0, scale='log'}, "
    "'lasers.cycle_ms'={low=3.0, high=20.0}}",
)


@pytest.fixture(autouse=True)
def few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brightest, "LOOKS", LOOKS)


@pytest.fixture(scope="module")
def lit() -> tuple[Study, Region]:
    study = load_study("optimize-lasers", LIGHT)
    return study, region_of(study, frozen_noise(study))


def evaluated(study: Study, region: Region, x: np.ndarray) -> float:
    """Largest signal-to-noise of a design as ``renp evaluate`` has it."""
    own = study_with(study, frozen_noise(study) | region.space.values(x))
    found = evaluate(own.experiment, own.parameters, own.name)
    return float(np.max(np.abs(found.signal_nG) / found.sigma_nG))


@pytest.mark.slow
def test_lasers_start_where_the_signal_is_largest(lit: tuple[Study, Region]) -> None:
    """The best of all that were looked at, best first, if better than the study's own."""
    study, region = lit
    own = own_values(study, region)
    least = evaluated(study, region, region.space.point(own))
    tried = list(islice(region.sobol(np.random.SeedSequence(0)), LOOKS))
    sizes = [evaluated(study, region, x) for x in tried]
    ranked = sorted(range(LOOKS), key=lambda k: -sizes[k])
    expected = [tried[k] for k in ranked if sizes[k] > least][:MOST]
    np.testing.assert_array_equal(brightest_lasers(region, own), expected)


def test_a_search_has_these_starts_and_only_where_lasers_vary(lit: tuple[Study, Region]) -> None:
    study, region = lit
    own = own_values(study, region)
    begin = starts(region, region.space.built({}), own)
    np.testing.assert_array_equal(begin[0], region.space.point(own))
    np.testing.assert_array_equal(begin[1:], brightest_lasers(region, own))
    assert brightest_lasers(crystal_region(), {}) == []
