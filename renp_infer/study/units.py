"""Units and words of every array that is written or handed out, from its name.

Names carry their units; these attributes say the same to programs that look there, as xarray,
ArviZ and netCDF tools do. What has no unit has ``1``, what is no number none at all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from renp_infer.inference.parameters import DERIVED_TEXTS, PARAMETERS

if TYPE_CHECKING:
    import xarray

UNITS, LONG_NAME = "units", "long_name"
NO_UNIT = "1"
_NUMBERS = "biufc"
_UNITS = {
    "m1_meV": "meV", "meV": "meV", "eV": "eV", "eV2": "eV^2", "eV3": "eV^3", "eV5": "eV^5",
    "eV6": "eV^6", "nG": "nG", "nG2": "nG^2", "nG_per_s": "nG/s", "fT": "fT", "deg": "deg",
    "rad": "rad", "s": "s", "per_s": "1/s", "ms": "ms", "cm": "cm", "cm2": "cm^2",
    "cm3": "cm^3", "mW_cm2": "mW/cm^2", "mW": "mW", "hz": "Hz", "nat": "nat", "K": "K",
    "G": "G", "meV_per_sigma": "meV", "per_cm3": "1/cm^3",
}  # fmt: skip
"""Units by the end of a name; the longest end counts."""
_OWN_UNITS = {"dm2_21": "eV^2", "dm2_3l": "eV^2"}
_WORDS = {
    "m1_meV": "lightest neutrino mass",
    "theta_s_deg": "angle of the trigger laser",
    "theta_s_offset_deg": "what the trigger angle is off by",
    "theta_e_offset_deg": "what the excitation angle is off by",
    "field_nG": "measured field at the detector",
    "signal_nG": "smoothed field at the detector",
    "signal_true_nG": "true signal at the detector",
    "sigma_nG": "standard error of the field",
    "amplitude": "factor of the signal",
    "baseline_nG": "uniform offset of the field",
    "leakage": "parity-even leakage over the peak signal",
    "refractive_index": "refractive index",
    "extraordinary_offset": "what extraordinary indices are off by",
    "sin2_12": "squared sine of theta_12",
    "sin2_13": "squared sine of theta_13",
    "dm2_21": "splitting of the squared masses 2 and 1",
    "dm2_3l": "splitting of the squared masses 3 and the lightest",
    "delta_deg": "Dirac phase",
    "alpha21_deg": "Majorana phase alpha_21",
    "alpha31_deg": "Majorana phase alpha_31",
    "lp": "log density of a draw",
    "log_evidence": "natural logarithm of the evidence",
    "log_evidence_error": "standard error of the log evidence",
    **DERIVED_TEXTS,
}


def unit_of(name: str) -> str:
    """Unit that a name carries; ``1`` for none."""
    if name in _OWN_UNITS:
        return _OWN_UNITS[name]
    plain = re.sub(r"\[.*\]$", "", name)  # a group of several data sets
    ends = [end for end in _UNITS if plain == end or plain.endswith(f"_{end}")]
    return _UNITS[max(ends, key=len)] if ends else NO_UNIT


def words_of(name: str) -> str:
    """What a name means: its words, without the unit, where there is nothing better."""
    if name in _WORDS:
        return _WORDS[name]
    for prefix in ("truth_", "sigma_", "sd_", "mean_"):
        rest = name.removeprefix(prefix)
        if rest != name and rest in (*PARAMETERS.names, *DERIVED_TEXTS):
            return f"{prefix[:-1]} of {words_of(rest)}"
    ends = [end for end in _UNITS if name.endswith(f"_{end}")]
    stem = name.removesuffix(f"_{max(ends, key=len)}") if ends else name
    return stem.replace("_", " ")


def attributes_of(name: str, kind: str) -> dict[str, str]:
    """Attributes of an array by name and NumPy's letter of its kind."""
    told = {LONG_NAME: words_of(name)}
    return {UNITS: unit_of(name)} | told if kind in _NUMBERS else told


def described[T: (xarray.Dataset, xarray.DataTree)](data: T) -> T:
    """The same data, every variable and coordinate with its attributes; own ones stay."""
    for node in getattr(data, "subtree", [data]):
        for name, variable in node.variables.items():
            told = attributes_of(str(name), variable.dtype.kind)
            variable.attrs.update({key: told[key] for key in told if key not in variable.attrs})
    return data
