"""A run as a Python session sees it: its results by name."""

from __future__ import annotations

from typing import Any

from renp_infer.engine.run import Run as AnyRun
from renp_infer.verbs.table import VERBS


class Run(AnyRun):
    """Results of a run directory; ``None`` for what the run has not done.

    Verbs say by which names: ``evaluation``, ``prediction``, ``inference``, ``summary``,
    ``checks``, ``comparison``, ``calibration``, ``optimum``, and their own.

    Attributes
    ----------
    directory : Path
    name : str
    study : dict
        The resolved study.
    results : mapping
        Result by name of the verb.
    """

    def __getattr__(self, name: str) -> Any:
        for verb in VERBS.values():
            if name in (verb.shows or (verb.name,)):
                found = self.results.get(verb.name)
                return None if found is None else verb.show(name, found)
        raise AttributeError(f"a run has no {name!r}")

    def __dir__(self) -> list[str]:
        names = (name for verb in VERBS.values() for name in verb.shows or (verb.name,))
        return sorted({*super().__dir__(), *names})
