"""The forecast's parts: the real response, its merged tree, its document."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from renp_infer.app.cli import execute
from renp_infer.engine.campaign import Work, update
from renp_infer.engine.executors import Serial
from renp_infer.engine.result import load_tree
from renp_infer.engine.store import Store
from renp_infer.errors import ConfigError
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.profiles.fisher import expand, sigma
from renp_infer.measurement.field import exact_field
from renp_infer.measurement.normalise import coherence
from renp_infer.physics.neutrinos import make_parameters
from renp_infer.records import PRESETS
from renp_infer.study.load import load_study
from renp_infer.terminal import document
from renp_infer.verbs.evaluate.steps import steps as evaluated_steps
from renp_infer.verbs.forecast.bench import Bench, corrected
from renp_infer.verbs.forecast.cells import TruthCell, asimov_cell, ensemble_cell, fisher_cell
from renp_infer.verbs.forecast.document import forecast_json
from renp_infer.verbs.forecast.figures import forecast_plates
from renp_infer.verbs.forecast.merge import merge_parts
from renp_infer.verbs.forecast.parts import CellPart, part_of, parts, variants
from renp_infer.verbs.forecast.result import ForecastResult
from renp_infer.verbs.forecast.steps import steps
from renp_infer.verbs.forecast.tables import duration, forecast_remarks, forecast_sheets
from renp_infer.verbs.forecast.verb import FORECAST
from tests.toys.forecast import EDGE, study

pytestmark = pytest.mark.usefixtures("kept")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(study(tmp_path_factory.mktemp("bench")))


def cell(bench: Bench, nature: str = "dirac", m1_meV: float = 50.0) -> TruthCell:
    model = bench.hypothesis("normal", nature)
    return TruthCell(bench, model, model.at(m1_meV))


def test_one_response_serves_both_natures(bench: Bench) -> None:
    """A swapped nature against the field without tables."""
    for nature in ("dirac", "majorana"):
        model = bench.hypothesis("normal", nature)
        truth = make_parameters(0.2, "normal", nature, 0.0, 0.0, 0.0, bench.study.oscillation)
        exact = exact_field(bench.experiment, truth, bench.chi2)
        assert model.field(truth) == pytest.approx(exact, abs=1e-4 * np.max(np.abs(exact)))


@pytest.mark.slow
def test_fisher_and_asimov_agree_where_fisher_is_valid(bench: Bench) -> None:
    """Edge layout, Gaussian regime: errors and separation of the orderings within 3 %."""
    one = cell(bench)
    fisher, asimov = fisher_cell(one), asimov_cell(one, exposures=True)
    assert fisher.error.valid == 1.0
    assert asimov.sigma_m1_meV == pytest.approx(fisher.sigma_m1_meV, rel=0.03)
    linear, profiled = fisher.against.ordering, asimov.against.ordering
    assert profiled.separation == pytest.approx(linear.separation, rel=0.03)
    assert profiled.exposure_3sigma_s == pytest.approx(linear.exposure_3sigma_s, rel=0.1)


@pytest.mark.slow
def test_drawn_data_spread_as_fisher_says(bench: Bench) -> None:
    one, count = cell(bench), 150
    seeds = np.random.SeedSequence(7).spawn(count)
    drawn = ensemble_cell(one, seeds)
    expected = fisher_cell(one)
    spread = np.std(drawn.best_m1_meV)
    assert spread == pytest.approx(expected.sigma_m1_meV, rel=4.0 / np.sqrt(2.0 * count))
    median = np.median(drawn.ratio_ordering)
    # a likelihood ratio q has the spread 2 sqrt(q); its median, 1.25 of that / sqrt(count)
    asimov = asimov_cell(one, exposures=False).against.ordering.separation ** 2
    assert median == pytest.approx(asimov, abs=4.0 * 2.5 * np.sqrt(asimov / count))


def test_the_boundary_is_flagged(bench: Bench) -> None:
    found = fisher_cell(cell(bench, m1_meV=0.5))
    assert found.error.at_boundary == 1.0
    assert found.error.valid == 0.0


def test_steps_only_grow_and_the_required_precision_reaches_the_goal(tmp_path: Path) -> None:
    found = study(tmp_path, "forecast.goal_meV=2.5", "detector.reference_snr=30")
    bench = Bench(found)
    table = steps(bench)
    errors = table.sigma_m1_meV
    assert np.all(np.diff(errors) >= -1e-12 * errors[0])
    factors = table.factor
    assert errors[-1] > 2.5
    own = cell(bench)
    reached = [k for k, f in enumerate(factors) if np.isfinite(f)]
    assert reached
    for k in reached:
        names = list(PARAMETERS.systematics.values())[k]
        narrowed = expand(own.own, own.vector).scaled(names, float(factors[k]))
        assert sigma(narrowed, bench.noise, bench.noise.exposure_s) == pytest.approx(2.5, rel=1e-3)


def test_systematics_that_are_left_out_are_known(tmp_path: Path) -> None:
    few = Bench(study(tmp_path, "forecast.systematics=['amplitude']"))
    names = cell(few, "majorana").own.prior.names
    assert names == ("m1_meV", "amplitude")


def test_parts_cover_every_truth_once_and_variants_lead_from_preset_to_preset(
    tmp_path: Path,
) -> None:
    found = parts(study(tmp_path))
    cells = [p for p in found if isinstance(p, CellPart)]
    assert len(cells) == 3 * 2 * 2
    assert len({json.dumps(p.plain()) for p in found}) == len(found)
    assert [part_of(p.plain()) for p in found] == found
    rows = variants()
    together: dict[str, object] = {}
    for name, changes in rows.items():
        if name not in ("published", "corrected"):
            together |= changes
    assert rows["published"] == {}
    assert asdict(PRESETS["published"]) | together == asdict(PRESETS["corrected"])


def test_a_correction_has_the_field_of_the_step_of_an_evaluation() -> None:
    """Each at the coherence that its trigger allows, however much the study gives."""
    keys = {"layout.theta_s_deg": [139.0, 143.5], "lasers.chi_squared": 0.25}
    whole = load_study("forecast-edge-first-principles", keys)
    rungs = evaluated_steps(whole.experiment, whole.parameters)
    for name, rung in zip(("published", "corrected"), rungs, strict=False):
        there = corrected(whole, PRESETS[name])
        found = exact_field(there.experiment, there.parameters, coherence(there.experiment))
        np.testing.assert_array_equal(found, rung.signal_nG)
    last = PRESETS["first-principles"]
    assert corrected(whole, last).experiment.lasers.chi_squared == 0.25


def test_too_heavy_truths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="forecast.m1_meV"):
        study(tmp_path, "forecast.m1_meV=[794.0]")


def test_durations_are_in_units_that_people_know() -> None:
    assert [duration(s) for s in (1.0, 3600.0, 3.156e57, np.inf, np.nan)] == [
        "<= 1 s",
        "60 min",
        "1×10⁵⁰ yr",
        "> 1×10⁶⁰ s",
        "-",
    ]


@pytest.mark.slow
def test_the_merged_tree_has_every_part_and_the_document_its_keys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "edge.toml").write_text(EDGE)
    words = ["forecast", str(tmp_path / "edge.toml"), "--out", str(tmp_path / "run"), "--quiet"]
    assert execute([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["m1_meV"] == [50.0, 100.0]
    assert len(found["sigma_m1_meV"]) == 2
    assert set(found["exposure_3sigma_s"]) == {"mass", "ordering", "nature"}
    assert found["systematics"][0] == "amplitude"
    assert found["missing_tasks"] == 0
    tree = load_tree(tmp_path / "run" / FORECAST.file)
    assert {"fisher", "asimov", "ensemble", "limit", "steps", "phases"} <= set(tree.children)
    assert tree["fisher"]["sigma_m1_meV"].dims == ("ordering", "nature", "m1_meV", "setting")
    own = tree["fisher"]["sigma_m1_meV"].sel(nature="dirac").values
    assert np.isnan(own[..., 1]).all() and np.isfinite(own[..., 0]).all()
    result = ForecastResult.of(tree)
    sheets = forecast_sheets(result)
    assert len(sheets) == 7
    for sheet in sheets:
        assert all(len(row) == len(sheet.heads) for row in sheet.rows)
        assert any(word in sheet.title + sheet.note for word in ("confidence", "credible"))
    drawn = found["limits"]["drawn"]["ensemble_confidence_95_meV"]
    assert np.all(np.array(drawn["low_68"]) <= np.array(drawn["median"]))
    assert {"fisher", "asimov", "ensemble"} <= set(found["methods"][0])
    for name in ("mass", "ordering"):
        assert found["exposure_5sigma_s"][name][0] >= found["exposure_3sigma_s"][name][0]
    # a Majorana neutrino of some phases is a Dirac one to 1e-4 standard deviations
    assert found["separation"]["nature"][0] < 1e-3
    plates = {plate.key: plate for plate in forecast_plates(result)}
    assert len(plates) == 7
    assert "Fisher is flagged in" in plates["forecast-error"].caption
    assert all("for all angles together" in plate.caption for plate in plates.values())
    assert execute(words) == 0  # nothing is done twice
    out = capsys.readouterr()
    assert max(map(len, out.out.splitlines())) <= 80


@pytest.mark.slow
def test_what_failed_is_missing_and_said(tmp_path: Path) -> None:
    """Two of a forecast's tasks: the others count as missing."""
    one = study(tmp_path, "forecast.methods=['fisher']", "forecast.corrections=false")
    with Store(tmp_path / "run") as store:
        work = Work(one, store, FORECAST, (0, 5))
        assert update([work], Serial(), quiet=True) == []
        paths = [work.blocks.path(work.task(k)) for k in work.mine]
        merge_parts(one, iter(paths), tmp_path / "half.nc")
    half = ForecastResult.of(load_tree(tmp_path / "half.nc"))
    found = forecast_json(half)
    assert found["missing_tasks"] == len(parts(one)) - len(paths) > 0
    assert json.loads(document(found))["schema"] == 1
    assert any("tasks failed" in line for line in forecast_remarks(half))
    assert forecast_sheets(half)
