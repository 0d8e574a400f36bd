"""Settings that are in range one by one, but whose numbers cannot be calculated with.

Scalars only, so that a study is refused in microseconds and before any work.
What can only be seen on the way ends in a ``NonFiniteError`` there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from renp_infer.errors import ConfigError, ConvergenceError, DomainError, NonFiniteError
from renp_infer.fields import Said
from renp_infer.measurement.normalise import MAX_DATA_ANGLES
from renp_infer.measurement.squid import standard_error_nG
from renp_infer.physics.constants import NG_TO_FT
from renp_infer.physics.pairs.kinematics import beams_of, invariant_s, phase_matched
from renp_infer.physics.signal.magnetization import keeps_moment, rate_per_s, signal_factor
from renp_infer.records import Experiment, Parameters, switch_names
from renp_infer.study.sections.lasers import CHI_SQUARED_MAX

LEAST_REFERENCE_SNR = 1e-9
"""Smallest signal-to-noise that a study may be normalised to."""
LEAST_WHITE_SHARE = 1e-6
"""Smallest standard error by the drift: below, rounding makes the covariance singular."""


def check_computable(experiment: Experiment) -> None:
    """Refuse what would end in an overflow, a division by zero or an endless cycle.

    Raises
    ------
    ConfigError
        Blames a section where several of its keys are at fault together.
    """
    checks: dict[str, Callable[[Experiment], object]] = {
        "detector": _noise,
        "target": _scale,
    }
    # The cycle of the Bloch equations takes long: the largest coherence stands for it.
    chi2 = experiment.lasers.chi_squared or CHI_SQUARED_MAX
    quick = replace(experiment, lasers=replace(experiment.lasers, chi_squared=chi2))
    for section, check in checks.items():
        try:
            check(quick)
        except (NonFiniteError, ConvergenceError) as error:
            allowed = "settings closer to those of an experiment"
            raise ConfigError(section, Said(str(error)), allowed) from error
        except DomainError as error:
            known = error.name in switch_names()
            key = f"physics.{error.name}" if known else "target.scheme"
            given = error.value if known else Said(f"{error.name} = {error.value}")
            raise ConfigError(key, given, error.allowed) from error


def _noise(experiment: Experiment) -> None:
    detector = experiment.detector
    snr = detector.reference_snr
    if 0.0 < snr < LEAST_REFERENCE_SNR:
        raise ConfigError("detector.reference_snr", snr, f"0, or >= {LEAST_REFERENCE_SNR:g}")
    count = experiment.layout.theta_s.size
    white = standard_error_nG(detector, experiment.lasers, count)
    if LEAST_WHITE_SHARE * detector.drift_fT / NG_TO_FT > white:
        allowed = f"at most {1 / LEAST_WHITE_SHARE:g} times the error of one angle without it"
        raise ConfigError("detector.drift_fT", detector.drift_fT, allowed)


def _scale(experiment: Experiment) -> None:
    chi2 = experiment.lasers.chi_squared
    assert chi2 is not None
    signal_factor(experiment, chi2)
    rate_per_s(experiment, experiment.layout.theta_s[:0], chi2)
    if experiment.detector.reference_snr > 0.0:
        if experiment.switches.source == "spin-velocity":
            phase_matched(experiment.target, beams_of(experiment))
        if not keeps_moment(experiment):
            allowed = "0 with a target that keeps no moment in first order, as two singlets"
            raise ConfigError("detector.reference_snr", experiment.detector.reference_snr, allowed)


def check_open_angles(experiment: Experiment, parameters: Parameters) -> None:
    """At least one angle must reach, within the resolution, an open pair."""
    layout, width = experiment.layout, experiment.detector.resolution
    if layout.theta_s.size > MAX_DATA_ANGLES:
        allowed = f"at most {MAX_DATA_ANGLES} angles with [inference]"
        raise ConfigError("layout.theta_s_deg", Said(f"{layout.theta_s.size} angles"), allowed)
    s = [
        invariant_s(layout.theta_s + shift, layout.theta_e, experiment.target, beams_of(experiment))
        for shift in (-width, 0.0, width)
    ]
    if np.max(s) <= (2 * parameters.m1_eV) ** 2:
        raise ConfigError(
            "layout.theta_s_deg",
            Said(f"{np.rad2deg(layout.theta_s[0]):.6g} ... "
                 f"{np.rad2deg(layout.theta_s[-1]):.6g}"),
            "at least one angle between the thresholds of the lightest pair",
        )  # fmt: skip
