"""A run: a study and what its verbs found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from renp_infer.display import Display
from renp_infer.engine.archive import located
from renp_infer.engine.result import WORDS, Files, Result, Verdict, readable
from renp_infer.study.study import headlines

R = TypeVar("R", bound=Result)


@dataclass(frozen=True, repr=False)
class Run(Display):
    """What a run directory holds.

    Attributes
    ----------
    directory : Path
    name : str
    study : dict
        The resolved study.
    results : mapping
        Result by name of the verb, of all that has been done.
    """

    directory: Path
    name: str
    study: dict[str, Any]
    results: Mapping[str, Result]

    def find(self, kind: type[R]) -> R | None:
        """Result of a kind; ``None`` if the run has none."""
        return next((found for found in self.results.values() if isinstance(found, kind)), None)

    def get(self, kind: type[R]) -> R:
        """Result of a kind that the run has.

        Raises
        ------
        LookupError
            If it has none.
        """
        found = self.find(kind)
        if found is None:
            raise LookupError(f"the run {self.name} has no {kind.__name__}")
        return found

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """Verdicts by what was judged; only what the run has done."""
        return {
            name: verdict
            for result in self.results.values()
            for name, verdict in result.verdicts().items()
        }

    @property
    def verdict(self) -> str:
        """The worst of its verdicts; "none" if nothing was judged."""
        found = {judged.verdict for judged in self.verdicts.values()}
        return next((word for word in WORDS if word in found), "none")

    def rows(self) -> list[tuple[str, str]]:
        """What the run found, in a few words each."""
        rows = [
            ("directory", str(self.directory)),
            *headlines(self.study),
        ]
        rows += [row for result in self.results.values() for row in result.rows()]
        for name, verdict in self.verdicts.items():
            rows.append((name, ": ".join([verdict.verdict, *_joined(verdict.reasons)])))
        silent = [name for name, result in self.results.items() if not result.rows()]
        return [*rows, ("also", ", ".join(silent))] if silent else rows


def _joined(reasons: tuple[str, ...]) -> list[str]:
    return ["; ".join(reasons)] if reasons else []


class ResultReader(Protocol):
    """What can read a result back: a verb."""

    name: ClassVar[str]

    def belongs(self, study: Mapping[str, Any]) -> bool:
        """Whether a resolved study has its section."""

    def read(self, files: Files, study: Mapping[str, Any]) -> Result:
        """Read its result back."""


def load_run(directory: str | Path, verbs: Iterable[ResultReader]) -> Run:
    """Read a run directory.

    Parameters
    ----------
    directory : str or Path
    verbs : iterable of ResultReader
        Those whose results are read, as far as the run has done them.

    Raises
    ------
    StoreError
        If a file is missing, is not what the manifest says, or is no result.
    """
    files = Files.of(Path(directory))
    study = located(files.tables("study.resolved.toml"), files.directory)
    with readable(files.directory):
        done = [v for v in verbs if v.name in files.manifest["tasks"] and v.belongs(study)]
        results = {verb.name: verb.read(files, study) for verb in done}
        return Run(files.directory, study["name"], study, results)
