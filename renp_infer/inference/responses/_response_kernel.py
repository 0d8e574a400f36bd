"""Numba kernel: parameters to the smoothed field and its exact Jacobian."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Compiled for what they are called with.

from __future__ import annotations

import numpy as np

from renp_infer.inference.parameters import PARAMETERS
from renp_infer.kernels import njit
from renp_infer.measurement._beam_kernels import one_index, own_indices
from renp_infer.measurement._edge_kernels import GEOMETRY
from renp_infer.measurement._panel_kernels import panel_integrals

SLOTS = PARAMETERS.slots
SIZE = len(SLOTS)
M1, INDEX = SLOTS.index("m1_eV"), SLOTS.index("refractive_index")
EXTRAORDINARY = SLOTS.index("extraordinary_offset")
THETA_S, THETA_E = SLOTS.index("theta_s_offset"), SLOTS.index("theta_e_offset")
S12, S13 = SLOTS.index("sin2_12"), SLOTS.index("sin2_13")
D21, D3L = SLOTS.index("dm2_21"), SLOTS.index("dm2_3l")
DELTA, ALPHA21, ALPHA31 = (SLOTS.index(name) for name in ("delta", "alpha21", "alpha31"))
"""Places of the parameters; ``panel_integrals`` has the apparatus in this order, and the
phases follow each other."""
MASS_SCALE = 1e-4
"""eV; the mass coordinate of the correction table is asinh(m1 / this)."""
FIRST = np.array([0, 0, 1, 0, 1, 2])
SECOND = np.array([0, 1, 1, 2, 2, 2])
SMALLEST = 1e-7
"""eV; stands for a massless state, so that derivatives in m stay finite: below 2e-8 they
may not. It moves the field by 1e-7 of its peak."""


@njit(cache=True, error_model="numpy")
def mass_squares(x, inverted):
    """Squared masses of the three states and their slopes in x, (3,), (3, 12)."""
    m1 = max(x[M1], SMALLEST)
    squares, slopes = np.full(3, m1 * m1), np.zeros((3, SIZE))
    slopes[:, M1] = 2.0 * m1
    if inverted:
        squares[1] -= x[D3L]
        slopes[1, D3L] = -1.0
        squares[0] -= x[D3L] + x[D21]
        slopes[0, D3L], slopes[0, D21] = -1.0, -1.0
    else:
        squares[1] += x[D21]
        slopes[1, D21] = 1.0
        squares[2] += x[D3L]
        slopes[2, D3L] = 1.0
    return squares, slopes


@njit(cache=True, error_model="numpy")
def pair_weights(x, sin2_w):
    """Re(b c*) and Re(b c) of the six pairs, off-diagonal doubled, and slopes.

    Eq. (3); ``physics.neutrinos.weights`` is the readable twin.
    """
    s12, s13 = x[S12], x[S13]
    p = np.array([(1.0 - s12) * (1.0 - s13), s12 * (1.0 - s13), s13])
    dp = np.zeros((3, SIZE))
    dp[0, S12], dp[0, S13] = -(1.0 - s13), -(1.0 - s12)
    dp[1, S12], dp[1, S13] = 1.0 - s13, -s12
    dp[2, S13] = 1.0
    # phases of U_e1, U_e2, U_e3, doubled, as coefficients of delta, a21, a31
    twice = np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-2.0, 0.0, 1.0]])
    value, slope = np.zeros((2, 6)), np.zeros((2, 6, SIZE))
    for k in range(6):
        i, j = FIRST[k], SECOND[k]
        if i == j:
            b = p[i] - 0.5
            value[:, k] = b * (b + 2.0 * sin2_w)
            for n in range(SIZE):
                slope[:, k, n] = 2.0 * (b + sin2_w) * dp[i, n]
            continue
        turn = twice[j] - twice[i]
        phase = turn[0] * x[DELTA] + turn[1] * x[ALPHA21] + turn[2] * x[ALPHA31]
        value[0, k] = 2.0 * p[i] * p[j]
        value[1, k] = value[0, k] * np.cos(phase)
        for n in range(SIZE):
            slope[0, k, n] = 2.0 * (dp[i, n] * p[j] + p[i] * dp[j, n])
            slope[1, k, n] = slope[0, k, n] * np.cos(phase)
        for n in range(3):
            slope[1, k, DELTA + n] -= value[0, k] * np.sin(phase) * turn[n]
    return value, slope


@njit(cache=True, error_model="numpy")
def mass_nodes(m1, last, step):
    """First of four table nodes around m1, Lagrange weights and slopes."""
    position = np.arcsinh(m1 / MASS_SCALE) / step
    first = min(max(int(position) - 1, 0), last - 4)
    t = position - first
    weights, slopes = np.ones(4), np.zeros(4)
    for n in range(4):
        for k in range(4):
            if k != n:
                weights[n] *= (t - k) / (n - k)
        for skip in range(4):
            if skip == n:
                continue
            term = 1.0 / (n - skip)
            for k in range(4):
                if k != n and k != skip:
                    term *= (t - k) / (n - k)
            slopes[n] += term
    return first, weights, slopes / step


@njit(cache=True, error_model="numpy", nogil=True)
def smoothed_field(
    x, switches, numbers, photons, fixed, borders, used, first, band, form, facing, grid, table
):
    """Template (n,) and Jacobian (n, 12) of the smoothed field.

    ``switches`` are (planar, majorana, inverted, table-iv) as 0 or 1;
    ``numbers`` (epsilon, omega_1, omega_2, omega_s, theta_e, sin2_w, kappa,
    scale, mass step, nominal index, cosine and sine of the c axis, greatest block);
    ``photons`` (3, 4) are those of ``_beam_kernels``, (0, 4) for one index; ``fixed`` the
    Table IV weights (2, 6); ``first`` and ``band`` the windows, see ``SmoothingGrid.band``.
    """
    panels = _panels(x, switches, numbers, photons, borders, used, form, facing, grid, table, True)
    smooth = _summed(x, panels, switches, numbers, fixed, used, first, band)
    return smooth[:, 0].copy(), smooth[:, 1:].copy()


@njit(cache=True, error_model="numpy", nogil=True)
def fields_alone(
    points, switches, numbers, photons, fixed, borders, used, first, band, form, facing, grid, table
):
    """Templates (k, n) of ``smoothed_field`` at points (k, 12) to the bit, at half its price."""
    out = np.empty((points.shape[0], first.size))
    for k in range(points.shape[0]):
        out[k] = _field_alone(
            points[k],
            switches,
            numbers,
            photons,
            fixed,
            borders,
            used,
            first,
            band,
            form,
            facing,
            grid,
            table,
        )
    return out


@njit(cache=True, error_model="numpy")
def _field_alone(
    x, switches, numbers, photons, fixed, borders, used, first, band, form, facing, grid, table
):
    """One template (n,)."""
    panels = _panels(x, switches, numbers, photons, borders, used, form, facing, grid, table, None)
    kappa, scale = numbers[6:8]
    squares, _ = mass_squares(x, switches[2] == 1)
    masses = _pair_masses(squares)
    value = fixed if switches[3] == 1 else pair_weights(x, numbers[5])[0]
    count = used.size
    panel, out = np.zeros(count), np.zeros(first.size)
    for k in range(6):
        product = masses[k, 0] * masses[k, 1]
        strength = kappa * value[1, k] * product if switches[1] == 1 else 0.0
        for p in range(count):
            if used[p]:
                panel[p] += value[0, k] * panels[k, p, 0, 0] - strength * panels[k, p, 0, 1]
    for i in range(first.size):
        for k in range(band.shape[1]):
            out[i] += scale * band[i, k] * panel[first[i] + k]
    return out


@njit(cache=True, error_model="numpy")
def phase_fields(
    x,
    phases,
    switches,
    numbers,
    photons,
    fixed,
    borders,
    used,
    first,
    band,
    form,
    facing,
    grid,
    table,
):
    """Templates and Jacobians (p, n, 13) at phases (p, 3); the panels are done once."""
    panels = _panels(x, switches, numbers, photons, borders, used, form, facing, grid, table, True)
    out = np.empty((phases.shape[0], first.size, SIZE + 1))
    point = x.copy()
    for p in range(phases.shape[0]):
        point[DELTA : ALPHA31 + 1] = phases[p]
        out[p] = _summed(point, panels, switches, numbers, fixed, used, first, band)
    return out


@njit(cache=True, error_model="numpy")
def _pair_masses(squares):
    """Masses of the six pairs, (6, 2)."""
    masses = np.empty((6, 2))
    for k in range(6):
        masses[k, 0] = np.sqrt(squares[FIRST[k]])
        masses[k, 1] = np.sqrt(squares[SECOND[k]])
    return masses


@njit(cache=True, error_model="numpy")
def beams_at(index, extraordinary, theta_e, numbers, photons):
    """Beams for the kernels, at a refractive index and the other's offset."""
    _, one, two, omega = numbers[:4]
    cosine, sine = np.cos(theta_e), np.sin(theta_e)
    if photons.shape[0] == 0:
        return one_index(index, one, two, omega, cosine, sine)
    off = index - numbers[9]
    return own_indices(photons, numbers[10], numbers[11], off, extraordinary, cosine, sine)


@njit(cache=True, error_model="numpy")
def _panels(x, switches, numbers, photons, borders, used, form, facing, grid, table, derived):
    """Pair integrals over panels; no phase and no weight of a pair enters.

    With derivatives, or with ``None`` for ``derived`` without.
    """
    epsilon, theta_e = numbers[0], numbers[4]
    squares, _ = mass_squares(x, switches[2] == 1)
    beam = beams_at(x[INDEX], x[EXTRAORDINARY], theta_e + x[THETA_E], numbers, photons)
    nominal = beams_at(numbers[9], 0.0, theta_e, numbers, photons)
    m1 = max(x[M1], SMALLEST)
    first, nodes, per_step = mass_nodes(m1, table.shape[2], numbers[8])
    if derived is None:
        node_slopes = None
    else:
        node_slopes = per_step / np.sqrt(m1 * m1 + MASS_SCALE * MASS_SCALE)
    return panel_integrals(
        switches[0] == 1,
        numbers[12],
        borders,
        used,
        x[THETA_S],
        beam,
        nominal,
        epsilon,
        _pair_masses(squares),
        form,
        facing,
        grid,
        table,
        first,
        nodes,
        node_slopes,
    )


@njit(cache=True, error_model="numpy")
def _summed(x, panels, switches, numbers, fixed, used, first, band):
    """Template and Jacobian (n, 13) from the pair integrals over panels."""
    majorana = switches[1] == 1
    sin2_w, kappa, scale = numbers[5:8]
    squares, square_slopes = mass_squares(x, switches[2] == 1)
    masses = _pair_masses(squares)
    if switches[3] == 1:
        value, slope = fixed, np.zeros((2, 6, SIZE))
    else:
        value, slope = pair_weights(x, sin2_w)
    count = used.size
    panel = np.zeros((count, SIZE + 1))
    for k in range(6):
        i, j = FIRST[k], SECOND[k]
        product = masses[k, 0] * masses[k, 1]
        # G = Re(b c*) A - kappa Re(b c) m_i m_j B, and its slopes in x
        strength = kappa * value[1, k] * product if majorana else 0.0
        even, odd = np.zeros(SIZE), np.zeros(SIZE)
        for n in range(SIZE):
            even[n] = slope[0, k, n]
            bend = 0.5 * (
                square_slopes[i, n] * masses[k, 1] / masses[k, 0]
                + square_slopes[j, n] * masses[k, 0] / masses[k, 1]
            )
            odd[n] = kappa * (slope[1, k, n] * product + value[1, k] * bend)
        for p in range(count):
            if not used[p]:
                continue
            cell, row = panels[k, p], panel[p]
            a, b = cell[0, 0], cell[0, 1]
            row[0] += value[0, k] * a - strength * b
            for n in range(SIZE):
                row[n + 1] += even[n] * a
            for n in range(INDEX, THETA_E + 1):
                row[n + 1] += value[0, k] * cell[n, 0] - strength * cell[n, 1]
            row[EXTRAORDINARY + 1] += value[0, k] * cell[6, 0] - strength * cell[6, 1]
            by_a = value[0, k] * cell[4, 0] - strength * cell[4, 1]
            by_b = value[0, k] * cell[5, 0] - strength * cell[5, 1]
            for n in (M1, D21, D3L):
                row[n + 1] += by_a * square_slopes[i, n] + by_b * square_slopes[j, n]
            row[M1 + 1] += value[0, k] * cell[GEOMETRY + 1, 0] - strength * cell[GEOMETRY + 1, 1]
            if majorana:
                for n in range(SIZE):
                    row[n + 1] -= odd[n] * b
    # sparse by hand: the dense product would grow with the square of the angles
    out = np.zeros((first.size, SIZE + 1))
    for i in range(first.size):
        for k in range(band.shape[1]):
            weight, row = scale * band[i, k], panel[first[i] + k]
            for n in range(SIZE + 1):
                out[i, n] += weight * row[n]
    return out
