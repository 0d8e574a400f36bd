"""Angular smoothing of the pair integrals over the detector's window.

Its panels are integrated exactly up to the pair thresholds, see ``_panel_kernels``.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from renp_infer.errors import DomainError
from renp_infer.finite import faults
from renp_infer.measurement._beam_kernels import ACROSS, BEAM, ONE, RAYS, own_indices
from renp_infer.measurement._block_kernels import LONGEST
from renp_infer.measurement._correction_kernels import correction_table
from renp_infer.measurement._cross_kernels import add_lack
from renp_infer.measurement._edge_kernels import edge_angles
from renp_infer.measurement._panel_kernels import panel_integrals
from renp_infer.measurement.window import POINT, TURN, SmoothingGrid, smoothing_grid
from renp_infer.physics.pairs._crystal_kernels import form_norm, leading_width
from renp_infer.physics.pairs.densities import Density, experiment_form, signal_density
from renp_infer.physics.pairs.form_factor import crystal_causes, crystal_size, pair_masses
from renp_infer.physics.pairs.kinematics import Beams, beams_of
from renp_infer.physics.targets.refraction import ray_of
from renp_infer.records import Accuracy, Experiment, FloatArray, Layout
from renp_infer.target import Target

EVEN = np.array([0.0, 0.0, 1.0])
"""No direction factor: of a rate, and of a moment seen along its own axis."""
MARGIN = np.deg2rad(3.0)
"""How much further than the layout a table reaches: offsets of the angles, and edges that
turn with the index, are far smaller. Beyond it the finite crystal's share of a panel is 0."""
SPLIT_WIDTH = 2e-4
"""Leading width (eV) up to which the split integral gives the correction, if it is not mended."""
SHIPPED = Accuracy.relative_tolerance
"""Tolerance at which a field is not refined; a greater one is as good as this."""
GAIN = 30.0
"""By how much a refinement lessens the error of the distances."""


def beam_of(layout: Layout, target: Target, beams: Beams | None = None) -> FloatArray:
    """Beams (18,) as the kernels take them, see ``_beam_kernels``."""
    cosine, sine = np.cos(layout.theta_e), np.sin(layout.theta_e)
    if beams is not None:
        return np.array(own_indices(*photons_of(target, beams), 0.0, 0.0, cosine, sine))
    two = target.omega_2
    return np.array(
        [
            target.refractive_index,
            target.omega_1 + two * cosine,
            two * sine,
            target.omega_s,
            -two * sine,
            two * cosine,
            *np.zeros(BEAM - ONE),
        ]
    )


def photons_of(target: Target, beams: Beams) -> tuple[FloatArray, float, float]:
    """Photons (3, 4) of polarised beams, for kernels, with cosine and sine of the c axis."""
    c_axis = 0.0 if beams.c_axis is None else beams.c_axis
    energies = (target.omega_1, target.omega_2, target.omega_s)
    columns = [energies, beams.indices.ordinary, beams.indices.extraordinary]
    kinds = [ray_of(p, beams.c_axis) for p in beams.polarisations]
    across = beams.c_axis is None
    numbers = [ACROSS if across and ray == "extraordinary" else RAYS[ray] for ray in kinds]
    return np.array([*columns, numbers]).T.copy(), float(np.cos(c_axis)), float(np.sin(c_axis))


def facing(experiment: Experiment) -> FloatArray:
    """Direction factor of the field: ``facing_of`` the layout, or none along the moment."""
    return EVEN if experiment.switches.field_axis == "moment" else facing_of(experiment.layout)


def facing_of(layout: Layout) -> FloatArray:
    """Of cos theta_s, sin theta_s and 1 in k.S, Eq. (61) generalised; zero for case (3)."""
    if layout.c_axis is None:
        return np.zeros(3)
    return np.array([np.cos(layout.c_axis), np.sin(layout.c_axis), 0.0])


@dataclass(frozen=True)
class Smoother:
    """Everything of an experiment that smoothing needs, as plain arrays."""

    grid: SmoothingGrid
    planar: bool
    lorentz: bool
    beam: FloatArray
    facing: FloatArray
    form: FloatArray
    crystal: FloatArray
    epsilon: float
    norm: float
    exact: bool
    rtol: float
    refinement: int = 0
    mended: bool = False

    @property
    def block(self) -> float:
        """Greatest length of a block of nodes, rad; without refinement none is given."""
        return TURN if self.refinement == 0 else LONGEST * 0.5 ** (self.refinement - 1)

    def correction(
        self, masses_eV: FloatArray, *, nominal: bool = False
    ) -> tuple[FloatArray, FloatArray]:
        """Table of what the finite crystal adds, for rows of masses.

        Parameters
        ----------
        masses_eV : ndarray, shape (nodes, 3)
        nominal : bool
            Only for the distances that these masses and the nominal beams give, which
            is all that one field needs; else with a ``MARGIN`` for others.

        Returns
        -------
        grid : ndarray, shape (x,)
            Distances from the edge, rad.
        table : ndarray, shape (6, 2, nodes, x, 4)
        """
        pairs = np.array([pair_masses(row) for row in masses_eV])
        grid = self._distances(pairs)
        table = np.zeros((pairs.shape[1], 2, len(pairs), grid.size, 4))

        def fill(job: tuple[int, int]) -> None:
            k, side = job
            part = self._reached(grid, pairs[:, k], side, 0.0 if nominal else MARGIN)
            table[k : k + 1, side, :, part] = correction_table(
                self.exact,
                self.planar,
                self.lorentz,
                grid[part],
                np.arange(2) == side,
                self.beam,
                self.crystal,
                self.epsilon,
                pairs[:, k : k + 1],
                self.form,
                self.facing,
                self.rtol,
            )[:, side]
            if self.mended:
                add_lack(
                    self.planar,
                    self.lorentz,
                    grid[part],
                    side,
                    self.beam,
                    self.crystal,
                    self.epsilon,
                    pairs[:, k],
                    self.form,
                    self.facing,
                    table[k, side, :, part],
                )

        jobs = [(k, int(side)) for k in range(len(table)) for side in np.flatnonzero(self._sides())]
        # the kernel releases the interpreter lock, so pairs run side by side
        with ThreadPoolExecutor() as pool:
            list(pool.map(fill, jobs))
        return grid, table

    def _sides(self) -> FloatArray:
        """Whether any used panel lies below and above the support's middle."""
        borders, used = self.grid.borders, self.grid.used
        above = 0.5 * (borders[:-1] + borders[1:]) >= np.arctan2(self.beam[2], self.beam[1])
        return np.array([np.any(used & ~above), np.any(used & above)])

    def _distances(self, pairs: FloatArray) -> FloatArray:
        """Graded distances from the edge that cover the layout, rad."""
        index, omega = self.beam[0], self.beam[3]
        reach = [MARGIN]
        for q0 in pairs.sum(axis=2).ravel():
            centre, *widths = edge_angles(self.beam, self.epsilon, q0)
            for width in widths:
                if width == 0.0:
                    continue
                first, last = self.grid.borders[[0, -1]] - centre
                ends = np.abs([first, last])
                if width == np.inf or ends.max() > np.pi - 1e-9:
                    # up to the antipode: what the panels leave out may be the middle
                    ends = np.append(ends, 0.0)
                reach.extend(np.abs(ends - min(width, np.pi)) + MARGIN)
                if first < 0.0 < last:
                    reach.append(min(width, np.pi))  # the middle, furthest from both edges
        finest = np.clip(0.02 * self.width / (index * omega), 3e-7, 1e-3)
        # a wide kernel is all correction, a narrow one hardly any
        wide = self.exact or self.width > SPLIT_WIDTH
        ratio = (1.35 if wide else 1.6) ** (0.5**self.refinement)
        finest *= 16.0**-self.refinement  # a light planar pair begins as 1/sqrt of the distance
        count = int(np.ceil(np.log(max(reach) / finest) / np.log(ratio))) + 1
        side = finest * ratio ** np.arange(count + 1)
        return np.concatenate([-side[::-1], side])

    def _reached(self, grid: FloatArray, masses: FloatArray, side: int, margin: float) -> slice:
        """Nodes around the distances of the used panels on one side of the middle.

        ``masses`` (nodes, 2) are those of one pair, ``margin`` is in rad.
        """
        borders = self.grid.borders
        turns = [edge_angles(self.beam, self.epsilon, q)[1 + side] for q in masses.sum(axis=1)]
        edges = [min(turn, np.pi) * (1.0 if side else -1.0) for turn in turns if turn > 0.0]
        if not edges:
            return slice(0, 2)
        centre = np.arctan2(self.beam[2], self.beam[1])
        above = 0.5 * (borders[:-1] + borders[1:]) >= centre
        chosen = np.flatnonzero(self.grid.used & (above == bool(side)))
        low, high = borders[[chosen[0], chosen[-1] + 1]] - centre - [max(edges), min(edges)]
        low, high = low - margin, high + margin
        first, last = np.searchsorted(grid, low, "right") - 1, np.searchsorted(grid, high) + 1
        return slice(max(int(first), 0), int(last))

    @property
    def width(self) -> float:
        """Leading width of the crystal's form factor, eV."""
        return float(leading_width(self.planar, self.lorentz, *self.crystal))

    def panels(
        self,
        beam: FloatArray,
        shift_s: float,
        masses_eV: FloatArray,
        grid: FloatArray,
        table: FloatArray,
        *,
        derivatives: bool = True,
    ) -> FloatArray:
        """Panel integrals of all pairs, shape (6, J, 8, 2), without norm.

        The first of eight are the values, the others their derivatives, see
        ``panel_integrals``; without these there is one.
        """
        one = np.ones(1)
        # beams as tuples: the same compiled kernel as inside a response, and faster than arrays
        return panel_integrals(
            self.planar,
            self.block,
            self.grid.borders,
            self.grid.used,
            shift_s,
            tuple(beam),
            tuple(self.beam),
            self.epsilon,
            pair_masses(masses_eV),
            self.form,
            self.facing,
            grid,
            table,
            0,
            one,
            0.0 * one if derivatives else None,
        )


def make_smoother(
    experiment: Experiment,
    density: Density | None = None,
    refinement: int = 0,
    *,
    mended: bool = False,
) -> Smoother:
    """Prepare the smoothing of a density, or of the field's, over an experiment's layout.

    Each ``refinement`` halves the steps between the distances from an edge at which the
    finite crystal's share is known, and begins them 16 times nearer to it; from the first on
    blocks of nodes are short. Without any the field errs by up to 1e-4 of its peak for light
    planar pairs, else by 1e-5; with the first by a thirtieth of that. A relative tolerance
    below 1e-4 refines as often as that takes, but not without smoothing: there the share
    oscillates between the distances, by 2e-4 of the peak.

    A split integral errs where a window ends within 0.002 degrees of an edge, by up to 6e-4
    of the peak for planar pairs and 1e-4 in space. ``mended`` it does not, see
    ``_cross_kernels``, and stands for nested quadrature also where the crystal is small: so
    are refined fields, and all responses of fits. ``crystal_error`` measures what is left.

    Raises
    ------
    DomainError
        For a density or beams that the phase space does not have.
    """
    layout, switches, detector = experiment.layout, experiment.switches, experiment.detector
    planar, lorentz = switches.phase_space == "planar", switches.form_factor == "lorentzian"
    crystal = np.array(crystal_size(experiment))
    beams = beams_of(experiment)
    if planar and beams is not None:
        allowed = '"full" where each photon has its own refractive index'
        raise DomainError("phase_space", switches.phase_space, allowed)
    beam = beam_of(layout, experiment.target, beams)
    centre = float(np.arctan2(beam[2], beam[1]))
    grid = smoothing_grid(layout.theta_s, detector.resolution, detector.kernel, centre)
    stricter = min(experiment.accuracy.relative_tolerance / SHIPPED, 1.0)
    more = math.ceil(-math.log(stricter) / math.log(GAIN)) if detector.resolution > POINT else 0
    wide = leading_width(planar, lorentz, *crystal) > SPLIT_WIDTH
    mended = mended or refinement > 0
    exact = bool((wide and not mended) or (lorentz and not planar))
    return Smoother(
        grid=grid,
        planar=planar,
        lorentz=lorentz,
        beam=beam,
        facing=facing(experiment),
        form=experiment_form(experiment, density or signal_density(switches)),
        crystal=crystal,
        epsilon=experiment.target.epsilon_ep,
        norm=float(form_norm(planar, *crystal)),
        exact=exact,
        rtol=experiment.accuracy.relative_tolerance,
        refinement=refinement + more,
        mended=not exact and (mended or more > 0),
    )


def smoothed_pairs(
    experiment: Experiment,
    masses_eV: FloatArray,
    direction: FloatArray | None = None,
    density: Density | None = None,
    refinement: int = 0,
) -> tuple[FloatArray, FloatArray]:
    """Pair integrals times the direction factor, smoothed over the resolution.

    Parameters
    ----------
    experiment : Experiment
    masses_eV : ndarray, shape (3,)
    direction : ndarray, shape (3,), optional
        Another direction factor than ``facing`` gives.
    density : {"spatial", "conserved", "weak-magnetism"}, optional
        See ``physics.pairs.densities``; by default that of the field.
    refinement : int
        See ``make_smoother``.

    Returns
    -------
    a_eV5, b_eV3 : ndarray, shape (6, n)
        As ``pair_integrals``, times cos(theta_s - c axis); of weak magnetism in eV^6 and eV^4.

    Raises
    ------
    NonFiniteError
        If an integral is not finite.
    """
    causes, angles = crystal_causes(experiment, masses_eV), experiment.layout.theta_s
    with faults("smoothed pair integral", causes, angles) as finite:
        smoother = make_smoother(experiment, density, refinement)
        if direction is not None:
            smoother = replace(smoother, facing=direction)
        masses = np.asarray(masses_eV, dtype=float)
        grid, table = smoother.correction(masses[None, :], nominal=True)
        panels = smoother.panels(smoother.beam, 0.0, masses, grid, table, derivatives=False)[
            :, :, 0, :
        ]
        smooth = smoother.norm * np.einsum("kj,pja->apk", smoother.grid.weights, panels)
        a, b = finite(smooth)
        return a, b
