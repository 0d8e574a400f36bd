"""What mock experiments say: counts, tests and verdict, and their document as JSON has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.engine.result import Verdict, Word
from renp_infer.inference.judging.belt import BeltCoverage
from renp_infer.inference.judging.reliability import Bin
from renp_infer.inference.judging.uniformity import Coverage
from renp_infer.records import FloatArray

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def taken[T: DataclassInstance](kind: type[T], document: Mapping[str, Any]) -> T:
    """What a document has of a class whose fields stand in it by their names."""
    return kind(**{field.name: document[field.name] for field in fields(kind)})


@dataclass(frozen=True)
class Fits:
    """How many mock experiments there are, and how many of their fits failed.

    Attributes
    ----------
    mocks, failed : int
    failures : dict of int
        By reason.
    """

    mocks: int
    failed: int
    failures: Mapping[str, int]


@dataclass(frozen=True)
class Covered(Coverage):
    """How often intervals contain the truth, failed fits among them.

    Attributes
    ----------
    found_if_no_fit_misses : float
        The share if no interval of a failed fit covered.
    """

    found_if_no_fit_misses: float


@dataclass(frozen=True)
class Quantity:
    """Tests of one quantity.

    Attributes
    ----------
    name : str
        Parameter, or the log-likelihood.
    p_value : float
        Of uniform ranks.
    coverage_68, coverage_95 : Covered
    """

    name: str
    p_value: float
    coverage_68: Covered
    coverage_95: Covered

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Quantity:
        """Quantity of its document."""
        covered = (taken(Covered, document[name]) for name in ("coverage_68", "coverage_95"))
        return cls(document["name"], document["p_value"], *covered)


@dataclass(frozen=True)
class Band:
    """Simultaneous band of an ECDF: arrays of shape (k,)."""

    points: FloatArray
    low: FloatArray
    high: FloatArray

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Band:
        """Band of its document."""
        return cls(*(np.asarray(document[field.name], float) for field in fields(cls)))


@dataclass(frozen=True)
class Ranks:
    """Tests of the posterior.

    Attributes
    ----------
    fits : Fits
    fitted : int
        Data sets with draws.
    threshold : float
        A test fails if its p-value is below.
    quantities : tuple of Quantity
    band : Band or None
        ``None`` if no data set was fitted.
    reasons : tuple of str
    """

    fits: Fits
    fitted: int
    threshold: float
    quantities: tuple[Quantity, ...]
    band: Band | None
    reasons: tuple[str, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Ranks:
        """Ranks of their document."""
        return cls(
            fits=taken(Fits, document),
            fitted=document["fitted"],
            threshold=document["threshold"],
            quantities=tuple(map(Quantity.of, document["quantities"])),
            band=Band.of(document["band"]) if "band" in document else None,
            reasons=tuple(document["reasons"]),
        )

    @property
    def document(self) -> dict[str, Any]:
        """Plain values and arrays by key."""
        counts = {"fitted": self.fitted, "threshold": self.threshold}
        rows = {"quantities": [asdict(row) for row in self.quantities]}
        band = {} if self.band is None else {"band": asdict(self.band)}
        return asdict(self.fits) | counts | rows | band | {"reasons": self.reasons}


@dataclass(frozen=True)
class Reliability:
    """Probabilities of hypotheses against how often they are true.

    Attributes
    ----------
    curve : tuple of Bin
    calibration_error, calibration_error_by_chance : float
        Mean distance of predicted and found shares, and what chance alone gives.
    p_value : float
    largest_evidence_error, smallest_ess : float
        Of the importance sampling behind the evidences.
    mean_probability_of_truth : float
    """

    curve: tuple[Bin, ...]
    calibration_error: float
    calibration_error_by_chance: float
    p_value: float
    largest_evidence_error: float
    smallest_ess: float
    mean_probability_of_truth: float

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Reliability:
        """Reliability of its document."""
        _, *names = (field.name for field in fields(cls))
        curve = tuple(Bin(**row) for row in document["curve"])
        return cls(curve, *(document[name] for name in names))


@dataclass(frozen=True)
class Hypotheses:
    """Tests of the probabilities of hypotheses.

    Attributes
    ----------
    fits : Fits
    names : tuple of str
    prior_odds : tuple of float
    reliability : Reliability or None
        ``None`` if no data set has all evidences.
    reasons : tuple of str
    """

    fits: Fits
    names: tuple[str, ...]
    prior_odds: tuple[float, ...]
    reliability: Reliability | None
    reasons: tuple[str, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Hypotheses:
        """Hypotheses of their document."""
        return cls(
            fits=taken(Fits, document),
            names=tuple(document["hypotheses"]),
            prior_odds=tuple(document["prior_odds"]),
            reliability=Reliability.of(document) if "curve" in document else None,
            reasons=tuple(document["reasons"]),
        )

    @property
    def document(self) -> dict[str, Any]:
        """Plain values by key."""
        head = {"hypotheses": self.names, "prior_odds": self.prior_odds}
        tests = {} if self.reliability is None else asdict(self.reliability)
        return asdict(self.fits) | head | tests | {"reasons": self.reasons}


@dataclass(frozen=True)
class LimitCoverage:
    """A belt of confidence, and how often it covers.

    Attributes
    ----------
    levels : ndarray, shape (l,)
        Confidence levels.
    m1_meV : ndarray, shape (g,)
    critical, critical_error : ndarray, shape (g, l)
        Critical values of the likelihood ratio.
    accepted_best_m1_meV : ndarray, shape (g, l, 2)
        Smallest and largest best-fit mass among the accepted mock data.
    coverage : tuple of BeltCoverage
        By true mass and level.
    threshold : float
        A test fails if its p-value is below.
    """

    levels: FloatArray
    m1_meV: FloatArray
    critical: FloatArray
    critical_error: FloatArray
    accepted_best_m1_meV: FloatArray
    coverage: tuple[BeltCoverage, ...]
    threshold: float

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> LimitCoverage:
        """Limits of their document."""
        return cls(
            levels=np.asarray(document["levels"]),
            m1_meV=np.asarray(document["m1_meV"]),
            critical=np.asarray(document["critical"]),
            critical_error=np.asarray(document["critical_error"]),
            accepted_best_m1_meV=np.asarray(document["accepted_best_m1_meV"]),
            coverage=tuple(BeltCoverage(**row) for row in document["coverage"]),
            threshold=document["threshold"],
        )


@dataclass(frozen=True)
class BeltTest:
    """Tests of the belt.

    Attributes
    ----------
    fits : Fits
    limits : LimitCoverage or None
        ``None`` if a mass has no fit.
    reasons : tuple of str
    """

    fits: Fits
    limits: LimitCoverage | None
    reasons: tuple[str, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> BeltTest:
        """Belt of its document."""
        limits = LimitCoverage.of(document) if "critical" in document else None
        return cls(taken(Fits, document), limits, tuple(document["reasons"]))

    @property
    def document(self) -> dict[str, Any]:
        """Plain values and arrays by key."""
        limits = {} if self.limits is None else asdict(self.limits)
        return asdict(self.fits) | limits | {"reasons": self.reasons}


type Kind = Ranks | Hypotheses | BeltTest


@dataclass(frozen=True)
class Calibration:
    """What all mock experiments say.

    Attributes
    ----------
    name : str
        Of the study.
    false_alarm : float
        Of each kind, all its tests together.
    data : str
        File whose angles and noise the mock data have; "mock" if it is none.
    ranks, hypotheses, belt : Ranks, Hypotheses, BeltTest, or None
        ``None`` for kinds that were not asked for.
    verdict : {"pass", "fail"}
    reasons : tuple of str
    """

    name: str
    false_alarm: float
    data: str
    ranks: Ranks | None
    hypotheses: Hypotheses | None
    belt: BeltTest | None
    verdict: Word
    reasons: tuple[str, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Calibration:
        """Calibration of its document."""
        ranks, hypotheses, belt = (document.get(k) for k in ("ranks", "hypotheses", "belt"))
        return cls(
            name=document["name"],
            false_alarm=document["false_alarm"],
            data=document["data"],
            ranks=None if ranks is None else Ranks.of(ranks),
            hypotheses=None if hypotheses is None else Hypotheses.of(hypotheses),
            belt=None if belt is None else BeltTest.of(belt),
            verdict=document["verdict"],
            reasons=tuple(document["reasons"]),
        )

    @property
    def kinds(self) -> dict[str, Kind]:
        """Those that were asked for, by name."""
        kinds = {"ranks": self.ranks, "hypotheses": self.hypotheses, "belt": self.belt}
        return {name: kind for name, kind in kinds.items() if kind is not None}

    @property
    def judged(self) -> Verdict:
        """Verdict of all tests together."""
        return Verdict(self.verdict, self.reasons)

    @property
    def document(self) -> dict[str, Any]:
        """Plain values and arrays by key, as ``renp calibrate --json`` says them."""
        head = {"schema": 1, "name": self.name, "false_alarm": self.false_alarm, "data": self.data}
        tables = {name: kind.document for name, kind in self.kinds.items()}
        return head | tables | {"verdict": self.verdict, "reasons": self.reasons}
