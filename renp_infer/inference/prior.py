"""What is known before the data: the prior of every inferred parameter.

Samplers move in the "unit" coordinates of its marginals: no bound, no wrap, and all
scales equal before the data speak.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from renp_infer.errors import DomainError
from renp_infer.inference.marginals import (
    Circular,
    LogNormal,
    LogUniform,
    Marginal,
    Normal,
    Uniform,
)
from renp_infer.inference.parameters import PARAMETERS, Inferred, ParameterTable
from renp_infer.inference.settings import InferenceSettings
from renp_infer.physics.constants import MILLI_EV_TO_EV
from renp_infer.physics.neutrinos import physical_ranges
from renp_infer.records import BoolArray, FloatArray, Parameters


@dataclass(frozen=True)
class GaussianPrior:
    """A measured value: mean and standard deviation (0: taken as exact)."""

    mean: float
    sd: float


@dataclass(frozen=True)
class Prior:
    """Independent marginals of the free parameters, values of the fixed ones.

    Attributes
    ----------
    marginals : dict
        Free parameters by name, in the order of every parameter vector.
    fixed : dict
        Values of the others, in the units their names carry.
    table : ParameterTable
        What all of them are.
    """

    marginals: Mapping[str, Marginal]
    fixed: Mapping[str, float]
    table: ParameterTable = PARAMETERS

    @property
    def names(self) -> tuple[str, ...]:
        """Free parameters, in order."""
        return tuple(self.marginals)

    @property
    def circular(self) -> tuple[str, ...]:
        """Free parameters that live on the circle."""
        return tuple(n for n, m in self.marginals.items() if m.unit_size == 2)

    @property
    def unit_size(self) -> int:
        """Number of unit coordinates."""
        return sum(m.unit_size for m in self.marginals.values())

    def unit_slices(self) -> dict[str, slice]:
        """Unit coordinates of each free parameter."""
        slices, start = {}, 0
        for name, marginal in self.marginals.items():
            slices[name] = slice(start, start + marginal.unit_size)
            start += marginal.unit_size
        return slices

    @functools.cached_property
    def plain(self) -> FloatArray:
        """Unit coordinates, shape (p,), of the parameters that are no phases."""
        slices = self.unit_slices()
        return np.array([slices[n].start for n in self.names if n not in self.circular], dtype=int)

    @functools.cached_property
    def unit_support(self) -> tuple[FloatArray, FloatArray]:
        """Limits of the unit coordinates, shape (k,) each."""
        limits = [m.unit_support for m in self.marginals.values() for _ in range(m.unit_size)]
        low, high = np.array(limits).reshape(-1, 2).T
        return low, high

    def supports(self, unit: FloatArray) -> BoolArray:
        """Whether the density is not zero at unit coordinates (..., k), shape (...)."""
        low, high = self.unit_support
        return np.asarray(np.all((low <= unit) & (unit <= high), axis=-1))

    def log_density(self, vector: FloatArray) -> float:
        """Normalised log prior density per unit of each name.

        Parameters
        ----------
        vector : ndarray, shape (d,)
            Free parameters in the order of ``names``.
        """
        pairs = zip(self.marginals.values(), vector, strict=True)
        return sum(marginal.log_density(float(value)) for marginal, value in pairs)

    def from_unit(self, unit: FloatArray) -> FloatArray:
        """Free parameters, shape (..., d), at unit coordinates (..., k)."""
        parts = [
            self.marginals[name].from_unit(unit[..., part])
            for name, part in self.unit_slices().items()
        ]
        return np.stack(parts, axis=-1)

    def sample(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Draw ``n`` parameter vectors, shape (n, d)."""
        return self.from_unit(rng.standard_normal((n, self.unit_size)))

    def values(self, vector: FloatArray) -> dict[str, float]:
        """Every parameter by name, free and fixed."""
        free = zip(self.names, (float(v) for v in vector), strict=True)
        return {**self.fixed, **dict(free)}

    def to_response_vector(self, vector: FloatArray) -> FloatArray:
        """Argument of the response, shape (12,), in eV and rad, in the order of the table."""
        values = self.values(vector)
        return np.array([scale * values[name] for name, scale in self.table.scales.items()])

    def response_slots(self) -> dict[str, tuple[int, float]]:
        """Slot in the response's argument and unit of each free parameter."""
        return {
            name: (slot, scale)
            for slot, (name, scale) in enumerate(self.table.scales.items())
            if name in self.marginals
        }


def truth_values(truth: Parameters, refractive_index: float) -> dict[str, float]:
    """Every parameter by name at the truth of a mock experiment."""
    return {row.name: _true(row, truth, refractive_index) for row in PARAMETERS.rows}


def _true(row: Inferred, truth: Parameters, refractive_index: float) -> float:
    """Value of a parameter at a truth, with the nominal apparatus."""
    match row.kind:
        case "mass":
            return truth.m1_eV / MILLI_EV_TO_EV
        case "amplitude":
            return 1.0
        case "offset" | "angle" | "excess":
            return 0.0
        case "index":
            return refractive_index
        case "oscillation":
            return float(getattr(truth, row.slot))
        case "phase":
            return float(np.rad2deg(getattr(truth, row.slot)))


def response_argument(
    values: Mapping[str, float], table: ParameterTable = PARAMETERS
) -> FloatArray:
    """Argument of the response, shape (12,), from values of every parameter."""
    return Prior({}, values, table).to_response_vector(np.empty(0))


def build_prior(
    truth: Parameters,
    settings: InferenceSettings,
    oscillation: Mapping[str, GaussianPrior],
    refractive_index: float,
    peak: float,
) -> Prior:
    """Prior of one hypothesis.

    Parameters
    ----------
    truth : Parameters
        Ordering and nature of the hypothesis, and values of what is fixed.
    settings : InferenceSettings
    oscillation : mapping
        Measured oscillation parameters by name, of this ordering.
    refractive_index : float
        Nominal value.
    peak : float
        Largest absolute true signal, the unit of ``baseline_sd``.

    Raises
    ------
    DomainError
        If the peak is not positive and finite while the baseline is free.
    """
    if settings.baseline_sd > 0.0 and not 0.0 < peak < np.inf:
        raise DomainError("peak", peak, "> 0, finite, for a free baseline")
    values = truth_values(truth, refractive_index)
    marginals: dict[str, Marginal] = {}
    for row in PARAMETERS.rows:
        if row.kind == "mass":
            marginals[row.name] = mass_prior(settings)
        elif row.kind == "phase":
            if _turns(row, truth, settings):
                marginals[row.name] = Circular()
        elif (marginal := _spread(row, settings, oscillation, values, peak)).sd > 0.0:
            marginals[row.name] = marginal
    fixed = {name: value for name, value in values.items() if name not in marginals}
    return Prior(marginals, fixed)


def free_names(
    truth: Parameters, settings: InferenceSettings, oscillation: Mapping[str, GaussianPrior]
) -> tuple[str, ...]:
    """Free parameters of a hypothesis in the prior's order: no field is needed to name them."""
    return tuple(row.name for row in PARAMETERS.rows if _free(row, truth, settings, oscillation))


def _free(
    row: Inferred,
    truth: Parameters,
    settings: InferenceSettings,
    oscillation: Mapping[str, GaussianPrior],
) -> bool:
    if row.kind == "phase":
        return _turns(row, truth, settings)
    return row.kind == "mass" or _sd(row, settings, oscillation) > 0.0


def _turns(row: Inferred, truth: Parameters, settings: InferenceSettings) -> bool:
    """Whether a phase is free."""
    return settings.phases == "free" and (truth.nature == "majorana" or not row.majorana)


def _sd(
    row: Inferred, settings: InferenceSettings, oscillation: Mapping[str, GaussianPrior]
) -> float:
    """Standard deviation of a parameter in its own unit, or that of the setting; 0 if known."""
    given = float(getattr(settings, row.setting))
    return oscillation[row.name].sd if row.kind == "oscillation" and given else given


def _spread(
    row: Inferred,
    settings: InferenceSettings,
    oscillation: Mapping[str, GaussianPrior],
    values: Mapping[str, float],
    peak: float,
) -> Normal | LogNormal:
    """Prior of a parameter that has a standard deviation; 0 where it is known."""
    sd = _sd(row, settings, oscillation)
    if row.kind == "amplitude":
        return LogNormal(sd)
    if row.kind == "oscillation" and sd:
        ranges = physical_ranges(oscillation["dm2_21"].mean, oscillation["dm2_3l"].mean)
        return Normal(oscillation[row.name].mean, sd, *ranges[row.name])
    uniform = row.kind == "offset" and row.shape is None
    return Normal(values[row.name], sd * peak if uniform else sd)


def mass_prior(settings: InferenceSettings) -> Uniform | LogUniform:
    """Prior of the lightest mass in meV."""
    if settings.m1_prior == "uniform":
        return Uniform(0.0, settings.m1_max_meV)
    return LogUniform(settings.m1_min_meV, settings.m1_max_meV)
