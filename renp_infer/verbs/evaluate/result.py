"""What an evaluation found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.engine.provenance import PROVENANCE
from renp_infer.engine.result import WORDS, Result, Verdict
from renp_infer.physics.constants import YEAR_S
from renp_infer.records import FloatArray, Switches
from renp_infer.study.units import described
from renp_infer.switches import forbids_moment, heard, told
from renp_infer.terminal import plain
from renp_infer.verbs.evaluate.coherence import Coherence
from renp_infer.verbs.evaluate.depletion import Depletion
from renp_infer.verbs.evaluate.facts import Drift, NumericalErrors, Rung, Truth, drift_words

if TYPE_CHECKING:
    import xarray

PREDICTED = {
    ("theta_s_deg",): (
        "rate_per_s",
        "magnetization_nG_per_s",
        "signal_nG",
        "sigma_nG",
        "sum_F_eV5",
        "sum_G_eV5",
    ),
    ("pair", "theta_s_deg"): ("pair_A_eV5", "pair_B_eV3"),
    ("ray", "theta_s_deg"): ("w_eV",),
    ("state",): ("masses_eV",),
}
"""Arrays of ``evaluate.json`` by the names of their axes."""
SUMS = "field against sums"
MOST_OFF = 5e-3
"""Largest difference of the smoothed field from the average of its own sums, over the peak;
blocks of nodes may err by 1.7e-3 in wide planar scans."""
OPTIONAL = {
    ("theta_s_deg",): ("sum_W_eV6", "conserving_nG"),
    ("pair", "theta_s_deg"): ("pair_K_eV5",),
}
"""Arrays that some physics do not have."""
RAYS = ("longitudinal", "transverse")
"""Components of w, from k1."""
FORBIDDEN = (
    'physics.source = "spin-velocity": S.v leaves no moment in an unpolarised target, by time '
    "reversal; the signal is that of Eq. (61), and weak magnetism is what leaves one"
)
ARRAYS = ("theta_s_deg", *(name for names in PREDICTED.values() for name in names))
FACTS = (
    "name",
    "pairs",
    "chi_squared",
    "peak_snr",
    "normalised",
    "thresholds_deg",
    "coupling",
)


@dataclass(frozen=True, eq=False)
class OfSet:
    """One of several data sets.

    Attributes
    ----------
    name, run, crystal : str
    found : EvaluateResult
    """

    name: str
    run: str
    crystal: str
    found: EvaluateResult

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> OfSet:
        """From a row of ``evaluate.json``."""
        found = EvaluateResult.of(row["evaluation"])
        return cls(row["name"], row["run"], row["crystal"], found)

    @property
    def row(self) -> dict[str, Any]:
        """Row of ``evaluate.json``."""
        names = {"name": self.name, "run": self.run, "crystal": self.crystal}
        return names | {"evaluation": self.found.document}


@dataclass(frozen=True, eq=False)
class EvaluateResult(Result):
    """The forward model at the truth; of several data sets, that of the first with all others.

    Attributes
    ----------
    name : str
        The study's.
    model : Switches
    truth : Truth
    theta_s_deg : ndarray, shape (n,)
    w_eV : ndarray, shape (2, n)
    masses_eV : ndarray, shape (3,)
    pairs : sequence of str
        Names of the pairs of mass states.
    pair_A_eV5, pair_B_eV3 : ndarray, shape (6, n)
    sum_F_eV5, sum_G_eV5 : ndarray, shape (n,)
        Weighted over all nine ordered pairs; averaged over the phase of the partners, at
        which ``rate_per_s`` is, where the lasers have one.
    chi_squared : float
    coherence : Coherence or None
        ``None`` if abs(chi)^2 is given.
    rate_per_s, magnetization_nG_per_s : ndarray, shape (n,)
    signal_nG, sigma_nG : ndarray, shape (n,)
        Field at the detector, and its standard error at each angle, with a drift's share.
    peak_snr : float
        Largest signal over noise of one angle.
    normalised : bool
        Whether the noise is scaled.
    thresholds_deg : mapping
        Angles of s = (m_i + m_j)^2 on both sides by pair; ``None`` where never crossed.
    coupling : float
        Field over magnetization, xi.
    backgrounds : Depletion
    accuracy : NumericalErrors
    pair_K_eV5 : ndarray, shape (6, n), or None
        Int U W Phi K of a conserved current; ``None`` in the planar phase space.
    sum_W_eV6 : ndarray, shape (n,), or None
        Of weak magnetism, weighted over all nine ordered pairs; ``None`` for S.v.
    conserving_nG : ndarray, shape (n,), or None
        Parity-conserving field of a polarised target, before P is reversed.
    left_by_reversal : float or None
        Largest of what reversing P leaves of it, in units of the largest signal.
    noise_scale : float or None
        Factor that the noise was scaled by, 1 for none; ``None`` of measured data, and in old
        results.
    drift : Drift or None
        ``None`` without one, of measured data, and in old results.
    moment : str
        Of weak magnetism: what the moment is, where it is not the ion's, or why there is
        none; empty if it is the ion's.
    steps : tuple of Rung
        From the paper's equations to the weak Hamiltonian; empty for the paper's own.
    data : str
        Name of the file with the data; empty for mock data.
    sets : tuple of OfSet
        Every one of several data sets; empty where there is one.
    provenance : mapping
        Where it comes from; empty before it is kept.
    """

    name: str
    model: Switches
    truth: Truth
    theta_s_deg: FloatArray
    w_eV: FloatArray
    masses_eV: FloatArray
    pairs: list[str]
    pair_A_eV5: FloatArray
    pair_B_eV3: FloatArray
    sum_F_eV5: FloatArray
    sum_G_eV5: FloatArray
    chi_squared: float
    coherence: Coherence | None
    rate_per_s: FloatArray
    magnetization_nG_per_s: FloatArray
    signal_nG: FloatArray
    sigma_nG: FloatArray
    peak_snr: float
    normalised: bool
    thresholds_deg: Mapping[str, list[float] | None]
    coupling: float
    backgrounds: Depletion
    accuracy: NumericalErrors
    pair_K_eV5: FloatArray | None = None
    sum_W_eV6: FloatArray | None = None
    conserving_nG: FloatArray | None = None
    left_by_reversal: float | None = None
    noise_scale: float | None = None
    drift: Drift | None = None
    moment: str = ""
    steps: tuple[Rung, ...] = ()
    data: str = ""
    sets: tuple[OfSet, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> EvaluateResult:
        """Result of ``evaluate.json``."""
        values: dict[str, Any] = {name: document[name] for name in FACTS}
        values |= {name: np.asarray(document[name], float) for name in ARRAYS}
        coherence, drift = document.get("coherence"), document.get("drift")
        for name in (name for names in OPTIONAL.values() for name in names):
            value = document.get(name)
            values[name] = None if value is None else np.asarray(value, float)
        return cls(
            **values,
            model=heard(document["model"]),
            truth=Truth(**document["truth"]),
            coherence=None if coherence is None else Coherence(**coherence),
            backgrounds=Depletion(**document["backgrounds"]),
            accuracy=NumericalErrors(**document["accuracy"]),
            left_by_reversal=document.get("left_by_reversal"),
            noise_scale=document.get("noise_scale"),
            drift=None if drift is None else Drift(**drift),
            moment=document.get("moment", ""),
            steps=tuple(Rung.of(row) for row in document.get("steps", ())),
            data=document.get("data", ""),
            sets=tuple(OfSet.of(row) for row in document.get("sets", ())),
            provenance=document.get(PROVENANCE, {}),
        )

    def of_set(self, name: str) -> EvaluateResult:
        """Evaluation of one of several data sets; without a name, this one."""
        return next((one.found for one in self.sets if one.name == name), self)

    @property
    def document(self) -> dict[str, Any]:
        """``evaluate.json``."""
        bare = replace(self, sets=())
        found: dict[str, Any] = {"schema": 1} | asdict(bare) | {"model": told(self.model)}
        del found["sets"]
        judged = {one.verdict for one in self.verdicts().values()}
        found |= {"verdict": min(judged, key=WORDS.index)} if judged else {}
        found |= {"notes": self.notes} if self.notes else {}
        moment, data, provenance = (found.pop(name) for name in ("moment", "data", "provenance"))
        found |= {"moment": moment} if moment else {}
        for name in ("steps", "drift"):
            if not found[name]:
                del found[name]
        found |= {"data": data} if data else {}
        found |= {"sets": [one.row for one in self.sets]} if self.sets else {}
        found |= {PROVENANCE: provenance} if provenance else {}
        tree: dict[str, Any] = plain(found)
        return tree

    def verdicts(self) -> dict[str, Verdict]:
        """Whether the smoothed field is the average of the sums in the same document."""
        if self.sets:
            rows = ((one.name, one.found.verdicts()) for one in self.sets)
            return {f"{what} of {name}": v for name, row in rows for what, v in row.items()}
        found = self.accuracy.signal_against_sums
        if found is None:
            return {}
        if found <= MOST_OFF:
            return {SUMS: Verdict("pass", lapse="disagree")}
        off = f"signal_nG is {found:.2g} of the peak off the average of its sums"
        reason = f"{off} over the window, {MOST_OFF:g} allowed"
        return {SUMS: Verdict("fail", (reason,), "disagree")}

    def rows(self) -> list[tuple[str, str]]:
        """How far the signal stands out."""
        label = ", normalised" if self.normalised else ""
        found = [("peak S/N", f"{self.peak_snr:.3g} per angle{label}")]
        if self.drift is not None:
            found.append(("drift", drift_words(self.drift)))
        if self.model.source == "weak-magnetism":
            found += self._missing()
        if self.caution:
            found.append(("outside", self.caution))
        if self.moment:
            found.append(("moment", self.moment))
        if self.conserving_nG is not None:
            even, odd = (float(np.max(np.abs(x))) for x in (self.conserving_nG, self.signal_nG))
            times = f"{even / odd:.3g} times the signal" if odd > 0.0 else f"{even:.3g} nG"
            found.append(("without parity violation", times))
        return found + [("note", text) for text in self.notes]

    @property
    def notes(self) -> list[str]:
        """What the weak Hamiltonian says against the switches; the paper's own have none."""
        return [FORBIDDEN] if forbids_moment(self.model) else []

    @property
    def rarity(self) -> str:
        """How rare a pair is from the weak Hamiltonian; nothing for the paper's equations."""
        if self.model.source != "weak-magnetism":
            return ""
        most = float(np.max(self.rate_per_s))
        years = f"one in {1.0 / most / YEAR_S:.3g} years" if most > 0.0 else "none"
        return f"Of neutrino pairs the whole crystal emits {years} at the angle of most."

    @property
    def absolute_snr(self) -> float | None:
        """Largest signal over noise of one angle without any scaling, where that is known."""
        return None if self.noise_scale is None else self.peak_snr * self.noise_scale

    @property
    def missing_orders(self) -> float | None:
        """Orders of magnitude to S/N = 1 without scaled noise; ``None`` if none are missing."""
        snr = self.absolute_snr
        return float(-np.log10(snr)) if snr is not None and 0.0 < snr < 1.0 else None

    @property
    def caution(self) -> str:
        """That Eq. (17) is outside its range: pair thresholds among the angles, in a plane."""
        low, high = float(np.min(self.theta_s_deg)), float(np.max(self.theta_s_deg))
        edges = [edge for sides in self.thresholds_deg.values() for edge in sides or ()]
        if self.model.phase_space != "planar" or not any(low <= edge <= high for edge in edges):
            return ""
        return (
            "Pairs open at these angles, where Eq. (17) is outside its range: in its plane they "
            "set in as a step and grow as 1/sqrt(s), in space as a root."
        )

    def _missing(self) -> list[tuple[str, str]]:
        """How rare an event is, and what is missing: nothing that a preset's name says."""
        found = [("rate", self.rarity)]
        if self.missing_orders is not None:
            scaled = ", without the scaling of the noise" if self.normalised else ""
            orders = f"{self.missing_orders:.1f} orders of magnitude to S/N = 1{scaled}"
            found.append(("missing", orders))
        return found

    def origin(self) -> Mapping[str, Any]:
        """Its provenance."""
        return self.provenance

    def told(self) -> xarray.Dataset:
        """Arrays by ``theta_s_deg``, ``pair``, ``state``, ``ray``, ``step``; only those there are.

        The rest of the document is JSON in the attribute ``renp_evaluation``.
        """
        import xarray

        tables = [*PREDICTED.items(), *OPTIONAL.items()]
        axes = {name: axis for axis, names in tables for name in names}
        found = {name: (axis, getattr(self, name)) for name, axis in axes.items()}
        arrays = {name: pair for name, pair in found.items() if pair[1] is not None}
        places = {"theta_s_deg": self.theta_s_deg, "pair": self.pairs, "state": [1, 2, 3]}
        places["ray"] = list(RAYS)
        if self.steps:
            none = np.full_like(self.signal_nG, np.nan)
            rows = [none if step.signal_nG is None else step.signal_nG for step in self.steps]
            arrays["steps_nG"] = (("step", "theta_s_deg"), np.array(rows))
            places["step"] = [step.name for step in self.steps]
        rest = {k: v for k, v in self.document.items() if k not in {*axes, *places}}
        facts = {"name": self.name, "chi_squared": self.chi_squared, "peak_snr": self.peak_snr}
        attributes = facts | {"renp_evaluation": json.dumps(rest)}
        return described(xarray.Dataset(arrays, places, attributes))
