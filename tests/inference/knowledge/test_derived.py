"""Derived masses and phases against the physics, draw by draw."""

import dataclasses

import numpy as np
import pytest

from renp_infer.inference.knowledge.derived import derived
from renp_infer.inference.parameters import DERIVED_TEXTS, PARAMETERS
from renp_infer.inference.priors.prior import GaussianPrior, build_prior
from renp_infer.physics.constants import MILLI_EV_TO_EV
from renp_infer.physics.neutrinos import electron_row, load_oscillation, make_parameters, masses
from tests.toys.settings import inference_with

TABLE = load_oscillation("nufit-6.0")


def model(ordering, nature, **settings):
    own = make_parameters(0.03, ordering, nature, 0.4, 1.1, 2.2, TABLE)
    rows = {
        name: GaussianPrior(TABLE.values[ordering][name], TABLE.sigmas[ordering][name])
        for name in PARAMETERS.oscillation
    }
    return own, build_prior(own, inference_with(**settings), rows, 1.45, 1.0)


@pytest.mark.parametrize("ordering", ["normal", "inverted"])
@pytest.mark.parametrize("nature", ["dirac", "majorana"])
@pytest.mark.parametrize("settings", [{}, {"oscillation_errors": False, "phases": "fixed"}])
def test_masses_are_those_of_the_physics(ordering, nature, settings, rng):
    """By the electron row with its phases, where the package has products of moduli."""
    own, prior = model(ordering, nature, **settings)
    vectors = prior.sample(rng, 6).reshape(2, 3, -1)
    found = derived(prior, nature, vectors)
    for place in np.ndindex(2, 3):
        values = prior.values(vectors[place])
        own_at = dataclasses.replace(
            own,
            m1_eV=values["m1_meV"] * MILLI_EV_TO_EV,
            **{name: values[name] for name in PARAMETERS.oscillation},
            **{name.removesuffix("_deg"): np.deg2rad(values[name]) for name in PARAMETERS.phases},
        )
        m, row = masses(own_at) / MILLI_EV_TO_EV, electron_row(own_at)
        assert found["sum_meV"][place] == pytest.approx(m.sum(), rel=1e-12, abs=0.0)
        for k in range(3):
            one = found[f"mass_{k + 1}_meV"][place]
            assert one == pytest.approx(m[k], rel=1e-12, abs=0.0)
        beta = np.sqrt(np.sum(np.abs(row) ** 2 * m**2))
        assert found["m_beta_meV"][place] == pytest.approx(beta, rel=1e-12, abs=0.0)
        if nature == "majorana":
            both = abs(np.sum(row**2 * m))
            assert found["m_betabeta_meV"][place] == pytest.approx(both, rel=1e-9, abs=1e-9)


def test_what_is_derived_depends_on_nature_and_on_free_phases():
    names = {
        (nature, phases): set(derived(*_asked(nature, phases)))
        for nature in ("dirac", "majorana")
        for phases in ("free", "fixed")
    }
    every = {"sum_meV", "m_beta_meV", "mass_1_meV", "mass_2_meV", "mass_3_meV", "jarlskog"}
    assert names["dirac", "free"] == names["dirac", "fixed"] == every
    assert names["majorana", "fixed"] == {*every, "m_betabeta_meV"}
    assert names["majorana", "free"] == set(DERIVED_TEXTS)


def test_without_its_third_angle_there_is_no_invariant():
    assert "jarlskog" not in derived(*_asked("majorana", "free")[:3])


def _asked(nature, phases):
    _, prior = model("normal", nature, phases=phases)
    return prior, nature, prior.sample(np.random.default_rng(1), 4), 0.47


def test_the_seen_phase_does_not_change_along_what_is_not_seen(rng):
    _, prior = model("normal", "majorana")
    vectors = prior.sample(rng, 5)
    moved = vectors.copy()
    moved[:, prior.names.index("delta_deg")] += 40.0
    moved[:, prior.names.index("alpha31_deg")] += 80.0
    one, other = (derived(prior, "majorana", part) for part in (vectors, moved))
    for name in one:
        assert other[name] == pytest.approx(one[name], rel=1e-9)
