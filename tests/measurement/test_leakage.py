"""The leakage's shape against the rate itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from renp_infer.measurement.field import exact_field
from renp_infer.measurement.leakage import leakage_shape
from renp_infer.physics.neutrinos import make_parameters, masses, weights
from renp_infer.physics.pairs.form_factor import pair_integrals
from renp_infer.physics.pairs.sums import majorana_kappa, weighted_sums
from tests.toys.forecast import study


@pytest.mark.parametrize("nature", ["dirac", "majorana"])
def test_a_sharp_leakage_has_the_shape_of_the_rate(tmp_path: Path, nature: str) -> None:
    """300 meV, where exchange takes off a tenth; without smoothing."""
    one = study(tmp_path, "detector.resolution_deg=0")
    truth = make_parameters(0.3, "normal", nature, 0.0, 0.0, 0.0, one.oscillation)
    here, m = one.experiment, masses(truth)
    shape = leakage_shape(here, truth, 1e-3)
    rows, kappa = weights(truth, here.switches), majorana_kappa(here, truth)
    rate, _ = weighted_sums(pair_integrals(here, m), rows, m, kappa)
    assert np.max(rate) > 0.0
    peak = np.max(np.abs(exact_field(here, truth, 1e-3)))
    assert np.max(np.abs(shape)) == pytest.approx(peak, rel=1e-9, abs=0.0)
    # fringes of the finite crystal, 0.4 % of the rate here, are no part of a smoothed field
    assert shape / np.max(shape) == pytest.approx(rate / np.max(rate), rel=6e-3)
