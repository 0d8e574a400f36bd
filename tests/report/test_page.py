import dataclasses
import io
import json
import re
from base64 import b64decode
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from scipy import stats

from renp_infer import files
from renp_infer.app.library import write_report
from renp_infer.engine.page import Answer, Cell, Part, Text
from renp_infer.engine.page import Page as ToyPage
from renp_infer.engine.result import Result, Verdict
from renp_infer.engine.store import MANIFEST, read_manifest
from renp_infer.engine.verb import Verb
from renp_infer.errors import DomainError, StoreError
from renp_infer.figures import drawing as plots
from renp_infer.records import PRESETS
from renp_infer.report import answers, tables
from renp_infer.report import page as report
from renp_infer.verbs.calibrate import page as calibration_page
from renp_infer.verbs.calibrate.result import CalibrateResult
from renp_infer.verbs.evaluate import switches
from renp_infer.verbs.evaluate.figures import angular_distribution
from renp_infer.verbs.evaluate.page import page as evaluate_page
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.infer import figures
from renp_infer.verbs.infer import page as inferred
from renp_infer.verbs.infer.judged import Diagnostics
from renp_infer.verbs.infer.result import InferResult
from renp_infer.verbs.optimize import page as optimize_page
from renp_infer.verbs.table import VERBS
from tests.toys.design import search_found
from tests.toys.runs import make_run, with_estimates, with_evaluation, with_result

pytestmark = pytest.mark.usefixtures("kept")

SHAPE = (4, 250)
NAME = '<script>alert(1)</script> "$x_1"'


TRUTH = [column.title for column in inferred.COLUMNS].index("truth")


def answer(run):
    return answers.answers_of(report.pages_of(run))[0].text


class Page(HTMLParser):
    """Tags, attributes and visible text; stops at unbalanced tags."""

    VOID = ("meta", "img", "br")

    def __init__(self, html):
        super().__init__()
        self.stack, self.tags, self.text = [], [], []
        self.feed(html)
        assert not self.stack

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        if self.stack and self.stack[-1] != "style":
            self.text.append(data)

    def words(self):
        return re.sub(r"\s+", " ", " ".join(self.text))


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    run = make_run(folder / "run", shape=SHAPE)
    path = write_report([run], folder / "run.html")
    return run, path


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    keys = {"preset": "corrected", "shape": SHAPE}
    runs = [
        make_run(folder / "a", name=NAME, verdict="fail", normalised=True, peak_snr=104.0, **keys),
        make_run(
            folder / "b", name="seed-layout", layout="seed", peak_snr=3.1e-19, infer=False, **keys
        ),
    ]
    return runs, write_report(runs, folder / "report.html").read_text(encoding="utf-8")


def test_page_is_self_contained(single):
    html = single[1].read_text(encoding="utf-8")
    page = Page(html)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    sources = [a["src"] for tag, a in page.tags if tag == "img"]
    assert len(sources) == 5 and all(s.startswith("data:image/svg+xml;base64,") for s in sources)
    for _, attributes in page.tags:
        for name in ("src", "href", "action", "srcset"):
            assert attributes.get(name, "#").startswith(("#", "data:"))
    assert "url(" not in html and "@import" not in html


def test_six_runs_stay_below_the_limit(single):
    assert 6 * single[1].stat().st_size < 8e6


def test_every_link_in_the_page_has_its_target(several):
    page = Page(several[1])
    ids = [a["id"] for _, a in page.tags if "id" in a]
    links = {a["href"] for tag, a in page.tags if tag == "a" and "download" not in a}
    assert len(ids) == len(set(ids))
    assert links == {f"#{i}" for i in ids} > {"#summary", "#run-1", "#run-2", "#run-1-again"}


def test_order_is_question_answer_switches_figures_tables_and_how(single):
    words = Page(single[1].read_text(encoding="utf-8")).words()
    heads = ["What does the magnetization", "m₁ = ", "diagnostics ✓ pass", "Physics switches"]
    heads += ["Figures Angular distribution", "Parameters Posterior of every", "Truth The neutrino"]
    heads += ["Provenance Where", "Citations What to cite", "@article{Hara2021", "Make it again In"]
    places = [words.index(head) for head in heads]
    assert places == sorted(places)


def test_title_and_question_are_of_what_was_done(single, several):
    one = single[1].read_text(encoding="utf-8")
    title = "What the data say about the lightest neutrino mass"
    assert f"<h1>{title}</h1>" in one and f": {title} ·" in one
    assert "<h1>Several runs compared</h1>" in several[1]  # one was fitted, one evaluated
    alone = several[1][several[1].index('id="run-2"') :]
    assert "What field would the detector see, and how far above its noise? The study:" in alone
    assert "Evaluated only" not in one
    for html in (one, several[1]):
        answers = re.findall(r'<p class="answer">.*?</p>', html, re.S)
        assert answers and all('<span class="tag">preset ' in text for text in answers)


def test_the_leading_page_is_of_the_first_verb_that_says_more_than_that_it_was_done():
    modest = ToyPage(answers=(Answer("a", "evaluated", modest=True),), title="evaluated")
    first, second = (ToyPage(answers=(Answer(t, t),), title=t) for t in ("first", "second"))
    assert answers.leading([ToyPage(), modest, first, second]) is first
    assert answers.leading([ToyPage(), modest]) is modest


def test_what_scrolls_can_be_scrolled_by_keyboard(single, several):
    for html in (single[1].read_text(encoding="utf-8"), several[1]):
        boxes = [a for _, a in Page(html).tags if a.get("class") in ("scroll", "figure")]
        assert len(boxes) > 5
        assert all(a.get("tabindex") == "0" and a.get("aria-label") for a in boxes)


def test_the_page_carries_the_numbers_of_its_figures(single):
    page = Page(single[1].read_text(encoding="utf-8"))
    found = {a["download"]: a["href"] for tag, a in page.tags if "download" in a}
    assert set(found) == {"angles.csv", "data.csv", "mass.csv", "chains.csv"}  # corner: too long
    text = b64decode(found["angles.csv"].removeprefix("data:text/csv;base64,")).decode()
    frame = pd.read_csv(io.StringIO(text), comment="#")
    shown = frame[(frame["panel"] == 2) & (frame["series"] == "smoothed signal")]
    evaluation = single[0].get(EvaluateResult)
    signal = evaluation.signal_nG
    np.testing.assert_allclose(shown["x"], evaluation.theta_s_deg, rtol=1e-5)
    scale = signal[0] / shown["y"].iloc[0]
    np.testing.assert_allclose(scale * shown["y"], signal, rtol=1e-4, atol=1e-5 * signal[0])
    assert "y = field at detector [10" in text and "nG]" in text


def test_runs_are_compared_by_what_differs(several):
    html = several[1]
    table = html[html.index("What differs") : html.index('id="run-1"')]
    rows = dict(re.findall(r"<code>(.*?)</code></th>(.*?)</tr>", table))
    assert {"name", "detector.reference_snr", "layout.theta_s_deg.start"} <= set(rows)
    assert re.findall(r">([^<]+)</td>", rows["layout.theta_s_deg.start"]) == ["143.2", "47.99"]
    assert "physics.preset" not in rows and "target.scheme" not in rows  # the same in both


def test_a_section_that_a_study_lacks_is_one_row():
    runs = [make_run(infer=False), make_run(infer=False)]
    runs[0].study["forecast"] = {"m1_meV": [1.0], "orderings": ["normal"]}
    runs[1].study["lasers"]["eq_mW_cm2"] = 10.0
    del runs[1].study["target"]["refractive_index"]
    assert tables.differences(runs) == [
        ("target.refractive_index", ["1.45", "–"]),
        ("lasers.eq_mW_cm2", ["9", "10"]),
        ("[forecast]", ["yes", "–"]),
    ]


def test_every_verdict_stands_at_the_top_and_a_failed_one_above_all(tmp_path, monkeypatch):
    monkeypatch.setattr(inferred, "posterior_plates", lambda _run: [])
    monkeypatch.setattr(calibration_page, "calibration_plates", lambda _tree: [])
    run = make_run(tmp_path / "run", shape=SHAPE)
    found = {"verdict": "fail", "reasons": ["ranks: 3 of 9 panels leave the band"]}
    tree = xr.DataTree()
    tree.attrs["renp_calibration"] = json.dumps(
        found | {"name": "x", "data": "mock", "false_alarm": 0.01}
    )
    chosen = {"inference": {"sampler": "independence"}, "calibrate": {"chains": 2, "draws": 7}}
    run = with_result(run, "calibrate", CalibrateResult.of(tree))
    run = dataclasses.replace(run, study=run.study | chosen)
    words = Page(write_report([run], tmp_path / "r.html").read_text("utf-8")).words()
    assert words.index("1 of 1 run failed") < words.index("calibration: ranks: 3 of 9")
    assert words.index("calibration ✗ fail") < words.index("Physics switches")
    assert "diagnostics ✓ pass" in words and run.verdict == "fail"
    assert "Fits by independence (chains 2, draws 7)" in words


def test_a_number_that_a_sampler_does_not_have_has_no_row():
    numbers = {"verdict": "pass", "reasons": [], "divergences": None, "r_hat_max": 1.002}
    rows = inferred.diagnostic_rows(Diagnostics.of(numbers))
    assert rows == [("largest R-hat", "1.002")]


def test_answer_has_the_numbers_of_the_summary(single):
    run, path = single
    words = Page(path.read_text(encoding="utf-8")).words()
    mass = run.get(InferResult).mass
    assert f"m₁ = {mass.mean:.2f} ± {mass.sd:.2f} meV" in words
    assert "95 % interval {:.2f} to {:.2f}".format(*mass.interval_95) in words
    assert f"renp run {run.directory.name}/study.resolved.toml" in words
    assert "pymc 6.4.0" in words and "20211207" in words and "5f1c0a9be3d2" in words
    assert "normalised to" not in words and "orders of magnitude" not in words


def test_provenance_of_an_evaluation_comes_from_the_manifest(tmp_path):
    entry = {"tasks": {"evaluate": {"key": "c0ffee"}}, "files": {}}
    manifest = {**read_manifest(tmp_path), **entry}
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    provenance = {"versions": {"numpy": "2.5.5"}, "git": None}
    run = with_evaluation(make_run(tmp_path, infer=False), provenance=provenance)
    assert dict(tables.provenance_rows(run))["versions"] == "numpy 2.5.5"
    (row,) = tables.task_table(run).rows
    assert row == ("evaluate", "–", "–", "–", "–", "–", Cell("c0ffee", "hash"))


def test_untrusted_text_is_escaped(several):
    assert "<script" not in several[1]
    assert "&lt;script&gt;" in several[1]
    assert NAME in Page(several[1]).words()


def test_failure_is_visible_before_any_section(several):
    words = Page(several[1]).words()
    banner = words.index("1 of 2 runs failed")
    assert banner < words.index("Summary") and "r_hat of m1_meV is 1.09" in words[banner:][:300]
    assert "No number may be quoted" in words


def test_normalised_numbers_say_so_wherever_they_appear(several):
    run, html = several[0][0], several[1]
    label = "normalised to peak S/N = 1000"
    first = html[html.index('id="run-1"') : html.index('id="run-2"')]
    captions = re.findall(r"<figcaption>.*?</figcaption>", first, re.S)
    assert len(captions) == 5 and all(label in c for c in captions)
    mean = f"{run.get(InferResult).mass.mean:.2f}"
    places = [m.start() for m in re.finditer(re.escape(mean), html)]
    assert len(places) >= 4
    for place in places:
        assert label in html[max(0, place - 700) : place + 700]
    assert label not in html[html.index('id="run-2"') :]


def test_absolute_shortfall_is_counted_and_evaluation_alone_reported(several):
    words = Page(several[1]).words()
    assert "18.5 orders of magnitude short of S/N = 1" in words  # -log10(3.1e-19)
    assert "Evaluated only, no inference" in words
    assert "not judged" in words


@pytest.mark.parametrize(
    ("layout", "m1", "start"),
    [
        ("seed", 50.0, "The mass is not measured"),
        pytest.param("edge", 50.0, "m₁ = ", marks=pytest.mark.slow),
        pytest.param("edge", 0.4, "m₁ < ", marks=pytest.mark.slow),
    ],
)
def test_answer_depends_on_what_was_learnt(layout, m1, start):
    assert answer(make_run(layout=layout, m1=m1, shape=SHAPE)).startswith(start)


def test_truth_outside_the_interval_is_said():
    run = with_estimates(make_run(shape=SHAPE), {"m1_meV": {"truth": 60.0}})
    assert "OUTSIDE" in answer(run)
    assert inferred.parameter_rows(run)[0][TRUTH].endswith("*")


@pytest.mark.parametrize(("truth", "outside"), [(0.0, False), (100.0, True), (200.0, False)])
def test_an_interval_of_a_phase_leads_through_zero(truth, outside):
    change = {"truth": truth, "interval_95": (105.0, 86.0)}
    run = with_estimates(make_run(shape=SHAPE), {"delta_deg": change})
    rows = {row[0]: row for row in inferred.parameter_rows(run)}
    assert rows["δ [deg]"][TRUTH].endswith("*") == outside


def test_switch_rows_compare_with_both_presets():
    model = dataclasses.replace(PRESETS["corrected"], majorana_kappa=0.25)
    run = with_evaluation(make_run(preset="corrected", infer=False), model=model)
    rows = {row[0]: row[2:4] for row in switches.switch_table(run).rows}
    assert len(rows) == 16
    assert rows["majorana_kappa"] == (Cell("≠\xa00.125", "other"), Cell("≠\xa01.0", "other"))
    assert rows["phase_space"] == (Cell("≠\xa0planar", "other"), Cell("full", "same"))
    assert "1 of 16 switches differ from corrected" in switches.switch_sentence(run)
    assert switches.preset_of(run) == "corrected + own switches"


def test_figures_are_deterministic_and_labelled_with_units():
    run = make_run(infer=False)
    first, again = (evaluate_page(run) for _ in range(2))
    assert first == again and [part.anchor for part in first.parts][1] == "figures"
    figure, caption = angular_distribution(run)
    assert "[" in figure.axes[0].get_ylabel() and "nG" in figure.axes[1].get_ylabel()
    assert [t.get_text() for t in figure.axes[0].texts] == [
        "(33)",
        "(23)",
        "(13)",
        "(22)",
        "(12)",
        "(11)",
    ]
    assert "(33) 144.4" in caption


def test_missing_thresholds_are_noted():
    figure, caption = angular_distribution(make_run(layout="seed", infer=False))
    assert "no pair threshold" in figure.axes[0].get_title(loc="left")
    assert "No pair threshold lies inside" in caption


def test_mass_axis_stays_inside_the_prior():
    figure, _ = figures.mass_posterior(make_run(m1=0.4, shape=SHAPE))
    assert figure.axes[0].get_xlim()[0] == 0.0
    assert figure.axes[1].get_xlim() == (0.0, 450.0)


def test_labels_of_many_sets_do_not_meet():
    """A corner plot with amplitudes and pointings of four runs each."""
    run = make_run(shape=SHAPE)
    found = run.get(InferResult)
    plain = [n for n in ("amplitude", "theta_s_offset_deg") if n in found.estimates]
    more = {f"{n}[{one}]": n for n in plain for one in ("spring", "summer", "autumn", "winter")}
    for group in ("posterior", "prior"):
        columns = found.tree[group].to_dataset()
        found.tree[group] = xr.DataTree(columns.assign({n: columns[o] for n, o in more.items()}))
    rows = dict(found.estimates) | {name: found.estimates[old] for name, old in more.items()}
    figure, _ = figures.corner(
        with_result(run, "infer", dataclasses.replace(found, estimates=rows))
    )
    canvas = FigureCanvasAgg(figure)
    labels = [
        label
        for ax in figure.axes
        for label in (ax.xaxis.label, ax.yaxis.label)
        if label.get_text()
    ]
    assert len(labels) > 12
    boxes = [label.get_window_extent(canvas.get_renderer()) for label in labels]
    assert not [1 for k, one in enumerate(boxes) for other in boxes[:k] if one.overlaps(other)]


def test_log_uniform_prior_is_normalised():
    run = make_run(infer=False)
    run.study["inference"] |= {"m1_prior": "log-uniform", "m1_min_meV": 0.1}
    mass = np.geomspace(0.1, 450.0, 4001)
    assert figures.mass_bounds(run) == (0.1, 450.0)
    assert np.trapezoid(figures.mass_prior(run, mass), mass) == pytest.approx(1.0, rel=1e-4)


def test_a_prior_of_the_studys_own_is_drawn():
    run = make_run(infer=False)
    run.study["inference"]["priors"] = {"m1_meV": {"kind": "normal", "mean": 40.0, "sd": 5.0}}
    mass = np.array([30.0, 40.0, 55.0])
    expected = stats.norm(40.0, 5.0).pdf(mass)
    assert figures.mass_prior(run, mass) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [(50.0234, 0.61, "50.02"), (176.4, 116.0, "176"), (-0.00012, 0.0009, "−0.00012"),
     (7.4912e-5, 1.9e-6, "7.49×10⁻⁵"), (1e-24, 3e-23, "1×10⁻²⁴"), (0.0, 3e-23, "0"),
     (5.0, 0.0, "5"), (-0.00001, 0.009, "0.0000")],
)  # fmt: skip
def test_numbers_are_rounded_to_their_error(value, error, text):
    assert plots.rounded(value, error) == text


def test_numbers_in_words():
    assert plots.number(3.1e-19) == "3.1×10⁻¹⁹"
    assert plots.number(9.9999e-5, 2) == "0.0001"
    assert plots.number(1000.0, 3) == "1000"
    assert plots.number(-47.99) == "−47.99"


def test_a_failed_write_leaves_the_old_report(single, tmp_path, monkeypatch):
    run = make_run(tmp_path / "run", infer=False)
    path = tmp_path / "report.html"
    path.write_text("old")

    def refuse(source, target):
        raise OSError(28, "no space left")

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "replace", refuse)
        with pytest.raises(StoreError, match="no space left"):
            write_report([run], path)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
    with pytest.raises(StoreError, match="cannot be written"):
        write_report([run], tmp_path / "none" / "report.html")


def test_no_run_is_refused(tmp_path):
    with pytest.raises(DomainError):
        write_report([], tmp_path / "report.html")


def test_data_from_a_file_have_no_truth(tmp_path):
    """As `fit` and `evaluate` leave it: no truth in the summary, a file in the evaluation."""
    run = with_evaluation(make_run(tmp_path / "run", shape=SHAPE), data="field.csv")
    names = run.get(InferResult).estimates
    run = with_estimates(run, {name: {"truth": None} for name in names})
    constants = run.inference["constant_data"].to_dataset()
    run.inference["constant_data"] = constants[["sigma_nG"]]
    page = Page(write_report([run], tmp_path / "r.html").read_text(encoding="utf-8"))
    words = page.words()
    assert "data: field.csv" in words and "Data: field.csv, at 61 angles" in words
    assert "Mock data" not in words and "mock data" not in words and "dash-dotted" not in words
    assert words.replace("Not the truth, which", "").count("truth") == 1  # head of a column


def test_the_answer_of_a_search_is_what_it_gains(monkeypatch):
    found = search_found(Verdict("pass"))
    monkeypatch.setattr(optimize_page, "design_plates", lambda _found, _study: [])
    run = with_result(make_run(infer=False), "optimize", found)
    assert answer(run).startswith("Best design: information on m₁ [nat] = 4.65")
    assert "the gain in information on m₁ is 4.21 nat more" in answer(run)


@dataclasses.dataclass(frozen=True)
class Count(Result):
    """What a toy found."""

    number: int

    def verdicts(self):
        return {"count": Verdict("fail", ("too <few>",))}

    def rows(self):
        return [("ions", str(self.number))]


class Counting(Verb):
    """A verb that says nothing of the page."""

    name, file, rank = "counting", "counting.json", 99


def test_a_verb_without_a_page_shows_verdict_reasons_and_rows(tmp_path, monkeypatch):
    monkeypatch.setitem(VERBS, Counting.name, Counting())
    run = with_result(make_run(tmp_path / "run", infer=False), Counting.name, Count(7))
    html = write_report([run], tmp_path / "r.html").read_text(encoding="utf-8")
    page = Page(html)
    part = html[html.index('id="run-1-counting"') : html.index('id="run-1-provenance"')]
    assert "Counting ✗ fail Count" in page.words() and "too &lt;few&gt;" in part
    assert '<th scope="row">ions</th><td class="wide">7</td>' in part
    assert {"href": "#run-1-counting"} in [
        attributes for tag, attributes in page.tags if tag == "a"
    ]
    assert "1 of 1 run failed" in page.words()


def test_parts_with_one_anchor_are_one_and_stand_in_their_places():
    parts = [
        Part(50, "late", "Late", (Text("c"),)),
        Part(10, "early", "Early", (Text("a"),), "E"),
        Part(10, "early", "ignored", (Text("b"),)),
    ]
    joined = report.joined(parts)
    assert joined == (Part(10, "early", "Early", (Text("a"), Text("b")), "E"), parts[0])


def test_a_modest_answer_is_given_only_alone():
    modest, other = Answer("Evaluation", "x", modest=True), Answer("Mass", "y")
    pages = [ToyPage(answers=(modest,)), ToyPage(answers=(other,))]
    assert answers.answers_of(pages) == [other]
    assert answers.answers_of(pages[:1]) == [modest]
