"""From the tasks of ``renp atlas`` to one file: rankings, the paper's ladder, ions, levels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.engine.result import load_tree
from renp_infer.measurement.normalise import noise_scale
from renp_infer.measurement.squid import variance_nG2
from renp_infer.physics.atlas.ladder_merit import QUESTIONS
from renp_infer.physics.atlas.rows import FACTOR
from renp_infer.physics.atlas.screening import KEYS, LARGEST, BestLadders
from renp_infer.physics.constants import EV_TO_MILLI_EV
from renp_infer.physics.cycle.field_cycle import bloch_cycle
from renp_infer.physics.pairs._crystal_kernels import form_norm
from renp_infer.physics.pairs.form_factor import crystal_size
from renp_infer.physics.signal.magnetization import cycle_time_s, signal_factor
from renp_infer.records import Experiment, FloatArray
from renp_infer.study.units import described
from renp_infer.verbs.atlas.result import ROW, packed, unpacked
from renp_infer.verbs.atlas.work import LEVEL, measure, rows_of

if TYPE_CHECKING:
    import xarray

    from renp_infer.study.study import Study

GUESSES = ("intensities", "widths", "spin_relaxation")
"""What is not known of an ion, and moves its rank."""
_WITHOUT_DRIVE = ("spin_relaxation",)
"""Of the ranking that takes all coherence there can be."""


def join(study: Study, paths: Iterator[str], target: Path) -> None:
    """Write ``atlas.nc`` from the files of all tasks, one in memory at a time.

    Parameters
    ----------
    study : Study
    paths : iterator of str
        In order; those of failed tasks are missing.
    target : Path
    """
    import xarray as xr

    assert study.atlas is not None
    best: dict[str, xr.Dataset] = {}
    levels: list[xr.Dataset] = []
    counts: dict[str, dict[str, Any]] = {}
    for path in paths:
        tree = load_tree(Path(path))
        ion = counts.setdefault(str(tree.attrs["ion"]), dict.fromkeys(_counted(), 0))
        for name in _counted():
            ion[name] += int(tree.attrs[name])
        for family, question in KEYS:
            key = f"{family}/{question}"
            best[key] = _largest(
                best.get(key), tree[key].to_dataset().drop_encoding(), study.atlas.keep
            )
        if "levels" in tree.children:
            own = tree["levels"].to_dataset().drop_encoding()
            ion |= dict(own.attrs)
            levels.append(own.drop_attrs())
    scale = errors_per_value(study)
    groups = {
        f"{family}/{question}": packed(
            ranked(unpacked(best[f"{family}/{question}"]), scale, study, family)
        )
        for family, question in KEYS
    }
    groups["paper"] = _paper(study, counts, scale)
    groups["ions"] = _ions(counts)
    groups["levels"] = xr.concat(levels, LEVEL)
    found = xr.DataTree.from_dict(groups)
    found.attrs = _about(study, counts, scale)
    described(found).to_netcdf(target, engine="h5netcdf")


def _counted() -> list[str]:
    return ["ladders", "examined", *(f"above_{family}_{name}" for family, name in KEYS)]


def _largest(one: xarray.Dataset | None, two: xarray.Dataset, keep: int) -> xarray.Dataset:
    """The best rows of two tables; of equal ones by the ladder's name."""
    import xarray as xr

    rows = two if one is None else xr.concat([one, two], ROW)
    name, value = rows["words"].sel(text="ladder"), rows["numbers"].sel(column="value")
    order = np.lexsort((name.values, -value.values))[:keep]
    return rows.isel({ROW: order})


def errors_per_value(study: Study) -> float:
    """Standard errors per mu_B eV^3: the field of a ladder at the study's apparatus over its noise.

    The field is that of the study's own target, from which moment and sum over pairs are
    taken off; the noise is that of the whole exposure at one angle.
    """
    experiment = study.experiment
    own = experiment.target.transition
    assert own is not None
    moment = own.weight * abs(own.handedness * own.delta_mu)
    field = abs(signal_factor(experiment, LARGEST)) * form_norm(False, *crystal_size(experiment))
    cycle = bloch_cycle(experiment)
    variance = variance_nG2(experiment.detector, experiment.lasers, 1, cycle)[0]
    noise = np.sqrt(variance) * noise_scale(experiment, study.parameters, LARGEST)
    return float(field / moment / noise)


def ranked(rows: xarray.Dataset, scale: float, study: Study, family: str) -> xarray.Dataset:
    """Rows with their ranks, in standard errors, and what guesses do to the ranks.

    A rank beyond the rows that are kept is given as their number and one.
    """
    value = rows["value"].values
    found = rows.assign(
        rank=(ROW, 1.0 + np.arange(value.size)), standard_errors=(ROW, scale * value)
    )
    for guess in GUESSES if family == "driven" else _WITHOUT_DRIVE:
        for way in ("high", "low"):
            moved = value * _change(rows, study, guess, way)
            found[f"rank_{guess}_{way}"] = ROW, ranks_among(moved, value)
    return found


def ranks_among(moved: FloatArray, value: FloatArray) -> FloatArray:
    """Rank of each row where it alone has moved, among the others as they are, shape (n,)."""
    larger = value[None, :] > moved[:, None]
    np.fill_diagonal(larger, False)
    return np.asarray(1.0 + larger.sum(axis=1) + (moved < value.min(initial=np.inf)))


def _change(rows: xarray.Dataset, study: Study, guess: str, way: str) -> FloatArray | float:
    """Factor of a row's value where a guess is off by `FACTOR`."""
    if guess == "spin_relaxation":
        return relaxation_factor(study.experiment, FACTOR if way == "high" else 1.0 / FACTOR)
    moved, own = rows[f"coherence_{guess}_{way}"].values, rows["coherence"].values
    return np.asarray(moved / own)


def relaxation_factor(experiment: Experiment, factor: float) -> float:
    """Field with the spin relaxation time times a factor, over the field as it is."""
    detector = experiment.detector
    longer = replace(detector, spin_relaxation_ms=factor * detector.spin_relaxation_ms)
    return cycle_time_s(replace(experiment, detector=longer)) / cycle_time_s(experiment)


def _paper(study: Study, counts: dict[str, dict[str, Any]], scale: float) -> xarray.Dataset:
    """The paper's ladder with all columns, and its rank in each ranking."""
    assert study.atlas is not None
    judge = measure(study, "merge")
    ladder = judge.paper
    e, p, q = (np.array([n - 1]) for n in (ladder.e, ladder.p, ladder.q))
    value, one = np.array([judge.marks["ceiling", "mass"]]), np.ones(1, dtype=np.int64)
    best = BestLadders(value, e, p, q, one)
    found = rows_of(ladder.ion, best, study)
    for family, question in KEYS:
        above = sum(ion[f"above_{family}_{question}"] for ion in counts.values())
        mark = judge.marks[family, question]
        found[f"rank_{family}_{question}"] = ROW, np.array([1.0 + above])
        found[f"standard_errors_{family}_{question}"] = ROW, np.array([scale * mark])
    return packed(found)


def _ions(counts: dict[str, dict[str, Any]]) -> xarray.Dataset:
    import xarray as xr

    columns = {name: [ion[name] for ion in counts.values()] for name in next(iter(counts.values()))}
    found = {name: ("ion", np.asarray(values, dtype=float)) for name, values in columns.items()}
    return xr.Dataset(found, {"ion": list(counts)})


def _about(study: Study, counts: dict[str, dict[str, Any]], scale: float) -> dict[str, Any]:
    total = sum(ion["ladders"] for ion in counts.values())
    return {
        "schema": 1,
        "name": study.name,
        "ladders": total,
        "questions": ", ".join(QUESTIONS),
        "standard_errors_per_value": scale,
        "m1_meV": EV_TO_MILLI_EV * study.parameters.m1_eV,
        "ordering": study.parameters.ordering,
        "nature": study.parameters.nature,
    }
