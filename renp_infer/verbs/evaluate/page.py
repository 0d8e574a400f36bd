"""The evaluation in the report: switches, the angular distribution, the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renp_infer.engine.page import Answer, Block, Facts, Page, Part, Text
from renp_infer.figures.drawing import number
from renp_infer.figures.plate import plate
from renp_infer.figures.words import text_of
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.physics.constants import EV_TO_MILLI_EV
from renp_infer.verbs.evaluate.figures import angular_distribution, normalised_label, source
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.evaluate.switches import switch_sentence, switch_table

if TYPE_CHECKING:
    from renp_infer.engine.page import Block
    from renp_infer.engine.run import Run

PRESUMED = "Not the truth, which the data do not tell: fixed parameters, and the expected signal."


def page(run: Run) -> Page:
    """What every page about a run begins with, and the truth."""
    said = [switch_sentence(run), *run.get(EvaluateResult).notes]
    switches: tuple[Block, ...] = (*map(Text, said), switch_table(run))
    figures = (plate("angles", "Angular distribution", angular_distribution, run),)
    parts = (
        Part(0, "switches", "Physics switches", switches, "Switches"),
        Part(10, "figures", "Figures", figures),
        Part(60, "diagnostics", "", (truth(run),), "Truth and diagnostics"),
    )
    return Page(parts, (Answer("Evaluation", sentence(run), modest=True),))


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
