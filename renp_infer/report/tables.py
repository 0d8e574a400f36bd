"""The tables of the report: each cell is text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from renp_infer.engine.page import Cell, Column, Table
from renp_infer.engine.store import read_manifest
from renp_infer.figures.drawing import number
from renp_infer.figures.words import text_of
from renp_infer.verbs.evaluate.figures import source
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.infer.cells import estimate, interval
from renp_infer.verbs.infer.result import InferResult

if TYPE_CHECKING:
    from renp_infer.engine.run import Run


@dataclass(frozen=True)
class RunInShort:
    """Cells of a run in the table of several: – for what it does not have.

    Attributes
    ----------
    peak_snr : str
        Of one angle.
    estimate, interval, truth : str
        m1, meV: mean ± sd, 95 % interval, truth.
    """

    peak_snr: str
    estimate: str = "–"
    interval: str = "–"
    truth: str = "–"


def summary_of(run: Run) -> RunInShort:
    """Peak S/N and mass."""
    evaluation = run.get(EvaluateResult)
    found = RunInShort(number(evaluation.peak_snr, 3))
    if not source(run):
        found = replace(found, truth=number(evaluation.truth.m1_meV))
    posterior = run.find(InferResult)
    if posterior is None:
        return found
    mass = posterior.mass
    return replace(found, estimate=_unbroken(estimate(mass)), interval=_unbroken(interval(mass)))


def _unbroken(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def provenance_rows(run: Run) -> list[tuple[str, str]]:
    """Where the numbers come from: seed, versions, machine, data."""
    evaluation = run.get(EvaluateResult)
    rows: dict[str, Any] = {"study": run.name, "seed": run.study.get("seed")}
    for result in run.results.values():
        rows |= {k: v for k, v in result.origin().items() if k not in ("study", "seconds")}
    rows["numerical accuracy"] = asdict(evaluation.accuracy)
    rows["Bloch equations"] = asdict(evaluation.coherence) if evaluation.coherence else None
    return [(k.replace("_", " "), text_of(v)) for k, v in rows.items() if v is not None]


TASK_COLUMNS = ("finished", "seconds", "tasks", "failed", "executor", "key")


def task_table(run: Run) -> Table:
    """Every finished verb of the manifest: its name, then ``TASK_COLUMNS``."""
    entries = read_manifest(run.directory)["tasks"]
    rows = [(name, *_task_cells(entry)) for name, entry in entries.items()]
    columns = (Column("verb", heads=True), *(Column(name) for name in TASK_COLUMNS))
    caption = "What was done; the key is the hash of everything that the result depends on."
    return Table(columns, tuple(rows), caption, style="dense")


def _task_cells(entry: Mapping[str, Any]) -> list[str | Cell]:
    *cells, key = (text_of(entry.get(column, "–")) for column in TASK_COLUMNS)
    return [*cells, Cell(key, "hash")]


def differences(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """Keys whose values differ between the studies of several runs, with these values.

    A section that a study lacks is one row, not all of its keys.
    """
    studies = [run.study for run in runs]
    sections = {name for study in studies for name, v in study.items() if isinstance(v, Mapping)}
    missing = {name for name in sections if not all(name in study for study in studies)}
    shared = [{k: v for k, v in study.items() if k not in missing} for study in studies]
    flat = [dict(_flat(study)) for study in shared]
    keys = dict.fromkeys(key for study in flat for key in study)
    rows = [(key, [text_of(study.get(key, "–")) for study in flat]) for key in keys]
    rows += [(f"[{n}]", ["yes" if n in s else "–" for s in studies]) for n in sorted(missing)]
    return [(key, values) for key, values in rows if len(set(values)) > 1]


def _flat(tables: Mapping[str, Any], head: str = "") -> Iterator[tuple[str, Any]]:
    """Values of nested tables by dotted key."""
    for key, value in tables.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{head}{key}.")
        else:
            yield f"{head}{key}", value
