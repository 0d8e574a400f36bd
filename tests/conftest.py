"""Shared by all tests: one seed, reproducible property tests, no display."""

import os

os.environ["MPLBACKEND"] = "Agg"  # before anything imports matplotlib

import numpy as np
import pytest
from hypothesis import settings

SEED = 20211207

settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator that starts afresh, with the same seed, in every test."""
    return np.random.default_rng(SEED)
