"""What a study is made of, for programs of others: signal, likelihood, prior, PyMC model.

Vectors of parameters are in the order of ``names``, in the units of the names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from renp_infer.engine.tasks import fingerprint
from renp_infer.errors import ConfigError, DomainError, RenpError
from renp_infer.inference.hypothesis import assumed
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.priors.prior import response_argument, truth_values
from renp_infer.inference.results.comparison import hypothesis_named
from renp_infer.measurement.data import DATA_SET
from renp_infer.measurement.field import exact_field
from renp_infer.measurement.normalise import coherence
from renp_infer.physics.constants import EV_TO_MILLI_EV, MILLI_EV_TO_EV
from renp_infer.study.blinding import revealing
from renp_infer.study.load import Source, load_study, with_sections
from renp_infer.study.observed import set_names
from renp_infer.study.study import Study
from renp_infer.verbs.remembered import remembered

if TYPE_CHECKING:
    import pymc
    import xarray

    from renp_infer.inference.hypothesis import ModelLike
    from renp_infer.inference.likelihood import Likelihood
    from renp_infer.inference.priors.prior import Prior
    from renp_infer.inference.responses.response import Response
    from renp_infer.records import FloatArray, Parameters

__all__ = ["LogLikelihood", "StudyPrior", "likelihood", "model", "prior", "signal"]

Ordering = Literal["normal", "inverted"]
Nature = Literal["dirac", "majorana"]
MOST_SETS = 16
"""Data sets whose tables are kept."""
ORDERINGS, NATURES = ("normal", "inverted"), ("dirac", "majorana")


class StudyPrior:
    """What a study knows before its data.

    Attributes
    ----------
    names : tuple of str
        Free parameters, in order; units are in the names.
    units : dict
        Unit of each, empty for none.
    """

    def __init__(self, prior: Prior) -> None:
        self._prior = prior
        self.names = prior.names
        self.units = {name: PARAMETERS.label(name)[1] for name in prior.names}

    @property
    def fixed(self) -> dict[str, float]:
        """Values of the parameters that are known."""
        return dict(self._prior.fixed)

    def __call__(self, point: FloatArray | Mapping[str, float]) -> float:
        """Normalised log density at free parameters (d,); -inf outside the support."""
        return float(self._prior.log_density(self.vector(point)))

    def vector(self, point: FloatArray | Mapping[str, float]) -> FloatArray:
        """Free parameters (d,) of a vector, or of values by name.

        Raises
        ------
        DomainError
            If they are not those of the prior.
        """
        if isinstance(point, Mapping):
            if set(point) != set(self.names):
                raise DomainError("parameters", sorted(map(str, point)), ", ".join(self.names))
            given: object = [point[name] for name in self.names]
        else:
            given = point
        allowed = f"one vector of {len(self.names)} numbers"
        found = _numbers(given, DomainError("parameters", given, allowed))
        if found.shape != (len(self.names),):
            raise DomainError("parameters", found.shape, allowed)
        return found

    def from_cube(self, cube: FloatArray) -> FloatArray:
        """Free parameters (..., d) at points of the unit cube (..., d), as nested samplers ask.

        Raises
        ------
        DomainError
            If a point has another length, or is not inside: at 0 and 1 some priors are infinite.
        """
        from renp_infer.inference.samplers.reference import prior_reference

        allowed = f"points of {len(self.names)} numbers, each above 0 and below 1"
        points = _numbers(cube, DomainError("cube", cube, allowed))
        if points.ndim == 0 or points.shape[-1] != len(self.names):
            raise DomainError("cube", points.shape, allowed)
        if outside := points[~((points > 0.0) & (points < 1.0))].tolist():
            raise DomainError("cube", outside[0], allowed)
        return prior_reference(self._prior).vector(points)

    def sample(self, size: int, seed: int) -> FloatArray:
        """Independent draws, shape (size, d)."""
        return self._prior.sample(np.random.default_rng(seed), size)


def _numbers(given: object, wrong: RenpError) -> FloatArray:
    """What is given as an array of numbers; raises an error where it is none."""
    try:
        return np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise wrong from None


class LogLikelihood:
    """Log-likelihood of a study's data, normalised in them, and of its constraints.

    With `prior` added it is the posterior of ``renp infer``. It can be sent to other
    processes, as samplers do.

    Attributes
    ----------
    names : tuple of str
        Free parameters, in order; units are in the names.
    units : dict
        Unit of each, empty for none.
    prior : StudyPrior
    constraints : tuple of str
        Names of what other experiments say, which is part of it; none unless a study asks.
    """

    def __init__(self, likelihood: Likelihood) -> None:
        self._likelihood = likelihood
        self.prior = StudyPrior(likelihood.prior)
        self.constraints = likelihood.external.names
        self.names, self.units = self.prior.names, self.prior.units

    def __call__(self, point: FloatArray | Mapping[str, float]) -> float:
        """Log-likelihood at free parameters (d,), or values by name; -inf outside the prior.

        Raises
        ------
        DomainError
            If they are not those of the prior.
        NonFiniteError
            If the signal is not finite; carries the values.
        """
        vector, own = self.prior.vector(point), self._likelihood
        if not np.isfinite(own.prior.log_density(vector)):
            return -np.inf
        return float(own.log_likelihood(vector) + own.constrained(vector))

    def gradient(self, point: FloatArray | Mapping[str, float]) -> FloatArray:
        """Exact derivatives (d,) of the log-likelihood, per unit of each name."""
        vector, own = self.prior.vector(point), self._likelihood
        gradient = own.gradient(vector)
        if own.external:
            pulls = own.external.residuals(own.prior, vector)
            gradient = gradient - pulls @ own.external.jacobian(own.prior, vector)
        return gradient

    def pointwise(self, point: FloatArray | Mapping[str, float]) -> FloatArray:
        """Log-likelihood of each datum (n,); with drift, given those before it.

        Constraints are no data of the study: they are not among the terms.
        """
        return self._likelihood.pointwise(self.prior.vector(point))

    def signal(self, point: FloatArray | Mapping[str, float]) -> xarray.DataArray:
        """Expected field by trigger angle, and data set of several, offsets included."""
        mean = self._likelihood.mean(self.prior.vector(point))
        data = self._likelihood.data
        return _array(mean, data.theta_s, data_sets=data.sets)


def likelihood(study: Study | Source) -> LogLikelihood:
    """Log-likelihood of a study's data under its own hypothesis.

    The first call for a study makes and checks the table of its response, which takes
    seconds; a call of the result then takes a tenth of a millisecond.

    Parameters
    ----------
    study : Study, str, Path or mapping
        Anything but a `Study` is given to `load_study`; without a section ``[inference]`` it
        gets the defaults.

    Returns
    -------
    LogLikelihood

    Raises
    ------
    ConfigError
        Where the study is wrong.
    ConvergenceError
        Where the table is not good enough for the study's noise.
    """
    from renp_infer.study.observed import data_of

    found = with_sections(study, "inference")
    if found.blinding is not None:
        raise revealing("a likelihood of its data")
    return LogLikelihood(_model(found).likelihood(data_of(found)))


def prior(study: Study | Source) -> StudyPrior:
    """Prior of a study's own hypothesis; see `likelihood`."""
    return StudyPrior(_model(with_sections(study, "inference")).prior)


def model(study: Study | Source) -> pymc.Model:
    """PyMC model of a study: its posterior, to which own terms can be added.

    Its variable ``parameters`` holds the free parameters in the order of the dimension
    ``parameter``, each in the unit of its name.

    Parameters
    ----------
    study : Study, str, Path or mapping
        See `likelihood`.

    Returns
    -------
    pymc.Model
    """
    from renp_infer.inference.samplers.model import build_model

    return build_model(likelihood(study)._likelihood)


def signal(
    study: Study | Source,
    m1_meV: float | FloatArray | None = None,
    *,
    ordering: Ordering | None = None,
    nature: Nature | None = None,
    delta_deg: float | None = None,
    alpha21_deg: float | None = None,
    alpha31_deg: float | None = None,
    exact: bool = False,
) -> xarray.DataArray:
    """Smoothed field at the detector, by trigger angle and, for several masses, by mass.

    What is not given is the study's own. The first call for a study makes a table, as fits
    use it, in a second or two; it errs by less than 1e-4 of the peak.

    Parameters
    ----------
    study : Study, str, Path or mapping
        Anything but a `Study` is given to `load_study`, which takes longer than the signal.
    m1_meV : float or ndarray, shape (k,), optional
        Lightest mass.
    ordering, nature : str, optional
    delta_deg, alpha21_deg, alpha31_deg : float, optional
    exact : bool
        Integrate without a table, tens of milliseconds for each mass.

    Returns
    -------
    xarray.DataArray
        ``signal_nG`` with dimensions ``m1_meV`` (where several are given) and ``theta_s_deg``;
        of several data sets all angles of the first before those of the next, with a
        coordinate ``data_set``.

    Raises
    ------
    ConfigError
        Where an argument is not allowed.
    """
    found = study if isinstance(study, Study) else load_study(study, inference=False)
    angles = {"delta": delta_deg, "alpha21": alpha21_deg, "alpha31": alpha31_deg}
    truth = _assumed(found, ordering, nature, angles)
    given = EV_TO_MILLI_EV * truth.m1_eV if m1_meV is None else m1_meV
    wrong = ConfigError("m1_meV", given, "one mass in meV, or a list of them, finite and >= 0")
    masses = _numbers(given, wrong)
    flat = np.atleast_1d(masses)
    if flat.ndim > 1 or not flat.size or not np.all(np.isfinite(flat) & (flat >= 0.0)):
        raise wrong
    truths = [replace(truth, m1_eV=MILLI_EV_TO_EV * float(m1)) for m1 in flat]
    calculated = _integrated if exact else _tabulated
    parts = [one.study for one in found.sets] or [found]
    largest = float(flat.max())
    rows = np.hstack([[calculated(own, one, largest) for one in truths] for own in parts])
    theta_s = np.concatenate([own.experiment.layout.theta_s for own in parts])
    field = rows[0] if np.ndim(masses) == 0 else rows
    return _array(field, theta_s, masses, data_sets=set_names(found))


def _assumed(
    study: Study,
    ordering: str | None,
    nature: str | None,
    angles_deg: Mapping[str, float | None],
) -> Parameters:
    """The study's truth, with what is given in its place."""
    own = study.parameters
    pair = {"ordering": ordering or own.ordering, "nature": nature or own.nature}
    for key, allowed in (("ordering", ORDERINGS), ("nature", NATURES)):
        if pair[key] not in allowed:
            raise ConfigError(key, pair[key], " or ".join(allowed))
    turned: dict[str, Any] = {}
    for key, value in angles_deg.items():
        if value is None:
            continue
        wrong = ConfigError(f"{key}_deg", value, "a finite angle in degrees")
        angle = _numbers(value, wrong)
        if angle.ndim or not np.isfinite(angle):
            raise wrong
        turned[key] = float(np.deg2rad(angle))
    hypothesis = hypothesis_named(pair["ordering"], pair["nature"])
    return replace(assumed(hypothesis, own, study.oscillation), **turned)


def _integrated(study: Study, truth: Parameters, _: float) -> FloatArray:
    return exact_field(study.experiment, truth, coherence(study.experiment))


def _tabulated(study: Study, truth: Parameters, largest_meV: float) -> FloatArray:
    """Field (n,) from the table of an ordering, nG."""
    reach = max(study.priors.m1_max_meV, 2.0 ** np.ceil(np.log2(max(largest_meV, 1.0))))
    made_of = (study.experiment, study.parameters, study.oscillation)
    key = fingerprint(*(asdict(part) for part in made_of))
    response = _tables(study, key)(truth.ordering, float(reach))
    x = response_argument(truth_values(truth, study.experiment.target.refractive_index))
    return response.with_nature(truth.nature)(x)[0]


class _Tables:
    """Responses of a study by ordering and largest mass, each made when it is asked for."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._made: dict[tuple[str, float], Response] = {}

    def __call__(self, ordering: str, reach_meV: float) -> Response:
        from renp_infer.inference.responses.response import Response

        if (ordering, reach_meV) not in self._made:
            study = self._study
            truth, largest = _assumed(study, ordering, None, {}), MILLI_EV_TO_EV * reach_meV
            self._made[ordering, reach_meV] = Response(
                study.experiment, truth, coherence(study.experiment), largest
            )
        return self._made[ordering, reach_meV]


_tables = remembered(_Tables, MOST_SETS)


def _model(study: Study) -> ModelLike:
    from renp_infer.study.hypotheses import own_hypothesis
    from renp_infer.study.observed import data_of
    from renp_infer.verbs.infer.work import checked

    return checked(study, own_hypothesis(study), data_of(study))[0]


def _array(
    field_nG: FloatArray,
    theta_s: FloatArray,
    m1_meV: FloatArray | float | None = None,
    *,
    data_sets: Sequence[str] = (),
) -> xarray.DataArray:
    """Field (n,) or (k, n) with coordinates and units."""
    import xarray as xr

    angle = {"units": "deg", "long_name": "angle of the trigger laser"}
    coords: dict[str, Any] = {"theta_s_deg": ("theta_s_deg", np.rad2deg(theta_s), angle)}
    dims = ["theta_s_deg"]
    if field_nG.ndim > 1:
        mass = {"units": "meV", "long_name": "lightest neutrino mass"}
        coords["m1_meV"] = ("m1_meV", m1_meV, mass)
        dims.insert(0, "m1_meV")
    if data_sets:
        coords[DATA_SET] = ("theta_s_deg", list(data_sets))
    told = {"units": "nG", "long_name": "smoothed field at the detector"}
    return xr.DataArray(field_nG, coords, dims, "signal_nG", told)
