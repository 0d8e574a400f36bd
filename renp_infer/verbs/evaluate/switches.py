"""The physics switches of a run beside those of all presets."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from renp_infer.engine.page import Cell, Column, Table
from renp_infer.records import PRESETS, switch_names
from renp_infer.switches import told
from renp_infer.verbs.evaluate.result import EvaluateResult

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

SWITCH_MEANING = {
    "phase_space": "pair momenta in the plane, Eq. (17), or in space, Eq. (12)",
    "form_factor": "crystal form factor: Eq. (18), or plane waves, Eq. (15)",
    "majorana_kappa": "coefficient of the Majorana term − κ mᵢ mⱼ",
    "weights": "pair weights: Eq. (3), or the printed rows of Table IV",
    "h_r": "through the printed C of Eq. (24), or Eq. (8) with p→g rates (1383)",
    "gamma_power": "power of γ_ep in rate and magnetization",
    "moment": "moment per event: nμ, one ion's μ/V with g, or with δμ of its doublets",
    "rate_prefactor": "the number in Eq. (57), or Eq. (16)",
    "matrix_elements": "S_ep² and v/S as printed, or from Table I",
    "bloch": "optical Bloch equations as printed, or Lindblad",
    "current_axis": "electron current along the c axis, or across it",
    "vector_current": "V₀ = 0, or V₀ = P·v/ε, as the conserved current has it",
    "source": "what leaves the moment: S·v, Eq. (61), or S with weak magnetism",
    "trigger": "emission by h_r² ρₑₑⁿ|ρₑₚ|², or by |ρₑₚ|² alone",
    "current_normalisation": "Eqs. (10), (16), or spinors with A = 2S: 16 times as much",
    "field_axis": "field with the factor cos(θₛ − c), or along the moment",
}


def preset_of(run: Run) -> str:
    """Name of the preset, with a plus sign where single switches depart from it."""
    name = str(run.study.get("physics", {}).get("preset", "published"))
    return f"{name} + own switches" if name in PRESETS and differing(run, name) else name


def differing(run: Run, preset: str) -> list[str]:
    """Switches that have a meaning in the run and whose value is not the preset's."""
    model, reference = told(run.get(EvaluateResult).model), asdict(PRESETS[preset])
    return [name for name, value in model.items() if value not in (None, reference[name])]


def switch_table(run: Run) -> Table:
    """Resolved switches beside all presets."""
    model = told(run.get(EvaluateResult).model)
    presets = [told(switches) for switches in PRESETS.values()]
    rows: tuple[tuple[str | Cell, ...], ...] = tuple(
        (
            name,
            Cell(_text(model[name]), "other"),
            *(_beside(preset[name], model[name]) for preset in presets),
            SWITCH_MEANING[name],
        )
        for name in switch_names()
    )
    heads = ("switch", "this run", *PRESETS, "what it chooses")
    columns = tuple(Column(head, heads=not k, code=not k) for k, head in enumerate(heads))
    caption = "Resolved switches and the presets; ≠ marks where a preset differs from this run."
    return Table(columns, rows, caption)


def _beside(value: object, own: object) -> Cell:
    return (
        Cell(_text(value), "same")
        if value == own
        else Cell(f"≠\N{NO-BREAK SPACE}{_text(value)}", "other")
    )


def _text(value: object) -> str:
    return "no meaning" if value is None else str(value)


def switch_sentence(run: Run) -> str:
    """Which corrections the run contains, in words."""
    parts = []
    for preset in PRESETS:
        names = differing(run, preset)
        parts.append(
            f"{len(names)} of {len(switch_names())} switches differ from {preset}"
            if names
            else f"all {len(switch_names())} switches are as in {preset}"
        )
    return "; ".join(parts).capitalize() + "."
