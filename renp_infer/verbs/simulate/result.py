"""Mock data: one set, or the file of an ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.engine.result import Result, load_tree
from renp_infer.measurement.data import DATA_SET
from renp_infer.records import FloatArray
from renp_infer.study.units import described
from renp_infer.terminal import plain

if TYPE_CHECKING:
    import xarray

ARRAYS = ("theta_s_deg", "field_nG", "sigma_nG")


@dataclass(frozen=True, eq=False)
class SimulateResult(Result):
    """Mock data of the study's seed.

    Attributes
    ----------
    name : str
        The study's.
    seed : int
    normalised : bool
        Whether the noise is scaled.
    theta_s_deg, field_nG, sigma_nG : ndarray, shape (n,)
    data_set : tuple of str, n of them
        Of several data sets, to which each entry belongs; else empty.
    """

    name: str
    seed: int
    normalised: bool
    theta_s_deg: FloatArray
    field_nG: FloatArray
    sigma_nG: FloatArray
    data_set: tuple[str, ...] = ()

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> SimulateResult:
        """Result of ``simulate.json``."""
        theta_s, field, sigma = (np.asarray(document[name], float) for name in ARRAYS)
        facts = (document["name"], document["seed"], document["normalised"])
        return cls(*facts, theta_s, field, sigma, tuple(document.get("data_set", ())))

    @property
    def document(self) -> dict[str, Any]:
        """``simulate.json``, without its provenance."""
        found: dict[str, Any] = plain({"schema": 1} | asdict(self))
        if not self.data_set:
            del found["data_set"]
        return found

    def told(self) -> xarray.DataTree:
        """The data as ArviZ groups."""
        import xarray as xr

        angle = "theta_s_deg"
        angles: dict[str, Any] = {angle: self.theta_s_deg}
        if self.data_set:
            angles[DATA_SET] = (angle, list(self.data_set))
        tree = xr.DataTree.from_dict(
            {
                "observed_data": xr.Dataset({"field_nG": (angle, self.field_nG)}, angles),
                "constant_data": xr.Dataset({"sigma_nG": (angle, self.sigma_nG)}, angles),
            }
        )
        tree.attrs = {"name": self.name, "seed": self.seed, "normalised": int(self.normalised)}
        return described(tree)


@dataclass(frozen=True)
class EnsembleResult(Result):
    """Many mock data sets, too many to be read unasked.

    Attributes
    ----------
    path : Path
        ``ensemble.nc``.
    """

    path: Path

    def told(self) -> xarray.DataTree:
        """All of them, in memory."""
        return load_tree(self.path)


@dataclass(frozen=True, eq=False)
class EnsembleSummary:
    """An ensemble by angle.

    Attributes
    ----------
    datasets : int
    theta_s_deg, signal_nG, sigma_nG : ndarray, shape (n,)
    mean_nG, sd_nG : ndarray, shape (n,)
        Of the data sets.
    """

    datasets: int
    theta_s_deg: FloatArray
    signal_nG: FloatArray
    sigma_nG: FloatArray
    mean_nG: FloatArray
    sd_nG: FloatArray
