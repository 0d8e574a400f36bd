"""The transition from e to p as rate and moment see it: S, its axis, handedness, moment.

From a scheme's wave functions; or that of the leading components, with M = S and |S|^2 of
Eqs. (33), (42), for levels whose J = L + S has no element between them.
"""

from __future__ import annotations

import numpy as np

from renp_infer.errors import DomainError
from renp_infer.physics.targets.channels import Channel, interference, leading_channel
from renp_infer.physics.targets.matrix_elements import spin_squared
from renp_infer.records import PRESETS, Switches
from renp_infer.target import Target, Transition


def transition_of(
    target: Target, switch: str = "source", value: str = "weak-magnetism"
) -> Transition:
    """Transition of a target.

    Parameters
    ----------
    target : Target
    switch, value : str
        What asks for it, for errors.

    Raises
    ------
    DomainError
        The scheme has neither wave functions nor the moments of its components.
    """
    if target.transition is not None:
        return target.transition
    if not target.moments:
        allowed = 'another one, or a target with [currents] or [moments], such as "er-ylf"'
        raise DomainError(switch, value, allowed)
    return as_transition(component_channel(target))


def component_channel(target: Target) -> Channel:
    """Channel that the leading components of a target with ``moments`` make."""
    step = round(target.j_m["p"][1] - target.j_m["e"][1])
    squared = spin_squared(target, PRESETS["corrected"])
    mu = (target.moments["e"], target.moments["p"])
    return leading_channel(squared, step, target.epsilon_ep, mu)


def moment_remark(target: Target) -> str:
    """What the moment of a target is, where it is not the ion's; or why there is none."""
    found = transition_of(target)
    if found.delta_mu == 0.0 and found.weight != 1.0:
        return (
            "none in first order between two singlets; a study of these levels may ask for the "
            "event rate alone, and for other levels by target.channel"
        )
    if target.transition is not None:
        return ""
    return (
        "of the paper's leading component, not of the ion: M = S, no quadrupole, and "
        f"delta_mu = {found.delta_mu:.4g} mu_B, g_J M of p less that of e, in the place of g_perp"
    )


def as_transition(channel: Channel) -> Transition:
    """What is used of a channel; its moment and handedness lie along c, as at S4 sites."""
    return Transition(
        spin_squared=channel.spin_squared,
        along=float(np.abs(channel.spin[2]) ** 2 / channel.spin_squared),
        handedness=float(interference(channel)[2]),
        delta_mu=channel.delta_mu,
        weight=float(channel.weight),
    )


def along_share(target: Target, switches: Switches) -> float:
    """Share of |S|^2 along c that the rate is folded with: the ion's, or the paper's axis."""
    if switches.source == "weak-magnetism":
        return transition_of(target).along
    return 1.0 if switches.current_axis == "parallel" else 0.0
