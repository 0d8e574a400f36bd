"""A finished run, read back from its directory."""

from __future__ import annotations

import contextlib
import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.display import Display
from renp_infer.errors import StoreError
from renp_infer.files import digest

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True, repr=False)
class Run(Display):
    """What a run directory holds.

    Attributes
    ----------
    directory : Path
    name : str
    study : dict
        The resolved study.
    evaluation : dict
        ``evaluate.json``.
    inference : DataTree or None
        ``infer.nc``, in memory; ``None`` if the study has no inference.
    summary : dict or None
        Estimates and diagnostics of the inference.
    calibration : DataTree or None
        ``calibrate.nc``, in memory; ``None`` if the study has no calibration.
    comparison : dict or None
        What the evidences of ``compare.nc`` say with the study's prior odds.
    forecast : DataTree or None
        ``forecast.nc``, in memory; ``None`` if the study has no forecast.
    optimum : dict or None
        ``optimize.json``, with the rows of ``trials.jsonl`` as ``trials``.
    sequential : DataTree or None
        ``sequential.nc``, in memory; ``None`` if the study has no campaigns.
    """

    directory: Path
    name: str
    study: dict[str, Any]
    evaluation: dict[str, Any]
    inference: xarray.DataTree | None
    summary: dict[str, Any] | None
    calibration: xarray.DataTree | None = None
    comparison: dict[str, Any] | None = None
    forecast: xarray.DataTree | None = None
    optimum: dict[str, Any] | None = None
    sequential: xarray.DataTree | None = None

    @property
    def checks(self) -> dict[str, Any] | None:
        """Model checks of the inference; ``None`` without one, or from before there were any."""
        if self.inference is None or "renp_checks" not in self.inference.attrs:
            return None
        found: dict[str, Any] = json.loads(self.inference.attrs["renp_checks"])
        return found

    @property
    def verdicts(self) -> dict[str, dict[str, Any]]:
        """``verdict`` and ``reasons`` by what was judged; only what the run has done."""
        calibration = self.calibration
        tests = None if calibration is None else json.loads(calibration.attrs["renp_calibration"])
        judged = {
            "diagnostics": self.summary["diagnostics"] if self.summary else None,
            "model checks": self.checks,
            "estimators": self.comparison["agreement"] if self.comparison else None,
            "calibration": tests,
            "optimize": self.optimum,
        }
        return {name: found for name, found in judged.items() if found is not None}

    @property
    def prediction(self) -> xarray.Dataset:
        """Forward model at the truth, by angle: ``evaluation`` as arrays."""
        return prediction(self.evaluation)

    def rows(self) -> list[tuple[str, str]]:
        """What a run found, in a few words each."""
        label = ", normalised" if self.evaluation["normalised"] else ""
        rows = [
            ("directory", str(self.directory)),
            ("physics", str(self.study["physics"]["preset"])),
            ("peak S/N", f"{self.evaluation['peak_snr']:.3g} per angle{label}"),
        ]
        if self.summary is not None:
            row = self.summary["parameters"]["m1_meV"]
            low, high = row["interval_95"]
            estimate = f"{row['mean']:.4g} ± {row['sd']:.2g} meV"
            rows.append(("m1", f"{estimate}, 95 % interval {low:.4g} to {high:.4g} meV"))
        if self.comparison is not None:
            best = max(self.comparison["hypotheses"], key=lambda found: found["probability"])
            name = f"{best['ordering']} ordering, {best['nature']}"
            rows.append(("most probable", f"{name}: {best['probability']:.3g}"))
        for name, judged in self.verdicts.items():
            rows.append((name, ": ".join([judged["verdict"], *_joined(judged["reasons"])])))
        others = {"calibration": self.calibration, "forecast": self.forecast}
        there = [name for name, tree in others.items() if tree is not None]
        return [*rows, ("also", ", ".join(there))] if there else rows


def _joined(reasons: list[str]) -> list[str]:
    return ["; ".join(reasons)] if reasons else []


PREDICTED = {
    ("theta_s_deg",): (
        "rate_per_s",
        "magnetization_nG_per_s",
        "signal_nG",
        "sigma_nG",
        "sum_F_eV5",
        "sum_G_eV5",
    ),
    ("pair", "theta_s_deg"): ("pair_A_eV5", "pair_B_eV3"),
    ("state",): ("masses_eV",),
}
"""Arrays of ``evaluate.json`` by the names of their axes."""


def prediction(document: dict[str, Any]) -> xarray.Dataset:
    """The document of ``evaluate`` as a Dataset.

    Parameters
    ----------
    document : dict

    Returns
    -------
    Dataset
        Arrays by ``theta_s_deg``, ``pair`` and ``state``; the rest of the document
        as JSON in the attribute ``renp_evaluation``.
    """
    import xarray

    axes = {name: axis for axis, names in PREDICTED.items() for name in names}
    arrays = {name: (axis, document[name]) for name, axis in axes.items()}
    places = {"theta_s_deg": document["theta_s_deg"], "pair": document["pairs"], "state": [1, 2, 3]}
    rest = {k: v for k, v in document.items() if k not in axes and k not in places}
    facts = {"name": document["name"], "chi_squared": document["chi_squared"]}
    facts["peak_snr"] = document["peak_snr"]
    return xarray.Dataset(arrays, places, facts | {"renp_evaluation": json.dumps(rest)})


@contextlib.contextmanager
def readable(directory: Path) -> Iterator[None]:
    """Name what a file with the right hash makes go wrong that holds something else.

    Raises
    ------
    StoreError
    """
    try:
        yield
    except StoreError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, OSError, RecursionError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        text = f"{directory} holds what is no result of this version ({reason})"
        raise StoreError(f"{text}; run the study again") from error


def checked(directory: Path, manifest: dict[str, Any], name: str) -> Path:
    """Path of a file of a run that is what the manifest says."""
    known, found = manifest["files"].get(name), digest(directory / name)
    if not found or found != known:
        state = "is not what the manifest says" if found else "is missing"
        raise StoreError(f"{directory / name} {state}; run the study again")
    return directory / name


def parsed(directory: Path, manifest: dict[str, Any], name: str) -> dict[str, Any]:
    """Tables of a TOML or JSON file of a run."""
    with readable(directory):
        text = checked(directory, manifest, name).read_text(encoding="utf-8")
        parsed = tomllib.loads(text) if name.endswith(".toml") else json.loads(text)
        if not isinstance(parsed, dict):
            raise TypeError(f"{name} is no table")
        return parsed


def load_tree(path: Path) -> xarray.DataTree:
    """Tree in memory, its file closed: open readers lock it against writers."""
    import xarray

    with xarray.open_datatree(path, engine="h5netcdf") as tree:
        return tree.load()
