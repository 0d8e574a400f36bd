"""Section ``[execution]``: how a run deals with failures."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator as Before

from renp_infer.fields import Number, Whole
from renp_infer.study.sections.base import Section, about


class ExecutionSection(Section):
    """How failing tasks are dealt with."""

    attempts: Annotated[
        int, Before(Whole(1, 100)), about("How often a failing task is tried before it counts.")
    ] = 3
    failures_allowed: Annotated[
        float,
        Before(Number(low=0, high=1)),
        about("Share of a verb's tasks that may fail before there is no result."),
    ] = 0.0
