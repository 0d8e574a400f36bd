"""A study: everything a task needs to know, checked and resolved."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from renp_infer.display import Display
from renp_infer.inference.joint import Member, Sharing
from renp_infer.inference.knowledge.constraints import PublishedTerm
from renp_infer.inference.results.comparison import CompareSettings
from renp_infer.inference.settings import InferenceSettings, own_texts
from renp_infer.physics.constants import EV_TO_MILLI_EV
from renp_infer.physics.neutrinos import OscillationTable
from renp_infer.physics.pairs.kinematics import has_extraordinary
from renp_infer.records import Experiment, Parameters
from renp_infer.study.blinding import Blinding
from renp_infer.study.design_tables import Design
from renp_infer.study.knowledge import Stated
from renp_infer.study.measured.datafile import Measurement
from renp_infer.study.reading import TASKS
from renp_infer.study.scanned import ScanPlan
from renp_infer.study.sections.atlas import AtlasSection
from renp_infer.study.sections.calibrate import CalibrateSection
from renp_infer.study.sections.execution import ExecutionSection
from renp_infer.study.sections.forecast import ForecastSettings
from renp_infer.study.sections.inference import InferenceSection, inference_settings
from renp_infer.study.sections.sequential import SequentialSettings


@dataclass(frozen=True)
class DataSet:
    """One of several data sets.

    Attributes
    ----------
    name, run, crystal : str
        Which others it shares parameters with, see ``inference.joint.Sharing``.
    study : Study
        The study that it is by itself.
    """

    name: str
    run: str
    crystal: str
    study: Study

    @property
    def member(self) -> Member:
        """The names alone."""
        return Member(self.name, self.run, self.crystal)


@dataclass(frozen=True, repr=False)
class Study(Display):
    """Everything a task needs to know.

    Attributes
    ----------
    name : str
    seed : int
    text : str
        The file as given.
    resolved : dict
        All keys with all values, again a valid study.
    experiment : Experiment
    parameters : Parameters
        The truth.
    oscillation : OscillationTable
    settings : InferenceSettings or None
        ``None`` without a section ``[inference]``.
    datasets : int
        Mock data sets of the ensemble; 0 without a section ``[simulate]``.
    execution : ExecutionSection
        How failing tasks are dealt with; changes no result.
    compare : CompareSettings or None
        ``None`` without a section ``[compare]``.
    measurement : Measurement or None
        Data of a file, whose angles are those of the layout; ``None`` for mock data.
    calibration : CalibrateSection or None
    forecast : ForecastSettings or None
        ``None`` without a section ``[forecast]``.
    design : Design or None
        ``None`` without a section ``[optimize]``.
    sequential : SequentialSettings or None
        ``None`` without a section ``[optimize.sequential]``.
    residual : float
        Parity-even field of a polarised target that reversing P leaves, over the peak
        signal: part of the leakage's prior in ``settings`` and ``priors``.
    atlas : AtlasSection or None
        ``None`` without a section ``[atlas]``.
    ladders : mapping
        Rows of the atlas by question, once a verb before has found them.
    knowledge : tuple of Stated
        Constraints of other experiments; none without a section ``[constraints]``.
    sets : tuple of DataSet
        Several data sets; none where there is one, or mock data of the study itself.
        ``experiment`` is that of the first.
    sharing : Sharing or None
        Which parameters they have in common.
    scan : ScanPlan or None
        ``None`` without a section ``[scan]``.
    blinding : Blinding or None
        ``None`` without a section ``[blinding]``.
    digests : dict
        SHA-256 of every data file that results depend on, when it was read: by path below
        the package's data for files it ships, by bare name for the user's.
    """

    name: str
    seed: int
    text: str
    resolved: dict[str, Any]
    experiment: Experiment
    parameters: Parameters
    oscillation: OscillationTable
    settings: InferenceSettings | None
    datasets: int
    execution: ExecutionSection
    compare: CompareSettings | None = None
    measurement: Measurement | None = None
    calibration: CalibrateSection | None = None
    forecast: ForecastSettings | None = None
    design: Design | None = None
    sequential: SequentialSettings | None = None
    atlas: AtlasSection | None = None
    ladders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    residual: float = 0.0
    knowledge: tuple[Stated, ...] = ()
    sets: tuple[DataSet, ...] = ()
    sharing: Sharing | None = None
    scan: ScanPlan | None = None
    blinding: Blinding | None = None
    digests: Mapping[str, str] = field(default_factory=dict)

    def known_under(self, ordering: str) -> tuple[PublishedTerm, ...]:
        """Constraints of other experiments that hold under an ordering."""
        return tuple(row.term for row in self.knowledge if row.ordering in ("both", ordering))

    @property
    def knowledge_by_ordering(self) -> dict[str, tuple[PublishedTerm, ...]]:
        """Constraints of other experiments by ordering; empty without any."""
        if not self.knowledge:
            return {}
        return {ordering: self.known_under(ordering) for ordering in ("normal", "inverted")}

    @property
    def measured(self) -> dict[str, str]:
        """Digests of the files of measured data; of several sets each after the set's name."""
        found = {} if self.measurement is None else dict(self.measurement.digests)
        for one in self.sets:
            found |= {f"{one.name}: {name}": own for name, own in one.study.measured.items()}
        return found

    @property
    def priors(self) -> InferenceSettings:
        """Settings of ``[inference]``; that section's defaults where there is none."""
        if self.settings is not None:
            return self.settings
        extraordinary = has_extraordinary(self.experiment)
        return leaking(inference_settings(InferenceSection(), extraordinary), self.residual)

    @property
    def kernel_inputs(self) -> dict[str, Any]:
        """What decides which kernels are compiled."""
        return asdict(self.experiment.switches)

    def rows(self) -> list[tuple[str, str]]:
        """What the study is about, in a few words each."""
        truth, experiment = self.parameters, self.experiment
        layout, theta = experiment.layout, [math.degrees(x) for x in experiment.layout.theta_s]
        m1_meV = EV_TO_MILLI_EV * truth.m1_eV
        mass = f"m1 = {m1_meV:.4g} meV, {truth.ordering} ordering, {truth.nature}"
        own = [one.study for one in self.sets] or [self]
        known = all(one.measurement is None for one in own)
        named = [f"{one.name}: {source_of(one.study)}" for one in self.sets]
        data = "; ".join(named) or source_of(self)
        crystal = f"{layout.length_cm:g} cm long, {layout.radius_cm:g} cm in radius"
        names = [f"{one.name} ({one.kind})" for one in self.priors.templates]
        tasks = [name for name in TASKS if name in self.resolved]
        return [
            ("truth", mass if known else f"unknown; calculated at {mass}"),
            ("target", f"{experiment.target.name}, {crystal}"),
            ("angles", f"{len(theta)}, {theta[0]:.2f}° to {theta[-1]:.2f}°"),
            ("exposure", f"{experiment.detector.exposure_s:g} s"),
            *headlines(self.resolved),
            ("data", data),
            *constrained(self.knowledge),
            *([("priors", "; ".join(own_texts(self.priors)))] if self.priors.own else []),
            *([("systematics", "; ".join(names))] if names else []),
            ("sections", ", ".join(tasks) or "none: only evaluate"),
        ]


def source_of(study: Study) -> str:
    """File of the data, or files of several sets, or that they are mock data."""
    if study.sets:
        return " and ".join(dict.fromkeys(source_of(one.study) for one in study.sets))
    return study.measurement.observation.source if study.measurement is not None else "mock"


def leaking(settings: InferenceSettings, residual: float) -> InferenceSettings:
    """Settings with a further parity-even leakage, as a fraction of the peak."""
    if residual == 0.0:
        return settings
    return replace(settings, leakage_sd=math.hypot(settings.leakage_sd, residual))


def constrained(knowledge: tuple[Stated, ...]) -> list[tuple[str, str]]:
    """A row with the constraints of other experiments; none without any."""
    names = "; ".join(row.term.name for row in knowledge)
    return [("constraints", names)] if names else []


def headlines(resolved: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What study and run say of a resolved study: which physics it is by."""
    return [("physics", Preset.of(resolved).words)]


@dataclass(frozen=True)
class Preset:
    """Which physics results are by, and whether anybody chose it.

    Attributes
    ----------
    name : str
    chosen : bool
        Whether the study, or a change of it, names the preset.
    """

    name: str
    chosen: bool

    @classmethod
    def of(cls, resolved: Mapping[str, Any]) -> Preset:
        """Preset of a resolved study."""
        physics = resolved["physics"]
        return cls(str(physics["preset"]), not physics.get("preset_by_default", False))

    @property
    def words(self) -> str:
        """Its name, and whether it is the default."""
        return f"{self.name} ({'chosen' if self.chosen else 'the default, not chosen'})"

    @property
    def document(self) -> dict[str, Any]:
        """As it stands in a JSON document."""
        return {"preset": self.name, "preset_chosen": self.chosen}
