"""All that one set of settings shows; no framework, no pictures yet."""

from __future__ import annotations

from dataclasses import dataclass

from renp_infer.errors import ConfigError, RenpError
from renp_infer.explorer.controls import GRID_KEYS
from renp_infer.explorer.curves import Curve, curve_of
from renp_infer.explorer.drawing import View, side_view, top_view
from renp_infer.explorer.state import (
    Opened,
    Settings,
    other_presets,
    priors_of,
    study_of,
    tables_of,
)
from renp_infer.measurement.normalise import MAX_DATA_ANGLES
from renp_infer.records import PRESETS
from renp_infer.study.study import Study


@dataclass(frozen=True)
class Picture:
    """What the page draws.

    Attributes
    ----------
    curves : dict
        By preset, the study's own first; without a preset that is not defined here.
    views : tuple of View
        The layout from the side and from above.
    notes : tuple of str
    """

    curves: dict[str, Curve]
    views: tuple[View, View]
    notes: tuple[str, ...]


def picture_of(opened: Opened, settings: Settings) -> Picture:
    """Predict settings with the study's own preset and with all others.

    Raises
    ------
    ConfigError
        With the words that the command line has for the same study.
    RenpError
        If the numbers cannot be calculated.
    """
    tables = tables_of(opened, settings)
    study = study_of(tables)
    angles = study.experiment.layout.theta_s.size
    if angles > MAX_DATA_ANGLES:
        raise ConfigError(GRID_KEYS[-1], angles, f"at most {MAX_DATA_ANGLES} angles of a picture")
    own = tables.get("physics", {}).get("preset", "published")
    priors = priors_of(tables, study)
    curves = {own: curve_of(study, priors, _label(study, own))}
    notes = [opened.note] if opened.note else []
    for name, others in other_presets(tables).items():
        try:
            curves[name] = curve_of(study_of(others), priors, name)
        except RenpError as error:
            notes.append(f"No curve for the preset {name}: {error}")
    if study.experiment.detector.pickup is None:
        notes.append("The coupling is a number, so there is no pickup loop to draw.")
    if study.experiment.lasers.chi_squared is not None:
        notes.append(
            "The coherence |χ|² is a number, so the intensities e–q and q–g and the trigger's "
            "delay change nothing; with “bloch” in its place they do."
        )
    views = side_view(study.experiment), top_view(study.experiment)
    return Picture(curves, views, tuple(notes))


def _label(study: Study, preset: str) -> str:
    """Name of a preset, and the switches that differ from it."""
    plain, switches = PRESETS[preset], study.experiment.switches
    differing = [
        f"{name} = {value}"
        for name, value in vars(switches).items()
        if value != getattr(plain, name)
    ]
    return ", ".join([preset, *differing])
