"""Coherence and noise of an experiment, scaled where a study normalises it."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np

from renp_infer.errors import ConfigError
from renp_infer.fields import Said
from renp_infer.finite import faults
from renp_infer.measurement.field import exact_field
from renp_infer.measurement.squid import covariance_nG2, variance_nG2
from renp_infer.physics.cycle.bloch import chi_squared
from renp_infer.physics.cycle.coherence import coherence_squared
from renp_infer.physics.cycle.field_cycle import bloch_cycle
from renp_infer.physics.neutrinos import truth_of
from renp_infer.physics.pairs._crystal_kernels import form_norm
from renp_infer.physics.pairs.form_factor import crystal_size
from renp_infer.physics.pairs.kinematics import beams_for, phase_matched
from renp_infer.physics.pairs.pair_tensor import pair_structure
from renp_infer.physics.signal.magnetization import signal_factor
from renp_infer.records import ALONG_K1, Experiment, FloatArray, Layout, Parameters

MAX_DATA_ANGLES = 2000
"""Most angles of a data set: its covariance and responses are dense."""
REFERENCE_ANGLES, REFERENCE_STEP = 61, np.deg2rad(0.36)
REFERENCE_CRYSTAL_CM = (2.0, 1.0)
"""The paper's layout, Fig. 6: angles and step around the phase-matched one, and
length and radius of the crystal."""


def coherence(experiment: Experiment) -> float:
    """Coherence factor of the experiment, given or from the Bloch equations."""
    target, lasers, switches = experiment.target, experiment.lasers, experiment.switches
    if switches.trigger == "coherence":
        return coherence_squared(target, lasers, switches)
    return chi_squared(target, lasers, switches)


def reference_experiment(experiment: Experiment) -> Experiment:
    """The same apparatus with the paper's layout: 2 cm, case (1), 61 angles."""
    theta_s, theta_e = _reference_directions(experiment)
    steps = np.arange(REFERENCE_ANGLES) - REFERENCE_ANGLES // 2
    layout = Layout(*REFERENCE_CRYSTAL_CM, theta_e, theta_s + REFERENCE_STEP * steps)
    detector = replace(experiment.detector, exposure_shares=None)
    return replace(experiment, layout=layout, detector=detector)


def _reference_directions(experiment: Experiment) -> tuple[float, float]:
    """Trigger and second laser of the paper's layout; of weak magnetism they do not matter."""
    target, lasers = experiment.target, experiment.lasers
    if experiment.switches.source == "weak-magnetism":
        return 0.0, 0.0
    return phase_matched(target, beams_for(target, lasers, ALONG_K1))


def reference_field_nG(experiment: Experiment, parameters: Parameters, chi2: float) -> float:
    """Size of the field that noise is normalised to.

    The peak in the paper's layout. Weak magnetism vanishes there: the paper's crystal with
    P where the moment is largest, eps / sqrt 3 along the axis, for massless Dirac pairs, in
    the large-crystal limit and unsmoothed. That is the same for all layouts and neutrinos.
    """
    reference = reference_experiment(experiment)
    if experiment.switches.source == "spin-velocity":
        return float(np.max(np.abs(exact_field(reference, parameters, chi2))))
    return abs(signal_factor(reference, chi2)) * largest_sum_eV6(reference, parameters.sin2_w)


def largest_sum_eV6(experiment: Experiment, sin2_w: float) -> float:
    """``(2 pi / V) |P| Phi K Sum Re(b c*)`` at ``|P| = eps / sqrt 3``, masses neglected."""
    epsilon = experiment.target.epsilon_ep
    pair = pair_structure(2.0 / 3.0 * epsilon**2, 0.0, 0.0)
    density = float(epsilon / np.sqrt(3.0) * pair.phi * pair.k * (0.75 - sin2_w))
    return float(form_norm(False, *crystal_size(experiment))) * density


def noise_scale(experiment: Experiment, parameters: Parameters, chi2: float) -> float:
    """Factor of the noise, 1 unless the study normalises it.

    With ``reference_snr`` > 0 the noise is scaled so that ``reference_field_nG``
    would have that signal-to-noise per angle of the paper's layout: field and noise of the
    study's own apparatus, one factor for all of its data sets.

    Raises
    ------
    NonFiniteError
        If the signal is too weak, or the scaled noise too small or too large.
    """
    detector = experiment.detector
    if detector.reference_snr == 0.0:
        return 1.0
    whole = experiment.reference
    if whole is not None:
        experiment, chi2 = whole, coherence(whole)
    reference = reference_experiment(experiment)
    signal = reference_field_nG(experiment, parameters, chi2)
    cycle = bloch_cycle(experiment)
    variance = variance_nG2(reference.detector, experiment.lasers, REFERENCE_ANGLES, cycle)
    sigma = np.sqrt(variance[0])
    causes = {
        **asdict(detector),
        **truth_of(parameters),
        "chi_squared": chi2,
        "peak_nG": signal,
    }
    with faults("normalised noise", causes) as finite:
        scale = signal / sigma / detector.reference_snr
        finite(1.0 / np.square(sigma * scale))
        return float(finite(scale))


def noise_covariance(experiment: Experiment, parameters: Parameters, chi2: float) -> FloatArray:
    """Covariance of the data, nG^2, scaled where the study normalises it.

    Raises
    ------
    ConfigError
        For more angles than a dense covariance can have.
    NonFiniteError
        See ``noise_scale``.
    """
    count = experiment.layout.theta_s.size
    if count > MAX_DATA_ANGLES:
        allowed = f"at most {MAX_DATA_ANGLES} angles for data"
        raise ConfigError("layout.theta_s_deg", Said(f"{count} angles"), allowed)
    cycle = bloch_cycle(experiment)
    covariance = covariance_nG2(experiment.detector, experiment.lasers, count, cycle)
    with faults("covariance_nG2", asdict(experiment.detector)) as finite:
        scaled: FloatArray = finite(covariance * noise_scale(experiment, parameters, chi2) ** 2)
        return scaled
