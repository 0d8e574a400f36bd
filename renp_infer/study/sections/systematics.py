"""Tables ``[[systematics]]``: templates by angle, each with a nuisance of its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, get_args

import numpy as np
from pydantic import BeforeValidator as Before

from renp_infer.errors import ConfigError, DomainError
from renp_infer.fields import Number, Said, refusal
from renp_infer.inference.parameters import DERIVED_TEXTS, PARAMETERS
from renp_infer.inference.priors.template import Per, Template, TemplateKind
from renp_infer.records import FloatArray
from renp_infer.study.columns import columns_of
from renp_infer.study.paths import absolute_path
from renp_infer.study.sections.base import Section, Word, about, choice

KEY = "systematics"
COLUMNS = {"additive": "template_nG", "multiplicative": "template"}
"""Column of the template, beside ``theta_s_deg``."""
_TAKEN = {*PARAMETERS.names, *DERIVED_TEXTS, "constraints", "correlations", "likelihood"}
_FEWEST, _MOST = 2, 10_000
_LARGEST = 1e100


def parameter_name(value: object) -> str:
    """Check the name of a parameter that a study adds."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,39}", value):
        raise refusal("1 to 40 letters, digits and underscores, a letter in front")
    if value in _TAKEN:
        raise refusal("another name: a parameter or a result has it")
    return value


class SystematicEntry(Section):
    """A template by trigger angle in a CSV file, and the prior sd of what it is multiplied by."""

    name: Annotated[
        str,
        Before(parameter_name),
        about("Name of the parameter that the template is multiplied by."),
    ]
    file: Annotated[
        Word,
        about("CSV file with theta_s_deg and template_nG, or template where it multiplies."),
    ]
    kind: Annotated[
        TemplateKind,
        choice(*get_args(TemplateKind)),
        about("Whether it is added to the field, or is a relative change of it."),
    ]
    sd: Annotated[
        float,
        Before(Number(low=0, high=1e6, open_low=True)),
        about("Standard deviation of what the template is multiplied by, around 0."),
    ] = 1.0
    per: Annotated[
        Per,
        choice(*get_args(Per)),
        about("Of several data sets: which have its size in common.", page="several-sets.md"),
    ] = Template.per


Systematics = tuple[SystematicEntry, ...]


def with_absolute_templates(entries: Systematics | None, folder: Path) -> Systematics | None:
    """Entries with paths that mean the same from any folder."""
    if entries is None:
        return None
    return tuple(
        entry.model_copy(update={"file": absolute_path(folder, entry.file)}) for entry in entries
    )


def templates_of(entries: Systematics, theta_s: FloatArray) -> tuple[Template, ...]:
    """Templates of entries with absolute paths, which must reach all angles (n,), rad.

    Raises
    ------
    ConfigError
        On the first thing that is wrong.
    """
    found: list[Template] = []
    for k, entry in enumerate(entries):
        key = f"{KEY}[{k}]"
        if entry.name in [one.name for one in found]:
            raise ConfigError(f"{key}.name", entry.name, "another name: a template has it")
        template = _template(entry, f"{key}.file")
        try:
            values = template.at(theta_s)
        except DomainError as error:
            allowed = f"rows from {error.value} degrees, the study's angles, or beyond"
            given = Said(f"rows {error.allowed.removeprefix('within ')} degrees")
            raise ConfigError(f"{key}.file", given, allowed) from None
        if not np.any(values):
            raise ConfigError(f"{key}.file", Said("0 at every angle"), "a template that is not 0")
        found.append(template)
    return tuple(found)


def _template(entry: SystematicEntry, key: str) -> Template:
    angles, values = columns_of(Path(entry.file), ("theta_s_deg", COLUMNS[entry.kind]), key)
    if not _FEWEST <= angles.size <= _MOST:
        raise ConfigError(key, Said(f"{angles.size} rows"), f"{_FEWEST} to {_MOST} rows")
    if np.any(np.diff(angles) <= 0.0) or angles[-1] - angles[0] > 360.0:
        raise ConfigError(key, Said("angles that do not"), "angles that rise, within one turn")
    if np.any(np.abs(values) > _LARGEST):
        raise ConfigError(key, Said(f"{np.abs(values).max():g}"), f"values up to {_LARGEST:g}")
    return Template(
        entry.name,
        entry.kind,
        entry.sd,
        tuple(angles.tolist()),
        tuple(values.tolist()),
        entry.per,
    )
