"""Time of a forecast: truths x orderings x natures x phase settings, Fisher and Asimov.

    python benchmarks/forecasts.py [MASSES] [SETTINGS]

Prints processor seconds, which other programs on the machine do not lengthen, and the
load. Set-up (responses and rivals, once per process) is given apart. A Dirac truth has
one phase setting: it sees no phase.
"""

from __future__ import annotations

import os
import sys
import time

import numpy as np

from renp_infer.inference.profiles.fisher import expand, sigma, validity
from renp_infer.study.load import load_study
from renp_infer.verbs.forecast.bench import Bench
from renp_infer.verbs.forecast.cells import TruthCell, asimov_cell, fisher_cell

STUDY = "forecast-edge"


def main(masses: int = 40, settings: int = 24) -> None:
    """Print one line per stage."""
    grid = f"forecast.m1_meV={{start=0.1,stop=450.0,points={masses}}}"
    study = load_study(STUDY, (grid, f"forecast.phase_settings={settings}"))
    begin = time.process_time()
    bench = Bench(study)
    hypotheses = [(o, n) for o in study.forecast.orderings for n in study.forecast.natures]
    for pair in hypotheses:
        bench.library(*pair)
    print(f"set-up: {time.process_time() - begin:.1f} s per process")
    spent = dict.fromkeys(("error and flags", "fisher", "asimov", "asimov exposures"), 0.0)
    cells = 0
    for ordering, nature in hypotheses:
        model = bench.hypothesis(ordering, nature)
        for m1_meV in study.forecast.m1_meV:
            for k, phases in enumerate(bench.phases[: study.forecast.phases_of(nature)]):
                cell = TruthCell(bench, model, model.at(m1_meV, phases))
                cells += 1
                marks = [time.process_time()]
                sigma(expand(cell.own, cell.vector), bench.noise, bench.noise.exposure_s)
                validity(cell.own, cell.vector, bench.noise, bench.m1_max_meV)
                marks.append(time.process_time())
                fisher_cell(cell)
                marks.append(time.process_time())
                asimov_cell(cell, exposures=k == 0)
                marks.append(time.process_time())
                spent["error and flags"] += marks[1] - marks[0]
                spent["fisher"] += marks[2] - marks[1]
                spent["asimov" if k else "asimov exposures"] += marks[3] - marks[2]
    for name, seconds in spent.items():
        print(f"{name}: {seconds:.1f} s, {1e3 * seconds / cells:.1f} ms per cell")
    total = spent["fisher"] + spent["asimov"] + spent["asimov exposures"]
    print(f"{cells} cells: {total:.1f} s, {total / 2:.1f} s on two free cores")
    print(f"load {np.round(os.getloadavg(), 1)}, {os.cpu_count()} cores")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
