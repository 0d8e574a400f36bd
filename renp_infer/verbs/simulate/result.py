"""Mock data: one set, or the file of an ensemble."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.engine.result import Result, load_tree

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True)
class SimulateResult(Result):
    """Mock data of the study's seed.

    Attributes
    ----------
    document : dict
        ``simulate.json``.
    """

    document: dict[str, Any]

    def told(self) -> xarray.DataTree:
        """The data as ArviZ groups."""
        import xarray as xr

        document = self.document
        angles = {"theta_s_deg": document["theta_s_deg"]}
        groups = {"observed_data": "field_nG", "constant_data": "sigma_nG"}
        tree = xr.DataTree.from_dict(
            {
                group: xr.Dataset({name: ("theta_s_deg", document[name])}, angles)
                for group, name in groups.items()
            }
        )
        tree.attrs = {"name": document["name"], "seed": document["seed"]}
        tree.attrs["normalised"] = int(document["normalised"])
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
