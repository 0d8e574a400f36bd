"""Rows about helicities and the Majorana term, Eqs. (10), (45) to (56), Tables II, III."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from renp_infer.physics.pairs.densities import current_form, pair_density
from renp_infer.physics.pairs.helicity import (
    HELICITIES,
    PRINTED_EXCHANGE,
    Pair,
    printed_coefficients,
    spinor_coefficients,
)
from renp_infer.physics.pairs.kinematics import mismatch
from renp_infer.records import Layout, Switches
from renp_infer.reproduction.conventions import compared, same
from renp_infer.reproduction.paper import Paper
from renp_infer.reproduction.verdict import Judgement, Recomputed

Coefficients = Callable[[Pair, int, int, bool], tuple[float, float]]
COSINE = 0.3
"""Opening angle at which the tables are evaluated; they hold at any."""
_SMALL = 1e-6
_SPINORS = "test_helicity.py::test_dirac_spinors_give_the_printed_coefficients"
_SUM = "test_helicity.py::test_summed_over_helicities_the_exchange_coefficient_is_one"
_PAULI = "test_helicity.py::test_printed_majorana_terms_do_not_vanish_at_rest_as_pauli_demands"
_MASSLESS = "test_helicity.py::test_massless_pairs_have_one_helicity_combination"


def _printed(pair: Pair, h1: int, h2: int, majorana: bool) -> tuple[float, float]:
    return printed_coefficients(pair, h1, h2, PRINTED_EXCHANGE if majorana else 0.0)


def _spinor(pair: Pair, h1: int, h2: int, majorana: bool) -> tuple[float, float]:
    return spinor_coefficients(pair, h1, h2, majorana)


def _name(h1: int, h2: int) -> str:
    return "-".join("1" if h > 0 else "m1" for h in (h1, h2))


def at_rest(p1: float = 0.0, p2: float = 0.0) -> Pair:
    """Two neutrinos of unit mass with small momenta."""
    return Pair(p1, p2, 1.0, 1.0, COSINE)


def summed(coefficients: Coefficients, pair: Pair, majorana: bool) -> tuple[float, float]:
    """Sum of both coefficients over helicities."""
    total = np.sum([coefficients(pair, *h, majorana) for h in HELICITIES], axis=0)
    return float(total[0]), float(total[1])


def exchange(coefficients: Coefficients) -> float:
    """Coefficient of - m1 m2 / E1 E2 in the helicity sum."""
    dirac, majorana = (summed(coefficients, at_rest(), m)[0] for m in (False, True))
    return dirac - majorana


def table_two(paper: Paper) -> list[Recomputed]:
    """Relativistic pairs, Dirac; C1 over 1 - cos where it does not vanish."""
    pair = Pair(1.0, 2.0, 0.0, 0.0, COSINE)

    def cells(coefficients: Coefficients, h: tuple[int, int]) -> tuple[float, float]:
        first, second = coefficients(pair, *h, False)
        return first / (1.0 - COSINE), second + 0.0  # no negative zero

    why = "identical Majorana neutrinos share it evenly between (1, -1) and (-1, 1)"
    rows = [
        Recomputed(f"table2-{_name(*h)}", cells(_printed, h), cells(_spinor, h), why, _MASSLESS)
        for h in HELICITIES
    ]
    found = [
        (first / (1.0 - COSINE), second)
        for first, second in (summed(c, pair, False) for c in (_printed, _spinor))
    ]
    return [*rows, compared("table2-sum", found, "sum of the rows", _MASSLESS)]


def _expansion(coefficients: Coefficients, h: tuple[int, int], part: int) -> tuple[float, ...]:
    """Constant, slopes in p1 / m and p2 / m, and Majorana term, relative to the first."""
    angular = 1.0 + h[0] * h[1] * COSINE if part == 0 else 1.0

    def value(p1: float = 0.0, p2: float = 0.0, majorana: bool = False) -> float:
        return coefficients(at_rest(p1, p2), *h, majorana)[part] / angular

    constant = value()
    slopes = (value(_SMALL, 0.0), value(0.0, _SMALL))
    relative = tuple((v / constant - 1.0) / _SMALL for v in slopes)
    return (constant, *relative, value(majorana=True) / constant - 1.0)


def table_three(paper: Paper) -> list[Recomputed]:
    """Nonrelativistic pairs: each cell as a series in p / m."""
    why = "expansion of Eqs. (45), (46); the spinors give -1 for the Majorana term"
    rows = [
        Recomputed(
            f"table3-{_name(*h)}-C{part + 1}",
            _expansion(_printed, h, part),
            _expansion(_spinor, h, part),
            why,
            _SPINORS,
        )
        for h in HELICITIES
        for part in (0, 1)
    ]
    dirac = summed(_printed, at_rest(), False)[0], summed(_spinor, at_rest(), False)[0]
    major = summed(_printed, at_rest(), True)[0], summed(_spinor, at_rest(), True)[0]
    second = tuple(
        tuple(summed(c, at_rest(), majorana)[1] for majorana in (False, True))
        for c in (_printed, _spinor)
    )
    swapped = "sum of the rows above: the Dirac and Majorana values are swapped"
    pauli = swapped + "; identical neutrinos at rest give 0 (Pauli)"
    return [
        *rows,
        compared("table3-sum-dirac", dirac, swapped, _PAULI, "misprint"),
        compared("table3-sum-majorana", major, pauli, _PAULI, "misprint"),
        compared("table3-sum-C2", second, "sum of the rows above", _SUM),
    ]


def exchange_rows(paper: Paper) -> list[Recomputed]:
    """Majorana coefficients of seven equations."""
    printed, exact = exchange(_printed), exchange(_spinor)
    each = exact / len(HELICITIES)
    follows = "the sum of (45); M(1,2) - M(2,1) from spinors gives 1"
    differs = "not the sum of (45), 1/4; M(1,2) - M(2,1) from spinors gives 1"
    right = "not the sum of (45), 1/4, but what the spinors give"
    whys: dict[str, tuple[str, Judgement | None]] = {
        "eq10-majorana": (follows, None),
        "eq48-exchange": (follows, None),
        "eq51-exchange": (right, "misprint"),
        "eq55-exchange": (follows, None),
        "eq56-exchange": (differs, "misprint"),
        "eq63-exchange": (differs, "misprint"),
    }
    rows = [
        Recomputed(name, printed, exact, why, _SUM, judged) for name, (why, judged) in whys.items()
    ]
    why = "mean of M(1,2) - M(2,1) over the combinations; 1/16 breaks the Pauli principle at rest"
    return [Recomputed("eq45-exchange", each, each, why, _PAULI, "misprint"), *rows]


def current_rows(paper: Paper) -> list[Recomputed]:
    """Coefficient of the second current term, and case (3) of the c axis."""
    pair = Pair(1.0, 2.0, 0.5, 0.2, COSINE)
    e1, e2 = pair.energies
    ratios = [summed(c, pair, False)[1] * e1 * e2 / 2.0 for c in (_printed, _spinor)]
    theta_s, theta_e = paper.directions
    layout = Layout(2.0, 1.0, theta_e, np.array([theta_s]), None)
    double = float(current_form(Layout(2.0, 1.0, theta_e, np.array([theta_s])), Switches())[0])
    w_l, w_t = mismatch(np.array([theta_s]), theta_e, paper.target)
    masses = 2 * (paper.parameters().m1_eV,)

    def share(phase_space: str) -> float:
        form = current_form(layout, Switches())
        with_, without = (
            pair_density(w_l, w_t, paper.target.epsilon_ep, masses, f, phase_space)[0][0]
            for f in (form, np.append(0.0 * form[:-1], form[-1]))  # without C, with f_1
        )
        return float(with_ / without - 1.0)

    why = "no momentum is normal to the plane in the planar integral; in space a third of J_1"
    test = "test_densities.py::test_in_a_plane_a_normal_current_sees_no_momentum"
    return [
        compared("eq49", ratios, "sum of (46)", _SUM),
        same("eq53-factor", double, "v = S in Eq. (50)", test),
        Recomputed("case3-J2", share("planar"), share("full"), why, test),
    ]
