"""Commands that tell how a study is written; imports nothing heavy."""

from __future__ import annotations

from typing import Literal

from renp_infer.engine.options import DEFAULTS, Options


def init(
    name: str = "study",
    /,
    *,
    question: Literal["forecast", "own-data", "layout", "compare", "live"] = "forecast",
    preset: Literal["published", "corrected", "first-principles"] = "first-principles",
    options: Options = DEFAULTS,
) -> int:
    """Write a study to start from, with every key, its meaning, range and default.

    Parameters
    ----------
    name
        Of the study; its file is NAME.toml, in --out or here.
    question
        What could be seen; what do my data say; which layout; which hypothesis; what next.
    preset
        Which physics; the study names it.
    """
    from renp_infer.app import starting

    return starting.init(name, question, preset, options)


def keys(name: str = "", /, *, options: Options = DEFAULTS) -> int:
    """Explain the keys of a study: all sections, one section, or one key.

    Parameters
    ----------
    name
        SECTION or SECTION.KEY.
    """
    from renp_infer.app import starting

    return starting.keys(name, options)


def schema(*, options: Options = DEFAULTS) -> int:
    """Print the JSON schema of studies, by which an editor completes and checks; or --out FILE."""
    from renp_infer.app import starting

    return starting.schema(options)
