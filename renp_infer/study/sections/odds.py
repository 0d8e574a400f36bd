"""Prior odds of the hypotheses, of ``[compare]`` and ``[optimize]``."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator as Before

from renp_infer.fields import Number, refusal
from renp_infer.study.sections.base import Section, about

Odds = Annotated[float, Before(Number(low=0, high=1e9))]


class OddsSection(Section):
    """Prior odds of the hypotheses, of any sum."""

    normal_dirac: Annotated[Odds, about("Of normal ordering, Dirac.")] = 1.0
    normal_majorana: Annotated[Odds, about("Of normal ordering, Majorana.")] = 1.0
    inverted_dirac: Annotated[Odds, about("Of inverted ordering, Dirac.")] = 1.0
    inverted_majorana: Annotated[Odds, about("Of inverted ordering, Majorana.")] = 1.0


def some_odds(odds: OddsSection) -> OddsSection:
    """Refuse odds that are all 0."""
    if not any(odds.model_dump().values()):
        raise refusal("odds of which at least one is > 0")
    return odds
