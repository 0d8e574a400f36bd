"""The evaluation in the report: switches, the angular distribution, the truth."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from renp_infer.engine.page import Answer, Block, Column, Facts, Page, Part, Table, Text
from renp_infer.figures.drawing import number
from renp_infer.figures.plate import Plate, plate
from renp_infer.figures.words import text_of
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.physics.constants import EV_TO_MILLI_EV
from renp_infer.verbs.evaluate.facts import Rung
from renp_infer.verbs.evaluate.figures import (
    angular_distribution,
    normalised_label,
    presets_figure,
    source,
)
from renp_infer.verbs.evaluate.result import EvaluateResult, OfSet
from renp_infer.verbs.evaluate.switches import switch_sentence, switch_table

if TYPE_CHECKING:
    from renp_infer.engine.page import Block
    from renp_infer.engine.run import Run

PRESUMED = "Not the truth, which the data do not tell: fixed parameters, and the expected signal."

STEPS_CAPTION = (
    "Each step keeps those before it. Fields are absolute, at the lasers and crystal of this "
    "study; where the trigger enters as h_r, at the most that ρₑₑ³|ρₑₚ|² can be."
)
WHY = {
    "published": "the paper as printed",
    "corrected": "its equations rightly evaluated: one event is one ion, in space, h_r of Eq. (8)",
    "vector_current": "V₀ = P·v/ε takes away what grew towards the thresholds",
    "trigger": "a later laser cannot speed up an earlier emission: |ρₑₚ|² alone, no h_r",
    "current_normalisation": "1 − γ₅ and A = 2S in the place of Eqs. (10), (16)",
    "source + moment + field_axis": (
        "S·v leaves no moment in unpolarised ions by time reversal; the axial current with weak "
        "magnetism does, δμ along the axis of the doublets"
    ),
}


SETS = (
    Column("data set", heads=True),
    *(Column(name) for name in ("run", "crystal", "data", "angles")),
    Column("peak S/N", number=True),
)
SETS_CAPTION = (
    "Data sets of one likelihood. What a run zeroes, and what is of a crystal, is the same in all "
    "of its sets, unless inference.sharing says otherwise."
)


def page(run: Run) -> Page:
    """What every page about a run begins with, and the truth."""
    said = [switch_sentence(run), *run.get(EvaluateResult).notes]
    switches: tuple[Block, ...] = (*map(Text, said), switch_table(run))
    parts = (
        Part(0, "switches", "Physics switches", switches, "Switches"),
        *steps_part(run),
        *sets_part(run),
        Part(10, "figures", "Figures", _plates(run)),
        Part(60, "diagnostics", "", (truth(run),), "Truth and diagnostics"),
    )
    return Page(
        parts,
        (Answer("Evaluation", sentence(run), modest=True),),
        "Signal and noise at each trigger angle",
        "What field would the detector see, and how far above its noise",
    )


def _plates(run: Run) -> tuple[Plate, ...]:
    """Expected data of each set."""
    title = "Angular distribution"
    return tuple(
        plate(
            f"angles-{one.name}",
            f"{title}: {one.name}",
            partial(angular_distribution, data_set=one.name),
            run,
        )
        for one in run.get(EvaluateResult).sets
    ) or (plate("angles", title, angular_distribution, run),)


def sets_part(run: Run) -> tuple[Part, ...]:
    """What there is of several data sets."""
    found = run.get(EvaluateResult).sets
    if not found:
        return ()
    rows = tuple(_set_cells(one) for one in found)
    table = Table(SETS, rows, SETS_CAPTION)
    return (Part(8, "sets", "Data sets", (table,)),)


def _set_cells(one: OfSet) -> tuple[str, ...]:
    theta, snr = one.found.theta_s_deg, number(one.found.peak_snr, 3)
    angles = f"{theta.size}, {number(theta.min())}° to {number(theta.max())}°"
    return one.name, one.run, one.crystal, one.found.data or "mock", angles, snr


def steps_part(run: Run) -> tuple[Part, ...]:
    """What changes from the paper's equations to the weak Hamiltonian, why and by how much."""
    found = run.get(EvaluateResult).steps
    if not found:
        return ()
    shown = plate("steps", "The presets side by side", presets_figure, run)
    blocks: tuple[Block, ...] = (steps_table(found), shown)
    return (
        Part(5, "steps", "From the paper's equations to the weak Hamiltonian", blocks, "Steps"),
    )


def steps_table(found: tuple[Rung, ...]) -> Table:
    """Peak field at each step, how it changes by it, and why."""
    rows, before = [], None
    for step in found:
        peak = None if step.signal_nG is None else max(map(abs, step.signal_nG))
        factor = "–" if not peak or not before else number(peak / before, 2)
        shown = "–" if peak is None else number(peak, 3)
        rows.append((step.name, shown, factor, step.failed or WHY[step.name]))
        before = peak
    columns = (
        Column("step", heads=True, code=True),
        Column("peak field [nG]", number=True),
        Column("times the one before", number=True),
        Column("why"),
    )
    return Table(columns, tuple(rows), STEPS_CAPTION)


def truth(run: Run) -> Facts:
    """The neutrino that the data were made with, or that the study fixes."""
    found = run.get(EvaluateResult)
    rows = [(PARAMETERS.text(key), text_of(value)) for key, value in vars(found.truth).items()]
    masses = [EV_TO_MILLI_EV * mass for mass in found.masses_eV]
    rows.append(("m₁, m₂, m₃ [meV]", ", ".join(number(mass) for mass in masses)))
    rows.append(("sum of masses [meV]", number(sum(masses))))
    if source(run):
        return Facts(tuple(rows), PRESUMED, "Point of the study")
    return Facts(tuple(rows), "The neutrino behind the mock data.", "Truth")


def sentence(run: Run) -> str:
    """What an evaluation alone says."""
    found = run.get(EvaluateResult)
    peak = max(found.signal_nG, key=abs)
    label = normalised_label(run)
    return (
        f"Evaluated only, no inference: the field peaks at {number(peak, 3)} nG, "
        f"a peak S/N of {number(found.peak_snr, 3)} per angle"
        f"{f' ({label})' if label else ''}."
    )
