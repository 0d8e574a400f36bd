"""How far the absolute signal is from being seen, term by term, with each preset."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from renp_infer.physics.constants import YEAR_S
from renp_infer.physics.targets.matrix_elements import h_r, reference_gamma_per_s
from renp_infer.records import PRESETS, Experiment
from renp_infer.resources import read_toml, share_path
from renp_infer.study.load import load_study
from renp_infer.terminal import WIDTH
from renp_infer.verbs.evaluate.work import evaluate

STUDY = "feasibility"
SIGMAS = 3.0
_PRESET = "physics.preset="
_MARK = "†"


def tables() -> dict[str, list[dict[str, Any]]]:
    """Terms and steps of ``data/ledger/feasibility.toml``."""
    path = share_path("data") / "ledger" / "feasibility.toml"
    found: dict[str, list[dict[str, Any]]] = read_toml(path, path.name)
    return found


def trigger_factor(experiment: Experiment) -> float:
    """2 h_r at the target's whole width; 0 where emission does not depend on it.

    Above 1 a trigger saturates: Eq. (8), which is that of a weak one, gives what no laser does.
    """
    target, switches = experiment.target, experiment.switches
    if switches.trigger == "coherence":
        return 0.0
    narrowing = reference_gamma_per_s(target, switches) / target.gamma_ep_per_s
    return 2.0 * h_r(target, experiment.lasers, switches) * narrowing


def scenario(
    preset: str, name: str, settings: Sequence[str], why: str, base: Sequence[str]
) -> dict[str, Any]:
    """Field, signal-to-noise and exposure of the study with some keys replaced.

    The exposure to 3 sigma is that of one amplitude with the known angular
    shape: all angles count, and the noise falls with the root of the time.

    Raises
    ------
    ConfigError
        If an override is wrong.
    """
    overrides = (_PRESET + preset, *base, *settings)
    study = load_study(STUDY, overrides, inference=False)
    found = evaluate(study.experiment, study.parameters, study.name)
    signal, sigma = found.signal_nG, found.sigma_nG
    snr = float(np.sqrt(np.sum((signal / sigma) ** 2)))
    exposure = study.experiment.detector.exposure_s
    twice = trigger_factor(study.experiment)
    return {
        "preset": preset,
        "name": name,
        "set": [*base, *settings],
        "why": why,
        "peak_signal_nG": float(np.max(np.abs(signal))),
        "sigma_nG": float(np.min(sigma)),
        "rate_per_s": float(np.max(found.rate_per_s)),
        "snr": snr,
        "gap_orders": math.log10(SIGMAS / snr),
        "exposure_3sigma_s": exposure * (SIGMAS / snr) ** 2,
        "trigger_counted_twice": twice > 1.0,
        "counted_twice_orders": 2.0 * math.log10(twice) if twice > 1.0 else 0.0,
    }


def feasibility_document(overrides: Iterable[str] = ()) -> dict[str, Any]:
    """For each preset the reference, each term alone, and all; and the steps between presets.

    Parameters
    ----------
    overrides : iterable of str
        ``section.key=value``, on top of the study for every row; one that sets the preset
        leaves the others out.
    """
    base = tuple(overrides)
    asked = [one.removeprefix(_PRESET).strip("\"'") for one in base if one.startswith(_PRESET)]
    rest = tuple(one for one in base if not one.startswith(_PRESET))
    rows = [row for preset in asked[-1:] or PRESETS for row in preset_rows(preset, rest)]
    steps = [] if asked else step_rows(rest)
    return {"schema": 1, "study": STUDY, "sigmas": SIGMAS, "rows": rows, "steps": steps}


def preset_rows(preset: str, base: Sequence[str]) -> list[dict[str, Any]]:
    """The reference, each term alone, all improvements, and those with the penalties."""
    known = tables()["term"]
    rows = [scenario(preset, "reference of the paper", (), f"{preset}, one hour", base)]
    rows += [scenario(preset, t["name"], _settings(t, preset), t["why"], base) for t in known]
    best = [term for term in known if not term.get("penalty")]
    whys = "radiative width", "what could at best be built"
    names = "all improvements", "all, with the real width"
    for name, why, chosen in zip(names, whys, (best, known), strict=True):
        rows.append(combined(preset, name, chosen, why, base))
    for row in rows:
        row["gain_orders"] = rows[0]["gap_orders"] - row["gap_orders"]
    return rows


def combined(
    preset: str, name: str, terms: Sequence[Mapping[str, Any]], why: str, base: Sequence[str]
) -> dict[str, Any]:
    """Terms together; without the trigger's gain where the trigger saturates."""
    settings = [one for term in terms for one in _settings(term, preset)]
    row = scenario(preset, name, settings, why, base)
    if not row["trigger_counted_twice"]:
        return row
    weaker = [one for term in terms if not term.get("trigger") for one in _settings(term, preset)]
    return scenario(preset, name, weaker, f"{why}; without the trigger's gain", base)


def _settings(term: Mapping[str, Any], preset: str) -> list[str]:
    found: list[str] = term.get(preset, term["set"])
    return found


def step_rows(base: Sequence[str]) -> list[dict[str, Any]]:
    """The reference from one preset to the next, one step added to those before."""
    rows: list[dict[str, Any]] = []
    settings: dict[str, list[str]] = {}
    for step in tables()["step"]:
        preset = step["preset"]
        settings.setdefault(preset, []).extend(step["set"])
        row = scenario(preset, step["name"], settings[preset], "", base)
        row["gain_orders"] = rows[-1]["gap_orders"] - row["gap_orders"] if rows else 0.0
        rows.append(row)
    return rows


def feasibility_tables(found: Mapping[str, Any]) -> list[Table | str]:
    """The document as tables of 80 columns, and what they say."""
    rows = found["rows"]
    presets = list(dict.fromkeys(row["preset"] for row in rows))
    steps = [_steps(found["steps"])] if found["steps"] else []
    return [_terms(rows, presets), _sentences(rows, presets), *steps]


def _terms(rows: Sequence[Mapping[str, Any]], presets: Sequence[str]) -> Table:
    """Gains and gaps, a line for each scenario and a column for each preset."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), width=WIDTH)
    table.add_column("orders of magnitude", overflow="fold")
    for preset in presets:
        table.add_column(f"{preset}\ngain  to 3σ ", justify="right", no_wrap=True)
    for name in dict.fromkeys(row["name"] for row in rows):
        cells = []
        for row in (row for row in rows if row["name"] == name):
            mark = _MARK if row["trigger_counted_twice"] else " "
            cells.append(f"{row['gain_orders']:+.1f} {row['gap_orders']:6.1f}{mark}")
        table.add_row(name, *cells)
    return table


def _sentences(rows: Sequence[Mapping[str, Any]], presets: Sequence[str]) -> str:
    """What is missing with each preset, how long it would take, and what the mark means."""
    said = []
    for preset in presets:
        own = [row for row in rows if row["preset"] == preset]
        first, last = own[0], own[-1]
        years = last["exposure_3sigma_s"] / YEAR_S
        said.append(
            f"{preset}: in one hour the reference is {_short_of(first['gap_orders'])} 3 sigma, "
            f"with {first['rate_per_s'] * YEAR_S:.2g} pairs a year; the best that could be built "
            f"is {_short_of(last['gap_orders'])} it, 3 sigma after {years:.1g} years."
        )
    marked = max(rows, key=lambda row: row["counted_twice_orders"])
    if marked["trigger_counted_twice"]:
        said.append(
            f"{_MARK} 2 h_r is above 1: a trigger saturates there, and these equations count it "
            f"twice, up to {marked['counted_twice_orders']:.1f} orders too many. Its gain is in "
            "no sum of that width."
        )
    return "\n".join([*said, "Each term stands alone, set on the reference."])


def _short_of(orders: float) -> str:
    return f"{orders:.1f} orders short of" if orders >= 0.0 else f"{-orders:.1f} orders beyond"


def _steps(steps: Sequence[Mapping[str, Any]]) -> Table:
    """From print to the weak Hamiltonian, one step added to those before."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title="from preset to preset")
    for name in ("from", "step, with those before", "peak field [nG]", "gain", "to 3σ"):
        table.add_column(name, justify="left" if name[0] in "fs" else "right", overflow="fold")
    for row in steps:
        gain, gap = f"{row['gain_orders']:+.1f}", f"{row['gap_orders']:.1f}"
        table.add_row(row["preset"], row["name"], f"{row['peak_signal_nG']:.2g}", gain, gap)
    return table
