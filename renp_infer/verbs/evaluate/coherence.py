"""The coherence of an evaluation, from the Bloch equations."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Coherence:
    """What the Bloch equations give, and how well they keep what a state must keep.

    Attributes
    ----------
    peak, peak_time_ms : float
        Largest abs(chi)^2 of a cycle, and when.
    mean : float
        abs(chi)^2 over a cycle.
    field_peak_over_growth_ms, field_peak_time_ms : float
        Largest field of a cycle over its growth at ``mean``, and when.
    excited_at_end : float
        Share of e when a cycle ends.
    trace_error, hermiticity_error : float
    smallest_eigenvalue : float
        Of the density matrix.
    positive : bool
        Whether that is none below 0, to rounding.
    detunings : int
        Classes of ions that were averaged over.
    spread_error : float
        Relative, of that average.
    lit : float or None
        ``mean``, which is that of the crystal, by what it is where beams come in; ``None`` if
        beams do not fade.
    """

    peak: float
    peak_time_ms: float
    mean: float
    field_peak_over_growth_ms: float
    field_peak_time_ms: float
    excited_at_end: float
    trace_error: float
    hermiticity_error: float
    smallest_eigenvalue: float
    positive: bool
    detunings: int
    spread_error: float
    lit: float | None = None
