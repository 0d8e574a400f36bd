"""Which physics: the switches of a study, and the presets that set them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal


@dataclass(frozen=True)
class Switches:
    """Which physics: each field is one documented choice, see ``PRESETS``.

    The defaults are the ``published`` preset: the paper as printed.
    """

    phase_space: Literal["planar", "full"] = "planar"
    """Planar integral of Eqs. (17), (62), or Eq. (12) in three dimensions."""
    form_factor: Literal["lorentzian", "plane-wave"] = "lorentzian"
    """Crystal form factor: Eq. (18) or Eq. (15)."""
    majorana_kappa: float = 0.125
    """Coefficient of ``- kappa m_i m_j`` in Eqs. (56), (63)."""
    weights: Literal["eq3", "table-iv"] = "eq3"
    """Pair weights from Eq. (3), or the printed rows of Table IV."""
    h_r: Literal["printed", "eq8"] = "printed"
    """Through the printed C of Eq. (24), or Eq. (8) with p->g rates (1383)."""
    gamma_power: Literal[1, 2] = 1
    """Power of gamma_ep in rate and magnetization, Eqs. (24), (57), (64)."""
    moment: Literal["density", "single-ion", "doublet"] = "density"
    """Moment per event: n mu of Eq. (58), mu / V, or what one ion's doublets differ by."""
    rate_prefactor: Literal["C", "C/2"] = "C"
    """The number in Eq. (57), which is C times S_ep^2, or Eq. (16)."""
    matrix_elements: Literal["printed", "recomputed"] = "printed"
    """S_ep^2 and |S||v| as printed, or recomputed from Table I."""
    bloch: Literal["printed", "lindblad"] = "printed"
    """Optical Bloch equations as in (A5)-(A13), or as a Lindblad generator."""
    current_axis: Literal["parallel", "transverse"] = "parallel"
    """Electron current along the c axis (paper), or Delta M = 1: across it."""
    vector_current: Literal["spatial", "conserved"] = "spatial"
    """V0 = 0 (paper), or V0 = P.v / eps, as the conserved current has it."""
    source: Literal["spin-velocity", "weak-magnetism"] = "spin-velocity"
    """What leaves the moment: S.v of Eq. (61), or S with weak magnetism, odd in P."""
    trigger: Literal["h_r", "coherence"] = "h_r"
    """Emission by h_r^2 rho_ee^n |rho_ep|^2 (paper), or by |rho_ep|^2 alone."""
    current_normalisation: Literal["printed", "spinor"] = "printed"
    """Eqs. (10), (16) as printed, or what spinors with A = 2 S give, 16 times as much."""
    field_axis: Literal["trigger", "moment"] = "trigger"
    """Field with the factor cos(theta_s - c) of Eq. (61), or along the moment: without."""

    @property
    def reference(self) -> str:
        """Where noise that is normalised has its signal-to-noise, for captions."""
        if self.source == "weak-magnetism":
            return "of a massless pair where the moment is largest, in the paper's crystal"
        return "at the paper's layout"


PRESETS: dict[str, Switches] = {
    "published": Switches(),
    "corrected": Switches(
        phase_space="full",
        form_factor="plane-wave",
        majorana_kappa=1.0,
        weights="eq3",
        h_r="eq8",
        gamma_power=2,
        moment="single-ion",
        rate_prefactor="C/2",
        matrix_elements="recomputed",
        bloch="lindblad",
        current_axis="parallel",
    ),
}
_CORRECTED = PRESETS["corrected"]
PRESETS["first-principles"] = replace(
    _CORRECTED,
    vector_current="conserved",
    source="weak-magnetism",
    moment="doublet",
    trigger="coherence",
    current_normalisation="spinor",
    field_axis="moment",
)
"""The paper as printed; its equations rightly evaluated (docs/theory.md); and what its Eq. (1)
says, without the later ones (docs/first-principles.md)."""
WITHOUT_MEANING = {
    ("trigger", "coherence"): ("h_r", "gamma_power"),
    ("current_normalisation", "spinor"): ("rate_prefactor",),
    ("source", "weak-magnetism"): ("current_axis",),
}
"""Switches that nothing depends on once another is set."""


def without_meaning(switches: Switches) -> list[str]:
    """Switches that nothing depends on, given the others."""
    return [
        name
        for (one, value), names in WITHOUT_MEANING.items()
        for name in names
        if getattr(switches, one) == value
    ]


def forbids_moment(switches: Switches) -> bool:
    """Whether S.v makes the moment in what is otherwise the weak Hamiltonian.

    At least one switch has then the value that no reading of the paper has, and says
    more than its Eq. (61), which time reversal makes zero for unpolarised ions.
    """
    if switches.source != "spin-velocity":
        return False
    given, derived = asdict(switches), asdict(PRESETS["first-principles"])
    return any(given[name] == derived[name] != own for name, own in asdict(_CORRECTED).items())


def told(switches: Switches) -> dict[str, Any]:
    """Every switch by name; ``None`` for one without a meaning."""
    return asdict(switches) | dict.fromkeys(without_meaning(switches))


def heard(values: Mapping[str, Any]) -> Switches:
    """Switches that were `told`."""
    return Switches(**{name: value for name, value in values.items() if value is not None})


def switch_names() -> tuple[str, ...]:
    """Names of all physics switches."""
    return tuple(f.name for f in fields(Switches))
