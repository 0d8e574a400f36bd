"""Where the time goes: processor time by kind of work, of three jobs.

    python benchmarks/profiles.py [before | after]
    PYTHONPATH=<another checkout> python benchmarks/profiles.py before

The second profiles another commit; ``after`` is the default. Each run replaces its own
half of ``results/profiles.json``, and both are printed side by side. Linux only.

A job runs once to compile and load what is kept, and once more under watch: every 5 ms a
signal looks what the main thread does, and a thread what all others do. Processor time
that a thread used since the last look goes to what its innermost frame of this package
stands for, see ``WORK``; where it shows no such frame, to what it did before: chains and
pools of threads are then between two calls. So all processor time is accounted for but the
last milliseconds of threads that ended, which is said. The main thread needs a signal since
a thread sees it mostly where it gives the interpreter's lock back, which compiled kernels do
not; a signal waits for a kernel's end, where its caller's frame is still the innermost.
Collecting garbage counts where it was due. The time of looking is left out.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections import defaultdict
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from types import CodeType, FrameType

from run import Row, machine, show

import renp_infer
from renp_infer.app.cli import execute
from renp_infer.study.sections.optimize import OptimizeSection

RESULTS = Path(__file__).parent / "results" / "profiles.json"
PACKAGE = Path(renp_infer.__file__).parent
STUDY = "edge-layout-normalised"
FEW = ("calibrate.data_sets=6", "calibrate.hypothesis_sets=0", "calibrate.belt_sets=0")
SHORT = (
    "optimize.evaluations=8",
    "optimize.polish=4",
    "optimize.baselines=[]",
    # Earlier commits have no comparisons to leave out.
    *(["optimize.comparisons=false"] if "comparisons" in OptimizeSection.__annotations__ else []),
)
JOBS = {
    "main job, one study": ["run", STUDY],
    "calibration, 6 fits": ["calibrate", STUDY, *(w for k in FEW for w in ("--set", k))],
    "design, 12 evaluations": [
        "optimize",
        "optimize-mass",
        *(w for k in SHORT for w in ("--set", k)),
    ],
}
WORK = {
    "inference/samplers/start:*": "start of the chains",
    "inference/samplers/nuts:_sampler_model.*": "chains: density and steps",
    "inference/samplers/nuts:compile_model": "compiling the density",
    "inference/samplers/nuts:require_nuts": "compiling the density",
    "inference/samplers/model:build_model": "compiling the density",
    "measurement/smoothing:Smoother.correction*": "tables of the finite crystal's share",
    "*figures*:*": "figures and pages",
    "*page:*": "figures and pages",
    "report/*:*": "figures and pages",
}
"""Kinds of work by module and function; without one, work is named after its module."""
INTERVAL_S = 0.005
LEAST = 1.0
"""Per cent of a job that is worth a line."""


@cache
def place(code: CodeType) -> str | None:
    """Module and function of this package, ``"physics/pairs/densities:current_form"``."""
    path = Path(code.co_filename)
    if not path.is_relative_to(PACKAGE):
        return None
    return f"{path.relative_to(PACKAGE).with_suffix('').as_posix()}:{code.co_qualname}"


@cache
def kind(place: str) -> str | None:
    """Name of the work that is done at a place."""
    return next((name for pattern, name in WORK.items() if fnmatchcase(place, pattern)), None)


def work(frame: FrameType | None) -> str | None:
    """Work of the innermost frame that has a name, or the innermost module of ours."""
    inner = None
    while frame is not None:
        if here := place(frame.f_code):
            if name := kind(here):
                return name
            inner = inner or here.partition(":")[0]
        frame = frame.f_back
    return inner


def clocks() -> dict[int, float]:
    """Processor seconds of all threads by the number of their clock."""
    found = {}
    for thread in os.listdir("/proc/self/task"):
        clock = ~int(thread) << 3 | 6  # as Linux numbers them
        with contextlib.suppress(OSError):
            found[clock] = time.clock_gettime(clock)
    return found


class Watch(threading.Thread):
    """Books the processor time of the main thread by a signal, of others by a thread.

    Attributes
    ----------
    spent : dict
        Seconds by work.
    own : float
        Seconds of looking.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.spent: defaultdict[str, float] = defaultdict(float)
        self.own = 0.0
        self._main = time.pthread_getcpuclockid(threading.get_ident())
        self._before = clocks()
        self._last: dict[int, str] = {}
        self._end = threading.Event()

    def begin(self) -> None:
        """Look from now on; called in the main thread, as the end is."""
        signal.signal(signal.SIGPROF, self._look_at_main)
        signal.siginterrupt(signal.SIGPROF, False)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)
        self.start()

    def end(self) -> None:
        """Look once more."""
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        self._end.set()
        self.join()
        self._book(self._main, time.thread_time(), None)

    def run(self) -> None:
        """Look at other threads until the end."""
        while not self._end.wait(INTERVAL_S):
            self._look_at_others()
        self._look_at_others()
        self.own += time.thread_time()

    def _look_at_main(self, _number: int, frame: FrameType | None) -> None:
        begin = time.thread_time()
        self._book(self._main, begin, frame)
        self._before[self._main] = time.thread_time()
        self.own += self._before[self._main] - begin

    def _look_at_others(self) -> None:
        frames = sys._current_frames()
        # One call: no other thread runs Python, and none with a frame can end, meanwhile.
        shown = dict(zip(map(time.pthread_getcpuclockid, frames), frames.values(), strict=True))
        own = time.pthread_getcpuclockid(threading.get_ident())
        for clock, seconds in clocks().items():
            if clock not in (own, self._main):
                self._book(clock, seconds, shown.get(clock))

    def _book(self, clock: int, seconds: float, frame: FrameType | None) -> None:
        name = work(frame) or self._last.get(clock, "threads of libraries")
        self._last[clock] = name
        self.spent[name] += seconds - self._before.get(clock, 0.0)
        self._before[clock] = seconds


def run_job(words: list[str]) -> float:
    """Processor seconds of a command."""
    begin = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        code = execute([*words, "--out", f"{folder}/run", "--quiet"])
    if code not in (0, 3):
        raise SystemExit(f"{words[0]} ended with {code}")
    return time.process_time() - begin


def watched(words: list[str]) -> Row:
    """Processor seconds of a warm job by work, and what is not accounted for."""
    run_job(words)
    watch, begin = Watch(), time.process_time()
    watch.begin()
    run_job(words)
    watch.end()
    seconds = time.process_time() - begin - watch.own
    spent = dict(sorted(watch.spent.items(), key=lambda item: -item[1]))
    lost = seconds - sum(spent.values())
    return {"processor s": seconds, "not accounted for s": lost, "work s": spent}


def side_by_side(halves: dict[str, Row], job: str) -> list[Row]:
    """Seconds and per cent of each half; work that is little in both is summed."""
    found = {half: kept["jobs"][job] for half, kept in halves.items()}
    listed = [
        name
        for name in dict.fromkeys(name for spent in found.values() for name in spent["work s"])
        if any(share(spent, name) > LEAST for spent in found.values())
    ]
    rows: list[Row] = [
        {"where": name} for name in ("processor", *listed, "else", "not accounted for")
    ]
    for half, spent in found.items():
        parts = [spent["work s"].get(name, 0.0) for name in listed]
        total, lost = spent["processor s"], spent["not accounted for s"]
        column = [total, *parts, total - lost - sum(parts), lost]
        for row, seconds in zip(rows, column, strict=True):
            row |= {f"{half} s": seconds, f"{half} %": 100.0 * seconds / total}
    return rows


def share(spent: Row, name: str) -> float:
    """Per cent of a job that a kind of work takes."""
    return float(100.0 * spent["work s"].get(name, 0.0) / spent["processor s"])


def main(half: str = "after") -> None:
    """Profile all jobs, keep this half and print what there is."""
    where = machine(("pymc", "nutpie"))
    jobs = {name: watched(words) for name, words in JOBS.items()}
    halves = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    where["load after"] = round(os.getloadavg()[0], 2)
    halves[half] = {"machine": where, "jobs": jobs}
    halves = {name: halves[name] for name in ("before", "after") if name in halves}
    RESULTS.write_text(json.dumps(halves, indent=1) + "\n")
    for name in JOBS:
        show(name, side_by_side(halves, name))


if __name__ == "__main__":
    main(*sys.argv[1:])
