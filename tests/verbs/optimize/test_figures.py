"""Figures and sentences about designs show the numbers of the result."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from renp_infer.app.cli import execute
from renp_infer.design.searches import effects as design_effects
from renp_infer.design.utilities import utility
from renp_infer.engine.run import Run
from renp_infer.figures import drawing as plots
from renp_infer.verbs.optimize import figures as design_figures
from renp_infer.verbs.optimize.figures import design_plates
from renp_infer.verbs.optimize.layout_figure import layout_figure
from renp_infer.verbs.optimize.maps import Surface
from renp_infer.verbs.optimize.page import best_facts, sentences
from renp_infer.verbs.optimize.parts import Appraisal
from renp_infer.verbs.optimize.result import OptimizeResult
from renp_infer.verbs.table import load_run
from tests.toys.design import PEAK, ToyAppraiser

pytestmark = pytest.mark.usefixtures("kept")

STUDY = """schema = 1
name = "toy-figures"
[layout]
theta_s_deg = [140.0, 141.0, 142.0, 144.0, 145.0]
[lasers]
chi_squared = 1e-3
[detector]
reference_snr = 30
[optimize]
utility = ["eig_m1", "cost"]
evaluations = 14
baselines = ["sobol", "random"]
repeats = 2
robustness = true
effects = 12
at_m1_meV = []
[optimize.vary]
"layout.radius_cm" = { low = 0.5, high = 1.5 }
"layout.length_cm" = { low = 1.0, high = 4.0, scale = "log" }
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A search by a utility in closed form, with its robustness."""
    folder = tmp_path_factory.mktemp("figures")
    (folder / "toy.toml").write_text(STUDY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utility, "Appraiser", ToyAppraiser)
        patch.setattr(design_effects, "PAIRS", 8)
        home = folder / "run"
        assert execute(["optimize", str(folder / "toy.toml"), "--out", str(home), "--quiet"]) == 0
    return load_run(home)


@pytest.fixture(scope="module")
def optimum(done: Run) -> OptimizeResult:
    return done.get(OptimizeResult)


def drawn(maker: Any, optimum: OptimizeResult) -> tuple[Figure, str]:
    with mpl.rc_context(plots.STYLE):
        return maker(optimum)  # type: ignore[no-any-return]


def test_every_figure_is_there_once_and_says_what_it_shows(done: Run) -> None:
    plates = design_plates(done.get(OptimizeResult), done.study)
    assert [p.key.removeprefix("design-") for p in plates] == [
        "convergence", "maps", "layout", "information", "front", "tolerances", "truths",
    ]  # fmt: skip
    for one in plates:
        assert one.svg.startswith("<?xml") and len(one.caption) > 80
        assert "nan" not in one.caption.lower().replace("nano", "")


def test_convergence_is_the_best_so_far(optimum: OptimizeResult) -> None:
    figure, _ = drawn(design_figures.convergence, optimum)
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[0].lines}
    for name in ("skopt", "sobol", "random"):
        runs = []
        for repeat in (0, 1):
            best, row = -np.inf, []
            for trial in optimum.trials:
                if (trial.optimizer, trial.repeat) == (name, repeat):
                    best = max(best, trial.trial.values["eig_m1"])
                    row.append(best)
            runs.append(row)
        np.testing.assert_allclose(lines[name], np.mean(runs, axis=0))  # the median of two


def test_the_front_is_drawn_with_its_errors(optimum: OptimizeResult) -> None:
    figure, caption = drawn(design_figures.front, optimum)
    members = optimum.front
    assert members
    points = {(m.values["cost"], m.values["eig_m1"]) for m in members}
    shown = set()
    for container in figure.axes[0].containers:
        line, _, bars = container
        shown |= set(zip(*line.get_data(), strict=True))
        heights = [np.ptp(segment[:, 1]) for segment in bars[1].get_segments()]
        np.testing.assert_allclose(heights, 0.02)  # the toy's error is 0.01
    assert shown == points
    volume = optimum.hypervolume
    assert volume is not None and volume.value > 0.0 and volume.error > 0.0
    assert plots.number(volume.value, 4) in caption
    for member in members:
        assert 0.0 <= member.membership <= 1.0


def test_tolerances_are_those_of_the_toy(optimum: OptimizeResult) -> None:
    """The toy is 3 exp(-u^2 / 2) / (1 + v^2), u = (R - 0.9) / 0.1 at fixed v."""
    assert optimum.robustness is not None
    rows = {row.name: row for row in optimum.robustness.dimensions}
    radius, length = (rows[f"layout.{key}_cm"] for key in ("radius", "length"))
    height = 3.0 / (1.0 + (np.log(length.value / PEAK[1]) / 0.3) ** 2)
    top = height * np.exp(-0.5 * ((radius.value - PEAK[0]) / 0.1) ** 2)
    assert optimum.robustness.score == pytest.approx(top)
    edge = 0.1 * np.sqrt(-2.0 * np.log((top - 0.1) / height))  # where 0.1 nat is lost
    expected = [radius.value - PEAK[0] + edge, PEAK[0] + edge - radius.value]
    # off its top the toy is no quadratic, as which it counts between 0, 0.01, 0.02, ...
    assert [radius.below, radius.above] == pytest.approx(expected, rel=0.15, abs=0.005)


def test_worst_case_and_truths_of_a_utility_that_ignores_them(optimum: OptimizeResult) -> None:
    robust = optimum.robustness
    assert robust is not None
    assert robust.nuisances.lowest == robust.nuisances.nominal == robust.score
    assert robust.angles.allowed_deg is None
    best, *_, own = robust.truths.designs
    assert best.scores == (robust.score,) * len(robust.truths.m1_meV)
    assert own.mean < best.mean and robust.truths.choice["worst"] == "best"


def test_information_by_angle_adds_up(optimum: OptimizeResult, tmp_path: Path) -> None:
    """To the inverse variance of m1 that the whole least-squares problem has."""
    from renp_infer.inference.profiles.fisher import expand, sigma
    from renp_infer.inference.results.comparison import Hypothesis
    from renp_infer.measurement.noise import Noise
    from renp_infer.study.load import load_study
    from renp_infer.verbs.calibrate.mocks import mock_model

    assert optimum.robustness is not None
    rows = optimum.robustness.information["own"]
    total = sum(rows.per_meV2) + rows.priors_per_meV2
    path = tmp_path / "toy.toml"
    path.write_text(STUDY)
    study = load_study(path, inference=True)
    model = mock_model(study, Hypothesis("normal", "dirac"))
    covariance = model.likelihood.data.covariance
    noise = Noise(lambda _exposure: covariance, True, 1.0)
    assert total == pytest.approx(
        sigma(expand(model.likelihood, model.truth), noise, 1.0) ** -2, rel=1e-6
    )
    assert len(rows.per_meV2) == 5


def test_the_layout_is_to_scale() -> None:
    layout = {
        "length_cm": 3.0,
        "radius_cm": 0.5,
        "theta_e_deg": 140.0,
        "theta_s_deg": [30.0, 60.0],
        "c_axis_deg": "normal",
    }
    figure, caption = layout_figure(layout, {"coupling": 0.01})
    ax = figure.axes[0]
    crystal = next(p for p in ax.patches if isinstance(p, Rectangle))
    assert crystal.get_bbox().bounds == (-1.5, -0.5, 3.0, 1.0)
    assert ax.get_aspect() == 1.0
    rays = [np.array(line.get_data()) for line in ax.lines if len(line.get_xdata()) == 2]
    angles = [np.rad2deg(np.arctan2(*(ray[:, 1] - ray[:, 0])[::-1])) for ray in rays]
    assert sorted(angles) == pytest.approx([30.0, 60.0])  # beams travel towards the centre
    assert "normal to the plane" in caption and "symbolic" in caption


def test_a_surface_finds_what_matters() -> None:
    """cos of one coordinate, nothing of the other: its partial dependence is that."""
    x = np.random.default_rng(2).random((60, 2))
    surface = Surface(x, np.cos(3.0 * x[:, 0]))
    line = np.linspace(0.1, 0.9, 9)
    low = np.quantile(np.cos(3.0 * x[:, 0]), 0.1)
    mean, _ = surface.dependence((0,), line[:, None])
    np.testing.assert_allclose(mean, np.maximum(np.cos(3.0 * line), low), atol=0.06)
    flat, _ = surface.dependence((1,), line[:, None])
    assert np.ptp(flat) < 0.06


def test_sentences_have_the_numbers(optimum: OptimizeResult) -> None:
    text = " ".join(sentences(optimum))
    assert plots.rounded(optimum.utility.value, optimum.utility.error) in text
    assert optimum.gain is not None and plots.number(optimum.gain, 3) in text
    assert dict(best_facts(optimum).rows)["layout.radius_cm"] == plots.number(
        optimum.best["layout.radius_cm"], 6
    )
    nothing = replace(optimum, last=Appraisal({}, "why"), gain=None)
    assert "none" in sentences(nothing)[0]


def test_the_document_is_written_and_read_back_as_it_was(done: Run) -> None:
    """All keys, those of robustness, front and gains among them, and every trial."""
    document = json.loads((done.directory / "optimize.json").read_text())
    lines = (done.directory / "trials.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert {"robustness", "front", "hypervolume", "gains"} <= set(document)
    told = OptimizeResult.of(document, rows).told()
    assert json.loads(json.dumps(told)) == document | {"trials": rows}
