"""Citations: every key has an entry, and a run cites what it used."""

import re
from pathlib import Path
from typing import get_args

import pytest
import xarray as xr

import renp_infer
from renp_infer.inference.results.comparison import ESTIMATORS
from renp_infer.inference.settings import SOURCES
from renp_infer.report import citations
from renp_infer.report.citations import bibtex, citations_of, entries, used_by
from renp_infer.resources import share_path
from renp_infer.study.sections.inference import InferenceSection
from renp_infer.verbs.infer.result import InferResult
from renp_infer.verbs.table import VERBS
from tests.toys.runs import make_run, with_result

REQUIRED = {
    "article": {"author", "title", "journal", "volume", "pages", "year"},
    "inproceedings": {"author", "title", "booktitle", "year"},
    "misc": {"author", "title"},
}
FIELD = re.compile(r"^  (\w+) *= \{(.*)\},?$")
DOI = re.compile(r"10\.\d{4,5}/[\w.:/()-]*[\w)]")  # letters of those in use; no spaces, no URL


def study(oscillation="nufit-6.0"):
    return {"neutrino": {"oscillation": oscillation}}


def parsed(text):
    """Kind, key and fields of an entry, by another parser than the module's."""
    head, *lines, foot, rest = text.split("\n")
    assert (foot, rest) == ("}", "")
    kind, key = re.fullmatch(r"@(\w+)\{([\w-]+),", head).groups()
    fields = [FIELD.fullmatch(line).groups() for line in lines]
    assert len(dict(fields)) == len(fields), f"{key}: a field twice"
    assert [line.endswith(",") for line in lines] == [True] * (len(lines) - 1) + [False]
    return kind, key, dict(fields)


def test_the_file_holds_entries_and_nothing_else():
    text = (share_path("data") / "citations.bib").read_text(encoding="utf-8")
    assert text.isascii()  # old BibTeX reads nothing else
    assert bibtex(entries()) == text
    assert len(entries()) == text.count("@")


@pytest.mark.parametrize("key", entries())
def test_entries_are_whole(key):
    kind, name, fields = parsed(entries()[key])
    assert name == key
    assert REQUIRED[kind] <= fields.keys()
    assert all(value.strip() == value != "" for value in fields.values())
    depth = 0
    for sign in re.findall(r"(?<!\\)[{}]", entries()[key])[:-1]:
        depth += 1 if sign == "{" else -1
        assert depth > 0, "a brace closes the entry too early"
    if "doi" in fields:
        assert DOI.fullmatch(fields["doi"])
    assert kind == "misc" or fields.keys() & {"doi", "url"}


def test_no_doi_stands_twice():
    dois = [parsed(text)[2].get("doi", key) for key, text in entries().items()]
    assert len(set(dois)) == len(dois)


@pytest.mark.parametrize("doi", ["10.1000/a b", "https://doi.org/10.1000/a", "10.1000/", "a/b"])
def test_a_wrong_doi_is_seen(doi):
    assert not DOI.fullmatch(doi)


def test_every_key_exists_and_every_entry_can_be_cited():
    groups = [citations.ALWAYS, *citations.OSCILLATION.values(), *citations.TOOLS.values()]
    groups += [verb.cites for verb in VERBS.values()]
    assert {key for group in groups for key in group} == set(entries())
    assert {p for packages in SOURCES.values() for p in packages} <= set(citations.TOOLS)


def test_every_table_and_every_sampler_is_known():
    tables = {path.stem for path in (share_path("data") / "oscillation").glob("*.toml")}
    assert tables == set(citations.OSCILLATION)
    choices = get_args(InferenceSection.model_fields["sampler"].annotation)
    assert choices and set(choices) <= set(SOURCES)
    assert set(ESTIMATORS) <= set(SOURCES)


def test_an_evaluation_cites_paper_data_and_numerics():
    keys = citations_of(study(), {"evaluate"})
    assert keys[:2] == ["Hara2021", "renp-infer"]
    assert set(keys[2:]) == {"Esteban2024", "Erler2018", "Harris2020", "Virtanen2020", "Lam2015"}


def test_nuts_cites_pymc_and_nutpie():
    keys = citations_of(study(), ["evaluate", "infer"], ["nuts"])
    assert {"AbrilPla2023", "Hoffman2014", "nutpie", "Martin2026", "Hoyer2017"} <= set(keys)
    assert not {"ForemanMackey2013", "Goodman2010", "Speagle2020"} & set(keys)


def test_emcee_cites_emcee_alone():
    keys = citations_of(study(), ["evaluate", "infer"], ["emcee"])
    assert {"ForemanMackey2013", "Goodman2010", "Martin2026"} <= set(keys)
    assert not {"AbrilPla2023", "Hoffman2014", "Seyboldt2026", "nutpie"} & set(keys)


def test_the_table_decides_on_the_oscillation_data():
    keys = citations_of(study("seed"), ["evaluate"])
    assert "Tanabashi2018" in keys
    assert not {"Esteban2024", "Erler2018"} & set(keys)
    assert "Tanabashi2018" not in citations_of(study(), ["evaluate"])


def test_a_second_sampler_is_cited_beside_the_first():
    groups = {
        name: xr.Dataset(attrs={"sampler": sampler})
        for name, sampler in (("sample_stats", "independence"), ("renp_cross_check", "nuts"))
    }
    tree = make_run(shape=(2, 50)).inference
    for name, group in groups.items():
        tree[name] = group
    run = with_result(make_run(infer=False), "infer", InferResult.of(tree))
    assert {"Tierney1994", "Hoffman2014"} <= set(used_by(study(), {"infer": {}}, run))
    del tree["renp_cross_check"]
    assert "Hoffman2014" not in used_by(study(), {"infer": {}}, run)


def test_two_hypotheses_cite_each_entry_once():
    both = ["nuts", "emcee", "nuts"]
    keys = citations_of(study(), ["infer"], both, ["dask", "numpy"])
    assert len(keys) == len(set(keys))
    assert {"Hoffman2014", "ForemanMackey2013", "Rocklin2015"} <= set(keys)


def test_methods_are_cited_with_the_verb_that_uses_them():
    methods = {key for verb in VERBS.values() for key in verb.cites}
    assert not methods & set(citations_of(study(), ["evaluate", "compare"], ["smc"]))
    calibration = set(citations_of(study(), ["evaluate", "calibrate"]))
    assert calibration & methods == set(VERBS["calibrate"].cites) != set()
    assert set(VERBS["infer"].cites) <= set(citations_of(study(), ["infer"]))
    smc = citations_of(study(), ["compare"], ["smc"])
    assert {"Ching2007", "AbrilPla2023"} <= set(smc)


def test_a_tool_is_cited_only_if_used():
    optional = {"Speagle2020", "Balandat2020", "Rocklin2015", "Ortner2020", "dieke"}
    optional |= {"scikit-optimize", "Skilling2006"}
    assert not optional & set(citations_of(study(), ["infer"], ["nuts"]))
    used = ["dynesty", "scikit-optimize", "dask", "botorch", "magpylib", "dieke"]
    assert optional <= set(citations_of(study(), ["infer"], (), used))


def test_a_search_cites_its_optimizer():
    with_search = study() | {"optimize": {"optimizer": "skopt", "baselines": ["sobol"]}}
    assert "scikit-optimize" in citations_of(with_search, ["optimize"])
    assert "scikit-optimize" not in citations_of(with_search, ["evaluate"])
    plain = study() | {"optimize": {"optimizer": "random", "baselines": []}}
    assert "scikit-optimize" not in citations_of(plain, ["optimize"])


def test_a_pickup_loop_cites_its_field_library():
    loop = study() | {"detector": {"coupling": "pickup"}}
    assert "Ortner2020" in citations_of(loop, ["evaluate"])
    assert "Ortner2020" not in citations_of(
        study() | {"detector": {"coupling": 0.01}}, ["evaluate"]
    )


def test_without_a_finished_task_no_tool_is_cited():
    assert citations_of(study("seed"), []) == ["Hara2021", "renp-infer", "Tanabashi2018"]


@pytest.mark.parametrize("arguments", [(["gibbs"], ()), ((), ["gibbs"])], ids=["sampler", "tool"])
def test_what_has_no_entry_is_an_error(arguments):
    with pytest.raises(KeyError, match="gibbs"):
        citations_of(study(), ["infer"], *arguments)


def test_bibtex_keeps_the_order_and_refuses_an_unknown_key():
    text = bibtex(["Lam2015", "Hara2021"])
    assert re.findall(r"^@\w+\{(.*),", text, re.MULTILINE) == ["Lam2015", "Hara2021"]
    with pytest.raises(KeyError, match="Nobody1900"):
        bibtex(["Nobody1900"])


def test_our_own_entry_is_that_of_the_citation_file():
    root = Path(renp_infer.__file__).parents[1]
    lines = (root / "CITATION.cff").read_text(encoding="utf-8").splitlines()
    said = dict(line.split(": ", 1) for line in lines if re.match(r"(title|version): ", line))
    name = next(line for line in lines if line.startswith("  - name: ")).split(": ", 1)[1]
    _, _, fields = parsed(entries()["renp-infer"])
    assert fields["title"].strip("{}") == said["title"].strip('"')
    assert fields["author"].strip("{}") == name.strip('"')
    assert fields["note"] == f"Version {said['version']}" == f"Version {renp_infer.__version__}"
