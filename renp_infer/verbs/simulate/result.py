"""Mock data: one set, or the file of an ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.engine.result import Result, load_tree
from renp_infer.records import FloatArray
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
    """

    name: str
    seed: int
    normalised: bool
    theta_s_deg: FloatArray
    field_nG: FloatArray
    sigma_nG: FloatArray

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> SimulateResult:
        """Result of ``simulate.json``."""
        arrays = [np.asarray(document[name], float) for name in ARRAYS]
        return cls(document["name"], document["seed"], document["normalised"], *arrays)

    @property
    def document(self) -> dict[str, Any]:
        """``simulate.json``, without its provenance."""
        found: dict[str, Any] = plain({"schema": 1} | asdict(self))
        return found

    def told(self) -> xarray.DataTree:
        """The data as ArviZ groups."""
        import xarray as xr

        angle, angles = "theta_s_deg", {"theta_s_deg": self.theta_s_deg}
        tree = xr.DataTree.from_dict(
            {
                "observed_data": xr.Dataset({"field_nG": (angle, self.field_nG)}, angles),
                "constant_data": xr.Dataset({"sigma_nG": (angle, self.sigma_nG)}, angles),
            }
        )
        tree.attrs = {"name": self.name, "seed": self.seed, "normalised": int(self.normalised)}
        return tree


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
