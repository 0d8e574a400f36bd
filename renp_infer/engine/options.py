"""Options of the command line that many verbs share. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from renp_infer.study.paths import expanded

FLAG = Parameter(negative="", show_default=False)


@Parameter(name="*")
@dataclass(frozen=True)
class Options:
    """Options of every verb."""

    out: Path | None = None
    """Directory of the results; runs/<study name> where a verb has to write."""
    overrides: Annotated[
        tuple[str, ...], Parameter(name="--set", negative="", show_default=False)
    ] = ()
    """Replace one key: section.key=value. Can be repeated."""
    executor: str = "serial"
    """Where tasks run: serial, processes:N, dask:ADDRESS, dask:local:N, jobqueue:SYSTEM:N."""
    shard: str = "0/1"
    """K/N: do only every N-th task, beginning with the K-th; "renp merge" joins them."""
    json: Annotated[bool, FLAG] = False
    """Write one JSON document to standard output and nothing else."""
    quiet: Annotated[bool, FLAG] = False
    """Show no progress."""
    progress: Literal["auto", "json"] = "auto"
    """auto: a bar if standard error is a terminal; json: JSON lines there, for programs."""
    force: Annotated[bool, FLAG] = False
    """Start over instead of resuming."""
    debug: Annotated[bool, FLAG] = False
    """Show the traceback of a failure."""

    def __post_init__(self) -> None:
        if self.out is not None:  # a shell leaves the ~ of --out=~/runs
            object.__setattr__(self, "out", expanded(self.out))


DEFAULTS = Options()


@Parameter(name="*")
@dataclass(frozen=True)
class Measured:
    """Options of the verbs that take measured data."""

    data: Path | None = None
    """File of measured data, .csv or .nc, instead of the study's own."""
    covariance: Path | None = None
    """File of their covariance, where the data file has no errors."""

    def __post_init__(self) -> None:
        for name in ("data", "covariance"):
            if (path := getattr(self, name)) is not None:
                object.__setattr__(self, name, expanded(path))


NO_FILES = Measured()
