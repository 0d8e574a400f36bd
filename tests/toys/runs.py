"""Synthetic runs with a realistic posterior, for plots and reports."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from renp_infer.app.run import Run
from renp_infer.engine.result import Result
from renp_infer.records import PAIR_INDEX, PAIRS, PRESETS
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.infer.result import InferResult

CENTRE, EDGE, EPSILON = 58.79, 85.85, 1.5896
PRESET_SCALE = {"published": 3e-3, "corrected": 2e-22}
RANGES = {"seed": (47.99, 69.59), "edge": (143.2, 145.6)}
NUISANCE = {
    "amplitude": (1.0, 0.2),
    "refractive_index": (1.45, 5e-4),
    "theta_s_offset_deg": (0.0, 0.01),
    "theta_e_offset_deg": (0.0, 0.01),
    "sin2_12": (0.308, 0.012),
    "dm2_21": (7.49e-5, 1.9e-6),
}


def masses_eV(m1_meV: float) -> np.ndarray:
    m1 = 1e-3 * m1_meV
    return np.sqrt(m1**2 + np.array([0.0, 7.49e-5, 2.513e-3]))


def thresholds_deg(m1_meV: float) -> dict[str, list[float]]:
    m = masses_eV(m1_meV)
    offsets = [EDGE * (1 - 0.3 * ((m[i] + m[j]) / EPSILON) ** 2) for i, j in PAIR_INDEX]
    return {p: [CENTRE - o, CENTRE + o] for p, o in zip(PAIRS, offsets, strict=True)}


def curve(theta: np.ndarray, thresholds: dict[str, list[float]]) -> np.ndarray:
    total = np.zeros_like(theta)
    for pair, weight in zip(PAIRS, (0.12, 0.41, -0.06, 0.12, 0.15, 0.08), strict=True):
        half = 0.5 * (thresholds[pair][1] - thresholds[pair][0])
        total += weight * np.sqrt(np.clip(1 - ((theta - CENTRE) / half) ** 2, 0, None))
    return total


def make_evaluation(layout: str, preset: str, m1: float, peak_snr: float, normalised: bool) -> dict:
    theta = np.linspace(*RANGES[layout], 61)
    thresholds = thresholds_deg(m1)
    shape = curve(theta, thresholds)
    fine = theta[:, None] + np.linspace(-0.72, 0.72, 16) * (0.2 if layout == "edge" else 1)
    signal = PRESET_SCALE[preset] * curve(fine.ravel(), thresholds).reshape(fine.shape).mean(1)
    return {
        "schema": 1,
        "name": f"{layout}-layout",
        "model": dataclasses.asdict(PRESETS[preset]),
        "theta_s_deg": theta.tolist(),
        "w_eV": np.zeros((2, 61)).tolist(),
        "masses_eV": masses_eV(m1).tolist(),
        "pairs": list(PAIRS),
        "pair_A_eV5": np.zeros((6, 61)).tolist(),
        "pair_B_eV3": np.zeros((6, 61)).tolist(),
        "sum_F_eV5": (4.9e-9 * shape).tolist(),
        "sum_G_eV5": (4.9e-9 * shape).tolist(),
        "chi_squared": 9.3e-3,
        "coherence": None,
        "rate_per_s": shape.tolist(),
        "magnetization_nG_per_s": shape.tolist(),
        "coupling": 0.01,
        "backgrounds": make_backgrounds(shape),
        "signal_nG": signal.tolist(),
        "sigma_nG": np.full(61, np.abs(signal).max() / peak_snr).tolist(),
        "accuracy": {"relative_tolerance": 1e-4, "estimated_error": 3.1e-5},
        "thresholds_deg": thresholds,
        "normalised": normalised,
        "peak_snr": peak_snr,
        "truth": {
            "m1_meV": m1,
            "ordering": "normal",
            "nature": "dirac",
            "delta_deg": 212.0,
            "alpha21_deg": 0.0,
            "alpha31_deg": 0.0,
        },
    }


def make_backgrounds(shape: np.ndarray) -> dict[str, Any]:
    column = shape.tolist()
    names = ("pair", "two_photon", "three_photon", "four_photon")
    return {
        **{f"{name}_per_ion_per_s": column for name in names},
        "e1_per_s": 518.0,
        "zeeman_splitting_eV": 3.4e-6,
        "wrong_partner_share": 3e-17,
        "depletion_per_cycle": {name: column for name in (*names, "e1", "other")},
        "events_per_lifetime": column,
    }


def make_study(name: str, layout: str, preset: str, m1: float, reference_snr: float) -> dict:
    low, high = RANGES[layout]
    return {
        "schema": 1,
        "name": name,
        "seed": 20211207,
        "neutrino": {
            "m1_meV": m1,
            "ordering": "normal",
            "nature": "dirac",
            "delta_deg": 212.0,
            "oscillation": "nufit-6.0",
        },
        "physics": {"preset": preset, **dataclasses.asdict(PRESETS[preset])},
        "target": {"scheme": "er-ylf", "density_per_cm3": 1.4e19, "refractive_index": 1.45},
        "layout": {
            "length_cm": 2.0,
            "radius_cm": 1.0,
            "theta_e_deg": 141.607,
            "theta_s_deg": {"start": low, "stop": high, "points": 61},
            "c_axis_deg": 0.0,
        },
        "lasers": {"eq_mW_cm2": 9.0, "qg_mW_cm2": 3.0, "trigger_mW_cm2": 1e-3},
        "detector": {"exposure_s": 3600.0, "reference_snr": reference_snr},
        "inference": {"m1_prior": "uniform", "m1_max_meV": 450.0, "phases": "free"},
    }


def _posterior(rng: Any, layout: str, m1: float, shape: tuple[int, int]) -> dict[str, np.ndarray]:
    latent = rng.standard_normal(shape)
    if layout == "edge":
        mass = np.abs(m1 + 0.6 * latent)
    else:
        mass = 450 * rng.beta(1.0, 1.6, shape)
        latent = (mass - mass.mean()) / mass.std()
    out = {"m1_meV": mass}
    for name, (mean, sd) in NUISANCE.items():
        mix = 0.8 * latent if name in ("refractive_index", "amplitude") else 0.0
        rest = 0.6 if name in ("refractive_index", "amplitude") else 1.0
        width = 0.02 if name == "amplitude" else 0.9 * sd
        out[name] = mean + width * (mix + rest * rng.standard_normal(shape))
    out["delta_deg"] = np.mod(rng.normal(350.0, 60.0, shape), 360.0)
    return out


def _summarise(values: np.ndarray, truth: float) -> dict[str, Any]:
    def q(*p: float) -> list[float]:
        return [float(x) for x in np.quantile(values, p)]

    return {
        "mean": float(values.mean()),
        "sd": float(values.std()),
        "median": q(0.5)[0],
        "interval_68": q(0.16, 0.84),
        "interval_95": q(0.025, 0.975),
        "ess_bulk": 1650.0,
        "ess_tail": 1490.0,
        "r_hat": 1.002,
        "truth": truth,
    }


def make_inference(
    rng: Any, evaluation: dict, layout: str, shape: tuple[int, int]
) -> tuple[xr.DataTree, dict]:
    theta = np.array(evaluation["theta_s_deg"])
    signal, sigma = (np.array(evaluation[k]) for k in ("signal_nG", "sigma_nG"))
    m1 = evaluation["truth"]["m1_meV"]
    peak = np.abs(signal).max()
    posterior = _posterior(rng, layout, m1, shape)
    posterior["baseline_nG"] = 0.01 * peak * rng.standard_normal(shape)
    prior = {"m1_meV": rng.uniform(0, 450, (1, 1000))}
    prior |= {k: rng.normal(a, s, (1, 1000)) for k, (a, s) in NUISANCE.items()}
    prior["delta_deg"] = rng.uniform(0, 360, (1, 1000))
    prior["baseline_nG"] = 0.1 * peak * rng.standard_normal((1, 1000))
    truth = {"m1_meV": m1, "delta_deg": 212.0, "baseline_nG": 0.0}
    truth |= {k: a for k, (a, _) in NUISANCE.items()}
    data = signal + sigma * rng.standard_normal(61)
    wobble = 0.3 * sigma * rng.standard_normal((*shape, 1))
    predictive = signal + wobble + sigma * rng.standard_normal((*shape, 61))

    def dataset(values: dict[str, np.ndarray]) -> xr.Dataset:
        return xr.Dataset({k: (("chain", "draw"), v) for k, v in values.items()})

    angle = {"theta_s_deg": theta}
    tree = xr.DataTree.from_dict(
        {
            "posterior": dataset(posterior),
            "prior": dataset(prior),
            "posterior_predictive": xr.Dataset(
                {"field_nG": (("chain", "draw", "theta_s_deg"), predictive)}, angle
            ),
            "observed_data": xr.Dataset({"field_nG": ("theta_s_deg", data)}, angle),
            "constant_data": xr.Dataset(
                {
                    "sigma_nG": ("theta_s_deg", sigma),
                    "signal_true_nG": ("theta_s_deg", signal),
                    **{f"truth_{k}": float(v) for k, v in truth.items()},
                },
                angle,
            ),
            "renp_provenance": xr.Dataset(
                attrs={
                    "renp_infer": "0.1.0",
                    "versions": json.dumps({"numpy": "2.5.5", "pymc": "6.4.0"}),
                    "seed": 20211207,
                    "key": "5f1c0a9be3d2",
                    "wall_time_s": 41.2,
                }
            ),
        }
    )
    return tree, {k: _summarise(v, truth[k]) for k, v in posterior.items()}


def make_run(
    directory: Path = Path("run"),
    *,
    name: str = "edge-layout",
    layout: str = "edge",
    preset: str = "published",
    m1: float = 50.0,
    peak_snr: float = 1000.0,
    normalised: bool = False,
    verdict: str = "pass",
    infer: bool = True,
    shape: tuple[int, int] = (4, 500),
    seed: int = 1,
) -> Any:
    rng = np.random.default_rng(seed)
    evaluation = make_evaluation(layout, preset, m1, peak_snr, normalised)
    study = make_study(name, layout, preset, m1, 1000.0 if normalised else 0.0)
    results: dict[str, Result] = {"evaluate": EvaluateResult.of(evaluation)}
    if infer:
        tree, parameters = make_inference(rng, evaluation, layout, shape)
        reasons = {
            "pass": [],
            "warn": ["ess_tail of delta_deg is 380, below 400"],
            "fail": ["r_hat of m1_meV is 1.09, above 1.01", "12 divergences"],
        }[verdict]
        summary = {
            "hypothesis": {"ordering": "normal", "nature": "dirac"},
            "parameters": parameters,
            "diagnostics": {
                "verdict": verdict,
                "reasons": reasons,
                "divergences": 12 if verdict == "fail" else 0,
                "r_hat_max": 1.09 if verdict == "fail" else 1.003,
                "ess_bulk_min": 1650.0,
                "ess_tail_min": 1490.0,
                "bfmi_min": 0.91,
                "sampler": "nuts",
                "step_methods": json.dumps({"m1_meV": "NUTS"}),
            },
            "peak_snr": peak_snr,
            "normalised": normalised,
        }
        tree.attrs["renp_summary"] = json.dumps(summary)
        results["infer"] = InferResult.of(tree)
    return Run(directory, name, study, results)


def with_result(run: Any, name: str, result: Result) -> Any:
    """The run with a result more, or another one."""
    return dataclasses.replace(run, results={**run.results, name: result})


def with_evaluation(run: Any, **changes: Any) -> Any:
    """The run with other fields of its evaluation."""
    return with_result(run, "evaluate", dataclasses.replace(run.get(EvaluateResult), **changes))


def with_estimates(run: Any, changes: Mapping[str, Mapping[str, Any]]) -> Any:
    """The run with other fields of its estimates, by name of the parameter."""
    found = run.get(InferResult)
    rows = {k: dataclasses.replace(found.estimates[k], **row) for k, row in changes.items()}
    estimates = {**found.estimates, **rows}
    return with_result(run, "infer", dataclasses.replace(found, estimates=estimates))
