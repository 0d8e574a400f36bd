"""The verbs as functions: the same work as on the command line, results in memory.

A run directory is made in any case, by the code that the command line runs: in
``out`` if that is given, where the same call resumes, else in a temporary place.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.engine.driver import Options, Plan, bring_up_to_date, failures
from renp_infer.engine.run import Run, load_tree
from renp_infer.engine.tasks import Verb
from renp_infer.errors import DiagnosticWarning
from renp_infer.study.load import Source, load_study, with_sections
from renp_infer.study.study import Study
from renp_infer.verbs.load import load_run
from renp_infer.verbs.optimize.command import require_search
from renp_infer.verbs.table import (
    CALIBRATE,
    COMPARE,
    ENSEMBLE,
    EVALUATE,
    FORECAST,
    INFER,
    OPTIMIZE,
    SIMULATE,
)

if TYPE_CHECKING:
    import xarray

__all__ = [
    "Run",
    "Study",
    "calibrate",
    "compare",
    "evaluate",
    "forecast",
    "infer",
    "load_study",
    "open_run",
    "optimize",
    "simulate",
    "write_report",
]


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


def _judged(run: Run) -> Run:
    """Warn of what failed."""
    for reason in failures(run):
        warnings.warn(reason, DiagnosticWarning, stacklevel=3)
    return run


def evaluate(
    study: Study | Source,
    *,
    out: str | Path | None = None,
    executor: str = "serial",
    quiet: bool = False,
) -> xarray.Dataset:
    """Calculate rate, magnetization, field and noise at the study's truth.

    Parameters
    ----------
    study : Study, str, Path or mapping
        Anything but a `Study` is given to `load_study`.
    out : str or Path, optional
        Run directory that keeps the result; the same call then only reads it.
    executor : str
        ``serial``, ``processes:N``, ``dask:ADDRESS``, see docs/running.md.
    quiet : bool
        Whether to show no progress.

    Returns
    -------
    Dataset
        ``signal_nG``, ``sigma_nG``, ``rate_per_s``, ``magnetization_nG_per_s``
        and the sums and integrals of `renp evaluate`, by ``theta_s_deg``, ``pair``
        (``pair_A_eV5``, ``pair_B_eV3``) and ``state`` (``masses_eV``); everything
        else of that document as JSON in the attribute ``renp_evaluation``.

    Raises
    ------
    ConfigError, DomainError, NonFiniteError, TaskError, StoreError
        See `renp_infer.errors`.
    """
    found = with_sections(study)
    with _performed(found, [EVALUATE], out, executor, quiet=quiet) as directory:
        return load_run(directory).prediction


def simulate(
    study: Study | Source,
    *,
    out: str | Path | None = None,
    executor: str = "serial",
    quiet: bool = False,
) -> xarray.DataTree:
    """Draw mock data from the study's seed.

    Parameters
    ----------
    study, out, executor, quiet
        See `evaluate`.

    Returns
    -------
    DataTree
        ``observed_data/field_nG`` by ``theta_s_deg``, and by ``dataset`` where the
        study has a section ``[simulate]``; ``constant_data/sigma_nG``.

    Raises
    ------
    ConfigError, DomainError, NonFiniteError, TaskError, StoreError
        See `renp_infer.errors`.
    """
    found = with_sections(study)
    verb = ENSEMBLE if found.datasets else SIMULATE
    with _performed(found, [verb], out, executor, quiet=quiet) as directory:
        if verb is ENSEMBLE:
            return load_tree(directory / verb.file)
        return _data_tree(json.loads((directory / verb.file).read_text(encoding="utf-8")))


def _data_tree(document: Mapping[str, Any]) -> xarray.DataTree:
    """Mock data of ``simulate.json`` as ArviZ groups."""
    import xarray as xr

    angles = {"theta_s_deg": document["theta_s_deg"]}
    groups = {"observed_data": "field_nG", "constant_data": "sigma_nG"}
    tree = xr.DataTree.from_dict(
        {
            group: xr.Dataset({name: ("theta_s_deg", document[name])}, angles)
            for group, name in groups.items()
        }
    )
    tree.attrs = {"name": document["name"], "seed": document["seed"]}
    tree.attrs["normalised"] = int(document["normalised"])
    return tree


def infer(
    study: Study | Source,
    *,
    out: str | Path | None = None,
    executor: str = "serial",
    quiet: bool = False,
) -> xarray.DataTree:
    """Sample the posterior of the study's data, mock or measured.

    Parameters
    ----------
    study, out, executor, quiet
        See `evaluate`. A study without a section ``[inference]`` gets its defaults.

    Returns
    -------
    DataTree
        ArviZ groups ``posterior``, ``prior``, ``posterior_predictive``,
        ``log_likelihood``, ``sample_stats``, ``observed_data``, ``constant_data``;
        estimates and diagnostics as JSON in the attribute ``renp_summary``.

    Raises
    ------
    ConfigError, DomainError, NonFiniteError, TaskError, StoreError
        See `renp_infer.errors`.

    Warns
    -----
    DiagnosticWarning
        If the sampler's diagnostics or the model checks failed.
    """
    found = with_sections(study, "inference")
    with _performed(found, [EVALUATE, INFER], out, executor, quiet=quiet) as directory:
        tree = _judged(load_run(directory)).inference
    assert tree is not None
    return tree


def compare(
    study: Study | Source,
    *,
    out: str | Path | None = None,
    executor: str = "serial",
    quiet: bool = False,
) -> xarray.DataTree:
    """Weigh the four hypotheses, ordering and nature, by their evidence.

    Parameters
    ----------
    study, out, executor, quiet
        See `evaluate`. A study without a section ``[compare]`` gets its defaults.

    Returns
    -------
    DataTree
        ``renp_comparison``: ``log_evidence``, ``log_evidence_error`` and
        ``probability`` by ``hypothesis``; for each hypothesis and estimator a
        posterior, as ``normal_dirac/smc/posterior``; everything else that
        `renp compare` says as JSON in the attribute ``renp_comparison``.

    Raises
    ------
    ConfigError, DomainError, NonFiniteError, TaskError, StoreError
        See `renp_infer.errors`.

    Warns
    -----
    DiagnosticWarning
        If the estimators disagree.
    """
    found = with_sections(study, "inference", "compare")
    with _performed(found, [EVALUATE, COMPARE], out, executor, quiet=quiet) as directory:
        said = _judged(load_run(directory)).comparison
        tree = load_tree(directory / COMPARE.file)
    assert said is not None
    tree["renp_comparison"] = _comparison_table(said)
    tree.attrs["renp_comparison"] = json.dumps(said)
    return tree


def _comparison_table(found: Mapping[str, Any]) -> xarray.Dataset:
    import xarray as xr

    rows = found["hypotheses"]
    names = [f"{row['ordering']}_{row['nature']}" for row in rows]
    columns = ("log_evidence", "log_evidence_error", "probability")
    return xr.Dataset(
        {name: ("hypothesis", [row[name] for row in rows]) for name in columns},
        {"hypothesis": names},
    )


def calibrate(
    study: Study | Source,
    *,
    out: str | Path | None = None,
    executor: str = "serial",
    quiet: bool = False,
) -> xarray.DataTree:
    """Test posterior, hypothesis probabilities and belt on mock experiments.

    Parameters
    ----------
    study, out, executor, quiet
        See `evaluate`. A study without a section ``[calibrate]`` gets its defaults,
        which take hours.

    Returns
    -------
    DataTree
        Ranks, probabilities and belts; verdict and tables as JSON in the attribute
        ``renp_calibration``; see docs/calibration.md.

    Raises
    ------
    ConfigError, DomainError, NonFiniteError, TaskError, StoreError
        See `renp_infer.errors`.

    Warns
    -----
    DiagnosticWarning
        If a test failed.
    """
    found = with_sections(study, "inference", "calibrate")
    with _performed(found, [EVALUATE, CALIBRATE], out, executor, quiet=quiet) as directory:
        tree = _judged(load_run(directory)).calibration
    assert tree is not None
    return tree


def forecast(
    study: Study | Source,
    *,
    out: str | Path | None = None,
    executor: str = "serial",
    quiet: bool = False,
) -> xarray.DataTree:
    """Forecast errors, limits, separations and the exposures they take.

    Parameters
    ----------
    study, out, executor, quiet
        See `evaluate`. A study without a section ``[forecast]`` gets its defaults.

    Returns
    -------
    DataTree
        Errors of the parameters by mass, ordering, nature, exposure and
        systematics; see docs/forecasts.md.

    Raises
    ------
    ConfigError, DomainError, NonFiniteError, TaskError, StoreError
        See `renp_infer.errors`.
    """
    found = with_sections(study, "forecast")
    with _performed(found, [EVALUATE, FORECAST], out, executor, quiet=quiet) as directory:
        tree = load_run(directory).forecast
    assert tree is not None
    return tree


def optimize(
    study: Study | Source,
    *,
    out: str | Path | None = None,
    executor: str = "serial",
    quiet: bool = False,
) -> dict[str, Any]:
    """Search the design that tells most.

    Parameters
    ----------
    study, out, executor, quiet
        See `evaluate`. The study has a section ``[optimize]``: what may vary has no default.

    Returns
    -------
    dict
        The document of ``renp optimize --json``: ``best`` by study key, ``utility``,
        ``reference_utility``, ``gain``; and ``trials``, a dict each. See docs/design.md.

    Raises
    ------
    ConfigError, DomainError, NonFiniteError, TaskError, StoreError
        See `renp_infer.errors`.

    Warns
    -----
    DiagnosticWarning
        If the search failed its checks.
    """
    searched = with_sections(study)
    require_search(searched)
    with _performed(searched, [EVALUATE, OPTIMIZE], out, executor, quiet=quiet) as directory:
        found = _judged(load_run(directory)).optimum
    assert found is not None
    return found


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
    return _judged(load_run(directory))


def write_report(runs: Run | Sequence[Run], path: str | Path) -> Path:
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
    from renp_infer.report import page as report

    return report.write_report([runs] if isinstance(runs, Run) else runs, Path(path))
