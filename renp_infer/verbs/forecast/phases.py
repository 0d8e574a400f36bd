"""What CP phases do: the separation from Dirac, and which combinations data see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from renp_infer.inference.fisher import PHASE_SD_DEG, PHASE_SHARE, expand, phase_block
from renp_infer.inference.hypothesis import Hypothesis
from renp_infer.records import FloatArray
from renp_infer.verbs.forecast.bench import Bench
from renp_infer.verbs.forecast.cells import Cell, linear_rival
from renp_infer.verbs.forecast.quantities import PhaseMap, PhaseSurvey

MAP_MASSES, MAP_PHASES = 16, 13
PHASE_GRID = (7, 12)
NAMES = ("delta_deg", "alpha21_deg", "alpha31_deg")


def phase_map(bench: Bench, axis: str) -> PhaseMap:
    """Separation of a Majorana truth from Dirac, against m1 and one phase."""
    ordering = bench.study.parameters.ordering
    model = bench.hypothesis(ordering, "majorana")
    masses = bench.settings.m1_meV
    masses = masses[:: -(-len(masses) // MAP_MASSES)]
    angles = np.linspace(0.0, 2.0 * np.pi, MAP_PHASES)
    grid = [[_separation(bench, model, m1, axis, a) for a in angles] for m1 in masses]
    return PhaseMap(np.array(masses), np.rad2deg(angles), np.array(grid))


def _separation(bench: Bench, model: Hypothesis, m1: float, axis: str, angle: float) -> float:
    truth = replace(model.at(m1), **{axis: angle})  # type: ignore[arg-type]
    return linear_rival(Cell(bench, model, truth), "nature")(bench.noise.exposure_s)


def phase_survey(bench: Bench, ordering: str) -> PhaseSurvey:
    """What data say about the phases of a Majorana truth of the study's mass."""
    model, own = bench.hypothesis(ordering, "majorana"), bench.study.parameters
    first = np.linspace(0.0, np.pi, PHASE_GRID[0])
    second = np.linspace(0.0, 2.0 * np.pi, PHASE_GRID[1], endpoint=False)
    values, vectors, separations = [], [], []
    for alpha21 in first:
        for effective in second:
            phases = (own.delta, float(alpha21), float(effective + 2.0 * own.delta))
            cell = Cell(bench, model, model.at(1e3 * own.m1_eV, phases))
            value, vector = np.linalg.eigh(_information(cell))
            values.append(value)
            vectors.append(vector)
            separations.append(linear_rival(cell, "nature")(bench.noise.exposure_s))
    shape = (*PHASE_GRID, 3)
    limit = np.deg2rad(PHASE_SHARE * PHASE_SD_DEG) ** -2
    return PhaseSurvey(
        grid_alpha21_deg=np.rad2deg(first),
        grid_effective_deg=np.rad2deg(second),
        eigenvalue_per_rad2=np.reshape(values, shape),
        eigenvector=np.reshape(vectors, (*shape, 3)),
        measurable=np.sum(np.reshape(values, shape) > limit, axis=-1).astype(float),
        separation_nature=np.reshape(separations, PHASE_GRID),
    )


def _information(cell: Cell) -> FloatArray:
    """About the three phases, all else profiled, per rad^2; none where they are fixed."""
    if not set(NAMES) <= set(cell.own.prior.names):
        return np.zeros((3, 3))
    noise = cell.bench.noise
    return phase_block(expand(cell.own, cell.vector), noise, noise.exposure_s, NAMES)
