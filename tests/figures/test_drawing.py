import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

from renp_infer.errors import DomainError
from renp_infer.figures import densities
from renp_infer.figures import drawing as plots

THRESHOLDS = {"11": [-27.0, 144.6], "12": [-26.9, 144.5], "22": None}


def axes():
    return Figure().subplots()


def test_thresholds_on_either_side_are_found_and_sorted():
    assert plots.visible_thresholds(THRESHOLDS, [144.0, 145.0]) == [("12", 144.5), ("11", 144.6)]
    assert plots.visible_thresholds(THRESHOLDS, [-27.5, -26.95]) == [("11", -27.0)]
    assert plots.visible_thresholds(THRESHOLDS, [48.0, 69.0]) == []


def test_nearest_threshold():
    assert plots.nearest_threshold(THRESHOLDS, [55.0, 75.0]) == ("12", 144.5)
    assert plots.nearest_threshold(THRESHOLDS, [0.0, 9.0]) == ("12", -26.9)
    assert plots.nearest_threshold({"11": None}, [0.0, 9.0]) is None


def test_labels_are_spread_inside_and_moved_as_little_as_possible():
    out = plots.spread([0.5, 0.5, 0.5], 0.1)
    np.testing.assert_allclose(out, [0.4, 0.5, 0.6])
    out = plots.spread([0.0, 0.01, 0.99, 1.0], 0.1)
    np.testing.assert_allclose(out, [0.0, 0.1, 0.9, 1.0])
    np.testing.assert_allclose(plots.spread([0.2, 0.8], 0.1), [0.2, 0.8])
    assert plots.spread([], 0.1).size == 0


def test_every_visible_threshold_has_a_line_and_a_label():
    ax = axes()
    ax.set_xlim(143, 146)
    visible = plots.visible_thresholds(THRESHOLDS, [143, 146])
    plots.draw_thresholds(ax, visible, label=True)
    assert sorted(line.get_xdata()[0] for line in ax.lines) == [144.5, 144.6]
    assert [t.get_text() for t in ax.texts] == ["(12)", "(11)"]


def test_bands_are_the_quantiles_of_a_normal():
    bands = plots.central_bands(np.random.default_rng(1).normal(3.0, 2.0, (40_000, 2)))
    np.testing.assert_allclose(bands["mean"], 3.0, atol=0.05)
    np.testing.assert_allclose(bands["68"][:, 0], 3 + 2 * stats.norm.ppf([0.16, 0.84]), atol=0.06)
    np.testing.assert_allclose(bands["95"][:, 1], 3 + 2 * stats.norm.ppf([0.025, 0.975]), atol=0.1)


def test_density_does_not_leak_and_does_not_sag_at_a_bound():
    """An exponential piles up at 0: a plain kernel estimate would halve it there."""
    x = np.random.default_rng(2).exponential(1.0, 40_000)
    grid, density = densities.bounded_density(x, 0.0)
    assert grid[0] > 0
    assert density.sum() * (grid[1] - grid[0]) == pytest.approx(1.0)
    assert density[0] == pytest.approx(1.0, abs=0.1)


def test_uniform_posterior_is_flat_up_to_both_bounds():
    x = np.random.default_rng(3).uniform(0.0, 450.0, 40_000)
    grid, density = densities.bounded_density(x, 0.0, 450.0)
    assert grid[0] > 0 and grid[-1] < 450
    np.testing.assert_allclose(450 * density, 1.0, atol=0.1)


def test_narrow_posterior_is_resolved_inside_a_wide_prior():
    x = np.random.default_rng(4).normal(50.0, 0.1, 20_000)
    grid, density = densities.bounded_density(x, 0.0, 450.0)
    assert density.max() == pytest.approx(stats.norm(50, 0.1).pdf(50), rel=0.06)


def test_circular_density_is_one_peak_across_the_cut():
    x = np.random.default_rng(5).normal(0.0, 20.0, 20_000) % 360
    grid, density = densities.bounded_density(x, 0.0, 360.0, circular=True)
    assert density[0] == pytest.approx(density[-1], rel=0.05)
    assert density[0] == pytest.approx(stats.norm(0, 20).pdf(0), rel=0.15)
    assert density[grid.size // 2] < 1e-6


def test_draws_outside_the_bounds_are_refused():
    with pytest.raises(DomainError, match="0 to 450"):
        densities.bounded_density([-1.0, 3.0], 0.0, 450.0)


def test_constant_draws_have_a_density():
    assert np.isfinite(densities.bounded_density(np.zeros(10))[1]).all()


def test_credible_levels_hold_their_mass():
    x, y = np.meshgrid(*2 * [np.linspace(-5, 5, 400)])
    density = np.exp(-(x**2 + y**2) / 2)
    low, high, top = densities.credible_levels(density, (0.95, 0.68))
    assert low == pytest.approx(0.05, rel=0.02)  # a 2-D Gaussian: level = 1 - mass
    assert high == pytest.approx(0.32, rel=0.02)
    assert top > 1.0 - 1e-3


def test_pair_regions_contain_the_peak():
    ax = axes()
    x, y = np.random.default_rng(6).normal([[1.0], [-2.0]], 0.1, (2, 4000))
    densities.draw_pair(ax, x, y, ((0.5, 1.5), (-2.5, -1.5)), ("nearest", "nearest"))
    inner = [p for p in ax.collections[0].get_paths() if len(p)][-1]
    assert inner.contains_point((1.0, -2.0))
    assert not inner.contains_point((1.4, -2.0))


def test_noise_far_above_the_signal_is_written_not_drawn():
    theta, signal = np.arange(3.0), np.array([1.0, 2.0, 1.0])
    ax = axes()
    plots.draw_signal(ax, theta, signal, np.full(3, 2e18))
    assert "18.0 orders" in ax.texts[0].get_text()
    assert np.diff(ax.get_ylim())[0] < 3
    ax = axes()
    _, band = plots.draw_signal(ax, theta, signal, np.full(3, 0.5))
    assert band.get_paths()[0].get_extents().y1 == pytest.approx(2.5)


def test_pulls_are_in_units_of_sigma():
    theta = np.arange(2.0)
    bands = {"mean": np.array([1.0, 2.0])}
    bands |= {"68": bands["mean"] + [[-1], [1]], "95": bands["mean"] + [[-2], [2]]}
    ax = axes()
    plots.draw_pulls(ax, theta, [2.0, 2.0], [0.5, 0.5], [1.0, 3.0], bands)
    data = ax.containers[0].lines[0]
    np.testing.assert_allclose(data.get_ydata(), [2.0, 0.0])
    assert ax.collections[0].get_paths()[0].get_extents().y1 == pytest.approx(4.0)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.0, 2.0])


def test_ranks_show_a_chain_that_stays_apart():
    def outside(draws):
        ax = axes()
        band, _, *stairs = plots.draw_ranks(ax, draws)
        low, high = band.get_y(), band.get_y() + band.get_height()
        counts = np.concatenate([s.get_data().values for s in stairs])
        return np.mean((counts < low) | (counts > high))

    draws = np.random.default_rng(7).normal(size=(4, 1000))
    assert outside(draws) < 0.2
    draws[0] += 2.0
    assert outside(draws) > 0.5


def test_axis_scale_keeps_ticks_short():
    assert plots.axis_scale([0.0, 5.0], "nG") == (1.0, "nG")
    factor, unit = plots.axis_scale([-3e-22], "nG")
    assert factor == pytest.approx(1e22)
    assert unit == "10⁻²² nG"
    assert plots.axis_scale([0.0], "nG") == (1.0, "nG")


def tick_labels(low, high):
    """Labels of a logarithmic axis that can be seen."""
    figure = Figure()
    ax = figure.subplots()
    ax.set(xscale="log", xlim=(low, high))
    plots.name_ticks(figure)
    figure.draw_without_rendering()
    found = ax.xaxis.get_ticklabels(which="both")
    inside = [label for label in found if low <= label.get_position()[0] <= high]
    return {label.get_text() for label in inside} - {""}


def test_powers_of_ten_are_written_one_way_and_never_crowded():
    assert tick_labels(10.0, 52.0) == {"10", "20", "50"}
    assert tick_labels(2e-8, 2e-7) == {"2×10⁻⁸", "5×10⁻⁸", "10⁻⁷", "2×10⁻⁷"}
    assert tick_labels(30.0, 80.0) == {"30", "40", "50", "60", "70", "80"}
    wide = tick_labels(1.0, 3e18)
    assert len(wide) < 12 and all(text == "1" or text.startswith("10") for text in wide)
    assert "10¹⁵" in wide or "10¹⁴" in wide
