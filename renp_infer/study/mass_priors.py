"""Other priors of the lightest mass, under which a design can be judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scipy.special import ndtri

from renp_infer.inference.knowledge.published_limits import load_limits
from renp_infer.inference.parameters import MASS
from renp_infer.inference.priors.marginals import Normal, Truncated
from renp_infer.inference.priors.own_prior import OwnPrior

if TYPE_CHECKING:
    from renp_infer.inference.settings import InferenceSettings
    from renp_infer.study.study import Study

COSMOLOGY = "cosmology"


def with_mass_prior(study: Study, name: str) -> Study:
    """The study with another prior of m1, which is uniform, log-uniform or cosmology's.

    Of the first two the ends are those of the section ``[inference]``.
    """
    settings = study.priors
    if name == COSMOLOGY:
        own = (*settings.own, cosmological(settings))
        return replace(study, settings=settings.with_own(own, settings.blocks))
    return replace(study, settings=replace(settings, m1_prior=name))  # type: ignore[arg-type]


def cosmological(settings: InferenceSettings) -> OwnPrior:
    """The half of a normal distribution with the limit of cosmology on the lightest mass.

    The published posterior is not normal; its limit alone is taken, and 0 as the best value.
    """
    limit = next(row for row in load_limits() if row.quantity == "lightest")
    sd = limit.value_meV / float(ndtri(0.5 * (1.0 + limit.level)))
    half = Truncated(Normal(0.0, sd), 0.0, settings.m1_max_meV)
    return OwnPrior(MASS, "truncated", half, f"half-normal: {limit.sentence}")
