"""Settings as a section without keys gives them, with some changed past its ranges."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from renp_infer.design.spaces.cost import CostModel
from renp_infer.design.utilities.utility import UtilitySettings
from renp_infer.inference.results.comparison import CompareSettings
from renp_infer.inference.settings import InferenceSettings
from renp_infer.study.sections.compare import CompareSection, compare_settings
from renp_infer.study.sections.inference import InferenceSection, inference_settings
from renp_infer.study.sections.optimize import CostSection, OptimizeSection, cost_model

SEARCH = OptimizeSection()


def inference_with(**changes: Any) -> InferenceSettings:
    """Settings of ``[inference]``."""
    return replace(inference_settings(InferenceSection()), **changes)


def compare_with(**changes: Any) -> CompareSettings:
    """Settings of ``[compare]``."""
    return replace(compare_settings(CompareSection()), **changes)


def cost_with(**changes: Any) -> CostModel:
    """Prices of ``[optimize.cost]``."""
    return replace(cost_model(CostSection()), **changes)


def utility_with(**changes: Any) -> UtilitySettings:
    """What the utilities of ``[optimize]`` are averaged over, by equal odds."""
    given = {
        "inference": inference_with(),
        "orderings": SEARCH.orderings,
        "natures": SEARCH.natures,
        "odds": {},
        "truth": SEARCH.truth,
        "truths": SEARCH.truths,
        "masses": SEARCH.masses,
    }
    return UtilitySettings(**(given | changes))
