"""Figures as files, and their numbers read back from what was drawn."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from renp_infer.app import commands
from renp_infer.engine.page import LAST, Part, Text
from renp_infer.engine.store import Store, read_manifest
from renp_infer.errors import ConfigError
from renp_infer.figures.data import csv_of
from renp_infer.figures.plate import plate
from renp_infer.files import digest
from renp_infer.report.files import FORMATS, parse_formats, write_figures
from renp_infer.report.page import Contents, section
from renp_infer.verbs.evaluate.figures import angular_distribution
from tests.toys.runs import make_run

X = np.array([1.0, 2.0, 4.0])


def drawn(draw: Any) -> pd.DataFrame:
    """Table of a figure with one panel."""
    figure = Figure()
    ax = figure.subplots()
    draw(ax)
    return pd.read_csv(io.StringIO(csv_of(figure, "a head")), comment="#")


def columns(frame: pd.DataFrame, *names: str) -> list[list[float]]:
    return [frame[name].tolist() for name in names]


def test_lines_and_points() -> None:
    frame = drawn(lambda ax: (ax.plot(X, X**2, label="square"), ax.plot(X, -X)))
    assert columns(frame[frame["series"] == "square"], "x", "y") == [[1, 2, 4], [1, 4, 16]]
    assert columns(frame[frame["series"] == "line 1"], "x", "y") == [[1, 2, 4], [-1, -2, -4]]
    points = drawn(lambda ax: ax.scatter(X, X + 1.0))
    assert columns(points, "x", "y") == [[1, 2, 4], [2, 3, 5]]
    assert set(points["kind"]) == {"point"}


def test_error_bars_of_both_axes_keep_their_sides() -> None:
    low, high = np.array([0.1, 0.2, 0.3]), np.array([0.5, 0.6, 0.7])
    frame = drawn(lambda ax: ax.errorbar(X, -X, yerr=[low, high], xerr=0.25, fmt="o"))
    assert len(frame) == 3  # the bars are not listed again as lines
    np.testing.assert_allclose(frame["y_low"], -X - low, rtol=1e-6)
    np.testing.assert_allclose(frame["y_high"], -X + high, rtol=1e-6)
    np.testing.assert_allclose(frame["x_low"], X - 0.25, rtol=1e-6)


@pytest.mark.parametrize(("method", "along", "across"), [("", "x", "y"), ("x", "y", "x")])
def test_bands_along_either_axis(method: str, along: str, across: str) -> None:
    frame = drawn(lambda ax: getattr(ax, f"fill_between{method}")(X, X - 1.0, X + 2.0))
    found = columns(frame, along, f"{across}_low", f"{across}_high")
    assert found == [[1, 2, 4], [0, 1, 3], [3, 4, 6]]


def test_bars_steps_segments_and_cells() -> None:
    bars = drawn(lambda ax: ax.barh([0, 1], [2.0, -3.0], height=0.5))
    assert columns(bars, "x_high", "y_low") == [[2, -3], [-0.25, 0.75]]
    steps = drawn(lambda ax: ax.stairs([5, 6], [0, 1, 3]))
    assert columns(steps, "x_low", "x_high", "y") == [[0, 1], [1, 3], [5, 6]]
    lines = drawn(lambda ax: ax.hlines([0, 1], [1, 2], [3, 4]))
    assert columns(lines, "x_low", "x_high", "y_low") == [[1, 2], [3, 4], [0, 1]]
    cells = drawn(lambda ax: ax.pcolormesh([0, 1, 3], [0, 2], [[7.0, 8.0]]))
    assert columns(cells, "x_low", "x_high", "y_high", "value") == [[0, 1], [1, 3], [2, 2], [7, 8]]


def test_contours_are_listed_once_with_their_level() -> None:
    square = np.add.outer(np.linspace(-1, 1, 41) ** 2, np.linspace(-1, 1, 41) ** 2)
    places = np.linspace(-1, 1, 41)
    frame = drawn(
        lambda ax: (
            ax.contourf(places, places, square, levels=[0.0, 0.25]),
            ax.contour(places, places, square, levels=[0.25]),
        )
    )
    assert set(frame["value"]) == {0.25}
    np.testing.assert_allclose(np.hypot(frame["x"], frame["y"]), 0.5, atol=0.005)


def test_lines_across_the_panel_are_one_position() -> None:
    frame = drawn(lambda ax: (ax.axvline(3.0, label="truth"), ax.axhspan(1.0, 2.0)))
    assert columns(frame[frame["series"] == "truth"], "x") == [[3.0]]
    assert frame["y"].isna().all()
    span = frame[frame["kind"] == "span"]
    assert columns(span, "y_low", "y_high") == [[1], [2]] and span["x_low"].isna().all()


def test_axes_are_named_by_their_column_and_row() -> None:
    figure = Figure()
    grid = figure.subplots(2, 2)
    grid[1, 0].set_xlabel("mass [meV]")
    grid[0, 0].set_ylabel("field\n[nG]")
    grid[0, 1].set_yticks([])
    figure.supylabel("all rows")
    head = csv_of(figure).splitlines()[:4]
    assert head[0] == "# panel 1; x = mass [meV]; y = field [nG]"
    assert head[1] == "# panel 2; x = ; y = arbitrary"
    assert head[2] == "# panel 3; x = mass [meV]; y = all rows"


@pytest.mark.parametrize("text", ["png", "pdf,png", "pdf,,svg"])
def test_other_formats_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="pdf,svg,csv"):
        parse_formats(text)


def test_formats_are_read_once_each() -> None:
    assert parse_formats("") == ()
    assert parse_formats("csv, pdf,csv") == ("csv", "pdf")


def test_a_run_directory_gets_its_figures_and_their_hashes(tmp_path: Path) -> None:
    top = tmp_path / "run"
    with Store(top):
        pass
    run = make_run(top, infer=False)
    commands._report([run], top, FORMATS)
    files = read_manifest(top)["files"]
    names = {f"figures/angles.{kind}" for kind in FORMATS}
    assert set(files) == names | {"report.html"}
    assert all(files[name] == digest(top / name) for name in files)
    heads = {kind: (top / f"figures/angles.{kind}").read_bytes()[:5] for kind in FORMATS}
    assert heads == {"pdf": b"%PDF-", "svg": b"<?xml", "csv": b"# Ang"}
    commands._report([run], top, FORMATS)
    assert read_manifest(top)["files"] == files  # the same run, the same bytes


def test_figures_of_several_runs_do_not_meet(tmp_path: Path) -> None:
    shown = plate("angles", "Angles", angular_distribution, make_run(infer=False))
    runs = [make_run(tmp_path, infer=False) for _ in (1, 2)]
    sections = [section(run, k, tmp_path) for k, run in enumerate(runs, start=1)]
    other = Part(LAST, "more", "More", (replace(shown, key="other"), Text("no figure")))
    sections[0] = replace(sections[0], parts=(*sections[0].parts, other))
    found = Contents("A question", "2 runs", tuple(sections), (shown,), ())
    names = write_figures(found, tmp_path, ["csv"])
    assert set(names) == {
        "figures/angles.csv",
        "figures/run-1/angles.csv",
        "figures/run-1/other.csv",
        "figures/run-2/angles.csv",
    }
    heads = [(tmp_path / name).read_text("utf-8").splitlines()[0] for name in names]
    assert heads == ["# Angles", "# Angular distribution", "# Angles", "# Angular distribution"]
    assert [Path(name).stem for name in names] == ["angles", "angles", "other", "angles"]
