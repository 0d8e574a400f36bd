"""Rows about the angular distributions, Figs. 6 to 10: finding 1 among them."""

from __future__ import annotations

from dataclasses import replace
from math import log2

import numpy as np

from renp_infer.measurement.squid import standard_error_nG
from renp_infer.physics.constants import MILLI_EV_TO_EV
from renp_infer.physics.neutrinos import masses, weights
from renp_infer.physics.pairs.opening_angle import OpeningAngles, opening_angles
from renp_infer.physics.pairs.sums import weighted_sums
from renp_infer.physics.signal.magnetization import direction_factor, signal_factor
from renp_infer.records import PAIR_INDEX, Experiment, FloatArray
from renp_infer.reproduction.conventions import compared
from renp_infer.reproduction.paper import READINGS, Paper, Reading
from renp_infer.reproduction.product_grid import product_integrals
from renp_infer.reproduction.verdict import Recomputed

_FLAT = "test_evaluation.py::test_converged_distribution_is_smooth_and_flat"
_GRID = "test_ledger.py::test_the_product_rule_makes_peak_and_wiggles"
_RATIO = "test_evaluation.py::test_dirac_to_majorana_ratio_at_the_phase_matched_angle"
_SHAPES = "test_ledger.py::test_shapes_of_pairs_and_masses"
_OPENING = "test_opening_angle.py::test_phase_matched_planar_pairs_follow_a_cauchy_law"
_VOLUME = "test_form_factor.py::test_planar_over_full_at_phase_matching"


def grid_sum(paper: Paper, experiment: Experiment, m1_eV: float = 0.01) -> FloatArray:
    """Sum G of Dirac neutrinos by the unresolved product rule, shape (n,), eV^5."""
    parameters = paper.parameters(m1_eV)
    m = masses(parameters)
    pairs = product_integrals(experiment, m, int(paper.given("grid_points")))
    return weighted_sums(pairs, weights(parameters, experiment.switches), m, 0.0)[1]


def central_peak(values: FloatArray) -> float:
    """Value in the middle over the mean of both ends."""
    return float(2.0 * values[values.size // 2] / (values[0] + values[-1]))


def turning_points(values: FloatArray) -> int:
    """Number of inner maxima and minima."""
    return int(np.count_nonzero(np.diff(np.sign(np.diff(values)))))


def shape(values: FloatArray) -> FloatArray:
    """Values over their mean: what is left when the amplitude is unknown."""
    return values / np.mean(values)


def volume_rows(paper: Paper) -> list[Recomputed]:
    """How the large-crystal rate scales with the volume, Eq. (13): finding 1."""

    def power(reading: Reading) -> float:
        setup = paper.experiment(reading, angles=np.array([paper.directions[0]]))
        wide = replace(setup, layout=replace(setup.layout, radius_cm=2.0 * setup.layout.radius_cm))
        narrow, broad = (float(paper.sums(s)[1][0]) for s in (setup, wide))
        return log2(broad / narrow) / 2.0

    powers = paper.both(power)
    why = "with R; Eq. (17) has one transverse direction, so 1/(L R) replaces (2 pi)^3 / V"
    return [compared("eq13-volume", powers, why, _VOLUME, "not reproducible")]


def figure_6(paper: Paper) -> list[Recomputed]:
    """Central peak and wiggles."""
    setups = [paper.experiment(r) for r in READINGS]
    sums = [paper.sums(setup)[1] for setup in setups]
    grid = grid_sum(paper, setups[0])
    peaks, turns = [central_peak(s) for s in sums], [float(turning_points(s)) for s in sums]
    sizes = (paper.given("largest_crystal_cm"), paper.given("small_crystal_cm"))

    def growth(reading: Reading) -> float:
        large, small = (
            central_peak(paper.sums(paper.experiment(reading, length_cm=size))[1]) for size in sizes
        )
        return large / small

    large, small = (
        central_peak(grid_sum(paper, paper.experiment("published", length_cm=size)))
        for size in sizes
    )
    return [
        compared(
            "fig6-peak", peaks, f"converged; a 101^3 trapezoid gives {central_peak(grid):.2g}",
            _GRID, "not reproducible",
        ),
        compared(
            "fig6-wiggles", turns,
            f"one smooth maximum; a 101^3 trapezoid has {turning_points(grid)} turning points",
            _GRID, "not reproducible",
        ),
        compared(
            "fig6-growth", paper.both(growth),
            f"the shape does not depend on the size; the trapezoid's peak grows {large / small:.3g}"
            " times", _GRID, "not reproducible",
        ),
    ]  # fmt: skip


def opening(paper: Paper, reading: Reading) -> OpeningAngles:
    """Opening angles of two 10 meV neutrinos at phase matching."""
    mass = paper.parameters().m1_eV
    return opening_angles(paper.experiment(reading), (mass, mass), paper.directions[0])


def figure_7(paper: Paper) -> list[Recomputed]:
    """Opening angles."""
    found = [opening(paper, reading) for reading in READINGS]
    modes = []
    for one in found:
        edges = np.linspace(-10.0, 10.0, 41) * one.width()
        best = int(np.argmax(one.density(edges)))
        modes.append(180.0 - abs(float(np.rad2deg(0.5 * (edges[best] + edges[best + 1])))))
    why = "1 / (L eps); a grid of 101 nodes has steps of 0.06 rad and cannot show it"
    widths = [one.width() for one in found]
    return [
        compared("fig7-back-to-back", modes, "mode of the sampled distribution", _OPENING),
        compared("fig7-width", widths, why, _OPENING, "not reproducible"),
    ]


def figure_8(paper: Paper) -> list[Recomputed]:
    """Decomposition by pair."""
    parts = {reading: pair_parts(paper, reading) for reading in READINGS}

    def rank(reading: Reading, pair: int) -> float:
        middle = np.abs(parts[reading][:, parts[reading].shape[1] // 2])
        return float(1 + np.count_nonzero(middle > middle[pair] * (1.0 + 1e-9)))

    def spread(reading: Reading) -> float:
        bare = paper.pairs(paper.experiment(reading)).a_eV5
        return float(np.max(np.abs(shape(bare[1]) - shape(bare[5]))))

    ranks = [[rank(reading, pair) for reading in parts] for pair in (5, 1)]
    why = "by Table IV; with Eq. (3) the weight b c of (33) is zero"
    structure = "all pairs have the same shape here, to the relative order m^2 / eps^2"
    return [
        compared("fig8-largest", ranks[0], why, _SHAPES),
        compared("fig8-second", ranks[1], "rank", _SHAPES),
        compared("fig8-structure", paper.both(spread), structure, _SHAPES, "not reproducible"),
    ]


def pair_parts(paper: Paper, reading: Reading) -> FloatArray:
    """Contribution of each pair to Sum G of Dirac neutrinos, shape (6, n), eV^5."""
    setup = paper.experiment(reading)
    rows = weights(paper.parameters(), setup.switches)
    return rows.pv[:, None] * paper.pairs(setup).a_eV5


def magnetization_shape(paper: Paper, setup: Experiment, m1_eV: float) -> FloatArray:
    """cos(theta_s) Sum G of Fig. 9, shape (n,), eV^5."""
    return direction_factor(setup.layout) * paper.sums(setup, m1_eV)[1]


def figure_9(paper: Paper) -> list[Recomputed]:
    """Masses, and angular resolution."""
    light, _, heavy = (m * MILLI_EV_TO_EV for m in paper.inputs["light_meV"])

    def change(reading: Reading) -> float:
        setup = paper.experiment(reading)
        pair = [shape(magnetization_shape(paper, setup, m)) for m in (light, heavy)]
        return float(np.max(np.abs(pair[1] - pair[0])))

    def difference(reading: Reading) -> float:
        coarse = paper.given("coarse_step_deg")
        fine = paper.experiment(reading, angles=paper.angles(step_deg=coarse / paper.given("zoom")))
        rough = paper.experiment(reading, angles=paper.angles(step_deg=coarse))
        values = magnetization_shape(paper, rough, light)
        common = np.isin(np.round(rough.layout.theta_s, 9), np.round(fine.layout.theta_s, 9))
        others = np.isin(np.round(fine.layout.theta_s, 9), np.round(rough.layout.theta_s, 9))
        again = magnetization_shape(paper, fine, light)[others]
        return float(np.max(np.abs(again / values[common] - 1.0)))

    sums = [paper.sums(paper.experiment("published"), m)[1].mean() for m in (light, heavy)]
    shapes = (
        "largest change of the shape over its mean; the unknown amplitude changes by "
        f"{float(1.0 - sums[1] / sums[0]):.1g}, 4 m^2 / eps^2"
    )
    steps = "at common angles; the value at an angle does not depend on the other angles"
    return [
        compared("fig9-masses", paper.both(change), shapes, _SHAPES, "not reproducible"),
        compared("fig9-resolution", paper.both(difference), steps, _FLAT, "not reproducible"),
    ]


def figure_10(paper: Paper) -> list[Recomputed]:
    """Dirac over Majorana."""
    heavy = [m * MILLI_EV_TO_EV for m in paper.inputs["heavy_meV"]]
    points = round(paper.given("fine_span_deg") / paper.given("fine_step_deg")) + 1
    angles = paper.angles(points, paper.given("fine_step_deg"))

    def ratio(reading: Reading, m1_eV: float, kappa: float | None = None) -> float:
        setup = paper.experiment(reading, angles=angles)
        if kappa is not None:
            setup = replace(setup, switches=replace(setup.switches, majorana_kappa=kappa))
        dirac, majorana = (
            float(np.sum(paper.sums(setup, m1_eV, nature)[1])) for nature in ("dirac", "majorana")
        )
        return dirac / majorana

    rows = []
    for name, mass in zip(("fig10-500", "fig10-600"), heavy, strict=True):
        why = (
            f"kappa = 1/8 of Eq. (63); 1/4 of Eq. (55) gives {ratio('published', mass, 0.25):.3f}, "
            f"1/4 on equal and 1/8 on unequal pairs {_mixed_ratio(paper, angles, mass):.3f}"
        )
        values = ratio("published", mass), ratio("corrected", mass)
        rows.append(compared(name, values, why, _RATIO, "undecoded"))
    order = paper.both(lambda reading: ratio(reading, heavy[0]))
    return [*rows, compared("fig10-order", order, "the exchange term is negative", _RATIO)]


def _mixed_ratio(paper: Paper, angles: FloatArray, m1_eV: float) -> float:
    """Dirac over Majorana with 1/4 on equal pairs and 1/8 on unequal ones."""
    setup = paper.experiment("published", angles=angles)
    rows, pairs = weights(paper.parameters(m1_eV), setup.switches), paper.pairs(setup, m1_eV)
    equal = np.array([i == j for i, j in PAIR_INDEX])
    halved = replace(rows, pv_majorana=np.where(equal, 1.0, 0.5) * rows.pv_majorana)
    m = masses(paper.parameters(m1_eV))
    dirac, majorana = (weighted_sums(pairs, halved, m, kappa)[1].sum() for kappa in (0.0, 0.25))
    return float(dirac / majorana)


def smallest_mass_meV(paper: Paper, reading: Reading) -> float:
    """Mass whose effect on the shape of Fig. 9(b) equals its error, meV.

    The shape changes by m^2 k(theta); with a free amplitude the error of m^2
    follows from least squares, for an hour with the default SQUID.
    """
    setup = paper.experiment(reading)
    light, _, heavy = (m * MILLI_EV_TO_EV for m in paper.inputs["light_meV"])
    base, other = (magnetization_shape(paper, setup, m) for m in (light, heavy))
    field = signal_factor(setup, paper.given("chi_squared"))
    sigma = standard_error_nG(setup.detector, setup.lasers, base.size)
    slope = (other - base) / (heavy**2 - light**2)
    free = slope - base * (slope @ base) / (base @ base)
    error = sigma / (field * float(np.sqrt(free @ free)))
    return float(np.sqrt(error)) / MILLI_EV_TO_EV


def sensitivity_rows(paper: Paper) -> list[Recomputed]:
    """Smallest mass, Sec. VI."""
    published, corrected = paper.both(lambda reading: smallest_mass_meV(paper, reading))
    hours = (published / paper.number("sec6-mass")) ** 4
    why = f"m^2 from the shape in 1 h at 2 fT/sqrt(Hz), amplitude free; 20 meV take {hours:.2g} h"
    largest = 0.5 * paper.target.epsilon_ep / MILLI_EV_TO_EV
    found = published, corrected if corrected < largest else None
    test = "test_ledger.py::test_smallest_mass_scales_with_the_noise"
    return [compared("sec6-mass", found, why, test, "not reproducible")]
