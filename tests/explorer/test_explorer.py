"""The explorer without its page: settings, numbers, drawings, figures."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from renp_infer.app.cli import execute
from renp_infer.errors import ConfigError
from renp_infer.explorer import curves
from renp_infer.explorer.controls import CONTROLS, GRID_KEYS
from renp_infer.explorer.curves import MassError, curve_of
from renp_infer.explorer.drawing import beam_length_cm, loop_cm, side_view, top_view
from renp_infer.explorer.figures import PINNED, STYLES, field_figure, layout_figure, mass_figure
from renp_infer.explorer.picture import picture_of
from renp_infer.explorer.state import (
    blamed,
    open_study,
    other_presets,
    study_of,
    study_text,
    tables_of,
)
from renp_infer.explorer.tables import free_and_fixed, number_rows, run_rows, threshold_rows
from renp_infer.explorer.wiring import MOST_PINS, pinned_curve
from renp_infer.inference.profiles.fisher import expand, sigma
from renp_infer.measurement import smoothing
from renp_infer.measurement.field import exact_field
from renp_infer.records import Pickup
from renp_infer.study.load import load_study
from renp_infer.terminal import plain
from renp_infer.verbs.evaluate.work import evaluate
from renp_infer.verbs.forecast.bench import Bench
from renp_infer.verbs.forecast.cells import TruthCell
from tests.toys.runs import make_run
from tests.toys.settings import inference_with

PRIORS = inference_with()
CONTROL_KEYS = [control.key for control in CONTROLS]
LOOP = {
    "detector.coupling": "pickup",
    "detector.pickup.radius_cm": "2",
    "detector.pickup.stand_off_cm": "0.5",
}


@pytest.fixture(scope="module")
def edge():
    return open_study("edge-layout-published")


@pytest.fixture(scope="module")
def picture(edge):
    return picture_of(edge, edge.settings | LOOP)


def moved(opened, **changes):
    return opened.settings | {key.replace("__", "."): text for key, text in changes.items()}


class TestState:
    def test_untouched_settings_are_the_study(self, edge):
        assert tables_of(edge, edge.settings) == edge.tables

    @pytest.mark.parametrize("key", CONTROL_KEYS)
    def test_wrong_input_is_refused_in_the_words_of_the_command_line(self, edge, key):
        setting = LOOP if ".pickup" in key else {}
        with pytest.raises(ConfigError) as ours:
            study_of(tables_of(edge, edge.settings | setting | {key: "-1e300"}))
        loop = [f"{k}={v}" for k, v in setting.items() if k != key]
        with pytest.raises(ConfigError) as theirs:
            load_study("edge-layout-published", [*loop, f"{key}=-1e300"], inference=False)
        assert str(ours.value) == str(theirs.value)
        assert blamed(ours.value) == key

    def test_a_combination_that_means_nothing_is_refused_in_the_same_words(self, edge):
        with pytest.raises(ConfigError) as ours:
            picture_of(edge, moved(edge, neutrino__m1_meV="900"))
        with pytest.raises(ConfigError) as theirs:
            load_study("edge-layout-published", ["neutrino.m1_meV=900"], inference=False)
        assert str(ours.value) == str(theirs.value)

    def test_more_angles_than_fit_a_picture_are_refused(self, edge):
        with pytest.raises(ConfigError, match=r"points: got 2001; allowed: at most 2000") as error:
            picture_of(edge, moved(edge, layout__theta_s_deg__points="2001"))
        assert blamed(error.value) == GRID_KEYS[-1]

    def test_units_in_a_text_are_converted(self, edge):
        study = study_of(tables_of(edge, moved(edge, layout__length_cm="5 mm")))
        assert study.experiment.layout.length_cm == pytest.approx(0.5)

    def test_an_empty_text_leaves_the_key_to_its_default(self, edge):
        turned = moved(edge, layout__theta_e_deg="120", target__gamma_ep_per_s="")
        study = study_of(tables_of(edge, turned))
        assert math.degrees(study.experiment.layout.theta_e) == pytest.approx(120)
        assert study.experiment.target.gamma_ep_per_s == pytest.approx(57.34)
        matched = study_of(tables_of(edge, moved(edge, layout__theta_e_deg="")))
        assert math.degrees(matched.experiment.layout.theta_e) == pytest.approx(141.607, abs=1e-3)

    @pytest.mark.parametrize(
        "changes",
        [
            {"neutrino.m1_meV": "35", "neutrino.nature": "majorana", "neutrino.alpha21_deg": "40"},
            {"layout.theta_s_deg.start": "-10.5", "layout.theta_s_deg.points": "7"},
            {"physics.preset": "corrected", "lasers.chi_squared": "bloch", "lasers.cycle_ms": "5"},
            LOOP | {"detector.pickup.position": "beside", "detector.pickup.tilt_deg": "20"},
            {
                "layout.c_axis_deg": "-15",
                "detector.resolution_deg": "0",
                "layout.theta_e_deg": "140",
            },
        ],
    )
    def test_a_saved_study_is_the_one_that_was_shown(self, edge, tmp_path, changes):
        settings = edge.settings | changes
        file = tmp_path / "saved.toml"
        file.write_text(study_text(edge, settings), encoding="utf-8")
        shown = study_of(tables_of(edge, settings))
        loaded = load_study(file, inference=False)
        assert loaded.resolved == shown.resolved
        assert "inference" in load_study(file).resolved  # the tasks of the study are kept
        again = open_study(file)
        assert tables_of(again, again.settings) == tables_of(edge, settings)
        assert {key: again.settings[key] for key in changes} == changes

    def test_a_study_whose_inference_would_be_refused_is_not_saved(self, edge):
        with pytest.raises(ConfigError, match=r"neutrino.m1_meV.*m1_max_meV"):
            study_text(edge, moved(edge, neutrino__m1_meV="460"))

    def test_a_list_of_angles_stays_until_its_ends_are_moved(self, tmp_path):
        file = tmp_path / "list.toml"
        file.write_text("schema = 1\n[layout]\ntheta_s_deg = [50, 51, 60]\n")
        opened = open_study(file)
        assert [opened.settings[key] for key in GRID_KEYS] == ["50", "60", "3"]
        kept = study_of(tables_of(opened, moved(opened, neutrino__m1_meV="1")))
        np.testing.assert_allclose(np.rad2deg(kept.experiment.layout.theta_s), [50, 51, 60])
        grid = study_of(tables_of(opened, opened.settings | {GRID_KEYS[1]: "62"}))
        np.testing.assert_allclose(np.rad2deg(grid.experiment.layout.theta_s), [50, 56, 62])

    def test_measured_data_leave_their_angles_and_say_so(self):
        opened, study = open_study("own-data"), load_study("own-data", inference=False)
        shown = study_of(tables_of(opened, opened.settings)).experiment
        np.testing.assert_allclose(shown.layout.theta_s, study.experiment.layout.theta_s)
        assert shown.detector.exposure_s == study.experiment.detector.exposure_s
        assert "measured data" in opened.note

    def test_another_preset_drops_single_switches(self):
        opened = open_study("fig6")
        assert opened.tables["physics"]["weights"] == "table-iv"
        others = other_presets(opened.tables)
        assert {name: own["physics"] for name, own in others.items()} == {
            name: {"preset": name} for name in ("corrected", "first-principles")
        }
        chosen = tables_of(opened, moved(opened, physics__preset="corrected"))
        assert chosen["physics"] == {"preset": "corrected"}

    @pytest.mark.parametrize("place", ["nothing-of-that-name", "/tmp", ""])
    def test_what_is_no_study_is_refused(self, place):
        with pytest.raises(ConfigError):
            open_study(place)

    def test_a_run_directory_shows_its_resolved_study(self, tmp_path):
        assert execute(["evaluate", "feasibility", "--out", str(tmp_path / "run"), "--quiet"]) == 0
        opened = open_study(tmp_path / "run")
        assert opened.run.name == "feasibility"
        shown = study_of(tables_of(opened, opened.settings))
        assert shown.resolved == load_study("feasibility").resolved


class TestCurves:
    @pytest.mark.parametrize(
        ("name", "overrides"),
        [
            ("edge-layout-published", ()),
            pytest.param(
                "edge-layout-normalised", ("detector.kernel=gaussian",), marks=pytest.mark.slow
            ),
            ("seed-layout-corrected", ("neutrino.nature=majorana", "layout.length_cm=0.3")),
            ("seed-layout-published", ("lasers.chi_squared=bloch", "detector.drift_fT=1.0")),
        ],
    )
    def test_values_are_those_of_evaluate(self, name, overrides):
        study = load_study(name, overrides, inference=False)
        found = evaluate(study.experiment, study.parameters, name)
        curve = curve_of(study, PRIORS, name)
        peak = np.max(np.abs(found.signal_nG))
        np.testing.assert_allclose(curve.signal_nG, found.signal_nG, rtol=0, atol=1e-12 * peak)
        np.testing.assert_allclose(curve.sigma_nG, found.sigma_nG, rtol=1e-9)
        assert curve.chi_squared == found.chi_squared
        assert curve.thresholds_deg == found.thresholds_deg

    @pytest.mark.parametrize(
        ("name", "overrides"),
        [
            pytest.param("edge-layout-published", (), marks=pytest.mark.slow),
            ("edge-layout-normalised", ("layout.length_cm=0.5",)),
            pytest.param(
                "edge-layout-normalised",
                ("neutrino.nature=majorana", "neutrino.alpha21_deg=40", "inference.leakage_sd=0.1"),
                marks=pytest.mark.slow,
            ),
        ],
    )
    def test_the_error_of_m1_is_that_of_the_forecast(self, name, overrides):
        study = load_study(name, overrides, add=["forecast"])
        error = curve_of(study, study.settings, name).mass_error
        bench = Bench(study)
        model = bench.hypothesis(study.parameters.ordering, study.parameters.nature)
        cell = TruthCell(bench, model, model.at(1e3 * study.parameters.m1_eV))
        full = sigma(expand(cell.own, cell.vector), bench.noise, bench.noise.exposure_s)
        assert error.all_free_meV == pytest.approx(full, rel=0.02)
        assert set(error.free) | {"m1_meV"} == set(cell.own.prior.names)

    def test_the_error_of_m1_alone_is_that_of_a_difference_of_fields(self):
        study = load_study("edge-layout-published", inference=False)
        curve = curve_of(study, PRIORS, "")
        step_eV = 1e-5
        above, below = (
            exact_field(
                study.experiment,
                replace(study.parameters, m1_eV=study.parameters.m1_eV + sign * step_eV),
                curve.chi_squared,
            )
            for sign in (1.0, -1.0)
        )
        slope = (above - below) / (2e3 * step_eV)
        expected = 1.0 / np.linalg.norm(slope / curve.sigma_nG)
        assert curve.mass_error.alone_meV == pytest.approx(expected, rel=0.01)
        assert curve.total_snr == pytest.approx(np.linalg.norm(curve.signal_nG / curve.sigma_nG))

    def test_without_a_large_crystal_limit_there_is_a_field_but_no_error(self):
        overrides = ("physics.phase_space=full", "layout.theta_s_deg=[50.0, 60.0]")
        study = load_study("seed-layout-published", overrides, inference=False)
        curve = curve_of(study, PRIORS, "")
        assert np.all(curve.signal_nG != 0.0)
        assert "physics.form_factor" in curve.mass_error

    def test_no_field_is_no_failure(self, edge):
        picture = picture_of(edge, moved(edge, layout__c_axis_deg="normal"))
        curve = picture.curves["published"]
        assert np.all(curve.signal_nG == 0.0)
        assert isinstance(curve.mass_error, str)
        json.dumps(plain(field_figure(picture, "shape")), allow_nan=False)


class TestCost:
    """Crystal integrals per change, which are all of its time."""

    @pytest.fixture
    def integrals(self, monkeypatch):
        curves._share.cache_clear()
        done = []
        kernel = smoothing.correction_table

        def counted(*arguments):
            done.append(arguments[3].size)
            return kernel(*arguments)

        monkeypatch.setattr(smoothing, "correction_table", counted)
        return done

    @pytest.mark.parametrize(
        ("key", "text"),
        [
            ("neutrino.nature", "majorana"),
            ("neutrino.delta_deg", "45"),
            ("neutrino.alpha21_deg", "45"),
            ("lasers.trigger_mW_cm2", "3"),
            ("lasers.chi_squared", "0.0001"),
            ("target.density_per_cm3", "1e19"),
            ("detector.noise_fT_rtHz", "1"),
            ("detector.exposure_s", "60"),
            ("detector.coupling", "0.1"),
        ],
    )
    def test_what_does_not_touch_the_crystal_integrals_repeats_none(
        self, edge, integrals, key, text
    ):
        picture_of(edge, edge.settings)
        integrals.clear()
        picture_of(edge, edge.settings | {key: text})
        assert integrals == []

    @pytest.mark.parametrize(
        ("key", "text"),
        [
            ("neutrino.m1_meV", "51"),
            ("neutrino.ordering", "inverted"),
            ("layout.length_cm", "1"),
            ("layout.theta_s_deg.stop", "150"),
            ("detector.resolution_deg", "1"),
        ],
    )
    def test_what_does_repeats_each_pair_once_per_preset(self, edge, integrals, key, text):
        picture_of(edge, edge.settings)
        integrals.clear()
        picture_of(edge, edge.settings | {key: text})
        # six pairs, one side, of each preset but weak magnetism, whose share has two parts
        assert len(integrals) in (18, 24)
        assert sum(integrals) < 1800  # nodes; 40 times as many make a response

    def test_far_from_all_thresholds_a_few_nodes_do(self, integrals):
        opened = open_study("seed-layout-published")
        picture_of(opened, opened.settings)
        assert sum(integrals) < 150


class TestDrawing:
    def experiment(self, **loop):
        study = load_study("edge-layout-published", inference=False)
        pickup = Pickup(**loop) if loop else None
        detector = replace(study.experiment.detector, pickup=pickup)
        layout = replace(study.experiment.layout, length_cm=3.0, radius_cm=0.5, c_axis=0.3)
        return replace(study.experiment, detector=detector, layout=layout)

    def test_the_crystal_has_its_size(self):
        for view in (side_view(self.experiment()), top_view(self.experiment())):
            np.testing.assert_allclose(np.ptp(view.lines["crystal"], axis=0), [3.0, 1.0])

    def test_beams_arrive_under_their_angles(self):
        setup = self.experiment()
        lines = side_view(setup).lines
        for name, angle in (("k₁", 0.0), ("k₂", setup.layout.theta_e)):
            start, stop = lines[name]
            assert np.arctan2(*(stop - start)[::-1]) == pytest.approx(angle)
            assert np.hypot(*(stop - start)) == pytest.approx(beam_length_cm(setup))
        first, last = -lines["trigger"][1], -lines["trigger"][-2]
        ends = [np.arctan2(*point[::-1]) for point in (first, last)]
        np.testing.assert_allclose(ends, setup.layout.theta_s[[0, -1]])
        turned = np.diff(lines["c axis"], axis=0)[0]
        assert np.arctan2(*turned[::-1]) == pytest.approx(0.3)

    @pytest.mark.parametrize(
        ("loop", "centre"),
        [
            ({"stand_off_cm": 2.0, "position": "around"}, (0.0, 0.0, 2.0)),
            ({"stand_off_cm": 0.2, "position": "beside"}, (0.0, 0.5 + 0.2 + 1.5, 0.0)),
        ],
    )
    def test_the_loop_is_a_circle_around_its_place(self, loop, centre):
        pickup = Pickup(radius_cm=1.5, tilt=0.4, **loop)
        arms = loop_cm(pickup, 0.5) - centre
        np.testing.assert_allclose(np.linalg.norm(arms, axis=1), 1.5)
        np.testing.assert_allclose(arms @ [np.sin(0.4), 0.0, np.cos(0.4)], 0.0, atol=1e-12)

    def test_a_loop_beside_keeps_its_gap(self):
        setup = self.experiment(radius_cm=1.5, stand_off_cm=0.2, position="beside")
        lines = top_view(setup).lines
        gap = lines["pickup loop"][:, 1].min() - lines["crystal"][:, 1].max()
        assert gap == pytest.approx(0.2)


class TestFigures:
    def test_band_is_field_and_noise_by_the_peak(self, picture):
        curve = picture.curves["published"]
        figure = field_figure(picture, "shape")
        band, line = figure["data"][:2]
        peak, n = np.max(np.abs(curve.signal_nG)), curve.signal_nG.size
        upper, lower = np.array(band["y"][:n]), np.array(band["y"][n:][::-1])
        np.testing.assert_allclose((upper - lower) * peak, 2.0 * curve.sigma_nG)
        np.testing.assert_allclose(0.5 * (upper + lower) * peak, curve.signal_nG)
        np.testing.assert_allclose(line["y"] * peak, curve.signal_nG)

    def test_noise_far_above_the_peak_is_said_in_place_of_a_band(self, picture):
        figure = field_figure(picture, "shape")
        (corrected,) = (t for t in figure["data"] if t.get("name", "").startswith("corrected"))
        assert "off the scale" in corrected["name"]

    def test_pins_lie_beside_what_is_moved(self, edge, picture):
        settings = moved(edge, neutrino__nature="majorana")
        pin = pinned_curve(edge, settings)
        assert pin.label == "pinned: published, nature = majorana"
        assert pinned_curve(edge, edge.settings).label == "pinned: published, as opened"
        own = picture_of(edge, settings).curves["published"]
        np.testing.assert_array_equal(pin.signal_nG, own.signal_nG)
        before, after = (field_figure(picture, "snr", pins)["data"] for pins in ([], [pin]))
        assert len(after) == len(before) + 1 and after[-1]["name"].startswith(pin.label)
        np.testing.assert_allclose(after[-1]["y"], np.abs(pin.signal_nG) / pin.sigma_nG)
        assert mass_figure(picture, None, [pin])["data"][-1]["name"].startswith("expected, pinned")

    def test_pins_are_told_apart_from_each_other_and_from_presets(self):
        colours, dashes, symbols = zip(*STYLES.values(), *PINNED, strict=True)
        assert len(set(dashes)) == len(set(symbols)) == len(STYLES) + MOST_PINS
        assert len(set(colours)) == len(colours)

    def test_labels_of_thresholds_are_led_to_their_lines(self, picture):
        layout = field_figure(picture, "shape")["layout"]
        lines = {shape["x0"] for shape in layout["shapes"]}
        assert {label["x"] for label in layout["annotations"]} == lines
        places = sorted(label["ax"] for label in layout["annotations"])
        assert all(label["axref"] == "x" for label in layout["annotations"])
        assert min(np.diff(places)) > 1.0  # deg; the lines are 0.1 apart

    def test_presets_differ_by_more_than_colour(self):
        for column in zip(*STYLES.values(), strict=True):
            assert len(set(column)) == len(STYLES)

    @pytest.mark.parametrize("shown", ["shape", "field", "snr"])
    def test_axes_carry_their_units_and_figures_are_json(self, picture, shown):
        figure = field_figure(picture, shown)
        assert figure["layout"]["xaxis"]["title"]["text"].endswith("[deg]")
        assert figure["layout"]["yaxis"]["title"]["text"]
        json.dumps(plain(figure), allow_nan=False)
        lines = {round(shape["x0"], 6) for shape in figure["layout"]["shapes"]}
        sides = picture.curves["published"].thresholds_deg.values()
        assert lines == {round(upper, 6) for _, upper in sides}

    def test_views_are_to_scale(self, picture):
        for view in picture.views:
            layout = layout_figure(view)["layout"]
            assert layout["yaxis"]["scaleanchor"] == "x"
            assert layout["yaxis"]["scaleratio"] == 1
            assert layout["xaxis"]["title"]["text"].endswith("[cm]")

    def test_expected_spread_is_a_density(self, picture):
        (trace,) = mass_figure(picture, None)["data"]
        assert np.trapezoid(trace["y"], trace["x"]) == pytest.approx(1.0, abs=1e-3)

    def test_a_run_lies_beside_the_expectation(self, picture, tmp_path, rng):
        run = make_run(tmp_path / "run", shape=(2, 50))
        draws = run.inference["posterior"]["m1_meV"].values.ravel()
        bars = mass_figure(picture, draws)["data"][0]
        assert np.sum(bars["y"] * bars["width"]) == pytest.approx(1.0)
        rows = run_rows(run)
        assert rows[1][0] == "m₁ [meV]"
        assert len(rows) == 1 + len(run.summary["parameters"])


def test_tables_name_what_is_free(edge):
    picture = picture_of(edge, edge.settings)
    rows = number_rows(picture)
    assert rows[0] == ["", "published", "corrected", "first-principles"]
    assert all(len(row) == 4 for row in rows)
    assert len(threshold_rows(picture)) == 7
    free, fixed = free_and_fixed(picture).split("Fixed: ")
    assert "amplitude" in free and "leakage" in fixed
    assert isinstance(picture.curves["published"].mass_error, MassError)
