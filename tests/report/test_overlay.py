"""Posteriors of several runs in one panel: what is drawn is what the runs have."""

from types import SimpleNamespace

import numpy as np
import pytest

from renp_infer.report import overlay
from renp_infer.report.page import contents
from tests.toys.runs import make_run


@pytest.fixture
def runs():
    return [make_run(name=name, seed=k) for k, name in enumerate(("first", "second"), start=1)]


def curves(runs):
    return [
        overlay.RunCurve(k, run, *style)
        for (k, run), style in zip(enumerate(runs, 1), overlay.plots.RUN_STYLES, strict=False)
    ]


def test_each_density_has_the_mean_of_its_draws(runs):
    figure, _ = overlay.masses(curves(runs), 0)
    for line, run in zip(figure.axes[0].get_lines(), runs, strict=True):
        places, density = line.get_data()
        mean = np.average(places, weights=density)
        draws = overlay.draws(run, "posterior", "m1_meV")
        assert mean == pytest.approx(draws.mean(), abs=0.1 * draws.std())
        assert np.trapezoid(density, places) == pytest.approx(1.0, abs=0.01)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "run 1, first", "run 2, second",
    ]  # fmt: skip


def test_no_density_of_a_mass_reaches_below_0(runs, monkeypatch):
    drawn = np.abs(np.random.default_rng(2).standard_normal(4000))
    monkeypatch.setattr(overlay.RunCurve, "values", lambda *_: drawn)
    monkeypatch.setattr(overlay.RunCurve, "names", lambda *_: {*overlay.SHOWN})
    figure, _ = overlay.masses(curves(runs), 0)
    lines = [line for ax in figure.axes for line in ax.get_lines()]
    assert len(lines) == 2 * len(overlay.SHOWN)
    assert min(line.get_xdata().min() for line in lines) >= 0.0


def test_the_corner_has_what_goes_with_the_mass_most(runs):
    names = overlay.shared(curves(runs))
    assert names[0] == "m1_meV" and len(names) == overlay.CORNER
    chosen = curves(runs)

    def together(name):
        pairs = [(c.values("m1_meV"), c.values(name)) for c in chosen]
        return max(abs(np.corrcoef(*pair)[0, 1]) for pair in pairs)

    free = set(overlay.free_parameters(runs[0])) - {*names, *overlay.PARAMETERS.phases}
    assert min(map(together, names[1:])) >= max(map(together, free), default=0.0)
    figure, _ = overlay.corner(chosen, 0)
    assert len(figure.axes) == overlay.CORNER * (overlay.CORNER + 1) // 2


def test_one_posterior_has_nothing_to_lie_over(runs):
    assert overlay.overlay_plates(runs[:1]) == []
    assert overlay.overlay_plates([runs[0], make_run(infer=False)]) == []


def test_more_runs_than_styles_are_said(runs):
    many = [make_run(name=str(k), seed=k) for k in range(overlay.MOST + 2)]
    plates = overlay.overlay_plates(many)
    assert all("The last 2 of the runs are not drawn here." in plate.caption for plate in plates)
    assert not [plate for plate in plates if "Missing" in plate.caption]


def test_the_page_has_both(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "renp_infer.report.page.section", lambda *_: SimpleNamespace(title="A title")
    )
    found = contents(runs, tmp_path)
    keys = [plate.key for plate in found.together]
    assert keys == ["overview", "overlay-masses", "overlay-corner"]
