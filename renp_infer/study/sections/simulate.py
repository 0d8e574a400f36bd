"""Section ``[simulate]``: an ensemble of mock data."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator as Before

from renp_infer.fields import Whole
from renp_infer.study.sections.base import Section, about

MAX_DATASETS = 100_000_000
"""Largest ensemble: at 61 angles half a gigabyte per million."""


class SimulateSection(Section):
    """An ensemble of mock data sets."""

    datasets: Annotated[
        int, Before(Whole(1, MAX_DATASETS)), about("Mock data sets of the ensemble.")
    ] = 1000
