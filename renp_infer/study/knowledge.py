"""Constraints of a study: entries and files become terms of the posterior.

A file of constraints is TOML, with the lists of tables of ``[constraints]`` (``gaussian``,
``limit``, ``table``, ``chain``) and two words of its own: ``source`` and ``date``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from renp_infer.errors import ConfigError
from renp_infer.fields import Said
from renp_infer.inference.knowledge.constraints import (
    ONE_SIDED,
    TURNING,
    ChainConstraint,
    GaussianConstraint,
    LimitConstraint,
    PublishedTerm,
    TableConstraint,
    is_whole_turn,
)
from renp_infer.inference.priors.marginals import FULL_TURN_DEG
from renp_infer.records import FloatArray
from renp_infer.resources import named_file, read_toml, share_path
from renp_infer.study.columns import columns_of
from renp_infer.study.sections.base import Word
from renp_infer.study.sections.constraints import (
    ConstraintsSection,
    FileEntry,
    GaussianEntry,
    LimitEntry,
    with_absolute_files,
)

KEY = "constraints"
_CHI_SQUARED, _WEIGHT = "chi_squared", "weight"
_FEWEST, _FEWEST_DRAWS = 4, 100
"""Values along an axis of a table, and draws of a chain."""
_ROUNDING = 1e-9
_SAME_CHI_SQUARED = 0.01
"""Difference up to which two values of one angle are one."""


@dataclass(frozen=True)
class Stated:
    """A constraint, and under which ordering it holds.

    Attributes
    ----------
    term : PublishedTerm
    ordering : {"both", "normal", "inverted"}
    source : str
        Who published it, and when; empty where a study says it itself.
    data : str
        Name of the data that it is from, where a file tells; of two files with one only one counts.
    """

    term: PublishedTerm
    ordering: str
    source: str = ""
    data: str = ""


class ConstraintFile(ConstraintsSection):
    """A file of constraints, with where they are from.

    ``data`` names what they were found in, where other files have something else to say of it.
    """

    source: Word
    date: Word
    data: Word | None = None


def knowledge_of(section: ConstraintsSection | None) -> tuple[Stated, ...]:
    """Constraints of a section with absolute paths, its files first.

    Raises
    ------
    ConfigError
        On the first thing that is wrong, by the key's path or by file and key.
    """
    if section is None:
        return ()
    found: list[Stated] = []
    for path in files_of(section):
        rows = read_constraints(path)
        refuse_twice(rows, found, f"{KEY}.use")
        found += rows
    found += _entries(section, KEY)
    seen: set[str] = set()
    for row in found:
        if row.term.name in seen:
            allowed = "another name: one of the constraints has it"
            raise ConfigError(f"{KEY}.name", row.term.name, allowed)
        seen.add(row.term.name)
    return tuple(found)


def refuse_twice(found: Iterable[Stated], known: Iterable[Stated], key: str) -> None:
    """Refuse what a file says of data that are known already; blames ``key``.

    Raises
    ------
    ConfigError
    """
    names = {row.data: row.term.name for row in known if row.data}
    for row in found:
        if row.data in names:
            allowed = f"one result of {row.data}, of which {names[row.data]!r} is another"
            raise ConfigError(key, row.term.name, allowed, "both would count the same data twice")


def files_of(section: ConstraintsSection) -> list[Path]:
    """Files of constraints that a section uses."""
    return [constraint_file(name) for name in section.use]


def constraint_file(name: str, key: str = f"{KEY}.use") -> Path:
    """A path that ends in ``.toml``, or the name of a file that ships with the package."""
    if name.endswith(".toml"):
        return Path(name)
    extra = ", or a path that ends in .toml"
    return named_file(share_path("data") / "constraints", name, key, extra)


def read_constraints(path: Path) -> tuple[Stated, ...]:
    """Constraints of a file, whose own paths start from its folder.

    Raises
    ------
    ConfigError
        By file and key.
    """
    raw = read_toml(path, str(path))
    try:
        section = ConstraintFile.model_validate(raw)
    except ValidationError as error:
        raise _of_file(error, path) from None
    if section.use:
        raise ConfigError(f"{path}:use", list(section.use), "nothing: a file names no other files")
    found = _entries(with_absolute_files(section, path.parent), f"{path}:")
    if not found:
        kinds = "[[gaussian]], [[limit]], [[table]] or [[chain]]"
        raise ConfigError(str(path), Said("no constraint"), f"some of {kinds}")
    source = f"{section.source}, {section.date}"
    return tuple(replace(row, source=source, data=section.data or "") for row in found)


def _of_file(error: ValidationError, path: Path) -> ConfigError:
    """What is wrong with a file of constraints, an unknown key first: it is another file then."""
    details = sorted(
        error.errors(include_url=False), key=lambda detail: detail["type"] != "extra_forbidden"
    )
    steps, kind, given = details[0]["loc"], details[0]["type"], details[0]["input"]
    where = f"{path}:" + "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps
    ).removeprefix(".")
    if kind == "extra_forbidden" and len(steps) == 1:
        known = ", ".join(name for name in ConstraintFile.model_fields if name != "use")
        return ConfigError(where, given, f"a file of constraints, whose keys are {known}")
    words = {
        "extra_forbidden": "no such key",
        "missing": f"a value for {str(steps[-1])!r}",
        "tuple_type": "a list, [...]",
    }
    allowed = details[0].get("ctx", {}).get("allowed", details[0]["msg"])
    told = Said("nothing") if kind == "missing" else given
    return ConfigError(where, told, words.get(kind, str(allowed)))


def _entries(section: ConstraintsSection, key: str) -> list[Stated]:
    makers: dict[str, Any] = {
        "gaussian": _gaussian,
        "limit": _limit,
        "table": _table,
        "chain": _chain,
    }
    return [
        Stated(make(entry, f"{key}.{kind}[{k}]".replace(":.", ":")), entry.ordering)
        for kind, make in makers.items()
        for k, entry in enumerate(getattr(section, kind))
    ]


def _gaussian(entry: GaussianEntry, key: str) -> GaussianConstraint:
    size = len(entry.quantities)
    _some(entry.quantities, key, size=None)
    if len(entry.values) != size:
        raise ConfigError(f"{key}.values", list(entry.values), f"{size} numbers")
    if (entry.errors is None) == (entry.covariance is None):
        given = Said("both" if entry.errors else "neither")
        raise ConfigError(f"{key}.errors", given, "either errors or covariance")
    if entry.errors is not None:
        if len(entry.errors) != size:
            raise ConfigError(f"{key}.errors", list(entry.errors), f"{size} numbers")
        covariance = np.diag(np.array(entry.errors) ** 2)
    else:
        rows = entry.covariance or ()
        if len(rows) != size or any(len(row) != size for row in rows):
            raise ConfigError(f"{key}.covariance", Said("no square"), f"{size} rows of {size}")
        covariance = np.array(rows)
        scale = np.sqrt(np.abs(np.diag(covariance)))
        scale = np.where(scale > 0.0, scale, 1.0)
        unit = covariance / np.outer(scale, scale)
        if not np.allclose(unit, unit.T) or np.linalg.eigvalsh(unit)[0] < 1e-10:
            given = Said("a matrix that is not")
            raise ConfigError(f"{key}.covariance", given, "symmetric and positive definite")
    return GaussianConstraint(
        entry.name, entry.quantities, np.array(entry.values), np.asarray(covariance, float)
    )


def _limit(entry: LimitEntry, key: str) -> LimitConstraint:
    if entry.shape is None:
        allowed = f'"{ONE_SIDED}": a limit does not say the shape of its likelihood'
        raise ConfigError(f"{key}.shape", Said("nothing"), allowed)
    if entry.quantity in TURNING:
        allowed = "no phase: on a circle nothing is above a limit"
        hint = "[[constraints.table]] or [[constraints.gaussian]] know the circle"
        raise ConfigError(f"{key}.quantity", entry.quantity, allowed, hint)
    if entry.best >= entry.upper:
        raise ConfigError(f"{key}.best", entry.best, f"< upper = {entry.upper:g}")
    least = entry.upper_least
    if least is not None and not entry.best < least < entry.upper:
        allowed = f"> best = {entry.best:g} and < upper = {entry.upper:g}"
        raise ConfigError(f"{key}.upper_least", least, allowed)
    return LimitConstraint(entry.name, entry.quantity, entry.upper, entry.level, entry.best, least)


def _table(entry: FileEntry, key: str) -> TableConstraint:
    _some(entry.quantities, key, size=2)
    *places, heights = columns_of(
        Path(entry.file), (*entry.quantities, _CHI_SQUARED), f"{key}.file"
    )
    axes = tuple(np.unique(place) for place in places)
    if any(axis.size < _FEWEST for axis in axes):
        sizes = " x ".join(str(axis.size) for axis in axes)
        raise ConfigError(f"{key}.file", Said(f"{sizes} values"), f"{_FEWEST} or more of each")
    index = tuple(np.searchsorted(axis, at) for axis, at in zip(axes, places, strict=True))
    grid = np.full([axis.size for axis in axes], np.nan)
    grid[index] = heights
    if heights.size != grid.size or np.any(np.isnan(grid)):
        given = Said(f"{heights.size} rows")
        raise ConfigError(f"{key}.file", given, f"a full grid, {grid.size} different rows")
    for place, name in enumerate(entry.quantities):
        if name in TURNING:
            axes, grid = _closed(axes, grid, place, f"{key}.file")
    return TableConstraint(entry.name, entry.quantities, axes, grid)


def _closed(
    axes: tuple[FloatArray, ...], grid: FloatArray, place: int, key: str
) -> tuple[tuple[FloatArray, ...], FloatArray]:
    """A table of which one axis is a phase, closed to a turn where it lacks no more than a step.

    Ends that are one angle have one value; where a table has two, it jumps there.
    """
    axis, first, last = axes[place], np.take(grid, [0], place), np.take(grid, [-1], place)
    lacks = FULL_TURN_DEG - (axis[-1] - axis[0])
    if is_whole_turn(axis):
        if np.max(np.abs(last - first)) > _SAME_CHI_SQUARED:
            return axes, grid
        axis, grid = axis[:-1], np.delete(grid, -1, place)
    elif lacks < 0.0:
        given = Said(f"{axis[0]:g} to {axis[-1]:g} degrees")
        raise ConfigError(key, given, "one turn at most: a phase is periodic")
    elif lacks > (1.0 + _ROUNDING) * np.max(np.diff(axis)):
        return axes, grid
    axis = np.append(axis, axis[0] + FULL_TURN_DEG)
    return (*axes[:place], axis, *axes[place + 1 :]), np.concatenate([grid, first], place)


def _chain(entry: FileEntry, key: str) -> ChainConstraint:
    _some(entry.quantities, key, size=None)
    *columns, weights = columns_of(
        Path(entry.file), entry.quantities, f"{key}.file", weight=_WEIGHT
    )
    draws = np.column_stack(columns)
    if len(draws) < _FEWEST_DRAWS:
        allowed = f"{_FEWEST_DRAWS} draws or more"
        raise ConfigError(f"{key}.file", Said(f"{len(draws)} draws"), allowed)
    if np.any(weights < 0.0) or not np.sum(weights) > 0.0:
        raise ConfigError(f"{key}.file", Said("a negative weight, or none"), "weights >= 0")
    spread = np.linalg.matrix_rank(np.atleast_2d(np.cov(draws.T, aweights=weights, bias=True)))
    if spread < draws.shape[1]:
        allowed = "draws that vary in every direction"
        raise ConfigError(f"{key}.file", Said("a constant combination of columns"), allowed)
    return ChainConstraint(entry.name, entry.quantities, draws, weights)


def _some(quantities: tuple[str, ...], key: str, size: int | None) -> None:
    """Refuse none, repeated, or too many quantities."""
    most = size or len(quantities)
    if not 0 < len(set(quantities)) == len(quantities) <= most:
        allowed = "one or two, different" if size else "one or more, different"
        raise ConfigError(f"{key}.quantities", list(quantities), allowed)
