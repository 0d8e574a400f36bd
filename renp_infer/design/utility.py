"""Utilities of a design: what an experiment is expected to tell, before it is done.

Truths are drawn from the prior (or one is fixed), data from the truths, and the
posterior of each data set is found on masses, hypotheses and phases with the nuisances
integrated out; see docs/design.md. Truths and noise are the same for every design
(common random numbers), so that a utility is a deterministic function of the design.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from renp_infer.errors import DomainError
from renp_infer.inference.prior import InferenceSettings
from renp_infer.physics.neutrinos import OscillationTable
from renp_infer.records import Experiment, FloatArray, Parameters

UNITS: Mapping[str, str] = {
    "eig_m1": "nat",
    "eig_interest": "nat",
    "sd_m1": "meV",
    "log_bf_nature": "nat",
    "p_nature": "",
    "log_bf_ordering": "nat",
    "p_ordering": "",
    "exposure_3sigma_s": "s",
}
"""Utilities and their units: expected information on m1, and on m1, ordering, nature and
phases together; expected posterior standard deviation of m1; expected log Bayes factor for
the true nature or ordering, and expected posterior probability of the true one; exposure
after which m1 > 0 shows with 3 standard errors, median over the truths."""
NAMES = tuple(UNITS)
_SMALLER = ("sd_m1", "exposure_3sigma_s")


def sense(name: str) -> int:
    """+1 if more of a utility is better, -1 if less is."""
    return -1 if name in _SMALLER else 1


@dataclass(frozen=True)
class Utility:
    """An expected utility.

    Attributes
    ----------
    value : float
    error : float
        One standard deviation of the Monte Carlo average; 0 if deterministic.
    lower, upper : float or None
        Bounds, where the estimator gives them.
    """

    value: float
    error: float
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True)
class UtilitySettings:
    """What utilities are averaged over.

    Attributes
    ----------
    inference : InferenceSettings
        Prior of m1, which nuisances are free, and their errors; sampler settings
        are not used.
    orderings, natures : tuple of str
        Hypotheses: all combinations.
    odds : mapping
        Prior weight by "ordering nature", such as ``{"normal dirac": 2.0}``; others 1.
    truth : {"prior", "fixed"}
        Truths drawn from the prior, or the parameters given to the appraiser (nuisances
        and noise are drawn in either case).
    truths : int
        Number of truths, each with its own noise.
    masses : int
        Masses of the common grid, which is refined where the posterior is narrow.
    """

    inference: InferenceSettings = field(default_factory=InferenceSettings)
    orderings: tuple[str, ...] = ("normal", "inverted")
    natures: tuple[str, ...] = ("dirac", "majorana")
    odds: Mapping[str, float] = field(default_factory=dict)
    truth: str = "prior"
    truths: int = 32
    masses: int = 48

    def __post_init__(self) -> None:
        for name in ("truths", "masses"):
            if getattr(self, name) < 2:
                raise DomainError(name, getattr(self, name), ">= 2")


class Appraiser:
    """Appraises experiments, with truths and noise drawn once.

    Parameters
    ----------
    settings : UtilitySettings
    parameters : Parameters
        Central values: phases that are not free, and the fixed truth.
    table : OscillationTable
        Measured oscillation parameters of both orderings.
    rng : numpy.random.Generator
    noise_scale : float
        Factor of the noise: 1, or that of ``runner.evaluation.noise_scale`` for the study's
        own experiment. It stays the same for all designs.
    finite_crystal : bool
        Whether the finite crystal's share of the field, some 1e-3 of the peak for
        centimetres, is tabulated for each design (over a second), or left out.
    """

    def __init__(
        self,
        settings: UtilitySettings,
        parameters: Parameters,
        table: OscillationTable,
        rng: np.random.Generator,
        *,
        noise_scale: float = 1.0,
        finite_crystal: bool = False,
    ) -> None:
        raise NotImplementedError

    def __call__(
        self,
        experiment: Experiment,
        names: Sequence[str] = NAMES,
        shares: FloatArray | None = None,
    ) -> dict[str, Utility]:
        """Appraise an experiment.

        Parameters
        ----------
        experiment : Experiment
        names : sequence of str
            Of ``NAMES``.
        shares : ndarray, shape (n,), optional
            Share of the exposure spent at each angle; equal by default.
        """
        raise NotImplementedError
