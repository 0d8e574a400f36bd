"""Starts of lasers: the largest signal-to-noise, as an evaluation has it."""

from itertools import islice

import numpy as np
import pytest

from renp_infer.design.searches import brightest
from renp_infer.design.searches.brightest import MOST, brightest_lasers
from renp_infer.design.searches.starts import starts
from renp_infer.design.spaces.region import Region
from renp_infer.measurement.normalise import coherence
from renp_infer.measurement.squid import standard_error_nG
from renp_infer.physics.cycle.field_cycle import bloch_cycle
from renp_infer.study.designing import frozen_noise, own_values, region_of, study_with
from renp_infer.study.load import load_study
from renp_infer.study.study import Study
from renp_infer.verbs.evaluate.work import evaluate
from tests.toys.design import crystal_region

LOOKS = 16
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


def relative(region: Region, x: np.ndarray) -> float:
    """The same in another unit: where the layout stays, the field goes with the coherence."""
    at = region.experiment(x)
    assert at is not None
    error = standard_error_nG(at.detector, at.lasers, at.layout.theta_s.size, bloch_cycle(at))
    return coherence(at) / error


def test_lasers_start_where_the_signal_is_largest(lit: tuple[Study, Region]) -> None:
    study, region = lit
    own = own_values(study, region)
    found, start = brightest_lasers(region, own), region.space.point(own)
    assert 0 < len(found) <= MOST
    sizes = [relative(region, x) for x in found]
    tried = [relative(region, x) for x in islice(region.sobol(np.random.SeedSequence(0)), LOOKS)]
    assert sizes == pytest.approx(sorted(tried, reverse=True)[: len(found)], rel=1e-12, abs=0)
    assert sizes[-1] > relative(region, start)
    gain = evaluated(study, region, found[0]) / evaluated(study, region, start)
    assert gain == pytest.approx(sizes[0] / relative(region, start), rel=1e-9)


def test_a_search_has_these_starts_and_only_where_lasers_vary(lit: tuple[Study, Region]) -> None:
    study, region = lit
    own = own_values(study, region)
    begin = starts(region, region.space.built({}), own)
    np.testing.assert_array_equal(begin[0], region.space.point(own))
    np.testing.assert_array_equal(begin[1:], brightest_lasers(region, own))
    assert brightest_lasers(crystal_region(), {}) == []
