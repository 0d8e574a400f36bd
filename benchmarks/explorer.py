"""Time of one change in the explorer, by control: computation, figures and their JSON.

    python benchmarks/explorer.py [STUDY ...]

Each control is moved 50 times, a step of its slider at a time, all presets drawn each
time. Prints processor milliseconds, median and largest, and the median on the clock.
Processor time counts both cores, so a change may take less than that on a free machine.
The browser's own drawing comes on top.
"""

from __future__ import annotations

import os
import sys
import time

import numpy as np

from renp_infer.errors import RenpError
from renp_infer.explorer.controls import CONTROLS, Control
from renp_infer.explorer.figures import field_figure, layout_figure, mass_figure
from renp_infer.explorer.picture import picture_of
from renp_infer.explorer.state import Opened, open_study
from renp_infer.terminal import plain

CHANGES = 50
LOOP = {
    "detector.coupling": "pickup",
    "detector.pickup.radius_cm": "2",
    "detector.pickup.stand_off_cm": "0.5",
}


def texts(control: Control, start: str) -> list[str]:
    """What 50 steps of a slider around its first place write; choices alternate."""
    if control.options:
        return [control.options[k % len(control.options)] for k in range(CHANGES)]
    value = float(start) if start.replace(".", "").replace("e", "").isdigit() else 1e-3
    place = np.log10(max(value, 10**control.low)) if control.log else value
    places = place + control.step * np.arange(1, CHANGES + 1)
    places = control.low + np.mod(places - control.low, control.high - control.low)
    if control.key.endswith("points"):
        return [str(2 + int(place) % 100) for place in places]
    return [f"{10**place if control.log else place:.6g}" for place in places]


def one(opened: Opened, settings: dict[str, str]) -> tuple[float, float]:
    """Processor and clock time of one change, ms; NaN where the study refuses it."""
    cpu, clock = time.process_time(), time.perf_counter()
    try:
        picture = picture_of(opened, settings)
    except RenpError:
        return np.nan, np.nan
    figures = [field_figure(picture, "shape"), mass_figure(picture, None)]
    figures += map(layout_figure, picture.views)
    plain(figures)
    return 1e3 * (time.process_time() - cpu), 1e3 * (time.perf_counter() - clock)


def main(*names: str) -> None:
    """Print a table per study."""
    for name in names or (
        "edge-layout-published",
        "edge-layout-normalised",
        "seed-layout-corrected",
    ):
        opened = open_study(name)
        picture_of(opened, opened.settings | LOOP)
        print(f"{name}: ms per change, all presets")
        medians = []
        for control in CONTROLS:
            base = opened.settings | (LOOP if ".pickup." in control.key else {})
            if control.key in (
                "lasers.eq_mW_cm2",
                "lasers.qg_mW_cm2",
                "lasers.trigger_delay_lifetimes",
            ):
                base |= {"lasers.chi_squared": "bloch"}
            rows = [one(opened, base | {control.key: t}) for t in texts(control, base[control.key])]
            cpu, clock = np.array(rows).T
            medians.append(np.nanmedian(cpu))
            print(
                f"  {control.key:34s} {medians[-1]:6.1f} median {np.nanmax(cpu):7.1f} largest"
                f" {np.nanmedian(clock):7.1f} on the clock, {np.isnan(cpu).sum()} refused"
            )
        print(f"  largest median: {np.max(medians):.1f} ms")
    print(f"load {np.round(os.getloadavg(), 1)}, {os.cpu_count()} cores")


if __name__ == "__main__":
    main(*sys.argv[1:])
