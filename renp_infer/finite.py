"""NaN, infinity and overflow: caught where a stage ends, named with their causes.

A stage runs its arithmetic in ``faults`` and hands its result through the
check that it gives. Nothing is tested inside hot loops.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from renp_infer.errors import NonFiniteError, RenpError


@contextmanager
def faults(
    quantity: str, causes: Mapping[str, object], theta_s: Any = None
) -> Iterator[Callable[[Any], Any]]:
    """Turn every arithmetic fault of a block into a ``NonFiniteError``.

    Parameters
    ----------
    quantity : str
        What is calculated.
    causes : mapping
        Parameter values it is calculated from.
    theta_s : ndarray, shape (n,), optional
        Trigger angles along the last axis of the result, rad.

    Yields
    ------
    callable
        Returns its argument, a number or an array, if all of it is finite.

    Raises
    ------
    NonFiniteError
        For overflow, division by zero, a matrix without inverse or factor,
        and for what the check is given.
    """
    try:
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            yield lambda value: require_finite(quantity, value, causes, theta_s)
    except RenpError:
        raise
    except (ArithmeticError, np.linalg.LinAlgError) as error:
        reason = error.args[-1] if error.args else "arithmetic fault"
        raise NonFiniteError(quantity, str(reason), causes) from error


def require_finite(
    quantity: str, value: Any, causes: Mapping[str, object], theta_s: Any = None
) -> Any:
    """Return a number or an array if all of it is finite.

    Parameters
    ----------
    quantity, causes, theta_s
        See ``faults``.
    value : float or ndarray

    Raises
    ------
    NonFiniteError
        Names the first element that is not, its index and its angle.
    """
    array = np.asarray(value)
    good = np.isfinite(array)
    if np.all(good):
        return value
    index = tuple(int(k) for k in np.argwhere(~good)[0])
    found = str(array[index])
    if index:
        found += f" at index {', '.join(map(str, index))}"
    if theta_s is not None and index:
        angle = float(np.rad2deg(np.asarray(theta_s)[index[-1]]))
        causes = {"theta_s_deg": angle, **causes}
    raise NonFiniteError(quantity, found, causes)


def require_finite_tree(tree: Any, causes: Mapping[str, object], path: str = "") -> Any:
    """Return nested dicts, lists and scalars if all their numbers are finite.

    Raises
    ------
    NonFiniteError
        Names the dotted path of the first number that is not.
    """
    if isinstance(tree, dict):
        for key, item in tree.items():
            require_finite_tree(item, causes, f"{path}.{key}" if path else str(key))
    elif isinstance(tree, list | tuple):
        for k, item in enumerate(tree):
            require_finite_tree(item, causes, f"{path}[{k}]")
    elif isinstance(tree, float) and not math.isfinite(tree):
        raise NonFiniteError(path or "value", str(tree), causes)
    return tree
