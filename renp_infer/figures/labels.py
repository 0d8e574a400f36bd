"""How parameters are called in figures and tables."""

from __future__ import annotations

CIRCULAR = ("delta_deg", "alpha21_deg", "alpha31_deg")
CORNER = (
    "m1_meV",
    *("amplitude", "baseline_nG", "leakage"),
    "refractive_index",
    "theta_s_offset_deg",
    "theta_e_offset_deg",
    *CIRCULAR,
)
LABELS = {
    "m1_meV": ("m₁", "meV"),
    "amplitude": ("amplitude", ""),
    "baseline_nG": ("baseline", "nG"),
    "leakage": ("leakage", ""),
    "refractive_index": ("nᵣ", ""),
    "theta_s_offset_deg": ("Δθₛ", "deg"),
    "theta_e_offset_deg": ("Δθₑ", "deg"),
    "sin2_12": ("sin²θ₁₂", ""),
    "sin2_13": ("sin²θ₁₃", ""),
    "dm2_21": ("Δm²₂₁", "eV²"),
    "dm2_3l": ("Δm²₃ₗ", "eV²"),
    "delta_deg": ("δ", "deg"),
    "alpha21_deg": ("α₂₁", "deg"),
    "alpha31_deg": ("α₃₁", "deg"),
}
"""Symbol and unit of each parameter."""
NAMES = {key: f"{text} [{unit}]" if unit else text for key, (text, unit) in LABELS.items()}
"""Symbol and unit as the head of a row."""
