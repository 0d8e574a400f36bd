"""Priors of a study by parameter: tables, and files of densities and samples, become priors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from renp_infer.errors import ConfigError, DomainError
from renp_infer.fields import Said
from renp_infer.inference.parameters import MASS, PARAMETERS, Inferred, parted
from renp_infer.inference.priors.marginals import (
    FULL_TURN_DEG,
    LogNormal,
    LogUniform,
    Marginal,
    Normal,
    Truncated,
    Uniform,
)
from renp_infer.inference.priors.own_prior import OwnPrior, TiedBlock
from renp_infer.inference.priors.prior import GaussianPrior, allowed_range, measured
from renp_infer.inference.settings import InferenceSettings
from renp_infer.physics.neutrinos import OscillationTable
from renp_infer.records import FloatArray
from renp_infer.study.columns import columns_of
from renp_infer.study.measured.densities import (
    HALF_TURN_DEG,
    density_of_samples,
    density_of_table,
)
from renp_infer.study.sections.inference import InferenceSection, inference_settings
from renp_infer.study.sections.priors import TAKES, BlockEntry, PriorEntry

KEY = "inference.priors"
_DENSITY = "density"
_ROUNDING = 1e-9
_SMALLEST = 1e-10
"""Smallest eigenvalue of a correlation matrix."""

Measured = Mapping[str, Mapping[str, GaussianPrior]]
"""Oscillation parameters by ordering and name."""


def settings_of(
    section: InferenceSection, table: OscillationTable, *, extraordinary: bool
) -> InferenceSettings:
    """Settings of a checked section with absolute paths, priors by parameter among them.

    ``extraordinary`` is whether a beam is an extraordinary ray.

    Raises
    ------
    ConfigError
    """
    settings = inference_settings(section, extraordinary)
    if section.priors is None:
        return settings
    known = {ordering: measured(table, ordering) for ordering in table.values}
    return settings.with_own(*own_priors(section.priors, settings, known))


def own_priors(
    section: Any, settings: InferenceSettings, measured: Measured
) -> tuple[tuple[OwnPrior, ...], tuple[TiedBlock, ...]]:
    """Priors by parameter, and what ties them, of a section with absolute paths.

    Raises
    ------
    ConfigError
        On the first thing that is wrong.
    """
    for entry in section.group:
        allowed = "nothing without several data sets, [[data]]: there is one group"
        raise ConfigError(f"{KEY}.group[0].parameter", entry.parameter, allowed)
    found = []
    for row in PARAMETERS.rows:
        entry = getattr(section, row.name)
        if entry is not None:
            key = f"{KEY}.{row.name}"
            found.append((key, *_of_entry(row, entry, key, settings, measured)))
    blocks = []
    for k, entry in enumerate(section.block):
        key = f"{KEY}.block[{k}]"
        block, marginals = _block(entry, key)
        blocks.append(block)
        for name, marginal in zip(block.names, marginals, strict=True):
            others = " and ".join(other for other in block.names if other != name)
            text = f"{_normal_text(marginal)}, correlated with {others}"
            row = next(row for row in PARAMETERS.rows if row.name == name)
            own = OwnPrior(name, "block", marginal, text, block.ordering)
            found.append((key, own, _ranges(row, settings, measured, block.ordering)))
    _check_once([(key, own) for key, own, _ in found])
    for key, own, ranges in found:
        for low, high in ranges:
            _check_inside(own, key, low, high)
    return tuple(own for _, own, _ in found), tuple(blocks)


def group_priors(
    section: Any, settings: InferenceSettings, table: OscillationTable, names: Sequence[str]
) -> tuple[OwnPrior, ...]:
    """Priors of single groups, by parameter with its group: of those ``names`` that there are.

    Raises
    ------
    ConfigError
    """
    known = {ordering: measured(table, ordering) for ordering in table.values}
    tied = {name for block in settings.blocks for name in block.names}
    found: dict[str, OwnPrior] = {}
    for k, entry in enumerate(section.group):
        key, name = f"{KEY}.group[{k}]", entry.parameter
        if name not in names:
            allowed = " | ".join(names) or "nothing: the data sets have all in common"
            raise ConfigError(f"{key}.parameter", name, allowed)
        if parted(name)[0] in tied or name in found:
            allowed = f"one prior of {name}: here or in a block"
            raise ConfigError(f"{key}.parameter", name, allowed)
        row = next(row for row in PARAMETERS.rows if row.name == parted(name)[0])
        own, ranges = _of_entry(row, entry, key, settings, known)
        for low, high in ranges:
            _check_inside(own, key, low, high)
        found[name] = replace(own, name=name)
    return tuple(found.values())


def _of_entry(
    row: Inferred, entry: PriorEntry, key: str, settings: InferenceSettings, known: Measured
) -> tuple[OwnPrior, list[tuple[float, float]]]:
    """Prior of a table, and the ranges in which its parameter can be."""
    _check_ordering(entry.ordering, (row.name,), key)
    ranges = _ranges(row, settings, known, entry.ordering)
    return _own_prior(row, entry, key, _common(ranges)), ranges


def mass_settings(section: InferenceSection) -> InferenceSettings:
    """Settings with the prior of m1 of a section, if it has one, and no others of its own."""
    settings = inference_settings(section)
    entry = None if section.priors is None else getattr(section.priors, MASS)
    if entry is None:
        return settings
    key, row = f"{KEY}.{MASS}", PARAMETERS.rows[0]
    own = _own_prior(row, entry, key, allowed_range(row, settings, {}))
    return settings.with_own((own,), ())


def files_of(section: Mapping[str, Any]) -> list[Path]:
    """Files that a resolved section names."""
    groups = section.get("group", ())
    entries = (entry for entry in (*section.values(), *groups) if isinstance(entry, Mapping))
    return [Path(entry["file"]) for entry in entries if "file" in entry]


def _ranges(
    row: Inferred, settings: InferenceSettings, measured: Measured, ordering: str
) -> list[tuple[float, float]]:
    return [
        allowed_range(row, settings, values)
        for name, values in measured.items()
        if ordering in ("both", name)
    ]


def _common(ranges: list[tuple[float, float]]) -> tuple[float, float]:
    """What lies within all ranges."""
    return max(low for low, _ in ranges), min(high for _, high in ranges)


def _check_ordering(ordering: str, names: tuple[str, ...], key: str) -> None:
    """An ordering belongs to what is measured of each ordering."""
    others = [name for name in names if name not in PARAMETERS.oscillation]
    if ordering != "both" and others:
        allowed = f'"both" for {others[0]}, whose prior is the same under both'
        raise ConfigError(f"{key}.ordering", ordering, allowed)


def _check_once(found: list[tuple[str, OwnPrior]]) -> None:
    """Each parameter has one prior under each ordering."""
    for ordering in ("normal", "inverted"):
        seen = set[str]()
        for key, own in found:
            if own.holds_under(ordering):
                if own.name in seen:
                    allowed = f"one prior of {own.name}: here or in a block"
                    raise ConfigError(key, Said(f"another prior of {own.name}"), allowed)
                seen.add(own.name)


def _check_inside(own: OwnPrior, key: str, low: float, high: float) -> None:
    """All of a prior lies within what its parameter can be."""
    try:
        own.within(low, high)
    except DomainError as error:
        hint = 'kind = "truncated" with low and high cuts it' if own.kind == "normal" else ""
        if own.name == MASS:
            hint = "; ".join(filter(None, (hint, "inference.m1_max_meV is the largest mass")))
        raise ConfigError(key, Said(own.text), f"a prior {error.allowed}", hint) from None


def _own_prior(row: Inferred, entry: PriorEntry, key: str, limits: tuple[float, float]) -> OwnPrior:
    """Prior of a table; one that is cut ends where the parameter does."""
    _check_keys(entry, key)
    if row.kind == "phase" and entry.kind in ("normal", "truncated"):
        middle = _given(entry.mean)
        limits = (middle - HALF_TURN_DEG, middle + HALF_TURN_DEG)
    marginal, text = _marginal(row, entry, key, limits)
    first, last = marginal.limits
    if row.kind == "phase" and last - first > FULL_TURN_DEG * (1.0 + _ROUNDING):
        given = Said(f"{first:g} to {last:g} degrees")
        raise ConfigError(key, given, "one turn at most: a phase is periodic")
    return OwnPrior(row.name, entry.kind, marginal, text, entry.ordering)


def _check_keys(entry: PriorEntry, key: str) -> None:
    """Each kind has its keys."""
    needed, more = TAKES[entry.kind]
    given = [k for k in sorted(type(entry).model_fields) if getattr(entry, k) is not None]
    for name in given:
        if name not in (*needed, *more, "kind", "ordering", "parameter"):
            allowed = f'nothing with kind = "{entry.kind}", which takes ' + ", ".join(
                (*needed, *(f"{k} (optional)" for k in more))
            )
            raise ConfigError(f"{key}.{name}", getattr(entry, name), allowed)
    for name in needed:
        if name not in given:
            raise ConfigError(f"{key}.{name}", Said("nothing"), f'a value: kind = "{entry.kind}"')


def _given(value: float | None) -> float:
    assert value is not None
    return value


def _marginal(
    row: Inferred, entry: PriorEntry, key: str, limits: tuple[float, float]
) -> tuple[Marginal, str]:
    """Marginal of an entry, and what results say of it."""
    unit = f" {row.unit}" if row.unit else ""
    match entry.kind:
        case "normal":
            normal = Normal(_given(entry.mean), _given(entry.sd))
            text = _normal_text(normal) + unit
            return (Truncated(normal, *limits), text) if row.kind == "phase" else (normal, text)
        case "log-normal":
            if _given(entry.median) <= 0.0:
                raise ConfigError(f"{key}.median", entry.median, "> 0")
            wide = LogNormal(_given(entry.log_sd), _given(entry.median))
            text = f"log-normal, median {wide.median:g}{unit}, sd {wide.sd:g} of the logarithm"
            if entry.low is None and entry.high is None:
                return wide, text
            cut = _cut(wide, entry, key, (max(limits[0], 0.0), limits[1]))
            return cut, f"{text}, from {cut.low:g} to {cut.high:g}{unit}"
        case "truncated":
            cut = _cut(Normal(_given(entry.mean), _given(entry.sd)), entry, key, limits)
            ends = f"from {cut.low:g} to {cut.high:g}{unit}"
            return cut, f"truncated {_normal_text(cut.base)}{unit}, {ends}"
        case "uniform" | "log-uniform":
            return _flat(entry, key, unit)
    return _of_file(row, entry, key, limits)


def _normal_text(marginal: Any) -> str:
    return f"normal {marginal.mean:g} ± {marginal.sd:g}"


def _flat(entry: PriorEntry, key: str, unit: str) -> tuple[Marginal, str]:
    """Uniform in the parameter or in its logarithm."""
    low, high = _given(entry.low), _given(entry.high)
    if not low < high:
        raise ConfigError(f"{key}.high", high, f"> low = {low:g}")
    text = f"{entry.kind} from {low:g} to {high:g}{unit}"
    if entry.kind == "uniform":
        return Uniform(low, high), text
    if low <= 0.0:
        raise ConfigError(f"{key}.low", low, '> 0 with kind = "log-uniform"')
    return LogUniform(low, high), text


def _cut(
    base: Normal | LogNormal, entry: PriorEntry, key: str, limits: tuple[float, float]
) -> Truncated:
    """A distribution between the ends of an entry, or of the parameter."""
    if entry.low is None and entry.high is None:
        raise ConfigError(f"{key}.low", Said("nothing"), "low, high or both")
    low = limits[0] if entry.low is None else entry.low
    high = limits[1] if entry.high is None else entry.high
    if not low < high:
        raise ConfigError(f"{key}.high", high, f"> low = {low:g}")
    cut = Truncated(base, low, high)
    _, first, second = cut.tail
    if not second - first > 0.0:
        allowed = "limits between which the distribution is not 0"
        raise ConfigError(f"{key}.low", Said(f"{low:g} to {high:g}"), allowed)
    return cut


def _of_file(
    row: Inferred, entry: PriorEntry, key: str, limits: tuple[float, float]
) -> tuple[Marginal, str]:
    """Density of a file of densities or of samples, each with a column named as the parameter."""
    path = Path(str(entry.file))
    if entry.kind == "table":
        values, heights = columns_of(path, (row.name, _DENSITY), f"{key}.file")
        return density_of_table(values, heights, f"{key}.file"), f"density of {path.name}"
    return density_of_samples(path, row, key, limits), f"smoothed samples of {path.name}"


def _block(entry: BlockEntry, key: str) -> tuple[TiedBlock, list[Normal]]:
    """Correlation of a block, and its marginals."""
    names, size = entry.parameters, len(entry.parameters)
    if not 2 <= size == len(set(names)):
        raise ConfigError(f"{key}.parameters", list(names), "two or more, different")
    _check_ordering(entry.ordering, names, key)
    if len(entry.means) != size:
        raise ConfigError(f"{key}.means", list(entry.means), f"{size} numbers")
    if (entry.covariance is None) == (entry.sds is None or entry.correlation is None):
        allowed = "either covariance, or sds with correlation"
        raise ConfigError(f"{key}.covariance", Said("both, or neither"), allowed)
    if entry.covariance is not None:
        if entry.sds is not None or entry.correlation is not None:
            raise ConfigError(f"{key}.sds", Said("also given"), "nothing beside covariance")
        matrix = _square(entry.covariance, f"{key}.covariance", size)
        variances = np.diag(matrix)
        if np.any(variances <= 0.0):
            raise ConfigError(f"{key}.covariance", Said("a variance <= 0"), "variances > 0")
        sds = np.sqrt(variances)
        correlation = matrix / np.outer(sds, sds)
    else:
        sds = np.array(entry.sds)
        if sds.size != size:
            raise ConfigError(f"{key}.sds", list(sds), f"{size} numbers")
        correlation = _square(entry.correlation or (), f"{key}.correlation", size)
        if not np.allclose(np.diag(correlation), 1.0):
            raise ConfigError(f"{key}.correlation", Said("another diagonal"), "1 on the diagonal")
    where = f"{key}.{'correlation' if entry.covariance is None else 'covariance'}"
    if not np.allclose(correlation, correlation.T):
        raise ConfigError(where, Said("a matrix that is not"), "symmetric")
    correlation = 0.5 * (correlation + correlation.T)
    if np.linalg.eigvalsh(correlation)[0] < _SMALLEST:
        raise ConfigError(where, Said("a matrix that is not"), "positive definite")
    marginals = [Normal(mean, sd) for mean, sd in zip(entry.means, sds.tolist(), strict=True)]
    rows = tuple(tuple(row) for row in correlation.tolist())
    return TiedBlock(names, rows, entry.ordering), marginals


def _square(rows: tuple[tuple[float, ...], ...], key: str, size: int) -> FloatArray:
    if len(rows) != size or any(len(row) != size for row in rows):
        raise ConfigError(key, Said("no square"), f"{size} rows of {size}")
    return np.array(rows)
