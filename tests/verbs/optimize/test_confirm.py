"""What designs are worth at stated masses: refusals, keys, one verdict, and the same on workers."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from renp_infer.app.cli import execute
from renp_infer.app.status import status_of
from renp_infer.design.utilities.agreement import Confirmed
from renp_infer.design.utilities.equal_time import EqualTime
from renp_infer.design.utilities.utility import UNKNOWN, Utility
from renp_infer.engine.campaign import work_of
from renp_infer.engine.result import Verdict
from renp_infer.engine.run import Run
from renp_infer.engine.store import Store
from renp_infer.engine.tasks import Context
from renp_infer.errors import ConfigError
from renp_infer.study.designing import told_masses
from renp_infer.study.load import load_study
from renp_infer.study.study import Study
from renp_infer.verbs.optimize.confirmed import DESIGNS, ConfirmResult, Mocked, ToldRow, Worth
from renp_infer.verbs.optimize.confirming import measures_of, parts, perform, summary
from renp_infer.verbs.optimize.page import answer
from renp_infer.verbs.optimize.telling import (
    cost_sentence,
    page,
    time_sentences,
    told_tables,
    whole_document,
)
from renp_infer.verbs.optimize.verb import CONFIRM, OPTIMIZE
from tests.toys.design import search_found

STUDY = """schema = 1
name = "toy-confirm"
[layout]
theta_s_deg = { start = 140.0, stop = 148.0, points = 5 }
[lasers]
chi_squared = 1e-3
[detector]
reference_snr = 100
[inference]
m1_max_meV = 200.0
oscillation_errors = false
phases = "fixed"
[optimize]
optimizer = "sobol"
evaluations = 3
polish = 0
truths = 4
final_truths = 8
masses = 24
effects = 0
comparisons = false
orderings = ["normal"]
natures = ["dirac"]
at_m1_meV = [40.0]
confirm = 2
[[optimize.windows]]
centre_deg = { low = 138.0, high = 146.0 }
width_deg = 8.0
points = 5
"""


def loaded(tmp_path: Path, **overrides: Any) -> Study:
    path = tmp_path / "toy.toml"
    path.write_text(STUDY)
    return load_study(path, {f"optimize.{key}": value for key, value in overrides.items()})


@pytest.mark.parametrize(
    ("overrides", "path", "allowed"),
    [
        ({"confirm": 1}, "optimize.confirm", ">= 2"),
        ({"confirm": -2}, "optimize.confirm", "an integer"),
        ({"at_m1_meV": []}, "optimize.confirm", "0 with optimize.at_m1_meV = []"),
        ({"at_m1_meV": [40.0, 300.0]}, "optimize.at_m1_meV", "0 to 200 meV"),
        ({"at_m1_meV": ["light"]}, "optimize.at_m1_meV", "meV"),
        ({"natures": ["majorana"]}, "optimize.confirm", "0 where normal dirac, which is true"),
        (
            {"orderings": ["inverted"], "confirm": 0},
            "optimize.at_m1_meV",
            "[] where normal dirac, which is true",
        ),
    ],
)
def test_what_cannot_be_told_is_refused(tmp_path: Path, overrides, path, allowed) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, **overrides)
    assert refused.value.path.startswith(path)
    assert allowed in f"{refused.value.allowed}"


def test_masses_by_default_are_those_that_the_prior_allows(tmp_path: Path) -> None:
    (tmp_path / "toy.toml").write_text(STUDY.replace("at_m1_meV = [40.0]\n", ""))
    of = lambda **keys: told_masses(load_study(tmp_path / "toy.toml", keys))  # noqa: E731
    assert of() == (5.0, 20.0, 50.0)
    assert of(**{"inference.m1_max_meV": 30.0, "neutrino.m1_meV": 10.0}) == (5.0, 20.0)
    assert of(**{"optimize.confirm": 0, "optimize.natures": ["majorana"]}) == ()


def test_more_data_sets_add_to_those_that_are_there_and_search_nothing_again(
    tmp_path: Path,
) -> None:
    few, many = loaded(tmp_path), loaded(tmp_path, confirm=5)
    assert OPTIMIZE.series(few).key == OPTIMIZE.series(many).key
    assert OPTIMIZE.series(few).key == OPTIMIZE.series(loaded(tmp_path, confirm=0)).key
    assert parts(many)[: len(parts(few))] == parts(few)
    found = replace(few, design=replace(few.design, found={"layout.length_cm": 1.0}))
    other = replace(few, design=replace(few.design, found={"layout.length_cm": 2.0}))
    more = replace(many, design=replace(many.design, found={"layout.length_cm": 1.0}))
    assert CONFIRM.series(found).task(3).key == CONFIRM.series(more).task(3).key
    assert CONFIRM.series(found).base != CONFIRM.series(other).base


@pytest.mark.slow
def test_the_time_of_the_own_design_is_left_out_where_it_is_not_asked_for(tmp_path: Path) -> None:
    timed, bare = loaded(tmp_path), loaded(tmp_path, equal_time=False)
    assert OPTIMIZE.series(timed).key == OPTIMIZE.series(bare).key
    keys = {"layout.length_cm": 2.0}
    both = [replace(one, design=replace(one.design, found=keys)) for one in (timed, bare)]
    assert CONFIRM.series(both[0]).base != CONFIRM.series(both[1]).base
    task = CONFIRM.series(both[0]).task(0)
    with_time, without = (Worth.read(perform(one, task, Context())["worth"]) for one in both)
    assert with_time.time is not None
    assert replace(with_time, own_s=None, time=None) == without


def test_without_a_search_there_is_nothing_to_confirm(tmp_path: Path) -> None:
    study = loaded(tmp_path)
    with Store(tmp_path / "run") as store:
        assert work_of(study, store, CONFIRM) is None
        assert work_of(study, store, OPTIMIZE) is not None
    states = {row["task"]: row["state"] for row in status_of(study, tmp_path / "run")}
    assert states["confirm"] == "to do"


def told(study: Study, outcome_meV: float, failure: str = "") -> ConfirmResult:
    """Both designs promise 3.0 +- 0.1 meV at 40 meV; two data sets say something else."""
    study = replace(study, design=replace(study.design, found={"layout.length_cm": 3.0}))
    names = measures_of(("normal",), ("dirac",))
    good = {"sd_m1": Utility(3.0, 0.1), "eig_m1": Utility(2.0, 0.02)}
    worths = [
        Worth(None, "eig_m1", {}, 3600.0, EqualTime(7200.0, 3600.0, None)),
        Worth(40.0, "sd_m1", dict.fromkeys(DESIGNS, good), 3600.0, EqualTime(None, None, None)),
    ]
    values = {"sd_m1": outcome_meV, "eig_m1": 2.0}
    assert list(values) == names
    mocks = [Mocked(who, 40.0, values, 41.0, 900.0) for who in DESIGNS for _ in range(2)]
    if failure:
        mocks[0] = Mocked("best", 40.0, {}, None, None, failure)
    return summary(study, worths, mocks)


def test_a_broken_promise_is_in_the_one_verdict(tmp_path: Path) -> None:
    study = loaded(tmp_path)
    kept, broken = told(study, 3.1), told(study, 15.0)
    assert kept.verdict == Verdict("pass")
    assert broken.verdict.verdict == "warn" and len(broken.verdict.reasons) == 2
    assert "3 ± 0.1 meV, full inference finds 15 ± 0 meV" in broken.verdict.reasons[0]
    search = search_found(Verdict("pass"))
    for found, word in ((kept, "pass"), (broken, "warn")):
        run = Run(tmp_path, "toy", study.resolved, {"optimize": search, "confirm": found})
        document = whole_document(run)
        assert document["verdict"] == word == run.verdict
        assert document["reasons"] == list(found.verdict.reasons)
        rows = document["told"]["rows"]
        assert {row["design"] for row in rows} == set(DESIGNS)
        assert rows[0]["measures"]["sd_m1"]["promise"] == 3.0
        text = str(page(run))
        assert "Promise and outcome" in text and ("15" in text) == (found is broken)
        console = Console(width=60, markup=False, file=io.StringIO(), record=True)
        console.print(*told_tables(found))
        shown = console.export_text().split()
        assert {"information", "[meV]", "promised", "found"} <= set(shown)
        assert f"{word}" in " ".join(shown).partition("promise: ")[2]
    failing = search_found(Verdict("fail", ("no utility",)))
    run = Run(tmp_path, "toy", study.resolved, {"optimize": failing, "confirm": broken})
    assert whole_document(run)["verdict"] == "fail"
    assert whole_document(Run(tmp_path, "toy", {}, {"optimize": search})) == {}


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    found = replace(told(loaded(tmp_path), 3.1, "ConvergenceError: too few"), provenance={"a": 1})
    assert ConfirmResult.of(json.loads(json.dumps(found.to_document()))) == found
    assert found.verdict.verdict == "warn"
    assert "1 of 4 mock data sets could not be analysed" in found.verdict.reasons[-1]
    assert found.row("best", 40.0).failures == 1


def test_the_answer_is_in_meV_and_time_beside_the_utility(tmp_path: Path) -> None:
    study = loaded(tmp_path)
    results = {"optimize": search_found(Verdict("pass")), "confirm": told(study, 15.0)}
    said = answer(Run(tmp_path, "toy", study.resolved, results))
    assert said.startswith("Best design: information on m₁ [nat] = ")
    assert "(found in mock data): at 40 meV 15 ± 0 against 15 ± 0 meV." in said
    assert "the study's own layout needs 2 h (1 h to never), 2 times its exposure." in said


def test_what_the_best_design_costs_is_said_beside_its_gain(tmp_path: Path) -> None:
    """By each loss that is clear of its errors, and no other."""
    found = told(loaded(tmp_path), 3.1)
    assert cost_sentence(found) == (
        "At the stated masses nothing is worse: sd of m₁, information on m₁."
    )

    def lowered(row: ToldRow, **values: float) -> ToldRow:
        changed = {
            name: Confirmed(Utility(value, 0.1), UNKNOWN, 0, None) for name, value in values.items()
        }
        return replace(row, measures=dict(row.measures) | changed)

    for sd, information, lost in ((3.5, 2.0, True), (3.0, 1.8, False), (3.0, 1.0, True)):
        lines = tuple(
            lowered(row, sd_m1=sd, eig_m1=information)
            if row.design == "best"
            else lowered(row, sd_m1=3.0, eig_m1=2.0)
            for row in found.lines
        )
        said = cost_sentence(replace(found, lines=lines))
        assert said.startswith("The best design is worse") == lost
    assert said.endswith("in: information on m₁ at 40 meV, 1.00 ± 0.1 against 2.00 ± 0.1.")
    results = {"optimize": search_found(Verdict("pass")), "confirm": found}
    run = Run(tmp_path, "toy", {}, results)
    assert answer(run).endswith(cost_sentence(found))


def test_no_time_is_no_number(tmp_path: Path) -> None:
    found = told(loaded(tmp_path), 3.1)
    first, second = time_sentences(found)
    assert "needs 2 h (1 h to never), 2 times its exposure" in first
    assert "does not reach it" in second and "at 40 meV" in second
    times = found.facts()["times"]
    assert [row["reachable"] for row in times] == [True, False]
    assert times[1]["exposure_s"] is times[1]["factor"] is None


@pytest.mark.slow
def test_workers_and_resumed_runs_find_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "toy.toml"
    path.write_text(STUDY)

    def confirmed(home: str, *words: str) -> dict[str, Any]:
        where = ["--out", str(tmp_path / home), "--json", "--quiet"]
        assert execute(["optimize", str(path), *where, *words]) == 0
        document = json.loads(capsys.readouterr().out)
        found = json.loads((tmp_path / home / "confirm.json").read_text())
        assert document["told"]["rows"] == found["rows"]
        del found["renp_provenance"]
        return found

    alone = confirmed("alone")
    assert confirmed("two", "--executor", "processes:2") == alone
    (tmp_path / "two" / "confirm.json").unlink()
    longer = confirmed("two", "--set", "optimize.confirm=3")
    assert longer["mocks"][: len(alone["mocks"])] == alone["mocks"]
    assert len(longer["mocks"]) == 6
    for row in alone["rows"]:
        own = row["measures"]["sd_m1"]
        assert np.isfinite([own["promise"], own["outcome"]]).all() and own["data_sets"] == 2
