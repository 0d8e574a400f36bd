"""Constraints of a design space: comparisons of its quantities, written as text.

Numbers, names, ``+ - * / **``, comparisons (also ``a <= b <= c`` and ``a within
[low, high]``), ``and``, ``or``. Nothing else is a constraint, and nothing is executed.
Of a direction ``within [170, 190]`` is the same as of one at -175 degrees: there full turns do
not matter.
A quantity with many values, such as the trigger angles, must satisfy it everywhere.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from renp_infer.design.spaces.cost import CostModel, total_power_mW
from renp_infer.design.spaces.space import TURN_DEG
from renp_infer.design.utilities.beside import Split
from renp_infer.errors import DomainError
from renp_infer.records import Experiment

MAX_CHARACTERS, MAX_NODES = 500, 200
"""Longest constraint, and most parts that it may have."""
ANY_PLACE = 180.0
Quantities = Mapping[str, Any]
_WITHIN = re.compile(r"^(.+?)\s+within\s+\[([^,\[\]]+),([^,\[\]]+)\]\s*$")
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def quantities(
    experiment: Experiment, values: Mapping[str, Any], cost: CostModel
) -> dict[str, Any]:
    """What constraints may speak of, by name.

    Every number of the study's layout, lasers, detector and target, by its key with or
    without the section, those of the pickup loop as ``pickup.radius_cm``; the settings of
    windows; and ``volume_cm3``, ``total_power_mW``, ``peak_intensity_mW_cm2`` (of the
    strongest laser), ``min_spacing_deg`` (180 for a single angle), ``angles`` and ``cost``.
    Where an exposure is split among data sets, only the shares.
    """
    layout, lasers = experiment.layout, experiment.lasers
    angles = np.rad2deg(layout.theta_s)
    found: dict[str, Any] = {k: v for k, v in values.items() if isinstance(v, int | float)}
    if isinstance(experiment, Split):
        return found
    found |= {
        "volume_cm3": layout.volume_cm3,
        "total_power_mW": total_power_mW(experiment),
        "peak_intensity_mW_cm2": max(lasers.eq_mW_cm2, lasers.qg_mW_cm2, lasers.trigger_mW_cm2),
        "min_spacing_deg": float(np.min(np.diff(angles))) if angles.size > 1 else ANY_PLACE,
        "angles": angles.size,
        "cost": cost(experiment),
    }
    for section in ("layout", "lasers", "detector", "target"):
        for name, value in _numbers(getattr(experiment, section)):
            found[name] = found[f"{section}.{name}"] = value
    if experiment.detector.pickup is not None:
        for name, value in _numbers(experiment.detector.pickup):
            found[f"pickup.{name}"] = found[f"detector.pickup.{name}"] = value
    return found


DIRECTIONS = ("theta_e_deg", "theta_s_deg", "c_axis_deg", "centre_deg")
"""Quantities of which ``a <= b <= c`` does not mind full turns."""
_ANGLES = {"theta_e", "theta_s", "c_axis", "resolution", "tilt"}
_ENERGIES = {"omega_1", "omega_2", "omega_s"}


def _numbers(record: Any) -> list[tuple[str, Any]]:
    """Numbers of a record, by their study key."""
    rows = []
    for name, value in vars(record).items():
        if name in _ANGLES and value is not None:
            rows.append((f"{name}_deg", np.rad2deg(value)))
        elif name in _ENERGIES:
            rows.append((f"{name}_eV", value))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            rows.append((name, value))
    return rows


@dataclass(frozen=True)
class Constraint:
    """One constraint.

    Parameters
    ----------
    text : str

    Raises
    ------
    DomainError
        If it is none.
    """

    text: str
    _tree: ast.expr = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_tree", _parsed(self.text))

    @property
    def names(self) -> set[str]:
        """Quantities that it speaks of."""
        return _names(self._tree)

    def holds(self, known: Quantities) -> bool:
        """Tell whether it is satisfied; what cannot be calculated satisfies nothing.

        Nor does what a design does not have, such as the angle of a c axis that is normal.
        """
        try:
            with np.errstate(all="ignore"):
                return bool(_value(self._tree, known))
        except (ArithmeticError, TypeError, KeyError):
            return False


def _parsed(text: str) -> ast.expr:
    allowed = 'a comparison of numbers and quantities, such as "volume_cm3 <= 10"'
    match = _WITHIN.match(text)
    source = f"({match[2]}) <= ({match[1]}) <= ({match[3]})" if match else text
    try:
        if len(text) > MAX_CHARACTERS:
            raise SyntaxError("too long")
        tree = ast.parse(source.strip(), mode="eval").body
        nodes = list(ast.walk(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise DomainError("constraint", text, allowed) from error
    if len(nodes) > MAX_NODES or not _is_statement(tree):
        raise DomainError("constraint", text, allowed)
    _refuse_hopeless(tree, text)
    return tree


def _refuse_hopeless(tree: ast.expr, text: str) -> None:
    """Refuse what no design satisfies: a number without a value, or a comparison of numbers."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.expr) or _names(node):
            continue
        number = _is_number(node)
        if not (number or _is_statement(node)):
            continue
        try:
            good = math.isfinite(_value(node, {})) if number else _value(node, {})
        except (ArithmeticError, TypeError):  # roots of negative numbers are complex
            good = False
        if not good:
            needed = f"{ast.unparse(node)} to have a value, or be true"
            raise DomainError("constraint", text, needed)


def _is_statement(node: ast.expr) -> bool:
    """Whether it is true or false, and made of what is allowed."""
    if isinstance(node, ast.BoolOp):
        return all(_is_statement(value) for value in node.values)
    if not isinstance(node, ast.Compare) or not all(type(op) in _COMPARE for op in node.ops):
        return False
    return all(_is_number(side) for side in (node.left, *node.comparators))


def _is_number(node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return isinstance(node.value, int | float) and not isinstance(node.value, bool)
        case ast.Name():
            return True
        case ast.Attribute():
            return bool(_dotted(node))
        case ast.UnaryOp():
            return type(node.op) in _UNARY and _is_number(node.operand)
        case ast.BinOp():
            return type(node.op) in _BINARY and _is_number(node.left) and _is_number(node.right)
    return False


def _dotted(node: ast.expr) -> str:
    """Name of a quantity, with the sections it stands in; empty if it is none."""
    if isinstance(node, ast.Name):
        return node.id
    section = _dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{section}.{node.attr}" if section and isinstance(node, ast.Attribute) else ""


def _names(tree: ast.expr) -> set[str]:
    parts = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.expr) and id(n) not in parts]
    return {_dotted(node) for node in nodes if _dotted(node)}


def _is_direction_within(node: ast.Compare) -> bool:
    """Whether it says that a direction is between two others: full turns do not matter then."""
    if len(node.ops) != 2 or not all(isinstance(op, ast.Lt | ast.LtE) for op in node.ops):
        return False
    return _dotted(node.comparators[0]).rpartition(".")[2] in DIRECTIONS


def _value(node: ast.expr, known: Quantities) -> Any:
    match node:
        case ast.Constant():
            return float(node.value)  # type: ignore[arg-type]
        case ast.Name() | ast.Attribute():
            return known[_dotted(node)]
        case ast.UnaryOp():
            return _UNARY[type(node.op)](_value(node.operand, known))
        case ast.BinOp():
            return _BINARY[type(node.op)](_value(node.left, known), _value(node.right, known))
        case ast.BoolOp():
            combine = all if isinstance(node.op, ast.And) else any
            return combine(bool(_value(value, known)) for value in node.values)
        case ast.Compare():
            sides = [_value(side, known) for side in (node.left, *node.comparators)]
            if _is_direction_within(node):
                sides[1] = sides[0] + np.mod(np.asarray(sides[1]) - sides[0], TURN_DEG)
            steps = zip(node.ops, sides, sides[1:], strict=False)
            return all(bool(np.all(_COMPARE[type(op)](a, b))) for op, a, b in steps)
    raise TypeError(type(node).__name__)
