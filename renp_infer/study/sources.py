"""Studies from files, names or tables, for callers that are no command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from renp_infer.study import reading as config
from renp_infer.study.load import find_study, resolve
from renp_infer.study.study import Study

Source = str | Path | Mapping[str, Any]
"""A study file, the name of a study that ships with the package, or its tables."""


def load_study(source: Source, changes: Mapping[str, Any] | None = None) -> Study:
    """Read, check and resolve a study.

    Parameters
    ----------
    source : str, Path or mapping
        A TOML file, the name of a study that ships with the package, or the
        tables of a study, whose relative paths start from the working directory.
    changes : mapping, optional
        Values by key that replace those of the source, as ``--set`` does:
        ``{"neutrino.m1_meV": 20.0}``.

    Returns
    -------
    Study

    Raises
    ------
    ConfigError
        On the first thing that is wrong, with its key.

    Examples
    --------
    >>> load_study("edge-layout-corrected", {"neutrino.m1_meV": 20.0}).parameters.m1_eV
    0.02
    """
    if isinstance(source, Mapping):
        raw, folder, name = dict(source), Path.cwd(), "study"
        text = tomli_w.dumps(raw)
    else:
        file = find_study(source)
        text, folder, name = config.read_study_text(file), file.parent, file.stem
        raw = config.parse_toml(text, str(file))
    raw = config.apply_changes(raw, changes or {})
    raw.setdefault("name", name)
    if "compare" in raw:  # which takes its priors from there
        raw.setdefault("inference", {})
    return resolve(config.validate(raw), text, folder)


def with_sections(study: Study | Source, *sections: str) -> Study:
    """The study, with the defaults of sections that it lacks."""
    if not isinstance(study, Study):
        study = load_study(study)
    missing: dict[str, Any] = {name: {} for name in sections if name not in study.resolved}
    if not missing:
        return study
    return resolve(config.validate(study.resolved | missing), study.text, Path.cwd())
