"""Bad studies, command lines and run directories: refused in one line, or done.

Every verb of the command line is tried, those added later included.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import renp_infer
from renp_infer.app.cli import app, execute
from renp_infer.engine.store import Store
from renp_infer.engine.tasks import Task
from renp_infer.files import digest
from renp_infer.inference.results.comparison import task_of
from renp_infer.study.load import load_study
from renp_infer.study.study import Study
from renp_infer.terminal import document
from renp_infer.verbs.compare import work as hypotheses
from renp_infer.verbs.evaluate import work as evaluation
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.infer import work as inferring
from renp_infer.verbs.infer.verb import INFER
from tests.toys.hostile import (
    EXECUTORS,
    FILES,
    OUTS,
    SETTINGS,
    SHARDS,
    VALUES,
    dumped,
    json_values,
    studies,
)
from tests.toys.malformed import Malformed, malformed
from tests.toys.runs import make_inference

VERBS = sorted(name for name in app if not name.startswith("-"))
RUN_VERBS = {"merge": 2, "reproduce": 1, "cite": 1}
"""Verbs whose arguments are run directories, and how many they take."""
SAMPLING = {"infer", "compare", "calibrate", "forecast", "optimize", "scan"}
PASSING = ("doctor", "evaluate")
"""Verbs that take what others refuse; tried more often, so that something succeeds."""
SERVING = {"explore"}
"""Verbs that on a valid study wait for a reader; they have tests of their own."""
LONG = SAMPLING | SERVING | {"run", "reproduce", "report"}
"""Verbs that sample, serve or draw figures; on valid studies most are tried a few times."""
WITHOUT_STUDY = {
    "blind-key", "cite", "completion", "doctor", "export", "init", "keys", "merge", "report",
    "reproduce", "reweight", "schema", "scheme", "unblind",
}  # fmt: skip
"""Verbs that are not asked of a study, but of a run, an installation or nothing."""
TIME_LIMIT_S, WAITING = 10, 12
NAMED = re.compile(r"is no finite number|exceeds the promised")
UNFINISHED = "run the study again"
"""What ``report`` says, with exit code 4, of a directory that is no finished run."""
# A failure shows its case as it is: making it smaller would take minutes.
PHASES = (Phase.explicit, Phase.generate)
QUICK = settings(suppress_health_check=list(HealthCheck), phases=PHASES)


class TooLong(BaseException):
    """Passes through every ``except Exception``."""


@contextlib.contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Limit the time of the processor, and that of waiting, which others may cause."""

    def stop(*_: object) -> None:
        raise TooLong

    before = {kind: signal.signal(kind, stop) for kind in (signal.SIGPROF, signal.SIGALRM)}
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, WAITING * seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for kind, handler in before.items():
            signal.signal(kind, handler)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A tree with everything a run could touch in it: cwd, HOME and TMPDIR."""
    import matplotlib.pyplot  # noqa: F401 - writes its caches before the tree is watched

    here = tmp_path_factory.mktemp("fuzz")
    patch = pytest.MonkeyPatch()
    for name in ("home", "tmp", "cwd"):
        (here / name).mkdir()
    patch.setenv("HOME", str(here / "home"))
    patch.setenv("TMPDIR", str(here / "tmp"))
    patch.setattr(tempfile, "tempdir", None)
    yield here
    patch.undo()


@contextlib.contextmanager
def sandbox(root: Path) -> Iterator[Path]:
    """A fresh current directory with traps in it."""
    cwd = root / "cwd"
    (cwd / "folder.toml").mkdir()
    (cwd / "taken").mkdir()
    (cwd / "taken" / "thesis.tex").write_text("dear")
    os.mkfifo(cwd / "pipe.toml")
    (cwd / "loop.toml").symlink_to("loop.toml")
    (cwd / "zero.toml").symlink_to("/dev/zero")
    (cwd / "link").symlink_to("taken")
    (root / "outside.toml").write_text("schema = 1\n")
    before = Path.cwd()
    os.chdir(cwd)
    try:
        yield cwd
    finally:
        os.chdir(before)
        shutil.rmtree(cwd)
        cwd.mkdir()
        shutil.rmtree(root / "beside", ignore_errors=True)


def snapshot(root: Path) -> dict[str, Any]:
    """Everything below a folder: kind, size, time and target."""
    found = {}
    for folder, names, files in os.walk(root):
        for name in (*names, *files):
            path = os.path.join(folder, name)
            facts = os.lstat(path)
            changed = 0 if os.path.isdir(path) else facts.st_mtime_ns
            found[path] = (facts.st_mode, changed, 0 if not changed else facts.st_size)
    return found


def attempt(words: list[str]) -> tuple[int, str, str]:
    """Exit code and both streams of a command; fails if it takes too long."""
    out, err = io.StringIO(), io.StringIO()
    begin = time.process_time()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), at_most(TIME_LIMIT_S):
        try:
            code = execute(words)
        except SystemExit as error:  # help and version
            code = int(error.code or 0)
    assert time.process_time() - begin < TIME_LIMIT_S, words
    return code, out.getvalue(), err.getvalue()


def inside(path: str, places: list[Path]) -> bool:
    return any(path == str(place) or path.startswith(f"{place}/") for place in places)


def check(
    root: Path, words: list[str], out: str | None, failing: bool = False, known: bool = False
) -> int:
    """Run a command and judge what it did; gives its exit code."""
    before = snapshot(root)
    code, _, err = attempt(words)
    after = snapshot(root)
    told = f"{words}\n{err}"
    assert "Traceback" not in err, told
    assert known or "--debug shows where" not in err, told  # an error nobody thought of
    if not failing:
        unfinished = words[0] == "report" and UNFINISHED in err
        assert code in (0, 2, 3) or (code == 4 and (NAMED.search(err) or unfinished)), told
    changed = {path for path in before | after if before.get(path) != after.get(path)}
    if code == 2:
        assert err.startswith("renp: "), told
        assert err.count("\n") == 1, told
        assert not changed, f"{told}{changed}"
    cwd = Path.cwd()
    places = [Path(os.path.realpath(cwd / out))] if out and "\0" not in out else [cwd / "runs"]
    parents = {str(parent) for place in places for parent in place.parents}
    parents |= {str(parent) for parent in (cwd / (out or ".")).parents}
    stray = {path for path in changed if not inside(path, places) and path not in parents}
    assert not stray, f"{told}{stray}"
    return code


# --- studies and command lines ---


CASES = st.fixed_dictionaries(
    {
        "verb": st.sampled_from([*VERBS, *PASSING]),
        "study": studies(),
        "file": FILES,
        "set": st.lists(SETTINGS, max_size=2),
        "out": st.none() | OUTS,
        "executor": st.none() | st.none() | st.none() | EXECUTORS,
        "shard": st.none() | st.none() | st.none() | SHARDS,
        "json": st.booleans(),
    }
)


def words_of(case: dict[str, Any]) -> list[str]:
    """Command line of a case."""
    verb = case["verb"]
    words = [verb, *[case["file"]] * RUN_VERBS.get(verb, 1)]
    if verb == "doctor":
        words = [verb]
    if verb == "scan":
        words += ["--over", "neutrino.m1_meV=1,2"]
    for text in case["set"]:
        words += ["--set", text]
    for option in ("out", "executor", "shard"):
        if case[option] is not None:
            words += [f"--{option}", case[option]]
    return [*words, "--json"] if case["json"] else words


def is_valid(case: dict[str, Any]) -> bool:
    try:
        load_study(case["file"], case["set"])
    except Exception:  # the command itself will be judged
        return False
    return True


def fuzz(root: Path, examples: int, long: int) -> Counter[str]:
    """Try many cases; at most ``long`` valid ones with a verb that takes long."""
    counts: Counter[str] = Counter()

    @settings(QUICK, max_examples=examples)
    @given(CASES)
    def one(case: dict[str, Any]) -> None:
        with sandbox(root) as cwd:
            (cwd / "study.toml").write_bytes(case["study"])
            if case["verb"] in LONG and is_valid(case):
                if counts["long"] >= long or case["verb"] in SAMPLING | SERVING:
                    case = case | {"verb": "evaluate"}
                else:
                    counts["long"] += 1
            long_name = case["verb"] == "report" and case["file"] == "x" * 300
            code = check(root, words_of(case), case["out"], long_name, long_name)
            counts[f"exit {code}"] += 1
            counts["all"] += 1

    with at_most_open_files():
        one()
    return counts


@contextlib.contextmanager
def at_most_open_files() -> Iterator[None]:
    """No file stays open."""
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert len(os.listdir("/proc/self/fd")) < before + 20


def test_bad_studies_and_command_lines(root: Path) -> None:
    counts = fuzz(root, 75, 2)
    assert counts["exit 0"] > 0
    assert counts["exit 2"] > counts["all"] / 2


@pytest.mark.slow
def test_thousands_of_bad_studies_and_command_lines(root: Path) -> None:
    counts = fuzz(root, 2500, 10)
    sys.stdout.write(f"{dict(counts)}\n")
    assert counts["all"] >= 2000
    assert counts["exit 4"] < 0.02 * counts["all"]


BY_FILE = [name for name in VERBS if name not in WITHOUT_STUDY]
MALFORMED = list(malformed())
FIRST_ELSE = {"atlas": "data[0]"}
"""What a verb looks at last, after a question that these studies do not answer."""


def refuse(root: Path, verb: str, cases: list[Malformed]) -> None:
    """Each is refused in one line that names the key that is wrong, and nothing is written."""
    with sandbox(root) as cwd, at_most_open_files():
        before = snapshot(cwd)
        for case in cases:
            if verb in FIRST_ELSE and case.path.startswith(FIRST_ELSE[verb]):
                continue
            (cwd / "study.toml").write_text(case.text)
            code, out, err = attempt([verb, "study.toml"])
            told = f"{verb}: {case}\n{err}"
            assert (code, out, err.count("\n")) == (2, "", 1), told
            assert err.startswith("renp: "), told
            assert case.path in err, told
            assert "allowed: " in err, told
        (cwd / "study.toml").unlink()
        assert snapshot(cwd) == before


@pytest.mark.parametrize("verb", BY_FILE)
def test_every_verb_names_the_key_that_is_wrong(root: Path, verb: str) -> None:
    first = BY_FILE.index(verb)
    refuse(root, verb, MALFORMED[37 * first :: len(MALFORMED) // 4])


@pytest.mark.slow
@pytest.mark.parametrize("verb", BY_FILE)
def test_every_verb_names_the_key_that_is_wrong_of_thousands(root: Path, verb: str) -> None:
    assert len(MALFORMED) > 2000
    refuse(root, verb, MALFORMED)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("trap", ["pipe.toml", "zero.toml", "loop.toml", "folder.toml"])
def test_every_verb_refuses_traps(root: Path, verb: str, trap: str) -> None:
    with sandbox(root) as cwd:
        (cwd / "study.toml").write_text(f'schema = 1\n[target]\nscheme = "{trap}"\n')
        for file in ("study.toml", trap):
            if (verb, file) != ("report", "folder.toml"):
                assert check(root, [verb, *[file] * RUN_VERBS.get(verb, 1)], None) == 2


def test_a_folder_that_cannot_be_has_no_results(root: Path) -> None:
    with sandbox(root) as cwd:
        (cwd / "study.toml").write_text(STUDY)
        assert check(root, ["status", "study.toml", "--out", "x" * 300], None) == 0


def test_a_report_of_something_else_is_wrong_input(root: Path) -> None:
    with sandbox(root):
        assert check(root, ["report", "folder.toml"], None) == 2


def test_a_scheme_may_be_wrong_anywhere(root: Path) -> None:
    text = (Path(renp_infer.__file__).parent.parent / "models/targets/er-ylf.toml").read_text()
    values = re.findall(r"(?<== )[0-9.e+-]+|\"[^\"]*\"|true", text)

    @settings(QUICK, max_examples=60)
    @given(st.integers(0, len(values) - 1), VALUES)
    def one(place: int, value: Any) -> None:
        from tests.toys.hostile import toml

        pieces = re.split(r"((?<== )[0-9.e+-]+|\"[^\"]*\"|true)", text)
        pieces[2 * place + 1] = toml(value)
        with sandbox(root) as cwd:
            (cwd / "t.toml").write_text("".join(pieces), errors="surrogatepass")
            (cwd / "study.toml").write_text(dumped({"schema": 1}, {
                "target": {"scheme": "t.toml"},
                "layout": {"theta_s_deg": [58.0], "theta_e_deg": 141.6},
                "lasers": {"chi_squared": 1e-3},
            }))  # fmt: skip
            check(root, ["evaluate", "study.toml"], None)

    one()


# --- run directories ---


STUDY = dumped(
    {"schema": 1, "name": "s"},
    {
        "layout": {"theta_s_deg": [50.0, 60.0]},
        "lasers": {"chi_squared": 1e-3},
        "inference": {"draws": 4, "tune": 1, "chains": 2},
    },
)
FILES_OF_A_RUN = ("manifest.json", "evaluate.json", "infer.nc", "study.resolved.toml")


class Bomb:
    """A pickle that writes a file when it is loaded."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch EXPLODED",)


@pytest.fixture(scope="module")
def finished(root: Path) -> Iterator[Path]:
    """A finished run whose sampling was replaced; running again takes no time."""
    home, cwd = root / "finished", Path.cwd()
    os.chdir(root)
    (root / "s.toml").write_text(STUDY)
    study = load_study("s.toml")
    result = evaluation.evaluate(study.experiment, study.parameters, "s")
    known = json.loads(document(result.document)) | {"normalised": False}
    angles = known | {"theta_s_deg": np.linspace(50, 60, 61).tolist()}
    angles |= {k: [1.0] * 61 for k in ("signal_nG", "sigma_nG")}
    tree, parameters = make_inference(np.random.default_rng(1), angles, "seed", (2, 20))
    for group in ("posterior", "prior"):  # the figures of many would take long
        tree[group] = xr.DataTree(tree[group].to_dataset()[["m1_meV", "amplitude"]])
    parameters = {k: v for k, v in parameters.items() if k in tree["posterior"]}
    tree["sample_stats"] = xr.DataTree(xr.Dataset(attrs={"sampler": "nuts"}))
    summary = {
        "hypothesis": {"ordering": "normal", "nature": "dirac"},
        "parameters": parameters,
        "diagnostics": {"verdict": "pass", "reasons": [], "r_hat_max": 1.0, "sampler": "nuts"},
        "peak_snr": 1.0,
        "normalised": False,
    }
    tree.attrs = {"renp_summary": json.dumps(summary)}
    patch = pytest.MonkeyPatch()
    patch.setattr(evaluation, "evaluate", lambda *_: result)
    patch.setattr(inferring, "infer", lambda *_: tree.copy(deep=True))
    patch.setattr(hypotheses, "estimate_one", estimated)
    code, out, err = attempt(["run", "s.toml", "--out", str(home), "--quiet"])
    assert code == 0, out + err
    os.chdir(cwd)
    yield home
    patch.undo()


def estimated(study: Study, task: Task, _context: object) -> xr.DataTree:
    """Stands in for the evidence of one hypothesis by one estimator."""
    assert study.compare is not None
    hypothesis, estimator = task_of(task.index, study.compare.estimators)
    draws = xr.Dataset({"m1_meV": (("chain", "draw"), [[1.0, 2.0], [3.0, 4.0]])})
    tree = xr.DataTree.from_dict({"/posterior": draws})
    tree.attrs = {"hypothesis": hypothesis.name, "estimator": estimator}
    tree.attrs |= {"log_evidence": 1.0, "log_evidence_error": 0.1}
    return tree


CONTENTS = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"", b"null", b"[]", b"{}", b'{"schema": 1}', b"NaN", b"\x89HDF\r\n\x1a\n",
                     b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b"1" * 5000]),
    st.just(pickle.dumps(Bomb())),
    json_values().map(lambda value: json.dumps(value).encode()),
)  # fmt: skip
READERS = {"report", "run", "infer", "compare", "evaluate", "simulate", "cite"}
"""Verbs that trust the content of a file whose hash is right; theirs may be any error."""
BY_STUDY = ("evaluate", "infer", "run", "simulate")
OPENING = (*BY_STUDY, "cite", "export", "merge", "report", "reproduce", "reweight", "status")
"""Verbs that open a run directory, those by its study first."""
BESIDE = {"export": ["--to", "csv"], "reweight": ["--with", "katrin-2025"]}
"""What they need besides."""
PLACES = st.lists(st.integers(0, 40), min_size=1, max_size=5)
DAMAGE = st.fixed_dictionaries(
    {
        "verb": st.sampled_from(OPENING),
        "file": st.sampled_from(FILES_OF_A_RUN),
        "kind": st.sampled_from(["truncate", "flip", "replace", "swap", "remove", "edit", "folder",
                                 "link", "pipe"]),
        "at": st.floats(0, 1),
        "content": CONTENTS,
        "place": PLACES,
        "value": json_values(),
        "trust": st.booleans(),
    }
)  # fmt: skip


def edited(tree: Any, place: list[int], value: Any) -> Any:
    """A JSON tree with one value, found by counting, replaced."""
    if not place or not isinstance(tree, dict | list) or not tree:
        return value
    keys = sorted(tree) if isinstance(tree, dict) else range(len(tree))
    key = list(keys)[place[0] % len(tree)]
    copy = tree.copy()
    copy[key] = edited(tree[key], place[1:], value)
    return copy


def damage(run: Path, case: dict[str, Any]) -> None:
    path = run / case["file"]
    content = path.read_bytes()
    at = int(case["at"] * max(len(content) - 1, 0))
    match case["kind"]:
        case "truncate":
            path.write_bytes(content[:at])
        case "flip":
            path.write_bytes(content[:at] + bytes([content[at] ^ 0x41]) + content[at + 1 :])
        case "replace":
            path.write_bytes(case["content"])
        case "swap":
            other = run / FILES_OF_A_RUN[case["place"][0] % len(FILES_OF_A_RUN)]
            path.write_bytes(other.read_bytes())
        case "remove":
            path.unlink()
        case "edit" if path.suffix == ".json":
            text = json.dumps(edited(json.loads(content), case["place"], case["value"]))
            path.write_text(text, errors="surrogatepass")
        case "edit":
            path.write_bytes(content + case["content"])
        case "folder":
            path.unlink()
            path.mkdir()
        case "link":
            path.unlink()
            path.symlink_to("/dev/zero" if case["place"][0] % 2 else path.name)
        case "pipe":
            path.unlink()
            os.mkfifo(path)
    if case["trust"] and path.is_file() and case["file"] != "manifest.json":
        manifest = run / "manifest.json"
        known = json.loads(manifest.read_bytes())
        if case["kind"] != "link":
            known["files"][case["file"]] = digest(path)
        manifest.write_text(json.dumps(known))


def fuzz_runs(root: Path, finished: Path, examples: int) -> Counter[str]:
    counts: Counter[str] = Counter()

    @settings(QUICK, max_examples=examples)
    @given(DAMAGE)
    def one(case: dict[str, Any]) -> None:
        with sandbox(root) as cwd:
            shutil.copytree(finished, cwd / "run")
            (cwd / "s.toml").write_text(STUDY)
            damage(cwd / "run", case)
            verb = case["verb"]
            given = ["s.toml"] if verb in BY_STUDY else ["run"] * RUN_VERBS.get(verb, 1)
            words = [verb, *given, *BESIDE.get(verb, [])]
            out = "again" if verb in ("merge", "reproduce") else "run"
            known = case["trust"] and verb in READERS
            code = check(root, [*words, "--out", out], out, failing=True, known=known)
            counts[f"exit {code}"] += 1
            counts["all"] += 1
            assert not list(root.rglob("EXPLODED"))

    one()
    return counts


def test_damaged_run_directories(root: Path, finished: Path) -> None:
    assert fuzz_runs(root, finished, 15)["exit 4"] > 0


@pytest.mark.slow
def test_many_damaged_run_directories(root: Path, finished: Path) -> None:
    counts = fuzz_runs(root, finished, 700)
    sys.stdout.write(f"{dict(counts)}\n")
    assert counts["all"] >= 500


@pytest.mark.parametrize("content", [b"null", b"{", b"[" * 100_000, b'{"name": 1}'])
@pytest.mark.parametrize("file", ["evaluate.json", "infer.nc", "study.resolved.toml"])
def test_a_wrong_file_with_its_hash_ends_by_name(
    root: Path, finished: Path, file: str, content: bytes
) -> None:
    with sandbox(root) as cwd:
        shutil.copytree(finished, cwd / "run")
        (cwd / "run" / file).write_bytes(content)
        with Store(cwd / "run") as store:
            store.note(file)
        check(root, ["report", "run"], "run", failing=True)


def test_a_manifest_that_never_ends_is_wrong_input(
    root: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "TIME_LIMIT_S", 2)
    with sandbox(root) as cwd:
        shutil.copytree(finished, cwd / "run")
        (cwd / "run" / "manifest.json").unlink()
        os.mkfifo(cwd / "run" / "manifest.json")
        check(root, ["report", "run"], "run", failing=True)


def test_a_report_of_a_name_that_is_too_long_is_wrong_input(root: Path) -> None:
    with sandbox(root):
        assert check(root, ["report", "x" * 300], None) == 2


def test_a_file_of_another_run_is_noticed(finished: Path) -> None:
    with Store(finished) as store:
        assert store.is_intact(EVALUATE.file)
        assert store.is_intact(INFER.file)


def test_no_code_is_executed_from_files() -> None:
    """Nothing of the package can load code: a search for every known way."""
    ways = re.compile(
        r"\b(?:pickle|cPickle|dill|cloudpickle|shelve|marshal|joblib)\b|np\.load\(|allow_pickle|"
        r"(?<![.\w])(?:eval|exec|compile)\(|yaml\.|runpy|__import__\(|os\.system|shell=True"
    )
    package = Path(renp_infer.__file__).parent
    for path in sorted(package.rglob("*.py")):
        found = ways.search(path.read_text(encoding="utf-8"))
        assert found is None, f"{path.name}: {found}"
