"""Sums over the nine ordered pairs of mass eigenstates, Eqs. (56) and (63)."""

from __future__ import annotations

import numpy as np

from renp_infer.finite import faults
from renp_infer.physics.neutrinos import PairWeights
from renp_infer.physics.pairs.form_factor import PairIntegrals, pair_masses
from renp_infer.records import Experiment, FloatArray, Parameters


def weighted_sums(
    pairs: PairIntegrals, rows: PairWeights, masses_eV: FloatArray, kappa: float
) -> tuple[FloatArray, FloatArray]:
    """Sums over the nine ordered pairs, Eqs. (56) and (63).

    Parameters
    ----------
    pairs : PairIntegrals
    rows : PairWeights
        Off-diagonal pairs doubled.
    masses_eV : ndarray, shape (3,)
    kappa : float
        Majorana coefficient, 0 for Dirac.

    Returns
    -------
    sum_F, sum_G : ndarray, shape (n,)
        Rate and parity-violating sums, eV^5.
    """
    causes = {f"m{k}_eV": float(m) for k, m in enumerate(masses_eV, start=1)}
    with faults("pair sum", causes | {"majorana_kappa": kappa}) as finite:
        product = kappa * np.prod(pair_masses(masses_eV), axis=1)
        rate = rows.rate @ pairs.a_eV5 - (rows.rate_majorana * product) @ pairs.b_eV3
        odd = rows.pv @ pairs.a_eV5 - (rows.pv_majorana * product) @ pairs.b_eV3
        return finite(rate), finite(odd)


def parity_violating_sum(
    pairs: PairIntegrals, rows: PairWeights, masses_eV: FloatArray, kappa: float
) -> FloatArray:
    """Sum over the nine ordered pairs of Re(b c*) A - kappa m_i m_j Re(b c) B, shape (n,).

    Parameters as ``weighted_sums``. With pairs of the "conserved" density it is Sum G of
    S.v, eV^5; with those of "weak-magnetism" Sum W, eV^6, see ``pair_integrals``.
    """
    return weighted_sums(pairs, rows, masses_eV, kappa)[1]


def majorana_kappa(experiment: Experiment, parameters: Parameters) -> float:
    """Coefficient of the exchange term; 0 for Dirac neutrinos."""
    return experiment.switches.majorana_kappa if parameters.nature == "majorana" else 0.0
