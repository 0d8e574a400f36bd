"""Responses over the domain of studies: which are good for their noise, which are refused.

``python benchmarks/domain.py COUNT [SEED] [FIRST]`` draws studies, tries each, and prints a
row for each and the counts.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator

import numpy as np

from renp_infer.errors import ConvergenceError, NonFiniteError
from renp_infer.inference.responses.accurate import AccurateResponses
from renp_infer.measurement.field import refined_field
from renp_infer.measurement.normalise import coherence
from renp_infer.records import PRESETS
from renp_infer.study.hypotheses import accurate_responses
from renp_infer.study.load import load_study
from renp_infer.study.study import Study

ANGLES = 9
CENTRES_DEG = (30.0, 58.8, 100.0, 141.0)
"""Inside the support, at the phase-matched angle, and across the upper edges."""
SMALLEST_RADIUS_CM, SMALLEST_LENGTH_CM = 0.02, 0.05


def drawn(count: int, seed: int) -> Iterator[tuple[str, dict[str, object], float]]:
    """Base study, changed keys and peak signal-to-noise of studies over the domain."""
    rng = np.random.default_rng(seed)

    def log(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    for _ in range(count):
        preset = str(rng.choice(list(PRESETS)))
        centre, width = float(rng.choice(CENTRES_DEG)), log(0.1, 3.0)
        kernel = str(rng.choice(["box", "gaussian"]))
        axis = float(rng.choice([0.0, 45.0, 90.0]))
        keys: dict[str, object] = {
            "physics.preset": preset,
            "neutrino.nature": str(rng.choice(["dirac", "majorana"])),
            "neutrino.m1_meV": log(0.1, 20.0),
            "layout.length_cm": log(SMALLEST_LENGTH_CM, 10.0),
            "layout.radius_cm": log(SMALLEST_RADIUS_CM, 5.0),
            "layout.c_axis_deg": axis,
            "layout.theta_s_deg": {"start": centre - 5.0, "stop": centre + 5.0, "points": ANGLES},
            "detector.resolution_deg": width,
            "detector.kernel": kernel,
            "inference.m1_max_meV": float(rng.uniform(25.0, 450.0)),
        }
        yield "edge-layout-normalised", keys, log(1.0, 1e5)


def responses_of(study: Study, snr: float) -> AccurateResponses:
    """Responses of a study for white noise of a peak signal-to-noise."""
    field = refined_field(study.experiment, study.parameters, coherence(study.experiment))
    sigma = np.full(field.size, np.max(np.abs(field)) / snr)
    return accurate_responses(study, sigma, (study.parameters.nature,))


def tried(study: Study, snr: float) -> str:
    """What became of a study."""
    try:
        responses = responses_of(study, snr)
        responses(study.parameters)
    except ConvergenceError as error:
        return f"refused: {error}"
    except NonFiniteError as error:
        return f"no signal: {error.quantity}"
    found = responses.budget
    return f"good: table {found.table:.1e}, field {found.field:.1e}, {found.masses} masses"


def main(count: int, seed: int = 1, first: int = 0) -> None:
    """Print a row for each study."""
    counts: Counter[str] = Counter()
    for k, (name, keys, snr) in enumerate(drawn(count, seed)):
        if k < first:
            continue
        begun = time.process_time()
        words = tried(load_study(name, changes=keys), snr)
        short = ", ".join(
            str(round(v, 3) if isinstance(v, float) else v)
            for key, v in keys.items()
            if key != "layout.theta_s_deg"
        )
        seconds = time.process_time() - begun
        counts[words.partition(":")[0]] += 1
        print(f"{k} | S/N {snr:.3g} | {short} | {words} | {seconds:.0f} s", flush=True)
    print(", ".join(f"{word}: {number}" for word, number in counts.items()))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
