"""The tables of a forecast, for the terminal and the report alike.

Each title says by which method its numbers are found, each note of what kind they are;
all are for the total of all angles.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

from rich.box import SIMPLE_HEAD
from rich.table import Table as RichTable

from renp_infer.figures.drawing import number
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.profiles.exposure import LONGEST_S, SHORTEST_S
from renp_infer.physics.constants import YEAR_S
from renp_infer.records import FloatArray
from renp_infer.verbs.forecast.judged import judged
from renp_infer.verbs.forecast.quantities import (
    PERCENTS,
    RIVALS,
    TARGETS,
    Correction,
    DrawnLimits,
    ExpectedLimits,
    Kind,
    Rival,
    Steps,
)
from renp_infer.verbs.forecast.result import ByTruth, ForecastAbout, ForecastResult
from renp_infer.verbs.forecast.spread import OVER_DATA, quantile
from renp_infer.verbs.forecast.summary import (
    DerivedRows,
    Headline,
    MethodCell,
    MethodRow,
    PhaseRow,
    comparison,
    cp_phases,
    derived_rows,
    headline,
    method_rows,
    required_precision,
)

Number = float | FloatArray
"""A number, or an array of no dimension."""


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


def forecast_sheets(found: ForecastResult) -> list[Sheet]:
    """All tables that a forecast has the numbers for."""
    first, rows, sheets = headline(found), method_rows(found), []
    if first is not None:
        sheets += [_headline(found.about, first), _exposures(first), _methods(rows)]
    derived = derived_rows(found)
    if derived is not None:
        sheets.append(_derived(derived))
    if found.limits is not None:
        sheets += _limits(found.limits, found.drawn_limits)
    if found.steps is not None:
        sheets += [_steps(found.about, found.steps), _precision(found)]
    if found.corrections is not None:
        sheets.append(_corrections(found.corrections))
    return [sheet for sheet in sheets if sheet.rows]


def forecast_remarks(found: ForecastResult) -> list[str]:
    """What is said beside the tables."""
    remarks = [comparison(found), *(_phase_line(row) for row in cp_phases(found))]
    reasons = judged(found).reasons
    if reasons:
        remarks.append(f"Forecast: {'; '.join(reasons)}; these numbers are missing.")
    return [text for text in remarks if text]


def terminal_table(sheet: Sheet) -> RichTable:
    """A sheet at most 80 columns wide."""
    table = RichTable(
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


def _headline(about: ForecastAbout, found: Headline) -> Sheet:
    label = ", noise normalised" if about.normalised else ""
    heads = ["m₁\n[meV]", "σ(m₁)\n[meV]", *(f"{target}\n[σ]" for target in TARGETS)]
    columns = [[short(m) for m in found.m1_meV], [short(v) for v in found.cells.sigma_m1_meV]]
    for target in TARGETS:
        columns.append([short(v) for v in found.cells.against.of(target).separation])
    return Sheet(
        f"{about.name} ({about.preset}{label}): {found.ordering} ordering, "
        f"{found.nature}, median {found.method}",
        tuple(heads),
        tuple(zip(*columns, strict=True)),
        "σ(m₁): half width of the 68 % confidence interval. mass, ordering, nature: median "
        "significance against m₁ = 0, the other ordering and the other nature; - : not within "
        "bounds, or not confirmed.",
    )


def _exposures(found: Headline) -> Sheet:
    heads = ["m₁\n[meV]"]
    columns = [[short(m) for m in found.m1_meV]]
    for target in TARGETS:
        heads += [f"{target}\nin 3σ", f"{target}\nin 5σ"]
        against = found.cells.against.of(target)
        columns.append([duration(v) for v in against.exposure_3sigma_s])
        columns.append([duration(v) for v in against.exposure_5sigma_s])
    return Sheet(
        f"total exposure in which that is told, {found.ordering} ordering, {found.nature}, "
        f"median {found.method}",
        tuple(heads),
        tuple(zip(*columns, strict=True)),
        "All angles together. <= 1 s: sooner than is looked for; - : not reached, or a search at "
        "that exposure does not give the separation back.",
    )


def _methods(found: list[MethodRow]) -> Sheet:
    names = list(found[0].methods)
    heads = ["m₁\n[meV]", *(f"σ(m₁)\n{name}" for name in names)]
    for rival in RIVALS:
        heads += [f"{rival}\n{name}" for name in names]
    return Sheet(
        "the methods compared, same truths",
        (*heads, "Fisher fails:\n" if "fisher" in names else ""),
        tuple(_method_cells(row) for row in found),
        "σ(m₁) in meV: half of the 68 % confidence interval; of drawn data, half the central "
        "68 % of the estimates, which pile up where m₁ is near 0. Others in σ: median "
        "significance, and the central 68 % of the experiments.",
    )


def _method_cells(row: MethodRow) -> tuple[str, ...]:
    cells = [short(row.m1_meV), *(short(cell.sigma_m1_meV) for cell in row.methods.values())]
    for rival in RIVALS:
        cells += [_separation(cell, rival) for cell in row.methods.values()]
    flags = [flag for cell in row.methods.values() for flag in cell.flags or ()]
    return (*cells, ", ".join(flags))


def _separation(cell: MethodCell, rival: Rival) -> str:
    text = short(cell.separation[rival])
    if rival not in cell.band:
        return text
    low, high = cell.band[rival]
    return f"{text}\n{short(low)}-{short(high)}"


def _derived(found: DerivedRows) -> Sheet:
    names = [one.name for one in fields(found.errors)]
    columns = [[short(m) for m in found.m1_meV]]
    columns += [[short(v) for v in getattr(found.errors, name)] for name in names]
    columns.append(["" if valid == 1.0 else "no" for valid in found.valid])
    heads = [f"σ\n{PARAMETERS.text(name)}".replace(" [meV]", "") for name in names]
    return Sheet(
        "errors of what other experiments measure [meV] (median Fisher)",
        ("m₁\n[meV]", *heads, "valid"),
        tuple(zip(*columns, strict=True)),
        "To first order, at the study's exposure; of m_ββ none where phases are unknown. valid: "
        "whether a computed flag speaks against derivatives.",
    )


def _limits(
    expected: ByTruth[ExpectedLimits[FloatArray]], drawn: ByTruth[DrawnLimits[FloatArray]] | None
) -> list[Sheet]:
    words: dict[Kind, str] = {
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
    note = (
        "Bands: the central share of mock experiments; - : beyond the largest mass, or Fisher "
        "not valid."
    )
    largest = expected.values.m1_max_meV.ravel()[0]
    alone = " and ".join(short(level * largest) for level in (0.90, 0.95))
    notes = {"confidence": note, "credible": f"{note} The prior alone gives {alone} meV."}
    return [
        Sheet(
            f"expected upper limits of m₁ if it is 0 [meV]: {text} (median experiment)",
            heads,
            tuple(_limit_rows(expected, drawn, kind)),
            notes[kind],
        )
        for kind, text in words.items()
    ]


def _limit_rows(
    expected: ByTruth[ExpectedLimits[FloatArray]],
    drawn: ByTruth[DrawnLimits[FloatArray]] | None,
    kind: Kind,
) -> Iterator[tuple[str, ...]]:
    for ordering, nature, one in expected.hypotheses():
        mocks = drawn.at(ordering, nature).ensemble if drawn else None
        for percent in PERCENTS:
            valid = one.fisher_valid != 0.0
            fisher = short(one.fisher.of(kind, percent)) if valid else "-"
            median = (fisher, short(one.asimov.of(kind, percent)))
            bands = _bands(mocks.of(kind, percent)) if mocks else ("-", "-", "-")
            yield (f"{ordering}, {nature}", f"{percent} %", *median, *bands)


def _bands(limits_meV: FloatArray) -> tuple[str, str, str]:
    """Median and central shares of the limits of drawn data (datasets,)."""
    found = {name: short(quantile(limits_meV, share)) for name, share in OVER_DATA.items()}
    return (
        found["median"],
        f"{found['low_68']} to {found['high_68']}",
        f"{found['low_95']} to {found['high_95']}",
    )


def _steps(about: ForecastAbout, steps: Steps) -> Sheet:
    names = ["statistics only", *(f"+ {name}" for name in about.systematics)]
    rows = [
        (
            name,
            short(steps.sigma_m1_meV[k]),
            short(steps.asimov_sigma_m1_meV[k]),
            duration(steps.exposure_3sigma_s[k]),
            duration(steps.exposure_goal_s[k]),
        )
        for k, name in enumerate(names)
    ]
    return Sheet(
        f"systematics added one by one, at m₁ = {short(about.truth.m1_meV)} meV",
        ("", "σ(m₁)\nFisher", "σ(m₁)\nAsimov", "3σ\nmass", f"time for\n{about.goal_meV:g} meV"),
        tuple(rows),
        "σ(m₁) in meV: half width of the 68 % confidence interval at the study's exposure; times: "
        "total exposures by Fisher. Where CP is conserved Fisher does not see the phases.",
    )


def _precision(found: ForecastResult) -> Sheet:
    cells = []
    for row in required_precision(found):
        need = f"{row.factor:.3g} of now"
        if row.factor == 1.0:
            need = "good enough"
        elif math.isnan(row.factor):
            need = "not enough alone"
        gains = (short(row.halving_meV), short(row.asimov_halving_meV), short(row.shift_meV))
        cells.append((row.systematic, *gains, need))
    return Sheet(
        f"which systematic must improve, and to what, for σ(m₁) = {found.about.goal_meV:g} meV",
        ("", "halved\nFisher", "halved\nAsimov", "1σ shift\nFisher", "its priors\nmust be"),
        tuple(cells),
        "σ(m₁): half width of the 68 % confidence interval. Halved, in meV: what σ loses if its "
        "priors are half as wide (phases, by Asimov: if they are known). Shift: how far the "
        "estimate moves if its calibration errs by one standard deviation. The factor narrows "
        "all priors of one systematic, all else as it is (median Fisher).",
    )


def _corrections(found: ByTruth[Correction[FloatArray]]) -> Sheet:
    rows = [(name, found.at(name)) for name in found.axes.variant]
    return Sheet(
        "published preset, one switch corrected at a time (median Fisher, absolute noise)",
        ("", "peak field\n[nG]", "σ(m₁)\n[meV]", "3σ\nmass", "5σ\nmass"),
        tuple(
            (
                name,
                short(one.peak_nG),
                short(one.sigma_m1_meV),
                duration(one.exposure_3sigma_s),
                duration(one.exposure_5sigma_s),
            )
            for name, one in rows
        ),
        "Peak field: that of one angle. σ(m₁): half width of the 68 % confidence interval; times "
        "are total exposures; - : no printed number for this target, or no response that is "
        "good enough for so large a signal. A coherence that the study gives as a number is in "
        "each row at most what it can be there.",
        absolute=True,
    )


def _phase_line(row: PhaseRow) -> str:
    shares = ", ".join(f"{k} in {100.0 * s:.0f} %" for k, s in enumerate(row.share_measured))
    return (
        f"CP phases, {row.ordering} ordering: combinations measured: {shares} of all phases; "
        f"Majorana from Dirac by {short(row.separation_nature_lowest)}σ to "
        f"{short(row.separation_nature_highest)}σ (profile likelihood, at the study's mass)."
    )


def short(value: Number) -> str:
    """Three digits, or a dash for what has no value."""
    return "-" if not math.isfinite(value) else number(float(f"{value:.3g}"), 3)


def duration(seconds: Number) -> str:
    """An exposure in a unit that people know."""
    if math.isnan(seconds):
        return "-"
    if math.isinf(seconds):
        return f"> {number(LONGEST_S)} s"
    if seconds <= SHORTEST_S:
        return f"<= {number(SHORTEST_S)} s"
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{short(seconds / size)} {unit}"
    days = seconds / 86400
    return f"{short(days)} d" if seconds < YEAR_S else f"{short(seconds / YEAR_S)} yr"
