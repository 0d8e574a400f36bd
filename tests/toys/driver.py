"""A driver to be killed: ``python toys_driver.py FOLDER COUNT EXECUTOR MILLISECONDS``."""

from __future__ import annotations

import sys
from pathlib import Path

from renp_infer.app import cli
from renp_infer.engine.driver import Plan, bring_up_to_date
from renp_infer.engine.options import Options
from tests.toys.tasks import single_verb, toy_study, toy_verb


def drive(folder: Path, count: int, executor: str, milliseconds: float) -> int:
    """Bring a run directory of tiny tasks up to date, as a verb of ``renp`` would.

    One task is a verb of another shape, with nothing to merge.
    """
    single = single_verb(folder, milliseconds)
    verb = single if count == 1 else toy_verb(folder, count, milliseconds)
    plan = Plan(toy_study(folder), folder / "run", [verb])

    def work() -> int:
        bring_up_to_date([plan], Options(executor=executor, quiet=True))
        return 0

    return cli.guarded(work, debug=False)


if __name__ == "__main__":
    FOLDER, COUNT, EXECUTOR, MILLISECONDS = sys.argv[1:]
    cli.perform(lambda: drive(Path(FOLDER), int(COUNT), EXECUTOR, float(MILLISECONDS)))
