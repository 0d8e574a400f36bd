"""How far the corrected, absolute signal is from being seen, term by term."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from renp_infer.physics.constants import YEAR_S
from renp_infer.resources import read_toml, share_path
from renp_infer.study.load import load_study
from renp_infer.terminal import WIDTH
from renp_infer.verbs.evaluate.work import evaluate

STUDY = "feasibility"
SIGMAS = 3.0


def terms() -> list[dict[str, Any]]:
    """Terms of ``data/ledger/feasibility.toml``: name, set, why, penalty."""
    path = share_path("data") / "ledger" / "feasibility.toml"
    found: list[dict[str, Any]] = read_toml(path, path.name)["term"]
    return [{"penalty": False} | term for term in found]


def scenario(name: str, overrides: Iterable[str], why: str) -> dict[str, Any]:
    """Field, signal-to-noise and exposure of the study with some keys replaced.

    The exposure to 3 sigma is that of one amplitude with the known angular
    shape: all angles count, and the noise falls with the root of the time.

    Raises
    ------
    ConfigError
        If an override is wrong.
    """
    settings = tuple(overrides)
    study = load_study(STUDY, settings, inference=False)
    found = evaluate(study.experiment, study.parameters, study.name)
    signal, sigma = found.signal_nG, found.sigma_nG
    snr = float(np.sqrt(np.sum((signal / sigma) ** 2)))
    exposure = study.experiment.detector.exposure_s
    return {
        "name": name,
        "set": list(settings),
        "why": why,
        "peak_signal_nG": float(np.max(np.abs(signal))),
        "sigma_nG": float(np.min(sigma)),
        "rate_per_s": float(np.max(found.rate_per_s)),
        "snr": snr,
        "gap_orders": math.log10(SIGMAS / snr),
        "exposure_3sigma_s": exposure * (SIGMAS / snr) ** 2,
    }


def feasibility_document(overrides: Iterable[str] = ()) -> dict[str, Any]:
    """The reference, each term alone, all improvements, and those with the penalties.

    Parameters
    ----------
    overrides : iterable of str
        ``section.key=value``, on top of the study for every row.
    """
    base, known = tuple(overrides), terms()
    rows = [scenario("reference of the paper", base, "the corrected preset, one hour")]
    rows += [scenario(t["name"], (*base, *t["set"]), t["why"]) for t in known]
    best = [s for t in known if not t["penalty"] for s in t["set"]]
    penalties = [s for t in known if t["penalty"] for s in t["set"]]
    rows.append(scenario("all improvements", (*base, *best), "radiative width"))
    both = (*base, *best, *penalties)
    rows.append(scenario("all, with the real width", both, "what could at best be built"))
    for row in rows:
        row["gain_orders"] = rows[0]["gap_orders"] - row["gap_orders"]
    return {"schema": 1, "study": STUDY, "sigmas": SIGMAS, "rows": rows}


def feasibility_table(found: Mapping[str, Any]) -> tuple[Table, str]:
    """The document as a table of 80 columns, and what it says."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), width=WIDTH)
    table.add_column("scenario", overflow="fold")
    for name in ("peak field\n[nG]", "gain\n[orders]", "gap to 3σ\n[orders]", "3σ after\n[years]"):
        table.add_column(name, justify="right")
    for row in found["rows"]:
        table.add_row(
            row["name"],
            f"{row['peak_signal_nG']:.2g}",
            f"{row['gain_orders']:+.1f}",
            f"{row['gap_orders']:.1f}",
            f"{row['exposure_3sigma_s'] / YEAR_S:.1g}",
        )
    first, last = found["rows"][0]["gap_orders"], found["rows"][-1]["gap_orders"]
    text = (
        f"In one hour the reference is {first:.1f} orders of magnitude short of 3 sigma, the best "
        f"that could be built {last:.1f}. Each term stands alone, set on the reference."
    )
    return table, text
