"""What CP phases do: the separation from Dirac, and which combinations data see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.priors.marginals import PHASE_SD_DEG
from renp_infer.inference.profiles.fisher import PHASE_SHARE, expand, phase_block
from renp_infer.physics.constants import EV_TO_MILLI_EV
from renp_infer.records import FloatArray
from renp_infer.verbs.forecast.bench import Bench
from renp_infer.verbs.forecast.cells import TruthCell, separation
from renp_infer.verbs.forecast.quantities import PhaseMap, PhaseSurvey

MAP_MASSES, MAP_PHASES = 16, 13
PHASE_GRID = (7, 12)


def phase_map(bench: Bench, axis: str) -> PhaseMap:
    """Separation of a Majorana truth from Dirac, against m1 and one phase."""
    ordering = bench.study.parameters.ordering
    masses = bench.settings.m1_meV
    masses = masses[:: -(-len(masses) // MAP_MASSES)]
    angles = np.linspace(0.0, 2.0 * np.pi, MAP_PHASES)
    grid = [_map_row(bench.reaching(m1), ordering, m1, axis, angles) for m1 in masses]
    return PhaseMap(np.array(masses), np.rad2deg(angles), np.array(grid))


def _map_row(
    bench: Bench, ordering: str, m1_meV: float, axis: str, angles: FloatArray
) -> list[float]:
    model = bench.hypothesis(ordering, "majorana")
    own = model.at(m1_meV)
    truths = [replace(own, **{axis: float(a)}) for a in angles]  # type: ignore[arg-type]
    return [separation(TruthCell(bench, model, truth), "nature") for truth in truths]


def phase_survey(bench: Bench, ordering: str) -> PhaseSurvey:
    """What data say about the phases of a Majorana truth of the study's mass."""
    model, own = bench.hypothesis(ordering, "majorana"), bench.study.parameters
    first = np.linspace(0.0, np.pi, PHASE_GRID[0])
    second = np.linspace(0.0, 2.0 * np.pi, PHASE_GRID[1], endpoint=False)
    own_meV = EV_TO_MILLI_EV * own.m1_eV
    values, vectors, separations = [], [], []
    for alpha21 in first:
        for effective in second:
            phases = (own.delta, float(alpha21), float(effective + 2.0 * own.delta))
            cell = TruthCell(bench, model, model.at(own_meV, phases))
            value, vector = np.linalg.eigh(_information(cell))
            values.append(value)
            vectors.append(vector)
            separations.append(separation(cell, "nature"))
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


def _information(cell: TruthCell) -> FloatArray:
    """About the three phases, all else profiled, per rad^2; none where they are fixed."""
    if not set(PARAMETERS.phases) <= set(cell.own.prior.names):
        return np.zeros((3, 3))
    noise = cell.bench.noise
    return phase_block(expand(cell.own, cell.vector), noise, noise.exposure_s, PARAMETERS.phases)
