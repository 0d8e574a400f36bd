"""How long advice takes beside the apparatus: the first, and each further one.

``python benchmarks/live.py [STUDY]`` runs a campaign on mock data and prints seconds.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import renp_infer as renp
from renp_infer.verbs.sequential.bench import bench_of

READINGS = 12


def main(study: str) -> None:
    """Print the time of the first advice, and the median of the others."""
    bench = bench_of(renp.load_study(study), study)
    rng = np.random.default_rng(1)
    field, degrees = bench.truth(50.0, rng), np.rad2deg(bench.theta_s)
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        campaign = renp.Campaign(study, Path(folder) / "campaign")
        for _ in range(READINGS):
            (setting,) = campaign.suggest()
            seconds.append(time.perf_counter() - begin)
            sigma = bench.sigma_nG(setting.exposure_s)
            mean = float(np.interp(setting.theta_s_deg, degrees, field))
            point = {"theta_s_deg": setting.theta_s_deg, "exposure_s": setting.exposure_s}
            read = {"field_nG": mean + sigma * rng.standard_normal(), "error_nG": sigma}
            begin = time.perf_counter()
            campaign.ingest([point | read])
    first, more = seconds[0], statistics.median(seconds[1:])
    print(f"{study}: first advice {first:.2f} s, further ones {more:.2f} s")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sequential-mass")
