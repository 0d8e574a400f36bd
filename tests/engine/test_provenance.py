"""Provenance: plain values, the right files, and no trust in Git or /proc."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import renp_infer
from renp_infer.engine import provenance as module
from renp_infer.engine.provenance import git_state, machine, provenance
from renp_infer.resources import share_path
from renp_infer.study.load import load_study
from renp_infer.study.sources import data_digests
from renp_infer.versions import versions
from tests.toys.two_sets import two_sets

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="without Git")


@pytest.fixture(scope="module")
def study():
    return load_study("seed-layout-published")


def git(root, *arguments):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    identity = ["-c", "user.name=n", "-c", "user.email=e@e", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(root), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=clean).stdout


@pytest.fixture
def checkout(tmp_path):
    """A project of our name with one commit."""
    root = tmp_path / "checkout"
    for folder in ("renp_infer", "models", "data"):
        (root / folder).mkdir(parents=True)
        (root / folder / "file.txt").write_text("as committed\n")
    (root / "pyproject.toml").write_text('[project]\nname = "renp-infer"\n')
    git(root.parent, "init", "--quiet", str(root))
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "first")
    return root


def fake_git(folder, script, monkeypatch):
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_provenance_is_plain_and_fits_into_attributes(tmp_path, study):
    found = provenance(study, 1.5)
    assert set(found) == {"versions", "git", "machine", "data", "study", "seconds"}
    assert found["versions"] == versions()
    assert found["study"] == study.resolved and found["seconds"] == 1.5
    texts = {key: json.dumps(value, allow_nan=False) for key, value in found.items()}
    xr.Dataset(attrs=texts).to_netcdf(tmp_path / "p.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "p.nc", engine="h5netcdf") as back:
        assert {key: json.loads(back.attrs[key]) for key in texts} == found


def test_a_generic_scheme_has_no_file(tmp_path):
    rates = "{ ep = 8.0, pg = 2.0, eg = 500.0, eq = 5.0, qg = 4.0, qp = 1.0 }"
    path = tmp_path / "generic.toml"
    path.write_text(
        'schema = 1\n[physics]\npreset = "corrected"\n[target]\nscheme = "generic"\n'
        "omega_1_eV = 1.3\nomega_2_eV = 1.1\nomega_s_eV = 0.8\ndensity_per_cm3 = 1e19\n"
        "refractive_index = 1.45\ng_factor = 5.0\nspin_squared = 0.01\n"
        f"md_rates_per_s = {rates}\ned_rates_per_s = {rates}\n"
    )
    assert list(data_digests(load_study(path))) == ["data/oscillation/nufit-6.0.toml"]


def test_shipped_files_have_names_without_a_machine(study):
    found = data_digests(study)
    table = study.resolved["neutrino"]["oscillation"]
    assert set(found) == {"models/targets/er-ylf.toml", f"data/oscillation/{table}.toml"}
    for name, digest in found.items():
        folder, _, rest = name.partition("/")
        assert digest == sha256((share_path(folder) / rest).read_bytes()).hexdigest()


def test_the_table_of_printed_weights_counts():
    chosen = ["neutrino.oscillation='nufit-6.0'", "physics.weights='table-iv'"]
    with_table = data_digests(load_study("seed-layout-published", chosen, inference=False))
    without = data_digests(load_study("seed-layout-published", chosen[:1], inference=False))
    assert with_table.keys() - without.keys() == {"data/oscillation/seed.toml"}


def test_a_scheme_of_the_user_is_followed(tmp_path):
    scheme = tmp_path / "own.toml"
    shutil.copy(share_path("models") / "targets" / "er-ylf.toml", scheme)
    text = (share_path("studies") / "seed-layout-published.toml").read_text()
    (tmp_path / "study.toml").write_text(text)
    study = load_study(tmp_path / "study.toml", ["target.scheme='own.toml'"])
    before = data_digests(study)
    assert before["own.toml"] == sha256(scheme.read_bytes()).hexdigest()
    assert not any(str(tmp_path) in name for name in before)
    scheme.write_text(scheme.read_text() + "# changed\n")
    again = load_study(tmp_path / "study.toml", ["target.scheme='own.toml'"])
    assert again.digests["own.toml"] != before["own.toml"]
    assert study.digests == before  # what was read, not what is there now
    scheme.unlink()
    assert data_digests(study)["own.toml"] == ""


def test_two_files_of_one_name_both_count(tmp_path):
    entries = []
    for folder, slope in (("spring", 0.1), ("autumn", 0.2)):
        (tmp_path / folder).mkdir()
        file = tmp_path / folder / "hum.csv"
        file.write_text(f"theta_s_deg,template_nG\n40,{slope}\n80,0.5\n")
        entries.append({"name": folder, "file": str(file), "sd": 0.1, "kind": "additive"})
    tables = {"schema": 1, "physics": {"preset": "corrected"}, "inference": {}}
    found = data_digests(load_study(tables | {"systematics": entries}))
    texts = [(tmp_path / folder / "hum.csv").read_bytes() for folder in ("spring", "autumn")]
    assert [found["hum.csv"], found["hum.csv (2)"]] == [sha256(t).hexdigest() for t in texts]
    again = data_digests(load_study(tables | {"systematics": [entries[0], entries[0] | {
        "name": "again"}]}))  # fmt: skip
    assert "hum.csv (2)" not in again


def test_a_scheme_of_one_data_set_counts(tmp_path):
    scheme = tmp_path / "own.toml"
    shutil.copy(share_path("models") / "targets" / "er-ylf.toml", scheme)
    own = {"name": "b", "crystal": "other", "target": {"scheme": str(scheme)}}
    found = data_digests(load_study(two_sets({"name": "a"}, own)))
    assert found["own.toml"] == sha256(scheme.read_bytes()).hexdigest()


@needs_git
def test_a_clean_checkout(checkout):
    assert git_state(checkout) == {
        "commit": git(checkout, "rev-parse", "HEAD").strip(),
        "dirty": False,
    }


@needs_git
@pytest.mark.parametrize(
    ("name", "dirty"),
    [
        ("renp_infer/file.txt", True),
        ("data/file.txt", True),
        ("models/new.toml", True),
        ("study.toml", False),
    ],
)
def test_dirty_means_code_models_or_data(checkout, name, dirty):
    (checkout / name).write_text("changed\n")
    assert git_state(checkout)["dirty"] is dirty


@needs_git
def test_a_worktree_is_a_checkout(checkout):
    other = checkout.parent / "other"
    git(checkout, "worktree", "add", "--quiet", str(other))
    assert git_state(other) == git_state(checkout)


@needs_git
def test_variables_of_git_do_not_lead_elsewhere(checkout, monkeypatch):
    expected = git_state(checkout)
    monkeypatch.setenv("GIT_DIR", str(checkout.parent / "nowhere"))
    assert git_state(checkout) == expected


@needs_git
@pytest.mark.parametrize(
    "project", ['[project]\nname = "other"\n', "project = 3\n", "[tool]\n", "= broken", None]
)
def test_a_foreign_repository_says_nothing(checkout, project):
    (checkout / "pyproject.toml").unlink()
    if project is not None:
        (checkout / "pyproject.toml").write_text(project)
    assert git_state(checkout) is None


@needs_git
def test_without_a_commit_there_is_no_state(checkout):
    shutil.rmtree(checkout / ".git")
    git(checkout.parent, "init", "--quiet", str(checkout))
    assert git_state(checkout) is None


@needs_git
def test_an_installed_package_has_no_state(checkout):
    shutil.rmtree(checkout / ".git")
    git(checkout.parent, "init", "--quiet", str(checkout.parent))  # a project around it
    assert git_state(checkout) is None


@needs_git
def test_without_git_there_is_no_state(checkout, monkeypatch):
    monkeypatch.setenv("PATH", str(checkout))
    assert git_state(checkout) is None


@needs_git
@pytest.mark.parametrize("slow", ["*", "*status*"])
def test_a_slow_git_is_not_waited_for(checkout, monkeypatch, tmp_path, slow):
    expected = None if slow == "*" else git_state(checkout) | {"dirty": None}
    script = f'case "$*" in {slow}) exec sleep 20;; esac\nexec {shutil.which("git")} "$@"'
    fake_git(tmp_path / "bin", script, monkeypatch)
    monkeypatch.setattr(module, "GIT_TIMEOUT_S", 0.5)
    begin = time.monotonic()
    assert git_state(checkout) == expected
    assert time.monotonic() - begin < 10


def test_git_is_asked_once(monkeypatch, study):
    calls = []
    monkeypatch.setattr(module, "git_state", lambda root: calls.append(root))
    module._own_git_state.cache_clear()
    try:
        provenance(study, 0.0)
        provenance(study, 0.0)
    finally:
        module._own_git_state.cache_clear()
    assert calls == [Path(renp_infer.__file__).parents[1]]


def test_the_machine_is_this_one():
    found = machine()
    assert found["cores"] == os.cpu_count()
    assert re.search(sys.platform, found["platform"], re.IGNORECASE)
    if Path("/proc/meminfo").exists():
        kilobytes = int(re.search(r"MemTotal: +(\d+)", Path("/proc/meminfo").read_text())[1])
        assert np.isclose(found["memory_bytes"], 1024 * kilobytes, rtol=1e-3)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"processor\t: 0\nmodel name\t: Fast: \xff9\nmodel name\t: other\n", "Fast: \ufffd9"),
        (b"processor\t: 0\nBogoMIPS\t: 1\n", None),
        (None, None),
    ],
    ids=["named", "unnamed", "missing"],
)
def test_the_processor_has_a_name(tmp_path, monkeypatch, content, expected):
    if content is not None:
        (tmp_path / "cpuinfo").write_bytes(content)
    monkeypatch.setattr(module, "_CPU_INFO", tmp_path / "cpuinfo")
    assert module._cpu() == (expected or os.uname().machine)


@pytest.mark.parametrize("answer", [-1, ValueError("unknown"), OSError("no")])
def test_unknown_memory_is_none(monkeypatch, answer):
    def sysconf(name):
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(module.os, "sysconf", sysconf)
    assert module._memory_bytes() is None


def test_nothing_is_looked_up_on_import():
    code = (
        "import subprocess, platform\n"
        "def refuse(*a, **k): raise AssertionError('looked up')\n"
        "subprocess.Popen.__init__ = platform.platform = refuse\n"
        "import renp_infer.app.cli, renp_infer.engine.provenance\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
