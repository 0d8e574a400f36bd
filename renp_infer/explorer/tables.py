"""The numbers beside the picture, as rows of text."""

from __future__ import annotations

import numpy as np

from renp_infer.engine.run import Run
from renp_infer.explorer.curves import Curve, MassError
from renp_infer.explorer.picture import Picture
from renp_infer.figures.drawing import number, rounded
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.records import PAIRS
from renp_infer.verbs.infer.cells import estimate, interval
from renp_infer.verbs.infer.result import InferResult

Rows = list[list[str]]
NOTHING = "—"
USELESS_MEV = 1e4
"""Error of m1 from which nothing is learned: no pair is that heavy."""


def number_rows(picture: Picture) -> Rows:
    """Head and rows of the main numbers, one column per preset."""
    curves = list(picture.curves.values())
    rows = [["", *(curve.label for curve in curves)]]
    rows.append(["peak field [nG]", *(_peak(curve) for curve in curves)])
    rows.append(["1σ noise per angle [nG]", *(number(float(c.sigma_nG[0]), 3) for c in curves)])
    rows.append(["peak S/N of one angle", *(number(c.peak_snr, 3) for c in curves)])
    rows.append(["S/N of all angles", *(number(c.total_snr, 3) for c in curves)])
    rows.append(["|χ|²", *(number(c.chi_squared, 3) for c in curves)])
    rows.append(["error of m₁, all free [meV]", *(_error(c, "all_free_meV") for c in curves)])
    rows.append(["error of m₁, alone [meV]", *(_error(c, "alone_meV") for c in curves)])
    rows.append(["Fisher applies", *(_caveat(c) for c in curves)])
    return rows


def _peak(curve: Curve) -> str:
    k = int(np.argmax(np.abs(curve.signal_nG)))
    return f"{number(float(curve.signal_nG[k]), 3)} at {curve.theta_deg[k]:.1f}°"


def _error(curve: Curve, name: str) -> str:
    if not isinstance(curve.mass_error, MassError):
        return NOTHING
    value = float(getattr(curve.mass_error, name))
    return number(value, 3) if value < USELESS_MEV else "no information"


def _caveat(curve: Curve) -> str:
    if not isinstance(curve.mass_error, MassError):
        return curve.mass_error
    return f"no: {curve.mass_error.caveat}" if curve.mass_error.caveat else "yes"


def free_and_fixed(picture: Picture) -> str:
    """What the error of m1 allows to vary, in words."""
    for curve in picture.curves.values():
        error = curve.mass_error
        if isinstance(error, MassError):
            return (
                f"Expected error by Fisher information, total exposure. Free beside m₁: "
                f"{_names(error.free)}. Fixed: {_names(error.fixed)}."
            )
    return "There is no expected error of m₁ for these settings."


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(PARAMETERS.label(name)[0] for name in names) or "nothing"


def threshold_rows(picture: Picture) -> Rows:
    """Head and rows of the pair thresholds, deg."""
    curve = next(iter(picture.curves.values()))
    rows = [["pair", "lower θₛ [deg]", "upper θₛ [deg]"]]
    for pair in PAIRS:
        sides = curve.thresholds_deg[pair]
        shown = [NOTHING, NOTHING] if sides is None else [f"{angle:.3f}" for angle in sides]
        rows.append([f"({pair})", *shown])
    return rows


def run_rows(run: Run) -> Rows:
    """Head and rows of a run's posterior."""
    rows = [["parameter", "mean ± sd, < 95 %", "95 % interval"]]
    posterior = run.find(InferResult)
    for name, found in (posterior.estimates if posterior else {}).items():
        cells = estimate(found, rounded), interval(found, " to ", rounded)
        rows.append([PARAMETERS.text(name), *cells])
    return rows
