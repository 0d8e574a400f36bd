"""The parity-even field that a real crystal adds: the shape of a leakage."""

from __future__ import annotations

import numpy as np

from renp_infer.finite import faults
from renp_infer.measurement.field import exact_field, field_causes, smoothed_rate
from renp_infer.measurement.normalise import coherence
from renp_infer.physics.pairs.densities import phase_averaged
from renp_infer.records import Experiment, FloatArray, Parameters


def leakage_shape(experiment: Experiment, parameters: Parameters, chi_squared: float) -> FloatArray:
    """Parity-even field of leakage 1, shape (n,), nG.

    The angular distribution of the rate, Sum F, smoothed as the signal is but
    without its direction factor k.S, and scaled to the largest absolute signal:
    leakage is a fraction of the peak, of all data sets that have the same leakage,
    which know one scale however they are cut. A template, at the truth: a leakage l
    makes it err by l times what the mass and the apparatus change in Sum F.
    Of a polarised target it is the parity-conserving field, which is far the
    larger part and knows no phase of the partners.
    """
    with faults("leakage", field_causes(experiment, parameters, chi_squared)) as finite:
        unit = leakage_unit(experiment, parameters, chi_squared)
        shape: FloatArray = finite(unit * _rate(experiment, parameters))
        return shape


def leakage_unit(experiment: Experiment, parameters: Parameters, chi_squared: float) -> float:
    """Largest absolute signal by largest rate of all data sets that have the same leakage, nG."""
    others = [(one, coherence(one)) for one in experiment.beside]
    alike = [(experiment, chi_squared), *others]
    largest = max(np.max(np.abs(_rate(one, parameters))) for one, _ in alike)
    peak = max(np.max(np.abs(exact_field(one, parameters, chi2))) for one, chi2 in alike)
    return float(peak / largest)


def _rate(experiment: Experiment, parameters: Parameters) -> FloatArray:
    polarised = experiment.target.polarisation != 0.0
    return smoothed_rate(phase_averaged(experiment) if polarised else experiment, parameters)
