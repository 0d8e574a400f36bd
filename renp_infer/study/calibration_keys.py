"""Section ``[calibrate]`` against the others."""

from __future__ import annotations

from renp_infer.errors import ConfigError
from renp_infer.fields import Said
from renp_infer.study.sections.calibrate import CalibrateSection
from renp_infer.study.sections.inference import InferenceSection


def check_calibration(section: CalibrateSection | None, inference: InferenceSection | None) -> None:
    """Refuse a calibration of nothing, and a belt beyond the prior.

    Raises
    ------
    ConfigError
    """
    if section is None:
        return
    if not (section.data_sets or section.hypothesis_sets or section.belt_sets):
        allowed = "more than 0, unless hypothesis_sets or belt_sets are"
        raise ConfigError("calibrate.data_sets", 0, allowed)
    if inference is None:
        raise ConfigError("inference", Said("nothing"), "a table, for [calibrate]")
    if section.belt_sets and section.belt_m1_meV[-1] > inference.m1_max_meV:
        allowed = f"masses <= inference.m1_max_meV = {inference.m1_max_meV:g}"
        raise ConfigError("calibrate.belt_m1_meV", section.belt_m1_meV[-1], allowed)
