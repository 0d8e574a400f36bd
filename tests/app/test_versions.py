"""One list of packages, and what is installed of them."""

import re
import sys
import tomllib
from pathlib import Path

import numpy
import pytest

import renp_infer
from renp_infer import versions as module
from renp_infer.app import doctor
from renp_infer.versions import MISSING, PACKAGES, versions

ROOT = Path(renp_infer.__file__).parents[1]


def test_every_dependency_is_listed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.match(r"[\w-]+", text)[0] for text in project["dependencies"]}
    assert needed | {project["name"]} <= set(PACKAGES)
    assert len(PACKAGES) == len(set(PACKAGES))


def test_versions_are_those_imported() -> None:
    found = versions()
    assert found["numpy"] == numpy.__version__
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert MISSING not in found.values()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor._packages()[0]
    monkeypatch.setattr(module, "PACKAGES", ("numpy", "renp-no-such-package"))
    assert versions()["renp-no-such-package"] == MISSING
    assert doctor._packages() == (False, "missing: renp-no-such-package")
