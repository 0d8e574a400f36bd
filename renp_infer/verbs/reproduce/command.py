"""``renp reproduce``: what the paper prints, or a run again."""

from __future__ import annotations

from renp_infer.engine.options import DEFAULTS, Options


def reproduce(what: str | None = None, /, *, options: Options = DEFAULTS) -> int:
    """Recompute what the paper prints; or draw fig6 to fig12; or feasibility; or do a run again.

    A run directory is done again in --out or RUN-again, and all numbers are compared.
    """
    from renp_infer.verbs.reproduce import asked

    return asked.reproduce(what, options)
