"""What runs cost as they grow, measured and fitted, and what that predicts.

``python benchmarks/scale.py`` prints its tables and writes them to ``results/scale.json``
and, for ``docs/scale.md``, to ``results/scale.md``; ``results/scale.svg`` draws them. Seven
minutes of processor time; ten to thirteen minutes on two cores that others use too.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from run import (
    CHI_SQUARED,
    KINDS,
    M1_MAX_EV,
    MASSES,
    TARGET,
    TRUTH,
    apparatus,
    machine,
    sub_angles,
)

from renp_infer.inference.judging.sbc import rank_one
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.refit import Refit
from renp_infer.inference.responses.response import Response
from renp_infer.inference.results.comparison import Hypothesis
from renp_infer.measurement.mock import observe
from renp_infer.measurement.smoothing import smoothed_pairs
from renp_infer.measurement.squid import covariance_nG2
from renp_infer.physics.neutrinos import masses
from renp_infer.physics.pairs._crystal_kernels import crystal_grid
from renp_infer.physics.pairs.densities import current_form
from renp_infer.physics.pairs.form_factor import crystal_size, pair_integrals, pair_masses
from renp_infer.physics.pairs.kinematics import mismatch
from renp_infer.records import Experiment
from renp_infer.study.load import load_study
from renp_infer.verbs.calibrate.mocks import mock_model
from renp_infer.verbs.compare.work import likelihood_of
from renp_infer.verbs.forecast.bench import Bench
from renp_infer.verbs.forecast.cells import TruthCell, ensemble_cell
from renp_infer.verbs.forecast.verb import FORECAST

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "scale.json"
PAGE, PLOT = RESULTS.with_suffix(".md"), RESULTS.with_suffix(".svg")
MARKERS = {"full": "o", "planar": "s", "": "^"}
LEGEND_LINE = 0.07
"""Height of a line of a legend by that of its panel."""
REPEATS, ROUND_MS, SLOW_MS = 5, 20.0, 1000.0
WORST_EXPONENT = 1.05
"""Largest exponent that counts as linear: timing leaves a few per cent."""
EXECUTORS = ("serial", "processes:2")
COUNTS = (1_000, 10_000, 100_000)
WORKERS = (1, 2, 4)
BUSY_S, BUSY_TASKS, TRIES = 0.05, 200, 3
PREDICTED = (10**3, 10**4, 10**5, 10**6, 10**7)
BLOCK = 1000
FREED = (
    ("amplitude_sd=0", "baseline_sd=0"),
    ("refractive_index_sd=0", "theta_s_offset_sd_deg=0", "theta_e_offset_sd_deg=0"),
    ("oscillation_errors=false",),
    ('phases="fixed"',),
)
"""Nuisances of a fit, and how a study fixes them."""

HYPOTHESIS = Hypothesis("normal", "majorana")
NOISES = {"white": (), "drift": ("detector.drift_fT=1", "detector.drift_time_s=600")}
FORECAST_MASSES, KEYS, MOST_MS_PER_KEY = (35, 268, 6667), 2000, 0.1
"""Masses of a forecast: 422, 3,222 and 80,000 tasks or so; keys that are timed."""
MODEL = "angles of a model"
ANGLES = (61, 121, 481, 1921)
"""Steps that divide the window of 1.44 degrees, as 0.36 does: else panels are twice as many."""
ACROSS = "layout.theta_s_deg={{start=130.0,stop=151.6,points={}}}"

Row = dict[str, Any]
Table = list[Row]
Work = Callable[[], object]


def layer(count: int, executor: str, seconds: float = 0.0) -> tuple[float, ...]:
    """What ``tiny_tasks`` prints of a run."""
    words = [sys.executable, str(HERE / "tiny_tasks.py"), str(count), executor, str(seconds)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return tuple(map(float, done.stdout.split()))


def overheads() -> Table:
    """What a task that does nothing costs, against the number of tasks."""
    rows = []
    for executor in EXECUTORS:
        for count in COUNTS:
            run, busy, again, memory = layer(count, executor)
            rows.append(
                {
                    "executor": executor,
                    "tasks": count,
                    "ms_per_task": 1e3 * run / count,
                    "driver_ms_per_task": 1e3 * busy / count,
                    "ms_per_resumed_task": 1e3 * again / count,
                    "driver_MB": memory,
                }
            )
    return rows


def throughput() -> Table:
    """Tasks of 50 ms per second, with 1, 2 and 4 worker processes; fastest of three runs.

    The exponent is that of the rate between one worker and so many, up to the number of cores.
    """
    rows: Table = []
    cores = os.cpu_count() or 1
    for workers in WORKERS:
        runs = [layer(BUSY_TASKS, f"processes:{workers}", BUSY_S) for _ in range(TRIES)]
        seconds = min(wall for wall, *_ in runs)
        rate = BUSY_TASKS / seconds
        row: Row = {"workers": workers, "tasks_per_s": rate}
        row["of_ideal"] = rate * BUSY_S / min(workers, cores)
        gained = rate / rows[0]["tasks_per_s"] if 1 < workers <= cores else None
        row["exponent"] = gained and math.log(gained) / math.log(workers)
        rows.append(row)
    return rows


def timed(work: Work) -> float:
    """Processor time of a call in ms, after one that compiles.

    Median of five rounds, each of as many calls as take 20 ms; one call if it takes a second.
    """
    work()
    first = spent(work, 1)
    if first > SLOW_MS:
        return first
    calls = math.ceil(ROUND_MS / first)
    return statistics.median(spent(work, calls) / calls for _ in range(REPEATS))


def spent(work: Work, calls: int) -> float:
    """Processor time of some calls in ms."""
    begin = process_time()
    for _ in range(calls):
        work()
    return 1e3 * (process_time() - begin)


def measured(grows: str, cost: str, sizes: Sequence[int], work: Callable[[int], Work]) -> Row:
    """Fitted processor times of works made for some sizes."""
    return fitted(grows, cost, sizes, [timed(work(size)) for size in sizes])


def fitted(grows: str, cost: str, sizes: Sequence[int], times: Sequence[float]) -> Row:
    """Line through times in ms against sizes, and the exponent of a power law."""
    slope, constant = np.polyfit(sizes, times, 1)
    exponent = float(np.polyfit(np.log(sizes), np.log(times), 1)[0])
    return {
        "grows_with": grows,
        "cost_of": cost,
        "sizes": f"{sizes[0]} to {sizes[-1]}",
        "constant_ms": float(constant),
        "per_unit_ms": float(slope),
        "exponent": exponent,
        "linear": exponent <= WORST_EXPONENT,
        "at": list(sizes),
        "ms": list(times),
    }


def costs() -> Table:
    """Cost of model, fits, forecasts and data sets by what they grow with."""
    return [*of_model(), *of_likelihood(), *of_exposures(), *of_data_sets()]


def of_model() -> Table:
    """Integrals, smoothed or not, and one call of a fit's response."""
    rows, parts = [], [4, 16, 64, 256]
    for kind in KINDS:
        rows += [
            measured(MODEL, f"{kind}: integrals", [61, 244, 976, 3904], partial(grid, kind)),
            measured(MODEL, f"{kind}: smoothed", ANGLES, partial(smoothing, kind)),
            measured(MODEL, f"{kind}: response", ANGLES, partial(response, kind)),
            measured("sub-angles", f"{kind}: integrals", parts, partial(windows, kind)),
            measured("pairs", f"{kind}: integrals", range(1, 7), partial(grid, kind, 3904)),
        ]
    return rows


def of_likelihood() -> Table:
    """A log-likelihood with its gradient, and taking in new data."""
    fixed = [sum(FREED[count:], ()) for count in range(len(FREED) + 1)]
    free = [target(*(f"inference.{key}" for key in keys)) for keys in fixed]
    sizes = [len(one.prior.names) for one in free]
    rows = [
        fitted("nuisances", "log-likelihood", sizes, [timed(evaluation(one)) for one in free]),
    ]
    for name, changes in NOISES.items():
        wide = {n: target(ACROSS.format(n), *changes) for n in ANGLES}
        for cost, work in (("log-likelihood", evaluation), ("new data", renewal)):
            times = [timed(work(one)) for one in wide.values()]
            rows.append(fitted("angles of a likelihood", f"{cost}, {name}", ANGLES, times))
    return rows


def of_exposures() -> Table:
    """Error of m1 by exposure at one truth, as forecasts have it at 121 exposures.

    White noise only scales with exposure and is resolved once; with a drift each exposure
    is solved anew.
    """
    sizes = [121, 484, 1936, 7744]
    return [
        measured("exposures", f"forecast, {name}", sizes, partial(forecast, truth(*changes)))
        for name, changes in NOISES.items()
    ]


def of_data_sets() -> Table:
    """Mock data, and what is done with each of them.

    A forecast draws data and fits mass, ordering and nature by profile likelihood, some
    30 ms per data set. A calibration samples a posterior by NUTS. Here it has one chain of
    100 + 100 draws, half a second, and compiles before the clock starts: growth does not
    depend on the number of draws.
    """
    cell = truth()
    return [
        measured("data sets", "mock data", [100, 300, 1000, 3000], draws),
        measured("data sets", "forecast, profile fits", [2, 8, 32], partial(ensemble, cell)),
        measured("data sets", "calibration, NUTS", [1, 2, 4, 8], calibration()),
    ]


def across(kind: str, count: int) -> Experiment:
    """A phase space with some angles across the upper pair thresholds."""
    experiment = apparatus(kind, "edge")
    angles = np.deg2rad(np.linspace(130.0, 151.6, count))
    return replace(experiment, layout=replace(experiment.layout, theta_s=angles))


def smoothing(kind: str, count: int) -> Work:
    """Pair integrals averaged over each angle's window."""
    experiment = across(kind, count)
    return lambda: smoothed_pairs(experiment, MASSES)


def response(kind: str, count: int) -> Work:
    """One call of a fit: smoothed fields with the Jacobian."""
    found = Response(across(kind, count), TRUTH, CHI_SQUARED, M1_MAX_EV)
    return lambda: found(found.nominal())


def windows(kind: str, parts: int) -> Work:
    """Pair integrals at the parts of each of 61 angles' windows."""
    experiment = apparatus(kind, "seed")
    angles = sub_angles(experiment, parts).ravel()
    return lambda: pair_integrals(experiment, MASSES, angles)


def target(*changes: str) -> Likelihood:
    """Likelihood of a study with some keys changed."""
    return likelihood_of(load_study("edge-layout-normalised", changes), HYPOTHESIS)[0]


def evaluation(likelihood: Likelihood) -> Work:
    """A log-likelihood with its gradient."""
    vector = likelihood.prior.sample(np.random.default_rng(0), 1)[0]
    return lambda: (likelihood.log_likelihood(vector), likelihood.gradient(vector))


def renewal(likelihood: Likelihood) -> Work:
    """The same likelihood for other data."""
    return lambda: likelihood.with_data(likelihood.data.vector)


def truth(*changes: str) -> TruthCell:
    """The study's truth in a forecast."""
    bench = Bench(load_study("forecast-edge", changes))
    own = bench.study.parameters
    return TruthCell(bench, bench.hypothesis(own.ordering, own.nature), own)


def forecast(cell: TruthCell, count: int) -> Work:
    """Errors of m1 at some exposures, from the likelihood's expansion on."""
    exposures_s = np.geomspace(1.0, 1e60, count).tolist()

    def work() -> None:
        expanded = cell.bench.by_exposure(cell.own, cell.vector)
        for exposure_s in exposures_s:
            expanded.sigma(exposure_s)

    return work


def ensemble(cell: TruthCell, count: int) -> Work:
    """Profile fits of drawn data sets."""
    seeds = np.random.SeedSequence(0).spawn(count)
    return lambda: ensemble_cell(cell, seeds)


def calibration() -> Callable[[int], Work]:
    """Posteriors of a data set, over and over: other sets' times differ by factors."""
    study = load_study("edge-layout-normalised")
    assert study.settings is not None
    short = replace(study.settings, chains=1, draws=100, tune=100)
    model, sample = mock_model(study, HYPOTHESIS), Refit(short)

    def works(count: int) -> Work:
        def work() -> None:
            for _ in range(count):
                found = rank_one(
                    model.likelihood, model.expected, sample, np.random.SeedSequence(0)
                )
                assert found.ranked, found.failure

        return work

    return works


def grid(kind: str, angles: int, pairs: int = 6) -> Work:
    """Pair integrals of some pairs at some angles of the paper's layout."""
    experiment = apparatus(kind, "seed")
    theta = np.deg2rad(np.linspace(48.0, 69.6, angles))
    masses_eV = pair_masses(masses(TRUTH))[:pairs]
    switches, layout = experiment.switches, experiment.layout
    arguments = (
        switches.phase_space == "planar",
        switches.form_factor == "lorentzian",
        *mismatch(theta, layout.theta_e, TARGET),
        *crystal_size(experiment),
        TARGET.epsilon_ep,
        masses_eV,
        current_form(layout, switches),
        experiment.accuracy.relative_tolerance,
    )
    return lambda: crystal_grid(*arguments)


def draws(count: int) -> Work:
    """Mock data sets of the paper's layout."""
    experiment = apparatus("full", "seed")
    angles = experiment.layout.theta_s
    covariance = covariance_nG2(experiment.detector, experiment.lasers, angles.size)

    def work() -> None:
        for seed in range(count):
            rng = np.random.default_rng(seed)
            observe(np.zeros(angles.size), angles, covariance, rng, noise="drawn", normalised=False)

    return work


def of_tasks(overhead: Table) -> Table:
    """Processor time of the driver in whole runs of tasks that do nothing."""
    rows = []
    for executor in EXECUTORS:
        mine = [row for row in overhead if row["executor"] == executor]
        times = [row["tasks"] * row["driver_ms_per_task"] for row in mine]
        rows.append(fitted("tasks", f"driver, {executor}", COUNTS, times))
    return rows


def keys() -> Table:
    """What the key of a task costs, however many tasks there are: those of a forecast.

    The list of a verb's parts is made once; a key is a hash of its own part.
    """
    rows: Table = []
    for masses_of_grid in FORECAST_MASSES:
        grid = f"forecast.m1_meV={{start=0.1,stop=450.0,points={masses_of_grid}}}"
        study = load_study("forecast-edge", [grid])
        begin = process_time()
        series = FORECAST.series(study)
        made = process_time() - begin
        begin = process_time()
        for index in range(0, series.count, max(series.count // KEYS, 1)):
            series.task(index)
        count = len(range(0, series.count, max(series.count // KEYS, 1)))
        each = (process_time() - begin) / count
        row = {"tasks": series.count, "ms_of_all_parts": 1e3 * made, "ms_per_key": 1e3 * each}
        rows.append(row | {"within_0.1_ms": 1e3 * each < MOST_MS_PER_KEY})
    return rows


def predictions(rows: Table) -> Table:
    """Time and memory of ten million tasks and fewer, from the largest measured runs."""
    mine = {
        executor: [row for row in rows if row["executor"] == executor] for executor in EXECUTORS
    }
    found = []
    for count in PREDICTED:
        row: Row = {"tasks": count, "files": count + -(-count // BLOCK)}
        for executor, measured in mine.items():
            row[f"{executor}_s"] = count * 1e-3 * measured[-1]["ms_per_task"]
        slope, constant = np.polyfit(
            [r["tasks"] for r in mine["processes:2"]],
            [r["driver_MB"] for r in mine["processes:2"]],
            1,
        )
        row["resume_s"] = count * 1e-3 * mine["processes:2"][-1]["ms_per_resumed_task"]
        row["driver_MB"] = float(constant + slope * count)
        # beyond this many workers the driver is what is waited for
        row["workers_for_1_s_tasks"] = int(1e3 / mine["processes:2"][-1]["ms_per_task"])
        found.append(row)
    return found


def draw(tables: dict[str, Table]) -> None:
    """Times against sizes, a panel for each thing that costs grow with."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    rows = tables["costs"]
    names = list(dict.fromkeys(row["grows_with"] for row in rows))
    figure, places = plt.subplots(3, 3, figsize=(11.0, 10.0), layout="constrained")
    *panels, last = places.flat
    for axes, name in zip(panels, names, strict=True):
        curves(axes, [row for row in rows if row["grows_with"] == name])
        frame(axes, name, "ms")
    found = tables["throughput"]
    workers, rates = ([row[key] for row in found] for key in ("workers", "tasks_per_s"))
    curve(last, workers, rates, color="C0", marker="^", label="tasks of 50 ms")
    frame(last, "workers", "tasks per second")
    figure.suptitle("Solid: measured, with its exponent. Dotted: linear in the smallest size.")
    figure.savefig(PLOT, metadata={"Date": None})
    plt.close(figure)


def curves(axes: Any, rows: Table) -> None:
    """Lines of one panel: a marker for each phase space, a colour for each of its costs."""
    costs = [row["cost_of"].rpartition(": ") for row in rows]
    colours = list(dict.fromkeys(cost for _, _, cost in costs))
    for row, (kind, _, cost) in zip(rows, costs, strict=True):
        look = {"color": f"C{colours.index(cost)}", "marker": MARKERS[kind]}
        curve(axes, row["at"], row["ms"], label=f"{row['cost_of']}: {row['exponent']:.2f}", **look)


def curve(axes: Any, sizes: Sequence[float], values: Sequence[float], **look: str) -> None:
    """A line of measured values, and the linear one from its first point."""
    axes.loglog(sizes, values, ms=4, lw=1.2, **look)
    ends = np.array([sizes[0], sizes[-1]])
    axes.loglog(ends, values[0] * ends / ends[0], ":", lw=1, color=look["color"])


def frame(axes: Any, size: str, unit: str) -> None:
    """Labels and legend of a panel, with room for the legend above the lines."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_xlabel(size)
    axes.set_ylabel(unit)
    low, high = axes.get_ylim()
    taken = LEGEND_LINE * (len(axes.lines) / 2 + 0.5)
    axes.set_ylim(low, high * (high / low) ** (taken / (1.0 - taken)))
    for axis in (axes.xaxis, axes.yaxis):
        low, high = axis.get_view_interval()
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 100.0 else (1,)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
    axes.legend(fontsize=8, loc="upper left")


def shown(title: str, rows: Table) -> str:
    """A table in Markdown."""
    names = [name for name, value in rows[0].items() if not isinstance(value, list)]
    lines = [f"**{title}**", "", "| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(entry(row[name]) for name in names) + " |" for row in rows]
    return "\n".join([*lines, ""])


def entry(value: Any) -> str:
    """Text of one entry."""
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def source(place: Row) -> str:
    """Where and when the tables were measured, in one line."""
    return (
        f"{place['date']}, {place['processor']}, {place['cores']} cores, Python {place['python']}"
    )


def main() -> None:
    """Measure, fit, predict, print and write; with the word ``keys`` print that table alone."""
    if sys.argv[1:] == ["keys"]:
        print(shown("keys of tasks", keys()))
        return
    place = machine(())
    tables = {"overhead of the layer": overheads(), "throughput": throughput(), "costs": costs()}
    overhead = tables["overhead of the layer"]
    tables["costs"] += of_tasks(overhead)
    tables["keys of tasks"] = keys()
    tables["prediction"] = predictions(overhead)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"machine": place, **tables}, indent=1) + "\n")
    text = "\n".join([source(place) + "\n", *(shown(*table) for table in tables.items())])
    PAGE.write_text(text)
    draw(tables)
    print(text)


if __name__ == "__main__":
    main()
