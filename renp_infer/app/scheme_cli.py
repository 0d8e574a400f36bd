"""The command line of ``renp scheme``; imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

scheme = App(name="scheme", help="Show, compare or build target schemes.")


@Parameter(name="*")
@dataclass(frozen=True)
class Output:
    """Options of the verbs that only print."""

    json: Annotated[bool, Parameter(negative="")] = False
    """Write one JSON document to standard output and nothing else."""
    debug: Annotated[bool, Parameter(negative="")] = False
    """Show the traceback of a failure."""


TABLES = Output()


@scheme.command(name="show")
def scheme_show(name: str, /, *, output: Output = TABLES) -> int:
    """Print what a scheme, a name or a file, implies."""
    from renp_infer.app import schemes

    schemes.show_scheme(name, json=output.json)
    return 0


@scheme.command(name="compare")
def scheme_compare(*names: str, output: Output = TABLES) -> int:
    """Print two or three schemes side by side."""
    from renp_infer.app import schemes

    schemes.compare_schemes(names, json=output.json)
    return 0


@scheme.command(name="build")
def scheme_build(
    name: str,
    /,
    *,
    out: Path | None = None,
    force: Annotated[bool, Parameter(negative="")] = False,
    debug: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Calculate a scheme from crystal-field parameters, in about 10 s.

    Parameters
    ----------
    name
        A recipe in models/crystal_field, or a file.
    out
        The file to write, *.toml.
    force
        Replace a file that is there.
    debug
        Show the traceback of a failure.
    """
    from renp_infer.app import schemes

    schemes.write_scheme(name, out, force=force)
    return 0
