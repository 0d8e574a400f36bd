"""Section ``[data]``: measured data."""

from __future__ import annotations

from renp_infer.study.sections.base import Section, Word


class DataSection(Section):
    """Measured data, instead of mock data; paths start from the study's folder."""

    file: Word
    covariance: Word | None = None
