"""Rows of Table IV: pair weights."""

from __future__ import annotations

import numpy as np

from renp_infer.physics.neutrinos import couplings, weights
from renp_infer.records import PAIR_INDEX, PAIRS, Switches
from renp_infer.reproduction.conventions import same
from renp_infer.reproduction.paper import Paper
from renp_infer.reproduction.verdict import Judgement, Recomputed

_EQ_3 = "test_neutrinos.py::test_eq3_weights_and_their_sums"


def table_four(paper: Paper) -> list[Recomputed]:
    """Weights of Eq. (3) with the oscillation parameters behind the table."""
    parameters = paper.parameters()
    found = weights(parameters, Switches(weights="eq3"))
    b, c = couplings(parameters)
    rate = tuple(float(x) for x in found.rate)
    weak = float(np.real(c - b)[0, 0] / parameters.sin2_w)
    rows = [
        same("eq3-weak", weak, "both lines of Eq. (3)", _EQ_3),
        same(
            "table4-rate",
            rate,
            f"s12^2 = {parameters.sin2_12:g}, s13^2 = {parameters.sin2_13:g}; sum 3/4",
            "test_neutrinos.py::test_printed_rate_row_follows_from_the_seed_table",
        ),
    ]
    test = "test_neutrinos.py::test_printed_magnetization_row_has_a_sign_error"
    for pair, (i, j), value in zip(PAIRS, PAIR_INDEX, found.pv, strict=True):
        lost = float(abs(b[i, j]) * (abs(b[i, j]) + 2.0 * parameters.sin2_w * (i == j)))
        wrong = bool(np.real(b[i, j]) < 0.0 and i == j)
        why = f"b c of Eq. (3); b = {b[i, j].real:.3f}" + (
            f" has lost its sign, {lost:.4f}" if wrong else ""
        )
        verdict: Judgement | None = "misprint" if wrong else None
        rows.append(Recomputed(f"table4-{pair}", float(value), float(value), why, test, verdict))
    return rows
