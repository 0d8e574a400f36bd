"""What the parts of a forecast find.

``V`` is a number for one truth, and an array where truths, settings of the phases or data
sets are stacked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from renp_infer.records import FloatArray
from renp_infer.verbs.forecast.columns import column, group

Method = Literal["fisher", "asimov", "ensemble"]
METHODS: tuple[Method, ...] = get_args(Method)
Target = Literal["mass", "ordering", "nature"]
TARGETS: tuple[Target, ...] = get_args(Target)
"""What a truth is told from: m1 = 0, the other ordering, the other nature."""
Rival = Literal["ordering", "nature"]
RIVALS: tuple[Rival, ...] = get_args(Rival)
LEVELS = (3.0, 5.0)
"""Separations, in standard deviations, whose exposures are given."""
Kind = Literal["confidence", "credible"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Percent = Literal[90, 95]
PERCENTS: tuple[Percent, ...] = get_args(Percent)


@dataclass(frozen=True)
class Against[V]:
    """How well a truth is told from one alternative, in the median experiment.

    Attributes
    ----------
    separation : number
        sqrt(Delta chi^2), in standard deviations, at the study's exposure.
        NaN where searches from several starts do not agree.
    exposure_3sigma_s, exposure_5sigma_s : number
        Total exposures at which it is 3 and 5; inf: none; NaN: not calculated, or a
        search at that exposure finds another separation.
    confirmed : number
        1: the separation may be used; 0: not so, by the searches or, of ``mass`` by
        Fisher, by the flags of the error.
    """

    separation: V
    exposure_3sigma_s: V
    exposure_5sigma_s: V
    confirmed: V


@dataclass(frozen=True)
class Separations[V]:
    """How well a truth is told from m1 = 0, the other ordering and the other nature."""

    mass: Against[V] = group(Against, "{}_mass")
    ordering: Against[V] = group(Against, "{}_ordering")
    nature: Against[V] = group(Against, "{}_nature")

    def of(self, target: Target) -> Against[V]:
        """From one of them."""
        found: Against[V] = getattr(self, target)
        return found


@dataclass(frozen=True)
class Flags[V]:
    """Whether an error by derivatives may be used; 1: so, 0: not so.

    Attributes
    ----------
    valid : number
        Nothing speaks against it.
    at_boundary, nonlinearity, phases_unknown : number
        What does: see ``renp_infer.inference.profiles.fisher.Validity``.
    """

    valid: V
    at_boundary: V
    nonlinearity: V
    phases_unknown: V


@dataclass(frozen=True)
class DerivedErrors[V]:
    """Standard errors of what follows from the parameters, to first order; NaN: none.

    Attributes
    ----------
    sum_meV, m_beta_meV : number
    m_betabeta_meV : number
        None for Dirac neutrinos, nor where phases are unknown: it is no straight line in them.
    mass_1_meV, mass_2_meV, mass_3_meV : number
    """

    sum_meV: V
    m_beta_meV: V
    m_betabeta_meV: V
    mass_1_meV: V
    mass_2_meV: V
    mass_3_meV: V


@dataclass(frozen=True)
class FisherCell[V]:
    """One truth by derivatives, by setting of its phases.

    Attributes
    ----------
    sigma_m1_meV : number
        Standard error of m1, all else profiled.
    peak_nG : number
        Field at its largest angle, with sign.
    peak_snr : number
        Largest field of an angle in units of its noise.
    error : Flags
        Of ``sigma_m1_meV``, and of the errors of derived quantities.
    derived : DerivedErrors
    against : Separations
    """

    sigma_m1_meV: V
    peak_nG: V
    peak_snr: V
    error: Flags[V] = group(Flags)
    derived: DerivedErrors[V] = group(DerivedErrors, "sigma_{}", later=True)
    against: Separations[V] = group(Separations)


@dataclass(frozen=True)
class AsimovCell[V]:
    """One truth by profile likelihoods of expectation data, by setting of its phases.

    Attributes
    ----------
    sigma_m1_meV : number
        Half the interval in which chi^2 rises by less than 1; NaN where it is open.
    against : Separations
        Exposures for the first setting only.
    """

    sigma_m1_meV: V
    against: Separations[V] = group(Separations)


@dataclass(frozen=True)
class EnsembleCell[V]:
    """One truth by fits of drawn data, by data set.

    Attributes
    ----------
    best_m1_meV : number
        Estimate.
    ratio_mass, ratio_ordering, ratio_nature : number
        chi^2 of the best fit of each alternative above that of the truth's hypothesis.
    """

    best_m1_meV: V
    ratio_mass: V
    ratio_ordering: V
    ratio_nature: V

    def ratio(self, rival: Rival) -> V:
        """Likelihood ratio of a rival."""
        return self.ratio_ordering if rival == "ordering" else self.ratio_nature


@dataclass(frozen=True)
class Limits[V]:
    """Upper limits of m1 for a truth of 0, by kind and level; NaN beyond the largest mass."""

    confidence_90_meV: V
    credible_90_meV: V
    confidence_95_meV: V
    credible_95_meV: V

    @classmethod
    def each(cls, make: Callable[[Kind, float], V]) -> Limits[V]:
        """From a function of kind and level, the level between 0 and 1."""
        return cls(*(make(kind, percent / 100) for percent in PERCENTS for kind in KINDS))

    def of(self, kind: Kind, percent: Percent) -> V:
        """That of a kind and a level."""
        found: V = getattr(self, f"{kind}_{percent}_meV")
        return found


@dataclass(frozen=True)
class ExpectedLimits[V]:
    """Limits of the median experiment for one hypothesis.

    Attributes
    ----------
    fisher_sigma_m1_meV : number
        Standard error of m1 at 0.
    m1_max_meV : number
        Largest mass that is considered.
    fisher_valid : number
        1: Fisher's limits may be used; 0: that of 90 % confidence is a tenth or more from the
        profile's, or beyond the largest mass.
    fisher, asimov : Limits
    """

    fisher_sigma_m1_meV: V
    m1_max_meV: V
    fisher_valid: V
    fisher: Limits[V] = group(Limits, "fisher_{}")
    asimov: Limits[V] = group(Limits, "asimov_{}")


@dataclass(frozen=True)
class DrawnLimits[V]:
    """Limits of mock experiments for one hypothesis, by data set."""

    ensemble: Limits[V] = group(Limits, "ensemble_{}")


@dataclass(frozen=True)
class Steps:
    """Errors of m1 at the study's truth, as systematics are added to statistics.

    All by Fisher, but what ``asimov`` stands before: the profile likelihood, which alone
    sees phases where CP is conserved.

    Attributes
    ----------
    sigma_m1_meV : ndarray, shape (steps,)
    exposure_3sigma_s, exposure_goal_s : ndarray, shape (steps,)
        For 3 sigma of mass, and for the goal.
    curve_meV : ndarray, shape (steps, exposures)
        Error by exposure.
    curve_exposure_s : ndarray, shape (exposures,)
    impact_meV : ndarray, shape (systematics,)
        Square root of what knowing it exactly would take off the variance.
    halving_meV, asimov_halving_meV : ndarray, shape (systematics,)
        What priors half as wide would take off the error. By profile likelihood of phases,
        which have no width: what knowing them would; 0 where it is within its accuracy.
    shift_meV : ndarray, shape (systematics,)
        How far the estimate moves when a calibration comes out one standard deviation of its
        prior off, all else profiled; of several parameters the root of the sum of squares.
    factor : ndarray, shape (systematics,)
        By how much all its priors must narrow for the goal, all else as it is; 1: the
        goal is met; NaN: not by this one alone.
    asimov_sigma_m1_meV : ndarray, shape (steps,)
    asimov_impact_meV : ndarray, shape (systematics,)
    reach : ndarray, shape (masses, exposures)
        m1 / sigma by true mass and exposure.
    reach_m1_meV : ndarray, shape (masses,)
    """

    sigma_m1_meV: FloatArray = column("step")
    exposure_3sigma_s: FloatArray = column("step")
    exposure_goal_s: FloatArray = column("step")
    curve_meV: FloatArray = column("step", "exposure")
    curve_exposure_s: FloatArray = column("exposure")
    impact_meV: FloatArray = column("systematic")
    halving_meV: FloatArray = column("systematic")
    asimov_halving_meV: FloatArray = column("systematic")
    shift_meV: FloatArray = column("systematic")
    factor: FloatArray = column("systematic")
    asimov_sigma_m1_meV: FloatArray = column("step")
    asimov_impact_meV: FloatArray = column("systematic")
    reach: FloatArray = column("reach_mass", "exposure")
    reach_m1_meV: FloatArray = column("reach_mass")


@dataclass(frozen=True)
class ResponseAccuracy[V]:
    """Largest errors of the tabulated response, and what that took.

    Attributes
    ----------
    response_error_sigma, field_error_sigma : float
        Of the table and of the field that it stands for, in standard errors per angle.
    response_masses, response_distances : float
        Nodes of the table.
    """

    response_error_sigma: V
    field_error_sigma: V
    response_masses: V
    response_distances: V


@dataclass(frozen=True)
class PhaseMap:
    """Separation of a Majorana truth from Dirac against m1 and one phase.

    Attributes
    ----------
    map_m1_meV : ndarray, shape (masses,)
    map_phase_deg : ndarray, shape (phases,)
    separation_nature : ndarray, shape (masses, phases)
        By profile likelihood, standard deviations; NaN where no search is confirmed.
    """

    map_m1_meV: FloatArray = column("map_mass")
    map_phase_deg: FloatArray = column("map_phase")
    separation_nature: FloatArray = column("map_mass", "map_phase")


_GRID = ("grid_alpha21", "grid_effective")


@dataclass(frozen=True)
class PhaseSurvey:
    """What data say about alpha21 and alpha31 - 2 delta, over half their torus.

    Attributes
    ----------
    grid_alpha21_deg : ndarray, shape (a,)
    grid_effective_deg : ndarray, shape (b,)
        alpha31 - 2 delta.
    eigenvalue_per_rad2 : ndarray, shape (a, b, 3)
        Of the information about (delta, alpha21, alpha31), all else profiled, ascending.
    eigenvector : ndarray, shape (a, b, 3, 3)
        Its columns: phases, then modes.
    measurable : ndarray, shape (a, b)
        Number of combinations of phases that are measured.
    separation_nature : ndarray, shape (a, b)
        From Dirac, by profile likelihood, standard deviations; NaN where no search is confirmed.
    """

    grid_alpha21_deg: FloatArray = column(_GRID[0])
    grid_effective_deg: FloatArray = column(_GRID[1])
    eigenvalue_per_rad2: FloatArray = column(*_GRID, "mode")
    eigenvector: FloatArray = column(*_GRID, "phase", "mode")
    measurable: FloatArray = column(*_GRID)
    separation_nature: FloatArray = column(*_GRID)


@dataclass(frozen=True)
class Correction[V]:
    """Headline figures with some switches changed; NaN where there are none.

    Attributes
    ----------
    peak_nG, sigma_nG : number
        Largest field, and noise of an angle.
    sigma_m1_meV : number
    exposure_3sigma_s, exposure_5sigma_s : number
        For 3 and 5 sigma of mass.
    """

    peak_nG: V
    sigma_nG: V
    sigma_m1_meV: V
    exposure_3sigma_s: V
    exposure_5sigma_s: V
