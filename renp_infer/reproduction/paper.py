"""The paper's apparatus, with its own switches, the corrected ones, and the first principles.

``published`` here is the preset of that name with the pair weights of Table
IV as printed, which Fig. 8 shows the paper to have used. All readings share
target, lasers and oscillation parameters: they differ by switches alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np

from renp_infer.physics.neutrinos import (
    Nature,
    OscillationTable,
    load_oscillation,
    make_parameters,
    masses,
    weights,
)
from renp_infer.physics.pairs.form_factor import PairIntegrals, pair_integrals
from renp_infer.physics.pairs.kinematics import phase_matched
from renp_infer.physics.pairs.sums import majorana_kappa, parity_violating_sum, weighted_sums
from renp_infer.physics.targets.target import load_target
from renp_infer.records import (
    PRESETS,
    Detector,
    Experiment,
    FloatArray,
    Lasers,
    Layout,
    Parameters,
    Switches,
)
from renp_infer.reproduction.printed import Printed, load_inputs, load_printed
from renp_infer.target import Target

Reading = Literal["published", "corrected", "first-principles"]
READINGS: tuple[Reading, Reading] = ("published", "corrected")
ALL_READINGS: tuple[Reading, ...] = (*READINGS, "first-principles")
LENGTH_CM = 2.0
"""Length 2 R of the crystal of Figs. 6 to 10."""
ANGLES, STEP_DEG = 61, 0.36
"""Angles of Figs. 6, 8 and 9(b) and their distance."""


@dataclass(frozen=True)
class Paper:
    """Inputs shared by all rows, and what was calculated from them already.

    Attributes
    ----------
    printed : mapping
        Printed values by id.
    inputs : mapping
        Conditions that the paper names, ``data/ledger/inputs.toml``.
    """

    printed: Mapping[str, Printed] = field(default_factory=load_printed)
    inputs: Mapping[str, tuple[float, ...]] = field(default_factory=load_inputs)
    _pairs: dict[tuple[object, ...], PairIntegrals] = field(default_factory=dict, repr=False)

    @cached_property
    def target(self) -> Target:
        """Er:YLF with the inputs of the paper."""
        return load_target("er-ylf")

    @cached_property
    def table(self) -> OscillationTable:
        """Oscillation parameters that reproduce Table IV."""
        return load_oscillation("seed")

    @cached_property
    def directions(self) -> tuple[float, float]:
        """Phase-matched theta_s and theta_e, rad."""
        return phase_matched(self.target)

    def number(self, name: str, index: int = 0) -> float:
        """A printed number, where a row uses it as an input."""
        return self.printed[name].numbers[index]

    def given(self, name: str) -> float:
        """One condition that the paper names."""
        (value,) = self.inputs[name]
        return value

    def switches(self, reading: Reading) -> Switches:
        """Switches of a reading."""
        if reading == "published":
            return replace(PRESETS["published"], weights="table-iv")
        return PRESETS[reading]

    def experiment(
        self,
        reading: Reading,
        *,
        length_cm: float = LENGTH_CM,
        angles: FloatArray | None = None,
        trigger_mW_cm2: float = 10.0,
        target: Target | None = None,
    ) -> Experiment:
        """Crystal of radius L / 2 with c along k1.

        Parameters
        ----------
        reading : str
        length_cm : float
        angles : ndarray, shape (n,), optional
            Trigger angles, rad; those of Fig. 6 by default.
        trigger_mW_cm2 : float
        target : Target, optional
            The paper's by default.
        """
        theta_s = self.angles() if angles is None else angles
        layout = Layout(length_cm, 0.5 * length_cm, self.directions[1], theta_s)
        return Experiment(
            target=target or self.target,
            layout=layout,
            lasers=Lasers(trigger_mW_cm2=trigger_mW_cm2, chi_squared=self.given("chi_squared")),
            detector=Detector(),
            switches=self.switches(reading),
        )

    def angles(self, points: int = ANGLES, step_deg: float = STEP_DEG) -> FloatArray:
        """Trigger angles around phase matching, shape (points,), rad."""
        steps = np.arange(points) - 0.5 * (points - 1)
        return np.asarray(self.directions[0] + np.deg2rad(step_deg) * steps)

    def parameters(self, m1_eV: float = 0.01, nature: Nature = "dirac") -> Parameters:
        """Normal ordering without CP violation."""
        return make_parameters(m1_eV, "normal", nature, 0.0, 0.0, 0.0, self.table)

    def pairs(self, experiment: Experiment, m1_eV: float = 0.01) -> PairIntegrals:
        """Pair integrals of an experiment; each is calculated once."""
        layout, target = experiment.layout, experiment.target
        angles = (layout.theta_s.tobytes(), layout.theta_e, layout.c_axis)
        beams = (target.omega_1, target.omega_2, target.omega_s, target.refractive_index)
        size = (layout.length_cm, layout.radius_cm)
        key = (experiment.switches, experiment.accuracy, size, angles, beams, m1_eV)
        if key not in self._pairs:
            found = pair_integrals(experiment, masses(self.parameters(m1_eV)))
            self._pairs[key] = found
        return self._pairs[key]

    def sums(
        self, experiment: Experiment, m1_eV: float = 0.01, nature: Nature = "dirac"
    ) -> tuple[FloatArray, FloatArray]:
        """Sum F and Sum G at the angles, shape (n,) each, eV^5."""
        parameters = self.parameters(m1_eV, nature)
        rows = weights(parameters, experiment.switches)
        kappa = majorana_kappa(experiment, parameters)
        return weighted_sums(self.pairs(experiment, m1_eV), rows, masses(parameters), kappa)

    def odd_sum(self, experiment: Experiment) -> FloatArray:
        """Sum G at the angles, eV^5, or of weak magnetism Sum W, eV^6; 10 meV, Dirac."""
        if experiment.switches.source == "spin-velocity":
            return self.sums(experiment)[1]
        parameters = self.parameters()
        m, rows = masses(parameters), weights(parameters, experiment.switches)
        pairs = pair_integrals(experiment, m, density="weak-magnetism")
        return parity_violating_sum(pairs, rows, m, 0.0)

    def both(self, calculate: Callable[[Reading], float]) -> tuple[float, float]:
        """A number in both readings."""
        return calculate("published"), calculate("corrected")
