"""One self-contained HTML file for one or several runs.

The page needs no network and no script: figures are inline SVG, styles are
inline, and all text from outside is escaped.
"""

from __future__ import annotations

import json
import os
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.engine.store import read_manifest
from renp_infer.errors import DomainError, StoreError
from renp_infer.figures.drawing import number
from renp_infer.figures.template import fill_template
from renp_infer.report import answers, tables
from renp_infer.report.citations import bibtex, used_by
from renp_infer.report.design import design_section
from renp_infer.report.overview import overview_plate
from renp_infer.verbs.calibrate.result import CalibrateResult
from renp_infer.verbs.compare.page import comparison_part
from renp_infer.verbs.evaluate.figures import normalised_label, source
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.forecast.page import forecast_page
from renp_infer.verbs.infer.check_figures import check_plates, check_rows
from renp_infer.verbs.infer.figures import run_plates

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

TEMPLATE = Path(__file__).with_name("templates") / "report.html.j2"


def write_report(runs: Sequence[Run], path: Path) -> Path:
    """Write the report of the runs, whole or not at all.

    Parameters
    ----------
    runs : sequence of Run
        At least one; a run without inference gets its evaluation only.
    path : Path
        The HTML file.

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
    path = Path(path)
    write_page(contents(runs, path.parent), path)
    return path


def write_page(found: Mapping[str, Any], path: Path) -> None:
    """Write the page of ``contents``, whole or not at all.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    page = fill_template(TEMPLATE, **found)
    try:
        _replace(path, page)
    except OSError as error:
        raise StoreError(f"{path}: cannot write the report: {error.strerror}") from error


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def contents(runs: Sequence[Run], start: Path) -> dict[str, Any]:
    """What the page shows; commands are written as seen from the folder ``start``.

    Raises
    ------
    DomainError
        If there is no run.
    """
    if not runs:
        raise DomainError("runs", runs, "at least one run")
    return {
        "title": f"{len(runs)} runs" if len(runs) > 1 else runs[0].name,
        "sections": [section(run, k, start) for k, run in enumerate(runs, start=1)],
        "overview": overview_plate(runs),
        "differences": tables.differences(runs),
        "task_columns": tables.TASK_COLUMNS,
    }


def section(run: Run, index: int, start: Path) -> dict[str, Any]:
    """Everything the template shows of one run."""
    used = used_by(run.study, read_manifest(run.directory)["tasks"], run)
    return {
        "anchor": f"run-{index}",
        "index": index,
        "name": run.name,
        "preset": answers.preset_of(run),
        "layout": answers.layout_of(run),
        "label": normalised_label(run),
        "data": source(run),
        "verdict": answers.verdict(run),
        "overall": answers.overall(run),
        "verdicts": run.verdicts,
        "question": answers.question(run),
        "answer": answers.answer(run),
        "further_answers": answers.further_answers(run),
        "shortfall": answers.shortfall(run),
        "peak_snr": number(run.get(EvaluateResult).document["peak_snr"], 3),
        "mass": tables.mass_cells(run),
        "mass_truth": "–"
        if source(run)
        else number(run.get(EvaluateResult).document["truth"]["m1_meV"]),
        "plates": [*run_plates(run), *check_plates(run)],
        "forecast": forecast_page(run),
        "checks": check_rows(run),
        "comparison": comparison_part(run),
        "switches": tables.switch_rows(run),
        "switch_sentence": tables.switch_sentence(run),
        "truth": tables.truth_rows(run),
        "parameters": tables.parameter_rows(run),
        "diagnostics": tables.diagnostic_rows(run),
        "provenance": tables.provenance_rows(run),
        "tasks": tables.task_rows(run),
        "calibration": calibration_of(run),
        "design": design_section(run),
        "study": study_text(run.study),
        "command": command(run, start),
        "citations": used,
        "bibtex": bibtex(used),
    }


CALIBRATED = ("chains", "draws", "tune")
"""What each fit of a calibration takes, by key of the study."""


def calibration_of(run: Run) -> dict[str, Any] | None:
    """Verdict and figures of a calibration, and what was calibrated."""
    if run.find(CalibrateResult) is None:
        return None
    from renp_infer.verbs.calibrate.figures import calibration_plates

    found = run.get(CalibrateResult).document
    shown = {key: found[key] for key in ("verdict", "reasons", "false_alarm")}
    effort = run.study.get("calibrate", {})
    shown["sampler"] = run.study.get("inference", {}).get("sampler", "")
    shown["effort"] = ", ".join(f"{k} {effort[k]}" for k in CALIBRATED if k in effort)
    return shown | {"plates": calibration_plates(run.get(CalibrateResult).tree)}


def study_text(study: Mapping[str, Any]) -> str:
    """The resolved study as readable lines."""
    lines = [f"{k} = {json.dumps(v)}" for k, v in study.items() if not isinstance(v, Mapping)]
    for name, values in study.items():
        if isinstance(values, Mapping):
            lines += ["", f"[{name}]", *(f"{k} = {json.dumps(v)}" for k, v in values.items())]
    return "\n".join(lines)


def command(run: Run, start: Path) -> str:
    """The command that makes the run again, from the folder of the report."""
    study = os.path.relpath(run.directory / "study.resolved.toml", start)
    return f"renp run {shlex.quote(study)} --out {shlex.quote(f'{run.directory.name}-again')}"
