"""Data in, next setting out: what an experimenter runs beside the apparatus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import chi2

from renp_infer.design.beliefs import Beliefs, Readings
from renp_infer.design.sequential import choose, settled
from renp_infer.errors import ConfigError
from renp_infer.study.datafile import Sequence, read_sequence
from renp_infer.verbs.sequential.bench import SequenceBench

if TYPE_CHECKING:
    from renp_infer.study.study import Study

ROUNDS = 4
"""Gauss-Newton steps towards the mode of each state."""
LEAST_P = 1e-4
"""A chi-squared less probable than this, in every state, contradicts the model."""


def read_so_far(study: Study, file: Path, covariance: Path | None) -> Sequence:
    """Data measured so far; angles may occur again.

    Raises
    ------
    ConfigError
        On the first thing that is wrong, with file, line and column; or if the study
        names other data.
    """
    assert study.sequential is not None
    if study.measurement is not None:
        allowed = "no section [data]: --data FILE takes its place"
        raise ConfigError("data.file", study.measurement.observation.source, allowed)
    angles = np.concatenate([study.experiment.layout.theta_s, study.sequential.angles])
    return read_sequence(file, covariance, angles)


def advice(study: Study, so_far: Sequence) -> dict[str, Any]:
    """What is known, and the setting that tells most per second from here.

    Parameters
    ----------
    study : Study
        With settings of ``[optimize.sequential]``.
    so_far : Sequence

    Returns
    -------
    dict
        The document of ``renp optimize --sequential --data FILE --json``:
        ``next_setting`` is null where enough is known or the time is spent, with the
        reason in ``stop``.
    """
    bench = SequenceBench(study, so_far.theta_s)
    settings, places = bench.settings, bench.places(so_far.theta_s)
    readings = Readings(places, so_far.field_nG, so_far.covariance_nG2)
    atlas, beliefs = settled(bench.atlas, readings, bench.expander.refined, ROUNDS)
    spent = float(np.sum(so_far.exposures_s)) + settings.setting_s * so_far.moves
    choice = choose(beliefs, atlas, bench.menu(), int(places[-1]), settings.total_s - spent)
    stop = "enough is known" if bench.enough(beliefs) else ""
    stop = stop or ("" if choice else "the time is spent")
    following = None
    if choice is not None and not stop:
        following = {
            "theta_s_deg": float(np.rad2deg(bench.theta_s[choice.angle])),
            "exposure_s": choice.exposure_s,
            "seconds": choice.seconds,
            "expected_information_nat": choice.information,
            "expected_sigma_nG": bench.sigma_nG(choice.exposure_s),
        }
    mean, sd = beliefs.mass(atlas)
    chances = bench.probabilities(beliefs)
    return {
        "schema": 1,
        "name": study.name,
        "data": so_far.source,
        "measurements": places.size,
        "elapsed_s": spent,
        "left_s": max(settings.total_s - spent, 0.0),
        "goal": settings.goal,
        "normalised": study.experiment.detector.reference_snr > 0.0,
        "m1_meV": {"mean": mean, "sd": sd},
        "hypotheses": [
            {"ordering": o, "nature": n, "probability": float(p)}
            for (o, n), p in zip(bench.hypotheses, chances, strict=True)
        ],
        "next_setting": following,
        "stop": stop,
        "diagnostics": _diagnostics(beliefs, places.size),
    }


def _diagnostics(beliefs: Beliefs, count: int) -> dict[str, Any]:
    """Whether the data fit any state: their misfit under the most fitting one."""
    smallest = float(np.min(beliefs.misfit))
    p = float(chi2.sf(smallest, count))
    reasons = [f"no state fits the data: chi2 {smallest:.4g} for {count} measurements"]
    verdict = "fail" if p < LEAST_P else "pass"
    found = {"verdict": verdict, "reasons": reasons if verdict == "fail" else []}
    return found | {"smallest_chi2": smallest, "p_value": p}


def advice_lines(found: dict[str, Any]) -> list[str]:
    """The same for the terminal."""
    m1, label = found["m1_meV"], ", normalised" if found["normalised"] else ""
    lines = [
        f"{found['name']}: {found['measurements']} measurements, {found['elapsed_s']:.6g} s with "
        f"moves, {found['left_s']:.6g} s left{label}",
        f"m1 = {m1['mean']:.4g} ± {m1['sd']:.2g} meV",
        ", ".join(
            f"{h['ordering']} {h['nature']} {h['probability']:.3g}" for h in found["hypotheses"]
        ),
    ]
    step = found["next_setting"]
    if step is None:
        return [*lines, f"stop: {found['stop']}"]
    return [
        *lines,
        f"next: theta_s = {step['theta_s_deg']:.6g} deg for {step['exposure_s']:.6g} s "
        f"({step['expected_information_nat']:.3g} nat expected in {step['seconds']:.6g} s)",
    ]
