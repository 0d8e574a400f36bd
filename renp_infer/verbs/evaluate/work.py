"""The forward model at the truth: from a resolved study to numbers."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np

from renp_infer.finite import faults
from renp_infer.measurement.average import disagreement
from renp_infer.measurement.field import conserving_field, exact_field
from renp_infer.measurement.normalise import coherence, noise_scale
from renp_infer.measurement.squid import information_with_drift, lags, variance_nG2
from renp_infer.physics.constants import NG_TO_FT
from renp_infer.physics.cycle.field_cycle import bloch_cycle, bloch_evolution
from renp_infer.physics.neutrinos import PairWeights, masses, truth_of, weights
from renp_infer.physics.pairs.densities import phase_averaged
from renp_infer.physics.pairs.form_factor import PairIntegrals, pair_integrals, pair_masses
from renp_infer.physics.pairs.kinematics import beams_of, threshold_angles
from renp_infer.physics.pairs.sums import majorana_kappa, parity_violating_sum, weighted_sums
from renp_infer.physics.signal import backgrounds as qed
from renp_infer.physics.signal.magnetization import magnetization_nG_per_s, rate_per_s
from renp_infer.physics.signal.pickup import coupling_of
from renp_infer.physics.targets.transition import moment_remark, transition_of
from renp_infer.records import (
    PAIRS,
    Experiment,
    FloatArray,
    Observation,
    Parameters,
)
from renp_infer.verbs.evaluate.coherence import Coherence
from renp_infer.verbs.evaluate.depletion import Depletion
from renp_infer.verbs.evaluate.facts import Drift, NumericalErrors, Truth
from renp_infer.verbs.evaluate.result import EvaluateResult

ROUNDING = 1e-9
"""How far below 0 an eigenvalue of the state may be by rounding."""


def evaluate(experiment: Experiment, parameters: Parameters, name: str) -> EvaluateResult:
    """Evaluate the forward model.

    Parameters
    ----------
    experiment : Experiment
    parameters : Parameters
    name : str
        The study's.

    Raises
    ------
    NonFiniteError
        If a number is not finite; names what went into it.
    """
    m = masses(parameters)
    pairs = pair_integrals(phase_averaged(experiment), m)
    rows = weights(parameters, experiment.switches)
    kappa = majorana_kappa(experiment, parameters)
    sum_f, sum_g = weighted_sums(pairs, rows, m, kappa)
    conserved = _conserved(experiment, m)
    if conserved is not None and experiment.switches.vector_current == "conserved":
        sum_g = parity_violating_sum(conserved, rows, m, kappa)
    weak = _weak_magnetism(experiment, m, rows, kappa)
    chi2 = coherence(experiment)
    rate = rate_per_s(experiment, _sum_at_the_phase(experiment, sum_f, rows, m, kappa), chi2)
    signal = exact_field(experiment, parameters, chi2)
    count = experiment.layout.theta_s.size
    variance = variance_nG2(experiment.detector, experiment.lasers, count, bloch_cycle(experiment))
    scale = noise_scale(experiment, parameters, chi2)
    sigma = np.sqrt(variance) * scale
    with faults("peak_snr", {"chi_squared": chi2, "sigma_nG": sigma[0]}) as finite:
        peak_snr = float(finite(np.max(np.abs(signal) / sigma)))
    conserving = _conserving(experiment, parameters, chi2)
    accuracy = NumericalErrors(
        experiment.accuracy.relative_tolerance,
        float(pairs.error.max()),
        disagreement(experiment, parameters, chi2, signal),
    )
    return EvaluateResult(
        name=name,
        model=experiment.switches,
        truth=Truth(**truth_of(parameters)),
        theta_s_deg=np.rad2deg(experiment.layout.theta_s),
        w_eV=pairs.w_eV,
        masses_eV=m,
        pairs=list(PAIRS),
        pair_A_eV5=pairs.a_eV5,
        pair_B_eV3=pairs.b_eV3,
        sum_F_eV5=sum_f,
        sum_G_eV5=sum_g,
        chi_squared=chi2,
        coherence=_coherence(experiment),
        rate_per_s=rate,
        magnetization_nG_per_s=magnetization_nG_per_s(
            experiment, sum_g if weak is None else weak, chi2
        ),
        signal_nG=signal,
        sigma_nG=sigma,
        peak_snr=peak_snr,
        normalised=experiment.detector.reference_snr > 0.0,
        thresholds_deg=pair_thresholds(experiment, m),
        coupling=coupling_of(experiment),
        backgrounds=background_rows(experiment, rate, chi2),
        accuracy=accuracy,
        pair_K_eV5=None if conserved is None else conserved.a_eV5,
        sum_W_eV6=None if weak is None else handed(experiment) * weak,
        conserving_nG=conserving,
        left_by_reversal=_left(experiment, conserving, signal),
        noise_scale=scale,
        drift=_drift(experiment, signal, scale),
        moment=moment_remark(experiment.target) if weak is not None else "",
    )


def _drift(experiment: Experiment, field_nG: FloatArray, scale: float) -> Drift | None:
    """What a drift does to all angles together; the noise is scaled."""
    detector, signal_nG = experiment.detector, field_nG / scale
    if detector.drift_fT == 0.0:
        return None
    count, drift = signal_nG.size, (detector.drift_fT / NG_TO_FT) ** 2
    steady = replace(detector, drift_fT=0.0)
    white = variance_nG2(steady, experiment.lasers, count, bloch_cycle(experiment))
    angle_s = detector.exposure_s / count
    known = information_with_drift(signal_nG, white, drift, lags(detector, count))
    return Drift(
        sigma_nG=scale * float(np.sqrt(drift)),
        correlated_angles=min(detector.drift_time_s / angle_s, float(count)),
        scan_snr=float(np.sqrt(known)),
        scan_snr_without=float(np.sqrt(np.sum(signal_nG**2 / white))),
    )


def _sum_at_the_phase(
    experiment: Experiment,
    averaged: FloatArray,
    rows: PairWeights,
    masses_eV: FloatArray,
    kappa: float,
) -> FloatArray:
    """Sum F at the phase of the partners, where the lasers have one."""
    if experiment.lasers.partner_phase is None:
        return averaged
    return weighted_sums(pair_integrals(experiment, masses_eV), rows, masses_eV, kappa)[0]


def _conserved(experiment: Experiment, masses_eV: FloatArray) -> PairIntegrals | None:
    """Int U W Phi K, which is not known in the planar phase space."""
    if experiment.switches.phase_space == "planar":
        return None
    return pair_integrals(experiment, masses_eV, density="conserved")


def _weak_magnetism(
    experiment: Experiment, masses_eV: FloatArray, rows: PairWeights, kappa: float
) -> FloatArray | None:
    """Sum W with n = c, if that is what makes the moment."""
    if experiment.switches.source != "weak-magnetism":
        return None
    pairs = pair_integrals(experiment, masses_eV, density="weak-magnetism")
    return parity_violating_sum(pairs, rows, masses_eV, kappa)


def _conserving(experiment: Experiment, parameters: Parameters, chi2: float) -> FloatArray | None:
    """Parity-conserving field of a polarised target."""
    if experiment.target.polarisation == 0.0:
        return None
    return conserving_field(experiment, parameters, chi2)


def _left(
    experiment: Experiment, conserving: FloatArray | None, signal: FloatArray
) -> float | None:
    """What reversing P leaves of the parity-conserving field, in units of the largest signal."""
    peak = float(np.max(np.abs(signal)))
    if conserving is None or peak == 0.0:
        return None
    return experiment.detector.reversal_leakage * float(np.max(np.abs(conserving))) / peak


def handed(experiment: Experiment) -> float:
    """Sign of n along c: that of Im(M* x S), quadrupole included, of the "+" channel."""
    return float(np.sign(transition_of(experiment.target).handedness))


def _coherence(experiment: Experiment) -> Coherence | None:
    cycle = bloch_cycle(experiment)
    if cycle is None:
        return None
    evolution = bloch_evolution(experiment)
    return Coherence(
        peak=evolution.peak,
        peak_time_ms=1e3 * evolution.peak_time_s,
        mean=cycle.chi_squared,
        field_peak_over_growth_ms=1e3 * cycle.peak_s,
        field_peak_time_ms=1e3 * cycle.peak_time_s,
        excited_at_end=evolution.excited_at_end,
        trace_error=evolution.trace_error,
        hermiticity_error=evolution.hermiticity_error,
        smallest_eigenvalue=evolution.smallest_eigenvalue,
        positive=evolution.smallest_eigenvalue > -ROUNDING,
        detunings=evolution.detunings,
        spread_error=evolution.spread_error,
        lit=None if evolution.faded is None else evolution.faded.depth,
    )


def measured(found: EvaluateResult, data: Observation) -> EvaluateResult:
    """An evaluation whose noise is that of data from a file."""
    return replace(
        found,
        data=data.source,
        sigma_nG=data.sigma_nG,
        peak_snr=float(np.max(np.abs(found.signal_nG) / data.sigma_nG)),
        noise_scale=None,
        drift=None,
    )


def background_rows(experiment: Experiment, rate_per_s: FloatArray, chi2: float) -> Depletion:
    """What empties the excited state besides neutrino pairs, Section V.

    Parameters
    ----------
    experiment : Experiment
    rate_per_s : ndarray, shape (n,)
        Pairs of the whole target.
    chi2 : float
        Coherence factor.

    Raises
    ------
    NonFiniteError
    """
    target, lasers = experiment.target, experiment.lasers
    causes = {
        "gamma_ep_per_s": target.gamma_ep_per_s,
        "density_per_cm3": target.density_per_cm3,
        **asdict(lasers),
        "chi_squared": chi2,
    }
    with faults("backgrounds", causes) as finite:
        rates = qed.backgrounds(experiment, rate_per_s, chi2)
        found = Depletion(
            pair_per_ion_per_s=rates.pair_per_s,
            two_photon_per_ion_per_s=rates.two_photon_per_s,
            three_photon_per_ion_per_s=rates.three_photon_per_s,
            four_photon_per_ion_per_s=rates.four_photon_per_s,
            e1_per_s=rates.e1_per_s,
            zeeman_splitting_eV=qed.zeeman_splitting_eV(target, lasers.zeeman_field_G),
            wrong_partner_share=qed.partner_share(target, lasers),
            depletion_per_cycle=rates.depletion(1e-3 * lasers.cycle_ms),
            events_per_lifetime=qed.events_per_lifetime(target, rate_per_s),
        )
        for column in vars(found).values():
            for row in column.values() if isinstance(column, dict) else (column,):
                finite(row)
    return found


def pair_thresholds(experiment: Experiment, masses_eV: FloatArray) -> dict[str, list[float] | None]:
    """Angles of s = (m_i + m_j)^2 on both sides, null where never crossed."""
    found: dict[str, list[float] | None] = {}
    for pair, total in zip(PAIRS, pair_masses(masses_eV).sum(axis=1), strict=True):
        sides = np.rad2deg(
            threshold_angles(
                total, experiment.target, experiment.layout.theta_e, beams_of(experiment)
            )
        )
        found[pair] = sides.tolist() if np.isfinite(sides).all() else None
    return found
