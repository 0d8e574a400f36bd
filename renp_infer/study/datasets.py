"""Several data sets of a study: each a study of its own, joined by what they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from renp_infer.errors import ConfigError
from renp_infer.fields import Said
from renp_infer.inference.joint import Sharing
from renp_infer.inference.parameters import LEAKAGE, PARAMETERS, parted
from renp_infer.inference.priors.own_prior import OwnPrior
from renp_infer.inference.priors.prior import truth_values
from renp_infer.study.checks import check_blinding, check_centred, check_systematics
from renp_infer.study.knowledge import Stated
from renp_infer.study.priors import group_priors
from renp_infer.study.reading import StudyConfig, validate
from renp_infer.study.resolve import assemble
from renp_infer.study.sections.blinding import blinding_of, with_absolute_key
from renp_infer.study.sections.data import TABLES, DataSection, DataSetSection, absolute
from renp_infer.study.sections.inference import absolute_priors
from renp_infer.study.sections.systematics import with_absolute_templates
from renp_infer.study.sources import data_digests
from renp_infer.study.study import DataSet, Study

_SHARED = ("schema", "seed", "neutrino", "physics", "accuracy", "inference", "systematics")
"""Keys of a study that hold for each of its data sets."""
INDEX = "refractive_index"
_OF_CRYSTAL = ("length_cm", "radius_cm")
"""What is one and the same of a crystal, beside its target."""


def assembled(study: StudyConfig, text: str, folder: Path) -> Study:
    """Turn checked keys into records, of one data set or several; see `assemble`."""
    several = isinstance(study.data, tuple)
    if not several:
        _check_nothing_shared(study)
    found = assemble_sets(study, text, folder) if several else assemble(study, text, folder)
    # What was read is what results depend on, whatever becomes of the files afterwards.
    return replace(found, digests=data_digests(found))


def assemble_sets(study: StudyConfig, text: str, folder: Path) -> Study:
    """Turn the checked keys of a study with ``[[data]]`` into records.

    Its apparatus is that of the first data set.

    Parameters
    ----------
    study : StudyConfig
    text : str
        The file as given.
    folder : Path
        What relative paths start from.

    Raises
    ------
    ConfigError
        On the first thing that is wrong; what is so of one set is named by its place.
    """
    entries = study.data
    assert isinstance(entries, tuple)
    _check_names(entries)
    check_blinding(study)
    gone = {"data": None, "systematics": None, "blinding": None}
    bare = _without_groups(study).model_copy(update=gone)
    hidden = with_absolute_key(study.blinding, folder)
    whole = replace(assemble(bare, text, folder), blinding=blinding_of(hidden))
    check_systematics(study)
    sets = tuple(_set(study, entry, k, folder, whole) for k, entry in enumerate(entries))
    _check_crystals(sets)
    _check_sequence(study, sets)
    _check_drift(sets)
    sharing = _sharing(study, sets)
    sets = _leaking_alike(sets, sharing)
    _check_index(sets, sharing)
    _check_knowledge(whole.knowledge, sharing)
    groups = _groups(study, folder, whole, sharing)
    sets = _with_groups(study, sets, groups, sharing)
    told = [_told(entry, k, folder) for k, entry in enumerate(entries)]
    resolved = whole.resolved | {"data": told} | _templates(study, folder)
    if hidden is not None:
        resolved |= {"blinding": hidden.model_dump()}
    resolved |= _told_groups(study, folder, resolved)
    own, design, settings = sets[0].study.settings, whole.design, whole.settings
    if design is not None:
        tables = design.tables | _templates(study, folder)
        tables |= _told_groups(study, folder, tables)
        design = replace(design, tables=tables, data=tuple(resolved["data"]))
    if own is not None and settings is not None:
        held = (*settings.own, *groups)
        settings = replace(settings, templates=own.templates, own=held)
    return replace(
        whole,
        settings=settings,
        resolved=resolved,
        experiment=sets[0].study.experiment,
        design=design,
        sets=sets,
        sharing=sharing,
    )


def _without_groups(study: StudyConfig) -> StudyConfig:
    """The study without priors of single groups, which no single set knows."""
    if study.inference is None or study.inference.priors is None:
        return study
    priors = study.inference.priors.model_copy(update={"group": ()})
    inference = study.inference.model_copy(update={"priors": priors})
    return study.model_copy(update={"inference": inference})


def _groups(
    study: StudyConfig, folder: Path, whole: Study, sharing: Sharing
) -> tuple[OwnPrior, ...]:
    """Priors of single groups, by parameter with its group."""
    section = absolute_priors(study.inference, folder)
    if section is None or section.priors is None or whole.settings is None:
        return ()
    names = [
        name
        for name in sharing.table.names
        if parted(name)[1] and parted(name)[0] in PARAMETERS.names
    ]
    return group_priors(section.priors, whole.settings, whole.oscillation, names)


def _with_groups(
    study: StudyConfig,
    sets: tuple[DataSet, ...],
    groups: tuple[OwnPrior, ...],
    sharing: Sharing,
) -> tuple[DataSet, ...]:
    """The sets, each with the priors of its groups."""
    found = []
    for place, one in enumerate(sets):
        settings = one.study.settings
        if settings is not None:
            held = settings.with_own((*settings.own, *groups), settings.blocks)
            mine = held.of_groups(sharing.own_groups(place))
            priors = [own for own in mine.own if own not in settings.own]
            _check_group_priors(study, priors, one.study)
            found.append(replace(one, study=replace(one.study, settings=mine)))
        else:
            found.append(one)
    return tuple(found)


def _check_group_priors(study: StudyConfig, own: Sequence[OwnPrior], one: Study) -> None:
    """Refuse priors of a set's groups that a task cannot take as they are."""
    key = "inference.priors.group"
    if one.residual and any(prior.name == LEAKAGE for prior in own):
        allowed = "nothing with target.polarisation, whose parity-even field is part of that prior"
        raise ConfigError(key, Said(f"one of {LEAKAGE}"), allowed)
    check_centred(study, own, one.experiment, one.parameters, key)


def _told_groups(study: StudyConfig, folder: Path, tables: Mapping[str, Any]) -> dict[str, Any]:
    """Section ``[inference]`` of tables with the priors of single groups; nothing without any."""
    section = absolute_priors(study.inference, folder)
    if section is None or section.priors is None or not section.priors.group:
        return {}
    told = [entry.model_dump(exclude_none=True) for entry in section.priors.group]
    inference = tables["inference"]
    return {"inference": inference | {"priors": inference.get("priors", {}) | {"group": told}}}


def _templates(study: StudyConfig, folder: Path) -> dict[str, Any]:
    """Templates of a study as its resolved tables have them."""
    found = with_absolute_templates(study.systematics, folder)
    return {} if found is None else {"systematics": [entry.model_dump() for entry in found]}


def _set(
    study: StudyConfig,
    entry: DataSetSection,
    place: int,
    folder: Path,
    whole: Study,
) -> DataSet:
    given = study.model_dump(by_alias=True, exclude_unset=True)
    keys = (*_SHARED, *TABLES)
    tables: dict[str, Any] = {key: given[key] for key in keys if given.get(key) is not None}
    tables.get("inference", {}).pop("sharing", None)
    tables.get("inference", {}).get("priors", {}).pop("group", None)
    for name in TABLES:
        tables[name] = given.get(name, {}) | getattr(entry, name)
    tables |= {"name": entry.name, "data": _file(entry, place)}
    try:
        own = assemble(validate({k: v for k, v in tables.items() if v is not None}), "", folder)
    except ConfigError as error:
        raise _of_entry(error, entry, place) from None
    own = replace(own, digests=data_digests(own), knowledge=whole.knowledge)
    experiment = replace(own.experiment, reference=whole.experiment)
    own = replace(own, blinding=whole.blinding, experiment=experiment)
    return DataSet(entry.name, entry.run or entry.name, entry.crystal, own)


def _file(entry: DataSetSection, place: int) -> dict[str, Any] | None:
    """Section ``[data]`` of a set of its own."""
    if entry.measured:
        return entry.given
    for key, value in entry.given.items():
        raise ConfigError(f"data[{place}].{key}", value, "nothing without a file of data")
    return None


def _of_entry(error: ConfigError, entry: DataSetSection, place: int) -> ConfigError:
    """A refusal, with the place of the set where its key was given."""
    path = error.path
    if path.startswith(("data.", "data,")):
        path = f"data[{place}]{path.removeprefix('data')}"
    elif _known(entry, path):
        path = f"data[{place}].{path}"
    return ConfigError(path, error.given, error.allowed, error.hint)


def _known(entry: DataSetSection, path: str) -> bool:
    table, _, key = path.partition(".")
    own: Mapping[str, Any] = getattr(entry, table, {}) if table in TABLES else {}
    return key.partition(".")[0].partition("[")[0] in own


def _told(entry: DataSetSection, place: int, folder: Path) -> dict[str, Any]:
    """Keys of a set, with paths that mean the same from any folder."""
    told = entry.model_dump(exclude_none=True, exclude_defaults=True)
    file = _file(entry, place)
    if file is None:
        return told
    named = absolute(DataSection.model_validate(file), folder)
    assert named is not None
    return told | named.model_dump(exclude_none=True)


def _check_names(entries: tuple[DataSetSection, ...]) -> None:
    if not entries:
        raise ConfigError("data", [], "one data set or more")
    names = [entry.name.casefold() for entry in entries]  # files are called by them
    for place, name in enumerate(names):
        if name in names[:place]:
            allowed = "a name that no other set has, upper and lower case being the same"
            raise ConfigError(f"data[{place}].name", entries[place].name, allowed)


def _check_nothing_shared(study: StudyConfig) -> None:
    """Refuse what says which data sets share a parameter, where there is one."""
    if study.inference is not None and study.inference.sharing:
        said = Said("a table")
        raise ConfigError("inference.sharing", said, "nothing without [[data]], several data sets")


def _check_knowledge(knowledge: tuple[Stated, ...], sharing: Sharing) -> None:
    """Constraints are on what all sets have in common, and speak of no single one."""
    for row in knowledge:
        for name in row.term.quantities:
            if sharing.parts(name):
                allowed = f"quantities that all data sets share, which {name} is not here"
                hint = f'inference.sharing.{name} = "all" makes it so'
                raise ConfigError(f"constraints, {row.term.name}", name, allowed, hint)


def _check_index(sets: tuple[DataSet, ...], sharing: Sharing) -> None:
    """One prior of the index is none of crystals whose indices are different."""
    settings = sets[0].study.settings
    own = [] if settings is None else [one.name for one in settings.own]
    nominal = {one.crystal: one.study.experiment.target.refractive_index for one in sets}
    if INDEX not in own or not sharing.parts(INDEX) or len(set(nominal.values())) == 1:
        return
    there = " and ".join(f"{value:g} of {name}" for name, value in nominal.items())
    allowed = f"nothing where crystals have different indices, {there}"
    hint = "inference.refractive_index_sd says how far each may be from its own"
    raise ConfigError(f"inference.priors.{INDEX}", Said("one prior"), allowed, hint)


def _check_sequence(study: StudyConfig, sets: tuple[DataSet, ...]) -> None:
    """A sequence knows no parity-even field, be it of the sets that are there already."""
    if study.optimize is None or study.optimize.sequential is None:
        return
    for place, one in enumerate(sets):
        if one.study.experiment.target.polarisation != 0.0:
            given = one.study.experiment.target.polarisation
            allowed = "0 with [optimize.sequential], which knows no parity-even field"
            raise ConfigError(f"data[{place}].target.polarisation", given, allowed)


def _check_crystals(sets: tuple[DataSet, ...]) -> None:
    """One crystal has one size and one material."""
    first: dict[str, DataSet] = {}
    for place, one in enumerate(sets):
        other = first.setdefault(one.crystal, one)
        mine, its = one.study.experiment, other.study.experiment
        same = all(getattr(mine.layout, k) == getattr(its.layout, k) for k in _OF_CRYSTAL)
        if not same or not mine.target.same_material(its.target):
            allowed = f"size and target as in the set {other.name!r}, which has the same crystal"
            hint = "give sets of different crystals a key crystal, with different names"
            raise ConfigError(f"data[{place}].crystal", one.crystal, allowed, hint)


def _sharing(study: StudyConfig, sets: tuple[DataSet, ...]) -> Sharing:
    said = (study.inference.sharing if study.inference is not None else None) or {}
    own = sets[0].study.settings
    members = [one.member for one in sets]
    sharing = Sharing.by(members, dict(said), () if own is None else own.templates)
    for k, block in enumerate(() if own is None else own.blocks):
        if len({sharing.groups[name] for name in block.names}) > 1:
            allowed = "parameters that the data sets share in the same way"
            hint = "inference.sharing says how"
            key = f"inference.priors.block[{k}].parameters"
            raise ConfigError(key, list(block.names), allowed, hint)
    _check_centres(sets, sharing)
    return sharing


def _check_centres(sets: tuple[DataSet, ...], sharing: Sharing) -> None:
    """What sets share has one nominal value, around which its prior is."""
    first: dict[tuple[str, str], tuple[str, float]] = {}
    for place, one in enumerate(sets):
        nominal = truth_values(one.study.parameters, one.study.experiment.target.refractive_index)
        for name, value in nominal.items():
            other, its = first.setdefault((name, sharing.groups[name][place]), (one.name, value))
            if value != its:
                given = Said(f"one {name} for the sets {other!r} and {one.name!r}")
                allowed = f"sets with one nominal value, not {its:g} and {value:g}"
                hint = f'inference.sharing.{name} = "crystal" or "set" gives each its own'
                raise ConfigError(f"inference.sharing.{name}", given, allowed, hint)


def _leaking_alike(sets: tuple[DataSet, ...], sharing: Sharing) -> tuple[DataSet, ...]:
    """The sets, each with the others that have the same leakage beside it."""
    groups = sharing.groups[LEAKAGE]
    plain = [replace(one.study.experiment, reference=None) for one in sets]
    found = []
    for place, one in enumerate(sets):
        beside = tuple(
            own for k, own in enumerate(plain) if k != place and groups[k] == groups[place]
        )
        experiment = replace(one.study.experiment, beside=beside)
        found.append(replace(one, study=replace(one.study, experiment=experiment)))
    return tuple(found)


def _check_drift(sets: tuple[DataSet, ...]) -> None:
    """A drift goes on through a run, which mock data of sets of their own do not know."""
    first: dict[str, str] = {}
    for place, one in enumerate(sets):
        drift = one.study.experiment.detector.drift_fT
        if one.study.measurement is not None or drift == 0.0:
            continue
        if one.run in first:
            allowed = f"a run of its own: a drift does not go on from the set {first[one.run]!r}"
            hint = "detector.drift_fT = 0, or one set for the run"
            raise ConfigError(f"data[{place}].run", one.run, allowed, hint)
        first[one.run] = one.name
