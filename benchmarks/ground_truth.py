"""Does a search that starts from physics find the top of a dense grid of designs?

    python benchmarks/ground_truth.py [--quick] [--seeds N] [--masses 5,20,50] [--longer] [SPACE]

Spaces are ``circle`` (second laser, centre and width of the window around the whole circle, from
the weak Hamiltonian), the same in the other presets (``circle-corrected``, ``circle-published``),
``window`` (centre and width, corrected) and ``axis`` (c axis and centre around the circle, from
the weak Hamiltonian). Each is searched with 60 evaluations, the polish
included, once for each seed, by the utility that the grid has: the same truths, so that both are
the same function of the design. A search finds the top if its best is no more than the utility's
error below it. Without ``--masses`` truths are those of the prior, for one hypothesis.
``--longer`` adds one search of ten times as many evaluations. The top of few truths is in part
their luck, and the more is tried the luckier: tops and ends are judged anew by 256 other truths.

What is done is in ``results/ground_truth.jsonl``, a line for each row of a grid and each
search, from which a run that was interrupted goes on; ``--quick`` is a grid of a fifth of the
points and three seeds, and keeps apart. Pictures of the grids with the trials of all searches
are ``results/ground_truth-SPACE.svg``.
"""

from __future__ import annotations

import argparse
import itertools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from posteriors import publish
from run import Row

from renp_infer.design.searches.objective import Objective
from renp_infer.design.searches.optimizers import make_optimizer
from renp_infer.design.searches.search import Budget, Search
from renp_infer.design.searches.starts import starts
from renp_infer.errors import RenpError
from renp_infer.study.designing import frozen_noise, objective_of, own_values, region_of
from renp_infer.study.load import load_study
from renp_infer.study.study import Study

HOME = Path(__file__).parent / "results"
BUDGET = Budget(40, 20, 1)
"""Starts and proposals, and polish: 60 together."""
LONGER = Budget(10 * BUDGET.search, 10 * BUDGET.polish, 1)
"""A search that is ten times as long."""
ANEW = ("optimize.truths=256", "seed=19980605")
"""Truths that no search and no grid has seen."""
COMMON = (
    "optimize.truths=16",
    "optimize.masses=33",
    'optimize.orderings=["normal"]',
    'optimize.natures=["dirac"]',
    "optimize.baselines=[]",
    "optimize.at_m1_meV=[]",
)
CIRCLE = "{low=-180.0, high=180.0, scale='circle'}"
WIDTHS = "{low=1.5, high=40.0, scale='log'}"


@dataclass(frozen=True)
class Space:
    """A design space, and points of its grid along each dimension, in its order."""

    study: str
    overrides: tuple[str, ...]
    points: tuple[int, ...]
    quick: tuple[int, ...]


AROUND = f"optimize.windows=[{{centre_deg={CIRCLE}, width_deg={WIDTHS}, points=13}}]"


def circle(*more: str) -> Space:
    """Second laser, centre and width around the circle, with more overrides."""
    return Space("optimize-circle", (AROUND, *more), (36, 48, 4), (12, 12, 3))


PAPER = ("lasers.trigger_mW_cm2=10.0", "lasers.chi_squared=1e-3")
"""Lasers of the paper, whose equations have no limit of the coherence."""
SPACES = {
    "circle": circle(),
    "circle-corrected": circle("physics.preset=corrected", *PAPER),
    "circle-published": circle("physics.preset=published", *PAPER),
    "window": Space(
        "optimize-mass",
        (
            "optimize.vary={}",
            "optimize.windows=[{centre_deg={low=20.0, high=170.0}, "
            f"width_deg={WIDTHS}, points=13}}]",
        ),
        (46, 12),
        (16, 6),
    ),
    "axis": Space(
        "optimize-circle",
        (
            f"optimize.vary={{'layout.c_axis_deg'={CIRCLE}}}",
            f"optimize.windows=[{{centre_deg={CIRCLE}, width_deg=12.0, points=13}}]",
        ),
        (24, 24),
        (12, 12),
    ),
}


class Journal:
    """What is done already, by what it is of."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text().splitlines() if path.is_file() else []
        self.found = {row["of"]: row for row in map(json.loads, lines)}

    def __call__(self, of: str, **row: object) -> Row:
        """Keep a row."""
        self.found[of] = {"of": of} | row
        with self._path.open("a") as stream:
            stream.write(json.dumps(self.found[of]) + "\n")
        return self.found[of]


def study_of(space: Space, m1_meV: float | None, *others: str) -> Study:
    """The study of a space, for truths of the prior or for one mass; ``others`` are set last."""
    fixed: tuple[str, ...] = ()
    if m1_meV is not None:
        fixed = (f"neutrino.m1_meV={m1_meV}", "neutrino.nature=dirac", "optimize.truth=fixed")
    return load_study(space.study, (*COMMON, *space.overrides, *fixed, *others))


def line(count: int, circle: bool) -> np.ndarray:
    """Points along a dimension of the unit cube: around a circle, or with both ends."""
    return np.arange(count) / count if circle else np.linspace(0.0, 1.0, count)


def value_at(objective: Objective, x: tuple[float, ...]) -> tuple[float, float] | None:
    """Utility and error of a point; nothing where it is no design."""
    try:
        found = objective(x)[objective.names[0]]
    except RenpError:
        return None
    return float(found.value), float(found.error)


def top_of_grid(name: str, objective: Objective, counts: tuple[int, ...], kept: Journal) -> Row:
    """The best point of a grid, row by row of its first dimension."""
    circles = objective.region.space.circles.tolist()
    lines = [line(n, own) for n, own in zip(counts, circles, strict=True)]
    best: Row = {"value": -np.inf}
    for place, u in enumerate(lines[0].tolist()):
        of = f"{name}, grid {'x'.join(map(str, counts))}, row {place}"
        row = kept.found.get(of) or kept(
            of,
            points=[(u, *rest) for rest in itertools.product(*(one.tolist() for one in lines[1:]))],
            values=[
                value_at(objective, (u, *rest))
                for rest in itertools.product(*(one.tolist() for one in lines[1:]))
            ],
        )
        for x, found in zip(row["points"], row["values"], strict=True):
            if found is not None and found[0] > best["value"]:
                best = {"value": found[0], "error": found[1], "x": x}
    return best


def searched(
    name: str, study: Study, objective: Objective, seed: int, kept: Journal, budget: Budget = BUDGET
) -> Row:
    """One search from physics."""
    of = f"{name}, search {seed}, {budget.search}+{budget.polish}"
    if of in kept.found:
        return kept.found[of]
    region = objective.region
    begin = starts(region, region.space.built({}), own_values(study, region))
    search = Search(objective)
    search.run(make_optimizer("skopt", region, np.random.SeedSequence([seed, 7])), begin, budget)
    values = [trial.values.get(objective.names[0]) for trial in search.trials]
    return kept(of, points=[trial.x for trial in search.trials], values=values)


def best_of(row: Row) -> float:
    """Best value of a search."""
    return max(value for value in row["values"] if value is not None)


def end_of(row: Row) -> tuple[float, ...]:
    """Where a search ends: its best point."""
    values = [-np.inf if value is None else value for value in row["values"]]
    return tuple(row["points"][int(np.argmax(values))])


def judged(judge: Objective, x: tuple[float, ...]) -> str:
    """Utility and error of a point by other truths."""
    found = value_at(judge, x)
    assert found is not None  # it was a design before
    return "{:.2f} +- {:.2f}".format(*found)


def ground_truth(
    names: list[str], masses: list[float | None], seeds: int, *, quick: bool, longer: bool
) -> list[Row]:
    """How many searches of 60 evaluations end within the error of the top of the grid, or above.

    And where asked for, what one of ten times as many finds.
    """
    HOME.mkdir(exist_ok=True)
    kept = Journal(HOME / f"ground_truth{'-quick' if quick else ''}.jsonl")
    rows: list[Row] = []
    for name, mass in itertools.product(names, masses):
        space = SPACES[name]
        counts = space.quick if quick else space.points
        study = study_of(space, mass)
        region = region_of(study, frozen_noise(study))
        objective = objective_of(study, region)
        called = name if mass is None else f"{name}, {mass:g} meV"
        top = top_of_grid(called, objective, counts, kept)
        searches = [searched(called, study, objective, k, kept) for k in range(seeds)]
        ends = [best_of(row) for row in searches]
        enough = top["value"] - top["error"]
        judge = objective_of(study_of(space, mass, *ANEW), region)
        anew = [judged(judge, end_of(row)) for row in searches]
        rows.append(
            {
                "space": called,
                "dimensions": ", ".join(region.space.names),
                "grid": " x ".join(map(str, counts)),
                "top": top["value"],
                "error": top["error"],
                "worst search": min(ends),
                "best search": max(ends),
                "found in": f"{sum(end >= enough for end in ends)} of {seeds}",
                "top anew": judged(judge, tuple(top["x"])),
                "worst search anew": min(anew),
                "best search anew": max(anew),
            }
        )
        if longer:
            row = searched(called, study, objective, 0, kept, LONGER)
            rows[-1]["ten times as long"] = best_of(row)
            rows[-1]["ten times as long, anew"] = judged(judge, end_of(row))
        draw(called, region.space.names, counts, kept)
        print(rows[-1], flush=True)
    return rows


def draw(name: str, dimensions: list[str], counts: tuple[int, ...], kept: Journal) -> None:
    """The grid, best over what is no axis, with the trials of all searches on it."""
    head = f"{name}, grid {'x'.join(map(str, counts))}, row "
    rows = [row for of, row in kept.found.items() if of.startswith(head)]
    points = np.array([x for row in rows for x in row["points"]])
    values = np.array([np.nan if v is None else v[0] for row in rows for v in row["values"]])
    shape = (*counts[:2], -1)
    best = np.nanmax(np.where(np.isnan(values), -np.inf, values).reshape(shape), axis=2)
    figure = Figure(figsize=(6.0, 4.6), layout="constrained")
    ax = figure.subplots()
    edges = [np.unique(points[:, k]) for k in (0, 1)]
    image = ax.pcolormesh(
        *edges, np.where(np.isfinite(best), best, np.nan).T, cmap="viridis", rasterized=True
    )
    figure.colorbar(image, label="information on m1 [nat], best over the rest of the grid")
    for of, row in kept.found.items():
        if of.startswith(f"{name}, search "):
            x = np.array(row["points"])
            ax.plot(x[:, 0] % 1.0, x[:, 1] % 1.0, "w.", ms=2.5, alpha=0.6)
            own = np.array([-np.inf if v is None else v for v in row["values"]])
            end = x[int(np.argmax(own))] % 1.0
            ax.plot(end[0], end[1], "r+", ms=9)
    ax.set(xlabel=f"{dimensions[0]}, of its range", ylabel=f"{dimensions[1]}, of its range")
    ax.set_title(f"{name}: grid, trials (dots), ends of searches (crosses)", fontsize=9)
    figure.savefig(HOME / f"ground_truth-{name.replace(', ', '-').replace(' ', '-')}.svg")


def main() -> None:
    """Print the table and write it to ``results/ground_truth.json``."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("spaces", nargs="*", metavar="SPACE", help=", ".join(SPACES))
    words.add_argument("--quick", action="store_true")
    words.add_argument("--seeds", type=int)
    words.add_argument("--longer", action="store_true")
    words.add_argument("--masses", type=lambda text: [float(m) for m in text.split(",")])
    given = words.parse_args()
    seeds = given.seeds or (3 if given.quick else 10)
    rows = ground_truth(
        given.spaces or list(SPACES),
        given.masses or [None],
        seeds,
        quick=given.quick,
        longer=given.longer,
    )
    publish("ground_truth", {"ground truth": (ground_truth.__doc__ or "", rows)})


if __name__ == "__main__":
    main()
