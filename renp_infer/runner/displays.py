"""How studies and runs show themselves in a notebook and in a Python session."""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from renp_infer.runner.results import Run
    from renp_infer.runner.study import Study


class StudyDisplay:
    """Displays of a study."""

    def __repr__(self: Study) -> str:  # type: ignore[misc]
        return f"<Study {self.name!r}: {'; '.join(f'{k} {v}' for k, v in study_rows(self))}>"

    def _repr_html_(self: Study) -> str:  # type: ignore[misc]
        return table(f"Study {self.name}", study_rows(self))


class RunDisplay:
    """Displays of a run."""

    def __repr__(self: Run) -> str:  # type: ignore[misc]
        return f"<Run {self.name!r}: {'; '.join(f'{k} {v}' for k, v in run_rows(self))}>"

    def _repr_html_(self: Run) -> str:  # type: ignore[misc]
        return table(f"Run {self.name}", run_rows(self))


def table(title: str, rows: Iterable[tuple[str, str]]) -> str:
    """HTML table of two columns, everything escaped."""
    body = "".join(
        f'<tr><th scope="row" style="text-align:left">{escape(key)}</th>'
        f'<td style="text-align:left">{escape(value)}</td></tr>'
        for key, value in rows
    )
    return (
        f'<table><caption style="text-align:left"><strong>{escape(title)}</strong></caption>'
        f"<tbody>{body}</tbody></table>"
    )


def study_rows(study: Study) -> list[tuple[str, str]]:
    """What a study is about, in a few words each."""
    truth, experiment = study.parameters, study.experiment
    layout, theta = experiment.layout, [math.degrees(x) for x in experiment.layout.theta_s]
    mass = f"m1 = {1e3 * truth.m1_eV:.4g} meV, {truth.ordering} ordering, {truth.nature}"
    data = study.measurement.observation.source if study.measurement is not None else "mock"
    crystal = f"{layout.length_cm:g} cm long, {layout.radius_cm:g} cm in radius"
    tasks = [name for name in TASKS if name in study.resolved]
    return [
        ("truth", mass if data == "mock" else f"unknown; calculated at {mass}"),
        ("target", f"{experiment.target.name}, {crystal}"),
        ("angles", f"{len(theta)}, {theta[0]:.2f}° to {theta[-1]:.2f}°"),
        ("exposure", f"{experiment.detector.exposure_s:g} s"),
        ("physics", str(study.resolved["physics"]["preset"])),
        ("data", data),
        ("sections", ", ".join(tasks) or "none: only evaluate"),
    ]


TASKS = ("simulate", "inference", "compare", "calibrate", "forecast", "optimize")


def run_rows(run: Run) -> list[tuple[str, str]]:
    """What a run found, in a few words each."""
    label = ", normalised" if run.evaluation["normalised"] else ""
    rows = [
        ("directory", str(run.directory)),
        ("physics", str(run.study["physics"]["preset"])),
        ("peak S/N", f"{run.evaluation['peak_snr']:.3g} per angle{label}"),
    ]
    if run.summary is not None:
        row = run.summary["parameters"]["m1_meV"]
        low, high = row["interval_95"]
        estimate = f"{row['mean']:.4g} ± {row['sd']:.2g} meV"
        rows.append(("m1", f"{estimate}, 95 % interval {low:.4g} to {high:.4g} meV"))
    if run.comparison is not None:
        best = max(run.comparison["hypotheses"], key=lambda found: found["probability"])
        name = f"{best['ordering']} ordering, {best['nature']}"
        rows.append(("most probable", f"{name}: {best['probability']:.3g}"))
    for name, judged in run.verdicts.items():
        rows.append((name, ": ".join([judged["verdict"], *_joined(judged["reasons"])])))
    others = {"calibration": run.calibration, "forecast": run.forecast}
    there = [name for name, tree in others.items() if tree is not None]
    return [*rows, ("also", ", ".join(there))] if there else rows


def _joined(reasons: list[str]) -> list[str]:
    return ["; ".join(reasons)] if reasons else []
