"""The tasks of ``renp atlas``: a share of the ladders of an ion each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.physics.atlas.ladder_merit import QUESTIONS, MeritTable, first_window, merit_table
from renp_infer.physics.atlas.rows import COLUMNS, TERMS, THRESHOLDS, columns_of, thresholds_of
from renp_infer.physics.atlas.scheme import Ladder, levels_of, stark_number
from renp_infer.physics.atlas.screening import (
    AS_GUESSED,
    KEYS,
    BestLadders,
    Key,
    least_momentum,
    reachable,
    screen,
)
from renp_infer.physics.ions.crystal_field import irrep
from renp_infer.physics.ions.guesses import guesses
from renp_infer.physics.ions.lanthanides import lanthanide, observed_levels
from renp_infer.physics.ions.level_fit import fit_of
from renp_infer.physics.neutrinos import make_parameters, masses
from renp_infer.study.sections.atlas import reach_of
from renp_infer.verbs.atlas.result import ROW, packed
from renp_infer.verbs.remembered import remembered

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.tasks import Task
    from renp_infer.records import Parameters
    from renp_infer.study.study import Study

PAPER = ("Er", {"e": "2H(2)11/2", "p": "4I(1)13/2", "q": "4I(1)11/2"})
"""The paper's ladder: the lowest Stark levels of these manifolds."""
LEVEL = "level"
OTHER = {"normal": "inverted", "inverted": "normal", "dirac": "majorana", "majorana": "dirac"}


@dataclass(frozen=True, eq=False)
class Yardstick:
    """What ladders are measured by, made once per study and process.

    Attributes
    ----------
    table : MeritTable
    paper : Ladder
    marks : dict
        The paper's ladder in each ranking.
    """

    table: MeritTable
    paper: Ladder
    marks: dict[Key, float]


def _measure(study: Study) -> Yardstick:
    assert study.atlas is not None
    table = merit_table(study.parameters, rivals(study), 2.0 * study.atlas.photon_max_eV)
    paper = paper_ladder(study.atlas.photon_max_eV)
    return Yardstick(table, paper, ladder_values(study, table, paper))


measure = remembered(_measure)


def rivals(study: Study) -> dict[str, Parameters]:
    """The truth with the other ordering, and with the other nature."""
    own = study.parameters

    def with_other(ordering: Any, nature: Any) -> Parameters:
        phases = own.delta, own.alpha21, own.alpha31
        return make_parameters(own.m1_eV, ordering, nature, *phases, study.oscillation)

    return {
        "ordering": with_other(OTHER[own.ordering], own.nature),
        "nature": with_other(own.ordering, OTHER[own.nature]),
    }


def paper_ladder(largest_eV: float) -> Ladder:
    """Levels of the paper's ladder, by number."""
    symbol, terms = PAPER
    levels = levels_of(symbol, largest_eV).spectrum
    names = [levels.multiplets.terms[k] for k in levels.manifold]
    numbers = {name: 1 + names.index(term) for name, term in terms.items()}
    return Ladder(symbol, **numbers)


def ladder_values(study: Study, table: MeritTable, ladder: Ladder) -> dict[Key, float]:
    """Value of one ladder in each ranking."""
    assert study.atlas is not None
    ion = levels_of(ladder.ion, study.atlas.photon_max_eV)
    e, p, q = (np.array([n - 1]) for n in (ladder.e, ladder.p, ladder.q))
    epsilon = ion.energy[e] - ion.energy[p]
    least = least_momentum(ion.energy[p], ion.energy[q], ion.energy[e], guesses().index)
    window = int(first_window(least[:, None], epsilon[:, None])[0, 0])
    moment = abs(float(ion.pairs.moment[e, p][0]))
    lasers = reach_of(study.atlas, study.experiment).lasers
    shares = {"ceiling": 1.0, "driven": 4.0 * float(reachable(ion, e, p, q, lasers)[0])}
    merits = {n: moment * float(table.at(n, epsilon)[0, window]) for n in QUESTIONS}
    return {(family, n): shares[family] * merits[n] for family, n in KEYS}


def perform(study: Study, task: Task) -> xarray.DataTree:
    """Screen a share of the ladders of an ion.

    Parameters
    ----------
    study : Study
        With a section ``[atlas]``.
    task : Task
        Its part: ion, share, number of shares.

    Returns
    -------
    DataTree
        The best of each ranking under ``family/question``; of the first share also the
        ion's levels. Counts are attributes.
    """
    import xarray as xr

    assert study.atlas is not None
    symbol, share, shares = task.part
    judge = measure(study, task.base)
    ion = levels_of(symbol, study.atlas.photon_max_eV)
    reach = reach_of(study.atlas, study.experiment)
    tops = np.arange(share, ion.energy.size, shares)
    found = screen(ion, tops, reach, judge.table, guesses().index, judge.marks)
    groups = {
        f"{family}/{name}": packed(rows_of(symbol, found.best[family, name], study))
        for family, name in KEYS
    }
    if share == 0:
        groups["levels"] = level_rows(symbol, study)
    tree = xr.DataTree.from_dict(groups)
    above = {f"above_{family}_{name}": found.above[family, name] for family, name in KEYS}
    tree.attrs = {"ion": symbol, "ladders": found.ladders, "examined": found.examined, **above}
    return tree


def rows_of(symbol: str, best: BestLadders, study: Study) -> xarray.Dataset:
    """Ladders in their order, with all columns."""
    import xarray as xr

    assert study.atlas is not None
    ion, r2 = levels_of(symbol, study.atlas.photon_max_eV), lanthanide(symbol).r2
    columns = columns_of(ion, best, reach_of(study.atlas, study.experiment).lasers, r2)
    columns |= thresholds_of(best, ion, guesses().index, masses(study.parameters))
    numbers = zip(*(columns[f"{n}_stark"] for n in "epq"), strict=True)
    names = [Ladder(symbol, *map(int, row)).name for row in numbers]
    texts = {"ladder": names, "ion": [symbol] * len(names)} | {n: columns[n] for n in TERMS}
    words = {name: (ROW, np.array(values, dtype=str)) for name, values in texts.items()}
    return xr.Dataset(
        words
        | {
            name: (ROW, np.asarray(columns[name], dtype=float), kind.attributes)
            for name, kind in (COLUMNS | THRESHOLDS).items()
        }
    )


def level_rows(symbol: str, study: Study) -> xarray.Dataset:
    """Levels within one photon of the ground level, against those that were observed."""
    import xarray as xr

    assert study.atlas is not None
    ion = levels_of(symbol, study.atlas.photon_max_eV)
    levels, near = ion.spectrum, slice(0, ion.count)
    fit = fit_of(levels, observed_levels(symbol))
    manifold = levels.manifold[near]
    texts = {
        "ion": [symbol] * ion.count,
        "term": [levels.multiplets.terms[k] for k in manifold],
        "irrep": [irrep(float(c)) for c in levels.kind[near]],
    }
    numbers = {
        "number": np.arange(1, ion.count + 1),
        "stark": [stark_number(levels, k) for k in range(ion.count)],
        "j": levels.multiplets.j[manifold],
        "energy_per_cm": levels.energy[near],
        "observed_per_cm": fit.observed[near],
        "g_parallel": 2.0 * np.abs(levels.moments()[near]),
        "g_perp": levels.transverse_g()[near],
        "decay_per_s": ion.decay_per_s(AS_GUESSED)[near],
    }
    words = {name: (LEVEL, np.array(values, dtype=str)) for name, values in texts.items()}
    found = {name: (LEVEL, np.asarray(values, dtype=float)) for name, values in numbers.items()}
    attributes = {"observed": fit.count, "rms_per_cm": fit.rms, "largest_per_cm": fit.largest}
    return xr.Dataset(words | found, attrs=attributes)
