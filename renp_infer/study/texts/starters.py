"""Studies to start from: by question, with every key, its meaning, range and default."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from renp_infer.errors import ConfigError
from renp_infer.study.texts.keys import Key, KeyTable, tables, toml_text
from renp_infer.study.texts.schema import schema_file

Question = Literal["forecast", "own-data", "layout", "compare", "live"]
PresetName = Literal["published", "corrected", "first-principles"]
WIDTH = 98
"""Longest line of a text; values are not broken."""
LEFT_OUT = {"physics.preset_by_default", "scan.given", "optimize.follow"}
"""Keys that no person writes."""
COHERENCE = {"published": 1e-3, "corrected": 1e-3, "first-principles": 0.25}
"""Coherence by preset: the paper's "of order 10^-2 to 10^-3", and all that is possible."""
EXAMPLES = {
    "corrected": "edge-layout.csv",
    "first-principles": "edge-layout-first-principles.csv",
}
"""Files of mock data that ship, by the preset they were drawn with."""


@dataclass(frozen=True)
class Starter:
    """A question, and what a study of it sets beside the common keys.

    Attributes
    ----------
    asks : str
    does : str
        The command that answers it, with {file} for the study.
    tables : mapping
    """

    asks: str
    does: str
    tables: Mapping[str, Any]


STARTERS: dict[str, Starter] = {
    "forecast": Starter(
        "What could this experiment see, and in what time?",
        "renp forecast {file}",
        {"forecast": {"m1_meV": [10.0, 50.0, 200.0], "methods": ["fisher", "asimov"]}},
    ),
    "own-data": Starter(
        "What do my data say about the lightest mass? In the place of the example put your own.",
        "renp infer {file}",
        {"data": {"file": "{stem}-data.csv"}, "inference": {"sampler": "auto"}},
    ),
    "layout": Starter(
        "Which crystal and which trigger angles tell most about the lightest mass?",
        "renp optimize {file}",
        {
            "inference": {},
            "optimize": {
                "utility": ["eig_m1"],
                "evaluations": 20,
                "polish": 20,
                "constraints": ["volume_cm3 <= 6.3", "theta_s_deg within [0, 175]"],
                "vary": {"layout.length_cm": {"low": 0.5, "high": 5.0, "scale": "log"}},
                "windows": [
                    {
                        "centre_deg": {"low": 20.0, "high": 170.0},
                        "width_deg": {"low": 1.5, "high": 40.0, "scale": "log"},
                        "points": 61,
                    }
                ],
            },
        },
    ),
    "compare": Starter(
        "Which ordering, and are neutrinos Dirac or Majorana?",
        "renp compare {file}",
        {"inference": {}, "compare": {"estimators": ["nested"]}},
    ),
    "live": Starter(
        "What should be measured next? Beside the apparatus, with --data the file so far.",
        "renp optimize {file} --sequential",
        {
            "inference": {"m1_max_meV": 200.0},
            "optimize": {
                "sequential": {"setting_s": 10.0, "masses": 48, "m1_meV": [50.0], "campaigns": 2}
            },
        },
    ),
}


def starting_tables(question: Question, preset: PresetName, stem: str) -> dict[str, Any]:
    """What a new study sets.

    Parameters
    ----------
    question : str
    preset : str
    stem : str
        Name of the study and of its file.

    Raises
    ------
    ConfigError
        Own data by a preset of which there is no example.
    """
    if question == "own-data" and preset not in EXAMPLES:
        why = "the example data are theirs; as printed, pairs open outside the range of Eq. (17)"
        raise ConfigError("--preset", preset, " or ".join(EXAMPLES), why)
    own = STARTERS[question].tables
    if "data" in own:
        own = {**own, "data": {k: v.format(stem=stem) for k, v in own["data"].items()}}
    return {
        "schema": 1,
        "name": stem,
        "seed": 20211207,
        "neutrino": {"m1_meV": 50.0, "ordering": "normal", "nature": "dirac"},
        "physics": {"preset": preset},
        "layout": {
            "length_cm": 2.0,
            "radius_cm": 1.0,
            "theta_s_deg": {"start": 130.0, "stop": 151.6, "points": 61},
        },
        "lasers": {"chi_squared": COHERENCE[preset]},
        "detector": {"noise_fT_rtHz": 2.0, "exposure_s": 3600.0, "reference_snr": 1000.0},
        **own,
    }


def starting_text(question: Question, preset: PresetName, stem: str) -> str:
    """A new study as TOML: what it sets, and every other key behind a #.

    Raises
    ------
    ConfigError
    """
    starter, chosen = STARTERS[question], starting_tables(question, preset, stem)
    does = starter.does.format(file=f"{stem}.toml")
    head = [
        f"#:schema {schema_file()}",
        *_wrapped(starter.asks),
        f"#     {does}",
        *_wrapped(
            "Keys behind a # without a space have the value that stands there, or need one: "
            "take the # away to set them. A section behind a # is a question that this study "
            "does not ask."
        ),
        *_wrapped(
            "Noise is scaled to detector.reference_snr, to learn about shapes and layouts; set "
            "it to 0 for what an experiment would see."
        ),
    ]
    blocks = [_block(table, chosen) for table in tables()]
    return "\n".join(["\n".join(head), *blocks]) + "\n"


def _block(table: KeyTable, chosen: Mapping[str, Any]) -> str:
    """A section with all its keys."""
    own = _own(table, chosen)
    active = own is not None or not table.optional and _parent_is_set(table, chosen)
    mark = "" if active else "#"
    lines = [""]
    if table.path:
        lines += [*_wrapped(f"{table.meaning} See docs/{table.page}."), f"{mark}{table.heading}"]
    for key in table.keys:
        if key.path not in LEFT_OUT:
            lines += _entry(key, (own or {}).get(key.name))
    return "\n".join(lines)


def _entry(key: Key, value: Any) -> Iterator[str]:
    """Comment and line of a key."""
    source = f" [{key.source}]" if key.source else ""
    yield from _wrapped(f"{key.meaning}{source}")
    rows = [("Allowed", key.allowed), ("default", key.default_text), ("typical", key.typical)]
    yield from _wrapped("; ".join(f"{name}: {text}" for name, text in rows if text))
    if value is not None:
        yield f"{key.name} = {toml_text(value)}"
    elif key.default is not None:
        yield f"#{key.name} = {toml_text(key.default)}"
    else:
        yield f"#{key.name} ="


def _wrapped(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, WIDTH - 2, break_on_hyphens=False)]


def _at(chosen: Mapping[str, Any], path: str) -> Mapping[str, Any] | None:
    """Table of a section; ``None`` where it is not set."""
    found: Any = chosen
    for step in path.split(".") if path else ():
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _own(table: KeyTable, chosen: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a section, or the first of several, sets; ``None`` where it is not set."""
    found: Any = _at(chosen, table.path)
    if table.many:
        return found[0] if isinstance(found, list) else None
    return None if isinstance(found, list) else found


def _parent_is_set(table: KeyTable, chosen: Mapping[str, Any]) -> bool:
    """Whether the section around one is there; above all sections is nothing."""
    parent = table.path.rpartition(".")[0]
    return not parent or _at(chosen, parent) is not None


QUESTIONS: tuple[Question, ...] = get_args(Question)
