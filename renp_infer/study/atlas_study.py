"""A row of the atlas as a study with its target scheme."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import tomli_w

from renp_infer.physics.atlas.beams import LadderBeams
from renp_infer.physics.atlas.scheme import Ladder, ladder_columns, ladder_scheme
from renp_infer.physics.atlas.screening import LARGEST, Intensities
from renp_infer.physics.constants import EV_TO_MILLI_EV
from renp_infer.physics.ions.build import scheme_text
from renp_infer.physics.ions.guesses import guesses
from renp_infer.physics.targets.channels import figure_of_merit
from renp_infer.physics.targets.scheme import read_scheme
from renp_infer.physics.targets.target import channels_of
from renp_infer.records import FloatArray
from renp_infer.study.sections.atlas import NOT_ASKED, REFERENCE_SNR, AtlasSection

REFERENCE = "er-ylf-built"
"""Scheme of the paper's ladder from wave functions, whose noise rows share."""
UTILITIES = {"mass": "eig_m1", "ordering": "p_ordering", "nature": "p_nature"}
"""What a layout is searched for, by question."""
_HEAVIEST_MEV = 100.0
"""End of the prior of m1, so that rows are asked the same."""
_TILT_DEG = 30.0
"""By how much a search turns the second laser, either way."""
SEARCH = {
    "evaluations": 16,
    "polish": 0,
    "truths": 16,
    "final_truths": 32,
    "masses": 97,
    "at_m1_meV": [50.0],
    "equal_time": False,
    "effects": 0,
    "comparisons": False,
}
"""How much a search of a row's layout does: a minute or two."""
_WINDOW = 0.5
"""Part of the pair's energy that the angles cover, up to the threshold."""
_POINTS = 61
_SHARE = 0.95
"""Largest m1 of the prior, over half the pair's energy."""


@dataclass(frozen=True)
class RowQuestion:
    """What the study of a row asks.

    Attributes
    ----------
    question : {"mass", "ordering", "nature"}
        Whose utility its layout is searched for.
    reference_snr : float
        Peak S/N of the paper's ladder at the study's noise.
    confirm : int
        Mock data sets of the layout that is found.
    """

    question: str = "mass"
    reference_snr: float = REFERENCE_SNR
    confirm: int = NOT_ASKED

    @classmethod
    def of(cls, section: AtlasSection, question: str) -> RowQuestion:
        """As a section ``[atlas]`` has it."""
        return cls(question, section.reference_snr, section.confirm)


FOR_MASS = RowQuestion()


@dataclass(frozen=True)
class AtlasStudy:
    """Files of a row.

    Attributes
    ----------
    name : str
    study : str
        TOML of the study, which names the scheme beside it.
    scheme : str
        TOML of the target scheme.
    """

    name: str
    study: str
    scheme: str

    @property
    def files(self) -> dict[str, str]:
        """Texts by name of file."""
        return {f"{self.name}.toml": self.study, scheme_file(self.name): self.scheme}


def scheme_file(name: str) -> str:
    """File of the scheme of a study."""
    return f"{name}-scheme.toml"


def atlas_study(row: str, asked: RowQuestion = FOR_MASS, key: str = "ROW") -> AtlasStudy:
    """Study of a row of the atlas, such as "Er-62-37-44": ion and levels e, p, q.

    All rows have the noise at which the peak of the paper's ladder has one S/N, so that they
    are compared by their ions; angles lie in the upper half of momenta up to the threshold.

    Parameters
    ----------
    row : str
        Ladder as the table of ``renp atlas`` names it; no run is needed.
    asked : RowQuestion
    key : str
        What to blame in an error.

    Raises
    ------
    ConfigError
        If there is no such ladder, or dieke is missing.
    """
    ladder = Ladder.read(row, key)
    scheme, name = ladder_scheme(ladder, key), f"atlas-{row.lower()}"
    tables = study_tables(ladder, name, scheme_file(name), asked)
    text = f"# {scheme['title']}: see docs/atlas.md.\n{tomli_w.dumps(tables)}"
    return AtlasStudy(name, text, scheme_text(scheme))


def study_tables(ladder: Ladder, name: str, scheme: str, asked: RowQuestion) -> dict[str, Any]:
    """Tables of the study of a ladder, whose scheme is in a file."""
    layout = ladder_layout(ladder)
    return {
        "schema": 1,
        "name": name,
        "neutrino": {"m1_meV": 50.0, "ordering": "normal", "nature": "majorana"},
        "physics": {"preset": "first-principles"},
        "target": {"scheme": scheme},
        "layout": layout,
        "lasers": {"chi_squared": LARGEST, "trigger_delay_lifetimes": 0.0},
        "detector": {"exposure_s": 3600.0, "reference_snr": ladder_snr(ladder, asked)},
        "inference": {"m1_max_meV": heaviest_meV(ladder)},
        "optimize": ladder_search(layout, asked),
    }


def ladder_search(layout: dict[str, Any], asked: RowQuestion) -> dict[str, Any]:
    """Section ``[optimize]``: the second laser's angle and a window around the threshold."""
    angles, theta_e = layout["theta_s_deg"], layout["theta_e_deg"]
    width = angles["stop"] - angles["start"]

    def within(low: float, high: float) -> dict[str, Any]:
        return {"low": round(low, 4), "high": round(high, 4)}

    window = {
        "threshold": "33",
        "distance_deg": within(-width, 0.25 * width),
        "width_deg": within(0.1 * width, min(2.0 * width, 180.0)) | {"scale": "log"},
        "points": _POINTS,
    }
    turned = within(max(theta_e - _TILT_DEG, 1.0), min(theta_e + _TILT_DEG, 179.0))
    return SEARCH | {
        "utility": UTILITIES[asked.question],
        "confirm": asked.confirm,
        "vary": {"layout.theta_e_deg": turned},
        "windows": [window],
    }


def heaviest_meV(ladder: Ladder) -> float:
    """End of the prior of m1: that of all rows, or below what the pair's energy allows."""
    epsilon = float(ladder_columns(ladder, Intensities(1.0, 1.0, 1.0))["epsilon_eV"][0])
    most = _SHARE * 0.5 * epsilon * EV_TO_MILLI_EV
    return min(_HEAVIEST_MEV, float(f"{most:.4g}"))


def ladder_snr(ladder: Ladder, asked: RowQuestion = FOR_MASS) -> float:
    """Peak S/N of massless pairs, at the noise of the paper's ladder: as moment times eps^3."""
    columns = ladder_columns(ladder, Intensities(1.0, 1.0, 1.0))
    own = {name: float(columns[name][0]) for name in ("weight", "handedness", "delta_mu")}
    moment = abs(own["weight"] * own["handedness"] * own["delta_mu"])
    channel = channels_of(read_scheme(REFERENCE))[0]
    reference = abs(figure_of_merit(channel)) * math.sqrt(3.0) * channel.epsilon**2
    ratio = moment * float(columns["epsilon_eV"][0]) ** 3 / reference
    return float(f"{asked.reference_snr * ratio:.6g}")


def ladder_layout(ladder: Ladder) -> dict[str, Any]:
    """Beams whose momentum runs along c, from half of eps to beyond the threshold."""
    columns = ladder_columns(ladder, Intensities(1.0, 1.0, 1.0))
    p, q, e = (np.asarray(columns[f"energy_{n}_eV"], dtype=float) for n in "pqe")
    beams = LadderBeams.of(p, q, e, guesses().index)
    first, last = (beams.trigger_angle(part * (e - p)) for part in (1.0 - _WINDOW, 1.0))
    axis = beams.direction(0.5 * (first + last))
    angles = {"start": first, "stop": last}
    return {
        "theta_e_deg": _degrees(beams.theta_e),
        "c_axis_deg": _degrees(axis),
        "theta_s_deg": {n: _degrees(v) for n, v in angles.items()} | {"points": _POINTS},
    }


def _degrees(angle: FloatArray) -> float:
    return round(float(np.rad2deg(angle[0])), 4)
