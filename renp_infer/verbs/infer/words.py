"""What is said of a posterior, in words: a number, a limit, or that the data do not measure it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from renp_infer.inference.parameters import BETA, DOUBLE_BETA, MASS, PARAMETERS, SEEN_PHASES, SUM
from renp_infer.inference.priors.marginals import LogUniform, Normal, Tabulated, Truncated, Uniform
from renp_infer.inference.priors.prior import mass_prior
from renp_infer.inference.results.compared import Estimated
from renp_infer.study.priors import mass_settings
from renp_infer.study.sections.inference import InferenceSection
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.infer.cells import NOT_MEASURED, estimate, limited, shown
from renp_infer.verbs.infer.result import InferResult, summary_in

if TYPE_CHECKING:
    from renp_infer.engine.run import Run


MassPrior = Uniform | LogUniform | Truncated | Tabulated


def mass_prior_of(study: Mapping[str, Any]) -> MassPrior:
    """Prior of m1, meV, of a resolved study."""
    keys, given = ("m1_prior", "m1_min_meV", "m1_max_meV"), study.get("inference", {})
    tables = {key: given[key] for key in keys if key in given}
    own = {key: value for key, value in given.get("priors", {}).items() if key == MASS}
    return mass_prior(mass_settings(InferenceSection(**tables, priors=own or None)))


def mass_bounds(run: Run) -> tuple[float, float]:
    """Hard bounds of the m1 prior, meV."""
    return mass_prior_of(run.study).limits


def prior_of_mass(prior: MassPrior) -> str:
    """The prior that a limit of m1 leans on."""
    low, high = prior.limits
    match prior:
        case Uniform():
            kind = "uniform"
        case LogUniform():
            kind = "log-uniform"
        case Truncated(base=base):
            kind = "cut normal" if isinstance(base, Normal) else "cut log-normal"
        case _:
            kind = "of the study's own table or samples"
    return f"prior {kind} from {low:g} to {high:g} meV"


def mass_words(found: Estimated, prior: MassPrior) -> str:
    """An estimate of m1, meV, as far as it is a measurement; without an end."""
    limits = ""
    if limited(found):
        first, second = (shown(x, found) for x in (found.upper_95, found.upper_90))
        leans = f"credible, one-sided, {prior_of_mass(prior)}"
        limits = f"m₁ < {first} meV at 95 %, < {second} meV at 90 % ({leans})"
    if found.measured is False:
        return (
            f"The mass is not measured: its posterior is that of the prior. {limits} is what "
            "the prior alone gives"
        )
    ends = [f"{end:g} meV" for end, side in zip(prior.limits, ("lower", "upper"), strict=True)
            if side in found.reaches]  # fmt: skip
    reached = f"; the posterior reaches the prior's end at {' and '.join(ends)}" if ends else ""
    if limits:
        return limits + reached
    low, high = (shown(x, found) for x in found.interval_95)
    mean, sd = shown(found.mean, found), shown(found.sd, found)
    return f"m₁ = {mean} ± {sd} meV, 95 % interval {low} to {high} meV{reached}"


def mass_sentence(run: Run) -> str:
    """The mass, as far as it was measured, beside a known truth; without an end."""
    found = run.get(InferResult).mass
    text = mass_words(found, mass_prior_of(run.study))
    if found.truth is None:
        return text
    if limited(found):
        return f"{text}; truth {found.truth:.4g} meV"
    inside = found.interval_95[0] <= found.truth <= found.interval_95[1]
    lies = "inside" if inside else "OUTSIDE"
    return f"{text}; the truth, {found.truth:.4g} meV, lies {lies}"


def masses_sentence(run: Run) -> str:
    """Sum and effective masses in a line; empty where nothing was derived."""
    found = run.get(InferResult).estimates
    names = [name for name in (SUM, BETA, DOUBLE_BETA) if name in found]
    return ", ".join(f"{PARAMETERS.text(name)} {estimate(found[name])}" for name in names)


def premise(run: Run) -> str:
    """The hypothesis under which a posterior is what it is."""
    hypothesis = summary_in(run.get(InferResult).tree)["hypothesis"]
    nature = str(hypothesis["nature"]).capitalize()
    return f"if the ordering is {hypothesis['ordering']} and neutrinos are {nature}"


def answer(run: Run) -> str:
    """The mass, and the hypothesis under which it is that."""
    scaled = ", normalised noise" if run.get(EvaluateResult).normalised else ""
    return f"{mass_sentence(run)}; {premise(run)}{scaled}."


def constraints_of(run: Run) -> tuple[str, ...]:
    """Names of what of other experiments is in a posterior."""
    return tuple(summary_in(run.get(InferResult).tree).get("constraints", ()))


def constraints_sentence(names: Sequence[str]) -> str:
    """That constraints enter a result; empty without any."""
    return f"Constraints of other experiments enter: {'; '.join(names)}" if names else ""


def priors_of(run: Run) -> tuple[str, ...]:
    """Priors of a posterior that the study gives by parameter, in words."""
    return tuple(summary_in(run.get(InferResult).tree).get("priors", ()))


def known_sentences(constraints: Sequence[str], priors: Sequence[str]) -> list[str]:
    """What enters a result beside data and default priors; none without any."""
    own = f"Priors of the study's own: {'; '.join(priors)}" if priors else ""
    return [text for text in (constraints_sentence(constraints), own) if text]


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
