"""What is known before the data: the prior of every inferred parameter.

Samplers move in the "unit" coordinates of its marginals: no bound, no wrap, and all
scales equal before the data speak.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from renp_infer.errors import DomainError
from renp_infer.inference.parameters import BASELINE, MASS, PARAMETERS, Inferred, ParameterTable
from renp_infer.inference.priors.marginals import (
    Circular,
    LogNormal,
    LogUniform,
    Marginal,
    Normal,
    Tabulated,
    Truncated,
    Uniform,
)
from renp_infer.inference.priors.own_prior import OwnPrior, TiedBlock
from renp_infer.inference.settings import InferenceSettings
from renp_infer.physics.constants import MILLI_EV_TO_EV
from renp_infer.physics.neutrinos import ATMOSPHERIC, OscillationTable, physical_ranges
from renp_infer.records import BoolArray, FloatArray, Parameters


@dataclass(frozen=True)
class GaussianPrior:
    """A measured value: mean and standard deviation (0: taken as exact)."""

    mean: float
    sd: float


@dataclass(frozen=True)
class Prior:
    """Marginals of the free parameters and what ties them, values of the fixed ones.

    Attributes
    ----------
    marginals : dict
        Free parameters by name, in the order of every parameter vector.
    fixed : dict
        Values of the others, in the units their names carry.
    table : ParameterTable
        What all of them are.
    blocks : tuple of TiedBlock
        Correlated parameters, each in one of them; all others are independent.
    """

    marginals: Mapping[str, Marginal]
    fixed: Mapping[str, float]
    table: ParameterTable = PARAMETERS
    blocks: tuple[TiedBlock, ...] = ()

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

    @property
    def tied(self) -> frozenset[str]:
        """Parameters that are correlated with others."""
        return frozenset(name for block in self.blocks for name in block.names)

    @functools.cached_property
    def ties(self) -> FloatArray:
        """Correlated unit coordinates of marginals by independent ones, shape (k, k)."""
        matrix, slices = np.eye(self.unit_size), self.unit_slices()
        for block in self.blocks:
            places = [slices[name].start for name in block.names]
            matrix[np.ix_(places, places)] = block.factor
        return matrix

    def tie(self, unit: FloatArray) -> FloatArray:
        """Unit coordinates of the marginals, shape (..., k), at independent ones."""
        return unit @ self.ties.T if self.blocks else unit

    def tie_plain(self, unit: FloatArray) -> FloatArray:
        """The same without those of phases, shape (..., p)."""
        return unit @ self.ties[np.ix_(self.plain, self.plain)].T if self.blocks else unit

    def rest(self, gone: Collection[str], values: Mapping[str, float] | None = None) -> Prior:
        """Prior of all but some parameters, none or all of each block among them.

        ``values`` of those that are gone, where they count as fixed.
        """
        return replace(
            self,
            marginals={name: m for name, m in self.marginals.items() if name not in gone},
            fixed={**self.fixed, **(values or {})},
            blocks=tuple(block for block in self.blocks if not set(block.names) & set(gone)),
        )

    def supports(self, unit: FloatArray) -> BoolArray:
        """Whether the density is not zero at unit coordinates (..., k), shape (...)."""
        (low, high), unit = self.unit_support, self.tie(unit)
        return np.asarray(np.all((low <= unit) & (unit <= high), axis=-1))

    def log_density(self, vector: FloatArray) -> float:
        """Normalised log prior density per unit of each name.

        Parameters
        ----------
        vector : ndarray, shape (d,)
            Free parameters in the order of ``names``.
        """
        pairs = zip(self.marginals.values(), vector, strict=True)
        density = sum(marginal.log_density(float(value)) for marginal, value in pairs)
        return density + float(self.log_tie(vector)) if self.blocks else density

    def log_tie(self, vectors: FloatArray) -> FloatArray:
        """Log density by that of independent marginals, (...), at parameters (..., d)."""
        found = np.zeros(vectors.shape[:-1])
        for block in self.blocks:
            columns = [
                self.marginals[name].to_unit(vectors[..., self.names.index(name)])
                for name in block.names
            ]
            found = found + block.log_density(np.stack(columns, axis=-1))
        return found

    def from_unit(self, unit: FloatArray) -> FloatArray:
        """Free parameters, shape (..., d), at unit coordinates (..., k)."""
        unit = self.tie(unit)
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


def measured(table: OscillationTable, ordering: str) -> dict[str, GaussianPrior]:
    """Measured oscillation parameters of an ordering."""
    values, sigmas = table.values[ordering], table.sigmas[ordering]
    names = (name for name in (*PARAMETERS.oscillation, ATMOSPHERIC) if name in values)
    return {name: GaussianPrior(values[name], sigmas[name]) for name in names}


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
        case "offset" | "angle" | "excess" | "factor":
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
    own = own_of(settings, truth.ordering)
    if settings.baseline_sd > 0.0 and BASELINE not in own and not 0.0 < peak < np.inf:
        raise DomainError("peak", peak, "> 0, finite, for a free baseline")
    values = truth_values(truth, refractive_index)
    marginals: dict[str, Marginal] = {}
    for row in PARAMETERS.rows:
        if not _free(row, truth, settings, oscillation):
            continue
        if row.name in own:
            low, high = allowed_range(row, settings, oscillation)
            marginals[row.name] = own[row.name].within(low, high)
        elif row.kind == "mass":
            marginals[row.name] = mass_prior(settings)
        elif row.kind == "phase":
            marginals[row.name] = Circular()
        else:
            marginals[row.name] = _spread(row, settings, oscillation, values, peak)
    fixed = {name: value for name, value in values.items() if name not in marginals}
    marginals |= {one.name: Normal(0.0, one.sd) for one in settings.templates}
    blocks = tuple(b for b in settings.blocks if b.holds_under(truth.ordering))
    return Prior(marginals, fixed, blocks=blocks)


def own_of(settings: InferenceSettings, ordering: str) -> dict[str, OwnPrior]:
    """Priors by parameter that a study gives itself for one ordering."""
    return {one.name: one for one in settings.own if one.holds_under(ordering)}


def allowed_range(
    row: Inferred, settings: InferenceSettings, oscillation: Mapping[str, GaussianPrior]
) -> tuple[float, float]:
    """What a parameter can be, whatever is known of it; in its own unit."""
    if row.kind == "mass":
        return 0.0, settings.m1_max_meV
    if row.kind == "oscillation":
        return physical_ranges(oscillation["dm2_21"].mean, oscillation["dm2_3l"].mean)[row.name]
    return -np.inf, np.inf


def free_names(
    truth: Parameters, settings: InferenceSettings, oscillation: Mapping[str, GaussianPrior]
) -> tuple[str, ...]:
    """Free parameters of a hypothesis in the prior's order: no field is needed to name them."""
    rows = (row.name for row in PARAMETERS.rows if _free(row, truth, settings, oscillation))
    return (*rows, *(one.name for one in settings.templates))


def _free(
    row: Inferred,
    truth: Parameters,
    settings: InferenceSettings,
    oscillation: Mapping[str, GaussianPrior],
) -> bool:
    if row.kind == "phase" and row.majorana and truth.nature != "majorana":
        return False
    if row.kind == "mass" or row.name in own_of(settings, truth.ordering):
        return True
    if row.kind == "phase":
        return settings.phases == "free"
    return _sd(row, settings, oscillation) > 0.0


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
    """Prior of a parameter that has a standard deviation."""
    sd = _sd(row, settings, oscillation)
    if row.kind == "amplitude":
        return LogNormal(sd)
    if row.kind == "oscillation":
        limits = allowed_range(row, settings, oscillation)
        return Normal(oscillation[row.name].mean, sd, *limits)
    uniform = row.kind == "offset" and row.shape is None
    return Normal(values[row.name], sd * peak if uniform else sd)


def mass_prior(settings: InferenceSettings) -> Uniform | LogUniform | Truncated | Tabulated:
    """Prior of the lightest mass in meV, which has two ends."""
    for own in settings.own:
        if own.name == MASS:
            found = own.within(0.0, settings.m1_max_meV)
            assert isinstance(found, Uniform | LogUniform | Truncated | Tabulated)
            return found
    if settings.m1_prior == "uniform":
        return Uniform(0.0, settings.m1_max_meV)
    return LogUniform(settings.m1_min_meV, settings.m1_max_meV)
