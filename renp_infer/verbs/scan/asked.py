"""What the options of ``renp scan`` mean as keys of the section ``[scan]``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from renp_infer.errors import ConfigError
from renp_infer.study.sections.scan import AUTO


def section_of(over: Sequence[str], what: str | None, profile: Sequence[str]) -> dict[str, Any]:
    """Keys that the options give; none for an option that is missing.

    Raises
    ------
    ConfigError
        If a text has no key or no values, or names one twice.
    """
    section: dict[str, Any] = {}
    if over:
        section["over"] = dict(_each("--over", over))
    if profile:
        section["profile"] = _profile(profile)
    if what is not None:
        section["what"] = what
    if (over or profile) and not (over and profile):
        section.setdefault("over", {})
        section.setdefault("profile", {})
    return section


def _each(option: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for text in texts:
        key, equals, values = (part.strip() for part in text.partition("="))
        if not (key and equals and values):
            raise ConfigError(option, text, "KEY=VALUES, as layout.length_cm=0.5:3:6")
        if key in found:
            raise ConfigError(option, text, "each key once")
        found[key] = values
    return list(found.items())


def _profile(texts: Sequence[str]) -> dict[str, str]:
    """Values by parameter: those of ``NAME=VALUES``, else found by itself."""
    found: dict[str, str] = {}
    for text in texts:
        if "=" in text:
            pairs = _each("--profile", [text])
        else:
            pairs = [(name.strip(), AUTO) for name in text.split(",")]
        for name, values in pairs:
            if not name or name in found:
                raise ConfigError("--profile", text, "two parameters, each once")
            found[name] = values
    return found
