"""A blinded posterior in the report and in the terminal."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from rich.box import SIMPLE_HEAD
from rich.table import Table as TerminalTable

from renp_infer.engine.page import Answer, Block, Facts, Note, Page, Part, Text, reasons
from renp_infer.engine.sealing import openings
from renp_infer.figures import drawing as plots
from renp_infer.figures.drawing import number
from renp_infer.figures.plate import ANGLE, new_figure, plate
from renp_infer.figures.words import text_of
from renp_infer.inference.parameters import MASS, PARAMETERS
from renp_infer.verbs.infer.blinded import BlindedFit, blinded_rows, blinded_text

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

WARNING = (
    "Blinded: every mass has an offset of its own, which may make it negative, and nothing else "
    "of the posterior is kept. renp unblind RUN --key FILE shows it."
)


def page(run: Run) -> Page:
    """What may be seen: shifted masses, pulls and checks."""
    found = run.get(BlindedFit)
    published = found.published
    blocks: list[Block] = [Note(WARNING), *map(Text, opened(run))]
    for name, verdict in found.verdicts().items():
        blocks += [Text(name.capitalize(), verdict.verdict), *reasons(verdict)]
    blocks.append(Facts(tuple(blinded_rows(found)), "Means with their offsets.", "Masses, meV"))
    pulls = tuple(
        (PARAMETERS.text(name), f"{number(row.pull, 2)} ± {number(row.width, 2)}")
        for name, row in published.nuisances.items()
    )
    blocks.append(Facts(pulls, "Posterior by the prior, in the prior's sd.", "Pulls of nuisances"))
    checks = (
        *(("posterior predictive p, " + k.replace("_", " "), number(p, 2))
          for k, p in published.posterior_p.items()),
        *(("prior predictive p, " + k, number(p, 2)) for k, p in published.prior_p.items()),
        *((k.replace("_", " "), text_of(v)) for k, v in published.diagnostics.items() if v),
    )  # fmt: skip
    blocks.append(Facts(checks, "What the verdicts rest on.", "Checks"))
    title = "Pulls and influence by angle"
    blocks += [
        plate(f"pulls-{name}", f"{title}: {name}", partial(pulls_by_angle, data_set=name), found)
        for name in dict.fromkeys(found.data_set)
    ] or [plate("pulls", title, pulls_by_angle, found)]
    part = Part(10, "blinded", "Blinded posterior", tuple(blocks))
    said = f"Blinded. m₁ + offset = {blinded_text(published.masses[MASS])} meV."
    return Page(
        (part,),
        (Answer("Mass", said),),
        "A blinded fit of the lightest neutrino mass",
        "Is the fit sound, before anybody sees the mass",
    )


def opened(run: Run) -> list[str]:
    """Who has unblinded a run, each in a sentence."""
    return [
        f"Unblinded by {line['who']}, {line['when']}, with {line['version']}: {line['directory']}."
        for line in openings(run.directory)
        if line["event"] == "done"
    ]


def pulls_by_angle(found: BlindedFit, data_set: str = "") -> tuple[Figure, str]:
    """Pulls of the decorrelated data, of one of several sets, and the Pareto k without each."""
    own = np.array(found.data_set) == data_set if data_set else slice(None)
    theta, pull = found.theta_s_deg[own], found.pull[own]
    figure, (upper, lower) = new_figure(4.8, 2, sharex=True, height_ratios=(1.4, 1))
    for width, colour in ((2.0, plots.BAND_95), (1.0, plots.BAND_68)):
        upper.axhspan(-width, width, color=colour, lw=0)
    upper.plot(theta, pull, "o", ms=3.5, color=plots.BLACK)
    upper.set_ylabel("pull [σ]")
    lower.plot(theta, found.pareto_k[own], "o", ms=3.5, color=plots.BLUE)
    lower.set(xlabel=ANGLE, ylabel="Pareto k")
    rms = number(float(np.sqrt(np.mean(pull**2))), 2)
    return figure, (
        "Top: data minus the posterior's mean field in units of σ, decorrelated; bands at 1 and "
        f"2σ; rms {rms}. Bottom: Pareto k of leaving one angle out. The fitted field itself is "
        "not shown: this run is blinded."
    )


def blinded_table(run: Run) -> TerminalTable:
    """What the terminal says of a blinded posterior."""
    table = TerminalTable(title=f"{run.name}: blinded", box=SIMPLE_HEAD)
    table.add_column("quantity")
    table.add_column("blinded", justify="right")
    for row in blinded_rows(run.get(BlindedFit)):
        table.add_row(*row)
    table.add_row("verdict", run.verdict)
    table.caption = WARNING
    return table
