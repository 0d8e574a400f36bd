"""Every key has a text, and what is made of the texts is current."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import renp_infer
from renp_infer.errors import ConfigError
from renp_infer.study.load import load_study
from renp_infer.study.reading import StudyConfig
from renp_infer.study.texts.keys import explained, tables, toml_text

ROOT = Path(renp_infer.__file__).parents[1]
SHORTEST = 10
"""Characters of a text: less says nothing."""


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Models that an annotation is made of, and those inside them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models(field.annotation)
    for part in getattr(annotation, "__args__", ()):
        yield from models(part)
    if hasattr(annotation, "__metadata__"):
        yield from models(annotation.__origin__)


def silent(model: type[BaseModel]) -> list[str]:
    """Fields whose text says nothing, or no sentence."""
    return [
        name
        for name, field in model.model_fields.items()
        if not re.fullmatch(rf".{{{SHORTEST - 1},}}\.", field.description or "")
    ]


FIELDS = list(dict.fromkeys(models(StudyConfig)))


@pytest.mark.parametrize("model", FIELDS, ids=lambda model: model.__name__)
def test_every_key_has_a_text(model: type[BaseModel]) -> None:
    assert silent(model) == []


def test_a_key_without_a_text_is_found() -> None:
    class Bare(BaseModel):
        """Two keys that say nothing, and one that does."""

        one: int = 1
        two: int = FieldInfo(description="two", default=2)
        three: int = FieldInfo(description="Number of cups of tea.", default=3)

    assert silent(Bare) == ["one", "two"]


def test_all_models_are_seen() -> None:
    names = {model.__name__ for model in FIELDS}
    assert {"StudyConfig", "PickupSection", "RatesSection", "WindowSection", "LimitEntry"} <= names
    assert {"AngleRange", "MassRange", "RangeSection", "OddsSection", "CostSection"} <= names


def test_what_may_be_left_out_says_what_counts_then() -> None:
    keys = [key for table in tables() for key in table.keys]
    assert [key.path for key in keys if not key.default_text] == []
    assert [key.path for key in keys if not key.allowed] == []


def test_defaults_are_those_of_a_study_that_gives_nothing() -> None:
    found = load_study({"schema": 1}).resolved
    for table in tables():
        if table.path in ("", "physics", "target") or table.optional:
            continue
        for key in table.keys:
            section: Any = found
            for step in table.path.split("."):
                section = section.get(step, {})
            if key.default is not None and key.name in section:
                assert section[key.name] == key.default, key.path


def test_pages_of_keys_are_there() -> None:
    heading = re.compile(r"^#+ (.+)$", re.MULTILINE)
    for place in {key.page for table in tables() for key in table.keys}:
        name, _, anchor = place.partition("#")
        text = (ROOT / "docs" / name).read_text(encoding="utf-8")
        plain = (re.sub(r"[^\w\- ]", "", h.lower()) for h in heading.findall(text))
        assert not anchor or anchor in [h.replace(" ", "-") for h in plain], place


def script() -> ModuleType:
    """What ``make texts`` runs."""
    spec = importlib.util.spec_from_file_location("texts", ROOT / "scripts" / "texts.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_keys_is_current() -> None:
    page = (ROOT / "docs" / "study-file.md").read_text(encoding="utf-8")
    assert script().page_text(page) == page, "make texts writes it again"


def test_a_page_without_a_mark_is_refused() -> None:
    with pytest.raises(ValueError, match="no line"):
        script().page_text("# Study files\n")


def test_one_key_is_explained_alone() -> None:
    (table,) = explained("detector.noise_fT_rtHz")
    (key,) = table.keys
    assert (key.unit, key.default, table.path) == ("fT/Hz^0.5", 2.0, "detector")


def test_a_section_is_explained_with_those_inside_it() -> None:
    assert [table.path for table in explained("detector")] == ["detector", "detector.pickup"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("detctor", "did you mean 'detector'?"),
        ("noise_fT_rtHz", "did you mean 'detector.noise_fT_rtHz'?"),
        ("detector.nois_fT_rtHz", "did you mean 'detector.noise_fT_rtHz'?"),
    ],
)
def test_an_unknown_name_gets_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        explained(name)
    assert caught.value.hint == hint
    assert "neutrino, physics" in caught.value.allowed


@pytest.mark.parametrize("word", ["SQUID", "squid", "loop", "exposure"])
def test_a_word_leads_to_the_keys_that_speak_of_it(word: str) -> None:
    with pytest.raises(ConfigError) as caught:
        explained(word)
    spoken = caught.value.hint.partition("keys that speak of it: ")[2].partition(" and ")[0]
    assert spoken
    for path in spoken.split(", "):
        (table,) = explained(path)
        assert word.lower() in f"{table.meaning} {table.keys[0]}".lower()


def test_no_section_is_offered_twice() -> None:
    with pytest.raises(ConfigError) as caught:
        explained("zzzzzz")
    assert caught.value.hint == ""
    offered = caught.value.allowed.split(", ")
    assert len(offered) == len(set(offered))


@pytest.mark.parametrize(
    "value", [True, 1, 0.1, 1e-4, 'say "so"', "back\\slash", [1.0, 2.0], {"a": [1], "b": "x"}, {}]
)
def test_values_are_read_back_from_toml(value: object) -> None:
    import tomllib

    assert tomllib.loads(f"x = {toml_text(value)}")["x"] == value
