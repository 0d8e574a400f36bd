"""What campaigns came to: medians by truth, against the fixed layouts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

if TYPE_CHECKING:
    import xarray


def load(path: Path) -> xarray.DataTree:
    """Read ``sequential.nc`` into memory."""
    import xarray as xr

    with xr.open_datatree(path, engine="h5netcdf") as tree:
        return tree.load()


def last_of(steps: xarray.Dataset, name: str) -> np.ndarray:
    """A number at the end of each campaign, (m1, campaign) or more; NaN where none is."""
    values = steps[name].transpose("m1_meV", "campaign", "step", ...).values
    counts = np.sum(np.isfinite(steps["elapsed_s"].transpose(..., "step").values), axis=-1)
    index = np.maximum(counts - 1, 0).reshape(*counts.shape, *[1] * (values.ndim - 2))
    found: np.ndarray = np.take_along_axis(values, index, axis=2)[:, :, 0]
    return found


def campaign_document(tree: xarray.DataTree) -> dict[str, Any]:
    """The document of ``renp optimize --sequential --json``.

    ``truths`` has for each true m1 the medians over campaigns: standard deviation of m1
    in meV, ``score_nat`` (log of posterior by prior density at the truth, whose mean over
    the prior is the information gained) and probability of the true hypothesis, for the
    sequence and for each fixed layout after the same time; null where a layout's moves
    alone take longer. ``pulls`` are (mean - truth) / sd of every campaign.
    """
    steps, layouts = (tree[name].to_dataset() for name in ("steps", "layouts"))
    truth = list(steps["hypothesis"].values).index(tree.attrs["truth"])
    ends = {name: last_of(steps, name) for name in ("m1_mean", "m1_sd", "score_nat", "elapsed_s")}
    ends["probability"] = last_of(steps, "probability")[..., truth]
    order = ("m1_meV", "campaign", "layout", "fraction", ...)
    fixed = {
        name: layouts[name].transpose(*order).values[:, :, :, -1]
        for name in ("m1_mean", "m1_sd", "score_nat", "probability")
    }
    fixed["probability"] = fixed["probability"][..., truth]
    counts = np.sum(np.isfinite(steps["elapsed_s"].transpose(..., "step").values), axis=-1)
    rows = []
    for i, m1 in enumerate(steps["m1_meV"].values.tolist()):
        pulls = (ends["m1_mean"][i] - m1) / ends["m1_sd"][i]
        sequence = _medians(ends, i) | {
            "measurements": _median(counts[i].astype(float)),
            "elapsed_s": _median(ends["elapsed_s"][i]),
            "pulls": [_known(p) for p in pulls.tolist()],
        }
        names = json.loads(tree.attrs["layouts"])
        others = {
            name: _medians({k: v[:, :, n] for k, v in fixed.items()}, i)
            for n, name in enumerate(names)
        }
        rows.append({"m1_meV": m1, "sequential": sequence} | others)
    return {
        "schema": 1,
        "name": tree.attrs["name"],
        "preset": tree.attrs["preset"],
        "normalised": float(tree.attrs["reference_snr"]) > 0.0,
        "goal": tree.attrs["goal"],
        "truth": tree.attrs["truth"],
        "total_s": float(tree.attrs["total_s"]),
        "setting_s": float(tree.attrs["setting_s"]),
        "campaigns": int(steps.sizes["campaign"]),
        "missing_tasks": int(tree.attrs["missing"]),
        "angles": dict(zip(json.loads(tree.attrs["layouts"]), json.loads(tree.attrs["angles"]),
                           strict=True)),
        "truths": rows,
    }  # fmt: skip


def _medians(columns: dict[str, np.ndarray], place: int) -> dict[str, float | None]:
    names = {"m1_sd": "sd_m1_meV", "score_nat": "score_nat", "probability": "probability"}
    return {new: _median(columns[old][place]) for old, new in names.items()}


def _median(values: np.ndarray) -> float | None:
    good = values[np.isfinite(values)]
    return float(np.median(good)) if good.size else None


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def campaign_tables(found: dict[str, Any]) -> list[Any]:
    """Table and lines for the terminal, at most 80 columns wide."""
    label = ", normalised" if found["normalised"] else ""
    title = (
        f"{found['name']} ({found['preset']}{label}): {found['campaigns']} campaigns each,\n"
        f"{found['total_s']:g} s with {found['setting_s']:g} s per move, goal {found['goal']}"
    )
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title_justify="left")
    for head in ("m1\n[meV]", "", "sd(m1)\n[meV]", "score\n[nat]", "p(true)", "measure-\nments"):
        table.add_column(head, justify="right" if head else "left")
    names = {"sequential": "sequence", "study": "own layout", "fixed": "fixed_deg"}
    for row in found["truths"]:
        for key, name in names.items():
            count = row[key].get("measurements", found["angles"].get(key))
            if not count:
                continue
            numbers = [_short(row[key][k]) for k in ("sd_m1_meV", "score_nat", "probability")]
            first = f"{row['m1_meV']:g}" if key == "sequential" else ""
            table.add_row(first, name, *numbers, f"{count:g}")
    lines: list[Any] = [table]
    if found["missing_tasks"]:
        lines.append(f"{found['missing_tasks']} campaigns failed; they are missing")
    return lines


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
