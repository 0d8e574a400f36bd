"""A finished forecast in words and numbers: the JSON document and the terminal tables."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from renp_infer.inference.fisher import NONLINEAR
from renp_infer.runner.forecast_settings import SYSTEMATICS
from renp_infer.runner.terminal import plain

if TYPE_CHECKING:
    import xarray

TARGETS = ("mass", "ordering", "nature")
YEAR_S = 3.156e7
ALLOWED_ERROR = 0.01
"""Error of the response, in standard errors, beyond which it is said: that of an inference."""
VOCABULARY = {
    "scope": "every number is for the total of all angles, none per angle, but for peak_snr",
    "fisher": "median over mock experiments, in the linear approximation; where valid = 0 a "
    "computed flag says that it must not be used",
    "asimov": "median over mock experiments, profile likelihood of expectation (Asimov) data",
    "ensemble": "drawn data and calibrations; median, and central 68 % and 95 % of the experiments",
    "sigma_m1_meV": "half width of the 68 % confidence interval of m1 (Delta chi^2 = 1)",
    "separation": "sqrt(Delta chi^2), in standard deviations; the rival is the other ordering with "
    "the same nature, or the other nature with the same ordering; mass: against m1 = 0",
    "exposure": "total exposure in s at which the separation is reached; null: not within 1e60 s",
    "null": "no value: not reached, not measured within the bounds of m1, or no task gave it",
    "confidence": "upper limit of m1 for a truth of 0, median Asimov, one-sided confidence level",
    "credible": "upper limit of m1 for a truth of 0, credible, prior uniform in m1, Asimov data",
}


def load_forecast(path: Path) -> xarray.DataTree:
    """Read ``forecast.nc`` into memory."""
    import xarray as xr

    with xr.open_datatree(path, engine="h5netcdf") as tree:
        return tree.load()


def headline_method(tree: xarray.DataTree) -> str:
    """Method of the headline figures: the profile likelihood where there is one."""
    return next((name for name in ("asimov", "fisher") if name in tree.children), "")


def forecast_document(tree: xarray.DataTree) -> dict[str, Any]:
    """The document of ``renp forecast --json``.

    Its first keys are for the study's ordering and nature and its own phases;
    ``hypotheses`` has all, as median, lowest and highest over the phase settings.
    """
    truth = json.loads(tree.attrs["truth"])
    method = headline_method(tree)
    document: dict[str, Any] = {
        "schema": 1,
        "name": tree.attrs["name"],
        "preset": tree.attrs["preset"],
        "normalised": float(tree.attrs["reference_snr"]) > 0.0,
        "truth": truth,
        "exposure_s": float(tree.attrs["exposure_s"]),
        "systematics": json.loads(tree.attrs["systematics"]),
        "method": method,
        "missing_tasks": int(tree.attrs["missing"]),
        "vocabulary": VOCABULARY,
    }
    if method:
        document |= _headline(tree[method].to_dataset(), truth)
        document["hypotheses"] = _hypotheses(tree)
    parts = {"limits": "limit", "steps": "steps", "corrections": "correction"}
    for key, group in parts.items():
        if group in tree.children:
            document[key] = _group(tree[group].to_dataset())
    if "steps" in document:
        document["required_precision"] = required_precision(tree)
    if "accuracy" in tree.children:
        found = float(tree["accuracy"]["response_error_sigma"])
        document["response_error_sigma"] = found
    if "phases" in tree.children:
        document["cp_phases"] = cp_phases(tree)
    return document


def forecast_json(tree: xarray.DataTree) -> dict[str, Any]:
    """The document with null for what has no value: never reached, or not measured."""

    def known(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: known(item) for key, item in value.items()}
        if isinstance(value, list):
            return [known(item) for item in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    found: dict[str, Any] = known(plain(forecast_document(tree)))
    return found


def _headline(cells: xarray.Dataset, truth: dict[str, Any]) -> dict[str, Any]:
    own = {
        name: truth[name] if truth[name] in cells[name].values else cells[name].values[0]
        for name in ("ordering", "nature")
    }
    row = cells.sel(own).isel(setting=0)
    found = {
        "ordering": str(own["ordering"]),
        "nature": str(own["nature"]),
        "m1_meV": row["m1_meV"].values,
        "sigma_m1_meV": row["sigma_m1_meV"].values,
    }
    for key in ("separation", "exposure_3sigma_s", "exposure_5sigma_s"):
        columns = {t: row[f"{key}_{t}"].values for t in TARGETS if f"{key}_{t}" in row}
        if columns:
            found[key] = columns
    return found


def _hypotheses(tree: xarray.DataTree) -> list[dict[str, Any]]:
    rows = []
    for method in ("fisher", "asimov", "ensemble"):
        if method not in tree.children:
            continue
        cells = tree[method].to_dataset()
        for ordering in cells["ordering"].values:
            for nature in cells["nature"].values:
                one = cells.sel(ordering=ordering, nature=nature)
                row = {"method": method, "ordering": str(ordering), "nature": str(nature)}
                rows.append(row | _spread(one, "dataset" if method == "ensemble" else "setting"))
    return rows


def _spread(one: xarray.Dataset, over: str) -> dict[str, Any]:
    """Median and bands of each number, by mass."""
    shares = {"median": 0.5}
    if over == "dataset":
        shares |= {"low_95": 0.025, "low_68": 0.16, "high_68": 0.84, "high_95": 0.975}
    else:
        shares |= {"lowest": 0.0, "highest": 1.0}
    return {
        str(name): {key: _quantile(values, share, over) for key, share in shares.items()}
        for name, values in one.data_vars.items()
    }


def _quantile(values: xarray.DataArray, share: float, over: str) -> np.ndarray:
    """Quantile over what is there; what is nowhere there stays NaN, infinity counts."""
    rows = np.atleast_2d(values.transpose(..., over).values)
    found = np.full(rows.shape[0], np.nan)
    for k, row in enumerate(rows):
        present = row[~np.isnan(row)]
        if present.size:
            found[k] = np.quantile(present, share, method="nearest" if share in (0, 1) else "lower")
    return found


def _group(dataset: xarray.Dataset) -> dict[str, Any]:
    found = {str(n): c.values.tolist() for n, c in dataset.coords.items()}
    return found | {str(n): v.values for n, v in dataset.data_vars.items()}


def required_precision(tree: xarray.DataTree) -> list[dict[str, Any]]:
    """Which systematic must improve, and by how much, for the goal; largest impact first."""
    names = json.loads(tree.attrs["systematics"])
    table = tree["steps"].to_dataset()
    if not names:
        return []
    rows = [
        {
            "systematic": name,
            "parameters": SYSTEMATICS[name],
            "impact_meV": float(table["impact_meV"][k]),
            "factor": float(table["factor"][k]),
            "goal_meV": float(tree.attrs["goal_meV"]),
        }
        for k, name in enumerate(names)
    ]
    return sorted(rows, key=lambda row: -float(row["impact_meV"]))


def comparison(tree: xarray.DataTree) -> str:
    """Where Fisher fails, and how far it is from Asimov elsewhere, in words."""
    if not {"fisher", "asimov"} <= set(tree.children):
        return ""
    fisher, asimov = tree["fisher"].to_dataset(), tree["asimov"].to_dataset()
    there = np.isfinite(fisher["valid"].values)
    valid = there & (fisher["valid"].values == 1.0)
    boundary = int(np.nansum(fisher["at_boundary"].values))
    phases = int(np.nansum(fisher["phases_unknown"].values))
    bent = int(np.sum(np.isfinite(fisher["nonlinearity"]) & (fisher["nonlinearity"] > NONLINEAR)))
    text = (
        f"Fisher is flagged in {int(np.sum(there & ~valid))} of {int(np.sum(there))} cells: "
        f"{boundary} at a bound of m₁, {bent} nonlinear, {phases} with unknown phases that matter."
    )
    ratio = fisher["sigma_m1_meV"].values[valid] / asimov["sigma_m1_meV"].values[valid]
    ratio = ratio[np.isfinite(ratio)]
    if ratio.size:
        worst = 100.0 * float(np.max(np.abs(ratio - 1.0)))
        text += f" Elsewhere its σ(m₁) differs from Asimov's by at most {worst:.2g} %."
    return text


def cp_phases(tree: xarray.DataTree) -> list[dict[str, Any]]:
    """What the phases do at the study's mass, per ordering: measurable, and from Dirac.

    ``share_measured`` is the share of the phases' torus in which 0, 1 or 2 combinations
    are measured; separations from Dirac are for a Majorana truth.
    """
    table = tree["phases"].to_dataset()
    rows = []
    for ordering in table["ordering"].values:
        one = table.sel(ordering=ordering)
        away, counts = one["separation_nature"].values, one["measurable"].values
        rows.append(
            {
                "ordering": str(ordering),
                "share_measured": [float(np.mean(counts == k)) for k in range(3)],
                "separation_nature_lowest": float(np.min(away)),
                "separation_nature_median": float(np.median(away)),
                "separation_nature_highest": float(np.max(away)),
                "separation_nature_phases_zero": float(away[0, 0]),
            }
        )
    return rows


def forecast_tables(tree: xarray.DataTree) -> list[Any]:
    """Tables and lines for the terminal, at most 80 columns wide."""
    document = forecast_document(tree)
    label = ", noise normalised" if document["normalised"] else ""
    lines: list[Any] = []
    if document["method"]:
        title = (
            f"{document['name']} ({document['preset']}{label})\n{document['ordering']}, "
            f"{document['nature']}; median {document['method']}, total of all angles"
        )
        lines += [_mass_table(title, document), comparison(tree)]
    if "steps" in document:
        lines += [_step_table(tree, document), _precision_table(document)]
    if "limits" in document:
        lines.append(_limit_table(document["limits"]))
    if "corrections" in document:
        lines.append(_correction_table(document["corrections"]))
    error = document.get("response_error_sigma", 0.0)
    if error > ALLOWED_ERROR:
        lines.append(f"the tabulated response errs by up to {error:.2g} standard errors per angle")
    lines += [_phase_line(row) for row in document.get("cp_phases", [])]
    if document["missing_tasks"]:
        lines.append(f"{document['missing_tasks']} tasks failed; their numbers are missing")
    return lines


def _mass_table(title: str, document: dict[str, Any]) -> Table:
    columns = {"m1\n[meV]": document["m1_meV"], "sigma(m1)\n[meV]": document["sigma_m1_meV"]}
    for target in TARGETS:
        columns[f"{target}\n[sigma]"] = document["separation"][target]
        columns[f"3 sigma\n{target}"] = document["exposure_3sigma_s"][target]
    table = _table(title, list(columns))
    for row in zip(*columns.values(), strict=True):
        cells = [_short(v) for v in row]
        for k in (3, 5, 7):
            cells[k] = duration(row[k])
        table.add_row(*cells)
    return table


def _step_table(tree: xarray.DataTree, document: dict[str, Any]) -> Table:
    steps = document["steps"]
    names = ["statistics only", *(f"+ {name}" for name in document["systematics"])]
    goal = f"{float(tree.attrs['goal_meV']):g} meV"
    title = "systematics added one by one, at the study's truth (Fisher)"
    table = _table(title, ["", "sigma(m1)\n[meV]", "3 sigma\nmass", f"time for\n{goal}"])
    for k, name in enumerate(names):
        table.add_row(
            name,
            _short(steps["sigma_m1_meV"][k]),
            duration(steps["exposure_3sigma_s"][k]),
            duration(steps["exposure_goal_s"][k]),
        )
    return table


def _precision_table(document: dict[str, Any]) -> Table:
    rows = document["required_precision"]
    goal = f"{rows[0]['goal_meV']:g} meV" if rows else ""
    table = _table(f"which must improve for {goal}?", ["", "impact\n[meV]", "prior must be"])
    for row in rows:
        factor = row["factor"]
        need = "not enough alone" if math.isnan(factor) else f"{factor:.3g} of now"
        table.add_row(row["systematic"], _short(row["impact_meV"]), "fine" if factor == 1 else need)
    return table


def _limit_table(limits: dict[str, Any]) -> Table:
    title = "expected upper limits of m1 if it is 0 [meV] (median Asimov)"
    heads = ["", "90 %\nconfidence", "95 %\nconfidence", "90 %\ncredible", "95 %\ncredible"]
    table = _table(title, heads)
    for o, ordering in enumerate(limits["ordering"]):
        for n, nature in enumerate(limits["nature"]):
            cells = [
                _short(limits[f"asimov_{kind}_{level}_meV"][o][n])
                for kind in ("confidence", "credible")
                for level in (90, 95)
            ]
            table.add_row(f"{ordering}, {nature}", *cells)
    return table


def _correction_table(rows: dict[str, Any]) -> Table:
    title = "published preset, one switch corrected at a time (Fisher, absolute noise)"
    table = _table(title, ["", "peak\n[nG]", "sigma(m1)\n[meV]", "3 sigma\nmass"])
    for k, name in enumerate(rows["variant"]):
        table.add_row(
            name,
            _short(rows["peak_nG"][k]),
            _short(rows["sigma_m1_meV"][k]),
            duration(rows["exposure_3sigma_s"][k]),
        )
    return table


def _phase_line(row: dict[str, Any]) -> str:
    shares = ", ".join(f"{k} in {100.0 * s:.0f} %" for k, s in enumerate(row["share_measured"]))
    return (
        f"CP phases, {row['ordering']}: combinations measured: {shares} of all phases; Majorana "
        f"from Dirac by {_short(row['separation_nature_lowest'])} to "
        f"{_short(row['separation_nature_highest'])} sigma"
    )


def _table(title: str, heads: Sequence[str]) -> Table:
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title_justify="left")
    for k, head in enumerate(heads):
        table.add_column(head, justify="left" if k == 0 and not head else "right")
    return table


def _short(value: float) -> str:
    return "-" if not math.isfinite(value) else f"{value:.3g}"


def duration(seconds: float) -> str:
    """An exposure in a unit that people know."""
    if math.isnan(seconds):
        return "-"
    if math.isinf(seconds):
        return "> 1e60 s"
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / size:.3g} {unit}"
    days = seconds / 86400
    return f"{days:.3g} d" if seconds < YEAR_S else f"{seconds / YEAR_S:.2g} yr"
