"""``renp optimize``: search, print, judge; or one measurement after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from renp_infer.engine.options import DEFAULTS, Options


def optimize(
    study: Path,
    /,
    *,
    sequential: Annotated[bool, Parameter(negative="")] = False,
    data: Path | None = None,
    covariance: Path | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Search the design that tells most, with baselines; resumes.

    Parameters
    ----------
    sequential
        Choose one measurement after the other: simulate campaigns, or with --data say
        what to measure next.
    data
        File of what was measured so far, .csv or .nc; with --sequential.
    covariance
        File of their covariance, where the data file has no errors.
    """
    from renp_infer.verbs.sequential.ask import campaigns, next_measurement, refuse_data

    if sequential and data is not None:
        return next_measurement(study, options, data, covariance)
    if sequential:
        return campaigns(study, options, covariance)
    refuse_data(data, covariance)
    return _search(study, options)


def _search(path: Path, options: Options) -> int:
    """Search the designs of a study, print the best, and judge it."""
    from renp_infer.engine.driver import DONE, asked, judge, load
    from renp_infer.study.study import Preset
    from renp_infer.terminal import show, write_document
    from renp_infer.verbs.about import opening
    from renp_infer.verbs.evaluate.shortfall import shortfall
    from renp_infer.verbs.optimize.confirmed import ConfirmResult
    from renp_infer.verbs.optimize.result import OptimizeResult
    from renp_infer.verbs.optimize.tables import optimum_tables
    from renp_infer.verbs.optimize.telling import told_tables, whole_document
    from renp_infer.verbs.optimize.verb import OPTIMIZE

    run = asked(load(path, options), OPTIMIZE, options)
    if run is None:
        return DONE
    found = run.get(OptimizeResult)
    if options.json:
        said = {"remark": shortfall(run), "file": str(run.directory / OPTIMIZE.file)}
        whole = found.to_document() | whole_document(run)
        write_document(whole | Preset.of(run.study).document | said)
    else:
        first = [opening(run.name, run.study, OPTIMIZE.answer(run))]
        first += filter(None, [shortfall(run)])
        told = run.find(ConfirmResult)
        more = [] if told is None else told_tables(told)
        show(*first, *optimum_tables(found), *more, f"results: {run.directory}")
    return judge([run])
