"""All verbs: one folder of this package each, in the order in which a run does them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from renp_infer.engine.run import Run
from renp_infer.engine.run import load_run as read_run
from renp_infer.engine.verb import Verb
from renp_infer.errors import StoreError
from renp_infer.study.study import Study
from renp_infer.verbs import folders
from renp_infer.verbs.evaluate.verb import EVALUATE


def _verbs() -> dict[str, Verb]:
    modules = [import_module(f"{__package__}.{folder}.verb") for folder in folders("verb.py")]
    found = [verb for module in modules for verb in module.VERBS]
    return {verb.name: verb for verb in sorted(found, key=lambda verb: verb.rank)}


VERBS = _verbs()


def verbs_of(study: Study) -> tuple[Verb, ...]:
    """Verbs that a study has sections for, in their order."""
    return tuple(verb for verb in VERBS.values() if verb.wanted(study))


def load_run(directory: str | Path) -> Run:
    """Read a run directory with the results of all its verbs.

    Raises
    ------
    StoreError
        If nothing has been done, or a file is missing or altered.
    """
    run = read_run(directory, VERBS.values())
    if EVALUATE.name not in run.results:
        path = Path(directory) / EVALUATE.file
        raise StoreError(f"{path} is missing; run the study again")
    return run
