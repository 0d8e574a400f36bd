"""The deterministic numbers that walls must not change.

``python -m tests.golden.numbers`` records them anew; only where a number changes on
purpose, which the changelog then says.
"""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from renp_infer.app.cli import execute
from renp_infer.inference.settings import UNTUNED
from renp_infer.resources import share_path

HERE = Path(__file__).parent
EVALUATED = (
    "chi_squared", "coupling", "magnetization_nG_per_s", "masses_eV", "peak_snr", "rate_per_s",
    "sigma_nG", "signal_nG", "sum_F_eV5", "sum_G_eV5", "thresholds_deg",
)  # fmt: skip
FISHER = ("m1_meV", "separation", "sigma_m1_meV", "exposure_3sigma_s", "exposure_5sigma_s")
FISHER_KEYS = (
    'forecast.methods=["fisher"]', "forecast.m1_meV=[10,50,200]", "forecast.phase_settings=1",
    "forecast.corrections=false",
)  # fmt: skip
SAMPLERS = ("nuts", "independence", "emcee", "smc", "nested")
CHAIN_KEYS = ("inference.draws=300", "inference.chains=2")
TUNED_KEYS = (*CHAIN_KEYS, "inference.tune=300")
COMPARE_KEYS = (
    'compare.estimators=["smc","nested"]', "compare.live_points=60", "compare.nested_runs=2",
    "compare.smc_draws=240", "compare.smc_chains=2",
)  # fmt: skip
STUDY = "edge-layout-normalised"
LEDGER = ("id", "published", "corrected")


def studies() -> list[str]:
    """Names of the studies that ship."""
    return sorted(path.stem for path in share_path("studies").glob("*.toml"))


def said(*words: str, codes: tuple[int, ...] = (0,)) -> dict[str, Any]:
    """Document of a command."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert execute([*words, "--json", "--quiet"]) in codes, words
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def evaluated(study: str) -> dict[str, Any]:
    """The forward model of a shipped study."""
    found = said("evaluate", str(share_path("studies") / f"{study}.toml"))
    return {key: found[key] for key in EVALUATED}


def forecast() -> dict[str, Any]:
    """Errors, separations and exposures by Fisher information."""
    with TemporaryDirectory() as folder:
        found = said("forecast", "forecast-edge", *settings(FISHER_KEYS), "--out", folder)
    steps = {key: found["steps"][key] for key in ("sigma_m1_meV", "impact_meV")}
    return {key: found[key] for key in FISHER} | {"steps": steps}


def settings(keys: tuple[str, ...]) -> list[str]:
    """Words that replace keys."""
    return [word for key in keys for word in ("--set", key)]


def mass(sampler: str) -> dict[str, float]:
    """Posterior of the mass by a short run of a sampler, whose gates may fail."""
    short = CHAIN_KEYS if sampler in UNTUNED else TUNED_KEYS
    keys = settings((*short, f'inference.sampler="{sampler}"'))
    with TemporaryDirectory() as folder:
        found = said("infer", STUDY, *keys, "--out", folder, codes=(0, 3))
    row = found["hypotheses"][0]["parameters"]["m1_meV"]
    return {key: row[key] for key in ("mean", "sd", "ess_bulk")}


def evidences() -> list[dict[str, Any]]:
    """Evidences of the four hypotheses by short runs of both estimators."""
    with TemporaryDirectory() as folder:
        found = said("compare", STUDY, *settings(COMPARE_KEYS), "--out", folder, codes=(0, 3))
    return [row["by_estimator"] for row in found["hypotheses"]]


def ledger() -> list[dict[str, Any]]:
    """What the paper prints, recomputed."""
    return [{key: row[key] for key in LEDGER} for row in said("reproduce")["rows"]]


def record() -> None:
    """Write all numbers beside this file."""
    found = {
        "chains": {sampler: mass(sampler) for sampler in SAMPLERS},
        "evidences": evidences(),
        "evaluate": {study: evaluated(study) for study in studies()},
        "fisher": forecast(),
        "ledger": ledger(),
    }
    text = json.dumps(found, indent=0, sort_keys=True)
    (HERE / "numbers.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    record()
