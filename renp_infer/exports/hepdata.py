"""HEPData: a submission of every table but draws, ready to be looked at before it is sent.

HEPData reads YAML, of which JSON is a part.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.exports.estimates import hypothesis_of, limits
from renp_infer.exports.frames import DRAWN, SCALARS, FlatTable, frames_of
from renp_infer.exports.origin import Origin
from renp_infer.exports.symbols import symbol_and_unit
from renp_infer.inference.parameters import MASS
from renp_infer.verbs.infer.result import InferResult

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

SUBMISSION = "submission.yaml"
BINS = 60


def hepdata_files(run: Run) -> Iterator[tuple[str, str]]:
    """Name and text of each file, the submission first."""
    tables = list(_tables(run))
    origin = Origin.of(run)
    head = {"comment": ". ".join((*origin.lines(), hypothesis_of(run)))}
    documents = [head, *(_entry(name, description) for name, description, _ in tables)]
    yield SUBMISSION, "\n---\n".join(json.dumps(document, indent=1) for document in documents)
    for name, _, content in tables:
        yield f"{name}.yaml", json.dumps(content, indent=1) + "\n"


def _entry(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "description": description,
        "keywords": [{"name": "observables", "values": ["MAGNETIZATION", "NEUTRINO MASS"]}],
        "data_file": f"{name}.yaml",
    }


def _tables(run: Run) -> Iterator[tuple[str, str, dict[str, Any]]]:
    result = run.find(InferResult)
    if result is not None:
        yield "posterior", "Estimates of the posterior, credible intervals", _estimates(result)
        yield "posterior-m1", "Marginal density of the lightest mass", _density(result)
    for frame in frames_of(run):
        if DRAWN not in frame.index and not frame.name.endswith(SCALARS):
            yield frame.name, f"{frame.name}, by {', '.join(frame.index)}", _columns(frame)


def _estimates(result: InferResult) -> dict[str, Any]:
    rows = {
        n: dict(limits(row)) for n, row in result.estimates.items() if row.measured is not False
    }
    labels = [" ".join(filter(None, (name, symbol_and_unit(name)[1]))) for name in rows]
    numbers = next(iter(rows.values())) if rows else {}
    return {
        "independent_variables": [_variable("parameter and unit", "", labels)],
        "dependent_variables": [
            _variable(what, "", [row[what] for row in rows.values()]) for what in numbers
        ],
    }


def _density(result: InferResult) -> dict[str, Any]:
    draws = result.tree["posterior"].to_dataset()[MASS].values.ravel()
    density, edges = np.histogram(draws, BINS, density=True)
    bins = [
        {"low": a, "high": b} for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ]
    masses = {"header": {"name": MASS, "units": "meV"}, "values": bins}
    found = _variable("posterior density", "1/meV", density.tolist())
    return {"independent_variables": [masses], "dependent_variables": [found]}


def _columns(frame: FlatTable) -> dict[str, Any]:
    own: list[list[dict[str, Any]]] = [[], []]
    for column in map(str, frame.table.columns):
        values = frame.table[column].tolist()
        unit = frame.units.get(column, "")
        own[column not in frame.index].append(_variable(column, unit, values))
    return {"independent_variables": own[0], "dependent_variables": own[1]}


def _variable(name: str, unit: str, values: Sequence[Any]) -> dict[str, Any]:
    header = {"name": name, "units": unit} if unit else {"name": name}
    return {"header": header, "values": [{"value": _value(value)} for value in values]}


def _value(value: Any) -> Any:
    """A value of HEPData, which has no NaN."""
    unknown = value is None or (isinstance(value, float) and not math.isfinite(value))
    return "-" if unknown else value
