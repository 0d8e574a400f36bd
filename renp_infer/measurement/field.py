"""The field at the detector: exact, smoothed, and its parity-even companion."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np

from renp_infer.finite import faults
from renp_infer.measurement.smoothing import EVEN, smoothed_pairs
from renp_infer.physics.neutrinos import masses, weights
from renp_infer.physics.pairs.densities import phase_averaged
from renp_infer.physics.pairs.form_factor import pair_masses
from renp_infer.physics.signal.magnetization import conserving_factor, signal_factor
from renp_infer.records import Experiment, FloatArray, Parameters


def exact_field(
    experiment: Experiment, parameters: Parameters, chi_squared: float, refinement: int = 0
) -> FloatArray:
    """Smoothed field without tables over masses, shape (n,), nG: the reference.

    ``refinement`` is that of ``make_smoother``: what it changes is the field's own error.

    Raises
    ------
    NonFiniteError
        If the field is not finite at some angle.
    """
    m = masses(parameters)
    with faults("signal_nG", field_causes(experiment, parameters, chi_squared)) as finite:
        a, b = smoothed_pairs(experiment, m, refinement=refinement)
        rows = weights(parameters, experiment.switches)
        total = rows.pv @ a
        if parameters.nature == "majorana":
            strength = experiment.switches.majorana_kappa * np.prod(pair_masses(m), axis=1)
            total = total - (rows.pv_majorana * strength) @ b
        field: FloatArray = finite(signal_factor(experiment, chi_squared) * total)
        return field


def refined_field(experiment: Experiment, parameters: Parameters, chi_squared: float) -> FloatArray:
    """Field that mock data are drawn about and peaks are told by, (n,), nG: once refined.

    As what responses are held to, and as quick for a small crystal, whose nested quadrature
    takes a minute.
    """
    return exact_field(experiment, parameters, chi_squared, 1)


def field_causes(
    experiment: Experiment, parameters: Parameters, chi_squared: float
) -> dict[str, object]:
    """What a refusal tells of a field that is not finite."""
    return {
        **asdict(parameters),
        "refractive_index": experiment.target.refractive_index,
        "chi_squared": chi_squared,
    }


def smoothed_rate(experiment: Experiment, parameters: Parameters) -> FloatArray:
    """Sum F smoothed, without a direction factor, shape (n,), eV^5."""
    m = masses(parameters)
    a, b = smoothed_pairs(experiment, m, EVEN, "spatial")
    rows = weights(parameters, experiment.switches)
    rate: FloatArray = rows.rate @ a
    if parameters.nature == "majorana":
        strength = experiment.switches.majorana_kappa * np.prod(pair_masses(m), axis=1)
        rate = rate - (rows.rate_majorana * strength) @ b
    return rate


def conserving_field(
    experiment: Experiment, parameters: Parameters, chi_squared: float
) -> FloatArray:
    """Parity-conserving field of a polarised target, shape (n,), nG; even in P.

    Smoothed; before any reversal of P. A parity-even leakage has this shape. With the rate
    averaged over the phase of the partners, whatever that is.
    """
    factor = conserving_factor(experiment, chi_squared)
    return factor * smoothed_rate(phase_averaged(experiment), parameters)


def residual_leakage(experiment: Experiment, parameters: Parameters) -> float:
    """What reversing P leaves of the parity-conserving field, over the peak signal.

    Coherence and cycle drop out; 0 for an unpolarised target, or without any signal.
    """
    if experiment.target.polarisation == 0.0:
        return 0.0
    lasers = replace(experiment.lasers, chi_squared=1e-2)
    quick = replace(experiment, lasers=lasers)
    peak = np.max(np.abs(exact_field(quick, parameters, 1e-2)))
    if peak == 0.0:
        return 0.0
    conserving = np.max(np.abs(conserving_field(quick, parameters, 1e-2)))
    with faults("residual_leakage", field_causes(quick, parameters, 1e-2)) as finite:
        return float(finite(experiment.detector.reversal_leakage * conserving / peak))
