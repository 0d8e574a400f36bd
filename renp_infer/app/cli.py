"""The command line: words to function calls, errors to lines and exit codes.

Imports nothing heavy, so that help appears at once.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal

import cyclopts
from cyclopts import App, Parameter

from renp_infer.app.options import DEFAULTS, NO_FILES, Common, Measured
from renp_infer.app.scheme_cli import scheme
from renp_infer.errors import ConfigError, RenpError

INPUT_WRONG, RUN_FAILED, INTERRUPTED = 2, 4, 130


def _version() -> str:
    import renp_infer

    return renp_infer.__version__


EXAMPLES = """
Examples:

  renp doctor
    Does this installation work?
  renp evaluate fig6
    Rate, field and noise of a study that ships with the package.
  renp run study.toml --out runs/first
    All that the study asks for, then runs/first/report.html.
  renp infer study.toml --data field.csv --executor processes:4
    The posterior of measured data.
  renp forecast study.toml --set neutrino.m1_meV=20
    With one key replaced.
  renp report runs/first runs/second --out both --figures pdf,csv
    A comparison, and its figures as files.
"""

app = App(
    name="renp",
    help="Neutrino masses from the magnetization of neutrino pair emission in crystals.",
    version=_version,
    suppress_keyboard_interrupt=False,
    help_format="plaintext",
    help_epilogue=EXAMPLES,
)
app.command(scheme)


@app.command
def run(*studies: Path, common: Common = DEFAULTS) -> int:
    """Do all tasks of one or more studies, then write the report; resumes."""
    from renp_infer.app import commands

    return commands.run(studies, common.options())


@app.command
def evaluate(study: Path, /, *, common: Common = DEFAULTS) -> int:
    """Calculate rate, magnetization and noise at the study's truth."""
    from renp_infer.verbs.evaluate import command

    return command.evaluate(study, common.options())


@app.command
def simulate(study: Path, /, *, save: Path | None = None, common: Common = DEFAULTS) -> int:
    """Draw mock data from the study's seed.

    Parameters
    ----------
    save
        Write them as a data file for "renp infer --data", .csv or .nc.
    """
    from renp_infer.verbs.simulate import command

    return command.simulate(study, common.options(), save=save)


@app.command
def infer(study: Path, /, *, measured: Measured = NO_FILES, common: Common = DEFAULTS) -> int:
    """Sample the posterior of the study's data, mock or measured; resumes."""
    from renp_infer.verbs.infer import command

    return command.infer(study, common.options(), **vars(measured))


@app.command
def calibrate(study: Path, /, *, measured: Measured = NO_FILES, common: Common = DEFAULTS) -> int:
    """Test posterior, hypothesis probabilities and belt on mock experiments; resumes.

    Of measured data it takes angles, noise and exposure, not the field.
    """
    from renp_infer.verbs.calibrate import command as calibration_command

    return calibration_command.calibrate(study, common.options(), **vars(measured))


@app.command
def compare(study: Path, /, *, measured: Measured = NO_FILES, common: Common = DEFAULTS) -> int:
    """Weigh the four hypotheses, ordering and nature, by their evidence; resumes."""
    from renp_infer.verbs.compare import command as comparing

    return comparing.compare(study, common.options(), **vars(measured))


@app.command
def forecast(study: Path, /, *, common: Common = DEFAULTS) -> int:
    """Forecast errors, limits, separations and the exposures they take; resumes."""
    from renp_infer.verbs.forecast import command as forecast_command

    return forecast_command.forecast(study, common.options())


@app.command
def optimize(
    study: Path,
    /,
    *,
    sequential: Annotated[bool, Parameter(negative="")] = False,
    data: Path | None = None,
    covariance: Path | None = None,
    common: Common = DEFAULTS,
) -> int:
    """Search the design that tells most, with baselines; resumes.

    Parameters
    ----------
    sequential
        Choose one measurement after the other: simulate campaigns, or with --data say
        what to measure next.
    data
        File of what was measured so far, .csv or .nc; with --sequential.
    covariance
        File of their covariance, where the data file has no errors.
    """
    from renp_infer.verbs.optimize import command as optimize_command
    from renp_infer.verbs.sequential import command as sequential_command

    if sequential:
        return sequential_command.sequential(study, common.options(), data, covariance)
    sequential_command.refuse_data(data, covariance)
    return optimize_command.optimize(study, common.options())


@app.command
def explore(
    study: Path | None = None,
    /,
    *,
    port: int = 0,
    browser: bool = True,
    debug: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Move a study's keys and see the signal follow, on a page of this machine.

    Parameters
    ----------
    study
        A study file, the name of a shipped study, or a run directory.
    port
        Where to serve; 0 takes a free port.
    browser
        Open the page; else only print its address.
    debug
        Show the traceback of a failure.
    """
    from renp_infer.explorer.command import explore as serve

    return serve(study, port=port, browser=browser)


@app.command
def report(*studies: Path, figures: str = "", common: Common = DEFAULTS) -> int:
    """Write report.html of finished studies or run directories.

    Parameters
    ----------
    figures
        Also write each figure into figures/: some of pdf,svg,csv.
    """
    from renp_infer.app import commands

    return commands.report(studies, common.options(), figures=figures)


@app.command
def status(*runs: Path, common: Common = DEFAULTS) -> int:
    """Tell how far studies or run directories are, while they run or after."""
    from renp_infer.app import upkeep

    return upkeep.status(runs, common.options())


@app.command
def merge(*runs: Path, common: Common = DEFAULTS) -> int:
    """Join run directories of one study, into --out or into the first."""
    from renp_infer.app import upkeep

    return upkeep.merge(runs, common.options())


@app.command
def slurm(
    study: Path,
    /,
    *,
    jobs: int = 10,
    sbatch: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    common: Common = DEFAULTS,
) -> int:
    """Write a study as a SLURM job array, for sites without a scheduler process.

    Parameters
    ----------
    jobs
        Elements of the array.
    sbatch
        An option for every job, as --sbatch=--time=02:00:00. Can be repeated.
    """
    from renp_infer.app import upkeep

    return upkeep.slurm(study, jobs, sbatch, common.options())


@app.command
def reproduce(what: str | None = None, /, *, common: Common = DEFAULTS) -> int:
    """Recompute what the paper prints; or draw fig6 to fig12; or feasibility; or do a run again.

    A run directory is done again in --out or RUN-again, and all numbers are compared.
    """
    from renp_infer.app import upkeep

    return upkeep.reproduce(what, common.options())


@app.command
def doctor(*, common: Common = DEFAULTS) -> int:
    """Check this installation, in seconds."""
    from renp_infer.app import upkeep

    return upkeep.doctor(common.options())


@app.command
def completion(shell: Literal["bash", "zsh", "fish"], /) -> int:
    """Print a script that completes commands and options in a shell, see docs/terminal.md."""
    sys.stdout.write(app.generate_completion(shell=shell))
    return 0


@app.command
def cite(run: Path | None = None, /, *, common: Common = DEFAULTS) -> int:
    """Print BibTeX of what a run used, or of everything."""
    from renp_infer.app import upkeep

    return upkeep.cite(run, common.options())


for _name in app:
    if not _name.startswith("-"):
        app[_name].help_epilogue = ""  # the examples stand under the list of verbs only


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _complain(text: str) -> None:
    from renp_infer.terminal import say

    say(text)


def execute(arguments: Sequence[str]) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str
        Words after ``renp``.

    Returns
    -------
    int
        0 done; 2 wrong input; 3 a diagnostic failed; 4 a run failed;
        130 interrupted, resumable.
    """
    return guarded(lambda: _dispatch(list(arguments)), debug="--debug" in arguments)


def _dispatch(arguments: list[str]) -> int:
    code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    sys.stdout.flush()
    return code if isinstance(code, int) else 0


def guarded(work: Callable[[], int], *, debug: bool) -> int:
    """Turn every error into one line and an exit code."""
    try:
        return work()
    except (ConfigError, cyclopts.CycloptsError) as error:
        if debug:
            raise
        _complain(_wording(error))
        return INPUT_WRONG
    except KeyboardInterrupt:
        _complain("interrupted; the same command resumes")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return RUN_FAILED
    except Exception as error:
        if debug:
            raise
        kind = "" if isinstance(error, RenpError) else f"{type(error).__name__}: "
        hint = "" if isinstance(error, RenpError) else " (--debug shows where)"
        _complain(f"{kind}{error}{hint}")
        return RUN_FAILED


def _wording(error: Exception) -> str:
    if isinstance(error, ConfigError):
        return str(error)
    return " ".join(f"command line: {error}; renp --help lists what is allowed".split())


def be_interruptible() -> None:
    """Let SIGTERM, which a batch system sends at wall time, end a run like Ctrl-C."""
    signal.signal(signal.SIGTERM, _interrupt)


def main() -> None:
    """Entry point of ``renp``."""
    be_interruptible()
    sys.exit(execute(sys.argv[1:]))
