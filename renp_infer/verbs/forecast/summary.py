"""A finished forecast in words and numbers: the JSON document and the terminal tables."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.inference.fisher import NONLINEAR
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.terminal import plain

if TYPE_CHECKING:
    import xarray

TARGETS = ("mass", "ordering", "nature")
YEAR_S = 3.156e7
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
    "drawn": "the same limits of mock experiments: median, and central 68 % and 95 % of them",
    "methods": "at the study's hypothesis and phases; ensemble: half the central 68 % of the "
    "estimates of m1, median separation and its central 68 %",
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
    document["methods"] = method_rows(tree)
    parts = {"limits": "limit", "steps": "steps", "corrections": "correction"}
    for key, group in parts.items():
        if group in tree.children:
            document[key] = _group(tree[group].to_dataset())
    if "limits" in document:
        document["limits"]["drawn"] = _drawn_limits(tree["limit"].to_dataset())
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


def _own(cells: xarray.Dataset, truth: dict[str, Any]) -> dict[str, Any]:
    """The study's ordering and nature, or the first that the forecast has."""
    return {
        name: truth[name] if truth[name] in cells[name].values else cells[name].values[0]
        for name in ("ordering", "nature")
    }


def _headline(cells: xarray.Dataset, truth: dict[str, Any]) -> dict[str, Any]:
    own = _own(cells, truth)
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
    whole = values.transpose(..., over).values
    rows = whole.reshape(-1, whole.shape[-1])
    found = np.full(rows.shape[0], np.nan)
    for k, row in enumerate(rows):
        present = row[~np.isnan(row)]
        if present.size:
            found[k] = np.quantile(present, share, method="nearest" if share in (0, 1) else "lower")
    return found.reshape(whole.shape[:-1])


def _group(dataset: xarray.Dataset) -> dict[str, Any]:
    found = {str(n): c.values.tolist() for n, c in dataset.coords.items()}
    return found | {str(n): v.values for n, v in dataset.data_vars.items()}


def _drawn_limits(limits: xarray.Dataset) -> dict[str, Any]:
    """Median and central 68 % and 95 % of the limits of drawn data, by name."""
    names = [str(n) for n in limits.data_vars if "dataset" in limits[n].dims]
    return _spread(limits[names], "dataset") if names else {}


def required_precision(tree: xarray.DataTree) -> list[dict[str, Any]]:
    """Which systematic must improve, and by how much, for the goal; largest impact first."""
    names = json.loads(tree.attrs["systematics"])
    table = tree["steps"].to_dataset()
    if not names:
        return []
    rows = [
        {
            "systematic": name,
            "parameters": PARAMETERS.systematics[name],
            "impact_meV": float(table["impact_meV"][k]),
            "asimov_impact_meV": float(table["asimov_impact_meV"][k]),
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


FLAGS = {"at_boundary": "bound of m1", "phases_unknown": "phases"}
CENTRAL_68 = (0.16, 0.84)


def method_rows(tree: xarray.DataTree) -> list[dict[str, Any]]:
    """The methods side by side, by true mass, at the headline's hypothesis and phases.

    Per method ``sigma_m1_meV`` (drawn data: half the central 68 % of the estimates),
    ``separation_ordering`` and ``separation_nature`` (drawn data: the median); for drawn
    data also the central 68 % of each separation, and for Fisher what flags it.
    """
    found = [tree[m].to_dataset() for m in ("fisher", "asimov", "ensemble") if m in tree.children]
    if not found:
        return []
    own = _own(found[0], json.loads(tree.attrs["truth"]))
    rows = []
    for m1_meV in found[0]["m1_meV"].values:
        row: dict[str, Any] = {"m1_meV": float(m1_meV)}
        for name, read in (("fisher", _local), ("asimov", _local), ("ensemble", _drawn)):
            if name in tree.children:
                row[name] = read(tree[name].to_dataset().sel(own | {"m1_meV": m1_meV}))
        rows.append(row)
    return rows


def _local(cell: xarray.Dataset) -> dict[str, Any]:
    cell = cell.isel(setting=0)
    found: dict[str, Any] = {"sigma_m1_meV": float(cell["sigma_m1_meV"])}
    found |= {f"separation_{t}": float(cell[f"separation_{t}"]) for t in TARGETS[1:]}
    if "valid" in cell:
        flags = [text for name, text in FLAGS.items() if cell[name] == 1.0]
        bent = math.isfinite(cell["nonlinearity"]) and cell["nonlinearity"] > NONLINEAR
        found["flags"] = [*flags, *(["nonlinear"] if bent else [])]
    return found


def _drawn(cell: xarray.Dataset) -> dict[str, Any]:
    low, high = np.nanquantile(cell["best_m1_meV"], CENTRAL_68)
    found: dict[str, Any] = {"sigma_m1_meV": 0.5 * float(high - low)}
    for target in TARGETS[1:]:
        away = np.sqrt(np.maximum(cell[f"ratio_{target}"].values, 0.0))
        found[f"separation_{target}"] = float(np.nanmedian(away))
        found[f"separation_{target}_68"] = np.nanquantile(away, CENTRAL_68).tolist()
    return found
