"""Masses, mixing of the electron row, and weights of the six pairs."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from renp_infer.errors import ConfigError, DomainError
from renp_infer.physics.constants import EV_TO_MILLI_EV
from renp_infer.records import PAIR_INDEX, PAIRS, ComplexArray, FloatArray, Parameters, Switches
from renp_infer.resources import named_file, read_toml, share_path

Ordering = Literal["normal", "inverted"]
Nature = Literal["dirac", "majorana"]

MEASURED = ("sin2_12", "sin2_13", "dm2_21", "dm2_3l", "delta")
"""What a table gives for each ordering."""
ATMOSPHERIC = "sin2_23"
"""What it may give besides: the electron row does not have it, the Jarlskog invariant does."""
_UNITS = {"1": 1.0, "eV^2": 1.0, "deg": math.pi / 180.0}
_PHASE_TOLERANCE = 1e-9
INSIDE = 8.3
"""Standard errors by which a measured value lies inside its range: the tail beyond, 5e-17,
changes no normalisation."""


@dataclass(frozen=True)
class OscillationTable:
    """Measured oscillation parameters.

    Attributes
    ----------
    name, source : str
    values, sigmas : dict of dict
        Central value and standard error by ordering and by name (``MEASURED``, and
        ``ATMOSPHERIC`` where it is given);
        splittings in eV^2, delta in rad. A sigma of 0 means: held fixed.
    sin2_w, sin2_w_sigma : float
        Squared sine of the weak mixing angle at low energy.
    """

    name: str
    source: str
    values: dict[str, dict[str, float]]
    sigmas: dict[str, dict[str, float]]
    sin2_w: float
    sin2_w_sigma: float


@dataclass(frozen=True)
class PairWeights:
    """Weights of the six unordered pairs, doubled off the diagonal.

    Attributes
    ----------
    pv : ndarray, shape (6,)
        Re(b c*), parity-violating term of Eq. (63), order ``PAIRS``.
    pv_majorana : ndarray, shape (6,)
        Re(b c), its Majorana interference.
    rate : ndarray, shape (6,)
        abs(b)^2, rate of Eq. (56).
    rate_majorana : ndarray, shape (6,)
        Re(b^2), its Majorana interference.
    """

    pv: FloatArray
    pv_majorana: FloatArray
    rate: FloatArray
    rate_majorana: FloatArray


def load_oscillation(name: str, key: str = "neutrino.oscillation") -> OscillationTable:
    """Read ``data/oscillation/<name>.toml``.

    Parameters
    ----------
    name : str
        "nufit-6.0", "seed", the name of another file in that folder, or a path that ends
        in ``.toml``.
    key : str, optional
        Dotted key to blame in an error.

    Raises
    ------
    ConfigError
        If there is no such table or an entry of it is missing or wrong.
    """
    path = oscillation_file(name, key)
    raw = read_toml(path, key)
    rows = {o: _entries(raw.get(o), f"{path.name}:{o}") for o in ("normal", "inverted")}
    _check_signs(rows, path.name)
    _check_ranges(rows, path.name)
    weak = _entry(raw.get("sin2_w"), f"{path.name}:sin2_w")
    return OscillationTable(
        name=name,
        source=str(raw.get("source", "")),
        values={o: {k: v[0] for k, v in row.items()} for o, row in rows.items()},
        sigmas={o: {k: v[1] for k, v in row.items()} for o, row in rows.items()},
        sin2_w=weak[0],
        sin2_w_sigma=weak[1],
    )


def oscillation_file(name: str, key: str = "neutrino.oscillation") -> Path:
    """File of a table: a path that ends in ``.toml``, or that of a name the package ships."""
    if name.endswith(".toml"):
        return Path(name)
    extra = ", or a path that ends in .toml"
    return named_file(share_path("data") / "oscillation", name, key, extra)


def _entries(table: Any, key: str) -> dict[str, tuple[float, float]]:
    if not isinstance(table, dict):
        raise ConfigError(key, table, f"a table with {', '.join(MEASURED)}")
    names = (*MEASURED, ATMOSPHERIC) if ATMOSPHERIC in table else MEASURED
    return {name: _entry(table.get(name), f"{key}.{name}") for name in names}


def _entry(entry: Any, key: str) -> tuple[float, float]:
    """Value and sigma of one entry, in eV^2 and rad."""
    if not isinstance(entry, dict):
        raise ConfigError(key, entry, "a table with value, sigma, unit, source, date")
    if entry.get("unit") not in _UNITS:
        raise ConfigError(f"{key}.unit", entry.get("unit"), ", ".join(_UNITS))
    for name in ("value", "sigma"):
        if type(entry.get(name)) not in (int, float) or not math.isfinite(entry[name]):
            raise ConfigError(f"{key}.{name}", entry.get(name), "a finite number")
    if entry["sigma"] < 0.0:
        raise ConfigError(f"{key}.sigma", entry["sigma"], ">= 0")
    scale = _UNITS[entry["unit"]]
    return scale * entry["value"], scale * entry["sigma"]


def _check_signs(rows: dict[str, dict[str, tuple[float, float]]], name: str) -> None:
    for ordering, sign in (("normal", 1.0), ("inverted", -1.0)):
        splitting = rows[ordering]["dm2_3l"][0]
        if sign * splitting <= 0.0:
            allowed = "> 0 (Delta m^2_31)" if sign > 0.0 else "< 0 (Delta m^2_32)"
            raise ConfigError(f"{name}:{ordering}.dm2_3l.value", splitting, allowed)


def _check_ranges(rows: dict[str, dict[str, tuple[float, float]]], name: str) -> None:
    for ordering, row in rows.items():
        if ATMOSPHERIC in row and not 0.0 < row[ATMOSPHERIC][0] < 1.0:
            where = f"{name}:{ordering}.{ATMOSPHERIC}.value"
            raise ConfigError(where, row[ATMOSPHERIC][0], "between 0 and 1")
        for key, (low, high) in physical_ranges(row["dm2_21"][0], row["dm2_3l"][0]).items():
            value, sigma = row[key]
            if not low < value < high:
                where = f"{name}:{ordering}.{key}.value"
                raise ConfigError(where, value, f"between {low:g} and {high:g}")
            room = min(value - low, high - value) / INSIDE
            if sigma > room:
                allowed = f"<= {room:.3g}, {INSIDE:g} of it inside the physical range"
                hint = "0 holds it fixed"
                raise ConfigError(f"{name}:{ordering}.{key}.sigma", sigma, allowed, hint)


def physical_ranges(dm2_21: float, dm2_3l: float) -> dict[str, tuple[float, float]]:
    """What mixing angles and splittings of one ordering can be.

    Squared sines lie within 0 and 1. Splittings keep their signs, and a border between
    their sizes keeps the lightest mass the lightest: abs(dm2_3l) > dm2_21.

    Parameters
    ----------
    dm2_21, dm2_3l : float
        Central values, eV^2; the border is their geometric mean.
    """
    border = math.sqrt(abs(dm2_21 * dm2_3l))
    sine = (0.0, 1.0)
    large = (border, math.inf) if dm2_3l > 0.0 else (-math.inf, -border)
    return {"sin2_12": sine, "sin2_13": sine, "dm2_21": (0.0, border), "dm2_3l": large}


def make_parameters(
    m1_eV: float,
    ordering: Ordering,
    nature: Nature,
    delta: float,
    alpha21: float,
    alpha31: float,
    table: OscillationTable,
) -> Parameters:
    """Parameters at the central values of a table.

    Parameters
    ----------
    m1_eV : float
        LIGHTEST mass, eV, >= 0.
    ordering, nature : str
    delta, alpha21, alpha31 : float
        Phases, PDG convention, rad.
    table : OscillationTable
        Gives mixing angles, splittings and the weak mixing angle; its own
        delta is not used.

    Raises
    ------
    DomainError
        For a negative or non-finite mass, a non-finite phase, or an unknown
        ordering or nature.
    """
    if ordering not in ("normal", "inverted"):
        raise DomainError("ordering", ordering, "normal, inverted")
    if nature not in ("dirac", "majorana"):
        raise DomainError("nature", nature, "dirac, majorana")
    for name, phase in (("delta", delta), ("alpha21", alpha21), ("alpha31", alpha31)):
        if not math.isfinite(phase):
            raise DomainError(name, phase, "finite")
    unused = ("delta", ATMOSPHERIC)
    measured = {k: v for k, v in table.values[ordering].items() if k not in unused}
    p = Parameters(
        m1_eV, ordering, nature, delta, alpha21, alpha31, sin2_w=table.sin2_w, **measured
    )
    masses(p)
    return p


def masses(p: Parameters) -> FloatArray:
    """Masses in the standard numbering, whatever is lightest.

    Normal: ``p.m1_eV`` is m_1 and ``dm2_3l`` is Delta m^2_31 > 0. Inverted: it
    is m_3 and ``dm2_3l`` is Delta m^2_32 < 0.

    Returns
    -------
    ndarray, shape (3,)
        m_1, m_2, m_3 in eV.

    Raises
    ------
    DomainError
        If the lightest mass is negative or not finite, or if a splitting
        contradicts the ordering.
    """
    if not 0.0 <= p.m1_eV < math.inf:
        raise DomainError("m1_eV", p.m1_eV, ">= 0, finite")
    if not 0.0 < p.dm2_21 < math.inf:
        raise DomainError("dm2_21", p.dm2_21, "> 0, finite")
    light = p.m1_eV**2
    if p.ordering == "normal":
        if not p.dm2_21 < p.dm2_3l < math.inf:
            raise DomainError("dm2_3l", p.dm2_3l, "> dm2_21 for normal ordering")
        squares = (light, light + p.dm2_21, light + p.dm2_3l)
    else:
        if not -math.inf < p.dm2_3l < -p.dm2_21:
            raise DomainError("dm2_3l", p.dm2_3l, "< -dm2_21 for inverted ordering")
        squares = (light - p.dm2_3l - p.dm2_21, light - p.dm2_3l, light)
    return np.sqrt(np.array(squares))


def electron_row(p: Parameters) -> ComplexArray:
    """U_e1, U_e2, U_e3 in the PDG convention, Majorana phases included.

    Returns
    -------
    ndarray, shape (3,)

    Raises
    ------
    DomainError
        If a squared sine is outside [0, 1].
    """
    for name in ("sin2_12", "sin2_13"):
        if not 0.0 <= getattr(p, name) <= 1.0:
            raise DomainError(name, getattr(p, name), "from 0 to 1")
    c13 = math.sqrt(1.0 - p.sin2_13)
    moduli = np.array(
        (
            math.sqrt(1.0 - p.sin2_12) * c13,
            math.sqrt(p.sin2_12) * c13,
            math.sqrt(p.sin2_13),
        )
    )
    phases = np.array((0.0, 0.5 * p.alpha21, 0.5 * p.alpha31 - p.delta))
    return moduli * np.exp(1j * phases)


def couplings(p: Parameters) -> tuple[ComplexArray, ComplexArray]:
    """Axial and vector pair couplings b_ij and c_ij, Eq. (3).

    Returns
    -------
    b, c : ndarray, shape (3, 3)
    """
    row = electron_row(p)
    b = np.outer(row.conj(), row) - 0.5 * np.eye(3)
    return b, b + 2.0 * p.sin2_w * np.eye(3)


def weights(p: Parameters, switches: Switches) -> PairWeights:
    """Weights of the six pairs.

    ``switches.weights`` selects Eq. (3) or the printed rows of Table IV, which
    then serve for the Majorana terms too: b is real there. The printed
    magnetization row has the wrong sign of b_22 and b_33.

    Raises
    ------
    DomainError
        If Table IV is asked for with CP violation: delta must be a multiple of
        pi; for Majorana, alpha21 and alpha31 multiples of 2 pi (at pi CP is
        conserved, but Re(b^2) changes sign and the table does not hold).
    """
    if switches.weights == "table-iv":
        return _printed_weights(p)
    b, c = couplings(p)
    return PairWeights(
        pv=_six((b * c.conj()).real),
        pv_majorana=_six((b * c).real),
        rate=_six((b * b.conj()).real),
        rate_majorana=_six((b * b).real),
    )


def _six(matrix: FloatArray) -> FloatArray:
    """Six unordered pairs of a symmetric (3, 3) matrix, off-diagonal doubled."""
    return np.array([matrix[i, j] * (1.0 if i == j else 2.0) for i, j in PAIR_INDEX])


def _printed_weights(p: Parameters) -> PairWeights:
    phases = [("delta", p.delta, math.pi)]
    if p.nature == "majorana":
        turn = 2.0 * math.pi
        phases += [("alpha21", p.alpha21, turn), ("alpha31", p.alpha31, turn)]
    for name, phase, period in phases:
        if abs(math.remainder(phase, period)) > _PHASE_TOLERANCE:
            allowed = f"a multiple of {round(period / math.pi)} pi with weights = table-iv"
            raise DomainError(name, phase, allowed)
    rate, pv = (np.array(row) for row in _table_iv())
    return PairWeights(pv=pv, pv_majorana=pv.copy(), rate=rate, rate_majorana=rate.copy())


@functools.cache
def _table_iv() -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Read the printed rate and magnetization rows of Table IV."""
    path = share_path("data") / "oscillation" / "seed.toml"
    rows = read_toml(path, "physics.weights")["table_iv"]
    if tuple(rows["pairs"]) != PAIRS:
        raise ConfigError("seed.toml:table_iv.pairs", rows["pairs"], ", ".join(PAIRS))
    return tuple(rows["rate"]), tuple(rows["magnetization"])


def truth_of(parameters: Parameters) -> dict[str, Any]:
    """Parameters by the keys of a study's section ``[neutrino]``."""
    return {
        "m1_meV": EV_TO_MILLI_EV * parameters.m1_eV,
        "ordering": parameters.ordering,
        "nature": parameters.nature,
        "delta_deg": float(np.rad2deg(parameters.delta)),
        "alpha21_deg": float(np.rad2deg(parameters.alpha21)),
        "alpha31_deg": float(np.rad2deg(parameters.alpha31)),
    }
