"""Drawing primitives: each takes data and an ``Axes`` and returns artists.

Nothing here knows about runs or files, see ``figures.py``. Colours are the
Okabe-Ito set, and no distinction rests on colour alone.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

from renp_infer.records import PAIRS

FloatArray = NDArray[np.float64]
Thresholds = Mapping[str, Sequence[float] | None]

BLACK, GREY = "#1a1a1a", "#8a8a8a"
BLUE, SKY, VERMILION, ORANGE, GREEN, PURPLE = (
    "#0072B2", "#56B4E9", "#D55E00", "#E69F00", "#009E73", "#CC79A7",
)  # fmt: skip
BAND_68, BAND_95 = "#8fc1e0", "#d3e7f4"
PRIOR: dict[str, Any] = {"color": GREY, "ls": (0, (4, 2)), "lw": 1.4}
TRUTH: dict[str, Any] = {"color": VERMILION, "ls": (0, (5, 1, 1, 1)), "lw": 1.6}
_PAIR_COLOURS = (BLACK, BLUE, GREEN, VERMILION, PURPLE, ORANGE)
_PAIR_DASHES = ("-", "--", ":", "-", "--", ":")
PAIR_STYLES = dict(zip(PAIRS, zip(_PAIR_COLOURS, _PAIR_DASHES, strict=True), strict=True))
RUN_STYLES = tuple(
    zip(
        (BLUE, VERMILION, GREEN, PURPLE, BLACK, ORANGE),
        ("-", (0, (5, 2)), (0, (1, 1)), (0, (5, 1, 1, 1)), (0, (8, 2, 1, 2)), (0, (3, 1))),
        strict=True,
    )
)
"""Colour and dashes of each of several runs in one panel."""
CHAIN_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION)
STYLE = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.formatter.useoffset": False,
    "axes.formatter.limits": (-5, 6),
    "legend.frameon": False,
    "legend.fontsize": 9,
    "savefig.dpi": 110,
    "svg.hashsalt": "renp-infer",  # the same run gives the same bytes
}
"""Settings every figure is drawn and saved with, beside Matplotlib's own defaults."""


@contextlib.contextmanager
def styled(**more: Any) -> Iterator[None]:
    """Draw in the common style, whatever the user's own settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE | more)
        yield


_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def ten_to(power: int) -> str:
    """10 with an exponent, in characters any label or page can show."""
    return f"10{str(power).translate(_SUPERSCRIPT)}"


def number(value: float, digits: int = 4) -> str:
    """A number in plain notation, or as a x 10^b where that is shorter."""
    if value == 0 or not np.isfinite(value):
        return f"{value:g}".replace("-", "−")
    power = int(np.floor(np.log10(abs(float(f"{value:.{digits - 1}e}")))))
    if -4 <= power < 6:
        text = f"{value:.{max(digits - 1 - power, 0)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return text.replace("-", "−")
    mantissa = f"{value / 10.0**power:.{digits - 1}f}".rstrip("0").rstrip(".")
    return f"{mantissa}×{ten_to(power)}".replace("-", "−")


def tick(value: float) -> str:
    """A label of a logarithmic axis: plain from 0.001 to 9999, else as a x 10^b."""
    power = int(np.floor(np.log10(value) + 1e-9))
    if -4 < power < 4:
        return number(value, 3)
    mantissa = f"{value / 10.0**power:.3g}"
    return ten_to(power) if mantissa == "1" else f"{mantissa}×{ten_to(power)}"


def name_ticks(figure: Figure) -> None:
    """Write logarithmic axes one way, and no more labels than fit."""
    for ax in figure.axes:
        for axis, ends in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            if axis.get_scale() != "log":
                continue
            decades = abs(float(np.log10(ends[1] / ends[0])))
            digits = next((d for most, d in _LABELLED if decades <= most), ())
            axis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))
            axis.set_minor_formatter(FuncFormatter(functools.partial(_minor, digits)))


_LABELLED = ((0.5, tuple(range(1, 10))), (1.5, (2, 5)))
"""First digits of ticks between powers of ten that have labels, up to so many decades."""


def _minor(digits: tuple[int, ...], value: float, _place: int | None = None) -> str:
    first = value / 10.0 ** np.floor(np.log10(value) + 1e-9)
    return tick(value) if round(first) in digits and abs(first - round(first)) < 1e-6 else ""


def rounded(value: float, error: float) -> str:
    """A number to two significant digits of its error."""
    if not (np.isfinite(error) and error > 0):
        return number(value)
    place = int(np.floor(np.log10(error))) - 1
    top = int(np.floor(np.log10(max(abs(value), error))))
    if top < -4 or top >= 6:
        return number(value, max(top - place + 1, 2))
    shown = round(value, max(-place, 0)) + 0.0  # no minus before zero
    return f"{shown:.{max(-place, 0)}f}".replace("-", "−")


def axis_scale(values: ArrayLike, unit: str) -> tuple[float, str]:
    """Factor and unit text that bring values to an axis with short ticks."""
    top = float(np.abs(np.asarray(values, float)).max())
    power = int(np.floor(np.log10(top))) if top > 0 else 0
    if -2 < power < 4:
        return 1.0, unit
    return 10.0**-power, f"{ten_to(power)} {unit}".strip()


def central_bands(draws: ArrayLike) -> dict[str, FloatArray]:
    """Equal-tailed bands of predictive draws.

    Parameters
    ----------
    draws : array_like, shape (n_draws, n)

    Returns
    -------
    dict
        ``mean`` (n,), ``68`` and ``95`` (2, n) in the unit of ``draws``.
    """
    values = np.asarray(draws, float)
    tails = {name: np.quantile(values, q, axis=0) for name, q in _TAILS.items()}
    return {"mean": values.mean(axis=0), **tails}


_TAILS = {"68": (0.16, 0.84), "95": (0.025, 0.975)}


def visible_thresholds(thresholds: Thresholds, theta_deg: ArrayLike) -> list[tuple[str, float]]:
    """Pair thresholds inside the range of angles, sorted by angle (deg)."""
    theta = np.asarray(theta_deg, float)
    low, high = theta.min(), theta.max()
    inside = [
        (pair, float(angle))
        for pair, sides in thresholds.items()
        for angle in sides or ()
        if low <= angle <= high
    ]
    return sorted(inside, key=lambda item: item[1])


def nearest_threshold(thresholds: Thresholds, theta_deg: ArrayLike) -> tuple[str, float] | None:
    """Pair and angle (deg) of the threshold nearest to the range, if there is one."""
    theta = np.asarray(theta_deg, float)
    sides = [(pair, float(a)) for pair, both in thresholds.items() for a in both or ()]
    return min(sides, key=lambda item: np.abs(theta - item[1]).min(), default=None)


def spread(positions: ArrayLike, gap: float) -> FloatArray:
    """Move sorted label positions in [0, 1] apart to at least ``gap``.

    The least-squares smallest shift: isotonic regression of ``x_i - i gap``.
    """
    x = np.asarray(positions, float)
    steps = min(gap, 1.0 / max(x.size, 1)) * np.arange(x.size)
    moved = optimize.isotonic_regression(x - steps).x
    return np.clip(moved, 0.0, 1.0 - steps[-1]) + steps if x.size else x


def draw_thresholds(ax: Axes, visible: Sequence[tuple[str, float]], label: bool) -> list[Artist]:
    """Vertical lines at pair thresholds; labels fan out above the axes."""
    artists: list[Artist] = []
    for pair, angle in visible:
        colour, dash = PAIR_STYLES[pair]
        artists.append(ax.axvline(angle, color=colour, ls=dash, lw=1.1, zorder=1))
    if label and visible:
        artists += _threshold_labels(ax, visible)
    return artists


def _threshold_labels(ax: Axes, visible: Sequence[tuple[str, float]]) -> list[Artist]:
    low, high = ax.get_xlim()
    at = (np.array([angle for _, angle in visible]) - low) / (high - low)
    return [
        ax.annotate(
            f"({pair})",
            xy=(start, 1.0),
            xytext=(stop, 1.09),
            xycoords="axes fraction",
            ha="center",
            va="bottom",
            fontsize=8.5,
            color=PAIR_STYLES[pair][0],
            arrowprops={"arrowstyle": "-", "color": PAIR_STYLES[pair][0], "lw": 0.8},
            annotation_clip=False,
        )
        for (pair, _), start, stop in zip(visible, at, spread(at, 0.062), strict=True)
    ]


def draw_signal(
    ax: Axes, theta_deg: ArrayLike, signal: ArrayLike, sigma: ArrayLike
) -> list[Artist]:
    """Signal with its 1-sigma noise band, in one unit, against angles in deg.

    Where the band would dwarf the signal, the axis keeps the signal's scale
    and the noise is written out instead.
    """
    theta, y, s = (np.asarray(v, float) for v in (theta_deg, signal, sigma))
    (line,) = ax.plot(theta, y, color=BLUE, marker=".", ms=4, lw=1.3, label="smoothed signal")
    peak = float(np.abs(y).max())
    if peak > 0 and s.max() > 30 * peak:
        ratio = np.log10(s.max() / peak)
        text = f"1σ noise per angle: {ratio:.1f} orders of magnitude above the peak, off the scale"
        ax.set_facecolor("#f1f1f1")
        return [line, ax.text(0.5, 0.06, text, transform=ax.transAxes, ha="center", color=BLACK)]
    label = "1σ noise per angle"
    band = ax.fill_between(theta, y - s, y + s, color=BAND_68, lw=0, zorder=0, label=label)
    return [line, band]


def draw_data(
    ax: Axes,
    theta_deg: ArrayLike,
    data: ArrayLike,
    sigma: ArrayLike,
    truth: ArrayLike | None,
    bands: Mapping[str, FloatArray],
) -> list[Any]:
    """Data, truth and predictive bands against angle; arrays (n,), in one unit."""
    theta = np.asarray(theta_deg, float)
    known = [] if truth is None else ax.plot(theta, truth, label="truth", **TRUTH)
    return [
        ax.fill_between(theta, *bands["95"], color=BAND_95, lw=0, label="95 % predictive"),
        ax.fill_between(theta, *bands["68"], color=BAND_68, lw=0, label="68 % predictive"),
        *known,
        ax.errorbar(theta, data, sigma, fmt="o", ms=3, lw=0.9, color=BLACK, label="data, 1σ"),
    ]


def draw_pulls(
    ax: Axes,
    theta_deg: ArrayLike,
    data: ArrayLike,
    sigma: ArrayLike,
    truth: ArrayLike | None,
    bands: Mapping[str, FloatArray],
) -> list[Any]:
    """Everything of ``draw_data`` relative to the predictive mean, in sigma."""

    def pull(y: ArrayLike) -> FloatArray:
        return (np.asarray(y, float) - bands["mean"]) / np.asarray(sigma, float)

    pulls = {"95": pull(bands["95"]), "68": pull(bands["68"])}
    one = np.ones_like(bands["mean"])
    known = None if truth is None else pull(truth)
    artists = draw_data(ax, theta_deg, pull(data), one, known, pulls)
    return [*artists, ax.axhline(0.0, color=GREY, lw=0.8)]


def draw_trace(ax: Axes, draws: ArrayLike, keep: int = 300) -> list[Artist]:
    """Traces of all chains, thinned to ``keep`` points; draws (chain, draw)."""
    values = np.asarray(draws, float)
    step = -(-values.shape[1] // keep)
    index = np.arange(0, values.shape[1], step)
    artists: list[Artist] = []
    for k, chain in enumerate(values):
        keys: dict[str, Any] = {"color": CHAIN_COLOURS[k % len(CHAIN_COLOURS)], "lw": 0.5}
        name = f"chain {k + 1}"  # many points: pixels
        artists += ax.plot(index, chain[::step], rasterized=True, label=name, **keys)
    return artists


def draw_ranks(ax: Axes, draws: ArrayLike, bins: int = 20) -> list[Artist]:
    """Rank histogram of each chain; the band is 2 sigma for independent draws."""
    values = np.asarray(draws, float)
    ranks = stats.rankdata(values, method="ordinal").reshape(values.shape)
    edges = np.linspace(0.5, values.size + 0.5, bins + 1)
    expected = values.shape[1] / bins
    error = np.sqrt(expected * (1 - 1 / bins) * (1 - 1 / max(values.shape[0], 2)))
    low, high = expected - 2 * error, expected + 2 * error
    artists: list[Artist] = [ax.axhspan(low, high, color="#e4e4e4", lw=0)]
    artists.append(ax.axhline(expected, color=GREY, lw=0.8))
    for k, chain in enumerate(ranks):
        keys: dict[str, Any] = {"color": CHAIN_COLOURS[k % len(CHAIN_COLOURS)], "lw": 1.1}
        counts, name = np.histogram(chain, edges)[0], f"chain {k + 1}"
        artists.append(ax.stairs(counts, edges, baseline=None, label=name, **keys))
    ax.set_ylim(0, None)
    return artists
