"""Fisher information: what an experiment would learn, from derivatives at one point.

Data of covariance C(T) and Gaussian priors enter as rows of one least-squares
problem, each in units of its own standard error. The information about a
parameter is the square of its column minus what the other columns imitate of it;
that is the inverse of the diagonal element of the inverse Fisher matrix (Schur
complement), without squaring the condition number.

Constraints of other experiments are rows, too, at their curvature where they are not
Gaussian. Conventions: m1 has no prior. A phase, uniform on the circle, gets the variance
of that distribution, (pi / sqrt 3)^2, as if it were Gaussian: one that the data do
not see then has the right spread, and a local expansion cannot know that the
circle closes. So does every other prior that is not Gaussian, see ``marginals.py``.
Everything is local; `Validity` says where that must fail.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from renp_infer.errors import DomainError, RenpError
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.parameters import MASS
from renp_infer.inference.priors.marginals import PHASE_SD_DEG
from renp_infer.inference.profiles.profile import MAJORANA
from renp_infer.measurement.noise import Noise
from renp_infer.records import FloatArray

MASSLESS_MEV = 1e-3
"""Smallest mass asked for, in place of 0: the response's derivatives may be NaN below 1e-4 meV."""
BOUNDARY_SIGMAS = 2.0
_UNREACHED = 1e-6
"""Share of a function's slopes that no measurement may have."""
NONLINEAR = 0.2
"""Curvature over one standard error, in units of the noise, that Fisher may not have."""
PHASE_SHARE, PHASE_MATTERS = 0.5, 0.01
"""A phase known worse than this share of a uniform one's spread is nearly unknown; it
matters if it enlarges the error of m1 by more than this share,"""
TURN_DEG, TURN_MATTERS = 90.0, 0.1
"""or if this turn moves m1 by more than this share of its error."""


@dataclass(frozen=True)
class Expansion:
    """A likelihood with its priors, linearised at one point.

    Attributes
    ----------
    names : tuple of str
        Parameters, d of them.
    misfit : ndarray, shape (n,)
        Data minus expectation.
    jacobian : ndarray, shape (n, d)
        Derivatives of the expectation, per unit of each name.
    pulls : ndarray, shape (k,)
        Centre minus value of each prior in units of its standard deviation.
    prior_rows : ndarray, shape (k, d)
        Derivatives of the values in the same units.
    known_pulls, known_rows : ndarray, shape (r,) and (r, d), or None
        The same of constraints of other experiments.
    """

    names: tuple[str, ...]
    misfit: FloatArray
    jacobian: FloatArray
    pulls: FloatArray
    prior_rows: FloatArray
    known_pulls: FloatArray | None = None
    known_rows: FloatArray | None = None

    @property
    def constrained(self) -> bool:
        """Whether other experiments tell anything."""
        return self.known_rows is not None

    def system(self, noise: Noise, exposure_s: float) -> tuple[FloatArray, FloatArray]:
        """Columns (n + k + r, d) and right-hand side (n + k + r,) of the problem."""
        data = np.column_stack([self.jacobian, self.misfit])
        white = noise.whiten(data, exposure_s)
        columns, target = [white[:, :-1], self.prior_rows], [white[:, -1], self.pulls]
        if self.known_rows is not None and self.known_pulls is not None:
            columns, target = [*columns, self.known_rows], [*target, self.known_pulls]
        return np.vstack(columns), np.concatenate(target)

    def without(self, excluded: Collection[str]) -> Expansion:
        """The same with some parameters known exactly."""
        keep = [k for k, name in enumerate(self.names) if name not in excluded]
        rows = [r for r, row in enumerate(self.prior_rows) if np.any(row[keep])]
        return Expansion(
            tuple(self.names[k] for k in keep),
            self.misfit,
            self.jacobian[:, keep],
            self.pulls[rows],
            self.prior_rows[np.ix_(rows, keep)],
            self.known_pulls,
            None if self.known_rows is None else self.known_rows[:, keep],
        )

    def scaled(self, names: Collection[str], factor: float) -> Expansion:
        """The same with the priors of some parameters narrower by a factor > 0."""
        held = [k for k, name in enumerate(self.names) if name in names]
        rows = np.any(self.prior_rows[:, held] != 0.0, axis=1)
        weight = np.where(rows, 1.0 / factor, 1.0)
        return replace(
            self, pulls=self.pulls * weight, prior_rows=self.prior_rows * weight[:, None]
        )


def expand(likelihood: Likelihood, vector: FloatArray, *, free_phases: bool = False) -> Expansion:
    """Linearise a likelihood at free parameters (d,).

    Parameters
    ----------
    likelihood : Likelihood
        With m1 free.
    vector : ndarray, shape (d,)
    free_phases : bool
        Leave the phases without prior, as a profile likelihood does.

    Raises
    ------
    DomainError
        Where the response is not finite, or the amplitude is not positive.
    """
    prior = likelihood.prior
    mean, jacobian = likelihood.linearise(vector)
    pulls, rows = [], []
    for k, (name, marginal) in enumerate(prior.marginals.items()):
        if name == MASS or (free_phases and name in prior.circular):
            continue
        try:
            pull, slope = marginal.pull(float(vector[k]))
        except DomainError as error:
            raise DomainError(name, float(vector[k]), error.allowed) from None
        pulls.append(pull)
        rows.append(slope * np.eye(1, vector.size, k)[0])
    prior_rows = np.array(rows).reshape(-1, vector.size)
    misfit = likelihood.data.vector - mean
    found = Expansion(prior.names, misfit, jacobian, np.array(pulls), prior_rows)
    if not likelihood.external:
        return found
    known = likelihood.external
    return replace(
        found,
        known_pulls=-known.residuals(prior, vector),
        known_rows=known.jacobian(prior, vector),
    )


def best_step(columns: FloatArray, target: FloatArray) -> FloatArray:
    """Least-squares solution (d,), of least norm in columns scaled to length 1."""
    lengths = np.linalg.norm(columns, axis=0)
    lengths = np.where(lengths > 0.0, lengths, 1.0)
    step: FloatArray = np.linalg.lstsq(columns / lengths, target, rcond=None)[0] / lengths
    return step


def information(expansion: Expansion, noise: Noise, exposure_s: float, name: str = MASS) -> float:
    """Information about one parameter, all others profiled; per unit of it, squared."""
    columns, _ = expansion.system(noise, exposure_s)
    k = expansion.names.index(name)
    others, column = np.delete(columns, k, axis=1), columns[:, k]
    rest = column - others @ best_step(others, column) if others.size else column
    return float(rest @ rest)


def sigma(expansion: Expansion, noise: Noise, exposure_s: float, name: str = MASS) -> float:
    """Standard error of one parameter, all others profiled; inf without information."""
    found = information(expansion, noise, exposure_s, name)
    return 1.0 / np.sqrt(found) if found > 0.0 else np.inf


def sigma_along(expansion: Expansion, noise: Noise, exposure_s: float, slopes: FloatArray) -> float:
    """Standard error, to first order, of a function with slopes (d,) by the parameters.

    The length of the shortest rows' combination that gives the slopes; inf where none does.
    """
    columns, _ = expansion.system(noise, exposure_s)
    lengths = np.linalg.norm(columns, axis=0)
    lengths = np.where(lengths > 0.0, lengths, 1.0)
    wanted = slopes / lengths
    rows = (columns / lengths).T
    found = np.linalg.lstsq(rows, wanted, rcond=None)[0]
    missed = np.linalg.norm(rows @ found - wanted)
    reached = missed <= _UNREACHED * np.linalg.norm(wanted)
    return float(np.linalg.norm(found)) if reached else np.inf


def mass_shift(
    expansion: Expansion, noise: Noise, exposure_s: float, names: Collection[str]
) -> float:
    """How far the estimate of m1 moves, meV, when priors of some parameters err by one width.

    Each prior's centre is moved by one of its standard deviations and all parameters follow;
    the shifts are added in squares. With those of all priors and the statistical error they
    make up the variance (Pinto et al., EPJC 84, 593 (2024)).
    """
    columns, _ = expansion.system(noise, exposure_s)
    n, place = expansion.misfit.size, expansion.names.index(MASS)
    wanted = [k for k, name in enumerate(expansion.names) if name in names]
    squares = 0.0
    for row in np.flatnonzero(np.any(expansion.prior_rows[:, wanted] != 0.0, axis=1)):
        pull = np.zeros(columns.shape[0])
        pull[n + row] = 1.0
        squares += float(best_step(columns, pull)[place]) ** 2
    return float(np.sqrt(squares))


def phase_block(
    expansion: Expansion, noise: Noise, exposure_s: float, phases: tuple[str, ...]
) -> FloatArray:
    """Information matrix (p, p) of the phases, without their priors, per rad^2.

    All other parameters are profiled.
    """
    places = [expansion.names.index(name) for name in phases]
    prior_free = np.any(expansion.prior_rows[:, places] != 0.0, axis=1)
    columns, _ = expansion.system(noise, exposure_s)
    n = expansion.misfit.size
    known = np.full(columns.shape[0] - n - prior_free.size, True)
    columns = columns[np.concatenate([np.full(n, True), ~prior_free, known])]
    others, block = np.delete(columns, places, axis=1), columns[:, places]
    rest = np.column_stack([b - others @ best_step(others, b) for b in block.T])
    return np.asarray(rest.T @ rest) * np.rad2deg(1.0) ** 2


def limit_quantile(confidence: float, *, credible: bool) -> float:
    """Upper limit of a quantity >= 0 whose estimate falls on 0, in standard errors.

    Confidence: the median limit of the one-sided test, Phi^-1(CL) (Cowan, Cranmer,
    Gross, Vitells, EPJC 71, 1554 (2011), Eq. (69), median estimate 0). Credible:
    the Gaussian cut at 0, Phi^-1((1 + CL) / 2), for a prior uniform in m1.
    """
    return float(ndtri(0.5 * (1.0 + confidence) if credible else confidence))


@dataclass(frozen=True)
class Validity:
    """Where a Fisher forecast must not be believed.

    Attributes
    ----------
    boundary : bool
        m1 lies within two standard errors of 0, or the error beyond the largest m1.
    nonlinearity : float
        How far expectation and linear model part when m1 moves by one standard error
        and all others follow, beyond what another step of these can imitate; in
        standard errors (norm over all angles and priors).
    phases : bool
        A phase stays nearly unknown, and m1 follows it: the likelihood is not one
        Gaussian, it may have several maxima on the circle.
    """

    boundary: bool
    nonlinearity: float
    phases: bool

    @property
    def valid(self) -> bool:
        """Whether no reason against it was found."""
        return not (self.boundary or self.phases) and self.nonlinearity <= NONLINEAR


def validity(
    likelihood: Likelihood, vector: FloatArray, noise: Noise, m1_max_meV: float
) -> Validity:
    """Judge the expansion at free parameters (d,), at the study's exposure."""
    expansion, exposure = expand(likelihood, vector), noise.exposure_s
    error, m1 = sigma(expansion, noise, exposure), float(vector[0])
    boundary = m1 < BOUNDARY_SIGMAS * error or m1 + error > m1_max_meV
    if boundary:
        return Validity(True, np.inf, _phases_unknown(likelihood, vector, expansion, noise))
    step = error * _response_to_mass(expansion, noise)
    parting = max(_parting(likelihood, vector, expansion, noise, s * step) for s in (-1.0, 1.0))
    return Validity(False, parting, _phases_unknown(likelihood, vector, expansion, noise))


def _response_to_mass(expansion: Expansion, noise: Noise) -> FloatArray:
    """How all parameters follow when m1 moves by 1 meV, shape (d,)."""
    columns, _ = expansion.system(noise, noise.exposure_s)
    k = expansion.names.index(MASS)
    others = np.delete(columns, k, axis=1)
    return np.insert(-best_step(others, columns[:, k]), k, 1.0)


def _parting(
    likelihood: Likelihood,
    vector: FloatArray,
    expansion: Expansion,
    noise: Noise,
    step: FloatArray,
) -> float:
    try:
        moved = likelihood.mean(vector + step)
    except RenpError:
        return np.inf
    linear = likelihood.data.vector - expansion.misfit + expansion.jacobian @ step
    parted = noise.whiten(moved - linear, noise.exposure_s)
    columns, _ = expansion.system(noise, noise.exposure_s)
    others = np.delete(columns, expansion.names.index(MASS), axis=1)
    target = np.concatenate([parted, np.zeros(columns.shape[0] - parted.size)])
    return float(np.linalg.norm(target - others @ best_step(others, target)))


def _phases_unknown(
    likelihood: Likelihood, vector: FloatArray, expansion: Expansion, noise: Noise
) -> bool:
    """Whether a phase is nearly unknown, and m1 depends on it."""
    exposure = noise.exposure_s
    phases = [name for name in MAJORANA if name in expansion.names]
    limit = PHASE_SHARE * PHASE_SD_DEG
    unknown = [name for name in phases if sigma(expansion, noise, exposure, name) > limit]
    if not unknown:
        return False
    full, known = (sigma(e, noise, exposure) for e in (expansion, expansion.without(phases)))
    if full > known * (1.0 + PHASE_MATTERS):
        return True
    return any(_follows(likelihood, vector, expansion, noise, name) for name in unknown)


def _follows(
    likelihood: Likelihood, vector: FloatArray, expansion: Expansion, noise: Noise, name: str
) -> bool:
    """Whether a turn of a phase moves m1, all others following.

    By a finite turn: where CP is conserved the derivative is 0 and says nothing.
    """
    columns, _ = expansion.system(noise, noise.exposure_s)
    k = expansion.names.index(MASS)
    others = np.delete(columns, k, axis=1)
    own = columns[:, k] - others @ best_step(others, columns[:, k])
    field = likelihood.mean(vector)
    turned = vector.copy()
    turned[expansion.names.index(name)] += TURN_DEG
    change = noise.whiten(likelihood.mean(turned) - field, noise.exposure_s)
    n, length = change.size, float(np.linalg.norm(own))
    return bool(length > 0.0 and abs(own[:n] @ change) > TURN_MATTERS * length)
