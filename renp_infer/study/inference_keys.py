"""Keys of section ``[inference]`` against each other, and phases against the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renp_infer.errors import ConfigError
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.study.sections.tasks import InferenceSection

if TYPE_CHECKING:
    from renp_infer.records import Switches
    from renp_infer.study.reading import StudyConfig


def check_lower_bound(section: InferenceSection) -> None:
    """A lower bound of m1 belongs to the log-uniform prior, and is below the upper one.

    Raises
    ------
    ConfigError
    """
    given = "m1_min_meV" in section.model_fields_set
    if given and section.m1_prior == "uniform":
        allowed = 'only with m1_prior = "log-uniform"; the uniform prior starts at 0'
        raise ConfigError("inference.m1_min_meV", section.m1_min_meV, allowed)
    if section.m1_min_meV >= section.m1_max_meV:
        if given:
            allowed = f"< inference.m1_max_meV = {section.m1_max_meV:g}"
            raise ConfigError("inference.m1_min_meV", section.m1_min_meV, allowed)
        allowed = f"> inference.m1_min_meV = {section.m1_min_meV:g}"
        raise ConfigError("inference.m1_max_meV", section.m1_max_meV, allowed)


def check_weights(study: StudyConfig, switches: Switches) -> None:
    """Refuse CP violation with the rows of Table IV, which have none.

    Raises
    ------
    ConfigError
    """
    if switches.weights != "table-iv":
        return
    for key in PARAMETERS.phases:
        value = getattr(study.neutrino, key)
        if value != 0:
            allowed = '0 with physics.weights = "table-iv", which conserves CP'
            raise ConfigError(f"neutrino.{key}", value, allowed)
    if study.inference is not None and study.inference.phases == "free":
        allowed = '"fixed" with physics.weights = "table-iv", which conserves CP'
        raise ConfigError("inference.phases", "free", allowed)
