"""The one rule for responses: refined until they are good for a noise, else refused.

The error is that of the table, over draws from the prior, held to a field that is once more
refined; and the field's own: what one more refinement changes in it, and what nested
quadrature changes in the finite crystal's share. Both are looked at where edges meet the ends
of windows, too. Fits, comparisons, calibrations, forecasts, sequences and last appraisals of
designs ask here, so that none says what a fit would refuse.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import scipy

from renp_infer.errors import ConvergenceError
from renp_infer.inference.priors.prior import build_prior, measured
from renp_infer.inference.responses.response import Response, approximation_error, moving_error
from renp_infer.inference.settings import InferenceSettings
from renp_infer.measurement.crystal_error import CrystalError
from renp_infer.measurement.field import exact_field, refined_field
from renp_infer.physics.constants import MILLI_EV_TO_EV
from renp_infer.physics.neutrinos import OscillationTable
from renp_infer.records import Experiment, FloatArray, Parameters

Nature = Literal["dirac", "majorana"]
ALLOWED_ERROR = 0.01
"""Largest error of a response, in standard errors of one angle."""
CHECKED_DRAWS = 16
"""From the prior, half of them at masses in all of four decades, see ``docs/limits.md``; and
at most ``MEETINGS`` where an edge lies at the end of a window."""
MEETINGS, MASSES = 4, 200
"""Masses at which an edge meets the end of a window, and how many are tried to find them."""
MOST_REFINED = 2
"""How often the table's steps are halved at most: a minute of work for a planar response."""
HELPS, MOVING_HELPS = 30.0, 2.0
"""A refinement lessens the table's error at most by this, and by this what of it is not there at
the truth but for m1, where the table is made."""
NATURES: tuple[Nature, ...] = ("dirac", "majorana")
LIGHTEST = 1e-4
"""Of the prior's largest mass: from it on responses are checked. Planar ones err most there."""
DOUBTFUL, CLOSE = 0.3, 7
"""Share of the allowed error beyond which the finite crystal's is looked at closely, and the
places of a cell at which it is then."""
LIGHT_EV = 1e-4
"""Mass at which the field's own error is looked at beside the truth's."""


@contextmanager
def of_set(name: str) -> Iterator[None]:
    """A refusal within says of which of several data sets it is."""
    try:
        yield
    except ConvergenceError as error:
        what = f"data set {name}: {error.what}"
        raise ConvergenceError(what, error.error, error.tolerance) from error


@dataclass(frozen=True)
class ErrorBudget:
    """How far a response errs, in standard errors of the data, and what that took.

    Attributes
    ----------
    table : float
        Largest error of the table at any angle of any draw from the prior.
    field : float
        Largest error of the field that the table stands for.
    masses, distances : int
        Nodes of the table; 0 where none would do.
    peak_snr : float
        Largest field at the truth over its standard error.
    """

    table: float
    field: float
    masses: int
    distances: int
    peak_snr: float

    @property
    def total(self) -> float:
        """Sum of both errors."""
        return self.table + self.field

    @property
    def document(self) -> dict[str, float | int]:
        """By the names that results have."""
        return {
            "response_error_sigma": self.table,
            "field_error_sigma": self.field,
            "response_masses": self.masses,
            "response_distances": self.distances,
        }

    @property
    def good(self) -> bool:
        """Whether a fit may use it."""
        return self.total <= ALLOWED_ERROR

    def require(self) -> None:
        """Refuse a response that is not good.

        Raises
        ------
        ConvergenceError
            With the signal-to-noise, the limit and the remedy.
        """
        if self.good:
            return
        limit = self.peak_snr * ALLOWED_ERROR / self.total
        table = f"{self.table:.2g}" if self.masses else "not made"
        raise ConvergenceError(
            f"tabulated response at a peak signal-to-noise of {self.peak_snr:.3g}, in sigma: "
            f"table {table}, field {self.field:.2g}; it is good enough up to "
            f"{limit:.3g} (more noise or a shorter exposure would do)",
            self.total,
            ALLOWED_ERROR,
        )


@dataclass(frozen=True)
class Checked:
    """A response and its errors.

    Attributes
    ----------
    response : Response
    budget : ErrorBudget
    moving : float
        What of the table's error, where it was found too large, is not there at the truth but
        for m1.
    """

    response: Response
    budget: ErrorBudget
    moving: float = 0.0

    def least(self, more: int) -> float:
        """Least error of the table after some more refinements."""
        return max(self.budget.table / HELPS**more, self.moving / MOVING_HELPS**more)


class AccurateResponses:
    """Responses of an experiment by ordering, each refined until it is good for a noise.

    An ordering's table serves all natures that are named. It is decided once for a layout
    and its noise, from a seed, so that every process comes to the same response.

    Parameters
    ----------
    experiment : Experiment
    chi_squared : float
    settings : InferenceSettings
        Priors, whose ``m1_max_meV`` is the largest mass of the table.
    table : OscillationTable
        Measured oscillation parameters of both orderings.
    sigma : ndarray, shape (n,)
        Standard errors for which the responses must be good.
    seed : int
    natures : tuple of str
        Those that will be asked for.
    """

    def __init__(
        self,
        experiment: Experiment,
        chi_squared: float,
        settings: InferenceSettings,
        table: OscillationTable,
        sigma: FloatArray,
        seed: int,
        natures: tuple[Nature, ...] = NATURES,
    ) -> None:
        self.experiment, self.chi_squared, self.settings = experiment, chi_squared, settings
        self.table, self.sigma, self.seed = table, sigma, seed
        self.natures = natures
        self._found: dict[str, Checked] = {}
        self._making = threading.RLock()  # data sets that are made side by side may share it
        self._crystal = CrystalError(experiment)
        self._crystal_errors: dict[Parameters, tuple[float, float]] = {}

    def __call__(self, parameters: Parameters) -> Response:
        """Response of the ordering and nature of parameters.

        Raises
        ------
        ConvergenceError
            If ``MOST_REFINED`` is not enough, or, before any table is made, if none would be.
        """
        with self._making:
            crystal, peak = self._crystal_error(self._alike(parameters))
        if crystal > ALLOWED_ERROR:
            ErrorBudget(0.0, crystal, 0, 0, peak).require()
        checked = self.best(parameters)
        checked.budget.require()
        return checked.response.with_nature(parameters.nature)

    def best(self, parameters: Parameters) -> Checked:
        """The first response of an ordering that is good, or the most refined."""
        with self._making:
            if parameters.ordering not in self._found:
                self._found[parameters.ordering] = self._refined(self._alike(parameters))
            return self._found[parameters.ordering]

    def _alike(self, parameters: Parameters) -> Parameters:
        """The same of the first nature: which of them is asked for first decides nothing."""
        return replace(parameters, nature=self.natures[0])

    @property
    def budget(self) -> ErrorBudget:
        """The worst of all orderings that were asked for."""
        return max((one.budget for one in self._found.values()), key=lambda one: one.total)

    def _refined(self, parameters: Parameters) -> Checked:
        """Refine until good, or for the last time, or until no refinement would help."""
        crystal, peak = self._crystal_error(parameters)
        most = MOST_REFINED if crystal <= ALLOWED_ERROR else 0
        for refinement in range(most + 1):
            made = Response(
                self.experiment,
                parameters,
                self.chi_squared,
                self.settings.m1_max_meV * MILLI_EV_TO_EV,
                refinement=refinement,
            )
            field = crystal + self._change(made)
            last = refinement == most
            found = self._checked(made, field, peak, whole=last)
            if last or found.budget.good:
                break
            if found.least(most - refinement) > ALLOWED_ERROR:
                return self._checked(made, field, peak, whole=True)
        return found

    def _checked(self, made: Response, field: float, peak: float, *, whole: bool) -> Checked:
        """A response with the whole error of its table, or with the first that is too large."""
        table, enough = 0.0, np.inf if whole else ALLOWED_ERROR - field

        def told(moving: float = 0.0) -> Checked:
            return Checked(made, ErrorBudget(table, field, *made.nodes, peak), moving)

        for nature in self.natures:
            response = made.with_nature(nature)
            for x in self._vectors(response, replace(made.truth, nature=nature)):
                table = max(table, approximation_error(response, x[None], self.sigma))
                if table > enough:
                    return told(moving_error(response, x, self.sigma))
        return told()

    def _vectors(self, response: Response, parameters: Parameters) -> FloatArray:
        """Response vectors at which the table is held to the field, shape (k, 12)."""
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(1,)))
        index = self.experiment.target.refractive_index
        known = measured(self.table, parameters.ordering)
        prior = build_prior(parameters, self.settings, known, index, 1.0)
        draws = prior.sample(rng, CHECKED_DRAWS // len(self.natures))
        vectors = np.array([prior.to_response_vector(draw) for draw in draws])
        # light states make the sharpest edges; a uniform prior hardly draws them
        light = vectors[: len(vectors) // 2]
        light[:, 0] = response.m1_max_eV * np.geomspace(LIGHTEST, 1.0, len(light), endpoint=False)
        meeting = self._meeting(parameters)[:: len(self.natures)]
        met = np.tile(response.nominal(), (len(meeting), 1))
        met[:, 0] = meeting
        return np.concatenate([met, vectors])

    def _meeting(self, parameters: Parameters) -> FloatArray:
        """Some masses at which an edge of the nominal apparatus is at the end of a window, eV."""
        largest = self.settings.m1_max_meV * MILLI_EV_TO_EV
        tried = largest * np.geomspace(LIGHTEST, 1.0, MASSES)

        def ahead(m1_eV: float) -> FloatArray:
            edges = self._crystal.edges(replace(parameters, m1_eV=m1_eV))
            return np.subtract.outer(edges, self._crystal.ends).ravel()

        rows = np.array([ahead(float(m1)) for m1 in tried])
        found = [
            scipy.optimize.brentq(lambda m1, n=n: ahead(m1)[n], *tried[k : k + 2])
            for k, n in np.argwhere(rows[:-1] * rows[1:] < 0.0)
        ]
        chosen = np.linspace(0, len(found) - 1, min(MEETINGS, len(found))).astype(int)
        return np.array(sorted(found))[chosen]

    def _looked_at(self, parameters: Parameters) -> list[Parameters]:
        """A light state, some whose edges meet windows' ends, and the truth."""
        own = replace(parameters, nature=self.natures[-1])
        masses = [LIGHT_EV, *self._meeting(parameters), parameters.m1_eV]
        return [replace(own, m1_eV=float(m1)) for m1 in masses]

    def _crystal_error(self, parameters: Parameters) -> tuple[float, float]:
        """Largest error of the finite crystal's share, and the peak of the field, in sigma."""
        if parameters not in self._crystal_errors:
            looked, chi2 = self._looked_at(parameters), self.chi_squared
            errors = [self._crystal.field_nG(own, chi2) for own in looked]
            if np.max(errors / self.sigma) > DOUBTFUL * ALLOWED_ERROR:
                close = CrystalError(self.experiment, CLOSE)
                errors = [close.field_nG(own, chi2) for own in looked]
            field = refined_field(self.experiment, parameters, chi2)
            self._crystal_errors[parameters] = (
                float(np.max(errors / self.sigma)),
                float(np.max(np.abs(field) / self.sigma)),
            )
        return self._crystal_errors[parameters]

    def _change(self, response: Response) -> float:
        """Largest change of the field that the table is held to by one more refinement."""
        worst, looked = 0.0, self._looked_at(response.truth)
        for own in (*looked[:2], looked[-1]):
            once, twice = (
                exact_field(self.experiment, own, self.chi_squared, response.refinement + more)
                for more in (1, 2)
            )
            worst = max(worst, float(np.max(np.abs(twice - once) / self.sigma)))
        return worst
