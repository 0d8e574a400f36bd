"""Two samplers of one posterior: equal ones pass, others do not."""

import numpy as np
import pytest

from renp_infer.inference.judging.cross_check import GATE, cross_check


def draws(rng, mean=0.0, sd=1.0, chains=4):
    return mean + sd * rng.standard_normal((chains, 1000))


def test_equal_posteriors_pass_whatever_their_chains(rng):
    for _ in range(10):
        found = cross_check({"m1_meV": draws(rng)}, {"m1_meV": draws(rng, chains=7)}, (), "emcee")
        assert found.verdict == "pass"
        assert 0.0 < found.distance < GATE


def test_a_shift_and_a_width_are_seen(rng):
    """0.3 sd is eight errors of the median of 4000 draws, 1.25 in both."""
    good = {"m1_meV": draws(rng), "amplitude": draws(rng)}
    for wrong in (draws(rng, mean=0.3), draws(rng, sd=1.3)):
        found = cross_check(good, {"m1_meV": draws(rng), "amplitude": wrong}, (), "emcee")
        assert found.verdict == "fail"
        assert found.parameter == "amplitude"


def test_the_first_of_the_worst_is_named(rng):
    """Draws against themselves: no quantile is worse than another."""
    same = {"m1_meV": draws(rng), "amplitude": draws(rng)}
    found = cross_check(same, same, (), "emcee")
    assert (found.sampler, found.verdict, found.gate) == ("emcee", "pass", GATE)
    assert (found.distance, found.parameter, found.probability) == (0.0, "m1_meV", 0.025)


def test_phases_have_no_seam(rng):
    """The same direction, one sample wrapped at 0 and one given as negative angles."""
    first, second = draws(rng, sd=20.0) % 360.0, draws(rng, sd=20.0)
    assert (
        cross_check({"delta_deg": first}, {"delta_deg": second}, ("delta_deg",), "emcee").verdict
        == "pass"
    )
    assert cross_check({"delta_deg": first}, {"delta_deg": second}, (), "emcee").verdict == "fail"


def test_a_phase_is_compared_as_on_the_line_cut_where_it_is_emptiest(rng):
    """Wide directions around 100 degrees, wrapped, against the same draws as they were made."""
    first, second = 100.0 + draws(rng, sd=45.0), 103.0 + draws(rng, sd=50.0)
    for sample in (first, second):
        np.clip(sample, -75.0, 275.0, out=sample)
    straight = cross_check({"delta_deg": first}, {"delta_deg": second}, (), "emcee")
    pair = ({"delta_deg": part % 360.0} for part in (first, second))
    turned = cross_check(*pair, ("delta_deg",), "emcee")
    assert turned.probability == straight.probability
    assert turned.distance == pytest.approx(straight.distance, rel=1e-6)


def test_draws_that_never_moved_do_not_pass(rng):
    stuck = {"m1_meV": np.ones((4, 100))}
    with np.errstate(invalid="ignore", divide="ignore"):
        assert cross_check(stuck, {"m1_meV": draws(rng)}, (), "emcee").verdict == "fail"
        assert cross_check(stuck, stuck, (), "emcee").verdict == "fail"
