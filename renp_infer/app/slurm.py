"""A run as a SLURM job array, for sites without a place for a scheduler process."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from renp_infer.engine.driver import RESOLVED
from renp_infer.engine.store import Store

ARRAY, JOIN, SUBMIT = "slurm-array.sh", "slurm-join.sh", "slurm-submit.sh"


def write_scripts(store: Store, name: str, jobs: int, sbatch: Sequence[str]) -> list[Path]:
    """Write the scripts of a job array into a run directory.

    Parameters
    ----------
    store : Store
        Holds the resolved study already.
    name : str
        The study's.
    jobs : int
        Elements of the array; each does every ``jobs``-th task in a run
        directory of its own, ``shards/<element>``.
    sbatch : sequence of str
        Options for every job, such as ``--time=02:00:00``.

    Returns
    -------
    list of Path
        The array, the job that merges and reports, and the script that submits both.
    """
    home = store.directory.absolute()
    study, shards = shlex.quote(str(home / RESOLVED)), shlex.quote(str(home / "shards"))
    renp = f"{shlex.quote(sys.executable)} -m renp_infer"
    options = [f"#SBATCH {_quoted(option)}" for option in sbatch]
    head = ["#!/bin/sh", f"#SBATCH --job-name=renp-{name}", *options]
    array = [
        *head,
        f"#SBATCH --array=0-{jobs - 1}",
        "export OMP_NUM_THREADS=1",
        f'exec {renp} run {study} --quiet --shard "$SLURM_ARRAY_TASK_ID/{jobs}" '
        f'--out {shards}/"$SLURM_ARRAY_TASK_ID"',
    ]
    join = [
        *head,
        f"{renp} merge {shlex.quote(str(home))} {shards}/* || exit",
        f"exec {renp} run {study} --quiet --out {shlex.quote(str(home))}",
    ]
    submit = [
        "#!/bin/sh",
        "# Submitting again resumes: finished tasks are not repeated.",
        f"cd {shlex.quote(str(home))} || exit",
        f"id=$(sbatch --parsable {ARRAY}) || exit",
        f'sbatch --dependency=afterany:"$id" {JOIN}',
    ]
    for file, lines in ((ARRAY, array), (JOIN, join), (SUBMIT, submit)):
        store.write_text(file, "\n".join(lines) + "\n")
        store.path(file).chmod(0o755)
    return [store.path(file) for file in (ARRAY, JOIN, SUBMIT)]


def _quoted(option: str) -> str:
    """An option whose value may have blanks, as sbatch reads it from a script."""
    name, equals, value = option.partition("=")
    return f"{name}{equals}{shlex.quote(value)}" if equals else name
