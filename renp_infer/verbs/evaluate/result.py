"""What an evaluation found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from renp_infer.engine.result import Result

if TYPE_CHECKING:
    import xarray

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


@dataclass(frozen=True)
class EvaluateResult(Result):
    """The forward model at the truth.

    Attributes
    ----------
    document : dict
        ``evaluate.json``.
    """

    document: dict[str, Any]

    def rows(self) -> list[tuple[str, str]]:
        """How far the signal stands out."""
        label = ", normalised" if self.document["normalised"] else ""
        return [("peak S/N", f"{self.document['peak_snr']:.3g} per angle{label}")]

    def told(self) -> xarray.Dataset:
        """Arrays by ``theta_s_deg``, ``pair`` and ``state``.

        The rest of the document is JSON in the attribute ``renp_evaluation``.
        """
        import xarray

        document = self.document
        axes = {name: axis for axis, names in PREDICTED.items() for name in names}
        arrays = {name: (axis, document[name]) for name, axis in axes.items()}
        places = {
            "theta_s_deg": document["theta_s_deg"],
            "pair": document["pairs"],
            "state": [1, 2, 3],
        }
        rest = {k: v for k, v in document.items() if k not in axes and k not in places}
        facts = {"name": document["name"], "chi_squared": document["chi_squared"]}
        facts["peak_snr"] = document["peak_snr"]
        return xarray.Dataset(arrays, places, facts | {"renp_evaluation": json.dumps(rest)})
