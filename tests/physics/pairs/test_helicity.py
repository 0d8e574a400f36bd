"""Helicity coefficients: printed forms against explicit spinors and traces."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from renp_infer.errors import DomainError
from renp_infer.physics.pairs.helicity import (
    HELICITIES,
    PRINTED_EXCHANGE,
    Pair,
    printed_coefficients,
    spinor_coefficients,
)

PAIRS = st.builds(
    Pair,
    p1=st.floats(0.01, 2.0),
    p2=st.floats(0.01, 2.0),
    m1=st.floats(0.0, 1.0),
    m2=st.floats(0.0, 1.0),
    cosine=st.floats(-0.99, 0.99),
)


def summed(pair: Pair, **how: bool) -> np.ndarray:
    return sum(np.array(spinor_coefficients(pair, *h, **how)) for h in HELICITIES)


@given(PAIRS)
def test_dirac_spinors_give_the_printed_coefficients(pair: Pair) -> None:
    for h in HELICITIES:
        found = spinor_coefficients(pair, *h)
        np.testing.assert_allclose(found, printed_coefficients(pair, *h), atol=1e-12)


@given(PAIRS)
def test_summed_over_helicities_the_exchange_coefficient_is_one(pair: Pair) -> None:
    e1, e2 = pair.energies
    dots, exchange = pair.p1 * pair.p2 * pair.cosine / (e1 * e2), pair.m1 * pair.m2 / (e1 * e2)
    second = pair.p1 * pair.p2 / (e1 * e2)
    np.testing.assert_allclose(summed(pair), (1 - dots, second), atol=1e-12)
    np.testing.assert_allclose(
        summed(pair, majorana=True), (1 - dots - exchange, second), atol=1e-12
    )


@given(PAIRS)
def test_the_sum_agrees_with_traces_over_gamma_matrices(pair: Pair) -> None:
    """Tr[(p2 + m2) g (1-g5) (p1 - m1) (1+g5) g] / 4 E1 E2, Dirac matrices in Dirac's basis."""
    pauli = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
    g0 = np.diag([1, 1, -1, -1]).astype(complex)
    gk = [np.kron([[0, 1], [-1, 0]], s) for s in pauli]
    g5 = np.kron([[0, 1], [1, 0]], np.eye(2))
    sine = np.sqrt(1 - pair.cosine**2)
    n1, n2 = np.array([0, 0, 1.0]), np.array([sine, 0, pair.cosine])
    e1, e2 = pair.energies
    slash1 = e1 * g0 - sum(pair.p1 * n * g for n, g in zip(n1, gk, strict=True))
    slash2 = e2 * g0 - sum(pair.p2 * n * g for n, g in zip(n2, gk, strict=True))
    one = np.eye(4)
    trace = np.array(
        [
            [
                np.trace(
                    (slash2 + pair.m2 * one) @ a @ (one - g5) @ (slash1 - pair.m1 * one)
                    @ (one + g5) @ b
                ).real
                for b in gk
            ]
            for a in gk
        ]
    )  # fmt: skip
    first, second = summed(pair)
    expected = first * np.eye(3) + second * (np.outer(n1, n2) + np.outer(n2, n1))
    np.testing.assert_allclose(trace / (8 * e1 * e2), expected, atol=1e-12)


def test_printed_majorana_terms_do_not_vanish_at_rest_as_pauli_demands() -> None:
    at_rest = Pair(1e-9, 1e-9, 0.1, 0.1, 0.3)
    for h in HELICITIES:
        assert spinor_coefficients(at_rest, *h, majorana=True)[0] == pytest.approx(0, abs=1e-12)
    printed = sum(printed_coefficients(at_rest, *h, PRINTED_EXCHANGE)[0] for h in HELICITIES)
    assert printed == pytest.approx(0.75)  # Table III names this the Dirac sum
    assert summed(at_rest)[0] == pytest.approx(1.0)


def test_massless_pairs_have_one_helicity_combination() -> None:
    pair = Pair(0.7, 0.9, 0.0, 0.0, -0.4)
    found = {h: spinor_coefficients(pair, *h) for h in HELICITIES}
    assert found.pop((1, -1)) == pytest.approx((1.4, 1.0))
    assert all(np.abs(c).max() < 1e-15 for c in found.values())


@pytest.mark.parametrize("wrong", [{"p1": -1.0}, {"m2": np.nan}, {"cosine": 1.0}])
def test_impossible_kinematics_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(DomainError, match=next(iter(wrong))):
        Pair(**({"p1": 1.0, "p2": 1.0, "m1": 0.1, "m2": 0.1, "cosine": 0.0} | wrong))
