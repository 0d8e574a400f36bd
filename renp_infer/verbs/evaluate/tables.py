"""What the terminal shows of an evaluation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from renp_infer.terminal import angle_table
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.evaluate.shortfall import said_of


def answer(found: EvaluateResult) -> str:
    """How far the signal stands out, in a sentence."""
    place = _strongest(found)
    label = ", normalised" if found.normalised else ""
    field = f"{found.signal_nG[place]:.3g} nG at {found.theta_s_deg[place]:.2f} deg"
    return f"the field peaks at {field}, a peak S/N of {found.peak_snr:.3g} per angle{label}."


def orders(found: EvaluateResult) -> str:
    """By how many orders of magnitude the signal is seen, or not, and what else it amounts to."""
    said = " ".join(said_of(found))
    snr = found.absolute_snr
    if "orders of magnitude" in said or snr is None or snr <= 0.0:
        return said
    what = "Without the scaling of the noise the" if found.normalised else "The"
    side = "above" if snr >= 1.0 else "short of"
    amount = f"{what} field is {abs(np.log10(snr)):.1f} orders of magnitude {side} S/N = 1."
    return f"{amount} {said}".rstrip()


def evaluation(title: str, found: EvaluateResult) -> Iterator[Table | str]:
    """All numbers, of a study or of one of its data sets, under a title."""
    yield field_table(title, found)
    yield pair_table(found)
    yield from remarks(found)


def field_table(title: str, found: EvaluateResult) -> Table:
    """Rate, signal and noise against the trigger angle."""
    columns = {
        "theta_s [deg]": found.theta_s_deg,
        "rate [1/s]": found.rate_per_s,
        "signal [nG]": found.signal_nG,
        "sigma [nG]": found.sigma_nG,
        "S/N": np.abs(found.signal_nG) / found.sigma_nG,
    }
    label = ", normalised" if found.normalised else ""
    return angle_table(f"{title}{label}", columns)


def pair_table(found: EvaluateResult) -> Table:
    """Where each pair opens, and its integrals at the angle of the strongest field."""
    place = _strongest(found)
    table = Table(title=f"pairs, at {found.theta_s_deg[place]:.2f} deg", box=SIMPLE_HEAD)
    table.add_column("pair")
    for head in ("opens, closes [deg]", "A [eV^5]", "B [eV^3]"):
        table.add_column(head, justify="right")
    for k, pair in enumerate(found.pairs):
        edges = found.thresholds_deg[pair]
        shown = "never" if edges is None else ", ".join(f"{edge:.2f}" for edge in edges)
        integrals = (found.pair_A_eV5[k, place], found.pair_B_eV3[k, place])
        table.add_row(pair, shown, *(f"{value:.5g}" for value in integrals))
    table.caption = "A: integral of U W times the bracket; B: of U W; before any weight"
    return table


def remarks(found: EvaluateResult) -> Iterator[str]:
    """Coherence, and what else is to be known of the signal."""
    once = found.model.trigger == "coherence"
    yield f"{'|rho_ep|^2' if once else '|chi|^2'} = {found.chi_squared:.4g}"
    for what, text in found.rows()[1:]:
        yield f"{what}: {text}"
    yield from filter(None, [unphysical(found), faded(found)])


def unphysical(found: EvaluateResult) -> str:
    """Say that the density matrix is none, if so."""
    state = found.coherence
    if state is None or state.positive:
        return ""
    return f"the density matrix has an eigenvalue of {state.smallest_eigenvalue:.3g} < 0"


def faded(found: EvaluateResult) -> str:
    """Say how much of the light's effect the crystal has, where beams fade."""
    state = found.coherence
    if state is None or state.lit is None:
        return ""
    return f"ions absorb: the crystal has {state.lit:.3g} of that where the lasers come in"


def _strongest(found: EvaluateResult) -> int:
    return int(np.argmax(np.abs(found.signal_nG)))
