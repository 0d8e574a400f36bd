"""Neutrino masses from the magnetization of neutrino pair emission in crystals.

``physics`` predicts a signal, ``measurement`` turns it into data, ``inference``
turns data into a posterior, ``runner`` does all of it for a study file. Imports
go that way only. The names below are loaded when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from renp_infer.errors import (
        ConfigError,
        ConvergenceError,
        DomainError,
        NonFiniteError,
        StoreError,
    )
    from renp_infer.records import (
        PRESETS,
        Accuracy,
        Detector,
        Experiment,
        Lasers,
        Layout,
        Observation,
        Parameters,
        Switches,
        Target,
    )

    __version__: str

__all__ = [
    "PRESETS",
    "Accuracy",
    "ConfigError",
    "ConvergenceError",
    "Detector",
    "DomainError",
    "Experiment",
    "Lasers",
    "Layout",
    "NonFiniteError",
    "Observation",
    "Parameters",
    "StoreError",
    "Switches",
    "Target",
    "__version__",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("renp-infer")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "errors" if name.endswith("Error") else "records"
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
