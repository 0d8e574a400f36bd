"""From a study file, a name or tables to a checked study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from renp_infer.errors import ConfigError
from renp_infer.fields import Said
from renp_infer.files import is_file
from renp_infer.resources import share_path
from renp_infer.study import reading as config
from renp_infer.study.datasets import assembled
from renp_infer.study.design_check import check_design
from renp_infer.study.paths import expanded
from renp_infer.study.scanning import scanned
from renp_infer.study.sections.physics import PhysicsSection
from renp_infer.study.study import Study
from renp_infer.study.toml import tables
from renp_infer.study.toml.including import KEY, laid_over
from renp_infer.terminal import plain

Source = str | Path | Mapping[str, Any] | Study
"""A study file, the name of a study that ships with the package, its tables, or a study."""
Changes = Mapping[str, Any] | Iterable[str]
"""Values by key; or texts ``section.key=value``, as ``--set`` takes them."""


def load_study(
    source: Source,
    changes: Changes | None = None,
    *,
    inference: bool | None = None,
    data: Mapping[str, Any] | None = None,
    scan: Mapping[str, Any] | None = None,
    add: Iterable[str] = (),
) -> Study:
    """Read, check and resolve a study.

    Parameters
    ----------
    source : str, Path, mapping or Study
        A TOML file, the name of a study that ships with the package, the tables of a study,
        whose relative paths start from the working directory, or a loaded study, all of whose
        keys have values. Numbers of tables may be NumPy's, lists arrays.
    changes : mapping or iterable of str, optional
        Values by key that replace those of the source: ``{"neutrino.m1_meV": 20.0}``;
        or the texts of ``--set``.
    inference : bool, optional
        True adds the defaults of ``[inference]`` if the section is missing,
        False leaves it and what builds on it out, whose limits then do not count.
    data : mapping, optional
        Takes the place of the section ``[data]``, not of several data sets: a ``file``, or
        arrays ``theta_s_deg``, ``field_nG``, ``error_nG`` or ``covariance_nG2``, and
        ``exposure_s``.
    scan : mapping, optional
        Keys that take the place of those of the section ``[scan]``.
    add : iterable of str
        Sections, by dotted path, whose defaults are added if they are missing.

    Returns
    -------
    Study

    Raises
    ------
    ConfigError
        On the first thing that is wrong, with its key; nothing has been written then.

    Examples
    --------
    >>> load_study("edge-layout-corrected", {"neutrino.m1_meV": 20.0}).parameters.m1_eV
    0.02
    """
    raw, text, folder, name = _given(source)
    _without_default_preset(raw)
    if isinstance(changes, Mapping):
        _check_changes(source, changes)
        raw = tables.apply_changes(raw, plain(changes))
    else:
        raw = tables.apply_overrides(raw, changes or ())
    if KEY in raw:
        allowed = "nothing but in a study: a change sets values, and no file"
        raise ConfigError(KEY, raw[KEY], allowed)
    raw.setdefault("name", name)
    if data is not None:
        if isinstance(raw.get("data"), list):
            allowed = "no --data: its sets name their files themselves"
            raise ConfigError("data", Said("several data sets"), allowed)
        given: object = data  # from a notebook it may be anything
        if not isinstance(given, Mapping):
            allowed = "a mapping: file, or theta_s_deg, field_nG and error_nG or covariance_nG2"
            raise ConfigError("data", given, allowed)
        raw["data"] = plain(dict(given))
    if scan:
        tables.add_sections(raw, ["scan"])
        raw = tables.apply_changes(raw, {f"scan.{key}": value for key, value in scan.items()})
    tables.add_sections(raw, add)
    if inference or "compare" in raw:  # which takes its priors from there
        raw.setdefault("inference", {})
    study = config.validate(raw)
    if inference is False:
        gone = set(config.TASKS) - {"simulate"}
        study = study.model_copy(update=dict.fromkeys(gone))
    return resolve(study, text, folder)


def _given(source: Source) -> tuple[dict[str, Any], str, Path, str]:
    """Tables of a source, their text, the folder of relative paths, a name for the study."""
    if isinstance(source, Study):
        return deepcopy(source.resolved), source.text, Path.cwd(), source.name
    if isinstance(source, Mapping):
        import tomli_w

        given_tables, folder = plain(dict(source)), Path.cwd()
        return laid_over(given_tables, folder), tomli_w.dumps(given_tables), folder, "study"
    given: object = source  # from a notebook it may be anything
    if not isinstance(given, str | Path):
        allowed = "a study file, the name of a shipped study, or tables"
        raise ConfigError("source", given, allowed)
    file = find_study(source)
    text = _text_of(file)
    return read_tables(file, text), text, file.parent, file.stem


def read_tables(file: Path, text: str | None = None) -> dict[str, Any]:
    """Tables of a study file, with those of the files that it includes.

    Parameters
    ----------
    file : Path
    text : str, optional
        What it holds, where that has been read.

    Raises
    ------
    ConfigError
    """
    text = _text_of(file) if text is None else text
    return laid_over(tables.parse_toml(text, str(file)), file.parent, file)


def _without_default_preset(raw: dict[str, Any]) -> None:
    """Leave a preset that nobody chose out, so that a change that names one is a choice."""
    physics = raw.get("physics")
    if isinstance(physics, dict) and physics.get("preset_by_default") is True:
        default = PhysicsSection.model_fields["preset"].default
        if physics.get("preset", default) == default:
            gone = ("preset", "preset_by_default")
            raw["physics"] = {key: value for key, value in physics.items() if key not in gone}


def _check_changes(source: Source, changes: Mapping[str, Any]) -> None:
    """Refuse another preset for a loaded study, all of whose switches have values."""
    key = "physics.preset"
    if isinstance(source, Study) and key in changes:
        allowed = "nothing for a loaded study, whose switches all have values"
        raise ConfigError(key, changes[key], allowed, "load its file with this change")


def find_study(path: str | Path) -> Path:
    """File of a study: the path itself, or that of a study the package ships."""
    shipped = share_path("studies") / f"{path}.toml"
    named = _is_name(path) and is_file(shipped) and not Path(path).exists()
    return shipped if named else expanded(path)


def _text_of(file: Path) -> str:
    """Text of a study file; a name that is none gets the nearest of those that ship, too."""
    names = [study.stem for study in share_path("studies").glob("*.toml")]
    return tables.read_study_text(file, names if _is_name(file) else ())


def _is_name(path: str | Path) -> bool:
    """Whether a path may be the name of a study that ships."""
    return Path(path).name == str(path) and not str(path).endswith(".toml")


def with_sections(study: Study | Source, *sections: str) -> Study:
    """The study, with the defaults of sections, by dotted path, that it lacks."""
    if not isinstance(study, Study):
        study = load_study(study)
    resolved = deepcopy(study.resolved)
    tables.add_sections(resolved, sections)
    if resolved == study.resolved:
        return study
    return resolve(config.validate(resolved), study.text, Path.cwd())


def resolve(study: config.StudyConfig, text: str, folder: Path) -> Study:
    """Judge also the designs and cells of a study, once it is assembled; see `assemble`."""
    found = assembled(study, text, folder)
    if found.design is not None:
        check_design(found)
    return found if study.scan is None else scanned(found, study, folder)
