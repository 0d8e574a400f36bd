"""The least time this machine could spend on each hot kernel, beside what we spend.

``python benchmarks/suite.py floor`` measures the machine's rates, counts what each kernel
computes (``counting.py``), and times the kernels, all in one process; then how long kernels
take to compile. ``README.md`` says how to read it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

import bloch
import numpy as np
import posteriors
import run
from counting import Tally, counted
from numba import njit
from run import Row

from renp_infer.design.sequences._information_kernel import group_information
from renp_infer.design.utilities._torus_kernel import torus_integrals
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.responses._response_kernel import fields_alone, smoothed_field
from renp_infer.inference.responses.response import LAGRANGE_NODES, Response
from renp_infer.measurement._correction_kernels import correction_table
from renp_infer.measurement._panel_kernels import panel_integrals
from renp_infer.measurement.smoothing import make_smoother
from renp_infer.physics.cycle.drive import Drive, laser_drive
from renp_infer.physics.cycle.propagation import _TAYLOR, NODES
from renp_infer.physics.pairs._crystal_kernels import crystal_grid
from renp_infer.physics.pairs.densities import current_form
from renp_infer.physics.pairs.form_factor import crystal_size, pair_masses
from renp_infer.physics.pairs.kinematics import mismatch

ROOT = Path(__file__).parents[1]
CACHED, TERMS = 1024, 16
"""Numbers in an array that stays in the first cache; multiply-adds on each."""
BEYOND_CACHES = 1 << 24
BATCHES, BATCH_S = 9, 0.02
FAR = 5.0
"""Distance from the floor that wants a reason."""
COMPLEX = 8
"""Flops of a complex product and sum."""
POINT = {"arccos": 0.3, "arcsin": 0.3}
"""Where a function is timed, if not around 1.3."""


@dataclass(frozen=True)
class Kernel:
    """A call to be timed, what it computes and the bytes it must read and write once."""

    work: str
    call: Callable[[], Any]
    tally: Tally
    touched: int


def fastest(call: Callable[[], Any]) -> float:
    """Processor seconds of a call in the fastest of some batches."""
    call()
    begin = process_time()
    call()
    repeats = max(1, int(BATCH_S / max(process_time() - begin, 1e-7)))
    found = []
    for _ in range(BATCHES):
        begin = process_time()
        for _ in range(repeats):
            call()
        found.append((process_time() - begin) / repeats)
    return min(found)


def loops(operation: Any) -> tuple[Any, Any]:
    """Two loops over an array: free to use vectors, and, for its early end, not."""

    @njit(fastmath={"contract"})
    def together(x, y):
        for i in range(x.size):
            y[i] = operation(x[i])

    @njit
    def singly(x, y):
        for i in range(x.size):
            if x[i] > 2.0:
                break
            y[i] = operation(x[i])

    return together, singly


def operation(kind: str) -> Any:
    """What a tally's entry stands for, as a compiled function of one number."""
    if kind == "flop":

        @njit
        def horner(x):
            total = x
            for _ in range(TERMS):
                total = total * x + 0.5
            return total

        return horner
    if kind == "divide":
        return njit(lambda x: 1.5 / x, error_model="numpy")
    function = getattr(np, {"arctan2": "arctan"}.get(kind, kind))
    return njit(lambda x: function(x))


def rate(kind: str) -> Row:
    """Nanoseconds of one operation, in vectors and singly."""
    x = np.linspace(0.99, 1.01, CACHED) * POINT.get(kind, 0.45 if kind == "flop" else 1.3)
    y, count = np.empty_like(x), CACHED * (2 * TERMS if kind == "flop" else 1)
    both = [1e9 * fastest(lambda f=f: f(x, y)) / count for f in loops(operation(kind))]
    # a function without a vector form is not made slower by the loop it stands in
    return {"operation": kind, "ns": min(both), "ns singly": both[1]}


def byte_rate() -> float:
    """Nanoseconds to read or write a byte of memory, by a copy."""
    one, other = np.ones(BEYOND_CACHES), np.empty(BEYOND_CACHES)
    return 1e9 * fastest(lambda: np.copyto(other, one)) / (2 * one.nbytes)


def touched(*arrays: Any) -> int:
    """Bytes of some arrays."""
    return sum(np.asarray(array).nbytes for array in arrays)


def parts(result: Any) -> tuple[Any, ...]:
    """What a kernel returned, as a tuple."""
    return result if isinstance(result, tuple) else (result,)


def of_numba(work: str, kernel: Any, *arguments: Any, read: int | None = None) -> Kernel:
    """A kernel whose source is counted; ``read`` if it does not need all its arguments."""
    tally, result = counted(kernel, *arguments)
    results = parts(result)
    for one, other in zip(results, parts(kernel(*arguments)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-7, err_msg="another path was counted")
    moved = (touched(*arguments) if read is None else read) + touched(*results)
    return Kernel(work, lambda: kernel(*arguments), tally, moved)


def pair_kernels(kind: str) -> Iterator[Kernel]:
    """Integrals of a distribution, and the table and the panels that smooth it."""
    experiment = run.apparatus(kind, "seed")
    angles = run.sub_angles(experiment).ravel()
    masses, smoother = pair_masses(run.MASSES), make_smoother(experiment)
    yield of_numba(
        f"6 x 61 x 16 pair integrals, {kind}",
        crystal_grid,
        smoother.planar,
        smoother.lorentz,
        *mismatch(angles, experiment.layout.theta_e, experiment.target),
        *crystal_size(experiment),
        smoother.epsilon,
        masses,
        current_form(experiment.layout, experiment.switches),
        smoother.rtol,
    )
    grid, table = smoother.correction(run.MASSES[None, :], nominal=True)
    yield of_numba(
        f"correction at 4 distances, {kind}",
        correction_table,
        smoother.exact,
        smoother.planar,
        smoother.lorentz,
        grid[grid.size // 2 - 2 : grid.size // 2 + 2],
        np.array([True, False]),
        smoother.beam,
        smoother.crystal,
        smoother.epsilon,
        masses[None, 3:4],
        smoother.form,
        smoother.facing,
        smoother.rtol,
    )
    one = np.ones(1)
    yield of_numba(
        f"smoothing with derivatives, {kind}",
        panel_integrals,
        smoother.planar,
        smoother.block,
        smoother.grid.borders,
        smoother.grid.used,
        0.0,
        tuple(smoother.beam),
        tuple(smoother.beam),
        smoother.epsilon,
        masses,
        smoother.form,
        smoother.facing,
        grid,
        table,
        0,
        one,
        0.0 * one,
    )


def fit_kernels(kind: str) -> Iterator[Kernel]:
    """Response with its Jacobian and without, and the log-likelihood with its gradient."""
    target = posteriors.likelihood(kind)
    response, model = target.response, posteriors.compiled(target)
    assert isinstance(response, Response)
    point = np.zeros(model.size)
    x = target.prior.to_response_vector(model(point)[2])
    *tables, table = response.tables
    read = touched(x, *tables, table[:, :, :LAGRANGE_NODES])
    field = of_numba(
        f"response with Jacobian, {kind}", smoothed_field, x, *response.tables, read=read
    )
    yield field
    yield of_numba(f"template alone, {kind}", fields_alone, x[None], *response.tables, read=read)
    tally = field.tally + Counter(flop=likelihood_flops(target, model.size))
    moved = field.touched + touched(point, point, target.decorrelated, target.whitening.scale)
    yield Kernel(f"log-likelihood with gradient, {kind}", lambda: model(point), tally, moved)


def likelihood_flops(target: Likelihood, free: int) -> int:
    """Decorrelating field and Jacobian (n, d), pulls, and the product of both."""
    n = target.decorrelated.size
    columns = free + 1
    mixed = n * n * columns if target.whitening.decorrelation is not None else 0
    return mixed + 4 * n + 2 * n * columns


def cycle_flops(drive: Drive, panels: list[int]) -> int:
    """Series, its sums at the nodes, march by doubling, and states at all nodes.

    With d = 16: (terms - 2) d^3 + terms (nodes + 1) d^2 for each segment, d^3 log2 n and
    n (nodes + 1) d^2 for its n panels, 8 flops each.
    """
    d, total = 16, 0
    for n in panels:
        total += (_TAYLOR - 2) * d**3 + _TAYLOR * (NODES + 1) * d**2
        total += n.bit_length() * d**3 + n * (NODES + 1) * d**2
    return COMPLEX * total


def cycle_kernels() -> Iterator[Kernel]:
    """States of the laser cycles of ``bloch.py``."""
    for name, lasers in bloch.CASES.items():
        drive = laser_drive(bloch.TARGET, lasers, bloch.LINDBLAD)
        panels = bloch.shares(drive)
        tally = Counter(flop=cycle_flops(drive, panels))
        states = touched(drive.states(panels))
        yield Kernel(f"laser cycle, {name}", lambda d=drive, p=panels: d.states(p), tally, states)


def design_kernels() -> Iterator[Kernel]:
    """Information of one number on 61 masses of four hypotheses; phases of 16 states."""
    rng = np.random.default_rng(1)
    means = np.repeat(np.linspace(0.0, 20.0, 61), 4) + rng.normal(0.0, 0.3, 244)
    sds, weights = rng.uniform(1.0, 3.0, 244), np.full(244, 1.0 / 244)
    starts = np.arange(0, 248, 4)
    yield of_numba("information, 244 states", group_information, weights, starts, means, sds)
    roots = rng.normal(0.0, 3.0, (16, 3, 3))
    curvature = roots @ roots.transpose(0, 2, 1)
    pull = rng.normal(0.0, 3.0, (16, 3))
    yield of_numba("phases, 16 states", torus_integrals, pull, curvature)


def kernels(kinds: tuple[str, ...]) -> Iterator[Kernel]:
    """Every hot kernel."""
    for kind in kinds:
        yield from pair_kernels(kind)
        yield from fit_kernels(kind)
    yield from cycle_kernels()
    yield from design_kernels()


def distance(kernel: Kernel, rates: dict[str, Row], per_byte: float) -> Row:
    """One line: counts, the floor, the same operations one at a time, and our time."""
    tally = kernel.tally
    lone = tally.keys() - {"flop", "divide", "sqrt"}
    floor, singly = (
        1e-3 * sum(count * rates[kind][key] for kind, count in tally.items())
        for key in ("ns", "ns singly")
    )
    memory = 1e-3 * per_byte * kernel.touched
    floor, ours = max(floor, memory), 1e6 * fastest(kernel.call)
    return {
        "kernel": kernel.work,
        "flops": tally["flop"],
        "divisions, roots": tally["divide"] + tally["sqrt"],
        "functions": sum(tally[kind] for kind in lone),
        "kB": 1e-3 * kernel.touched,
        "memory us": memory,
        "floor us": floor,
        "singly us": singly,
        "ours us": ours,
        "ours / floor": ours / floor,
        "ours / singly": ours / singly,
    }


def measure(*, quick: bool = False) -> dict[str, list[Row]]:
    """Rates, the distance of each kernel, and the seconds that compiling takes."""
    hot = list(kernels(("full",) if quick else ("full", "planar")))
    kinds = sorted({"flop", *(kind for kernel in hot for kind in kernel.tally)})
    rates, per_byte = {kind: rate(kind) for kind in kinds}, byte_rate()
    rows = [distance(kernel, rates, per_byte) for kernel in hot]
    memory = {"operation": "byte, copied", "ns": per_byte, "ns singly": per_byte}
    return {"rates": [*rates.values(), memory], "kernels": rows, "compiling": compiling()}


def call_all() -> None:
    """Call every kernel of predictions, fits and design once or more."""
    run.warm_up()
    for kind in run.KINDS:
        experiment = run.apparatus(kind, "seed")
        response = Response(experiment, run.TRUTH, run.CHI_SQUARED, run.M1_MAX_EV)
        response(response.nominal())
    for kernel in design_kernels():
        kernel.call()


TRIAL = """
import floor
from time import process_time
begin = process_time(); floor.call_all()
first = process_time(); floor.call_all()
print(2 * first - begin - process_time())
"""


def compiling() -> list[Row]:
    """Seconds to compile the kernels, and to load them, in fresh processes.

    Processor seconds of the first calls less those of the same calls again. The whole
    job, cold and warm, is in ``startup.py``; the fit's own density in ``likelihood.py``.
    """
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"NUMBA_CACHE_DIR": cache, "OMP_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "benchmarks")])
        for name in ("compiled", "from the cache"):
            words = [sys.executable, "-c", TRIAL]
            done = subprocess.run(words, env=environment, capture_output=True, check=True)
            kernels = len(list(Path(cache).rglob("*.nbi")))
            seconds = float(done.stdout.splitlines()[-1])
            rows.append({"first calls": name, "kernels": kernels, "s": seconds})
    return rows
