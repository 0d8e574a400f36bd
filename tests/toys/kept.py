"""What tests of one process ask for again with the same arguments, calculated once.

For tests that leave what it is made of as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from renp_infer.engine.tasks import fingerprint
from renp_infer.inference.responses.accurate import AccurateResponses, Checked
from renp_infer.measurement.average import disagreement
from renp_infer.records import Experiment, FloatArray, Parameters
from renp_infer.verbs.evaluate import work

_found: dict[str, Any] = {}


def _once[T](make: Callable[..., T], key: str, *given: Any) -> T:
    if key not in _found:
        _found[key] = make(*given)
    found: T = _found[key]
    return found


def _disagreement(
    experiment: Experiment, parameters: Parameters, chi2: float, field_nG: FloatArray
) -> float:
    key = fingerprint("check", asdict(experiment), asdict(parameters), chi2, field_nG)
    return _once(disagreement, key, experiment, parameters, chi2, field_nG)


_refined = AccurateResponses._refined


def _response(own: AccurateResponses, parameters: Parameters) -> Checked:
    records = (own.experiment, own.settings, own.table, parameters)
    numbers = (own.chi_squared, own.sigma, own.seed, own.natures)
    key = fingerprint("response", [asdict(one) for one in records], numbers)
    return _once(_refined, key, own, parameters)


_crystal_error = AccurateResponses._crystal_error


def _crystal(own: AccurateResponses, parameters: Parameters) -> tuple[float, float]:
    records = (own.experiment, own.settings, parameters)
    numbers = (own.chi_squared, own.sigma)
    key = fingerprint("crystal", [asdict(one) for one in records], numbers)
    return _once(_crystal_error, key, own, parameters)


def keep(patch: pytest.MonkeyPatch) -> None:
    """Responses, and what evaluations are held to, are remembered."""
    patch.setattr(work, "disagreement", _disagreement)
    patch.setattr(AccurateResponses, "_refined", _response)
    patch.setattr(AccurateResponses, "_crystal_error", _crystal)
