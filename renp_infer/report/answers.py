"""What a run asked and what it found, in sentences with their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.figures.drawing import number, rounded, visible_thresholds
from renp_infer.records import PRESETS, switch_names
from renp_infer.verbs.compare.page import sentence
from renp_infer.verbs.compare.result import CompareResult
from renp_infer.verbs.evaluate.figures import normalised_label
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.forecast.result import ForecastResult
from renp_infer.verbs.forecast.summary import forecast_document
from renp_infer.verbs.infer.figures import draws
from renp_infer.verbs.infer.result import InferResult
from renp_infer.verbs.optimize.page import gain_sentences
from renp_infer.verbs.optimize.result import OptimizeResult

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.result import WORDS
from renp_infer.engine.run import Run

UNMEASURED = 0.8
"""A posterior sd above this share of the prior's is called no measurement."""


METHODS = {"asimov": "profile likelihood", "fisher": "Fisher information"}


def preset_of(run: Run) -> str:
    """Name of the preset, with a plus sign where single switches depart from it."""
    name = str(run.study.get("physics", {}).get("preset", "published"))
    return f"{name} + own switches" if name in PRESETS and differing(run, name) else name


def differing(run: Run, preset: str) -> list[str]:
    """Switches whose value is not the preset's."""
    model, reference = run.get(EvaluateResult).document["model"], asdict(PRESETS[preset])
    return [name for name in switch_names() if model[name] != reference[name]]


def layout_of(run: Run) -> str:
    """Angles and thresholds in a few words."""
    theta = run.get(EvaluateResult).document["theta_s_deg"]
    seen = visible_thresholds(run.get(EvaluateResult).document["thresholds_deg"], theta)
    text = f"{len(theta)} angles, {number(theta[0])}° to {number(theta[-1])}°"
    if seen:
        return f"{text}; {len(seen)} pair threshold{'s' * (len(seen) > 1)} inside"
    return f"{text}; no pair threshold inside"


def verdict(run: Run) -> str:
    """pass, warn or fail of the sampler's diagnostics; "none" without inference."""
    found = run.find(InferResult)
    return "none" if found is None else str(found.summary["diagnostics"]["verdict"])


def overall(run: Run) -> str:
    """The worst of a run's verdicts; "none" if nothing was judged."""
    found = {judged.verdict for judged in run.verdicts.values()}
    return next((name for name in WORDS if name in found), "none")


def question(run: Run) -> str:
    """What the run asks."""
    exposure = run.study.get("detector", {}).get("exposure_s")
    time = f" in {number(exposure)} s of exposure" if exposure else ""
    hypotheses = ", and about ordering and nature" if run.find(CompareResult) else ""
    return (
        f"What does the magnetization at {layout_of(run).split(';')[0]}, measured{time}, say about "
        f"the lightest neutrino mass{hypotheses}, with {preset_of(run)} physics?"
    )


def answer(run: Run) -> str:
    """The answer in one sentence with its number."""
    if run.find(InferResult) is not None:
        return _posterior_sentence(run)
    others = list(others_of(run).values())
    return others[0] if others else _evaluation_sentence(run)


def further_answers(run: Run) -> dict[str, str]:
    """Other sentences by what they are about, besides the first answer."""
    return {name: text for name, text in others_of(run).items() if text != answer(run)}


def others_of(run: Run) -> dict[str, str]:
    """What a run found besides the posterior, by what it is about."""
    found = {}
    if run.find(CompareResult) is not None:
        found["Hypotheses"] = sentence(run.get(CompareResult).comparison)
    forecast = run.find(ForecastResult)
    if forecast is not None and (text := forecast_sentence(forecast.tree)):
        found["Forecast"] = text
    if run.find(OptimizeResult) is not None:
        found["Design"] = " ".join(gain_sentences(run.get(OptimizeResult).document))
    return found


def forecast_sentence(tree: xarray.DataTree) -> str:
    """Expected error of the mass nearest to the study's own; empty without one."""
    found = forecast_document(tree)
    if "sigma_m1_meV" not in found:
        return ""
    masses = np.asarray(found["m1_meV"], float)
    place = int(np.argmin(np.abs(masses - found["truth"]["m1_meV"])))
    sigma = float(np.asarray(found["sigma_m1_meV"], float)[place])
    text = f"Expected error of m₁ = {number(masses[place])} meV: {number(sigma, 2)} meV"
    scaled = ", normalised noise" if found["normalised"] else ""
    return (
        f"{text} after {number(found['exposure_s'])} s "
        f"({found['ordering']} ordering, {found['nature'].capitalize()}, "
        f"{METHODS[found['method']]}{scaled})."
    )


def _evaluation_sentence(run: Run) -> str:
    document = run.get(EvaluateResult).document
    peak = max(document["signal_nG"], key=abs)
    return (
        f"Evaluated only, no inference: the field peaks at {number(peak, 3)} nG, "
        f"a peak S/N of {number(document['peak_snr'], 3)} per angle{_in_brackets(run)}."
    )


def _posterior_sentence(run: Run) -> str:
    row = run.get(InferResult).summary["parameters"]["m1_meV"]
    text = _mass_sentence(row, draws(run, "posterior", "m1_meV"), prior_sd(run, "m1_meV"))
    text += _in_brackets(run) + "."
    if verdict(run) == "fail":
        return f"No number may be quoted, the sampler's diagnostics failed; it gave: {text}"
    return text


def prior_sd(run: Run, name: str) -> float:
    """Standard deviation of a parameter's prior draws."""
    return float(draws(run, "prior", name).std())


def _in_brackets(run: Run) -> str:
    label = normalised_label(run)
    return f" ({label})" if label else ""


def _mass_sentence(row: Mapping[str, Any], values: np.ndarray, spread: float) -> str:
    mean, sd, truth = row["mean"], row["sd"], row["truth"]
    low, high = (rounded(x, sd) for x in row["interval_95"])
    number_ = f"m₁ = {rounded(mean, sd)} ± {rounded(sd, sd)} meV, 95 % interval {low} to {high} meV"
    if sd > UNMEASURED * spread:
        return (
            f"The mass is not measured: {number_}, against a prior with "
            f"sd {rounded(spread, spread)} meV"
        )
    if mean < 2 * sd:
        known = "" if truth is None else f"; truth {number(truth)} meV"
        limit = rounded(float(np.quantile(values, 0.95)), sd)
        return f"m₁ < {limit} meV at 95 % credibility ({number_}{known})"
    if truth is None:
        return number_
    inside = row["interval_95"][0] <= truth <= row["interval_95"][1]
    return f"{number_}; the truth, {number(truth)} meV, lies {'inside' if inside else 'OUTSIDE'}"


def shortfall(run: Run) -> str:
    """How far an absolute signal is from being seen, or ""."""
    snr = run.get(EvaluateResult).document["peak_snr"]
    if run.get(EvaluateResult).document["normalised"] or snr >= 1:
        return ""
    if snr <= 0:
        return "There is no signal at these angles."
    return (
        f"The absolute signal falls {-np.log10(snr):.1f} orders of magnitude short of "
        f"S/N = 1 per angle (peak S/N {number(snr, 2)})."
    )
