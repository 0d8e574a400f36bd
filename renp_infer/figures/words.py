"""Values of any kind as text for a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from renp_infer.figures.drawing import number


def text_of(value: Any) -> str:
    """A value for a table cell; JSON texts and mappings as "key value" lists, none empty."""
    if isinstance(value, str) and value[:1] in "{[":
        try:
            value = json.loads(value)
        except ValueError:
            return value
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {text}" for k, v in value.items() if (text := text_of(v)))
    if isinstance(value, list | tuple):
        return ", ".join(text_of(v) for v in value)
    exact = isinstance(value, bool | str | int | np.integer) or value is None
    return str(value) if exact else number(float(value))
