"""From a study file to a checked study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from renp_infer.files import is_file
from renp_infer.resources import share_path
from renp_infer.study import reading as config
from renp_infer.study.design_check import check_design
from renp_infer.study.resolve import assemble
from renp_infer.study.study import Study


def load_study(
    path: str | Path,
    overrides: Iterable[str] = (),
    *,
    inference: bool | None = None,
    data: Mapping[str, str] | None = None,
    add: Iterable[str] = (),
) -> Study:
    """Read, check and resolve a study.

    Parameters
    ----------
    path : str or Path
        A TOML file, or the name of a study that ships with the package.
    overrides : iterable of str
        Settings ``section.key=value`` that replace those of the file.
    inference : bool, optional
        True adds the defaults of ``[inference]`` if the section is missing,
        False leaves it and what builds on it out, whose limits then do not count.
    data : mapping, optional
        Takes the place of the section ``[data]``.
    add : iterable of str
        Sections, by dotted path, whose defaults are added if they are missing.

    Raises
    ------
    ConfigError
        On the first thing that is wrong; nothing has been written then.
    """
    file = find_study(path)
    text = config.read_study_text(file)
    raw = config.apply_overrides(config.parse_toml(text, str(file)), overrides)
    raw.setdefault("name", file.stem)
    if data is not None:
        raw["data"] = dict(data)
    config.add_sections(raw, add)
    if inference or "compare" in raw:  # which takes its priors from there
        raw.setdefault("inference", {})
    study = config.validate(raw)
    if inference is False:
        gone = dict.fromkeys(("inference", "compare", "calibrate", "forecast", "optimize"))
        study = study.model_copy(update=gone)
    return resolve(study, text, file.parent)


def find_study(path: str | Path) -> Path:
    """File of a study: the path itself, or that of a study the package ships."""
    shipped = share_path("studies") / f"{path}.toml"
    plain = Path(path).name == str(path) and not str(path).endswith(".toml")
    return shipped if plain and is_file(shipped) and not Path(path).exists() else Path(path)


def resolve(study: config.StudyConfig, text: str, folder: Path) -> Study:
    """Turn checked keys into records, and judge the designs that they allow.

    Parameters
    ----------
    study : StudyConfig
    text : str
        The file as given.
    folder : Path
        What a relative path of a target scheme starts from.

    Raises
    ------
    ConfigError
        On a combination of keys that means nothing.
    """
    found = assemble(study, text, folder)
    if found.design is not None:
        check_design(found)
    return found
