"""Compiled functions, kept on the disk where that is possible."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numba
from numba.core.runtime import rtsys

from renp_infer.terminal import say

NO_CACHE = (
    "compiled kernels cannot be kept, each process compiles them anew: "
    "set NUMBA_CACHE_DIR to a folder that can be written"
)


def njit(*, cache: bool, **options: Any) -> Any:
    """Compile a function as ``numba.njit`` does; a cache that fails is no cache.

    Parameters
    ----------
    cache : bool
        Whether what is compiled is kept.
    **options
        Of ``numba.njit``.
    """

    def compiled(function: Callable[..., Any]) -> Any:
        found = numba.njit(**options)(function)
        if cache:
            try:
                found.enable_caching()
            except (RuntimeError, OSError):  # no folder, neither the package's nor the user's
                _say_once()
            else:
                _lighten(found._cache)
                _forgive(found._cache)
        return found

    return compiled


def _lighten(kept: Any) -> None:
    """Have a kept kernel loaded without all that Numba can compile: 0.1 s of each process.

    ``load_overload`` fills its tables of that first, of which a kernel that is compiled needs
    nothing but the runtime of its arrays; what has to be compiled fills them then.
    """
    if not hasattr(kept, "_load_overload"):  # of a version that has other names: as that does
        return

    def load(signature: Any, context: Any) -> Any:
        rtsys.initialize(context)
        return kept._load_overload(signature, context)

    kept.load_overload = load


def _forgive(kept: Any) -> None:
    """Have a cache that cannot be read or written cost time, and no more."""
    for name in ("load_overload", "save_overload"):
        setattr(kept, name, _forgiving(getattr(kept, name)))


def _forgiving(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def attempt(*arguments: Any) -> Any:
        try:
            return method(*arguments)
        except (OSError, EOFError, ValueError):  # full, forbidden, or cut off
            _say_once()
            return None
        except (ImportError, AttributeError):  # of a version whose modules had other names
            return None

    return attempt


@functools.cache
def _say_once() -> None:
    say(NO_CACHE)
