"""All benchmarks in one process, side by side with what a user would take instead.

``python benchmarks/suite.py [--quick] [NAME ...]`` runs the named ones (all by default),
prints their tables and a summary, and writes ``results/suite.json`` and
``results/suite.svg``, where parts that were not named stay as they were. A missed
target is printed as NO; nothing fails.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from math import hypot
from operator import itemgetter
from pathlib import Path
from time import perf_counter
from typing import Any

import bloch
import design
import evidence
import floor
import information
import likelihood
import outside
import posterior
import run
import startup
from posteriors import PRESETS, QUICK_PRESETS, keep
from run import Row, show

RESULTS = Path(__file__).parent / "results" / "suite.json"
PLOT = RESULTS.with_suffix(".svg")
CONVERGES = 10.0
"""Largest signal-to-noise ratio at which nested Monte Carlo is near its value."""
RATIOS = {"small": 1e3, "bloch": 20.0, "information": 1e3}


@dataclass(frozen=True)
class Part:
    """A benchmark: its tables, and the lines that it gives to the summary."""

    tables: Callable[[bool], dict[str, list[Row]]]
    summary: Callable[[dict[str, list[Row]]], list[Row]]


def line(work: str, ours: float, unit: str, target: float | None, **rest: Any) -> Row:
    """A line of the summary; ``target`` is the most that ``ours`` may be."""
    met = {} if target is None else {"target": target, "met": bool(ours <= target)}
    return {"work": work, "ours": ours, "unit": unit, **met, **rest}


def against(peer: str, ratio: float, wanted: float) -> Row:
    """Columns of a peer: how much longer it takes, and should."""
    enough = bool(ratio >= wanted)
    return {"peer": peer, "times longer": ratio, "wanted": wanted, "as much": enough}


def integrals(_quick: bool) -> dict[str, list[Row]]:
    run.warm_up()
    names = (run.distributions, run.small_crystals, run.quadratures, run.responses)
    return {name.__name__: name() for name in names}


def of_integrals(tables: dict[str, list[Row]]) -> list[Row]:
    rows = []
    for row in tables["distributions"]:
        if row["layout"] == "seed" and row["integrals"] == "6 x 61 x 16":
            kind = row["phase space"]
            work = f"6 x 61 x 16 pair integrals, 2 cm, {kind}"
            rows.append(line(work, row["ms"], "ms", run.TARGET_MS[kind], error=row["error"]))
    ours: Row = {}
    for row in tables["quadratures"]:
        name = " ".join(str(row[key]) for key in ("size", "phase space", "form factor"))
        if row["method"] == "ours":
            ours = row
        elif isinstance(row["ratio"], float):
            peer = against(row["method"], row["ratio"], RATIOS["small"]) | {
                "its error": row["error"]
            }
            work = f"one pair integral, {name}"
            rows.append(line(work, ours["ms"], "ms", None, error=ours["error"], **peer))
    return rows


def cycles(_quick: bool) -> dict[str, list[Row]]:
    return {"cycles": bloch.laser_cycles()}


def of_cycles(tables: dict[str, list[Row]]) -> list[Row]:
    return [
        line(f"laser cycle, {row['cycle']}", row["ms"], "ms", bloch.TARGET_MS, error=row["error"],
             **against("QuTiP mesolve", row["ratio"], RATIOS["bloch"]),
             **{"its error": row["its error"]})
        for row in tables["cycles"]
    ]  # fmt: skip


def gradients(quick: bool) -> dict[str, list[Row]]:
    return {kind: likelihood.gradients(kind, 5 if quick else 25) for kind in PRESETS}


def of_gradients(tables: dict[str, list[Row]]) -> list[Row]:
    rows = []
    for kind, (ours, _, differences, *in_jax) in tables.items():
        work = f"log-likelihood and gradient, {kind}"
        limit = likelihood.TARGET_US[kind]
        # of JAX's quadratures the last, whose error is small like ours
        for peer in (differences, *in_jax[-1:]):
            rest = against(peer["method"], peer["ratio"], 1.0) | {"its error": peer["error"]}
            rows.append(line(work, ours["us"], "us", limit, error=ours["error"], **rest))
    return rows


def posteriors(quick: bool) -> dict[str, list[Row]]:
    effort, kinds = (posterior.QUICK, QUICK_PRESETS) if quick else (posterior.Effort(), PRESETS)
    return {kind: posterior.posterior(kind, effort) for kind in kinds}


def of_posteriors(tables: dict[str, list[Row]]) -> list[Row]:
    rows = []
    for kind, table in tables.items():
        ours, independent, weighted, *others, _ = table
        for own in (independent, weighted):
            ratio = posterior.over_emcee(own, others)
            rest = against("emcee as it comes", ratio, posterior.TARGET_RATIO)
            work, error = f"m1 by {own['sampler']}, {kind}", abs(own["mean off by sd"])
            rows.append(line(work, own["effective / s"], "1/s", None, **rest, error=error))
        for row in others:
            wanted = posterior.TARGET_RATIO if row["sampler"].startswith("emcee") else 1.0
            rest = against(row["sampler"], row["nutpie / this"], wanted)
            errors = {"error": abs(ours["mean off by sd"]), "its error": abs(row["mean off by sd"])}
            work = f"m1 by {ours['sampler']}, {kind}"
            rows.append(line(work, ours["effective / s"], "1/s", None, **rest, **errors))
    return rows


def evidences(quick: bool) -> dict[str, list[Row]]:
    live, kinds = (60, QUICK_PRESETS) if quick else (400, PRESETS)
    return {kind: evidence.evidences(kind, live) for kind in kinds}


def of_evidences(tables: dict[str, list[Row]]) -> list[Row]:
    rows = []
    for kind, table in tables.items():
        *ours, peer, _ = table
        for row in ours:
            rest = against("dynesty", row["ratio"], evidence.TARGET_RATIO)
            errors = {"error": row["error"], "its error": peer["error"]}
            work = f"evidence to 0.1, {row['method']}, {kind}"
            rows.append(line(work, row["s to 0.1"], "s", None, **rest, **errors))
    return rows


def informations(quick: bool) -> dict[str, list[Row]]:
    tables = {"information": information.information(*((40, 64) if quick else ()))}
    rows = information.by_pyro(*((information.PYRO_SNR[:1],) if quick else ()))
    return tables | ({"pyro": rows} if rows else {})


def of_informations(tables: dict[str, list[Row]]) -> list[Row]:
    rows = [
        line(f"information to 0.05 nat, S/N {row['S/N']:g}", row["s"], "s", 0.5,
             error=row["error"], **against("nested Monte Carlo", row["ratio"],
             RATIOS["information"]), **{"its error": row["its error"]})
        for row in tables["information"]
        if row["S/N"] <= CONVERGES
    ]  # fmt: skip
    for row in tables.get("pyro", []):
        work = f"information to 0.05 nat, S/N {row['S/N']:g}"
        rest = against(f"pyro {row['estimator']}", row["ratio"], RATIOS["information"])
        errors = {"error": row["our error"], "its error": hypot(row["off by"], row["error"])}
        rows.append(line(work, row["our s"], "s", None, **rest, **errors))
    return rows


def designs(quick: bool) -> dict[str, list[Row]]:
    return {"designs": design.designs(*((2, 10) if quick else ()))}


def of_designs(tables: dict[str, list[Row]]) -> list[Row]:
    rows = []
    for _, group in groupby(tables["designs"], key=itemgetter("study")):
        ours, *peers = group
        best = max(peers, key=lambda row: row["median"])
        work = f"best {ours['utility']} found, {ours['study']}"
        rest = {"peer": best["optimizer"], "peer's": best["median"]}
        spread = 0.5 * (ours["upper quartile"] - ours["lower quartile"])
        met = {"met": ours["median"] >= best["median"], "error": spread}
        rows.append(line(work, ours["median"], "", None, **rest, **met))
    return rows


def starts(quick: bool) -> dict[str, list[Row]]:
    return {"starts": startup.measure(quick=quick)}


def of_starts(tables: dict[str, list[Row]]) -> list[Row]:
    return [line(row["what"], row["s"], "s", row["target s"]) for row in tables["starts"]]


def from_outside(quick: bool) -> dict[str, list[Row]]:
    return {"outside": outside.measure()}


def of_outside(tables: dict[str, list[Row]]) -> list[Row]:
    return [line(row["what"], row["ms"], "ms", row["target ms"]) for row in tables["outside"]]


def floors(quick: bool) -> dict[str, list[Row]]:
    return floor.measure(quick=quick)


def of_floors(tables: dict[str, list[Row]]) -> list[Row]:
    rows = []
    for row in tables["kernels"]:
        work = f"times its floor, {row['kernel']}"
        rows.append(line(work, row["ours / floor"], "", floor.FAR))
    return rows


PARTS = {
    "integrals": Part(integrals, of_integrals),
    "bloch": Part(cycles, of_cycles),
    "likelihood": Part(gradients, of_gradients),
    "posterior": Part(posteriors, of_posteriors),
    "evidence": Part(evidences, of_evidences),
    "information": Part(informations, of_informations),
    "design": Part(designs, of_designs),
    "startup": Part(starts, of_starts),
    "outside": Part(from_outside, of_outside),
    "floor": Part(floors, of_floors),
}


def draw(rows: list[Row]) -> None:
    """How much longer each peer takes, beside what was wanted."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    shown = [row for row in rows if "times longer" in row][::-1]
    if not shown:
        return
    figure, axes = plt.subplots(figsize=(8.0, 0.8 + 0.24 * len(shown)), layout="constrained")
    places = range(len(shown))
    axes.barh(places, [row["times longer"] for row in shown], color="#4477aa", label="measured")
    wanted = [row["wanted"] for row in shown]
    axes.plot(wanted, places, "|", color="#aa3377", ms=12, mew=2, label="wanted")
    axes.axvline(1.0, color="0.5", lw=0.8)
    axes.set_xscale("log")
    axes.set_yticks(places, [f"{row['work']}: {row['peer']}" for row in shown], fontsize=7)
    axes.set_xlabel("time of the other program over ours, at equal accuracy")
    axes.legend(fontsize=7, loc="lower right")
    figure.savefig(PLOT, metadata={"Date": None})
    plt.close(figure)


def kept(names: list[str]) -> tuple[list[Row], dict[str, list[Row]]]:
    """Summary and tables of the parts that are not run again."""
    if not names or not RESULTS.exists():
        return [], {}
    tables = json.loads(RESULTS.read_text())["tables"]
    summary = [row for row in tables.pop("summary") if row["part"] not in names]
    others = {key: rows for key, rows in tables.items() if key.partition(":")[0] not in names}
    return summary, others


def main(names: list[str], *, quick: bool) -> None:
    """Run, print and keep."""
    summary, found = kept(names)
    for name in names or PARTS:
        begin = perf_counter()
        tables = PARTS[name].tables(quick)
        for key, rows in tables.items():
            show(f"{name}: {key}", rows)
            found[f"{name}: {key}"] = rows
        summary += [{"part": name} | row for row in PARTS[name].summary(tables)]
        print(f"{name}: {perf_counter() - begin:.0f} s", file=sys.stderr, flush=True)
        summary.sort(key=lambda row: list(PARTS).index(row["part"]))
        keep("suite", {"summary": summary} | found)
    show("Summary", summary)
    draw(summary)


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--quick"]
    if unknown := set(words) - set(PARTS):
        raise SystemExit(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    main(words, quick="--quick" in sys.argv[1:])
