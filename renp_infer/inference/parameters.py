"""The one table of inferred parameters: every list of their names follows from its rows.

A new nuisance is one row here, its setting in ``InferenceSettings``, its physics and its
test. Where a parameter enters decides all else:

- ``mass``: argument of the response, with a prior of its own;
- ``amplitude``: factor of the response; Gaussian in the logarithm, around 1;
- ``offset``: a field added to the signal, ``shape`` times the parameter; Gaussian around 0;
- ``index``, ``angle``, ``excess``: argument of the response; Gaussian around the nominal
  apparatus, for an angle and an excess 0;
- ``oscillation``: argument of the response; Gaussian as measured, of each ordering;
- ``phase``: argument of the response; uniform on the circle;
- ``factor``: of a study's own, times the response; Gaussian around 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from renp_infer.physics.constants import MILLI_EV_TO_EV
from renp_infer.records import Experiment, FloatArray, Parameters

Kind = Literal[
    "mass", "amplitude", "offset", "index", "angle", "excess", "oscillation", "phase", "factor"
]  # fmt: skip
Level = Literal["all", "crystal", "run"]
"""What has one value of a parameter: everything, each crystal, or each run."""
Shape = Callable[[Experiment, Parameters, float], FloatArray]
"""What an offset of 1 adds to the data (n,): of experiment, truth and coherence factor."""
Move = Callable[[Experiment, float], Experiment]
"""The apparatus where a parameter is off by so much, in the unit of its slot; of a factor, its
logarithm."""

MASS, AMPLITUDE, BASELINE, LEAKAGE = "m1_meV", "amplitude", "baseline_nG", "leakage"
"""The mass, the factor of the response, and the offsets, which some inferences treat on
their own."""
_RAD_PER_DEG = float(np.deg2rad(1.0))
_KNOWN: dict[str, Any] = {"oscillation": False, "phase": "fixed"}
"""Values of a setting by which its parameters are known; a spread's is 0."""


@dataclass(frozen=True)
class Inferred:
    """A row: one parameter that can be inferred.

    Attributes
    ----------
    name : str
        With its unit, as results name it.
    symbol, unit : str
        As figures and tables show it; no unit is empty.
    kind : str
        Where it enters, see the module.
    setting : str
        Field of ``InferenceSettings`` that gives its prior.
    systematic : str
        Name in ``forecast.systematics``; empty for the mass.
    slot : str
        Argument of the response; empty where the response does not know it.
    scale : float
        Its unit in that of the slot, eV, rad or 1.
    corner : bool
        Whether it is among the pairs that are drawn.
    majorana : bool
        Whether only Majorana neutrinos have it.
    shape : callable or None
        Of an offset: as large as the signal's peak. ``None`` is uniform, 1, with a
        prior in units of the peak.
    moves : callable or None
        Of what the apparatus really is, not what it is taken for.
    level : {"all", "crystal", "run"}
        Which data sets share its value, unless a study says otherwise.
    """

    name: str
    symbol: str
    unit: str
    kind: Kind
    setting: str
    systematic: str = ""
    slot: str = ""
    scale: float = 1.0
    corner: bool = True
    majorana: bool = False
    shape: Shape | None = None
    moves: Move | None = None
    level: Level = "all"

    @property
    def known(self) -> Any:
        """Value of its setting by which it is known."""
        return _KNOWN.get(self.kind, 0.0)


class ParameterTable:
    """Rows in the order of every parameter vector, and what follows from them.

    Parameters
    ----------
    rows : tuple of Inferred
    """

    def __init__(self, *rows: Inferred) -> None:
        self.rows = rows

    def of(self, *kinds: Kind) -> tuple[str, ...]:
        """Names of some kinds."""
        return tuple(row.name for row in self.rows if row.kind in kinds)

    @property
    def names(self) -> tuple[str, ...]:
        """Every parameter that a result can name."""
        return tuple(row.name for row in self.rows)

    @property
    def oscillation(self) -> tuple[str, ...]:
        """Measured oscillation parameters."""
        return self.of("oscillation")

    @property
    def phases(self) -> tuple[str, ...]:
        """Parameters that live on the circle."""
        return self.of("phase")

    @property
    def corner(self) -> tuple[str, ...]:
        """Parameters whose pairs are drawn."""
        return tuple(row.name for row in self.rows if row.corner)

    @property
    def slots(self) -> tuple[str, ...]:
        """Arguments of the response, in order; eV, rad."""
        return tuple(row.slot for row in self.rows if row.slot)

    @property
    def scales(self) -> dict[str, float]:
        """Parameters in the response's order, and their units in its units."""
        return {row.name: row.scale for row in self.rows if row.slot}

    @property
    def offsets(self) -> dict[str, Shape | None]:
        """Parameters that add a field, and its shape."""
        return {row.name: row.shape for row in self.rows if row.kind == "offset"}

    @property
    def systematics(self) -> dict[str, tuple[str, ...]]:
        """Parameters of each systematic, in the order in which they are added."""
        found: dict[str, tuple[str, ...]] = {}
        for row in self.rows:
            if row.systematic:
                found[row.systematic] = (*found.get(row.systematic, ()), row.name)
        return found

    @property
    def moving(self) -> tuple[Inferred, ...]:
        """Rows by which the apparatus can be off, systematic by systematic."""
        order = list(self.systematics)
        rows = (row for row in self.rows if row.moves)
        return tuple(sorted(rows, key=lambda row: order.index(row.systematic)))

    def known(self, *systematics: str) -> dict[str, Any]:
        """Settings with which systematics are known exactly."""
        return {row.setting: row.known for row in self.rows if row.systematic in systematics}

    def label(self, name: str) -> tuple[str, str]:
        """Symbol and unit of a parameter; one of a group has the group's name, too.

        Of a nuisance that a study adds the symbol is its name.
        """
        plain, group = parted(name)
        known = {row.name: (row.symbol, row.unit) for row in self.rows}
        symbol, unit = known.get(plain, (plain, ""))
        return f"{symbol} {group}".rstrip(), unit

    def text(self, name: str) -> str:
        """Symbol with unit in brackets; a name that is not known stays."""
        if parted(name)[0] not in self.names:
            return DERIVED_TEXTS.get(name, name)
        symbol, unit = self.label(name)
        return f"{symbol} [{unit}]" if unit else symbol

    def grouped(self, groups: Mapping[str, Sequence[str]]) -> ParameterTable:
        """Table with a row for each group of a parameter.

        A factor that is not the same for all data is an argument of the response.

        Parameters
        ----------
        groups : mapping
            Names of groups by parameter; of one group, or where none is given, the row stays.
        """
        rows: list[Inferred] = []
        for row in self.rows:
            names = groups.get(row.name, ())
            rows.extend(_of_group(row, name) for name in names) if len(names) > 1 else rows.append(
                row
            )
        return ParameterTable(*rows)


def _of_group(row: Inferred, group: str) -> Inferred:
    slot = row.slot or (row.name if row.kind == "amplitude" else "")
    return replace(row, name=of_group(row.name, group), slot=slot and of_group(slot, group))


def template_row(name: str, kind: str) -> Inferred:
    """Row of a nuisance that a study adds: its shape comes with the data."""
    if kind == "additive":
        return Inferred(name, name, "", "offset", "", shape=_unknown, corner=False)
    return Inferred(name, name, "", "factor", "", corner=False)


def _unknown(experiment: Experiment, truth: Parameters, chi_squared: float) -> FloatArray:
    """Stand for a shape that the table does not know."""
    raise NotImplementedError


def of_group(name: str, group: str) -> str:
    """Name of a group's own parameter."""
    return f"{name}[{group}]"


def parted(name: str) -> tuple[str, str]:
    """Parameter and group of a name; no group is empty."""
    plain, _, group = name.partition("[")
    return plain, group.removesuffix("]")


def _leakage(experiment: Experiment, truth: Parameters, chi_squared: float) -> FloatArray:
    from renp_infer.measurement.leakage import leakage_shape

    return leakage_shape(experiment, truth, chi_squared)


def _coupled(experiment: Experiment, by: float) -> Experiment:
    detector = experiment.detector
    return replace(
        experiment, detector=replace(detector, coupling=detector.coupling * float(np.exp(by)))
    )


def _refracting(experiment: Experiment, by: float) -> Experiment:
    target = experiment.target
    return replace(
        experiment, target=replace(target, refractive_index=target.refractive_index + by)
    )


def _doubly_refracting(experiment: Experiment, by: float) -> Experiment:
    target = experiment.target
    indices = target.indices and target.indices.moved(0.0, by)
    return replace(experiment, target=replace(target, indices=indices))


def _pointing_s(experiment: Experiment, by: float) -> Experiment:
    layout = experiment.layout
    moved = replace(layout, theta_s=layout.theta_s + by)
    return replace(experiment, layout=moved)


def _pointing_e(experiment: Experiment, by: float) -> Experiment:
    layout = experiment.layout
    moved = replace(layout, theta_e=layout.theta_e + by)
    return replace(experiment, layout=moved)


PARAMETERS = ParameterTable(
    Inferred(MASS, "m₁", "meV", "mass", "m1_prior", slot="m1_eV", scale=MILLI_EV_TO_EV),
    Inferred(AMPLITUDE, "amplitude", "", "amplitude", "amplitude_sd", "amplitude",
             moves=_coupled, level="crystal"),
    Inferred(BASELINE, "baseline", "nG", "offset", "baseline_sd", "baseline", level="run"),
    Inferred(LEAKAGE, "leakage", "", "offset", "leakage_sd", "baseline", shape=_leakage,
             level="run"),
    Inferred(
        "refractive_index", "nᵣ", "", "index", "refractive_index_sd",
        "refractive-index", "refractive_index", moves=_refracting, level="crystal",
    ),
    Inferred(
        "theta_s_offset_deg", "Δθₛ", "deg", "angle", "theta_s_offset_sd_deg",
        "pointing", "theta_s_offset", _RAD_PER_DEG, moves=_pointing_s, level="run",
    ),
    Inferred(
        "theta_e_offset_deg", "Δθₑ", "deg", "angle", "theta_e_offset_sd_deg",
        "pointing", "theta_e_offset", _RAD_PER_DEG, moves=_pointing_e, level="run",
    ),
    *(
        Inferred(name, symbol, unit, "oscillation", "oscillation_errors",
                 "oscillations", name, corner=False)
        for name, symbol, unit in (
            ("sin2_12", "sin²θ₁₂", ""),
            ("sin2_13", "sin²θ₁₃", ""),
            ("dm2_21", "Δm²₂₁", "eV²"),
            ("dm2_3l", "Δm²₃ₗ", "eV²"),
        )
    ),
    *(
        Inferred(f"{slot}_deg", symbol, "deg", "phase", "phases",
                 "phases", slot, _RAD_PER_DEG, majorana=slot != "delta")
        for slot, symbol in (("delta", "δ"), ("alpha21", "α₂₁"), ("alpha31", "α₃₁"))
    ),
    Inferred(
        "extraordinary_offset", "Δnₑ", "", "excess", "extraordinary_index_sd",
        "refractive-index", "extraordinary_offset", moves=_doubly_refracting, level="crystal",
    ),
)  # fmt: skip
"""The table."""
SUM, BETA, DOUBLE_BETA = "sum_meV", "m_beta_meV", "m_betabeta_meV"
MASSES = ("mass_1_meV", "mass_2_meV", "mass_3_meV")
"""In the standard numbering, whatever is lightest."""
JARLSKOG = "jarlskog"
BETA_SQUARED = "m_beta_squared_eV2"
"""What experiments fit, negative too, in place of the mass; no posterior repeats it."""
SEEN_PHASE = "alpha31_minus_2delta_deg"
SEEN_PHASES = ("alpha21_deg", SEEN_PHASE)
"""All that a signal tells of the phases."""
DERIVED_TEXTS = {
    SUM: "Σm [meV]",
    BETA: "m_β [meV]",
    DOUBLE_BETA: "m_ββ [meV]",
    MASSES[0]: "m(ν₁) [meV]",
    MASSES[1]: "m(ν₂) [meV]",
    MASSES[2]: "m(ν₃) [meV]",
    JARLSKOG: "J",
    SEEN_PHASE: "α₃₁ − 2δ [deg]",
}
"""What follows from parameters, as tables show it; see ``derived.py``."""
