"""Keys of section ``[inference]`` against each other."""

from __future__ import annotations

from renp_infer.errors import ConfigError
from renp_infer.runner.config_tasks import InferenceSection


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
