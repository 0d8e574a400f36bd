"""One self-contained HTML file for one or several runs.

The page needs no network and no script: figures are inline SVG, styles are
inline, and all text from outside is escaped.
"""

from __future__ import annotations

import json
import os
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from renp_infer.errors import DomainError, StoreError
from renp_infer.records import PRESETS, switch_names
from renp_infer.runner.check_report import check_plates, check_rows
from renp_infer.runner.comparison_page import comparison_section
from renp_infer.runner.design_page import design_section
from renp_infer.runner.figures import (
    draws,
    free_parameters,
    normalised_label,
    overview_plate,
    run_plates,
    source,
)
from renp_infer.runner.forecast_figures import forecast_plates
from renp_infer.runner.labels import LABELS
from renp_infer.runner.plots import number, rounded, visible_thresholds
from renp_infer.runner.provenance import PROVENANCE
from renp_infer.runner.store import read_manifest

if TYPE_CHECKING:
    from renp_infer.runner.results import Run

SWITCH_MEANING = {
    "phase_space": "pair momenta in the plane, Eq. (17), or in space, Eq. (12)",
    "form_factor": "crystal form factor: Eq. (18), or plane waves, Eq. (15)",
    "majorana_kappa": "coefficient of the Majorana term − κ mᵢ mⱼ",
    "weights": "pair weights: Eq. (3), or the printed rows of Table IV",
    "h_r": "through the printed C of Eq. (24), or Eq. (8) with p→g rates (1383)",
    "gamma_power": "power of γ_ep in rate and magnetization",
    "moment": "moment per event: nμ, or one ion's μ/V",
    "rate_prefactor": "the number in Eq. (57), or Eq. (16)",
    "matrix_elements": "S_ep² and v/S as printed, or from Table I",
    "bloch": "optical Bloch equations as printed, or Lindblad",
    "current_axis": "electron current along the c axis, or across it",
}
PARAMETER_NAMES = {k: f"{text} [{unit}]" if unit else text for k, (text, unit) in LABELS.items()}
DIAGNOSTIC_NAMES = {
    "divergences": "divergent transitions",
    "r_hat_max": "largest R-hat",
    "ess_bulk_min": "smallest bulk ESS",
    "ess_tail_min": "smallest tail ESS",
    "bfmi_min": "smallest E-BFMI",
    "sampler": "sampler",
    "step_methods": "step methods",
}
UNMEASURED = 0.8
"""A posterior sd above this share of the prior's is called no measurement."""


def write_report(runs: Sequence[Run], path: Path) -> Path:
    """Write the report of the runs, whole or not at all.

    Parameters
    ----------
    runs : sequence of Run
        At least one; a run without inference gets its evaluation only.
    path : Path
        The HTML file.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    DomainError
        If there is no run.
    StoreError
        If the file cannot be written.
    """
    if not runs:
        raise DomainError("runs", runs, "at least one run")
    path = Path(path)
    page = render(runs, path.parent)
    try:
        _replace(path, page)
    except OSError as error:
        raise StoreError(f"{path}: cannot write the report: {error.strerror}") from error
    return path


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def render(runs: Sequence[Run], start: Path) -> str:
    """The page as text; commands are written as seen from the folder ``start``."""
    inferred = [run for run in runs if run.summary is not None]
    return fill_template(
        "report.html.j2",
        title=runs[0].name if len(runs) == 1 else f"{len(runs)} runs",
        sections=[section(run, k, start) for k, run in enumerate(runs, start=1)],
        overview=overview_plate(runs) if len(runs) > 1 and inferred else None,
    )


def fill_template(name: str, **values: Any) -> str:
    """Text of a template in ``templates``; what it shows from outside is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number}
    return environment.get_template(name).render(**values)


def section(run: Run, index: int, start: Path) -> dict[str, Any]:
    """Everything the template shows of one run."""
    return {
        "anchor": f"run-{index}",
        "index": index,
        "name": run.name,
        "preset": preset_of(run),
        "layout": layout_of(run),
        "label": normalised_label(run),
        "data": source(run),
        "verdict": verdict(run),
        "reasons": run.summary["diagnostics"]["reasons"] if run.summary else [],
        "question": question(run),
        "answer": answer(run),
        "shortfall": shortfall(run),
        "peak_snr": number(run.evaluation["peak_snr"], 3),
        "mass": mass_cells(run),
        "mass_truth": "–" if source(run) else number(run.evaluation["truth"]["m1_meV"]),
        "plates": [*run_plates(run), *check_plates(run), *forecast_plates(run.forecast)],
        "checks": check_rows(run),
        "check_verdict": run.checks["verdict"] if run.checks else "none",
        "check_reasons": run.checks["reasons"] if run.checks else [],
        "comparison": comparison_section(run),
        "switches": switch_rows(run),
        "switch_sentence": switch_sentence(run),
        "truth": truth_rows(run),
        "parameters": parameter_rows(run),
        "diagnostics": diagnostic_rows(run),
        "provenance": provenance_rows(run),
        "calibration": calibration_of(run),
        "design": design_section(run),
        "study": study_text(run.study),
        "command": command(run, start),
    }


def preset_of(run: Run) -> str:
    """Name of the preset, with a plus sign where single switches depart from it."""
    name = str(run.study.get("physics", {}).get("preset", "published"))
    return f"{name} + own switches" if name in PRESETS and differing(run, name) else name


def differing(run: Run, preset: str) -> list[str]:
    """Switches whose value is not the preset's."""
    model, reference = run.evaluation["model"], asdict(PRESETS[preset])
    return [name for name in switch_names() if model[name] != reference[name]]


def layout_of(run: Run) -> str:
    """Angles and thresholds in a few words."""
    theta = run.evaluation["theta_s_deg"]
    seen = visible_thresholds(run.evaluation["thresholds_deg"], theta)
    text = f"{len(theta)} angles, {number(theta[0])}° to {number(theta[-1])}°"
    if seen:
        return f"{text}; {len(seen)} pair threshold{'s' * (len(seen) > 1)} inside"
    return f"{text}; no pair threshold inside"


def verdict(run: Run) -> str:
    """pass, warn or fail of the sampler's diagnostics; "none" without inference."""
    return str(run.summary["diagnostics"]["verdict"]) if run.summary else "none"


def question(run: Run) -> str:
    """What the run asks."""
    exposure = run.study.get("detector", {}).get("exposure_s")
    time = f" in {number(exposure)} s of exposure" if exposure else ""
    return (
        f"What does the magnetization at {layout_of(run).split(';')[0]}, measured{time}, say about "
        f"the lightest neutrino mass, with {preset_of(run)} physics?"
    )


def answer(run: Run) -> str:
    """The answer in one sentence with its number."""
    if run.summary is None:
        document = run.evaluation
        peak = max(document["signal_nG"], key=abs)
        return (
            f"Evaluated only, no inference: the field peaks at {number(peak, 3)} nG, "
            f"a peak S/N of {number(document['peak_snr'], 3)} per angle{_in_brackets(run)}."
        )
    row = run.summary["parameters"]["m1_meV"]
    text = _mass_sentence(row, draws(run, "posterior", "m1_meV"), _prior_sd(run, "m1_meV"))
    text += _in_brackets(run) + "."
    if verdict(run) == "fail":
        return f"No number may be quoted, the sampler's diagnostics failed; it gave: {text}"
    return text


def _in_brackets(run: Run) -> str:
    label = normalised_label(run)
    return f" ({label})" if label else ""


def _mass_sentence(row: Mapping[str, Any], values: np.ndarray, prior_sd: float) -> str:
    mean, sd, truth = row["mean"], row["sd"], row["truth"]
    low, high = (rounded(x, sd) for x in row["interval_95"])
    number_ = f"m₁ = {rounded(mean, sd)} ± {rounded(sd, sd)} meV, 95 % interval {low} to {high} meV"
    if sd > UNMEASURED * prior_sd:
        return (
            f"The mass is not measured: {number_}, against a prior with "
            f"sd {rounded(prior_sd, prior_sd)} meV"
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
    snr = run.evaluation["peak_snr"]
    if run.evaluation["normalised"] or snr >= 1:
        return ""
    if snr <= 0:
        return "There is no signal at these angles."
    return (
        f"The absolute signal falls {-np.log10(snr):.1f} orders of magnitude short of "
        f"S/N = 1 per angle (peak S/N {number(snr, 2)})."
    )


def mass_cells(run: Run) -> dict[str, str] | None:
    """m1 for the summary table."""
    if run.summary is None:
        return None
    row = run.summary["parameters"]["m1_meV"]
    low, high = (rounded(x, row["sd"]) for x in row["interval_95"])
    estimate = f"{rounded(row['mean'], row['sd'])} ± {rounded(row['sd'], row['sd'])}"
    cells = {"estimate": estimate, "interval": f"{low} to {high}"}
    return {k: v.replace(" ", "\N{NO-BREAK SPACE}") for k, v in cells.items()}


def switch_rows(run: Run) -> list[dict[str, Any]]:
    """Resolved switches beside both presets."""
    model = run.evaluation["model"]
    presets = {name: asdict(switches) for name, switches in PRESETS.items()}
    return [
        {
            "name": name,
            "meaning": SWITCH_MEANING[name],
            "value": model[name],
            "presets": [(presets[p][name], presets[p][name] == model[name]) for p in PRESETS],
        }
        for name in switch_names()
    ]


def switch_sentence(run: Run) -> str:
    """Which corrections the run contains, in words."""
    parts = []
    for preset in PRESETS:
        names = differing(run, preset)
        parts.append(
            f"{len(names)} of {len(switch_names())} switches differ from {preset}"
            if names
            else f"all {len(switch_names())} switches are as in {preset}"
        )
    return "; ".join(parts).capitalize() + "."


def truth_rows(run: Run) -> list[tuple[str, str]]:
    """The neutrino the data were made with."""
    truth = run.evaluation["truth"]
    rows = [(PARAMETER_NAMES.get(k, k), _text(v)) for k, v in truth.items()]
    masses = [1e3 * m for m in run.evaluation["masses_eV"]]
    rows.append(("m₁, m₂, m₃ [meV]", ", ".join(number(m) for m in masses)))
    return [*rows, ("sum of masses [meV]", number(sum(masses)))]


def _prior_sd(run: Run, name: str) -> float:
    return float(draws(run, "prior", name).std())


def parameter_rows(run: Run) -> list[dict[str, Any]]:
    """Posterior of each free parameter, as text."""
    if run.summary is None:
        return []
    rows = []
    for name in free_parameters(run):
        p = run.summary["parameters"][name]
        prior_sd, (low, high) = _prior_sd(run, name), p["interval_95"]
        truth = p["truth"]
        cells = {k: rounded(p[k], p["sd"]) for k in ("mean", "sd")}
        cells["truth"] = "–" if truth is None else rounded(truth, p["sd"])
        for mass in ("68", "95"):
            ranges = p.get(f"regions_{mass}") or [p[f"interval_{mass}"]]
            texts = [" to ".join(rounded(x, p["sd"]) for x in pair) for pair in ranges]
            cells[f"interval_{mass}"] = "; ".join(texts)
        for key, digits in (("ess_bulk", 0), ("ess_tail", 0), ("r_hat", 3)):
            cells[key] = "–" if p[key] is None else f"{p[key]:.{digits}f}"
        cells["prior_sd"] = number(prior_sd, 2)
        outside = truth is not None and not low <= truth <= high
        rows.append({"name": PARAMETER_NAMES.get(name, name), "outside": outside, **cells})
    return rows


def diagnostic_rows(run: Run) -> list[tuple[str, str]]:
    """What the sampler's verdict rests on."""
    if run.summary is None:
        return []
    shown = {k: v for k, v in run.summary["diagnostics"].items() if k not in ("verdict", "reasons")}
    return [(DIAGNOSTIC_NAMES.get(k, k.replace("_", " ")), _text(v)) for k, v in shown.items()]


def provenance_rows(run: Run) -> list[tuple[str, str]]:
    """Where the numbers come from: seed, versions, key, time."""
    rows: dict[str, Any] = {"study": run.name, "seed": run.study.get("seed")}
    found = dict(run.evaluation.get(PROVENANCE, {}))
    if run.inference is not None and PROVENANCE in run.inference.children:
        found |= {str(k): v for k, v in run.inference[PROVENANCE].attrs.items()}
    rows |= {k: v for k, v in found.items() if k not in ("study", "seconds")}
    manifest = read_manifest(run.directory)
    rows |= {f"{name}: {k}": v for name, e in manifest["tasks"].items() for k, v in e.items()}
    rows["numerical accuracy"] = run.evaluation["accuracy"]
    rows["Bloch equations"] = run.evaluation.get("coherence")
    return [(k.replace("_", " "), _text(v)) for k, v in rows.items() if v is not None]


def _text(value: Any) -> str:
    """A value for a table cell; JSON texts and mappings as "key value" lists."""
    if isinstance(value, str) and value[:1] in "{[":
        try:
            value = json.loads(value)
        except ValueError:
            return value
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_text(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(v) for v in value)
    exact = isinstance(value, bool | str | int | np.integer) or value is None
    return str(value) if exact else number(float(value))


def calibration_of(run: Run) -> dict[str, Any] | None:
    """Verdict and figures of a calibration."""
    if run.calibration is None:
        return None
    from renp_infer.runner.calibration_figures import calibration_plates

    found = json.loads(run.calibration.attrs["renp_calibration"])
    shown = {key: found[key] for key in ("verdict", "reasons", "false_alarm")}
    return shown | {"plates": calibration_plates(run.calibration)}


def study_text(study: Mapping[str, Any]) -> str:
    """The resolved study as readable lines."""
    lines = [f"{k} = {json.dumps(v)}" for k, v in study.items() if not isinstance(v, Mapping)]
    for name, values in study.items():
        if isinstance(values, Mapping):
            lines += ["", f"[{name}]", *(f"{k} = {json.dumps(v)}" for k, v in values.items())]
    return "\n".join(lines)


def command(run: Run, start: Path) -> str:
    """The command that makes the run again, from the folder of the report."""
    study = os.path.relpath(run.directory / "study.resolved.toml", start)
    return f"renp run {shlex.quote(study)} --out {shlex.quote(f'{run.directory.name}-again')}"
