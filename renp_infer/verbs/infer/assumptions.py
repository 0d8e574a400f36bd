"""What a posterior takes for granted beside its data: constraints, and what sets share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from renp_infer.inference.judging.tension import Tension
from renp_infer.inference.knowledge.constraints import (
    ChainConstraint,
    GaussianConstraint,
    LimitConstraint,
    TableConstraint,
)
from renp_infer.inference.parameters import PARAMETERS, parted
from renp_infer.verbs.infer.result import InferResult, summary_in

if TYPE_CHECKING:
    from renp_infer.engine.run import Run
    from renp_infer.inference.knowledge.constraints import PublishedTerm
    from renp_infer.study.study import Study

OWN = "the study"
"""Source of a constraint that a study says itself."""


def assumptions_of(study: Study) -> dict[str, Any]:
    """As documents have them: constraints in use, and groups of sets by parameter."""
    ordering, found = study.parameters.ordering, dict[str, Any]()
    if study.knowledge:
        found["constraints"] = [
            {
                "name": row.term.name,
                "quantities": list(row.term.quantities),
                "says": words_of(row.term),
                "ordering": row.ordering,
                "source": row.source or OWN,
                "upper": getattr(row.term, "upper", None),
            }
            for row in study.knowledge
            if row.ordering in ("both", ordering)
        ]
    if study.sharing is not None:
        found["sets"] = [one.name for one in study.sets]
        found["shared"] = {name: list(groups) for name, groups in study.sharing.groups.items()}
    return found


def words_of(term: PublishedTerm) -> str:
    """What a constraint says, with its shape."""
    match term:
        case GaussianConstraint():
            rows = zip(term.quantities, term.values, term.scales, strict=True)
            told = ", ".join(f"{PARAMETERS.text(n)} {v:g} ± {e:g}" for n, v, e in rows)
            return told + ", normal" + (", correlated" if len(term.values) > 1 else "")
        case LimitConstraint():
            least = "" if term.least is None else f"{term.least:g} to "
            text = f"{PARAMETERS.text(term.quantity)} < {least}{term.upper:g}"
            return f"{text} at {100.0 * term.level:g} %, half a normal above {term.best:g}"
        case TableConstraint():
            return f"{_names(term)}: chi-squared of a table, {term.chi_squared.size} points"
        case ChainConstraint():
            return f"{_names(term)}: density of a chain, {len(term.draws)} draws"
        case _:
            return _names(term)


def _names(term: PublishedTerm) -> str:
    return ", ".join(PARAMETERS.text(name) for name in term.quantities)


def assumptions_in(run: Run) -> dict[str, Any]:
    """What a run's posterior takes for granted; nothing of an older result."""
    found: dict[str, Any] = summary_in(run.get(InferResult).tree).get("assumptions", {})
    return found


def tension_text(found: Tension) -> str:
    """Distance of a constraint from the data, in words."""
    return f"{found.sigma:.1f} σ, p = {found.p:.2g}"


def constraint_rows(run: Run) -> list[tuple[str, ...]]:
    """Name, what it says, ordering, source and distance of each constraint in use."""
    tension = run.get(InferResult).tension
    return [
        (
            row["name"], row["says"], row["ordering"], row["source"],
            tension_text(tension[row["name"]]) if row["name"] in tension else "–",
        )
        for row in assumptions_in(run).get("constraints", ())
    ]  # fmt: skip


def sharing_rows(run: Run) -> list[tuple[str, ...]]:
    """Each free parameter with the group of each set; "all" where they have one in common."""
    found = assumptions_in(run)
    free = {parted(str(name))[0] for name in run.get(InferResult).tree["posterior"].data_vars}
    return [
        (PARAMETERS.text(name), *(group or "all" for group in groups))
        for name, groups in found.get("shared", {}).items()
        if name in free
    ]


def used_uppers(run: Run) -> dict[str, list[float]]:
    """Upper limits that are in a posterior, by quantity."""
    found: dict[str, list[float]] = {}
    for row in assumptions_in(run).get("constraints", ()):
        if row["upper"] is not None:
            found.setdefault(row["quantities"][0], []).append(row["upper"])
    return found


def sentences(run: Run) -> list[str]:
    """Each constraint in use with what it says, for the terminal."""
    return [
        f"{name}: {says}; {source}; {distance} from the data"
        for name, says, _, source, distance in constraint_rows(run)
    ]
