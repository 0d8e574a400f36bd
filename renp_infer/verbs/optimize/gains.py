"""The gain of a found design in each preset, with and without systematics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from renp_infer.design.objective import Objective, direction
from renp_infer.errors import RenpError
from renp_infer.records import PRESETS
from renp_infer.study.design_tables import with_keys
from renp_infer.study.designing import frozen_noise, objective_of, region_of, study_at

if TYPE_CHECKING:
    from renp_infer.study.study import Study

Keys = Mapping[str, Any]

NO_SYSTEMATICS: dict[str, Any] = {
    "inference.amplitude_sd": 0.0,
    "inference.baseline_sd": 0.0,
    "inference.leakage_sd": 0.0,
    "inference.refractive_index_sd": 0.0,
    "inference.theta_s_offset_sd_deg": 0.0,
    "inference.theta_e_offset_sd_deg": 0.0,
    "inference.oscillation_errors": False,
    "inference.phases": "fixed",
}
"""Keys of a study in which nothing is unknown but m1 and the hypothesis."""


def gains(study: Study, best: Keys) -> list[dict[str, Any]]:
    """Utilities of a design and of the study's own, under each physics.

    The design is not searched anew: this is what the same crystal and angles are worth.
    Noise that is normalised is so in each preset.

    Parameters
    ----------
    study : Study
        With a section ``[optimize]``.
    best : mapping
        Keys of the design.

    Returns
    -------
    list of dict
        ``preset``, ``systematics``, and either ``utility``, ``reference_utility``, their
        errors and the ``gain`` of the first objective, or why there are none, ``failed``.
    """
    rows = []
    for preset in PRESETS:
        for systematics in (True, False):
            keys = {"physics.preset": preset} | ({} if systematics else NO_SYSTEMATICS)
            row = {"preset": preset, "systematics": systematics}
            try:
                rows.append(row | _gain(_under(study, keys), best))
            except RenpError as error:
                rows.append(row | {"failed": " ".join(str(error).split())})
    return rows


def _under(study: Study, keys: Keys) -> Study:
    """A study of designs with some keys changed."""
    design = study.design
    assert design is not None
    changed = replace(design, tables=with_keys(design.tables, keys))
    return replace(study_at(changed, {}), design=changed)


def _gain(study: Study, best: Keys) -> dict[str, Any]:
    """Both utilities in the last appraisal of a study."""
    design = study.design
    assert design is not None
    constant = frozen_noise(study)
    judge = objective_of(study, region_of(study, constant), "last")

    def value(keys: Keys) -> tuple[float, float]:
        found = judge.of(study_at(design, {**keys, **constant}).experiment)
        first = found[judge.names[0]]
        return float(first.value), float(first.error)

    return _row(judge, value(best), value({}))


def _row(judge: Objective, ours: tuple[float, float], own: tuple[float, float]) -> dict[str, Any]:
    return {
        "utility": ours[0],
        "utility_error": ours[1],
        "reference_utility": own[0],
        "reference_utility_error": own[1],
        "gain": direction(judge.names[0]) * (ours[0] - own[0]),
    }
