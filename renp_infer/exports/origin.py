"""What every exported file says of its run: which physics, and how far to trust it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from renp_infer.engine.run import Run


@dataclass(frozen=True)
class Origin:
    """A run in a few lines.

    Attributes
    ----------
    name, preset, verdict : str
    reasons : tuple of str
        What was judged to warn or fail, and why.
    version, commit : str
        Of this package; empty where the run does not tell.
    """

    name: str
    preset: str
    verdict: str
    reasons: tuple[str, ...]
    version: str
    commit: str

    @classmethod
    def of(cls, run: Run) -> Origin:
        """Of a run that has been read."""
        reasons = [
            f"{what} {judged.lapse if judged.verdict == 'fail' else judged.verdict}: {reason}"
            for what, judged in run.verdicts.items()
            for reason in judged.reasons
        ]
        origins = [result.origin() for result in run.results.values()]
        versions, git = ({k: v for o in origins for k, v in _said(o, key).items()} for key in _TOLD)
        return cls(
            run.name,
            str(run.study["physics"]["preset"]),
            run.verdict,
            tuple(reasons),
            str(versions.get("renp-infer", "")),
            str(git.get("commit", "")),
        )

    def lines(self) -> list[str]:
        """One statement each."""
        made = " ".join(filter(None, ("renp-infer", self.version)))
        commit = f", commit {self.commit}" if self.commit else ""
        return [
            f"study {self.name}, physics preset {self.preset}, by {made}{commit}",
            f"verdict {self.verdict}",
            *self.reasons,
        ]


_TOLD = ("versions", "git")


def _said(origin: Any, key: str) -> dict[str, Any]:
    """A table of an origin, which files of attributes hold as text."""
    found = origin.get(key, {})
    table: dict[str, Any] = json.loads(found) if isinstance(found, str) else found
    return table
