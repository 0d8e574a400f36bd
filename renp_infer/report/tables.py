"""The tables of the report: each cell is text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.engine.provenance import PROVENANCE
from renp_infer.engine.store import read_manifest
from renp_infer.figures.drawing import number, rounded
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.physics.constants import EV_TO_MILLI_EV
from renp_infer.records import PRESETS, switch_names
from renp_infer.report.answers import differing, prior_sd
from renp_infer.verbs.infer.figures import free_parameters

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

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
DIAGNOSTIC_NAMES = {
    "divergences": "divergent transitions",
    "r_hat_max": "largest R-hat",
    "ess_bulk_min": "smallest bulk ESS",
    "ess_tail_min": "smallest tail ESS",
    "bfmi_min": "smallest E-BFMI",
    "sampler": "sampler",
    "step_methods": "step methods",
}


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
    rows = [(PARAMETERS.text(k), _text(v)) for k, v in truth.items()]
    masses = [EV_TO_MILLI_EV * m for m in run.evaluation["masses_eV"]]
    rows.append(("m₁, m₂, m₃ [meV]", ", ".join(number(m) for m in masses)))
    return [*rows, ("sum of masses [meV]", number(sum(masses)))]


def parameter_rows(run: Run) -> list[dict[str, Any]]:
    """Posterior of each free parameter, as text."""
    if run.summary is None:
        return []
    rows = []
    for name in free_parameters(run):
        p = run.summary["parameters"][name]
        spread, truth = prior_sd(run, name), p["truth"]
        cells = {k: rounded(p[k], p["sd"]) for k in ("mean", "sd")}
        cells["truth"] = "–" if truth is None else rounded(truth, p["sd"])
        for mass in ("68", "95"):
            ranges = p.get(f"regions_{mass}") or [p[f"interval_{mass}"]]
            texts = [" to ".join(rounded(x, p["sd"]) for x in pair) for pair in ranges]
            cells[f"interval_{mass}"] = "; ".join(texts)
        for key, digits in (("ess_bulk", 0), ("ess_tail", 0), ("r_hat", 3)):
            cells[key] = "–" if p[key] is None else f"{p[key]:.{digits}f}"
        cells["prior_sd"] = number(spread, 2)
        outside = truth is not None and not any(_inside(truth, *pair) for pair in ranges)
        rows.append({"name": PARAMETERS.text(name), "outside": outside, **cells})
    return rows


def _inside(value: float, low: float, high: float) -> bool:
    """Whether an interval has a value; one that ends before it begins leads through 0."""
    return low <= value <= high if low <= high else value >= low or value <= high


def diagnostic_rows(run: Run) -> list[tuple[str, str]]:
    """What the sampler's verdict rests on."""
    if run.summary is None:
        return []
    found = run.summary["diagnostics"]
    # a number that the sampler does not have is not one that is 0
    shown = {k: v for k, v in found.items() if k not in ("verdict", "reasons") and v is not None}
    return [(DIAGNOSTIC_NAMES.get(k, k.replace("_", " ")), _text(v)) for k, v in shown.items()]


def provenance_rows(run: Run) -> list[tuple[str, str]]:
    """Where the numbers come from: seed, versions, machine, data."""
    rows: dict[str, Any] = {"study": run.name, "seed": run.study.get("seed")}
    found = dict(run.evaluation.get(PROVENANCE, {}))
    if run.inference is not None and PROVENANCE in run.inference.children:
        found |= {str(k): v for k, v in run.inference[PROVENANCE].attrs.items()}
    rows |= {k: v for k, v in found.items() if k not in ("study", "seconds")}
    rows["numerical accuracy"] = run.evaluation["accuracy"]
    rows["Bloch equations"] = run.evaluation.get("coherence")
    return [(k.replace("_", " "), _text(v)) for k, v in rows.items() if v is not None]


TASK_COLUMNS = ("finished", "seconds", "tasks", "failed", "executor", "key")


def task_rows(run: Run) -> list[list[str]]:
    """Every finished verb of the manifest: its name, then ``TASK_COLUMNS``."""
    entries = read_manifest(run.directory)["tasks"]
    return [
        [name, *(_text(entry.get(column, "–")) for column in TASK_COLUMNS)]
        for name, entry in entries.items()
    ]


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


def differences(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """Keys whose values differ between the studies of several runs, with these values.

    A section that a study lacks is one row, not all of its keys.
    """
    studies = [run.study for run in runs]
    sections = {name for study in studies for name, v in study.items() if isinstance(v, Mapping)}
    missing = {name for name in sections if not all(name in study for study in studies)}
    shared = [{k: v for k, v in study.items() if k not in missing} for study in studies]
    flat = [dict(_flat(study)) for study in shared]
    keys = dict.fromkeys(key for study in flat for key in study)
    rows = [(key, [_text(study.get(key, "–")) for study in flat]) for key in keys]
    rows += [(f"[{n}]", ["yes" if n in s else "–" for s in studies]) for n in sorted(missing)]
    return [(key, values) for key, values in rows if len(set(values)) > 1]


def _flat(tables: Mapping[str, Any], head: str = "") -> Iterator[tuple[str, Any]]:
    """Values of nested tables by dotted key."""
    for key, value in tables.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{head}{key}.")
        else:
            yield f"{head}{key}", value
