"""What a caller has set in this process: kept out of results, and as it was afterwards."""

from __future__ import annotations

import contextlib
import random
import warnings
from collections.abc import Iterator

import numpy as np

FOREIGN = r"(?!renp_infer\b)"
"""Modules whose warnings are about themselves; ours stay the caller's to filter."""


@contextlib.contextmanager
def own_surroundings() -> Iterator[None]:
    """Work as in a fresh process: NumPy's errors and foreign warnings, and the global generators.

    A caller may have made errors of warnings or of NumPy's underflows; libraries may draw from
    the generators that all share.
    """
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    usual = np.errstate(divide="warn", over="warn", under="ignore", invalid="warn")
    try:
        with warnings.catch_warnings(), usual:
            warnings.filterwarnings("ignore", module=FOREIGN)
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
