"""A run as a Python session sees it: its results by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from renp_infer.engine.run import Run as AnyRun
from renp_infer.verbs.table import VERBS

if TYPE_CHECKING:
    import xarray


class Run(AnyRun):
    """Results of a run directory; ``None`` for what the run has not done.

    Verbs say by which names: ``evaluation``, ``prediction``, ``sets``, ``inference``,
    ``summary``, ``checks``, ``comparison``, ``calibration``, ``optimum``, and their own.

    Attributes
    ----------
    directory : Path
    name : str
    study : dict
        The resolved study.
    results : mapping
        Result by name of the verb.
    """

    if TYPE_CHECKING:  # names that verbs say, for editors and type checkers
        evaluation: dict[str, Any] | None
        prediction: xarray.Dataset | None
        simulate: xarray.DataTree | None
        ensemble: xarray.DataTree | None
        sets: dict[str, Any] | None
        inference: xarray.DataTree | None
        summary: dict[str, Any] | None
        checks: dict[str, Any] | None
        comparison: dict[str, Any] | None
        calibration: xarray.DataTree | None
        forecast: xarray.DataTree | None
        scan: xarray.DataTree | None
        atlas: xarray.DataTree | None
        appraised: dict[str, Any] | None
        layouts: dict[str, Any] | None
        optimum: dict[str, Any] | None
        confirmation: dict[str, Any] | None
        sequential: xarray.DataTree | None

    def __getattr__(self, name: str) -> Any:
        for verb in VERBS.values():
            if name in (verb.shows or (verb.name,)):
                found = self.results.get(verb.name)
                return None if found is None else verb.show(name, found)
        raise AttributeError(f"a run has no {name!r}")

    def __dir__(self) -> list[str]:
        names = (name for verb in VERBS.values() for name in verb.shows or (verb.name,))
        return sorted({*super().__dir__(), *names})
