"""Parts of what an evaluation found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from renp_infer.records import FloatArray


@dataclass(frozen=True)
class Truth:
    """The neutrino, by the keys of a study's section ``[neutrino]``."""

    m1_meV: float
    ordering: Literal["normal", "inverted"]
    nature: Literal["dirac", "majorana"]
    delta_deg: float
    alpha21_deg: float
    alpha31_deg: float


@dataclass(frozen=True)
class NumericalErrors:
    """Numerical errors.

    Attributes
    ----------
    relative_tolerance, estimated_error : float
        Of the pair integrals, relative: what was asked for, and what is.
    signal_against_sums : float or None
        Smoothed field against the average of its own sums over the detector's window, at
        the strongest angles, over the peak; ``None`` from versions that did not compare.
    """

    relative_tolerance: float
    estimated_error: float
    signal_against_sums: float | None = None


@dataclass(frozen=True)
class Drift:
    """What a drift of the detector does, which one angle alone does not tell.

    Attributes
    ----------
    sigma_nG : float
        Its part of ``sigma_nG``, at every angle.
    correlated_angles : float
        Angles that are measured, one after the other, while it lasts.
    scan_snr, scan_snr_without : float
        Signal over noise of all angles together, with it and by the other noise alone.
    """

    sigma_nG: float
    correlated_angles: float
    scan_snr: float
    scan_snr_without: float


@dataclass(frozen=True, eq=False)
class Rung:
    """The field at a step from the paper's equations to the weak Hamiltonian.

    Attributes
    ----------
    name : str
        Preset, or the switches that change.
    signal_nG : ndarray, shape (n,), or None
        Smoothed field; ``None`` where these switches have none.
    failed : str
        Why; empty where there is one.
    """

    name: str
    signal_nG: FloatArray | None
    failed: str = ""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Rung:
        """From a row of ``evaluate.json``."""
        signal = row["signal_nG"]
        return cls(row["name"], None if signal is None else np.asarray(signal), row["failed"])


def drift_words(found: Drift) -> str:
    """What a drift does to the whole scan."""
    return (
        f"{found.sigma_nG:.3g} nG of sigma at each angle, shared by {found.correlated_angles:.3g} "
        f"successive angles; S/N of all angles falls from {found.scan_snr_without:.3g} to "
        f"{found.scan_snr:.3g}"
    )
