"""What other packagers read says what pyproject.toml does."""

import json
import subprocess
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


def test_an_installation_shows_a_bar_of_one_line():
    lines = [f"Collecting {name}\n  Downloading {name}.whl" for name in ("a", "b")]
    lines.append("Processing ./c.whl")
    text = "\n".join([*lines, "Installing collected packages: a, b, c", "Successfully installed"])
    words = ["awk", "-v", "total=3", "-f", str(ROOT / "scripts" / "bar.awk")]
    done = subprocess.run(words, input=text.encode(), capture_output=True, check=True)
    bar, below = done.stdout.decode().split("\n")[:2]
    assert [part.split("] ")[1] for part in bar.split("\r")[1:]] == [
        f"{k} of 3 packages" for k in (1, 2, 3)
    ]
    assert bar.endswith("[##############################] 3 of 3 packages")
    assert below == "  installing them" and max(map(len, bar.split("\r"))) < 80


def test_every_python_and_system_that_is_promised_is_tried():
    workflow = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text("utf-8"))
    matrix = workflow["jobs"]["tests"]["strategy"]["matrix"]
    named = [text.split(" :: ") for text in PROJECT["classifiers"]]
    pythons = {words[-1] for words in named if "Python" in words and "." in words[-1]}
    assert pythons <= set(matrix["python"])
    assert min(pythons) == PROJECT["requires-python"].removeprefix(">=")
    assert {words[-1] for words in named if words[0] == "Operating System"} == {"MacOS", "Linux"}
    assert {name.partition("-")[0] for name in matrix["system"]} == {"macos", "ubuntu"}
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    runs = [step["run"] for step in steps if "run" in step]
    assert all(run.startswith("make ") and run.endswith(" PYTHON=python") for run in runs)
