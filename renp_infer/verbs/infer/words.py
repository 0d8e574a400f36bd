"""What is said of a posterior, in words: a number, a limit, or that the data do not measure it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renp_infer.inference.parameters import PARAMETERS, SEEN_PHASES
from renp_infer.verbs.infer.cells import NOT_MEASURED, limited, shown
from renp_infer.verbs.infer.result import InferResult

if TYPE_CHECKING:
    from renp_infer.engine.run import Run


def mass_bounds(run: Run) -> tuple[float, float]:
    """Hard bounds of the m1 prior, meV."""
    settings = run.study.get("inference", {})
    log = settings.get("m1_prior", "uniform") == "log-uniform"
    return (settings.get("m1_min_meV", 0.1) if log else 0.0), settings.get("m1_max_meV", 450.0)


def prior_of_mass(run: Run) -> str:
    """The prior that a limit of m1 leans on."""
    low, high = mass_bounds(run)
    kind = run.study.get("inference", {}).get("m1_prior", "uniform")
    return f"prior {kind} from {low:g} to {high:g} meV"


def mass_sentence(run: Run) -> str:
    """The mass, as far as it was measured; without an end."""
    found, prior = run.get(InferResult).mass, prior_of_mass(run)
    known = "" if found.truth is None else f"; truth {found.truth:.4g} meV"
    limits = ""
    if limited(found):
        first, second = (shown(x, found) for x in (found.upper_95, found.upper_90))
        limits = f"m₁ < {first} meV at 95 %, < {second} meV at 90 % (credible, one-sided, {prior})"
    if found.measured is False:
        return (
            f"The mass is not measured: its posterior is that of the prior. {limits} is what "
            f"the prior alone gives{known}"
        )
    ends = [f"{end:g} meV" for end, side in zip(mass_bounds(run), ("lower", "upper"), strict=True)
            if side in found.reaches]  # fmt: skip
    reached = f"; the posterior reaches the prior's end at {' and '.join(ends)}" if ends else ""
    if limits:
        return f"{limits}{reached}{known}"
    low, high = (shown(x, found) for x in found.interval_95)
    mean, sd = shown(found.mean, found), shown(found.sd, found)
    text = f"m₁ = {mean} ± {sd} meV, 95 % interval {low} to {high} meV{reached}"
    if found.truth is None:
        return text
    inside = found.interval_95[0] <= found.truth <= found.interval_95[1]
    lies = "inside" if inside else "OUTSIDE"
    return f"{text}; the truth, {found.truth:.4g} meV, lies {lies}"


def phases_sentence(run: Run) -> str:
    """What the data say of the phases that a signal can tell; empty without them."""
    found = run.get(InferResult).estimates
    if not set(SEEN_PHASES) <= set(found):
        return ""
    parts = []
    for name in SEEN_PHASES:
        ranges = " and ".join(f"{low:.0f} to {high:.0f}" for low, high in found[name].ranges()[0])
        said = f"{ranges} (68 %)" if found[name].measured else NOT_MEASURED
        parts.append(f"{PARAMETERS.text(name)} {said}")
    return f"Of the phases data see two combinations: {', '.join(parts)}"
