"""The gain of a found design in each preset, with and without systematics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from renp_infer.design.utilities.measures import direction
from renp_infer.design.utilities.utility import Utility
from renp_infer.errors import RenpError
from renp_infer.inference.parameters import MASS, PARAMETERS
from renp_infer.records import PRESETS
from renp_infer.study.design_tables import with_keys
from renp_infer.study.designing import frozen_noise, objective_of, region_of, whole_at
from renp_infer.study.sections.lasers import MOST_COHERENT
from renp_infer.verbs.optimize.parts import Gain

if TYPE_CHECKING:
    from renp_infer.study.study import Study

Keys = Mapping[str, Any]

NO_SYSTEMATICS = {
    f"inference.{key}": value for key, value in PARAMETERS.known(*PARAMETERS.systematics).items()
}
"""Keys of a study in which nothing is unknown but m1 and the hypothesis."""


def gains(study: Study, best: Keys) -> tuple[Gain, ...]:
    """Utilities of a design and of the study's own, under each physics.

    The design is not searched anew: this is what the same crystal and angles are worth.
    Noise that is normalised is so in each preset. A coherence given as a number is what the
    preset's trigger takes, at most.

    Parameters
    ----------
    study : Study
        With a section ``[optimize]``.
    best : mapping
        Keys of the design.

    Returns
    -------
    tuple of Gain
        Of the first objective, or why there is none.
    """
    rows = []
    for preset in PRESETS:
        for systematics in (True, False):
            keys = _physics(study, preset) | ({} if systematics else _known(study))
            row = Gain(preset, systematics)
            try:
                rows.append(_gain(row, _under(study, keys), best))
            except RenpError as error:
                rows.append(replace(row, failed=" ".join(str(error).split())))
    return tuple(rows)


def _known(study: Study) -> dict[str, Any]:
    """Keys with which only m1, with its own prior if it has one, and the hypothesis are free."""
    assert study.design is not None
    own = study.design.tables.get("inference", {}).get("priors", {})
    kept = {name: prior for name, prior in own.items() if name == MASS}
    return NO_SYSTEMATICS | ({"inference.priors": kept} if own else {})


def _physics(study: Study, preset: str) -> dict[str, Any]:
    """Keys of a preset, with no more coherence than is possible for its trigger."""
    keys: dict[str, Any] = {"physics.preset": preset}
    given = study.experiment.lasers.chi_squared
    most, _ = MOST_COHERENT[PRESETS[preset].trigger]
    return keys if given is None or given <= most else keys | {"lasers.chi_squared": most}


def _under(study: Study, keys: Keys) -> Study:
    """A study of designs with some keys changed."""
    design = study.design
    assert design is not None
    changed = replace(design, tables=with_keys(design.tables, keys))
    return replace(whole_at(changed, {}), design=changed)


def _gain(row: Gain, study: Study, best: Keys) -> Gain:
    """Both utilities in the last appraisal of a study."""
    region = region_of(study, frozen_noise(study))
    judge = objective_of(study, region, "last")
    name = judge.names[0]

    def appraised(keys: Keys) -> Utility:
        return judge.of(region.space.built(keys))[name]

    ours, own = appraised(best), appraised({})
    gain = direction(name) * (ours.value - own.value)
    return replace(row, utility=ours, reference=own, gain=float(gain))
