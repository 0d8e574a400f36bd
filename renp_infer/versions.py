"""Versions of the software that makes the results."""

from __future__ import annotations

import functools
import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = (
    "renp-infer", "numpy", "scipy", "numba", "pymc", "pytensor", "nutpie", "arviz", "arviz-stats",
    "emcee", "dynesty", "xarray", "h5netcdf", "h5py", "pydantic", "tomli-w", "cyclopts", "rich",
    "jinja2", "matplotlib", "pint", "scikit-learn", "scikit-optimize", "corner",
    "distributed", "magpylib",
)  # fmt: skip
"""This package, what it needs, and what of theirs computes the posterior."""
PHYSICS_VERSION = 10
"""Raised when the same study gives other results, so that old ones are redone."""
MISSING = "not installed"


def versions() -> dict[str, str]:
    """Version of Python and of each of ``PACKAGES``, or ``MISSING``."""
    return {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES}


@functools.cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return MISSING
