"""What a process makes once of a study, though every task asks for it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from renp_infer.study.study import Study

KEPT = 2
"""Studies of which it is kept."""


@dataclass(frozen=True)
class _Keyed:
    """A study that is remembered by its key."""

    key: str
    study: Study = field(compare=False)


def remembered[T](make: Callable[[Study], T], kept: int = KEPT) -> Callable[[Study, str], T]:
    """A function ``(study, key)`` that gives what was made before if the key is the same."""

    @functools.lru_cache(maxsize=kept)
    def made(keyed: _Keyed) -> T:
        return make(keyed.study)

    def ask(study: Study, key: str) -> T:
        return made(_Keyed(key, study))

    return ask
