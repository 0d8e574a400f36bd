"""What the terminal says of runs."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

from renp_infer.terminal import WIDTH
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.infer.assumptions import sentences
from renp_infer.verbs.infer.cells import estimate, interval, limited
from renp_infer.verbs.infer.result import CONSTRAINTS, InferResult
from renp_infer.verbs.infer.words import (
    constraints_of,
    known_sentences,
    mass_sentence,
    masses_sentence,
    phases_sentence,
    priors_of,
)

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

_NAME = 16
"""Longest line of a study's name: the numbers beside it stay whole in 80 columns."""


def summary_table(runs: Sequence[Run]) -> Table:
    """One row per run: what it asked, and what it found about the mass."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), width=WIDTH)
    table.add_column("study\npreset", overflow="fold")
    for name in (
        "layout\n[deg]", "peak\nS/N", "m1 ± sd,\n< 95 % [meV]", "95 % interval\n[meV]",
        "truth\n[meV]", "verdict",
    ):  # fmt: skip
        table.add_column(name, justify="right", overflow="fold")
    for run in runs:
        table.add_row(*_summary_row(run))
    said = [text for run in runs for text in _said(run)]
    if said:
        table.caption, table.caption_justify, table.caption_style = "\n".join(said), "left", ""
    return table


def _said(run: Run) -> list[str]:
    """What a row has no room for: a limit with its prior, and phases."""
    posterior = run.find(InferResult)
    if posterior is None:
        return []
    texts = [mass_sentence(run)] if limited(posterior.mass) else []
    known = known_sentences(constraints_of(run), priors_of(run))
    texts += filter(None, [phases_sentence(run), *known, *sentences(run)])
    texts.append(masses_sentence(run))
    apart = posterior.verdicts().get(CONSTRAINTS)
    texts += apart.reasons if apart is not None else ()
    return [f"{run.name}: {text}." for text in texts if text]


def _summary_row(run: Run) -> tuple[str, ...]:
    found = run.get(EvaluateResult)
    preset = run.study["physics"]["preset"]
    name = "\n".join(textwrap.wrap(run.name, _NAME))  # at its hyphens
    label = ",\nnormalised" if found.normalised else ""
    own = [one.found for one in found.sets] or [found]
    dash = "-" if found.sets else "-\n"
    mass = range_ = "-"
    truth = f"{run.study['neutrino']['m1_meV']:.4g}"
    posterior = run.find(InferResult)
    if posterior is not None:
        m1 = posterior.mass
        mass, range_ = estimate(m1), interval(m1)
        if m1.truth is None:
            truth = "-"
    return (
        f"{name}\n{preset}{label}",
        "\n".join(f"{one.theta_s_deg[0]:.1f}{dash}{one.theta_s_deg[-1]:.1f}" for one in own),
        "\n".join(f"{one.peak_snr:.3g}" for one in own),
        mass,
        range_,
        truth,
        "-" if run.verdict == "none" else run.verdict,
    )
