"""Rows about QED backgrounds, Sec. V."""

from __future__ import annotations

from dataclasses import replace
from math import log2, pi

from scipy.integrate import quad

from renp_infer.physics.constants import FERMI_CONSTANT_PER_EV2
from renp_infer.physics.signal.backgrounds import (
    dipole_squared,
    pair_phase_space,
    photon_phase_space,
    two_photon_per_s,
)
from renp_infer.reproduction.conventions import same
from renp_infer.reproduction.paper import Paper, Reading
from renp_infer.reproduction.verdict import Recomputed

_PHASE_SPACE = "test_ledger.py::test_phase_space_integrals_by_quadrature"
_COUPLING = "test_ledger.py::test_couplings_of_the_backgrounds"
_EXTINCTION = "test_backgrounds.py::test_two_photon_rate_is_the_paper_s_extinction"
_TWO_PI_5 = (2.0 * pi) ** 5


def dipole_coupling(paper: Paper) -> float:
    """(d^2 / 3)^3 with the largest dipole of the scheme, 1/eV^6."""
    return (dipole_squared(paper.target) / 3.0) ** 3


def _degree(power: int) -> float:
    """Power of eps in Int (E1 E2)^power over E1 + E2 = eps."""

    def integral(eps: float) -> float:
        return float(quad(lambda e: (e * (eps - e)) ** power, 0.0, eps)[0])

    return log2(integral(2.0) / integral(1.0))


def phase_space_rows(paper: Paper) -> list[Recomputed]:
    """Eqs. (66), (67) and their ratio."""
    photons, neutrinos = photon_phase_space(1.0, 3), pair_phase_space(1.0)
    inverse = (2.0 / 3.0) ** 3 / (_TWO_PI_5 * photons)
    lost, whole = _degree(0), _degree(2)
    squares = "the printed integrand has lost E1^2 E2^2"
    return [
        same("eq66", inverse, "factorials", _PHASE_SPACE),
        same("eq67", (2.0 * pi) ** 3 * neutrinos, "with E1^2 E2^2", _PHASE_SPACE),
        Recomputed("eq67-integrand", lost, whole, squares, _PHASE_SPACE, "misprint"),
        same("sec5-ratio", photons / neutrinos, "Eq. (66) over Eq. (67)", _PHASE_SPACE),
    ]


def coupling_rows(paper: Paper) -> list[Recomputed]:
    """Coupling factors, the four-photon rate over that of pairs, and extinction."""
    dipole, fermi = dipole_coupling(paper), FERMI_CONSTANT_PER_EV2**2
    phase = photon_phase_space(1.0, 3) / pair_phase_space(1.0)
    comparable = dipole / fermi * phase * paper.target.epsilon_ep**2
    finite_size = "finite-size mean of U W over the extra photon's directions"
    return [
        same("sec5-dipole", dipole, "the largest dipole of the scheme", _COUPLING),
        same("sec5-fermi", fermi, "G_F", _COUPLING),
        same("sec5-comparable", comparable, "product of these, denominators eps", _COUPLING),
        Recomputed(
            "sec5-extinction", *paper.both(lambda r: extinction(paper, r)), finite_size, _EXTINCTION
        ),
    ]


def extinction(paper: Paper, reading: Reading) -> float:
    """Two-photon rate per ion, phase matched, at gamma_ep = 1e6 1/s, in 1/s."""
    target = replace(paper.target, gamma_ep_per_s=paper.given("extinction_width_per_s"))
    experiment = paper.experiment(reading, angles=paper.angles(1), target=target)
    return float(two_photon_per_s(experiment, paper.given("chi_squared"))[0])
