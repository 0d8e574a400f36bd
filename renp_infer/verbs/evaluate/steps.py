"""From the paper's equations to the weak Hamiltonian, one step after the other."""

from __future__ import annotations

from dataclasses import replace

from renp_infer.errors import RenpError
from renp_infer.measurement.field import exact_field
from renp_infer.measurement.normalise import coherence
from renp_infer.records import PRESETS, Experiment, Parameters, Switches
from renp_infer.study.sections.lasers import under
from renp_infer.verbs.evaluate.facts import Rung

LADDER: tuple[tuple[str, ...], ...] = (
    ("vector_current",),
    ("trigger",),
    ("current_normalisation",),
    ("source", "moment", "field_axis"),
)
"""Switches by which ``corrected`` becomes ``first-principles``, as far as they act on it."""


def steps(experiment: Experiment, parameters: Parameters) -> tuple[Rung, ...]:
    """Smoothed fields of ``published``, ``corrected``, and of each step to the last preset.

    Each at its own coherence: a number that only abs(rho_ep)^2 can have is, where the
    trigger enters as h_r, the most that rho_ee^3 abs(rho_ep)^2 can be.

    Parameters
    ----------
    experiment : Experiment
        Of a study with ``first-principles``.
    parameters : Parameters
    """
    last, so_far = PRESETS["first-principles"], PRESETS["corrected"]
    rungs = [("published", PRESETS["published"]), ("corrected", so_far)]
    for names in LADDER:
        so_far = replace(so_far, **{name: getattr(last, name) for name in names})
        rungs.append((" + ".join(names), so_far))
    return tuple(_step(name, experiment, switches, parameters) for name, switches in rungs)


def _step(name: str, experiment: Experiment, switches: Switches, parameters: Parameters) -> Rung:
    """Field of some switches, or why they have none with this target and these lasers."""
    there = under(experiment, switches)
    try:
        return Rung(name, exact_field(there, parameters, coherence(there)))
    except RenpError as error:
        return Rung(name, None, " ".join(str(error).split()))
