"""What the signal of a run amounts to, before any number that is learnt from it."""

from __future__ import annotations

import math

from renp_infer.engine.run import Run
from renp_infer.verbs.evaluate.result import EvaluateResult

SMALL_LEAKAGE = 0.1
"""Of the peak: at a peak S/N of 600 the error of a leakage's shape, 1.6e-3 of it for a meV,
is then a tenth of a standard deviation."""


def shortfall(run: Run) -> str:
    """How far a signal is from being seen, how rare a pair is, and what is outside its range.

    Empty if nothing is to be said: the noise is scaled, or the signal can be seen, and the
    equations hold. Of the weak Hamiltonian there is always something, scaled noise or not.
    """
    said = " ".join(said_of(run.get(EvaluateResult)))
    return f"{run.name}: {said}" if said else ""


def said_of(found: EvaluateResult) -> list[str]:
    """The same as sentences, of an evaluation."""
    texts = weakness(found), found.rarity, _unscaled(found), found.caution, _polarised(found)
    return [text for text in texts if text]


def _unscaled(found: EvaluateResult) -> str:
    """What the scaling of the noise hides, of the weak Hamiltonian."""
    if not (found.normalised and found.rarity) or found.missing_orders is None:
        return ""
    return (
        f"Without the scaling of the noise its field is {found.missing_orders:.1f} orders of "
        "magnitude short of S/N = 1."
    )


def _polarised(found: EvaluateResult) -> str:
    """That a field without parity violation is no small part of what is measured."""
    left = found.left_by_reversal
    if left is None or left <= SMALL_LEAKAGE:
        return ""
    return (
        f"Reversing P leaves {left:.2g} times its peak of the field of polarised ions "
        "(detector.reversal_leakage); a fit knows that field's shape at the true mass only."
    )


def weakness(found: EvaluateResult) -> str:
    """How far an absolute signal is from being seen; empty if it is, or the noise is scaled."""
    snr = found.peak_snr
    if found.normalised or snr >= 1:
        return ""
    if snr <= 0:
        return "There is no signal at these angles."
    return (
        f"Nothing can be seen: the signal is {-math.log10(snr):.1f} orders of magnitude short of "
        "S/N = 1."
    )
