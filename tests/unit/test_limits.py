"""Published limits against sums by hand."""

import numpy as np
import pytest

from renp_infer.physics.neutrinos import load_oscillation, make_parameters, masses
from renp_infer.runner.limits import Limit, load_limits

TABLE = load_oscillation("nufit-6.0")


def truth(ordering, m1_eV=0.05):
    return make_parameters(m1_eV, ordering, "dirac", 0.0, 0.0, 0.0, TABLE)


@pytest.mark.parametrize("ordering", ["normal", "inverted"])
def test_a_limit_that_the_masses_just_meet_gives_their_m1(ordering):
    m = 1e3 * masses(truth(ordering))
    total = Limit("x", "sum", float(m.sum()), 0.95, "credible", "2025", "none")
    assert total.on_m1_meV(truth(ordering, 0.2)) == pytest.approx(50.0, rel=1e-9)
    s12, s13 = truth(ordering).sin2_12, truth(ordering).sin2_13
    shares = np.array([(1 - s12) * (1 - s13), s12 * (1 - s13), s13])
    beta = Limit("x", "m_beta", float(np.sqrt(shares @ m**2)), 0.9, "confidence", "2025", "none")
    assert beta.on_m1_meV(truth(ordering, 0.2)) == pytest.approx(50.0, rel=1e-9)


def test_a_sum_below_what_oscillations_allow_leaves_no_mass():
    small = Limit("x", "sum", 64.2, 0.95, "credible", "2025", "none")
    assert np.isnan(small.on_m1_meV(truth("inverted")))
    assert 0.0 < small.on_m1_meV(truth("normal")) < 5.0


def test_every_file_has_date_and_source():
    limits = load_limits()
    assert {limit.quantity for limit in limits} == {"m_beta", "sum"}
    assert all(limit.date and limit.source and 0.5 < limit.level < 1 for limit in limits)
