"""The tasks of a forecast."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from renp_infer.records import PRESETS

if TYPE_CHECKING:
    from renp_infer.study.study import Study

MAP_AXES = ("alpha21", "alpha31", "delta")


def parts(study: Study) -> list[dict[str, Any]]:
    """What each task of a forecast is about, in order."""
    settings = study.forecast
    assert settings is not None
    pairs = [(o, n) for o in settings.orderings for n in settings.natures]
    found: list[dict[str, Any]] = [
        {"kind": "cell", "method": method, "ordering": o, "nature": n, "m1_meV": m}
        for method in settings.methods
        for o, n in pairs
        for m in settings.m1_meV
    ]
    kinds = ["limit", "drawn limit"] if "ensemble" in settings.methods else ["limit"]
    found += [{"kind": kind, "ordering": o, "nature": n} for kind in kinds for o, n in pairs]
    found += [{"kind": "steps"}, {"kind": "accuracy"}]
    found += [{"kind": "map", "axis": axis} for axis in MAP_AXES]
    found += [{"kind": "phases", "ordering": o} for o in settings.orderings]
    if settings.corrections:
        found += [{"kind": "correction", "variant": name} for name in variants()]
    return found


def variants() -> dict[str, dict[str, Any]]:
    """Switches of each row of the table of corrections: one changed at a time.

    The full phase space needs plane waves, so these two come together as well.
    """
    published, corrected = (asdict(PRESETS[name]) for name in ("published", "corrected"))
    found: dict[str, dict[str, Any]] = {"published": {}}
    for name, value in corrected.items():
        if value != published[name] and name != "phase_space":
            found[name] = {name: value}
    names = ("phase_space", "form_factor")
    found["phase_space + form_factor"] = {name: corrected[name] for name in names}
    found["corrected"] = corrected
    return found
