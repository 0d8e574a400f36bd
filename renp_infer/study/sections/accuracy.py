"""Section ``[accuracy]``: tolerances."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator as Before

from renp_infer.fields import Number
from renp_infer.records import Accuracy
from renp_infer.study.sections.base import Section


class AccuracySection(Section):
    """Numerical tolerance of the pair integrals."""

    relative_tolerance: Annotated[float, Before(Number(low=1e-8, high=1e-1))] = (
        Accuracy.relative_tolerance
    )
