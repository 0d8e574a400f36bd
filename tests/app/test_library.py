"""The names at the top: the command line's results in memory, for ArviZ and pandas."""

import ast
import dataclasses
import importlib
import inspect
import json
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import renp_infer as renp
from renp_infer.app import library
from renp_infer.app import run as run_module
from renp_infer.app.cli import execute
from renp_infer.app.run import Run
from renp_infer.display import table
from renp_infer.engine.result import Result, Verdict
from renp_infer.engine.store import read_manifest
from renp_infer.errors import ConfigError, DiagnosticWarning, StoreError
from renp_infer.inference.results.comparison import compare
from renp_infer.study.load import with_sections
from renp_infer.verbs.compare.result import CompareResult
from renp_infer.verbs.table import VERBS
from tests.toys.compared import MASS_PRIOR, four
from tests.toys.design import search_found
from tests.toys.runs import make_run, with_result
from tests.toys.settings import compare_with

pytestmark = pytest.mark.usefixtures("kept")

STUDY: dict[str, Any] = {
    "schema": 1,
    "name": "short",
    "layout": {"theta_s_deg": [141.0, 142.0, 145.5]},
    "lasers": {"chi_squared": 1e-3},
    "detector": {"reference_snr": 100.0},
    "inference": {
        "sampler": "emcee",
        "draws": 60,
        "tune": 20,
        "chains": 2,
        "phases": "fixed",
        "oscillation_errors": False,
    },
}
TEXT = """schema = 1
name = "short"
[layout]
theta_s_deg = [141.0, 142.0, 145.5]
[lasers]
chi_squared = 1e-3
[detector]
reference_snr = 100.0
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(TEXT)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    """Document of a command."""
    capsys.readouterr()
    assert execute([*words, "--json", "--quiet"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.slow
def test_changes_are_what_set_does(folder: Path) -> None:
    changes = {"neutrino.m1_meV": 20.0, "detector.knee_hz": 2.0, "detector.kernel": "gaussian"}
    changed = renp.load_study("study.toml", changes)
    assert execute(
        ["evaluate", "study.toml", "--out", "run", "--quiet", "--json"]
        + [f"--set={key}={value}" for key, value in changes.items()]
    ) == 0  # fmt: skip
    assert renp.load_study("run/study.resolved.toml").resolved == changed.resolved
    assert changed.parameters.m1_eV == pytest.approx(0.020)


def test_tables_are_a_study_too(folder: Path) -> None:
    tables = {name: value for name, value in STUDY.items() if name != "inference"}
    assert renp.load_study(tables).resolved == renp.load_study("study.toml").resolved
    assert renp.load_study("edge-layout-corrected").name == "edge-layout-corrected"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"neutrino.m1_mev": 1.0}, "neutrino.m1_mev"),
        ({"name.x": 1}, "changes"),
        ({"": 1}, "changes"),
    ],
)
def test_wrong_changes_are_named(folder: Path, changes: dict[str, Any], path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        renp.load_study("study.toml", changes)
    assert caught.value.path == path


def test_a_misspelt_section_in_changes_is_met_with_the_nearest(folder: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'inference'") as caught:
        renp.load_study("study.toml", {"inferense.x": 1})
    assert caught.value.path == "inferense"


@pytest.mark.slow
def test_a_report_goes_where_a_text_or_a_path_says(folder: Path) -> None:
    renp.evaluate("study.toml", out="run", quiet=True)
    run = renp.open_run("run")
    for runs, path in ((run, "one.html"), ([run], Path("two.html"))):
        assert renp.write_report(runs, path) == Path(path)
    assert Path("one.html").read_text() == Path("two.html").read_text()


def test_a_directory_without_a_manifest_is_no_run(folder: Path) -> None:
    renp.evaluate("study.toml", out="run", quiet=True)
    Path("run/manifest.json").unlink()
    with pytest.raises(StoreError, match="^run: no manifest.json; .* with a new one$"):
        renp.open_run("run")
    with pytest.raises(StoreError, match="^absent: no directory of this name; "):
        renp.open_run("absent")


def test_evaluate_gives_every_array_of_the_command_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the document has by angle, also what only the weak Hamiltonian has."""
    document = said(capsys, "evaluate", "edge-layout-first-principles")
    found = renp.evaluate("edge-layout-first-principles", quiet=True)
    arrays = {name for name, value in document.items() if isinstance(value, list) and value}
    assert arrays - set(found.variables) == {"pairs", "steps"}
    rows = [step["signal_nG"] for step in document["steps"]]
    np.testing.assert_array_equal(found["steps_nG"], rows)
    assert found["step"].values.tolist() == [step["name"] for step in document["steps"]]
    assert {"pair_K_eV5", "sum_W_eV6", "w_eV"} <= set(found.data_vars)
    for name in set(found.data_vars) - {"steps_nG"}:
        np.testing.assert_array_equal(found[name], document[name])
    assert found["w_eV"].sel(ray="transverse").dims == ("theta_s_deg",)
    assert found["pair_K_eV5"].sel(pair="12").dims == ("theta_s_deg",)


def test_evaluate_gives_the_numbers_of_the_command_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = said(capsys, "evaluate", "study.toml")
    found = renp.evaluate("study.toml", quiet=True)
    for name in ("signal_nG", "sigma_nG", "rate_per_s", "sum_G_eV5", "pair_A_eV5", "masses_eV"):
        np.testing.assert_array_equal(found[name], document[name])
    assert found["pair_A_eV5"].sel(pair="12").dims == ("theta_s_deg",)
    assert json.loads(found.attrs["renp_evaluation"])["truth"] == document["truth"]
    frame = found[["signal_nG", "sigma_nG"]].to_dataframe()
    assert frame.index.name == "theta_s_deg" and list(frame.columns) == ["signal_nG", "sigma_nG"]


def test_simulate_gives_the_data_of_the_command_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = said(capsys, "simulate", "study.toml")
    found = renp.simulate("study.toml", quiet=True)
    np.testing.assert_array_equal(found["observed_data/field_nG"], document["field_nG"])
    many = renp.simulate(renp.load_study("study.toml", {"simulate.datasets": 3}), quiet=True)
    assert many["observed_data/field_nG"].sizes == {"dataset": 3, "theta_s_deg": 3}


@pytest.mark.slow
def test_nothing_stays_without_a_directory_and_a_directory_resumes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = folder / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    first = renp.evaluate("study.toml", quiet=True)
    assert list(scratch.iterdir()) == []
    kept = renp.evaluate("study.toml", out="run", quiet=True)
    finished = read_manifest(folder / "run")["tasks"]
    again = renp.evaluate("study.toml", out="run", quiet=True)
    assert read_manifest(folder / "run")["tasks"] == finished
    xr.testing.assert_equal(first, kept)
    xr.testing.assert_equal(kept, again)
    xr.testing.assert_equal(renp.open_run("run").prediction, kept)


@pytest.fixture(scope="module")
def posterior(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    out = tmp_path_factory.mktemp("library") / "run"
    with pytest.warns(DiagnosticWarning, match="short: diagnostics failed"):
        tree = renp.infer(STUDY, out=out, quiet=True)  # far too few draws
    yield tree, out


@pytest.mark.slow
def test_arviz_corner_and_pandas_take_a_posterior(posterior: tuple[Any, Path]) -> None:
    import arviz as az
    import corner
    from matplotlib import pyplot as plt

    tree, _ = posterior
    summary = az.summary(tree, var_names=["m1_meV"], round_to="none")
    assert summary.loc["m1_meV", "mean"] == pytest.approx(float(tree["posterior"]["m1_meV"].mean()))
    frame = tree["posterior"].to_dataset().to_dataframe()
    assert len(frame) == tree["posterior"]["m1_meV"].size and "m1_meV" in frame.columns
    draws = az.extract(tree, var_names=["m1_meV", "amplitude"]).to_dataarray().values
    assert draws.shape == (2, len(frame))
    figure = corner.corner(draws.T)
    assert len(figure.axes) == 4
    plt.close(figure)


@pytest.mark.slow
def test_a_run_opened_again_is_the_result_and_warns_again(posterior: tuple[Any, Path]) -> None:
    tree, out = posterior
    with pytest.warns(DiagnosticWarning, match="short: diagnostics failed"):
        run = renp.open_run(out)
    xr.testing.assert_identical(
        run.inference["posterior"].to_dataset(), tree["posterior"].to_dataset()
    )
    assert run.summary["diagnostics"]["verdict"] == "fail"


def test_what_is_no_study_is_refused() -> None:
    with pytest.raises(ConfigError, match="source: got 42; allowed: a study file"):
        renp.load_study(42)  # type: ignore[arg-type]


def test_a_section_inside_another_gets_its_defaults() -> None:
    study = renp.load_study(STUDY)
    assert study.sequential is None
    filled = with_sections(study, "optimize.sequential")
    assert filled.sequential is not None and study.sequential is None
    assert with_sections(filled, "optimize.sequential") is filled


def test_missing_sections_get_their_defaults_and_others_stay() -> None:
    tables = {name: value for name, value in STUDY.items() if name != "inference"}
    study = renp.load_study(tables, {"neutrino.m1_meV": 20.0})
    assert study.settings is None
    filled = with_sections(study, "inference", "compare")
    assert filled.settings is not None and filled.compare is not None
    assert filled.parameters == study.parameters
    assert renp.load_study(tables | {"compare": {}}).settings is not None


def test_a_comparison_is_a_table_by_hypothesis() -> None:
    comparison = compare(four(5.0, 2.0, 1.0, -3.0), compare_with(), MASS_PRIOR)
    frame = CompareResult(xr.DataTree(), comparison).told()["renp_comparison"].to_dataset()
    table = frame.to_dataframe()
    probabilities = {row.name: row.probability for row in comparison.hypotheses}
    assert table["probability"].to_dict() == probabilities
    assert list(table.columns) == ["log_evidence", "log_evidence_error", "probability"]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "plain"])
def test_displays_are_short_and_escaped(name: str) -> None:
    study = renp.load_study(STUDY | {"name": "plain"})
    run = make_run(name=name, verdict="warn", shape=(2, 50))
    for shown, words in ((study, "er-ylf"), (run, "warn: ess_tail")):
        html = shown._repr_html_()
        assert words in html and words in repr(shown)
        assert len(html) < 3000 and "<script" not in html
        assert html.count("<tr>") == html.count("</tr>") > 4
    assert "&lt;b&gt;" in table("<b>", []) and "<b>" not in table("<b>", [("<b>", "<b>")])


def test_a_good_run_opens_without_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "load_run", lambda _directory: make_run(shape=(2, 50)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert renp.open_run("run").name == "edge-layout"


@dataclasses.dataclass(frozen=True)
class Told(Result):
    """Anything."""

    tree: xr.DataTree

    def told(self) -> xr.DataTree:
        return self.tree


@pytest.mark.parametrize(
    ("verb", "section", "sections"),
    [
        ("infer", "inference", {"inference"}),
        ("compare", "compare", {"inference", "compare"}),
        ("calibrate", "calibrate", {"inference", "calibrate"}),
        ("forecast", "forecast", {"forecast"}),
    ],
)
def test_every_verb_does_its_work_and_no_other(
    monkeypatch: pytest.MonkeyPatch, verb: str, section: str, sections: set[str]
) -> None:
    """The work itself is the command line's, which has its own tests."""
    plans: list[Any] = []
    trees = {name: xr.DataTree(name=name) for name in ("infer", "compare", "calibrate", "forecast")}
    run = make_run(infer=False)
    for name, tree in trees.items():
        run = with_result(run, name, Told(tree))
    monkeypatch.setattr(library, "bring_up_to_date", lambda works, _options: plans.extend(works))
    monkeypatch.setattr(library, "read_run", lambda _directory, _verbs: run)
    tables = {name: value for name, value in STUDY.items() if name != "inference"}
    assert getattr(renp, verb)(tables) is trees[verb]
    [plan] = plans
    assert [done.name for done in plan.verbs] == ["evaluate", verb]
    tasks = {"inference", "compare", "calibrate", "forecast"}
    assert tasks & set(plan.study.resolved) == sections and section in sections


def test_a_failed_comparison_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    comparison = compare(four(5.0, 2.0, 1.0, -3.0), compare_with(), MASS_PRIOR)
    agreement = dataclasses.replace(
        comparison.agreement, verdict="fail", reasons=("5.0 combined errors apart",)
    )
    found = CompareResult(xr.DataTree(), dataclasses.replace(comparison, agreement=agreement))
    run = with_result(make_run(infer=False), "compare", found)
    monkeypatch.setattr(library, "load_run", lambda _directory: run)
    with pytest.warns(DiagnosticWarning, match="estimators disagree: 5.0 combined"):
        renp.open_run("run")


def test_a_search_gives_its_document_and_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    found = search_found(Verdict("fail", ("no utility",)))
    run = with_result(make_run(infer=False), "optimize", found)
    plans: list[Any] = []
    monkeypatch.setattr(library, "bring_up_to_date", lambda works, _options: plans.extend(works))
    monkeypatch.setattr(library, "read_run", lambda _directory, _verbs: run)
    with pytest.warns(DiagnosticWarning, match="no utility"):
        told = renp.optimize("optimize-mass")
    assert (told["utility"], told["gain"], told["reasons"]) == (4.65, 4.21, ["no utility"])
    assert [row["values"] for row in told["trials"]] == [{"eig_m1": 4.7}]
    assert [done.name for done in plans[0].verbs] == ["evaluate", "optimize", "confirm"]


def test_a_search_needs_something_to_vary() -> None:
    with pytest.raises(ConfigError, match="what may vary"):
        renp.optimize(STUDY)


def declared(module: Any) -> dict[str, str]:
    """Types that a module declares for type checkers alone, by name."""
    tree = ast.parse(inspect.getsource(module))
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If)]
    told = [part for block in blocks for part in block.body if isinstance(part, ast.AnnAssign)]
    return {ast.unparse(part.target): ast.unparse(part.annotation) for part in told}


def test_functions_are_typed_as_the_results_of_their_verbs() -> None:
    types = declared(library)
    assert set(types) == set(VERBS) & set(renp.__all__)
    for name, found in types.items():
        # a blinded study has another kind of result, which is told alike
        kind = inspect.signature(VERBS[name].read).return_annotation.partition(" | ")[0]
        result = getattr(importlib.import_module(f"renp_infer.verbs.{name}.result"), kind)
        told = inspect.signature(result.told).return_annotation
        assert found == f"Ask[{told.removesuffix(' | None')}]"


def test_attributes_of_a_run_are_typed_as_what_they_are() -> None:
    types = declared(run_module)
    assert set(types) == {name for verb in VERBS.values() for name in verb.shows or (verb.name,)}
    run = make_run()
    found = Run(run.directory, run.name, run.study, run.results)
    kinds = {"xarray.Dataset": xr.Dataset, "xarray.DataTree": xr.DataTree, "dict[str, Any]": dict}
    seen = {name: getattr(found, name) for name in types}
    assert {name for name, value in seen.items() if value is not None} >= {"prediction", "summary"}
    for name, value in seen.items():
        assert value is None or type(value) is kinds[types[name].removesuffix(" | None")]
