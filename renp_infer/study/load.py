"""From a study file, a name or tables to a checked study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

from renp_infer.errors import ConfigError
from renp_infer.fields import Said
from renp_infer.files import is_file
from renp_infer.resources import share_path
from renp_infer.study import reading as config
from renp_infer.study.datasets import assemble_sets
from renp_infer.study.design_check import check_design
from renp_infer.study.resolve import assemble
from renp_infer.study.scanning import scanned
from renp_infer.study.sources import data_digests
from renp_infer.study.study import Study

Source = str | Path | Mapping[str, Any]
"""A study file, the name of a study that ships with the package, or its tables."""
Changes = Mapping[str, Any] | Iterable[str]
"""Values by key; or texts ``section.key=value``, as ``--set`` takes them."""


def load_study(
    source: Source,
    changes: Changes | None = None,
    *,
    inference: bool | None = None,
    data: Mapping[str, str] | None = None,
    scan: Mapping[str, Any] | None = None,
    add: Iterable[str] = (),
) -> Study:
    """Read, check and resolve a study.

    Parameters
    ----------
    source : str, Path or mapping
        A TOML file, the name of a study that ships with the package, or the
        tables of a study, whose relative paths start from the working directory.
    changes : mapping or iterable of str, optional
        Values by key that replace those of the source: ``{"neutrino.m1_meV": 20.0}``;
        or the texts of ``--set``.
    inference : bool, optional
        True adds the defaults of ``[inference]`` if the section is missing,
        False leaves it and what builds on it out, whose limits then do not count.
    data : mapping, optional
        Takes the place of the section ``[data]``; not that of several data sets.
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
    if isinstance(changes, Mapping):
        raw = config.apply_changes(raw, changes)
    else:
        raw = config.apply_overrides(raw, changes or ())
    raw.setdefault("name", name)
    if data is not None:
        if isinstance(raw.get("data"), list):
            allowed = "no --data: its sets name their files themselves"
            raise ConfigError("data", Said("several data sets"), allowed)
        raw["data"] = dict(data)
    if scan:
        config.add_sections(raw, ["scan"])
        raw = config.apply_changes(raw, {f"scan.{key}": value for key, value in scan.items()})
    config.add_sections(raw, add)
    if inference or "compare" in raw:  # which takes its priors from there
        raw.setdefault("inference", {})
    study = config.validate(raw)
    if inference is False:
        gone = set(config.TASKS) - {"simulate"}
        study = study.model_copy(update=dict.fromkeys(gone))
    return resolve(study, text, folder)


def _given(source: Source) -> tuple[dict[str, Any], str, Path, str]:
    """Tables of a source, their text, the folder of relative paths, a name for the study."""
    if isinstance(source, Mapping):
        import tomli_w

        return dict(source), tomli_w.dumps(source), Path.cwd(), "study"
    given: object = source  # from a notebook it may be anything
    if not isinstance(given, str | Path):
        allowed = "a study file, the name of a shipped study, or tables"
        raise ConfigError("source", given, allowed)
    file = find_study(source)
    text = config.read_study_text(file)
    return config.parse_toml(text, str(file)), text, file.parent, file.stem


def find_study(path: str | Path) -> Path:
    """File of a study: the path itself, or that of a study the package ships."""
    shipped = share_path("studies") / f"{path}.toml"
    plain = Path(path).name == str(path) and not str(path).endswith(".toml")
    return shipped if plain and is_file(shipped) and not Path(path).exists() else Path(path)


def with_sections(study: Study | Source, *sections: str) -> Study:
    """The study, with the defaults of sections, by dotted path, that it lacks."""
    if not isinstance(study, Study):
        study = load_study(study)
    tables = deepcopy(study.resolved)
    config.add_sections(tables, sections)
    if tables == study.resolved:
        return study
    return resolve(config.validate(tables), study.text, Path.cwd())


def resolve(study: config.StudyConfig, text: str, folder: Path) -> Study:
    """Judge also the designs and cells of a study, once it is assembled; see `assemble`."""
    several = isinstance(study.data, tuple)
    found = assemble_sets(study, text, folder) if several else assemble(study, text, folder)
    # What was read is what results depend on, whatever becomes of the files afterwards.
    found = replace(found, digests=data_digests(found))
    if found.design is not None:
        check_design(found)
    return found if study.scan is None else scanned(found, study, folder)
