"""Figures 6 to 12 of the paper drawn again: converged, and as an unresolved grid.

Each function takes the paper's apparatus and returns a figure and a caption
that stands alone. "Grid" is the product trapezoid of ``product_grid``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from renp_infer.figures import drawing as plots
from renp_infer.figures.drawing import number
from renp_infer.figures.plate import ANGLE, Plate, new_figure, plate
from renp_infer.measurement.smoothing import smoothed_pairs
from renp_infer.physics.constants import MILLI_EV_TO_EV
from renp_infer.physics.neutrinos import masses, weights
from renp_infer.physics.pairs.sums import weighted_sums
from renp_infer.physics.signal.magnetization import direction_factor
from renp_infer.records import PAIRS, Experiment, FloatArray
from renp_infer.reproduction.coherence import cycle
from renp_infer.reproduction.distributions import grid_sum, opening, pair_parts
from renp_infer.reproduction.paper import READINGS, Paper
from renp_infer.reproduction.product_grid import product_integrals, product_opening

Drawn = tuple[Figure, str]
LINES: tuple[dict[str, Any], ...] = (
    {"color": plots.BLUE, "ls": "-"},
    {"color": plots.VERMILION, "ls": "--"},
    {"color": plots.BLACK, "ls": ":"},
)
GRID = "unresolved grid"
_SPAN, _OFFSETS = 0.3, 121
"""Half width (rad) and points of the wide view of Fig. 7."""


def _line(ax: Axes, x: ArrayLike, y: ArrayLike, k: int, label: str) -> None:
    ax.plot(x, y, lw=1.4, label=label, **LINES[k])


def _degrees(experiment: Experiment) -> FloatArray:
    return np.asarray(np.rad2deg(experiment.layout.theta_s))


def _nodes(paper: Paper) -> int:
    return int(paper.given("grid_points"))


def _grid_note(paper: Paper) -> str:
    nodes = _nodes(paper)
    return (
        f"Right ({GRID}): the same integral by a product trapezoid with {nodes}×{nodes}×{nodes} "
        "points in E₁, θ₁, θ₂, logarithmic: it counts grid points near the surface K = 0, which is "
        "where a central peak and wiggles come from. "
    )


def figure_6(paper: Paper) -> Drawn:
    """Two crystal sizes, unsmoothed and smoothed."""
    figure, axes = new_figure(6.2, 2, 2, sharex=True)
    sizes = (paper.given("small_crystal_cm"), paper.experiment("published").layout.length_cm)
    for k, size in enumerate(sizes):
        setup = paper.experiment("published", length_cm=size)
        exact, grid = paper.sums(setup)[1], grid_sum(paper, setup)
        smooth = _smoothed(paper, setup)
        volume = setup.layout.volume_cm3 ** (2 / 3)
        label = f"L = 2R = {number(size)} cm"
        for ax, values in zip(axes[:, 0], (exact, smooth), strict=True):
            _line(ax, _degrees(setup), 1e9 * values * volume, k, label)
        for ax, values in zip(axes[:, 1], (grid, _box(grid)), strict=True):
            ax.semilogy(_degrees(setup), values * volume, lw=1.2, label=label, **LINES[k])
    _titles(axes[0], "converged", GRID)
    for row, name in zip(axes, ("unsmoothed", "smoothed over 1.44°"), strict=True):
        row[0].set(ylabel=f"{name}\nΣG V$^{{2/3}}$ [10⁻⁹ eV⁵ cm²]", ylim=(0, None))
        row[1].set_ylabel("ΣG V$^{2/3}$ [eV⁵ cm²]")
    _angle_labels(axes[1])
    axes[0, 0].legend()
    return figure, (
        "Fig. 6: Σ G against the trigger angle for two crystals, Dirac, normal ordering, m₁ = 10 "
        "meV, planar and Lorentzian as published; the power 2/3 of the volume brings both sizes to "
        "one scale. Left (converged): one smooth maximum and no dependence on the size. "
        f"{_grid_note(paper)}Bottom: averaged over four angles, 1.44°."
    )


def _smoothed(paper: Paper, setup: Experiment) -> FloatArray:
    """Sum G averaged over 1.44 degrees, without the direction factor, shape (n,)."""
    width = np.deg2rad(paper.number("fig6-smoothing"))
    detector = replace(setup.detector, resolution=float(width))
    m = masses(paper.parameters())
    a, _ = smoothed_pairs(replace(setup, detector=detector), m)
    rows = weights(paper.parameters(), setup.switches)
    return np.asarray(rows.pv @ a / direction_factor(setup.layout))


def _box(values: FloatArray, points: int = 4) -> FloatArray:
    """Mean of four adjacent points, at the ends of as many as there are."""
    kernel = np.ones(points)
    filled = np.convolve(values, kernel, "same")
    return np.asarray(filled / np.convolve(np.ones_like(values), kernel, "same"))


def _titles(axes: Any, left: str, right: str) -> None:
    axes[0].set_title(left)
    axes[1].set_title(right)


def _angle_labels(axes: Any) -> None:
    for ax in axes:
        ax.set_xlabel(ANGLE)


def figure_7(paper: Paper) -> Drawn:
    """Opening angles."""
    figure, (left, right) = new_figure(3.6, 1, 2)
    found = {reading: opening(paper, reading) for reading in READINGS}
    half = found["published"].width()
    edges = np.linspace(-8 * half, 8 * half, 161)
    for k, (reading, one) in enumerate(found.items()):
        if reading == "corrected":  # unsigned in three dimensions: show both sides
            one = replace(
                one,
                offset=np.concatenate([one.offset, -one.offset]),
                share_eV5=np.tile(0.5 * one.share_eV5, 2),
            )
        density = one.density(edges) / one.total_eV5
        _line(left, 1e6 * 0.5 * (edges[1:] + edges[:-1]), 1e-6 * density, k, reading)
    offsets = np.linspace(-_SPAN, _SPAN, _OFFSETS)
    setup = paper.experiment("published", angles=np.array([paper.directions[0]]))
    values = product_opening(setup, paper.parameters().m1_eV, offsets, _nodes(paper))
    right.semilogy(offsets, values, ".-", ms=3, lw=1, color=plots.BLUE)
    left.set(xlabel="opening angle − π [μrad]", ylabel="share of the pairs [1/μrad]")
    right.set(xlabel="opening angle − π [rad]", ylabel="contribution to F [eV⁵/rad]")
    _titles((left, right), "converged", GRID)
    left.legend()
    return figure, (
        "Fig. 7: opening angle of two 10 meV neutrinos at phase matching, L = 2R = 2 cm. Left "
        f"(converged): half of the pairs lie within {number(1e6 * half, 2)} μrad of back to back "
        "as published (planar, Lorentzian; angle with its sign) and within "
        f"{number(1e6 * found['corrected'].width(), 2)} μrad as corrected (full, plane waves; "
        "drawn on both sides, zero in the middle for want of solid angle). Right (unresolved "
        f"grid): a trapezoid with {_nodes(paper)} points in E₁ and θ₁, on a scale ten thousand "
        "times wider and logarithmic: one point at zero and a tail of chance hits."
    )


def figure_8(paper: Paper) -> Drawn:
    """Decomposition by pair."""
    figure, (left, right) = new_figure(3.8, 1, 2)
    setup = paper.experiment("published")
    parts = pair_parts(paper, "published")
    pairs = product_integrals(setup, masses(paper.parameters()), _nodes(paper))
    grid = weights(paper.parameters(), setup.switches).pv[:, None] * pairs.a_eV5
    picks = {"all": list(range(len(PAIRS))), "(12)": [1], "(33)": [5]}
    for k, (label, pick) in enumerate(picks.items()):
        _line(left, _degrees(setup), 1e9 * parts[pick].sum(axis=0), k, label)
        right.semilogy(_degrees(setup), grid[pick].sum(axis=0), lw=1.2, label=label, **LINES[k])
    left.set(ylabel="G [10⁻⁹ eV⁵]", ylim=(0, None))
    right.set(ylabel="G [eV⁵]")
    _angle_labels((left, right))
    _titles((left, right), "converged", GRID)
    left.legend()
    corrected = pair_parts(paper, "corrected")[:, setup.layout.theta_s.size // 2]
    shares = ", ".join(
        f"({p}) {number(100 * x, 3)} %"
        for p, x in zip(PAIRS, corrected / corrected.sum(), strict=True)
    )
    return figure, (
        "Fig. 8: Σ G and its parts from the pairs (12) and (33), Dirac, normal ordering, m₁ = 10 "
        "meV, L = 2R = 2 cm, with the weights of Table IV as printed. Left (converged): all pairs "
        f"have the same shape. {_grid_note(paper)}With Eq. (3) and the corrected switches the "
        f"shares at the centre are {shares}."
    )


def figure_9(paper: Paper) -> Drawn:
    """Three masses, two angular resolutions."""
    figure, axes = new_figure(6.2, 2, 2)
    coarse = paper.given("coarse_step_deg")
    for row, step in zip(axes, (coarse, coarse / paper.given("zoom")), strict=True):
        setup = paper.experiment("published", angles=paper.angles(step_deg=step))
        turn = direction_factor(setup.layout)
        for k, mass in enumerate(paper.inputs["light_meV"]):
            exact = turn * paper.sums(setup, MILLI_EV_TO_EV * mass)[1]
            grid = turn * grid_sum(paper, setup, MILLI_EV_TO_EV * mass)
            _line(row[0], _degrees(setup), 1e9 * exact, k, f"m₁ = {number(mass)} meV")
            row[1].semilogy(_degrees(setup), np.abs(grid), lw=1.1, **LINES[k])
        row[0].set_ylabel(f"step {number(step)}°\ncos θₛ ΣG [10⁻⁹ eV⁵]")
        row[1].set_ylabel("|cos θₛ ΣG| [eV⁵]")
    _titles(axes[0], "converged", GRID)
    _angle_labels(axes[1])
    axes[0, 0].legend()
    return figure, (
        "Fig. 9: cos θₛ Σ G for three smallest masses, Dirac, normal ordering, L = 2R = 2 cm, as "
        "published. Top: 3° steps over 180°; bottom: 0.6° steps, the same function. Left "
        "(converged): the masses differ by their amplitude, 4m²/ε² at most, and not by their "
        f"shape until the pair thresholds at the rim of the top panel. {_grid_note(paper)}"
    )


def figure_10(paper: Paper) -> Drawn:
    """Dirac and Majorana."""
    figure, (left, right) = new_figure(3.8, 1, 2)
    mass = MILLI_EV_TO_EV * paper.inputs["heavy_meV"][-1]
    step = paper.given("fine_step_deg")
    angles = paper.angles(round(paper.given("fine_span_deg") / step) + 1, step)
    setup = paper.experiment("published", angles=angles)
    kappas = {"Dirac": 0.0, "Majorana, κ = 1/8": setup.switches.majorana_kappa}
    kappas["Majorana, κ = 1"] = paper.switches("corrected").majorana_kappa
    p = paper.parameters(mass)
    exact, rows = paper.pairs(setup, mass), weights(p, setup.switches)
    grid = product_integrals(setup, masses(p), _nodes(paper))
    for k, (label, kappa) in enumerate(kappas.items()):
        converged, rough = (weighted_sums(x, rows, masses(p), kappa)[1] for x in (exact, grid))
        _line(left, _degrees(setup), 1e9 * converged, k, label)
        right.semilogy(_degrees(setup), np.abs(rough), lw=1.2, **LINES[k])
    left.set(ylabel="ΣG [10⁻⁹ eV⁵]", ylim=(0, None))
    right.set(ylabel="|ΣG| [eV⁵]")
    _angle_labels((left, right))
    _titles((left, right), "converged", GRID)
    left.legend()
    return figure, (
        "Fig. 10: Σ G for Dirac and Majorana neutrinos, normal ordering, m₁ = 600 meV (excluded by "
        "now), L = 2R = 2 cm, planar and Lorentzian, steps of 0.036°. Left (converged): with κ = "
        "1/8 of Eq. (63), and with κ = 1, which the explicit spinors give. "
        f"{_grid_note(paper)}"
    )


def figure_11(paper: Paper) -> Drawn:
    """Generation and its integral over a cycle."""
    figure, (left, right) = new_figure(3.6, 1, 2)
    for ax, reading in zip((left, right), READINGS, strict=True):
        found = cycle(reading)
        ax.plot(found.lifetimes, found.generation, color=plots.BLACK, lw=0.5, label="generation")
        ax.plot(found.lifetimes, 10 * found.accumulated, label="10 × accumulated", **LINES[1])
        ax.set(xlabel="time [lifetimes of e]", xlim=(0, 2), ylabel=r"$\rho_{ee}^3\,|\rho_{ep}|^2$")
        ax.axvline(found.lifetimes[0], color=plots.GREEN, ls=":", label="trigger on")
    _titles((left, right), *READINGS)
    left.legend()
    peaks = [cycle(reading).peak for reading in READINGS]
    return figure, (
        "Fig. 11: generation of magnetization, ρₑₑ³|ρₑₚ|², and ten times its integral over time "
        "in lifetimes of e (1.7 ms), lasers as in Fig. 12. Left: printed equations and Rabi "
        f"frequencies, peak {number(peaks[0], 2)}; right: Lindblad equations, Rabi frequencies "
        f"from Table I, peak {number(peaks[1], 2)}. No quadrature is involved."
    )


def figure_12(paper: Paper) -> Drawn:
    """Population and coherences."""
    figure, (left, right) = new_figure(3.6, 1, 2, sharey=True)
    for ax, reading in zip((left, right), READINGS, strict=True):
        found = cycle(reading)
        _line(ax, found.lifetimes, found.rho_ee, 2, r"$\rho_{ee}$")
        _line(ax, found.lifetimes, found.rho_eg.real, 1, r"Re $\rho_{eg}$")
        _line(ax, found.lifetimes, found.rho_ep.imag, 0, r"Im $\rho_{ep}$")
        ax.set(xlabel="time [lifetimes of e]", xlim=(found.lifetimes[0], 1.0))
    left.set_ylabel("population or coherence")
    _titles((left, right), *READINGS)
    right.legend(loc="upper right")
    smallest = [cycle(reading).smallest for reading in READINGS]
    return figure, (
        "Fig. 12: population and coherences from the switch-on of the trigger at 0.2 lifetimes, "
        "intensities 9, 3 and 0.001 mW/cm² (e-q, q-g, trigger). Left: as printed, where the state "
        f"gets an eigenvalue of {number(smallest[0], 2)}; right: Lindblad, smallest eigenvalue "
        f"{number(smallest[1], 2)}, with Rabi frequencies from Table I. No quadrature is involved."
    )


FIGURES: dict[str, tuple[str, Callable[[Paper], Drawn]]] = {
    "fig6": ("Crystal size and smoothing", figure_6),
    "fig7": ("Opening angle", figure_7),
    "fig8": ("Decomposition by pair", figure_8),
    "fig9": ("Mass of the lightest neutrino", figure_9),
    "fig10": ("Dirac and Majorana neutrinos", figure_10),
    "fig11": ("Generation of magnetization", figure_11),
    "fig12": ("Population and coherence", figure_12),
}
"""Title and drawing of each figure, by the name it has on the command line."""


def draw(name: str, paper: Paper) -> Plate:
    """One figure of the paper."""
    title, function = FIGURES[name]
    return plate(name, title, function, paper)
