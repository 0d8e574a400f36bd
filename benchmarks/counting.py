"""Arithmetic of a compiled kernel, counted while its source runs as plain Python.

``counted(kernel, *arguments)`` runs the kernel, and every kernel that it calls, from
source with each operation on floats entered in a tally: ``flop`` for sums, differences
and products, ``divide``, and NumPy's functions by name. Comparisons, ``min``, ``max``,
``abs``, signs, whole numbers and the logic around them are not arithmetic here; a power
is one flop, or an ``exp`` and a ``log`` if it is not whole; a matrix product (m, k) (k, n)
is 2 m k n flops. No count is kept by hand.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections import Counter
from typing import Any

import numpy as np
from numba.core.dispatcher import Dispatcher

FUNCTIONS = {"sqrt", "exp", "log", "sin", "cos", "arccos", "arcsin", "arctan2", "arcsinh"}
FUNCTIONS |= {"sinh", "cosh"}
TALLY, PRODUCT = "_tally", "_product"

Tally = Counter[str]


def counted(kernel: Dispatcher, *arguments: Any) -> tuple[Tally, Any]:
    """Operations of one call, and what it returned."""
    tally: Tally = Counter()
    with np.errstate(all="ignore"):
        result = _plain(kernel, tally, {})(*arguments)
    return tally, result


def _plain(kernel: Dispatcher, tally: Tally, made: dict[Dispatcher, Any]) -> Any:
    """The kernel as a Python function that tallies, and with it those it calls."""
    if kernel in made:
        return made[kernel]
    function = kernel.py_func
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    tree.body[0].decorator_list.clear()  # type: ignore[attr-defined]
    code = compile(ast.fix_missing_locations(_Entries().visit(tree)), function.__name__, "exec")
    names = dict(function.__globals__) | {TALLY: _entry(tally), PRODUCT: _matrix_product(tally)}
    for name in function.__code__.co_names:
        if isinstance(other := names.get(name), Dispatcher):
            names[name] = _plain(other, tally, made)
    exec(code, names)
    made[kernel] = names[function.__name__]
    return made[kernel]


def _entry(tally: Tally) -> Any:
    def enter(kind: str, value: Any) -> Any:
        if isinstance(value, float):
            tally[kind] += 1
        elif isinstance(value, np.ndarray) and value.dtype.kind == "f":
            tally[kind] += value.size
        return value

    return enter


def _matrix_product(tally: Tally) -> Any:
    def product(left: Any, right: Any) -> Any:
        found = left @ right
        tally["flop"] += 2 * left.shape[-1] * np.size(found)
        return found

    return product


class _Entries(ast.NodeTransformer):
    """Puts every arithmetic expression through the tally."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.MatMult):
            return _call(PRODUCT, node.left, node.right)
        return _entered(node, node.op, node.right)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        self.generic_visit(node)
        node.value = _entered(node.value, node.op, node.value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in FUNCTIONS:
            return _call(TALLY, ast.Constant(function.attr), node)
        return node


def _entered(node: ast.expr, operator: ast.operator, right: ast.expr) -> ast.expr:
    for kind in _kinds(operator, right):
        node = _call(TALLY, ast.Constant(kind), node)
    return node


def _kinds(operator: ast.operator, right: ast.expr) -> tuple[str, ...]:
    if isinstance(operator, ast.Div):
        return ("divide",)
    if isinstance(operator, ast.Pow):
        whole = isinstance(right, ast.Constant) and float(right.value).is_integer()
        return ("flop",) if whole else ("exp", "log")
    return ("flop",)


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])
