"""Rows of the atlas asked as studies: appraised, searched, and the same as one by one."""

import io
import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from renp_infer.app.cli import execute
from renp_infer.design.searches.starts import starts
from renp_infer.design.utilities.agreement import Confirmed
from renp_infer.design.utilities.utility import Utility
from renp_infer.engine.provenance import PROVENANCE
from renp_infer.engine.result import Verdict
from renp_infer.engine.tasks import Context, Task
from renp_infer.errors import ConfigError
from renp_infer.physics.atlas.scheme import Ladder
from renp_infer.resources import share_path
from renp_infer.study.atlas_study import (
    SEARCH,
    UTILITIES,
    RowQuestion,
    atlas_study,
    heaviest_meV,
    ladder_snr,
)
from renp_infer.study.designing import appraiser_of, own_values, region_of, told_masses
from renp_infer.study.load import load_study
from renp_infer.verbs.atlas.asked_rows import (
    MEASURES,
    AppraisedRow,
    AppraiseResult,
    LayoutsResult,
)
from renp_infer.verbs.atlas.asked_tables import (
    TOLD,
    appraised_cells,
    asked_tables,
    layout_cells,
)
from renp_infer.verbs.atlas.asking import appraised, by_ion, searched
from renp_infer.verbs.atlas.verb import APPRAISE, ATLAS, LAYOUTS
from renp_infer.verbs.optimize.confirmed import ConfirmResult, ToldRow
from renp_infer.verbs.optimize.parts import Appraisal
from tests.toys.design import search_found

ROW = "Tm-33-11-18"
SMALL = {"atlas.ions": ["Tm"], "atlas.keep": 5, "atlas.appraise": 2, "atlas.optimize": 1}


def written(folder: Path, row: str, asked: RowQuestion) -> Path:
    """The study of a row, as ``renp atlas --study`` writes it."""
    found = atlas_study(row, asked)
    for name, text in found.files.items():
        (folder / name).write_text(text)
    return folder / f"{found.name}.toml"


def utility(value: float) -> Utility:
    return Utility(value, 0.1)


def four_rows() -> AppraiseResult:
    """Appraisals of which the closed form has the first two the wrong way round."""
    values = {"Er-9-3-5": 1.0, "Tm-8-3-5": 3.0, "Ho-7-3-5": 0.5}
    rows = {
        name: AppraisedRow(name, dict.fromkeys(MEASURES, utility(v))) for name, v in values.items()
    }
    rows["Pr-6-3-5"] = AppraisedRow("Pr-6-3-5", {}, "no pair opens")
    return AppraiseResult("atlas", 20.0, {"mass": list(rows)}, rows)


def test_rows_are_ranked_by_what_the_appraiser_expects():
    found = AppraiseResult.of(json.loads(json.dumps(four_rows().to_document())))
    assert [row.ladder[:2] for row in found.ranking("mass")] == ["Tm", "Er", "Ho", "Pr"]
    assert found.correlation("mass") == pytest.approx(0.5)  # one exchange of three
    cells = appraised_cells(found, "mass")
    assert cells[0][:4] == ("1", "Tm-8-3-5", "2", "3.00 ± 0.1") and "no pair" in cells[-1][3]


def test_tables_show_the_ions_that_are_asked_for():
    (table,) = asked_tables(four_rows(), None, ("mass",), 10, ("Ho",))
    text = io.StringIO()
    Console(file=text, width=200).print(table)
    assert "Ho-7-3-5" in text.getvalue() and "Tm-8-3-5" not in text.getvalue()


def layout_row(ladder: str, nat: float, word: str) -> dict[str, object]:
    """A search that found so much, with promise and outcome at 50 meV."""
    search = search_found(Verdict("pass"))
    search = replace(search, last=Appraisal({"eig_m1": Utility(nat, 0.02)}))
    told = Confirmed(Utility(8.0, 0.5), Utility(11.0, 0.5), 2, agrees=False)
    measures = dict.fromkeys(TOLD, told)
    line = ToldRow("best", 50.0, measures, 0)
    found = ConfirmResult(
        name="toy", best={}, m1_meV=(50.0,), confirm=2, worths=(), lines=(line,), mocks=(),
        verdict=Verdict(word, ("not kept",)),
    )  # fmt: skip
    documents = {"optimize": search.to_document(), "confirm": found.to_document()}
    for own in documents.values():
        del own[PROVENANCE]
    return {"ladder": ladder, "question": "mass"} | documents


def test_layouts_are_ranked_with_what_was_promised_and_found():
    rows = [layout_row("Er-9-3-5", 3.0, "pass"), layout_row("Tm-8-3-5", 4.0, "warn")]
    found = LayoutsResult(json.loads(json.dumps({"rows": rows})))
    assert [row.ladder for row in found.ranking("mass")] == ["Tm-8-3-5", "Er-9-3-5"]
    assert found.ranking("nature") == []
    cells = layout_cells(found, "mass")
    assert cells[0][:4] == ("1", "Tm-8-3-5", "4.000 ± 0.02", "0.444 ± 0.024")
    assert cells[0][4] == "8.00 ± 0.5, 11.00 ± 0.5" and cells[0][-1] == "warn"
    assert found.verdicts()["layouts"].verdict == "pass"
    failed = LayoutsResult({"rows": [layout_row("Er-9-3-5", 3.0, "fail")]})
    assert failed.verdicts()["layouts"] == Verdict("fail", ("Er-9-3-5, mass",))
    (table,) = asked_tables(None, found, ("mass", "nature"), 10, ())
    assert "found in 2 data sets" in str(table.title)


def test_rows_of_several_questions_are_asked_once_an_ion_after_the_other():
    rows = [["Tm-8-3-5"], ["Er-10-3-5"], ["Er-9-3-5"], ["Tm-8-3-5"]]
    assert by_ion(rows) == [["Er-9-3-5"], ["Er-10-3-5"], ["Tm-8-3-5"]]


@pytest.mark.parametrize("question", UTILITIES)
def test_a_row_is_a_study_of_each_question(question, tmp_path):
    study = load_study(written(tmp_path, ROW, RowQuestion(question, 5.0, 2)))
    assert study.design is not None
    section = study.design.section
    assert section.utility == (UTILITIES[question],) and section.confirm == 2
    assert told_masses(study) == (50.0,)
    ladder = Ladder.read(ROW)
    assert study.experiment.detector.reference_snr == ladder_snr(ladder, RowQuestion("mass", 5.0))
    assert study.priors.m1_max_meV == heaviest_meV(ladder) == 100.0


def test_the_shipped_winner_is_the_study_of_its_row():
    found = atlas_study("Ho-31-18-22")
    row = tomllib.loads(found.study)
    own = tomllib.loads((share_path("studies") / "best-ion-first-principles.toml").read_text())
    for section in ("neutrino", "physics", "layout", "lasers", "detector", "inference"):
        assert own[section] == row[section], section
    assert own["optimize"]["vary"] == row["optimize"]["vary"]
    assert own["optimize"]["windows"] == row["optimize"]["windows"]
    scheme = share_path("models") / "targets" / f"{own['target']['scheme']}.toml"
    assert tomllib.loads(scheme.read_text()) == tomllib.loads(found.scheme)


def test_noise_is_that_of_the_papers_ladder_whatever_the_row():
    for row in (ROW, "Ho-31-18-22"):
        one, ten = (ladder_snr(Ladder.read(row), RowQuestion("mass", s)) for s in (1.0, 10.0))
        assert ten == pytest.approx(10.0 * one, rel=1e-5, abs=0)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"atlas.appraise": -1}, "atlas.appraise"),
        ({"atlas.appraise": 5, "atlas.optimize": 6}, "atlas.optimize"),
        ({"atlas.confirm": 1}, "atlas.confirm"),
        ({"atlas.reference_snr": 0.0}, "atlas.reference_snr"),
    ],
)
def test_keys_that_mean_nothing_are_refused(changes, path):
    with pytest.raises(ConfigError) as caught:
        load_study("atlas", changes)
    assert caught.value.path == path


def test_what_is_not_asked_for_is_not_planned():
    bare, asked = (
        load_study("atlas", SMALL | more)
        for more in ({"atlas.appraise": 0, "atlas.optimize": 0}, {})
    )
    assert ATLAS.plan(bare)[-1] is ATLAS and ATLAS.plan(asked)[-2:] == (APPRAISE, LAYOUTS)
    assert ATLAS.series(bare).key == ATLAS.series(asked).key
    with pytest.raises(ConfigError, match=r"atlas\.appraise"):
        APPRAISE.plan(bare)


def test_searches_of_more_rows_begin_with_those_of_fewer():
    few, many = (load_study("atlas", SMALL | {"atlas.optimize": n}) for n in (1, 2))
    first, second = {"mass": ("a",), "nature": ("b",)}, {"mass": ("a", "c"), "nature": ("b", "a")}
    series = [
        LAYOUTS.series(replace(study, ladders=rows))
        for study, rows in ((few, first), (many, second))
    ]
    assert series[1].parts == [["a", "mass"], ["b", "nature"], ["c", "mass"], ["a", "nature"]]
    assert [series[0].task(k).key for k in (0, 1)] == [series[1].task(k).key for k in (0, 1)]
    assert series[0].key != series[1].key
    other = load_study("atlas", SMALL | {"atlas.reference_snr": 5.0})
    assert LAYOUTS.series(replace(other, ladders=first)).base != series[0].base


def test_an_appraisal_is_that_of_the_study_of_the_row(tmp_path):
    section = load_study("atlas", SMALL).atlas
    study = load_study(written(tmp_path, ROW, RowQuestion.of(section, "mass")))
    region = region_of(study)
    expected = appraiser_of(study, region, "choice")(region.space.built({}), MEASURES)
    assert appraised(section, ROW) == AppraisedRow(ROW, expected)


def test_a_search_begins_though_other_directions_close_the_rows_own_angles(tmp_path):
    study = load_study(written(tmp_path, "Ho-31-18-22", RowQuestion()))
    region = region_of(study)
    with pytest.raises(ConfigError, match="at least one angle"):
        region.space.built({"layout.theta_e_deg": 10.0})
    assert len(starts(region, region.space.built({}), own_values(study, region))) >= 2


@pytest.mark.slow
def test_numbers_of_a_searched_row_are_those_of_its_study(tmp_path, monkeypatch):
    for key, value in {"evaluations": 3, "truths": 8, "final_truths": 8, "masses": 25}.items():
        monkeypatch.setitem(SEARCH, key, value)
    section = load_study("atlas", SMALL | {"atlas.confirm": 2}).atlas
    row = searched(section, Task(0, "", "", 0, [ROW, "ordering"]), Context())
    words = ["atlas", "--study", ROW, "--question", "ordering", "--set", "atlas.confirm=2"]
    assert execute([*words, "--out", str(tmp_path)]) == 0
    study = tmp_path / f"atlas-{ROW.lower()}.toml"
    assert execute(["optimize", str(study), "--quiet", "--out", str(tmp_path / "own")]) in (0, 3)
    for name in ("optimize", "confirm"):
        own = json.loads((tmp_path / "own" / f"{name}.json").read_text())
        del own[PROVENANCE]
        assert own == row[name]
