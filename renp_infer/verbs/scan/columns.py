"""What a scan finds in a cell, and along a line of a profile; ``V`` is a number, or an array."""

from __future__ import annotations

from dataclasses import dataclass

from renp_infer.verbs.forecast.columns import column
from renp_infer.verbs.forecast.quantities import FisherCell

SECOND = "second"
"""Dimension of the second parameter of a profile."""
DATA_SET = "data_set"
"""First dimension of the forward model's numbers where there are several data sets."""
INNER = (DATA_SET, "pair", "side")
"""Dimensions of cells that are no axes of a scan."""


@dataclass(frozen=True)
class EvaluatedCell[V]:
    """The forward model at one study.

    Attributes
    ----------
    peak_signal_nG : number
        Field at the angle where it is largest, with sign.
    peak_angle_deg : number
        That angle.
    sigma_nG : number
        Standard error there.
    peak_snr : number
        Largest signal over noise of one angle.
    peak_rate_per_s, peak_magnetization_nG_per_s : number
        Largest of all angles; of the magnetization with sign.
    chi_squared : number
    thresholds_deg : ndarray, shape (..., 6, 2)
        Angles at which each pair opens, on both sides; NaN where it never does.
    failed : number
        1 where the field is not the average of its own sums.
    """

    peak_signal_nG: V
    peak_angle_deg: V
    sigma_nG: V
    peak_snr: V
    peak_rate_per_s: V
    peak_magnetization_nG_per_s: V
    chi_squared: V
    thresholds_deg: V = column("pair", "side")
    failed: V = column()


@dataclass(frozen=True)
class InferredCell[V]:
    """The posterior of m1 at one study, meV.

    Attributes
    ----------
    mean_m1_meV, sd_m1_meV, median_m1_meV : number
    low_68_m1_meV, high_68_m1_meV, low_95_m1_meV, high_95_m1_meV : number
        Equal-tailed credible intervals.
    upper_90_m1_meV, upper_95_m1_meV : number
        One-sided.
    measured : number
        0 where the data say nothing beside the prior.
    warned, failed : number
        1 where the worst of diagnostics and model checks is that.
    """

    mean_m1_meV: V
    sd_m1_meV: V
    median_m1_meV: V
    low_68_m1_meV: V
    high_68_m1_meV: V
    low_95_m1_meV: V
    high_95_m1_meV: V
    upper_90_m1_meV: V
    upper_95_m1_meV: V
    measured: V
    warned: V
    failed: V


@dataclass(frozen=True)
class ProfiledLine[V]:
    """A profile at one value of the first parameter.

    Attributes
    ----------
    first : number
        That value.
    second : ndarray, shape (..., n)
        Values of the second parameter.
    chi2, confirmed : ndarray, shape (..., n)
        All else minimised; 1 where two searches ended there.
    best_first, best_second, best_chi2 : number
        Of the best fit.
    """

    first: V
    second: V = column(SECOND)
    chi2: V = column(SECOND)
    confirmed: V = column(SECOND)
    best_first: V = column()
    best_second: V = column()
    best_chi2: V = column()


KINDS = {"evaluate": EvaluatedCell, "infer": InferredCell, "forecast": FisherCell}
"""By what is asked."""
SHOWN = {
    "evaluate": ("peak_snr", "peak_signal_nG", "peak_rate_per_s"),
    "infer": ("mean_m1_meV", "sd_m1_meV"),
    "forecast": ("sigma_m1_meV",),
}
"""Columns that are drawn, and shown in a terminal."""
