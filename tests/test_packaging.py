"""What other packagers read says what pyproject.toml does."""

import json
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def recipe():
    return yaml.safe_load((ROOT / "conda" / "recipe.yaml").read_text("utf-8"))


def test_the_recipe_needs_what_the_project_needs():
    run = {row.replace(" ", "") for row in recipe()["requirements"]["run"]}
    assert run == {*PROJECT["dependencies"], "python" + PROJECT["requires-python"]}
    assert recipe()["about"]["license"] == PROJECT["license"]


def test_versions_agree():
    told = recipe()["context"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert told == citation["version"] == PROJECT["version"]


def test_the_archive_has_the_licence():
    archive = json.loads((ROOT / ".zenodo.json").read_text("utf-8"))
    assert archive["license"] == PROJECT["license"]


def test_the_container_copies_what_the_package_carries():
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    carried = {*wheel["targets"]["wheel"]["force-include"], *wheel["targets"]["wheel"]["packages"]}
    lines = (ROOT / "Containerfile").read_text("utf-8").splitlines()
    copied = {word for line in lines if line.startswith("COPY") for word in line.split()[1:-1]}
    assert carried <= copied
    assert all((ROOT / name).exists() for name in copied)


def test_the_paper_cites_what_there_is():
    text = (ROOT / "paper" / "paper.md").read_text("utf-8")
    cited = {
        w.strip("[];,.") for w in text.replace("; @", " @").split() if w.strip("[").startswith("@")
    }
    known = (ROOT / "data" / "citations.bib").read_text("utf-8")
    assert len(cited) > 8
    assert [key for key in cited if "{" + key.lstrip("@") + "," not in known] == []
