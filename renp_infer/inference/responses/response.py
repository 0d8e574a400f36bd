"""Response: the smoothed field as a function of the fit's parameters.

The large-crystal limit is exact at every call; the finite crystal's share,
a few 1e-3 of the peak for centimetres, is tabulated against the distance to each
pair threshold and against m1, at the nominal apparatus. The error that
remains is measured by ``approximation_error``.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from renp_infer.errors import ConfigError, DomainError
from renp_infer.finite import faults, require_finite
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.responses._response_kernel import (
    MASS_SCALE,
    fields_alone,
    phase_fields,
    smoothed_field,
)
from renp_infer.measurement.field import exact_field
from renp_infer.measurement.smoothing import Smoother, make_smoother, photons_of
from renp_infer.physics.neutrinos import masses, weights
from renp_infer.physics.pairs.kinematics import beams_of
from renp_infer.physics.signal.magnetization import signal_factor
from renp_infer.records import PAIRS, Experiment, FloatArray, Parameters, Switches

MASS_NODES = 32
LAGRANGE_NODES = 4
"""How many masses of the table the kernel combines; if they are all alike, it is that one."""


class Response:
    """Smoothed field at the detector for amplitude 1 and baseline 0.

    Parameters
    ----------
    experiment : Experiment
    truth : Parameters
        Fixes ordering, nature and weak mixing angle, and the oscillation
        parameters at which the finite-crystal table is made.
    chi_squared : float
        Coherence factor.
    m1_max_eV : float
        Largest mass that will be asked for.
    finite_crystal : bool
        Whether the table of what the finite crystal adds is made, which takes over a
        second. Without it the response is the large-crystal limit.
    refinement : int
        How often the steps of the table, in mass and in distance from an edge, are halved.
    share : tuple of ndarray, optional
        ``share_at`` the truth, in place of a table over all masses: for field and
        derivatives at the truth alone. How the share itself changes with m1, beyond
        moving with the edges, is then left out of the derivative.

    Raises
    ------
    ConfigError
        For the Lorentzian form factor in the full phase space, which has no
        large-crystal limit.
    NonFiniteError
        If a table of the response is not finite.
    """

    names = PARAMETERS.slots

    def __init__(
        self,
        experiment: Experiment,
        truth: Parameters,
        chi_squared: float,
        m1_max_eV: float,
        *,
        finite_crystal: bool = True,
        refinement: int = 0,
        share: tuple[FloatArray, FloatArray] | None = None,
    ) -> None:
        switches = experiment.switches
        check_limit(switches)
        smoother = make_smoother(experiment, refinement=refinement, mended=True)
        self.refinement = refinement
        self.experiment, self.truth, self.chi_squared = experiment, truth, chi_squared
        self.theta_s = experiment.layout.theta_s
        self.m1_max_eV = m1_max_eV
        self.scale = signal_factor(experiment, chi_squared)
        count = MASS_NODES * 2**refinement
        steps = np.arcsinh(m1_max_eV / MASS_SCALE) / (1 if share else count - 1)
        if share is not None:
            grid, table = share[0], np.repeat(share[1], LAGRANGE_NODES, axis=2)
        elif finite_crystal:
            nodes = MASS_SCALE * np.sinh(steps * np.arange(count))
            spectra = [masses(replace(truth, m1_eV=float(m1))) for m1 in nodes]
            grid, table = smoother.correction(np.array(spectra))
        else:
            grid, table = np.array([-1.0, 1.0]), np.zeros((len(PAIRS), 2, count, 2, 4))
        target, beams = experiment.target, beams_of(experiment)
        photons, cos_c, sin_c = np.empty((0, 4)), 1.0, 0.0
        if beams is not None:
            photons, cos_c, sin_c = photons_of(target, beams)
        self.tables = (
            np.array(
                [
                    smoother.planar,
                    truth.nature == "majorana",
                    truth.ordering == "inverted",
                    switches.weights == "table-iv",
                ],
                dtype=np.int64,
            ),
            np.array(
                [
                    target.epsilon_ep,
                    target.omega_1,
                    target.omega_2,
                    target.omega_s,
                    experiment.layout.theta_e,
                    truth.sin2_w,
                    switches.majorana_kappa,
                    self.scale * smoother.norm,
                    steps,
                    target.refractive_index,
                    cos_c,
                    sin_c,
                    smoother.block,
                ]
            ),
            photons,
            _table_weights(truth, switches),
            smoother.grid.borders,
            smoother.grid.used,
            *smoother.grid.band(),
            smoother.form,
            smoother.facing,
            grid,
            table,
        )
        for part in self.tables:
            require_finite("response table", part, self.causes(self.nominal()))

    @property
    def nodes(self) -> tuple[int, int]:
        """Masses and distances from an edge that the table has."""
        masses, distances = self.tables[-1].shape[2:4]
        return int(masses), int(distances)

    def causes(self, x: FloatArray) -> dict[str, float]:
        """Values of a parameter vector by name, for errors."""
        return dict(zip(self.names, np.asarray(x, dtype=float).tolist(), strict=True))

    def with_nature(self, nature: Literal["dirac", "majorana"]) -> Response:
        """Give the response of the other nature; the tables know the masses only."""
        other = copy.copy(self)
        other.truth = replace(self.truth, nature=nature)
        flags = self.tables[0].copy()
        flags[1] = nature == "majorana"
        other.tables = (flags, *self.tables[1:])
        return other

    kernel = staticmethod(smoothed_field)
    """``kernel(x, *tables) -> (template, jacobian)``, compiled."""

    def __call__(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Template and exact Jacobian.

        Parameters
        ----------
        x : ndarray, shape (12,)
            In the order of ``names``: eV, rad, eV^2; angles and the extraordinary
            index are offsets, the refractive index is absolute.

        Returns
        -------
        template : ndarray, shape (n,)
        jacobian : ndarray, shape (n, 12)
        """
        return smoothed_field(np.asarray(x, dtype=float), *self.tables)

    def template(self, x: FloatArray) -> FloatArray:
        """Template (n,) alone, to the bit, where no derivative is asked for."""
        return self.templates(np.asarray(x, dtype=float)[None])[0]

    def templates(self, points: FloatArray) -> FloatArray:
        """Templates (k, n) alone at points (k, 12)."""
        templates: FloatArray = fields_alone(points, *self.tables)
        return templates

    def at_phases(self, x: FloatArray, phases: FloatArray) -> FloatArray:
        """Template and Jacobian, (p, n, 1 + 12), at phases (p, 3), delta alpha21 alpha31, rad.

        At little more than the price of one: phases only weigh what is integrated.
        """
        rows: FloatArray = phase_fields(np.asarray(x, dtype=float), phases, *self.tables)
        return rows

    def nominal(self) -> FloatArray:
        """Parameter vector of the truth and the nominal apparatus, (12,)."""
        known = vars(self.truth) | {"refractive_index": self.experiment.target.refractive_index}
        return np.array([known.get(slot, 0.0) for slot in self.names])


def check_limit(switches: Switches) -> None:
    """Refuse the one combination that has no large-crystal limit."""
    if switches.phase_space == "full" and switches.form_factor == "lorentzian":
        raise ConfigError(
            "physics.form_factor",
            "lorentzian",
            "plane-wave, for inference in the full phase space",
            "W0 of Eq. (18) in two transverse dimensions is logarithmically divergent",
        )


def _table_weights(truth: Parameters, switches: Switches) -> FloatArray:
    """Fixed pair weights (2, 6), used with Table IV only."""
    if switches.weights != "table-iv":
        return np.zeros((2, 6))
    rows = weights(truth, switches)
    return np.array([rows.pv, rows.pv_majorana])


def share_at(smoother: Smoother, masses_eV: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Share of the finite crystal at masses (3,) and the nominal apparatus, for ``Response``."""
    return smoother.correction(np.asarray(masses_eV)[None, :], nominal=True)


def approximation_error(response: Response, draws: FloatArray, sigma: FloatArray) -> float:
    """Largest error of the response over prior draws, in units of sigma.

    Parameters
    ----------
    draws : ndarray, shape (k, 12)
        Parameter vectors.
    sigma : ndarray, shape (n,)

    Raises
    ------
    DomainError
        If a draw lies above the mass for which the response was made.
    """
    worst = 0.0
    for x in draws:
        if x[0] > response.m1_max_eV:
            raise DomainError("m1_eV", x[0], f"<= {response.m1_max_eV}")
        worst = max(worst, float(np.max(np.abs(_error(response, x, sigma)))))
    return worst


def moving_error(response: Response, x: FloatArray, sigma: FloatArray) -> float:
    """Largest part of the error at a vector (12,) that is not there at the truth but for m1.

    The table is made there: what it errs by elsewhere, no finer one lessens much.
    """
    still = response.nominal()
    still[0] = x[0]
    change = _error(response, x, sigma) - _error(response, still, sigma)
    return float(np.max(np.abs(change)))


def _error(response: Response, x: FloatArray, sigma: FloatArray) -> FloatArray:
    """Error of the response at a vector (12,) in units of sigma, (n,)."""
    exact = exact_at(response, x)
    with faults("response error in sigma", response.causes(x), response.theta_s) as finite:
        error: FloatArray = finite((response.template(x) - exact) / sigma)
    return error


def exact_at(response: Response, x: FloatArray) -> FloatArray:
    """What a response approximates at a vector (12,): the field without tables, (n,).

    Once more refined than the response: both have the same error of the distances else.
    """
    experiment, parameters = _apparatus(response, x)
    return exact_field(experiment, parameters, response.chi_squared, response.refinement + 1)


def _apparatus(response: Response, x: FloatArray) -> tuple[Experiment, Parameters]:
    """Experiment and parameters that a vector stands for, by the moves of the table."""
    moved, known = response.experiment, vars(response.truth)
    off = dict(zip(response.names, x - response.nominal(), strict=True))
    for row in PARAMETERS.moving:
        if row.slot and row.moves:
            moved = row.moves(moved, float(off[row.slot]))
    at = zip(response.names, x, strict=True)
    values: dict[str, Any] = {name: value for name, value in at if name in known}
    return moved, replace(response.truth, **values)
