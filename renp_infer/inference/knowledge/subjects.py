"""What a constraint is on: masses and phases, nuisances, or both."""

from __future__ import annotations

from typing import Literal

from renp_infer.inference.knowledge.constraints import GaussianConstraint, PublishedTerm
from renp_infer.inference.parameters import MASS, PARAMETERS

Subject = Literal["masses", "nuisances", "both"]


def subject_of(term: PublishedTerm) -> Subject:
    """Masses, phases and what follows from them; or nuisances, those of oscillations too."""
    nuisances = set(PARAMETERS.names) - {MASS, *PARAMETERS.phases}
    inside = [name in nuisances for name in term.quantities]
    return "nuisances" if all(inside) else "both" if any(inside) else "masses"


def separates(term: PublishedTerm) -> bool:
    """Whether it leaves masses and nuisances independent, and nuisances a Gaussian."""
    kind = subject_of(term)
    return kind == "masses" or (kind == "nuisances" and isinstance(term, GaussianConstraint))
