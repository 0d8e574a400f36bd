"""What the terminal shows of campaigns, and of what to measure next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from renp_infer.verbs.infer.words import MassPrior, mass_words, prior_of_mass
from renp_infer.verbs.sequential.summary import WHO, CampaignSummary

if TYPE_CHECKING:
    from renp_infer.verbs.sequential.advice import Advice


AHEAD = {1: "one step", 2: "two steps"}
"""How far a choice looked, in words."""


def answer(found: CampaignSummary) -> str:
    """Whether the sequence or a fixed layout knew more, and by how much, for each true mass."""
    said = []
    for row in found.truths:
        own = row.sequential.score_nat
        others = {n: m.score_nat for n, m in row.fixed.items() if m.score_nat is not None}
        if own is None or not others:
            continue
        best, score = max(others.items(), key=lambda item: item[1])
        pair = f"the {WHO['sequential']}", f"the {WHO[best]}"
        who, less = pair if own >= score else pair[::-1]
        gain = f"{abs(own - score):.2f} nat"
        said.append(f"at {row.m1_meV:g} meV {who} knew more than {less} by {gain}")
    if not said:
        return "No campaign can be compared with a fixed layout."
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}."


def prior_alone(prior: MassPrior) -> str:
    """What standard deviations of m1 are to be compared with."""
    return f"The {prior_of_mass(prior)} alone has sd(m₁) = {prior.sd:.3g} meV."


def campaign_tables(found: CampaignSummary, prior: MassPrior) -> list[Any]:
    """Table and lines, at most 80 columns wide, with the prior of m1."""
    about = found.about
    label = ", normalised" if about.normalised else ""
    title = (
        f"{about.name} ({about.preset}{label}): {found.campaigns} campaigns each,\n"
        f"{about.total_s:g} s with {about.setting_s:g} s per move, goal {about.goal}, "
        f"{AHEAD[about.lookahead]} ahead"
    )
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title_justify="left")
    for head in ("m1\n[meV]", "", "sd(m1)\n[meV]", "score\n[nat]", "p(true)", "measure-\nments"):
        table.add_column(head, justify="right" if head else "left")
    for row in found.truths:
        for key, name in WHO.items():
            if count := found.measurements(row, key):
                own = row.of(key)
                numbers = [_short(n) for n in (own.sd_m1_meV, own.score_nat, own.probability)]
                first = f"{row.m1_meV:g}" if key == "sequential" else ""
                table.add_row(first, name, *numbers, f"{count:g}")
    lines: list[Any] = [table, prior_alone(prior)]
    if about.missing:
        lines.append(f"{about.missing} campaigns failed; they are missing")
    return lines


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def advice_lines(found: Advice, prior: MassPrior) -> list[str]:
    """What is known, with the prior of m1 that it leans on, and what to measure next."""
    label = ", normalised" if found.normalised else ""
    lines = [
        f"{found.name}: {found.measurements} measurements, {found.elapsed_s:.6g} s with "
        f"moves, {found.left_s:.6g} s left{label}",
        mass_words(found.m1_meV, prior),
        ", ".join(f"{h.ordering} {h.nature} {h.probability:.3g}" for h in found.hypotheses),
    ]
    step = found.next_setting
    if step is None:
        return [*lines, f"stop: {found.stop}"]
    return [
        *lines,
        f"next: theta_s = {step.theta_s_deg:.6g} deg for {step.exposure_s:.6g} s "
        f"({step.expected_information_nat:.3g} nat expected in {step.seconds:.6g} s)",
    ]
