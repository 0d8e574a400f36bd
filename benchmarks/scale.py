"""What runs cost as they grow, measured and fitted, and what that predicts.

``python benchmarks/scale.py`` prints the tables of ``docs/scale.md`` and writes
``benchmarks/results/scale.json``. About eight minutes on two cores.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from run import CHI_SQUARED, KINDS, M1_MAX_EV, MASSES, TARGET, TRUTH, apparatus, sub_angles

from renp_infer.inference.comparison import Hypothesis
from renp_infer.inference.response import Response
from renp_infer.measurement.mock import observe
from renp_infer.measurement.squid import covariance_nG2
from renp_infer.physics._crystal_kernels import crystal_grid
from renp_infer.physics.form_factor import crystal_size, pair_integrals, pair_masses
from renp_infer.physics.kinematics import mismatch
from renp_infer.physics.neutrinos import masses
from renp_infer.physics.pairs import current_form
from renp_infer.runner.hypotheses import likelihood_of
from renp_infer.runner.study import load_study

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "scale.json"
REPEATS = 5
COUNTS = (1_000, 10_000, 100_000)
WORKERS = (1, 2, 4)
BUSY_S, BUSY_TASKS = 0.05, 200
PREDICTED = (10**3, 10**4, 10**5, 10**6, 10**7)
BLOCK = 1000
FREED = (
    ("amplitude_sd=0", "baseline_sd=0"),
    ("refractive_index_sd=0", "theta_s_offset_sd_deg=0", "theta_e_offset_sd_deg=0"),
    ("oscillation_errors=false",),
    ('phases="fixed"',),
)
"""Nuisances of a fit, and how a study fixes them."""

Table = list[dict[str, Any]]


def layer(count: int, executor: str, seconds: float = 0.0) -> tuple[float, float, float]:
    """Seconds of a run, seconds of its resumption, peak memory of the driver in MB."""
    words = [sys.executable, str(HERE / "tiny_tasks.py"), str(count), executor, str(seconds)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    run, again, memory = map(float, done.stdout.split())
    return run, again, memory


def overheads() -> Table:
    """What a task that does nothing costs, against the number of tasks."""
    rows = []
    for executor in ("serial", "processes:2"):
        for count in COUNTS:
            run, again, memory = layer(count, executor)
            rows.append(
                {
                    "executor": executor,
                    "tasks": count,
                    "ms_per_task": 1e3 * run / count,
                    "ms_per_resumed_task": 1e3 * again / count,
                    "driver_MB": memory,
                }
            )
    return rows


def throughput() -> Table:
    """Tasks of 50 ms per second, with 1, 2 and 4 worker processes."""
    rows: Table = []
    for workers in WORKERS:
        seconds = layer(BUSY_TASKS, f"processes:{workers}", BUSY_S)[0]
        rate = BUSY_TASKS / seconds
        ideal = min(workers, _cores()) / BUSY_S
        rows.append({"workers": workers, "tasks_per_s": rate, "of_ideal": rate / ideal})
    return rows


def _cores() -> int:
    import os

    return os.cpu_count() or 1


def timed(work: Any) -> float:
    """Median processor time of a call in ms, after one that compiles."""
    work()
    times = []
    for _ in range(REPEATS):
        begin = process_time()
        work()
        times.append(1e3 * (process_time() - begin))
    return statistics.median(times)


def fitted(name: str, sizes: Sequence[int], times: Sequence[float]) -> dict[str, Any]:
    """Line through times against sizes, and the exponent of a power law."""
    slope, constant = np.polyfit(sizes, times, 1)
    exponent = np.polyfit(np.log(sizes), np.log(times), 1)[0]
    return {
        "cost": name,
        "sizes": f"{sizes[0]} to {sizes[-1]}",
        "constant_ms": float(constant),
        "per_unit_ms": float(slope),
        "exponent": float(exponent),
        "at": list(sizes),
        "ms": list(times),
    }


def costs() -> Table:
    """Cost of the model per angle, sub-angle and pair, of a fit, and of mock data per data set."""
    rows = []
    for kind in KINDS:
        angles = [61, 244, 976, 3904]
        rows.append(
            fitted(f"{kind}: angle, six pairs", angles, [timed(grid(kind, n, 6)) for n in angles])
        )
        pairs = [1, 2, 3, 4, 5, 6]
        rows.append(
            fitted(f"{kind}: pair, 3904 angles", pairs, [timed(grid(kind, 3904, n)) for n in pairs])
        )
        parts = [4, 16, 64, 256]
        rows.append(
            fitted(f"{kind}: sub-angle, 61 angles", parts, [timed(windows(kind, n)) for n in parts])
        )
        angles = [31, 61, 122, 244]
        rows.append(
            fitted(f"{kind}: angle of a fit", angles, [timed(response(kind, n)) for n in angles])
        )
    sets = [100, 300, 1000, 3000]
    rows.append(fitted("data set, 61 angles", sets, [timed(draws(n)) for n in sets]))
    rows.append(fitted("free nuisance of a fit", *zip(*nuisances(), strict=True)))
    return rows


def windows(kind: str, parts: int) -> Any:
    """Pair integrals at the parts of each angle's window."""
    experiment = apparatus(kind, "seed")
    angles = sub_angles(experiment, parts).ravel()
    return lambda: pair_integrals(experiment, MASSES, angles)


def response(kind: str, count: int) -> Any:
    """One call of a fit: smoothed fields with the Jacobian, across the pair thresholds."""
    experiment = apparatus(kind, "edge")
    angles = np.deg2rad(np.linspace(130.0, 151.6, count))
    layout = replace(experiment.layout, theta_s=angles)
    found = Response(replace(experiment, layout=layout), TRUTH, CHI_SQUARED, M1_MAX_EV)
    return lambda: found(found.nominal())


def nuisances() -> list[tuple[int, float]]:
    """Free parameters, and time of a log-likelihood with its gradient, freed step by step."""
    found = []
    for freed in range(len(FREED) + 1):
        fixed = [key for keys in FREED[freed:] for key in keys]
        study = load_study("edge-layout-normalised", [f"inference.{key}" for key in fixed])
        target = likelihood_of(study, Hypothesis("normal", "majorana"))[0]
        vector = target.prior.sample(np.random.default_rng(0), 1)[0]
        time = timed(lambda t=target, v=vector: (t.log_likelihood(v), t.gradient(v)))
        found.append((vector.size, time))
    return found


def grid(kind: str, angles: int, pairs: int) -> Any:
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


def draws(count: int) -> Any:
    """Mock data sets of the paper's layout."""
    experiment = apparatus("full", "seed")
    angles = experiment.layout.theta_s
    covariance = covariance_nG2(experiment.detector, experiment.lasers, angles.size)

    def work() -> None:
        for seed in range(count):
            rng = np.random.default_rng(seed)
            observe(np.zeros(angles.size), angles, covariance, rng, noise="drawn", normalised=False)

    return work


def predictions(rows: Table) -> Table:
    """Time and memory of ten million tasks and fewer, from the largest measured runs."""
    mine = {executor: [r for r in rows if r["executor"] == executor] for executor in
            ("serial", "processes:2")}  # fmt: skip
    found = []
    for count in PREDICTED:
        row: dict[str, Any] = {"tasks": count, "files": count + -(-count // BLOCK)}
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


def draw(rows: Table) -> None:
    """Fitted costs against size, each over that of its smallest."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
    for row in rows:
        sizes, times = np.array(row["at"]), np.array(row["ms"])
        label = f"{row['cost']}: {row['exponent']:.2f}"
        axes.loglog(sizes / sizes[0], times / times[0], "o-", ms=3, lw=1, label=label)
    reach = np.array([1.0, 256.0])
    axes.loglog(reach, reach, "k:", label="linear")
    axes.set_xlabel("size, over the smallest")
    axes.set_ylabel("time, over that of the smallest")
    axes.legend(fontsize=7)
    figure.savefig(RESULTS.with_suffix(".svg"), metadata={"Date": None})
    plt.close(figure)


def shown(title: str, rows: Table) -> str:
    """A table in Markdown."""
    names = [name for name, value in rows[0].items() if not isinstance(value, list)]
    lines = [f"**{title}**", "", "| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    for row in rows:
        values = [row[name] for name in names]
        cells = [f"{v:.3g}" if isinstance(v, float) else str(v) for v in values]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure, fit, predict, print and write."""
    tables = {"overhead of the layer": overheads(), "throughput": throughput(), "costs": costs()}
    draw(tables["costs"])
    tables["prediction"] = predictions(tables["overhead of the layer"])
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(tables, indent=1) + "\n")
    for title, rows in tables.items():
        print(shown(title, rows))


if __name__ == "__main__":
    main()
