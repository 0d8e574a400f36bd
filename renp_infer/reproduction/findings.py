"""The three findings that decide what the experiment can do, and the c-axis cases.

Derivations are in ``docs/ledger.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import cos, pi

import numpy as np

from renp_infer.physics.constants import (
    BOHR_MAGNETON_EV_PER_T,
    CM_TO_PER_EV,
    ELEMENTARY_CHARGE_C,
    G_TO_NG,
)
from renp_infer.physics.neutrinos import masses
from renp_infer.physics.pairs.form_factor import pair_integrals, pair_masses
from renp_infer.physics.pairs.kinematics import threshold_angles
from renp_infer.physics.signal import magnetization as mag
from renp_infer.records import PAIRS, Experiment
from renp_infer.reproduction.paper import READINGS, Paper

_ERG_PER_G = 1e3
"""Magnetic moment: J/T to erg/G."""


@dataclass(frozen=True)
class Finding:
    """One finding: a number as calculated, and the closed form it must meet.

    Attributes
    ----------
    id, statement, unit : str
    value, closed_form : float
    derivation, test : str
        Heading in the documentation, and the test that holds it.
    """

    id: str
    statement: str
    value: float
    closed_form: float
    unit: str
    derivation: str
    test: str


def findings(paper: Paper) -> list[Finding]:
    """All three, calculated now."""
    return [_planar(paper), _moment(paper), _thresholds(paper)]


def _planar(paper: Paper) -> Finding:
    """Planar over full integral, massless, phase matched."""
    at = np.array([paper.directions[0]])
    planar, full = (
        float(pair_integrals(setup, np.zeros(3)).a_eV5[0, 0])
        for setup in (paper.experiment(reading, angles=at) for reading in READINGS)
    )
    radius = paper.experiment("published").layout.radius_cm * CM_TO_PER_EV
    return Finding(
        "planar-integral",
        "Eqs. (17) and (62) keep one of two transverse directions and cover each sphere twice: "
        "they exceed Eq. (12) by (3/2) R eps",
        planar / full,
        1.5 * radius * paper.target.epsilon_ep,
        "1",
        "docs/ledger.md, 1",
        "test_form_factor.py::test_planar_over_full_at_phase_matching",
    )


def _moment(paper: Paper) -> Finding:
    """Field of a crystal of turned ions, in Gaussian units, over that of one event."""
    setup = paper.experiment("corrected")
    target, layout = setup.target, setup.layout
    volume = pi * layout.radius_cm**2 * layout.length_cm
    moment = target.g_factor * BOHR_MAGNETON_EV_PER_T * ELEMENTARY_CHARGE_C * _ERG_PER_G
    whole = 4.0 * pi * moment * target.density_per_cm3 * setup.detector.coupling
    return Finding(
        "moment-per-event",
        "Eq. (58) gives each event the moment of all ions, n mu; one event de-excites one ion, "
        "mu / V: smaller by the number of ions, n V",
        whole * G_TO_NG / mag.field_per_event_nG(setup),
        target.density_per_cm3 * volume,
        "1",
        "docs/ledger.md, 2",
        "test_magnetization.py::test_field_per_event",
    )


def _thresholds(paper: Paper) -> Finding:
    """Distance of the heaviest pair's threshold from the phase-matched direction."""
    theta_s, theta_e = paper.directions
    target, total = paper.target, 2.0 * masses(paper.parameters())[2]
    _, upper = threshold_angles(total, target, theta_e)
    # |w| = 2 n omega_s sin(half the turn), as k1 + k2 has the length of ks there
    reach = np.sqrt(target.epsilon_ep**2 - total**2) / (
        2.0 * target.refractive_index * target.omega_s
    )
    return Finding(
        "thresholds",
        "w = 0 of Eq. (23) is no threshold: pairs open where eps^2 - w^2 = (m_i + m_j)^2, for "
        "(33) and m1 = 10 meV this far from 58.79 deg",
        float(np.rad2deg(upper - theta_s)),
        float(np.rad2deg(2.0 * np.arcsin(reach))),
        "deg",
        "docs/ledger.md, 3",
        "test_kinematics.py::test_thresholds_against_brute_root_finding",
    )


def pair_thresholds(paper: Paper) -> dict[str, float]:
    """Distance of each pair's threshold from the phase-matched direction, deg."""
    totals = pair_masses(masses(paper.parameters())).sum(axis=1)
    _, upper = threshold_angles(totals, paper.target, paper.directions[1])
    offsets = np.rad2deg(upper - paper.directions[0])
    return {pair: float(x) for pair, x in zip(PAIRS, offsets, strict=True)}


@dataclass(frozen=True)
class AxisCase:
    """Signal of one direction of the c axis, relative to case (1), parallel.

    Attributes
    ----------
    case : int
        1: c along k1; 2: across k1 in the plane of the lasers; 3: normal to it.
    current : {"parallel", "transverse"}
    published, corrected : float
        Pair integral of two 10 meV neutrinos at phase matching.
    direction : float
        k_s . S, relative too.
    """

    case: int
    current: str
    published: float
    corrected: float
    direction: float


def axis_cases(paper: Paper) -> Iterator[AxisCase]:
    """Cases (1), (2), (3) of Sec. IV with a current along and across the c axis."""
    theta_s = paper.directions[0]
    base = {r: paper.experiment(r, angles=np.array([theta_s])) for r in READINGS}
    for case, axis in ((1, 0.0), (2, 0.5 * pi), (3, None)):
        for current in ("parallel", "transverse"):
            share = []
            for setup in base.values():
                switches = replace(setup.switches, current_axis=current)
                layout = replace(setup.layout, c_axis=axis)
                turned = replace(setup, switches=switches, layout=layout)
                share.append(_integral(paper, turned) / _integral(paper, setup))
            direction = float(mag.direction_factor(layout)[0]) / cos(theta_s)
            yield AxisCase(case, current, share[0], share[1], direction)


def _integral(paper: Paper, setup: Experiment) -> float:
    return float(pair_integrals(setup, masses(paper.parameters())).a_eV5[0, 0])
