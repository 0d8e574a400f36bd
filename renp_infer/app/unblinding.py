"""``renp blind-key`` and ``renp unblind``: a secret, and what a blinded run hides."""

from __future__ import annotations

import getpass
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from renp_infer.engine.blocks import append_line
from renp_infer.engine.driver import DONE, Plan, bring_up_to_date, judge, study_in, whole
from renp_infer.engine.options import Options
from renp_infer.engine.provenance import git_state
from renp_infer.engine.sealing import OPENED, RECORD, read_seal
from renp_infer.engine.store import Store, read_manifest
from renp_infer.engine.verb import Verb
from renp_infer.engine.worker import identity
from renp_infer.errors import ConfigError
from renp_infer.files import digest
from renp_infer.resources import PACKAGE
from renp_infer.study.blinding import Seal, check_outside, digest_of_data, read_key, write_key
from renp_infer.study.load import load_study
from renp_infer.study.study import Study, source_of
from renp_infer.terminal import show, write_document
from renp_infer.verbs.compare import command as compare_command
from renp_infer.verbs.compare.verb import COMPARE
from renp_infer.verbs.infer import command as infer_command
from renp_infer.verbs.infer.summary import summary_table
from renp_infer.verbs.infer.verb import INFER
from renp_infer.verbs.table import VERBS, load_run

LONGEST_NAME = 200
DOCUMENTS = {INFER.name: infer_command.document_of, COMPARE.name: compare_command.document_of}


def new_key(path: Path) -> int:
    """Write a new key file."""
    write_key(path)
    show(f"key: {path}; keep it outside of every run directory")
    return DONE


@dataclass(frozen=True)
class Opening:
    """A line of the record of a blinded run.

    Attributes
    ----------
    event : {"begun", "done"}
    who : str
    when : str
        UTC.
    version, blinded_with : str
        Of package and physics, now and at the blinded fit.
    git : dict or None
        State of the code, where it is a checkout.
    verbs : list of str
        What was fitted again.
    directory : str
        Where.
    files : dict
        SHA-256 of the results, once they are there.
    """

    event: str
    who: str
    when: str
    version: str
    blinded_with: str
    git: dict[str, Any] | None
    verbs: list[str]
    directory: str
    files: dict[str, str]


def unblind_run(directory: Path, key: Path, who: str, options: Options) -> int:
    """Fit a blinded run again without its section ``[blinding]``, from the same seeds.

    Raises
    ------
    ConfigError
        If it is no blinded run, the key is another, or the data have changed.
    """
    _refuse_changes(options)
    name = _name(who)
    study = study_in(directory)
    found = _checked(study, directory, key)
    verbs, opened = _fitted(directory), _opened(study)
    plan = list(dict.fromkeys(task for verb in verbs for task in verb.plan(opened)))
    target = options.out if options.out is not None else directory / OPENED
    with Store(directory) as store:
        _record(store, "begun", name, found, verbs, target)
        bring_up_to_date([Plan(opened, target, plan)], options)
        _record(store, "done", name, found, verbs, target)
    run = load_run(target)
    if options.json:
        documents = {verb.name: DOCUMENTS[verb.name](run) for verb in verbs}
        write_document({"schema": 1, "directory": str(target), "who": name} | documents)
    else:
        remarks = [verb.remark(run) for verb in VERBS.values()]
        show(summary_table([run]), *filter(None, remarks), f"results: {target}")
    return judge([run])


def _refuse_changes(options: Options) -> None:
    """What is shown is what was hidden: the same study, all of it."""
    allowed = "nothing: unblinding changes nothing of a study"
    if options.overrides:
        raise ConfigError("--set", options.overrides[0], allowed)
    if not whole(options):
        raise ConfigError("--shard", options.shard, allowed)


def _name(who: str) -> str:
    """Name for the record."""
    if len(who) > LONGEST_NAME or not who.isprintable():
        allowed = f"a printable text of at most {LONGEST_NAME} characters"
        raise ConfigError("--who", who, allowed)
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        user = "unknown"
    return who or f"{user} on {platform.node()}"


def _checked(study: Study, directory: Path, key: Path) -> Seal:
    """Seal of a blinded run, whose key it is and whose data are as they were."""
    seal = read_seal(directory)
    if study.blinding is None or seal is None:
        allowed = "a run of a study with a section [blinding]"
        raise ConfigError("RUN", str(directory), allowed)
    check_outside(key, directory, "--key")
    if not seal.fits(read_key(key, "--key")):
        raise ConfigError("--key", str(key), f"the key with which {directory} was blinded")
    if digest_of_data(study.measured) != seal.data:
        allowed = "the data that were blinded; those of the file are others now"
        raise ConfigError("data.file", source_of(study), allowed)
    return seal


def _fitted(directory: Path) -> list[Verb]:
    """Verbs of a blinded run that hide something."""
    done = read_manifest(directory)["tasks"]
    verbs = [verb for verb in VERBS.values() if verb.hides and verb.name in done]
    if not verbs:
        allowed = "a run that renp infer or renp compare has finished"
        raise ConfigError("RUN", str(directory), allowed, "there is nothing to see")
    return verbs


def _opened(study: Study) -> Study:
    """The same study without its section ``[blinding]``."""
    return load_study({name: table for name, table in study.resolved.items() if name != "blinding"})


def _record(
    store: Store, event: str, who: str, seal: Seal, verbs: Sequence[Verb], target: Path
) -> None:
    """Write down that it is done, before and after."""
    line = Opening(
        event=event,
        who=who,
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        version=identity(),
        blinded_with=seal.version,
        git=git_state(PACKAGE.parent),
        verbs=[verb.name for verb in verbs],
        directory=str(target),
        files={} if event == "begun" else {v.file: digest(target / v.file) for v in verbs},
    )
    append_line(store.path(RECORD), asdict(line))
    store.note(RECORD)
