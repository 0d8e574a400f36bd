"""Do six samplers give one posterior, and does none of them end in an error?

``python benchmarks/samplers.py`` runs ``renp infer`` with every sampler for five seeds of four
studies, each at its defaults, one after the other in one process. Runs stay in
``runs/samplers``: again, it goes on where it stopped. After each run it writes what there is to
``results/samplers.json`` and, for ``docs/hypotheses.md``, to ``results/samplers.md``.
``--quick`` is a short trial, one seed of one study, that writes the same files.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

import numpy as np

import renp_infer as renp
from renp_infer.app.cli import execute
from renp_infer.inference.results.diagnostics import quantile_error
from renp_infer.inference.settings import UNTUNED, Sampler
from renp_infer.records import FloatArray

HERE = Path(__file__).parent
RUNS = HERE.parent / "runs"
RESULTS = HERE / "results" / "samplers.json"
PAGE = RESULTS.with_suffix(".md")
STUDIES = (
    "edge-layout-normalised",
    "edge-layout-first-principles-normalised",
    "seed-layout-normalised",
    "seed-layout-published",
)
SEEDS = (1, 2, 3, 4, 5)
SAMPLERS: tuple[str, ...] = get_args(Sampler)
MASS = "m1_meV"
PROBABILITIES = (0.16, 0.5, 0.84)
DONE = (0, 3)
"""Exit codes of a run that has a posterior; with 3 its diagnostics failed."""


@dataclass(frozen=True)
class Effort:
    """What is run; 0 draws are the defaults of ``renp infer``."""

    folder: str = "samplers"
    studies: tuple[str, ...] = STUDIES
    seeds: tuple[int, ...] = SEEDS
    draws: int = 0


QUICK = Effort("samplers-quick", STUDIES[:1], SEEDS[:1], 200)


@dataclass(frozen=True)
class Fit:
    """One run: quantiles of m1 with their Monte Carlo errors, meV; none without a posterior."""

    study: str
    seed: int
    sampler: str
    code: int
    quantiles: tuple[float, ...] = ()
    errors: tuple[float, ...] = ()


def command(study: str, seed: int, sampler: str, effort: Effort) -> list[str]:
    """Words of a run."""
    place = RUNS / effort.folder / study / str(seed) / sampler
    keys = [f"seed={seed}", f"inference.sampler={sampler}"]
    if effort.draws:
        names = ["draws"] if sampler in UNTUNED else ["draws", "tune"]
        keys += [f"inference.{name}={effort.draws}" for name in names]
    changes = [f"--set={key}" for key in keys]
    return ["infer", study, *changes, "--out", str(place), "--json", "--quiet"]


def fit(study: str, seed: int, sampler: str, effort: Effort) -> Fit:
    """Run it, or read what is done."""
    words = command(study, seed, sampler, effort)
    with contextlib.redirect_stdout(io.StringIO()):
        code = execute(words)
    if code == 130:
        raise KeyboardInterrupt
    if code not in DONE:
        return Fit(study, seed, sampler, code)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", renp.DiagnosticWarning)
        mass = renp.open_run(words[words.index("--out") + 1]).inference["posterior"][MASS].values
    errors = tuple(error_of(mass, p) for p in PROBABILITIES)
    quantiles = tuple(float(np.quantile(mass, p)) for p in PROBABILITIES)
    return Fit(study, seed, sampler, code, quantiles, errors)


def error_of(mass: FloatArray, probability: float) -> float:
    """Error of a quantile of draws (chains, draws).

    The larger of ArviZ's and the scatter of the chains: draws of ``smc`` and ``nested``
    repeat, of which the first knows nothing.
    """
    chains = np.quantile(mass, probability, axis=1)
    scatter = float(np.std(chains, ddof=1) / np.sqrt(chains.size))
    return max(quantile_error(mass, probability), scatter)


def pulls(one: Fit, other: Fit) -> FloatArray:
    """Differences of quantiles over their combined errors."""
    apart = np.subtract(one.quantiles, other.quantiles)
    return np.abs(apart) / np.hypot(one.errors, other.errors)


def pairs(fits: Iterable[Fit]) -> Iterator[tuple[Fit, Fit]]:
    """Posteriors of the same data by two samplers."""
    for one, other in itertools.combinations([fit for fit in fits if fit.quantiles], 2):
        if (one.study, one.seed) == (other.study, other.seed):
            yield one, other


def page(fits: list[Fit], effort: Effort) -> str:
    """The tables of ``docs/hypotheses.md``."""
    planned = len(effort.studies) * len(effort.seeds) * len(SAMPLERS)
    how = f"{effort.draws} draws" if effort.draws else "the defaults of `renp infer`"
    codes = " and ".join(f"{n} with exit code {code}" for code, n in _counted(fits))
    found = np.array([pulls(*pair) for pair in pairs(fits)]).ravel()
    lines = [
        f"{len(fits)} of {planned} runs, at {how}: {codes}. Seeds: "
        f"{', '.join(map(str, sorted({fit.seed for fit in fits})))}.",
        "",
    ]
    if found.size:
        rms = float(np.sqrt(np.mean(found**2)))
        lines += [
            f"{found.size} differences of quantiles between two samplers on the same data: the "
            f"largest is {found.max():.1f} combined errors, their root mean square {rms:.2f}.",
            "",
        ]
    heads = [f"{100 * p:.0f} %" for p in PROBABILITIES]
    lines += [_line("study", "seed", "sampler", "exit", *heads, "worst pull"), "|---" * 8 + "|"]
    return "\n".join([*lines, *(row(found, fits) for found in fits)]) + "\n"


def row(found: Fit, fits: list[Fit]) -> str:
    """One run; its worst pull is that against any other sampler."""
    cells = ["–"] * len(PROBABILITIES)
    if found.quantiles:
        both = zip(found.quantiles, found.errors, strict=True)
        cells = [f"{value:.2f} ± {error:.2f}" for value, error in both]
    others = [max(pulls(*pair)) for pair in pairs(fits) if found in pair]
    worst = f"{max(others):.1f}" if others else "–"
    return _line(f"`{found.study}`", found.seed, f"`{found.sampler}`", found.code, *cells, worst)


def _line(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _counted(fits: list[Fit]) -> list[tuple[int, int]]:
    return sorted(Counter(fit.code for fit in fits).items())


def main(effort: Effort) -> None:
    """All runs, and the page after each of them."""
    fits: list[Fit] = []
    RESULTS.parent.mkdir(exist_ok=True)
    # seeds outermost: a table that is not whole has all studies
    for seed, study, sampler in itertools.product(effort.seeds, effort.studies, SAMPLERS):
        fits.append(fit(study, seed, sampler, effort))
        print(f"{study}, seed {seed}, {sampler}: exit {fits[-1].code}", file=sys.stderr, flush=True)
        kept = {"draws": effort.draws, "runs": [asdict(found) for found in fits]}
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
        PAGE.write_text(page(fits, effort))
    print(PAGE.read_text())


if __name__ == "__main__":
    main(QUICK if "--quick" in sys.argv[1:] else Effort())
