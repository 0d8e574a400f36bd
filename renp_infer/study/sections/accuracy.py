"""Section ``[accuracy]``: tolerances."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator as Before

from renp_infer.fields import Number
from renp_infer.records import Accuracy
from renp_infer.study.sections.base import Section, about


class AccuracySection(Section):
    """Numerical tolerance of the pair integrals."""

    relative_tolerance: Annotated[
        float,
        Before(Number(low=1e-8, high=1e-1)),
        about(
            "Largest relative error of each pair integral; what was reached stands in every "
            "evaluation as accuracy.estimated_error.",
            source="Eqs. (12), (17), (62)",
        ),
    ] = Accuracy.relative_tolerance
