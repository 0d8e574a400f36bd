"""Sums over pairs against the nine ordered ones of the pair tensor, term by term."""

from __future__ import annotations

import numpy as np
import pytest

from renp_infer.physics.neutrinos import (
    PAIR_INDEX,
    couplings,
    load_oscillation,
    make_parameters,
    masses,
    weights,
)
from renp_infer.physics.pairs.form_factor import PairIntegrals
from renp_infer.physics.pairs.pair_tensor import pair_structure, pair_sums
from renp_infer.physics.pairs.sums import weighted_sums
from renp_infer.records import PRESETS


@pytest.mark.parametrize("nature", ["dirac", "majorana"])
def test_six_pairs_give_what_nine_ordered_ones_do(nature: str) -> None:
    """Rate and parity-violating sum, with phases that make no term vanish."""
    table = load_oscillation("nufit-6.0")
    p = make_parameters(0.3, "normal", nature, 0.6, 1.1, 2.3, table)
    s, m = np.linspace(0.5, 1.5, 5), masses(p)
    pairs = [pair_structure(s, float(m[i]), float(m[j])) for i, j in PAIR_INDEX]
    phi, k = (np.array([getattr(pair, name) for pair in pairs]) for name in ("phi", "k"))
    integrals = PairIntegrals(phi * k, phi, np.zeros_like(phi), np.zeros((2, s.size)))
    rows = weights(p, PRESETS["corrected"])
    rate, odd = weighted_sums(integrals, rows, m, 1.0 if nature == "majorana" else 0.0)
    expected = pair_sums(s, m, *couplings(p), nature)
    assert rate == pytest.approx(expected.k_axial, rel=1e-12, abs=0)
    assert odd == pytest.approx(expected.k_mixed, rel=1e-12, abs=0)
