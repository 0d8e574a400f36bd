"""The closed form of the atlas against the appraiser of designs, on ladders drawn at random.

    python benchmarks/atlas.py [LADDERS] [REFERENCE_SNR ...]

Of five ions, Kramers and not, equal numbers are drawn from all pairs of levels e and p with a
moment, each with its best q. Each is appraised in the layout of its study, at the noise where the
peak of the paper's ladder has the stated S/N. Printed is the rank correlation of the closed form
of each question with the utility of that question, over all ladders and over the better half.
"""

from __future__ import annotations

import sys
from time import process_time

import numpy as np
from posteriors import publish
from run import Row
from scipy.stats import spearmanr

from renp_infer.physics.atlas.ladder_merit import QUESTIONS
from renp_infer.physics.atlas.scheme import Ladder, levels_of
from renp_infer.physics.atlas.screening import KEYS, screen
from renp_infer.physics.ions.guesses import guesses
from renp_infer.study.atlas_study import UTILITIES
from renp_infer.study.load import load_study
from renp_infer.study.sections.atlas import reach_of
from renp_infer.study.study import Study
from renp_infer.verbs.atlas.asking import appraised
from renp_infer.verbs.atlas.work import ladder_values, measure

IONS = ("Pr", "Nd", "Ho", "Er", "Tm")
SEED = 22
ALL = {"atlas.keep": 10_000, "atlas.cuts": False}


def drawn(study: Study, ladders: int) -> list[Ladder]:
    """Ladders of each ion at random, from those with the best q of each e and p."""
    assert study.atlas is not None
    rng, found = np.random.default_rng(SEED), []
    reach = reach_of(study.atlas, study.experiment)
    table = measure(study, "benchmark").table
    for symbol in IONS:
        ion = levels_of(symbol)
        tops, marks = np.arange(ion.energy.size), dict.fromkeys(KEYS, np.inf)
        best = screen(ion, tops, reach, table, guesses().index, marks).best["ceiling", "mass"]
        places = rng.choice(best.value.size, ladders // len(IONS), replace=False)
        found += [Ladder(symbol, *(int(part[k]) + 1 for part in (best.e, best.p, best.q)))
                  for k in places]  # fmt: skip
    return found


def agreement(ladders: int, snr: float) -> list[Row]:
    """Rank correlation of closed form and appraiser, by question."""
    study = load_study("atlas", ALL | {"atlas.reference_snr": snr})
    assert study.atlas is not None
    rows, begin = drawn(study, ladders), process_time()
    found = [appraised(study.atlas, row.name) for row in rows]
    seconds = (process_time() - begin) / len(rows)
    table = measure(study, "benchmark").table
    closed = [ladder_values(study, table, row) for row in rows]
    told = []
    for question in QUESTIONS:
        name = UTILITIES[question]
        both = np.array([
            (own["ceiling", question], row.of(name).value)
            for own, row in zip(closed, found, strict=True)
            if row.of(name).known
        ])  # fmt: skip
        better = both[both[:, 0] >= np.median(both[:, 0])]
        told.append({
            "S/N": snr, "question": question, "utility": name, "ladders": len(both),
            "correlation": float(spearmanr(*both.T)[0]),
            "of the better half": float(spearmanr(*better.T)[0]),
            "s each": seconds,
        })  # fmt: skip
    return told


def main(ladders: int = 200, *snr: float) -> None:
    """Print the table and write it to ``results/atlas.json``."""
    rows = [row for one in snr or (20.0, 1000.0) for row in agreement(ladders, one)]
    publish("atlas", {"agreement": (agreement.__doc__ or "", rows)})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *map(float, sys.argv[2:]))
