"""Rows about QED backgrounds, Sec. V."""

from __future__ import annotations

from math import log2, pi

from scipy.integrate import quad
from scipy.special import beta

from renp_infer.physics.constants import FERMI_CONSTANT_PER_EV2, PER_S_TO_EV
from renp_infer.reproduction.conventions import CITED, same
from renp_infer.reproduction.paper import Paper
from renp_infer.reproduction.verdict import Recomputed

_PHASE_SPACE = "test_ledger.py::test_phase_space_integrals_by_quadrature"
_COUPLING = "test_ledger.py::test_couplings_of_the_backgrounds"


def three_photon_integral() -> float:
    """Int w1^3 w2^3 w3^3 over the simplex w1 + w2 + w3 = 1."""
    return float(beta(4.0, 4.0) * beta(8.0, 4.0))


def two_neutrino_integral() -> float:
    """Int E1^2 E2^2 over E1 + E2 = 1, massless."""
    return float(beta(3.0, 3.0))


def dipole_coupling(paper: Paper) -> float:
    """(d^2 / 3)^3 with the strongest dipole of the scheme, e-g, 1/eV^6."""
    target = paper.target
    width = target.ed_rates_per_s["eg"] * PER_S_TO_EV
    energy = target.omega_1 + target.omega_2
    return float((pi * width / energy**3) ** 3)


def _degree(power: int) -> float:
    """Power of eps in Int (E1 E2)^power over E1 + E2 = eps."""

    def integral(eps: float) -> float:
        return float(quad(lambda e: (e * (eps - e)) ** power, 0.0, eps)[0])

    return log2(integral(2.0) / integral(1.0))


def phase_space_rows(paper: Paper) -> list[Recomputed]:
    """Eqs. (66), (67) and their ratio."""
    photons, neutrinos = three_photon_integral(), two_neutrino_integral()
    ratio = (2.0 / 3.0) ** 3 * photons / ((4.0 * pi) ** 2 * neutrinos)
    lost, whole = _degree(0), _degree(2)
    squares = "the printed integrand has lost E1^2 E2^2"
    return [
        same("eq66", 1.0 / photons, "beta functions", _PHASE_SPACE),
        same("eq67", (4.0 * pi) ** 2 * neutrinos / (2.0 * pi) ** 2, "with E1^2 E2^2", _PHASE_SPACE),
        Recomputed("eq67-integrand", lost, whole, squares, _PHASE_SPACE, "misprint"),
        same("sec5-ratio", ratio, "Eq. (66) over Eq. (67)", _PHASE_SPACE),
    ]


def coupling_rows(paper: Paper) -> list[Recomputed]:
    """Coupling factors, and the four-photon rate over that of pairs."""
    dipole, fermi = dipole_coupling(paper), FERMI_CONSTANT_PER_EV2**2
    photons, neutrinos = three_photon_integral(), two_neutrino_integral()
    phase = (2.0 / 3.0) ** 3 * photons / ((4.0 * pi) ** 2 * neutrinos)
    comparable = dipole / fermi * phase * paper.target.epsilon_ep**2
    return [
        same("sec5-dipole", dipole, "the strongest dipole, e-g", _COUPLING),
        same("sec5-fermi", fermi, "G_F", _COUPLING),
        same(
            "sec5-comparable",
            comparable,
            "product of these, denominators eps",
            _COUPLING,
        ),
        Recomputed("sec5-extinction", None, None, "its formula is not printed", CITED, "undecoded"),
    ]
