"""Pair integrals: the density folded with the form factor of the crystal.

Three methods, chosen point by point by their error: the large-crystal limit
``D(w)``, that limit with its leading correction, and nested quadrature. The
measured error bounds stand in ``_crystal_kernels.crystal_point``.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from renp_infer.errors import DomainError
from renp_infer.finite import faults
from renp_infer.physics.constants import CM_TO_PER_EV
from renp_infer.physics.pairs._crystal_kernels import crystal_grid
from renp_infer.physics.pairs.densities import Density, experiment_form
from renp_infer.physics.pairs.kinematics import beams_of, mismatch
from renp_infer.records import PAIR_INDEX, Experiment, FloatArray

SIZE_CM = (1e-3, 20.0)
"""Crystal lengths and radii for which the accuracy is tested."""
_TOGETHER = 4
"""Angles that one thread integrates at a time: a millisecond or more of work beside an edge."""


@dataclass(frozen=True)
class PairIntegrals:
    """Integrals of Eqs. (17), (62) before any weight, one ordered pair each.

    Attributes
    ----------
    a_eV5 : ndarray, shape (6, n)
        Int U W times the bracket without its Majorana term; of the "conserved" density
        Int U W Phi K. Of weak magnetism Int U W Phi K P.n, in eV^6.
    b_eV3 : ndarray, shape (6, n)
        Int U W alone; of weak magnetism Int U W Phi P.n, in eV^4.
    error : ndarray, shape (6, n)
        Estimated error of ``a_eV5``, relative to its value or, where that is
        smaller, to a hundredth of the phase-matched massless value (weak magnetism: of the
        largest massless one).
    w_eV : ndarray, shape (2, n)
        Mismatch (w_l, w_t).
    """

    a_eV5: FloatArray
    b_eV3: FloatArray
    error: FloatArray
    w_eV: FloatArray


def crystal_size(experiment: Experiment) -> tuple[float, float]:
    """Half length and radius of the crystal in 1/eV.

    Raises
    ------
    DomainError
        Outside 10 micrometres to 20 cm.
    """
    layout = experiment.layout
    for name in ("length_cm", "radius_cm"):
        if not SIZE_CM[0] <= getattr(layout, name) <= SIZE_CM[1]:
            raise DomainError(name, getattr(layout, name), "from 1e-3 to 20 cm")
    scale = CM_TO_PER_EV
    return 0.5 * layout.length_cm * scale, layout.radius_cm * scale


def pair_masses(masses_eV: FloatArray) -> FloatArray:
    """Masses (m_i, m_j) of the six pairs, shape (6, 2), eV."""
    return np.asarray(masses_eV, dtype=float)[np.array(PAIR_INDEX)]


def pair_integrals(
    experiment: Experiment,
    masses_eV: FloatArray,
    theta_s: FloatArray | None = None,
    density: Density = "spatial",
) -> PairIntegrals:
    """Crystal integrals of the six pairs against the trigger angle.

    Parameters
    ----------
    experiment : Experiment
        Uses target, layout, switches and accuracy.
    masses_eV : ndarray, shape (3,)
        m_1, m_2, m_3.
    theta_s : ndarray, shape (n,), optional
        Trigger angles, rad; the layout's by default.
    density : {"spatial", "conserved", "weak-magnetism"}
        See ``pairs``.

    Returns
    -------
    PairIntegrals

    Raises
    ------
    DomainError
        For sizes outside 10 micrometres to 20 cm, bad masses, or a density that the
        phase space does not have.
    NonFiniteError
        If an integral or its error is not finite.
    """
    masses = pair_masses(masses_eV)
    if not (np.isfinite(masses).all() and (masses >= 0.0).all()):
        raise DomainError("masses_eV", masses_eV, "finite, >= 0")
    layout, switches = experiment.layout, experiment.switches
    angles = layout.theta_s if theta_s is None else np.asarray(theta_s, dtype=float)
    half_length, radius = crystal_size(experiment)
    with faults("pair integral", crystal_causes(experiment, masses_eV), angles) as finite:
        w_l, w_t = mismatch(angles, layout.theta_e, experiment.target, beams_of(experiment))
        form = experiment_form(experiment, density)

        def integrals(part: slice) -> tuple[FloatArray, FloatArray, FloatArray]:
            found: tuple[FloatArray, FloatArray, FloatArray] = crystal_grid(
                switches.phase_space == "planar",
                switches.form_factor == "lorentzian",
                w_l[part],
                w_t[part],
                half_length,
                radius,
                experiment.target.epsilon_ep,
                masses,
                form,
                experiment.accuracy.relative_tolerance,
            )
            return found

        a, b, error = map(finite, _side_by_side(integrals, angles.size))
        return PairIntegrals(a, b, error, finite(np.array([w_l, w_t])))


def _side_by_side(
    integrals: Callable[[slice], tuple[FloatArray, ...]], angles: int
) -> list[FloatArray]:
    """Arrays (6, n) from those of some angles at a time: the kernel leaves the interpreter's lock.

    Each angle is integrated by itself, so that the bits are those of all at once.
    """
    starts = range(0, angles, _TOGETHER)
    if len(starts) < 2:
        return list(integrals(slice(None)))
    with ThreadPoolExecutor() as pool:
        parts = list(pool.map(integrals, (slice(k, k + _TOGETHER) for k in starts)))
    return [np.concatenate(rows, axis=1) for rows in zip(*parts, strict=True)]


def crystal_causes(experiment: Experiment, masses_eV: FloatArray) -> dict[str, object]:
    """What a pair integral depends on, for errors."""
    layout = experiment.layout
    return {
        **{f"m{k}_eV": float(m) for k, m in enumerate(np.ravel(masses_eV), start=1)},
        "refractive_index": experiment.target.refractive_index,
        "length_cm": layout.length_cm,
        "radius_cm": layout.radius_cm,
        "theta_e_deg": float(np.rad2deg(layout.theta_e)),
    }
