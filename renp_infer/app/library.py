"""The verbs as functions: the same work as on the command line, results in memory.

A run directory is made in any case, by the code that the command line runs: in
``out`` if that is given, where the same call resumes, else in a temporary place.
"""

from __future__ import annotations

import contextlib
import functools
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from renp_infer.app.run import Run
from renp_infer.engine.driver import Plan, bring_up_to_date, failures
from renp_infer.engine.options import Options
from renp_infer.engine.run import Run as AnyRun
from renp_infer.engine.run import load_run as read_run
from renp_infer.engine.verb import Verb
from renp_infer.errors import DiagnosticWarning
from renp_infer.study.load import Source, load_study, with_sections
from renp_infer.study.study import Study
from renp_infer.verbs.table import VERBS, load_run

if TYPE_CHECKING:
    import xarray

__all__ = ["Run", "Study", "export", "load_study", "open_run", "reproduce", "write_report"]

_DOC = """{what}

    Parameters
    ----------
    study : Study, str, Path or mapping
        Anything but a `Study` is given to `load_study`.{defaults}
    out : str or Path, optional
        Run directory that keeps the result; the same call then only reads it.
    executor : str
        ``serial``, ``processes:N``, ``dask:ADDRESS``, see docs/running.md.
    quiet : bool
        Whether to show no progress.

    Returns
    -------
    {returns}

    Raises
    ------
    ConfigError, DomainError, NonFiniteError, TaskError, StoreError
        See `renp_infer.errors`.

    Warns
    -----
    DiagnosticWarning
        If something that the verb judges has failed.
    """
_DEFAULTS = """
        A study without the sections {} gets their defaults."""


class Ask[T](Protocol):
    """A verb as a function, and what it gives."""

    def __call__(
        self,
        study: Study | Source,
        *,
        out: str | Path | None = None,
        executor: str = "serial",
        quiet: bool = False,
    ) -> T:
        """Ask a study, or what `load_study` takes."""


if TYPE_CHECKING:  # verbs that ship, for editors and type checkers
    evaluate: Ask[xarray.Dataset]
    simulate: Ask[xarray.DataTree]
    infer: Ask[xarray.DataTree]
    compare: Ask[xarray.DataTree]
    calibrate: Ask[xarray.DataTree]
    forecast: Ask[xarray.DataTree]
    scan: Ask[xarray.DataTree]
    atlas: Ask[xarray.DataTree]
    optimize: Ask[dict[str, Any]]
    sequential: Ask[xarray.DataTree]


def __getattr__(name: str) -> Any:
    if name in VERBS:
        return _function(VERBS[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@functools.cache
def _function(verb: Verb) -> Ask[Any]:
    """The verb as a function."""

    def ask(
        study: Study | Source,
        *,
        out: str | Path | None = None,
        executor: str = "serial",
        quiet: bool = False,
    ) -> Any:
        found = with_sections(study, *verb.sections)
        plan = verb.plan(found)
        with _performed(found, plan, out, executor, quiet=quiet) as directory:
            answers = verb if verb in plan else plan[-1]
            return answers.told(_judged(read_run(directory, plan)))

    ask.__name__ = ask.__qualname__ = verb.name
    sections = ", ".join(f"``[{name}]``" for name in verb.sections)
    what = (verb.__doc__ or "").partition("\n")[0]
    defaults = _DEFAULTS.format(sections) if sections else ""
    ask.__doc__ = _DOC.format(what=what, defaults=defaults, returns=verb.returns)
    return ask


@contextlib.contextmanager
def _performed(
    study: Study, verbs: Sequence[Verb], out: str | Path | None, executor: str, *, quiet: bool
) -> Iterator[Path]:
    """Run directory in which the verbs are done."""
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="renp-")) if not out else out
        options = Options(out=Path(place), executor=executor, quiet=quiet)
        bring_up_to_date([Plan(study, Path(place), verbs)], options)
        yield Path(place)


def _judged(run: AnyRun) -> AnyRun:
    """Warn of what failed."""
    for reason in failures(run):
        warnings.warn(reason, DiagnosticWarning, stacklevel=3)
    return run


def reproduce() -> dict[str, Any]:
    """Recompute every value that the paper prints.

    Returns
    -------
    dict
        The document of ``renp reproduce --json``: ``rows`` with ``id``, ``where``,
        ``printed``, ``published``, ``corrected``, ``unit``, ``verdict``, ``why`` and
        ``test``, and ``findings``.
    """
    from renp_infer.reproduction.ledger import ledger_document, make_ledger
    from renp_infer.reproduction.paper import Paper

    paper = Paper()
    return ledger_document(paper, make_ledger(paper))


def open_run(directory: str | Path) -> Run:
    """Results of a run directory, made here or by the command line.

    Parameters
    ----------
    directory : str or Path

    Returns
    -------
    Run
        ``inference``, ``calibration`` and ``forecast`` are DataTrees in memory,
        ``prediction`` is a Dataset; ``None`` for what the run has not done.

    Raises
    ------
    StoreError
        If a file is missing, is not what the manifest says, or is no result.

    Warns
    -----
    DiagnosticWarning
        If diagnostics of the run failed.
    """
    run = _judged(load_run(directory))
    return Run(run.directory, run.name, run.study, run.results)


def write_report(runs: AnyRun | Sequence[AnyRun], path: str | Path) -> Path:
    """Write one self-contained HTML page about one or several runs.

    Parameters
    ----------
    runs : Run or sequence of Run
        From `open_run`.
    path : str or Path
        The file; `renp report` also writes the figures on their own.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    DomainError
        If there is no run.
    StoreError
        If the file cannot be written.
    """
    from renp_infer.report.page import contents, write_page

    path = Path(path)
    write_page(contents([runs] if isinstance(runs, AnyRun) else runs, path.parent), path)
    return path


def export(
    run: AnyRun, to: str, out: str | Path | None = None, *, force: bool = False
) -> dict[str, list[Path]]:
    """Write a run in the formats of others.

    Parameters
    ----------
    run : Run
        From `open_run`.
    to : str
        Some of ``csv,latex,getdist,hepdata,ro-crate``.
    out : str or Path, optional
        Directory in which each format gets a folder; by default ``export`` in that of the run.
    force : bool
        Replace folders that exist.

    Returns
    -------
    dict
        Files by format.

    Raises
    ------
    ConfigError
        If a folder exists, or a format needs a posterior and the run has none.
    """
    from renp_infer.exports import write

    target = run.directory / write.FOLDER if out is None else Path(out)
    return write.export(run, write.parse_formats(to), target, force=force)
