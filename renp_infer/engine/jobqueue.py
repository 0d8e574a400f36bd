"""Workers as jobs of a batch system, through dask-jobqueue.

The site's own settings (queue, account, wall time, cores, memory) are those of
dask-jobqueue's configuration file; nothing of them is repeated here. Scheduler and
workers know each other by certificates: others cannot connect.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
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

ROLES = ("scheduler", "worker", "client")


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
    return lambda stack: _client(stack, make, system, given, jobs)


def _client(stack: ExitStack, make: Any, system: str, given: str, jobs: int) -> Any:
    from dask import config
    from distributed import Client

    site = f"jobqueue.{system}"
    # The page about a scheduler is open to all who reach it, so that nobody else shall.
    options = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
    place = config.get(f"{site}.shared-temp-directory", None) or str(Path.cwd())
    shared = os.path.expanduser(os.path.expandvars(place))
    if re.search(r"\s", shared):
        allowed = "a working directory without blanks, where jobs find their certificates"
        raise ConfigError("--executor", given, allowed, f"or set {site}.shared-temp-directory")
    security = _security(stack, shared, given)
    try:
        cluster = stack.enter_context(
            make(
                scheduler_options=options | config.get(f"{site}.scheduler-options", {}),
                security=security,
            )
        )
    except (TypeError, ValueError) as error:
        allowed = "a site described in dask-jobqueue's configuration file"
        raise ConfigError("--executor", given, allowed, " ".join(str(error).split())) from error
    cluster.adapt(minimum=jobs, maximum=jobs)  # unlike scale(), replaces jobs that end
    return stack.enter_context(Client(cluster, set_as_default=False))


def _security(stack: ExitStack, shared: str, given: str) -> Any:
    """Certificates of the site's own configuration, or new ones, which end with the run."""
    from distributed.security import Security

    own = Security()
    if own.require_encryption:
        return own
    try:
        new = Security.temporary()
    except ImportError as error:
        hint = 'install "renp-infer[hpc]"'
        raise ConfigError("--executor", given, "cryptography to be installed", hint) from error
    # Jobs read them as files, in a folder that only their owner can enter.
    folder = Path(stack.enter_context(TemporaryDirectory(prefix=".renp-", dir=shared)))
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    key.write_text(new.tls_worker_key)
    certificate.write_text(new.tls_worker_cert)
    files = {"key": str(key), "cert": str(certificate)}
    roles = {f"tls_{role}_{kind}": files[kind] for role in ROLES for kind in files}
    return Security(require_encryption=True, tls_ca_file=str(certificate), **roles)
