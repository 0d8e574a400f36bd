"""Neutrino masses from the magnetization of neutrino pair emission in crystals.

``physics`` predicts a signal, ``measurement`` turns it into data, ``inference`` turns
data into a posterior, ``design`` chooses what to measure; ``study``, ``engine``,
``verbs``, ``report`` and ``app`` do all of it for a study file. Imports go that way
only. The names below are loaded when first used; docs/library.md shows them at work.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from renp_infer.app.library import (
        Run,
        Study,
        calibrate,
        compare,
        evaluate,
        forecast,
        infer,
        load_study,
        open_run,
        optimize,
        simulate,
        write_report,
    )
    from renp_infer.errors import (
        ConfigError,
        ConvergenceError,
        DiagnosticWarning,
        DomainError,
        ExecutorError,
        NonFiniteError,
        RenpError,
        StoreError,
        TaskError,
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
    "DiagnosticWarning",
    "DomainError",
    "ExecutorError",
    "Experiment",
    "Lasers",
    "Layout",
    "NonFiniteError",
    "Observation",
    "Parameters",
    "RenpError",
    "Run",
    "StoreError",
    "Study",
    "Switches",
    "Target",
    "TaskError",
    "__version__",
    "calibrate",
    "compare",
    "evaluate",
    "forecast",
    "infer",
    "load_study",
    "open_run",
    "optimize",
    "simulate",
    "write_report",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("renp-infer")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_home(name)}"), name)


def _home(name: str) -> str:
    """Module of an exported name; functions are the library's."""
    if name.endswith(("Error", "Warning")):
        return "errors"
    return "app.library" if name.islower() or name in ("Run", "Study") else "records"


def __dir__() -> list[str]:
    return sorted(__all__)
