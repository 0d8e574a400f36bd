"""Every study that ships is answered, with little effort: none is refused."""

from pathlib import Path

import pytest

from renp_infer.app.cli import execute
from renp_infer.resources import share_path
from renp_infer.study.load import load_study

SMALL = {
    "inference": ("sampler=independence", "draws=200", "tune=200", "chains=2"),
    "forecast": ("m1_meV=[20,80]", "datasets=2", "phase_settings=1"),
    "optimize": (
        "optimizer=sobol", "baselines=[]", "evaluations=2", "polish=0", "truths=8",
        "final_truths=8",
        "masses=33", "comparisons=false", "effects=0", "physics_starts=false", "at_m1_meV=[]",
    ),
    "optimize.sequential": ("campaigns=1", "m1_meV=[50]"),
    "atlas": ("ions=[\"Pr\"]",),
}  # fmt: skip
STUDIES = sorted(path.stem for path in share_path("studies").glob("*.toml"))


def small(name: str) -> list[str]:
    """Changes that leave a study its question and take its effort."""
    tables = load_study(name).resolved
    found = []
    for section, changes in SMALL.items():
        table = tables
        for step in section.split("."):
            table = table.get(step, {}) if table else {}
        own = section != "optimize" or "sequential" not in tables.get("optimize", {})
        if table and own:
            found += [f"{section}.{change}" for change in changes]
    return found


def command(name: str) -> list[str]:
    """What a study that ships is for: its design or sequence, else all that it has."""
    section = load_study(name).resolved.get("optimize")
    if not section:
        return ["run", name]
    return ["optimize", name, *(["--sequential"] if "sequential" in section else [])]


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_a_shipped_study_is_answered(name: str, tmp_path: Path) -> None:
    words = [word for change in small(name) for word in ("--set", change)]
    asked = [*command(name), *words, "--out", str(tmp_path / "run"), "--quiet"]
    assert execute(asked) in (0, 3)
