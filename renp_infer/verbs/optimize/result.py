"""What a search of designs found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from renp_infer.engine.result import Result, Verdict

TRIALS, BEST = "trials.jsonl", "best.toml"
"""Files beside ``optimize.json``: all trials, and the best design as a study."""


@dataclass(frozen=True)
class OptimizeResult(Result):
    """The best design, what it is worth, and how it was found.

    Attributes
    ----------
    document : dict
        ``optimize.json``.
    trials : list of dict
        Rows of ``trials.jsonl``.
    """

    document: dict[str, Any]
    trials: list[dict[str, Any]]

    def verdicts(self) -> dict[str, Verdict]:
        """Of the search."""
        return {"optimize": Verdict.of(self.document)}

    def told(self) -> dict[str, Any]:
        """The document, with the trials as rows."""
        return self.document | {"trials": self.trials}
