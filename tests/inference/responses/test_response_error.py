"""The error of a response that errs by known amounts."""

import numpy as np
import pytest

from renp_infer.errors import DomainError, NonFiniteError
from renp_infer.inference.responses import response as tabulated
from renp_infer.inference.responses.response import approximation_error, moving_error


class Off:
    """A response that errs by known amounts: a row for each first parameter, more by others."""

    errors = np.array([[0.1, -0.5, 0.2], [0.3, 0.1, -8.0], [0.0, 0.4, np.inf]])
    theta_s = np.deg2rad([10.0, 20.0, 30.0])
    m1_max_eV = 2.0

    def exact(self, x):
        return np.array([5.0, -7.0, 9.0]) * (1.0 + x[0])

    def template(self, x):
        more = np.array([1.0, 2.0, 6.0]) * np.sum(x[1:])
        return self.exact(x) + self.errors[int(x[0])] + more

    def nominal(self):
        return np.array([0.0, 0.25])

    def causes(self, x):
        return {"m1_eV": float(x[0])}


@pytest.fixture
def off(monkeypatch):
    monkeypatch.setattr(tabulated, "exact_at", lambda response, x: response.exact(x))
    return Off()


def test_the_error_is_the_largest_of_all_draws_and_angles(off):
    """Of either sign, in units of each angle's noise."""
    sigma = np.array([1.0, 2.0, 4.0])
    for order in ([0, 1, 0], [1, 0, 0], [0, 0, 1]):
        draws = np.array(order, dtype=float)[:, None]
        assert approximation_error(off, draws, sigma) == pytest.approx(2.0)
    assert approximation_error(off, np.zeros((2, 1)), sigma) == pytest.approx(0.25)


def test_errors_of_what_a_response_does_not_reach_are_refused(off):
    """A draw at its largest mass is reached, here by a response that is not finite."""
    with pytest.raises(DomainError, match=r"^m1_eV = .*2\.5.* <= 2\.0$"):
        approximation_error(off, np.array([[0.0], [2.5]]), np.ones(3))
    with pytest.raises(NonFiniteError) as caught:
        approximation_error(off, np.array([[0.0], [2.0]]), np.ones(3))
    assert caught.value.quantity == "response error in sigma"
    assert caught.value.values == {"theta_s_deg": pytest.approx(30.0), "m1_eV": 2.0}


def test_what_comes_with_other_parameters_than_the_mass_is_told_apart(off):
    """Whatever the mass errs by: three of the second parameter, from a quarter."""
    sigma = np.array([1.0, 2.0, 4.0])
    for mass in (0.0, 1.0):
        found = moving_error(off, np.array([mass, 3.25]), sigma)
        assert found == pytest.approx(4.5, rel=1e-12)
        assert moving_error(off, np.array([mass, 0.25]), sigma) == 0.0
