"""The command line: words to function calls, errors to lines and exit codes.

Imports nothing heavy, so that help appears at once.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Literal

import cyclopts
from cyclopts import App, Parameter

from renp_infer.app.scheme_cli import scheme
from renp_infer.app.starting_cli import init, keys, schema
from renp_infer.engine.interruption import SIGNALS, Interruption
from renp_infer.engine.options import DEFAULTS, Options
from renp_infer.errors import ConfigError, RenpError
from renp_infer.files import forget_temporaries
from renp_infer.verbs import folders

INPUT_WRONG, RUN_FAILED, INTERRUPTED = 2, 4, 130
SAID_INTERRUPTED = "interrupted; the same command resumes"
ASKED_OTHERWISE = {
    "sequential": "renp optimize STUDY --sequential chooses one measurement after the other",
    "ensemble": "renp simulate STUDY draws data",
    "sets": "renp infer STUDY fits each of several data sets, and all",
}
"""What to do for a task whose name is no command."""


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
def run(*studies: Path, options: Options = DEFAULTS) -> int:
    """Do all tasks of one or more studies, then write the report; resumes."""
    from renp_infer.app import commands

    return commands.run(studies, options)


def _verbs() -> dict[str, Callable[..., int]]:
    """The command of each folder of ``verbs`` that has one, by name."""
    names = folders("command.py")
    modules = {name: import_module(f"renp_infer.verbs.{name}.command") for name in names}
    return {name: getattr(module, name) for name, module in modules.items()}


for _command in _verbs().values():
    app.command(_command)


for _command in (init, keys, schema):
    app.command(_command)


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

    return serve(study, port=port, browser=browser, debug=debug)


@app.command
def serve(study: Path, /, *, port: int | None = None, options: Options = DEFAULTS) -> int:
    """Run a campaign for other programs: readings in, the next setting out.

    JSON lines on standard input are answered on standard output, one by one, see
    docs/live.md; --out is the campaign's directory.

    Parameters
    ----------
    port
        Serve on this port of this machine instead; 0 takes a free one.
    """
    from renp_infer.live.serve import serve as serve_campaign

    return serve_campaign(study, options, port)


@app.command
def report(*studies: Path, figures: str = "", options: Options = DEFAULTS) -> int:
    """Write report.html of finished studies or run directories.

    Parameters
    ----------
    figures
        Also write each figure into figures/: some of pdf,svg,csv.
    """
    from renp_infer.app import commands

    return commands.report(studies, options, figures=figures)


@app.command
def status(*runs: Path, options: Options = DEFAULTS) -> int:
    """Tell how far studies or run directories are, while they run or after."""
    from renp_infer.app import upkeep

    return upkeep.status(runs, options)


@app.command
def merge(*runs: Path, options: Options = DEFAULTS) -> int:
    """Join run directories of one study, into --out or into the first."""
    from renp_infer.app import upkeep

    return upkeep.merge(runs, options)


@app.command
def reweight(
    run: Path, /, *, constraints: Annotated[str, Parameter("--with")], options: Options = DEFAULTS
) -> int:
    """Weigh the draws of a run by further constraints, without a new fit.

    Parameters
    ----------
    constraints
        A file of constraints, or the name of one that ships with the package.
    """
    from renp_infer.app.reweighting import reweight_run

    return reweight_run(run, constraints, options)


@app.command
def export(run: Path, /, *, to: str, options: Options = DEFAULTS) -> int:
    """Write a run in the formats of others: into --out, or into export/ of the run.

    Parameters
    ----------
    to
        Some of csv,latex,getdist,hepdata,ro-crate.
    """
    from renp_infer.app import upkeep

    return upkeep.export(run, to, options)


@app.command
def blind_key(file: Path, /) -> int:
    """Write a new secret for [blinding] into a file that only its owner may read."""
    from renp_infer.app.unblinding import new_key

    return new_key(file)


@app.command
def unblind(run: Path, /, *, key: Path, who: str = "", options: Options = DEFAULTS) -> int:
    """Fit a blinded run again in the open, and record who did so, when and with what.

    Parameters
    ----------
    key
        The file with the secret of the run.
    who
        Name for the record; by default that of the user and machine.
    """
    from renp_infer.app.unblinding import unblind_run

    return unblind_run(run, key, who, options)


@app.command
def slurm(
    study: Path,
    /,
    *,
    jobs: int = 10,
    sbatch: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    options: Options = DEFAULTS,
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

    return upkeep.slurm(study, jobs, sbatch, options)


@app.command
def doctor(*, options: Options = DEFAULTS) -> int:
    """Check this installation, in seconds."""
    from renp_infer.app import upkeep

    return upkeep.doctor(options)


@app.command
def completion(shell: Literal["bash", "zsh", "fish"], /) -> int:
    """Print a script that completes commands and options in a shell, see docs/terminal.md."""
    sys.stdout.write(app.generate_completion(shell=shell))
    return 0


@app.command
def cite(run: Path | None = None, /, *, options: Options = DEFAULTS) -> int:
    """Print BibTeX of what a run used, or of everything."""
    from renp_infer.app import upkeep

    return upkeep.cite(run, options)


for _name in app:
    if not _name.startswith("-"):
        app[_name].help_epilogue = ""  # the examples stand under the list of verbs only


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
        _complain(SAID_INTERRUPTED)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return RUN_FAILED
    except MemoryError as error:
        if debug:
            raise
        hint = "take fewer angles, draws, data sets or workers"
        _complain(f"the memory of this machine is not enough ({error}); {hint}")
        return RUN_FAILED
    except Exception as error:
        if debug:
            raise
        if isinstance(error, OSError) and error.errno == errno.ENOSPC and not error.filename:
            _complain("standard output is full; what stands in a run directory is whole")
            return RUN_FAILED
        kind = "" if isinstance(error, RenpError) else f"{type(error).__name__}: "
        hint = "" if isinstance(error, RenpError) else " (--debug shows where)"
        _complain(f"{kind}{error}{hint}")
        return RUN_FAILED


def _wording(error: Exception) -> str:
    if isinstance(error, ConfigError):
        return str(error)
    words = error.unused_tokens if isinstance(error, cyclopts.UnknownCommandError) else None
    word = words[0] if words else ""
    hint = ASKED_OTHERWISE.get(word, "renp --help lists what is allowed")
    return " ".join(f"command line: {error}; {hint}".split())


def be_interruptible() -> None:
    """Let the signals of batch systems and closed terminals end a run like Ctrl-C.

    One that is ignored from the start, as by nohup, stays so.
    """
    interruption = Interruption(_leave_interrupted)
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interruption)


def _mend_streams() -> None:
    """Have streams that take every text: closed ones take it nowhere, narrow ones as they can."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # its number is free, and open() takes the smallest
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace" if stream is sys.stderr else "replace")


def _leave_interrupted() -> None:
    forget_temporaries()
    if sys.stderr.isatty():
        sys.stderr.write("\x1b[?25h\n")  # a progress bar hides the cursor
    _complain(SAID_INTERRUPTED)
    _leave(INTERRUPTED)


def _leave(code: int) -> None:
    """End at once, without the interpreter's own end: libraries may have threads at work."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(code)


def main() -> None:
    """Run the command of ``sys.argv``."""
    perform(lambda: execute(sys.argv[1:]))


def perform(work: Callable[[], int]) -> None:
    """Do the work of a process that may be interrupted, and end with its exit code."""
    be_interruptible()
    _mend_streams()
    code = work()
    if code == INTERRUPTED:
        _leave(code)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # too late to interrupt anything
    sys.exit(code)
