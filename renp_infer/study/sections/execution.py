"""Section ``[execution]``: how a run deals with failures."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator as Before

from renp_infer.fields import Number, Whole
from renp_infer.study.sections.base import Section


class ExecutionSection(Section):
    """How failing tasks are dealt with."""

    attempts: Annotated[int, Before(Whole(1, 100))] = 3
    failures_allowed: Annotated[float, Before(Number(low=0, high=1))] = 0.0
