"""Time and accuracy of the pair integrals, beside other quadratures.

``python benchmarks/run.py`` prints four tables and writes them to
``benchmarks/results/latest.json``; ``benchmarks/README.md`` says how to read
them. One process, one core; a missed target is reported, not an error.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from integrals import REFERENCE, SEED, TOLERANCE, Case, by_cubature, by_vegas, case_at

from renp_infer.inference.responses.response import Response
from renp_infer.measurement.smoothing import smoothed_pairs
from renp_infer.physics.neutrinos import load_oscillation, make_parameters, masses
from renp_infer.physics.pairs.form_factor import PairIntegrals, pair_integrals, pair_masses
from renp_infer.physics.pairs.kinematics import phase_matched
from renp_infer.physics.targets.target import load_target
from renp_infer.records import PRESETS, Detector, Experiment, FloatArray, Lasers, Layout

RESULTS = Path(__file__).parent / "results" / "latest.json"
TARGET = load_target("er-ylf")
TRUTH = make_parameters(0.05, "normal", "dirac", 0.0, 0.0, 0.0, load_oscillation("nufit-6.0"))
MASSES = masses(TRUTH)
PAIR_13 = pair_masses(MASSES)[3]
LAYOUTS = {"seed": 58.79, "edge": 140.8}
"""Middle of each layout, degrees; both have 61 angles at 0.36 degrees."""
KINDS = {"full": PRESETS["corrected"], "planar": PRESETS["published"]}
FORMS = [(kind, form) for kind in KINDS for form in ("lorentzian", "plane-wave")]
SIZES = {"20 um": (2e-3, 1e-3), "2 cm": (2.0, 1.0)}
"""Length and radius, cm."""
TARGET_MS = {"full": 1.0, "planar": 5.0, "20 um": 20.0}
QUADRATURE_ANGLE = float(np.deg2rad(65.0))
CHI_SQUARED, M1_MAX_EV = 1e-3, 0.45
SLOW_S, BUDGET_S, MOST_RUNS = 4.0, 1.0, 50

Row = dict[str, Any]


def apparatus(
    kind: str, layout: str, size: str = "2 cm", form_factor: str | None = None
) -> Experiment:
    """The preset of a phase space at a layout, with its or another form factor."""
    angles = np.deg2rad(LAYOUTS[layout] + 0.36 * np.arange(-30, 31))
    place = Layout(*SIZES[size], theta_e=phase_matched(TARGET)[1], theta_s=angles)
    switches = KINDS[kind]
    if form_factor:
        switches = replace(switches, form_factor=form_factor)
    return Experiment(TARGET, place, Lasers(chi_squared=CHI_SQUARED), Detector(), switches)


def once(function: Callable[[], Any]) -> tuple[Any, float]:
    """Value and time in ms."""
    start = perf_counter()
    value = function()
    return value, 1e3 * (perf_counter() - start)


def timed(function: Callable[[], Any]) -> tuple[Any, float, int]:
    """Value, median time in ms, number of runs; a slow one runs once."""
    value, first = once(function)
    if first > 1e3 * SLOW_S:
        return value, first, 1
    runs = int(np.clip(1e3 * BUDGET_S / first, 3, MOST_RUNS))
    return value, float(np.median([once(function)[1] for _ in range(runs)])), runs


def verdict(milliseconds: float, target: float | None, error: float) -> Row:
    """Columns for the target: in time, and within the tolerance."""
    row = {"target ms": target, "in time": milliseconds <= target} if target else {}
    return row | {"error": float(error), "in tolerance": bool(error <= TOLERANCE)}


def warm_up() -> None:
    """Compile every kernel that is timed."""
    for kind in KINDS:
        experiment = apparatus(kind, "seed")
        narrow = replace(experiment.layout, theta_s=experiment.layout.theta_s[:1])
        pair_integrals(replace(experiment, layout=narrow), MASSES)
        smoothed_pairs(replace(experiment, layout=narrow), MASSES)
        case_at(experiment, narrow.theta_s[0], PAIR_13).reference()


def sub_angles(experiment: Experiment, count: int = 16) -> FloatArray:
    """Midpoints of equal parts of each angle's window, shape (61, count)."""
    parts = (np.arange(count) + 0.5) / count - 0.5
    return experiment.layout.theta_s[:, None] + experiment.detector.resolution * parts


def worst_error(experiment: Experiment, angles: FloatArray, found: PairIntegrals) -> float:
    """Largest error at eight random points and the eight least certain."""
    rng = np.random.default_rng(SEED)
    chosen = rng.choice(found.error.size, 8, replace=False)
    chosen = np.append(chosen, np.argsort(found.error, axis=None)[-8:])
    pairs = pair_masses(MASSES)
    worst = 0.0
    for p, n in zip(*np.unravel_index(chosen, found.error.shape), strict=True):
        case = case_at(experiment, angles[n], pairs[p])
        worst = max(worst, case.error(found.a_eV5[p, n], case.reference()))
    return worst


def distributions() -> list[Row]:
    """Six pairs at 61 angles, 2 cm crystal: with 16 sub-angles each, and smoothed."""
    rows = []
    for layout in LAYOUTS:
        for kind in KINDS:
            rows += distribution({"layout": layout, "phase space": kind}, apparatus(kind, layout))
    return rows


def distribution(name: Row, experiment: Experiment) -> list[Row]:
    """One layout and phase space; the target is stated for the seed layout."""
    windows = sub_angles(experiment)
    angles = windows.ravel()
    found, ms, runs = timed(lambda: pair_integrals(experiment, MASSES, angles))
    target = TARGET_MS[name["phase space"]] if name["layout"] == "seed" else None
    points = name | {"integrals": "6 x 61 x 16", "ms": ms, "runs": runs}
    points |= verdict(ms, target, worst_error(experiment, angles, found))
    points |= {"estimate": float(found.error.max())}
    (smooth, _), ms, runs = timed(lambda: smoothed_pairs(experiment, MASSES))
    mean = np.mean((found.a_eV5 * np.cos(angles)).reshape(6, *windows.shape), axis=2)
    gap = float(np.max(np.abs(mean - smooth)) / np.max(np.abs(smooth)))
    smoothed = {"integrals": "smoothed", "ms": ms, "runs": runs, "mean of 16 off by": gap}
    return [points, name | smoothed]


def small_crystals() -> list[Row]:
    """Pair 13 at one angle, 20 micrometre crystal: 16 angles of each layout."""
    rows = []
    for kind, form in FORMS:
        for layout in LAYOUTS:
            experiment = apparatus(kind, layout, "20 um", form)
            angles = experiment.layout.theta_s[::4]
            times, errors = np.array([single(case_at(experiment, t, PAIR_13)) for t in angles]).T
            slowest = float(times.max())
            row = {"phase space": kind, "form factor": form, "layout": layout}
            row |= {"median ms": float(np.median(times)), "slowest ms": slowest}
            row |= {"at deg": float(np.rad2deg(angles[np.argmax(times)]))}
            rows.append(row | verdict(slowest, TARGET_MS["20 um"], errors.max()))
    return rows


def single(case: Case) -> tuple[float, float]:
    """Median time of five runs in ms, and the error."""
    milliseconds = [once(lambda: case.ours(TOLERANCE))[1] for _ in range(5)]
    return float(np.median(milliseconds)), case.error(case.ours(TOLERANCE)[0], case.reference())


def compare(case: Case, name: Row) -> list[Row]:
    """Ours and the other quadratures on one integral."""
    truth = case.reference()
    drift = abs(case.reference(10.0 * REFERENCE) / truth - 1.0)
    (value, claimed), ms, _ = timed(lambda: case.ours(TOLERANCE))
    row = {
        "ms": ms,
        "claimed": claimed,
        "error": abs(value / truth - 1.0),
        "reference off by": drift,
    }
    rows = [name | {"method": "ours"} | row]
    others = {"vegas": by_vegas} | ({"cubature": by_cubature} if case.planar else {})
    for method, integrate in others.items():
        (value, sdev), ms = once(lambda f=integrate: f(case))
        claimed, error = sdev / abs(value), abs(value / truth - 1.0)
        reached = float(np.clip(max(claimed, error), 1e-5, 0.1))
        _, same, _ = timed(lambda r=reached: case.ours(r))
        speed = {"ours to that ms": same, "ratio": ms / same} if error < 0.5 else {"ratio": "wrong"}
        row = {"ms": ms, "claimed": claimed, "error": error}
        rows.append(name | {"method": method} | row | speed)
    return rows


def quadratures() -> list[Row]:
    """Pair 13 at 65 degrees by three quadratures."""
    rows = []
    for size in SIZES:
        for kind, form in FORMS:
            case = case_at(apparatus(kind, "seed", size, form), QUADRATURE_ANGLE, PAIR_13)
            rows += compare(case, {"size": size, "phase space": kind, "form factor": form})
    return rows


def responses() -> list[Row]:
    """Building a response, and its value with the Jacobian of 11 parameters."""
    rows = []
    for layout in LAYOUTS:
        for kind in KINDS:
            experiment = apparatus(kind, layout)
            response, build = once(lambda e=experiment: Response(e, TRUTH, CHI_SQUARED, M1_MAX_EV))
            _, ms, runs = timed(lambda r=response: r(r.nominal()))
            row = {"layout": layout, "phase space": kind, "table s": 1e-3 * build}
            rows.append(row | {"call ms": ms, "runs": runs})
    return rows


def machine(others: tuple[str, ...] = ("vegas",)) -> Row:
    """Where the figures come from, with the versions of other packages."""
    packages = ("numpy", "scipy", "numba", *others)
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text().splitlines() if cpu.exists() else []
    model = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": model[0] if model else platform.processor(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "load before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in packages},
    }


def cell(value: Any) -> str:
    """Text of one entry."""
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if not isinstance(value, float):
        return str(value)
    if abs(value) >= 1e3:
        return f"{value:.2f}" if abs(value) < 1e6 else f"{value:.1e}"
    return f"{value:.1e}" if 0.0 < abs(value) < 1e-2 else f"{value:.3g}"


def show(title: str, rows: list[Row]) -> None:
    """Print rows as a plain-text table."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [columns, *([cell(row.get(key, "")) for key in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    print(f"\n{title}")
    for line in lines:
        print("  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)))


def main() -> None:
    """Run everything, print it and keep it."""
    where = machine()
    print(", ".join(f"{key} {value}" for key, value in where.items()))
    _, compiling = once(warm_up)
    print(f"warm-up {1e-3 * compiling:.1f} s; tolerance {TOLERANCE:g}, reference {REFERENCE:g}")
    start = perf_counter()
    tables = {}
    for function in (distributions, small_crystals, quadratures, responses):
        tables[function.__name__] = function()
        show(function.__doc__ or "", tables[function.__name__])
    seconds = round(perf_counter() - start, 1)
    print(f"\n{seconds} s after the warm-up")
    RESULTS.parent.mkdir(exist_ok=True)
    kept = {"machine": where, "seconds": seconds, "tables": tables}
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
