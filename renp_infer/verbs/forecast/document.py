"""The document of ``renp forecast --json``."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from renp_infer.terminal import plain
from renp_infer.verbs.forecast.columns import columns_of
from renp_infer.verbs.forecast.judged import judged
from renp_infer.verbs.forecast.quantities import TARGETS
from renp_infer.verbs.forecast.result import ForecastResult
from renp_infer.verbs.forecast.spread import OVER_DATA, OVER_PHASES, spread
from renp_infer.verbs.forecast.summary import (
    Headline,
    MethodCell,
    MethodRow,
    cells_of,
    cp_phases,
    derived_rows,
    headline,
    method_rows,
    required_precision,
)

VOCABULARY = {
    "scope": "every number is for the total of all angles, none per angle, but for peak_snr",
    "fisher": "median over mock experiments, in the linear approximation; where valid = 0 a "
    "computed flag says that it must not be used",
    "asimov": "median over mock experiments, profile likelihood of expectation (Asimov) data",
    "ensemble": "drawn data and calibrations; median, and central 68 % and 95 % of the experiments",
    "sigma_m1_meV": "half width of the 68 % confidence interval of m1 (Delta chi^2 = 1)",
    "derived": "standard errors of the sum of masses, of both effective masses and of the three "
    "masses, to first order (fisher), at the headline's hypothesis; of m_betabeta null where "
    "phases are unknown",
    "separation": "sqrt(Delta chi^2), in standard deviations; the rival is the other ordering with "
    "the same nature, or the other nature with the same ordering; mass: against m1 = 0",
    "confirmed": "1: the separation may be used; 0: searches from several starts do not agree, and "
    "there is no number; of mass by fisher: whether no flag speaks against the error of m1",
    "exposure": "total exposure in s at which the separation is reached; null: not within 1e60 s, "
    "or a search at that exposure does not give the separation back",
    "null": "no value: not reached, not measured within the bounds of m1, or no task gave it",
    "confidence": "upper limit of m1 for a truth of 0, median Asimov, one-sided confidence level",
    "credible": "upper limit of m1 for a truth of 0, credible, prior uniform in m1, Asimov data",
    "drawn": "the same limits of mock experiments: median, and central 68 % and 95 % of them",
    "methods": "at the study's hypothesis and phases; ensemble: half the central 68 % of the "
    "estimates of m1, median separation and its central 68 %",
}


def forecast_json(found: ForecastResult) -> dict[str, Any]:
    """The document with null for what has no value: never reached, or not measured."""

    def known(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: known(item) for key, item in value.items()}
        if isinstance(value, list):
            return [known(item) for item in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    whole: dict[str, Any] = known(plain(forecast_document(found)))
    return whole


def forecast_document(found: ForecastResult) -> dict[str, Any]:
    """All numbers, by the keys of the document.

    Its first keys are for the study's ordering and nature and its own phases;
    ``hypotheses`` has all, as median, lowest and highest over the phase settings.
    """
    about, first = found.about, headline(found)
    document: dict[str, Any] = {
        "schema": 1,
        "name": about.name,
        "verdict": judged(found).verdict,
        "reasons": judged(found).reasons,
        "preset": about.preset,
        "normalised": about.normalised,
        "truth": asdict(about.truth),
        "exposure_s": about.exposure_s,
        "systematics": about.systematics,
        "constraints": about.constraints,
        "method": first.method if first else "",
        "missing_tasks": about.missing,
        "vocabulary": VOCABULARY,
    }
    if first is not None:
        document |= _headline(first) | {"hypotheses": _hypotheses(found)}
    rows = derived_rows(found)
    if rows is not None:
        errors = {f"sigma_{name}": values for name, values in asdict(rows.errors).items()}
        document["derived"] = {"m1_meV": rows.m1_meV, **errors, "valid": rows.valid}
    document["methods"] = [_method_row(row) for row in method_rows(found)]
    return document | _tables(found)


def _headline(found: Headline) -> dict[str, Any]:
    against = {target: found.cells.against.of(target) for target in TARGETS}
    return {
        "ordering": found.ordering,
        "nature": found.nature,
        "m1_meV": found.m1_meV,
        "sigma_m1_meV": found.cells.sigma_m1_meV,
        "separation": {target: one.separation for target, one in against.items()},
        "confirmed": {target: one.confirmed for target, one in against.items()},
        "exposure_3sigma_s": {target: one.exposure_3sigma_s for target, one in against.items()},
        "exposure_5sigma_s": {target: one.exposure_5sigma_s for target, one in against.items()},
    }


def _hypotheses(found: ForecastResult) -> list[dict[str, Any]]:
    return [
        {"method": method, "ordering": ordering, "nature": nature}
        | spread(cells, OVER_DATA if method == "ensemble" else OVER_PHASES)
        for method, table in cells_of(found).items()
        for ordering, nature, cells in table.hypotheses()
    ]


def _method_row(row: MethodRow) -> dict[str, Any]:
    found: dict[str, Any] = {"m1_meV": row.m1_meV}
    return found | {str(method): _method_cell(cell) for method, cell in row.methods.items()}


def _method_cell(cell: MethodCell) -> dict[str, Any]:
    found: dict[str, Any] = {"sigma_m1_meV": cell.sigma_m1_meV}
    for rival, away in cell.separation.items():
        found[f"separation_{rival}"] = away
        if rival in cell.band:
            found[f"separation_{rival}_68"] = cell.band[rival]
    return found if cell.flags is None else found | {"flags": cell.flags}


def _tables(found: ForecastResult) -> dict[str, Any]:
    """Limits, steps, corrections and phases, as far as there are any."""
    document: dict[str, Any] = {}
    limits, drawn = found.limits, found.drawn_limits
    if limits or drawn:
        bands = spread(drawn.values, OVER_DATA) if drawn else {}
        columns = [table.columns() for table in (limits, drawn) if table]
        document["limits"] = {k: v for one in columns for k, v in one.items()} | {"drawn": bands}
    if found.steps is not None:
        document["steps"] = {one.name: one.values for one in columns_of(found.steps)}
    if found.corrections is not None:
        document["corrections"] = found.corrections.columns()
    if found.steps is not None:
        document["required_precision"] = [asdict(row) for row in required_precision(found)]
    if found.accuracy is not None:
        document |= {one.name: one.values for one in columns_of(found.accuracy)}
    if found.phases is not None:
        document["cp_phases"] = [asdict(row) for row in cp_phases(found)]
    return document
