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
        atlas,
        calibrate,
        compare,
        evaluate,
        export,
        forecast,
        infer,
        load_study,
        open_run,
        optimize,
        reproduce,
        scan,
        sequential,
        simulate,
        write_report,
    )
    from renp_infer.app.outside import likelihood, model, prior, signal
    from renp_infer.errors import (
        BlindedError,
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
    from renp_infer.live.campaign import Campaign
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
    )
    from renp_infer.target import Target

    __version__: str

__all__ = [
    "PRESETS",
    "Accuracy",
    "BlindedError",
    "Campaign",
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
    "atlas",
    "calibrate",
    "compare",
    "evaluate",
    "export",
    "forecast",
    "infer",
    "likelihood",
    "load_study",
    "model",
    "open_run",
    "optimize",
    "prior",
    "reproduce",
    "scan",
    "sequential",
    "signal",
    "simulate",
    "write_report",
]

_HOMES = {
    "errors": [name for name in __all__ if name.endswith(("Error", "Warning"))],
    "records": [
        "PRESETS", "Accuracy", "Detector", "Experiment", "Lasers", "Layout", "Observation",
        "Parameters", "Switches",
    ],
    "target": ["Target"],
    "app.outside": ["likelihood", "model", "prior", "signal"],
    "live.campaign": ["Campaign"],
}  # fmt: skip
"""Modules of exported names; the others are the library's."""


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("renp-infer")
    home = next((home for home, names in _HOMES.items() if name in names), "app.library")
    if home == "app.library" and name not in __all__ and name not in _verbs():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def _verbs() -> list[str]:
    """Folders of verbs, each of which is a function."""
    from renp_infer.verbs import folders

    return folders("verb.py")


def __dir__() -> list[str]:
    return sorted(__all__)
