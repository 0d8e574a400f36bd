"""Kill -9 inside every verb: the same arrays to the last bit, and nothing finished done again.

Each process is killed at a random moment between the verb's own first line of progress and its
end, the first moments oftener, in turn alone and with workers, of which there are not always as
many.
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
import random
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import psutil
import pytest
import tomli_w

from renp_infer.engine.provenance import PROVENANCE
from renp_infer.engine.store import PROGRESS, Store
from renp_infer.study.load import load_study
from renp_infer.verbs.atlas.verb import LAYOUTS
from renp_infer.verbs.atlas.verb import VERBS as OF_ATLAS
from renp_infer.verbs.infer.verb import SETS
from renp_infer.verbs.simulate.verb import SIMULATE
from renp_infer.verbs.table import VERBS, verbs_of
from tests.toys.killed import ATLAS_CHANGES, STUDY, bring
from tests.toys.two_sets import two_sets

KILLS = 20
EXECUTORS = ("serial", "processes:2", "serial", "processes:1")
LONG = 900.0
RESTS_ON = {"confirm": ("optimize",), "appraise": ("atlas",)}
KILLED = [name for name in VERBS if name != LAYOUTS.name]
"""All but one: what its tasks do is what those of ``optimize`` and ``confirm`` do, for minutes."""
FORKS = multiprocessing.get_context("forkserver")
# What all verbs import is imported once; each process that is killed is a copy.
FORKS.set_forkserver_preload(
    ["renp_infer.app.cli", "renp_infer.inference.fit", "renp_infer.verbs.optimize.work", "nutpie"]
)


@dataclass(frozen=True)
class Victim:
    """Verbs of a study, done in a run directory by processes that can be killed."""

    source: str
    changes: Mapping[str, Any]
    verbs: tuple[str, ...]
    home: Path

    def start(self, executor: str) -> Any:
        """A process that does what is not done."""
        words = (self.source, self.changes, str(self.home), self.verbs, executor)
        process = FORKS.Process(target=bring, args=words)
        process.start()
        return process

    def lines(self) -> int:
        """Lines about the first verb's progress that there are."""
        path = self.home / PROGRESS
        text = path.read_text() if path.is_file() else ""
        return text.count(f'"verb": "{self.verbs[0]}"')

    def finish(self, executor: str) -> float:
        """Do the rest undisturbed; gives the time from the verb's first line to the end."""
        before, process = self.lines(), self.start(executor)
        wait_for(lambda: self.lines() > before or process.exitcode is not None)
        begin = time.monotonic()
        process.join(LONG)
        assert process.exitcode == 0, self.said()
        return time.monotonic() - begin

    def said(self) -> str:
        """What the last process told."""
        return Path(f"{self.home}.said").read_text()

    def killed(self, executor: str, delay: float) -> bool:
        """Kill it a while after the verb's own first line; tells whether it was still at work."""
        before, process = self.lines(), self.start(executor)
        wait_for(lambda: self.lines() > before or process.exitcode is not None)
        process.join(delay)
        workers = children(process.pid)
        process.kill()
        process.join()
        assert not psutil.wait_procs(workers, timeout=20)[1]  # none outlives its driver
        assert process.exitcode in (0, -signal.SIGKILL), self.said()
        return process.exitcode != 0

    def forget(self) -> None:
        """Have it begin from nothing."""
        with Store(self.home) as store:
            store.forget([VERBS[name] for name in self.verbs])

    @property
    def result(self) -> Path:
        """File of the verb's result."""
        return self.home / VERBS[self.verbs[0]].file

    def finished(self) -> dict[Path, tuple[int, int]]:
        """Files of the tasks that the run calls done: which each is, and when it was written."""
        found = {}
        for manifest in (self.home / "tasks" / self.verbs[0]).glob("*/manifest.jsonl"):
            for line in manifest.read_text().splitlines():
                entry = json.loads(line) if line.endswith("}") else {}  # else a kill tore it
                if "sha256" in entry:
                    found |= {p: of(p) for p in manifest.parent.glob(f"*-{entry['key'][:16]}.*")}
        return found

    def untouched(self, before: Mapping[Path, tuple[int, int]]) -> bool:
        """Whether files of tasks are those of before; that of a single task becomes the result."""
        return all(of(p if p.exists() else self.result) == known for p, known in before.items())


def of(path: Path) -> tuple[int, int]:
    """Identity of a file that changes with its content."""
    facts = path.stat()
    return facts.st_ino, facts.st_mtime_ns


def children(process: int) -> list[psutil.Process]:
    try:
        return psutil.Process(process).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def wait_for(condition: Any) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def content(path: Path) -> dict[str, Any]:
    """Every array of a result, bit for bit, or every value; not how it was made."""
    if path.suffix == ".json":
        return {k: v for k, v in json.loads(path.read_bytes()).items() if k != PROVENANCE}
    found: dict[str, Any] = {}

    def note(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset) and PROVENANCE not in name.split("/"):
            value = np.asarray(node[()])
            bits = value.tolist() if value.dtype == object else value.tobytes()
            found[name] = (str(value.dtype), value.shape, bits)

    with h5py.File(path) as file:
        file.visititems(note)
    return found


def victim(folder: Path, verb: str, home: str) -> Victim:
    """A verb of the study that has its section."""
    (folder / "killed.toml").write_text(STUDY)
    few = {"sampler": "emcee", "chains": 2, "draws": 20, "tune": 5, "phases": "fixed"}
    few |= {"oscillation_errors": False}
    (folder / "two.toml").write_text(tomli_w.dumps(two_sets(inference=few)))
    source = dict.fromkeys([verb.name for verb in OF_ATLAS], "atlas")
    source |= {SETS.name: str(folder / "two.toml")}
    found = source.get(verb, str(folder / "killed.toml"))
    return Victim(found, ATLAS_CHANGES if found == "atlas" else {}, (verb,), folder / home)


def test_every_verb_has_its_place(tmp_path: Path) -> None:
    """A new verb joins by its section in one of the studies."""
    one = victim(tmp_path, "infer", "run")
    names = [verb.name for verb in verbs_of(load_study(one.source))]
    apart = [verb.name for verb in (SIMULATE, SETS, *OF_ATLAS)]
    assert sorted([*names, *apart]) == sorted(VERBS)


@pytest.mark.slow
@pytest.mark.parametrize("verb", KILLED)
def test_kill_9_inside_a_verb(tmp_path: Path, verb: str) -> None:
    one = victim(tmp_path, verb, "run")
    for name in (*RESTS_ON.get(verb, ()), verb):
        replace(one, verbs=(name,)).finish("serial")
    expected = content(one.result)
    spans = {}
    for executor in EXECUTORS[:2]:
        one.forget()
        spans[executor] = one.finish(executor)
        assert content(one.result) == expected
    spans[EXECUTORS[3]] = spans[EXECUTORS[1]]
    one.forget()
    dice, kills, done = random.Random(verb), 0, {}
    for executor in itertools.cycle(EXECUTORS):
        was_killed = kills < KILLS and one.killed(executor, spans[executor] * dice.random() ** 2)
        if kills == KILLS:
            one.finish(executor)
        assert one.untouched(done)
        kills += was_killed
        done = one.finished()
        if not was_killed:
            assert content(one.result) == expected
            if kills == KILLS:
                break
            one.forget()
            done = {}
