"""``renp scan``: a study asked again at other values of its keys, as one table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from renp_infer.engine.options import DEFAULTS, NO_FILES, Measured, Options

SEVERAL = Parameter(negative="", show_default=False)


def scan(
    study: Path,
    /,
    *,
    over: Annotated[tuple[str, ...], SEVERAL] = (),
    what: Literal["evaluate", "infer", "forecast"] | None = None,
    profile: Annotated[tuple[str, ...], SEVERAL] = (),
    measured: Measured = NO_FILES,
    options: Options = DEFAULTS,
) -> int:
    """Ask a study again at other values of its keys, or profile two parameters; resumes.

    Parameters
    ----------
    over
        A key and its values: layout.length_cm=0.5:3:6, neutrino.m1_meV=10,50 or
        detector.exposure_s=100:1e6:5:log. Can be repeated; each combination is a cell.
    what
        Asked in each cell: evaluate, infer or forecast; evaluate by default.
    profile
        Two parameters of the fit, m1_meV,refractive_index or, each by itself,
        m1_meV=0:60:25: chi-squared on their grid, all others minimised.
    """
    from renp_infer.engine.driver import DONE, asked, data_section, judge, load
    from renp_infer.study.study import Preset
    from renp_infer.terminal import show, write_document
    from renp_infer.verbs.about import opening
    from renp_infer.verbs.scan.asked import section_of
    from renp_infer.verbs.scan.result import ScanResult
    from renp_infer.verbs.scan.tables import document_of, terminal_tables
    from renp_infer.verbs.scan.verb import SCAN

    section = section_of(over, what, profile)
    found = load(study, options, data=data_section(measured), scan=section, add=["scan"])
    run = asked(found, SCAN, options)
    if run is None:
        return DONE
    result, file = run.get(ScanResult), str(run.directory / SCAN.file)
    if options.json:
        said = Preset.of(run.study).document | {"verdict": run.verdict, "file": file}
        write_document(document_of(result) | said)
    else:
        first = opening(run.name, run.study, SCAN.answer(run))
        verdict = f"verdict: {run.verdict}"
        show(first, verdict, *terminal_tables(result), f"results: {run.directory}")
    return judge([run])
