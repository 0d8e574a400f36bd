"""The tables of a forecast, for the terminal and the report alike.

Each title says by which method its numbers are found, each note of what kind they are;
all are for the total of all angles.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from renp_infer.verbs.forecast.summary import (
    TARGETS,
    YEAR_S,
    comparison,
    cp_phases,
    forecast_document,
)

if TYPE_CHECKING:
    import xarray

ALLOWED_ERROR = 0.01
"""Error of the response, in standard errors, beyond which it is said: that of an inference."""


@dataclass(frozen=True)
class Sheet:
    """A table as text: the first column names the rows unless it has a head.

    ``absolute``: its noise is absolute even where the study's is scaled.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str
    absolute: bool = False


def forecast_sheets(tree: xarray.DataTree) -> list[Sheet]:
    """All tables that a forecast has the numbers for."""
    document = forecast_document(tree)
    sheets = []
    if document["method"]:
        sheets += [_headline(document), _methods(document)]
    if "limits" in document:
        sheets += _limits(document["limits"])
    if "steps" in document:
        sheets += [_steps(document, float(tree.attrs["goal_meV"])), _precision(document)]
    if "corrections" in document:
        sheets.append(_corrections(document["corrections"]))
    return [sheet for sheet in sheets if sheet.rows]


def forecast_remarks(tree: xarray.DataTree) -> list[str]:
    """What is said beside the tables."""
    found = [comparison(tree)]
    if "phases" in tree.children:
        found += [_phase_line(row) for row in cp_phases(tree)]
    if "accuracy" in tree.children:
        error = float(tree["accuracy"]["response_error_sigma"])
        if error > ALLOWED_ERROR:
            text = f"{error:.2g} standard errors per angle"
            found.append(f"The tabulated response errs by up to {text}.")
    if missing := int(tree.attrs["missing"]):
        found.append(f"{missing} tasks failed; their numbers are missing.")
    return [text for text in found if text]


def terminal_table(sheet: Sheet) -> Table:
    """A sheet at most 80 columns wide."""
    table = Table(
        title=sheet.title,
        caption=sheet.note,
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title_justify="left",
        caption_justify="left",
    )
    for head in sheet.heads:
        table.add_column(head, justify="right" if head else "left")
    for row in sheet.rows:
        table.add_row(*row)
    return table


def _headline(document: dict[str, Any]) -> Sheet:
    label = ", noise normalised" if document["normalised"] else ""
    heads, columns = ["m₁\n[meV]", "σ(m₁)\n[meV]"], [document["m1_meV"], document["sigma_m1_meV"]]
    shown: list[Callable[[float], str]] = [short, short]
    for target in TARGETS:
        heads.append(f"{target}\n[σ]")
        columns.append(document["separation"][target])
        shown.append(short)
        for sigmas in (3, 5):
            heads.append(f"{target}\nin {sigmas}σ")
            columns.append(document[f"exposure_{sigmas}sigma_s"][target])
            shown.append(duration)
    cells = zip(*columns, strict=True)
    return Sheet(
        f"{document['name']} ({document['preset']}{label}): {document['ordering']} ordering, "
        f"{document['nature']}, median {document['method']}",
        tuple(heads),
        tuple(tuple(f(v) for f, v in zip(shown, row, strict=True)) for row in cells),
        "σ(m₁): half width of the 68 % confidence interval. mass, ordering, nature: median "
        "significance against m₁ = 0, the other ordering and the other nature, and the total "
        "exposure for 3σ and 5σ; - : not reached or not within bounds.",
    )


def _methods(document: dict[str, Any]) -> Sheet:
    names = [m for m in ("fisher", "asimov", "ensemble") if m in document["methods"][0]]
    heads = ["m₁\n[meV]", *(f"σ(m₁)\n{name}" for name in names)]
    for target in TARGETS[1:]:
        heads += [f"{target}\n{name}" for name in names]
    rows = []
    for row in document["methods"]:
        cells = [short(row["m1_meV"]), *(short(row[name]["sigma_m1_meV"]) for name in names)]
        for target in TARGETS[1:]:
            cells += [_separation(row[name], target) for name in names]
        rows.append((*cells, ", ".join(row.get("fisher", {}).get("flags", []))))
    return Sheet(
        "the methods compared, same truths",
        (*heads, "Fisher fails:\n" if "fisher" in names else ""),
        tuple(rows),
        "σ(m₁) in meV: half of the 68 % confidence interval; of drawn data, half the central "
        "68 % of the estimates, which pile up where m₁ is near 0. Others in σ: median "
        "significance, and the central 68 % of the experiments.",
    )


def _separation(row: dict[str, Any], target: str) -> str:
    text = short(row[f"separation_{target}"])
    band = row.get(f"separation_{target}_68")
    return f"{text}\n{short(band[0])}-{short(band[1])}" if band else text


def _limits(limits: dict[str, Any]) -> list[Sheet]:
    words = {
        "confidence": "one-sided confidence limits",
        "credible": "credible limits, prior uniform in m₁",
    }
    heads = (
        "",
        "CL",
        "Fisher",
        "median\nAsimov",
        "median\nmocks",
        "68 %\nof mocks",
        "95 %\nof mocks",
    )
    note = "Bands: the central share of mock experiments; - : beyond the largest mass."
    largest = limits["m1_max_meV"].ravel()[0]
    alone = " and ".join(short(level * largest) for level in (0.90, 0.95))
    notes = {"confidence": note, "credible": f"{note} The prior alone gives {alone} meV."}
    sheets = []
    for kind, text in words.items():
        rows = []
        for o, ordering in enumerate(limits["ordering"]):
            for n, nature in enumerate(limits["nature"]):
                for level in (90, 95):
                    numbers = _limit_cells(limits, f"{kind}_{level}_meV", (o, n))
                    rows.append((f"{ordering}, {nature}", f"{level} %", *numbers))
        sheets.append(
            Sheet(
                f"expected upper limits of m₁ if it is 0 [meV]: {text} (median experiment)",
                heads,
                tuple(rows),
                notes[kind],
            )
        )
    return sheets


def _limit_cells(limits: dict[str, Any], name: str, place: tuple[int, int]) -> tuple[str, ...]:
    cells = [short(limits[f"{method}_{name}"][place]) for method in ("fisher", "asimov")]
    drawn = limits["drawn"].get(f"ensemble_{name}")
    if drawn is None:
        return (*cells, "-", "-", "-")
    cells.append(short(drawn["median"][place]))
    for share in (68, 95):
        low, high = (short(drawn[f"{side}_{share}"][place]) for side in ("low", "high"))
        cells.append(f"{low} to {high}")
    return tuple(cells)


def _steps(document: dict[str, Any], goal_meV: float) -> Sheet:
    steps, truth = document["steps"], document["truth"]
    names = ["statistics only", *(f"+ {name}" for name in document["systematics"])]
    rows = [
        (
            name,
            short(steps["sigma_m1_meV"][k]),
            short(steps["asimov_sigma_m1_meV"][k]),
            duration(steps["exposure_3sigma_s"][k]),
            duration(steps["exposure_goal_s"][k]),
        )
        for k, name in enumerate(names)
    ]
    return Sheet(
        f"systematics added one by one, at m₁ = {short(truth['m1_meV'])} meV",
        ("", "σ(m₁)\nFisher", "σ(m₁)\nAsimov", "3σ\nmass", f"time for\n{goal_meV:g} meV"),
        tuple(rows),
        "σ(m₁) in meV: half width of the 68 % confidence interval at the study's exposure; times: "
        "total exposures by Fisher. Where CP is conserved Fisher does not see the phases.",
    )


def _precision(document: dict[str, Any]) -> Sheet:
    rows = document["required_precision"]
    goal = f"{rows[0]['goal_meV']:g} meV" if rows else ""
    cells = []
    for row in rows:
        need = f"{row['factor']:.3g} of now"
        if row["factor"] == 1.0:
            need = "good enough"
        elif math.isnan(row["factor"]):
            need = "not enough alone"
        impacts = (short(row[name]) for name in ("impact_meV", "asimov_impact_meV"))
        cells.append((row["systematic"], *impacts, need))
    return Sheet(
        f"which systematic must improve, and to what, for σ(m₁) = {goal}",
        ("", "impact\nFisher", "impact\nAsimov", "its priors\nmust be"),
        tuple(cells),
        "σ(m₁): half width of the 68 % confidence interval. Impact in meV: root of what σ² would "
        "lose if this were known exactly. The factor narrows all priors of one systematic, all "
        "else as it is (median Fisher).",
    )


def _corrections(found: dict[str, Any]) -> Sheet:
    rows = [
        (
            name,
            short(found["peak_nG"][k]),
            short(found["sigma_m1_meV"][k]),
            duration(found["exposure_3sigma_s"][k]),
            duration(found["exposure_5sigma_s"][k]),
        )
        for k, name in enumerate(found["variant"])
    ]
    return Sheet(
        "published preset, one switch corrected at a time (median Fisher, absolute noise)",
        ("", "peak field\n[nG]", "σ(m₁)\n[meV]", "3σ\nmass", "5σ\nmass"),
        tuple(rows),
        "Peak field: that of one angle. σ(m₁): half width of the 68 % confidence interval; times "
        "are total exposures; - : no printed number for this target.",
        absolute=True,
    )


def _phase_line(row: dict[str, Any]) -> str:
    shares = ", ".join(f"{k} in {100.0 * s:.0f} %" for k, s in enumerate(row["share_measured"]))
    return (
        f"CP phases, {row['ordering']} ordering: combinations measured: {shares} of all phases; "
        f"Majorana from Dirac by {short(row['separation_nature_lowest'])}σ to "
        f"{short(row['separation_nature_highest'])}σ (median Fisher, at the study's mass)."
    )


def short(value: float) -> str:
    """Three digits, or a dash for what has no value."""
    return "-" if not math.isfinite(value) else f"{value:.3g}"


def duration(seconds: float) -> str:
    """An exposure in a unit that people know."""
    if math.isnan(seconds):
        return "-"
    if math.isinf(seconds):
        return "> 1e60 s"
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / size:.3g} {unit}"
    days = seconds / 86400
    return f"{days:.3g} d" if seconds < YEAR_S else f"{seconds / YEAR_S:.2g} yr"
