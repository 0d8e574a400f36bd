"""What the figures of a search draw: its document, by trial and by stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from renp_infer.design.objective import score


@dataclass(frozen=True)
class Optimum:
    """Result of a search.

    Attributes
    ----------
    found : dict
        ``optimize.json``.
    trials : list of dict
        Rows of ``trials.jsonl``.
    study : dict
        The resolved study.
    """

    found: dict[str, Any]
    trials: list[dict[str, Any]]
    study: dict[str, Any]

    @property
    def names(self) -> list[str]:
        """Objectives, the first of which says what is best."""
        values: dict[str, Any] = next((t["values"] for t in self.trials if t["values"]), {})
        return [self.found["objective"], *(n for n in values if n != self.found["objective"])]

    def scores(self, rows: Sequence[dict[str, Any]]) -> np.ndarray:
        """Score of the first objective in each trial, (n,); -inf after a failure."""
        name = self.found["objective"]
        values = [row["values"].get(name) for row in rows]
        return np.array([-np.inf if v is None else score(name, v) for v in values])
