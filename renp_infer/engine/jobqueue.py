"""Workers as jobs of a batch system, through dask-jobqueue.

The site's own settings (queue, account, wall time, cores, memory) are those of
dask-jobqueue's configuration file; nothing of them is repeated here.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from renp_infer.errors import ConfigError

SYSTEMS = {
    "htcondor": "HTCondorCluster",
    "lsf": "LSFCluster",
    "oar": "OARCluster",
    "pbs": "PBSCluster",
    "sge": "SGECluster",
    "slurm": "SLURMCluster",
}


def connector(system: str, jobs: int) -> Callable[[ExitStack], Any]:
    """Prepare a cluster of jobs; submits nothing.

    Parameters
    ----------
    system : str
        One of ``SYSTEMS``.
    jobs : int
        Number of jobs to keep queued or running.

    Returns
    -------
    callable
        ``ExitStack -> Client``.

    Raises
    ------
    ConfigError
        If the system is unknown or dask-jobqueue is not installed.
    """
    given = f"jobqueue:{system}:{jobs}"
    if system not in SYSTEMS:
        raise ConfigError("--executor", given, "jobqueue: with one of " + ", ".join(SYSTEMS))
    try:
        import dask_jobqueue
    except ImportError as error:
        hint = 'install "renp-infer[hpc]"'
        raise ConfigError("--executor", given, "dask-jobqueue to be installed", hint) from error
    make = getattr(dask_jobqueue, SYSTEMS[system])
    return lambda stack: _client(stack, make, jobs, given)


def _client(stack: ExitStack, make: Any, jobs: int, given: str) -> Any:
    from distributed import Client

    try:
        cluster = stack.enter_context(make(scheduler_options={"dashboard_address": ":0"}))
    except (TypeError, ValueError) as error:
        allowed = "a site described in dask-jobqueue's configuration file"
        raise ConfigError("--executor", given, allowed, " ".join(str(error).split())) from error
    cluster.adapt(minimum=jobs, maximum=jobs)  # unlike scale(), replaces jobs that end
    return stack.enter_context(Client(cluster, set_as_default=False))
