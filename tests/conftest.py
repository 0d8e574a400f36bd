"""Shared by all tests: one seed, reproducible property tests, no display."""

import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

os.environ["MPLBACKEND"] = "Agg"  # before anything imports matplotlib

import numpy as np
import pytest
from hypothesis import settings

SEED = 20211207

settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

ABSOLUTE, RELATIVE = 1e-12, 1e-6
"""Tolerances that ``approx`` has by itself."""
SMALL = 1e-8
"""Numbers of which the absolute one would be more than 1e-4."""
_approx = pytest.approx


def _told_approx(
    expected: Any, rel: float | None = None, abs: float | None = None, nan_ok: bool = False
) -> Any:
    """``pytest.approx``, which must be told its absolute tolerance where that decides.

    A rate of 1e-28 is within 1e-12 of every other.
    """
    size = _size(expected)
    if abs is None and 0.0 < size < SMALL and size * (rel or RELATIVE) < ABSOLUTE:
        raise AssertionError(f"{size:.3g} compared to within {ABSOLUTE}: pass rel and abs=0")
    return _approx(expected, rel=rel, abs=abs, nan_ok=nan_ok)


def _size(expected: Any) -> float:
    """Largest size of what is expected; infinite where that is no number."""
    values = list(expected.values()) if isinstance(expected, Mapping) else expected
    try:
        return float(np.max(np.abs(np.asarray(values)), initial=0.0))
    except (TypeError, ValueError):
        return np.inf


pytest.approx = _told_approx


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Tests of one file go to one process: what they share is made once."""
    from xdist.scheduler import LoadFileScheduling

    by_default = config.getoption("dist") == "load"
    return LoadFileScheduling(config, log) if by_default else None


@pytest.fixture(autouse=True)
def figures_must_not_fail(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A figure that cannot be drawn leaves its place empty, in which no test would see it."""
    if "figures_may_fail" in request.keywords or "renp_infer.figures.plate" not in sys.modules:
        return

    def fail(_title: str, error: Exception) -> None:
        raise error

    monkeypatch.setattr("renp_infer.figures.plate.missing", fail)


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator that starts afresh, with the same seed, in every test."""
    return np.random.default_rng(SEED)


@pytest.fixture(autouse=True)
def nothing_is_remembered() -> None:
    """No test sees a response that another made, perhaps of spoilt parts."""
    if work := sys.modules.get("renp_infer.verbs.infer.work"):
        work.made_responses.cache_clear()


@pytest.fixture(scope="module")
def kept() -> Iterator[None]:
    """Responses and checks of evaluations are made once for all modules that ask for this."""
    from tests.toys.kept import keep

    with pytest.MonkeyPatch.context() as patch:
        keep(patch)
        yield
