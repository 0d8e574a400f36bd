"""Brute-force twins of the physics kernels: explicit four-momenta, plain NumPy.

Nothing here imports the package. Vectors are (z, y) in the planar phase space
and (z, y, x) in the full one, z along k1 and x normal to the plane of lasers.
"""

from __future__ import annotations

import numpy as np
from scipy.special import j1

LORENTZ_WIDTH = 32.0 / (3.0 * np.pi**2)
# the six vertices of an octahedron average a quadratic polynomial exactly
OCTAHEDRON = np.concatenate([np.eye(3), -np.eye(3)])


def decay(momentum, epsilon, masses, direction):
    """Momenta and energies of a pair with total four-momentum (epsilon, P).

    ``direction`` (unit vectors, last axis) is that of particle 1 in the rest
    frame; the boost back is applied to its four-momentum.
    """
    m_i, m_j = masses
    s = epsilon**2 - np.sum(momentum**2, axis=-1)
    root = np.sqrt(s)
    e_star = (s + m_i**2 - m_j**2) / (2.0 * root)
    # the triangle function in factors; a node on the edge may round to outside
    excess = np.where(root - m_i - m_j > -1e-12, np.maximum(root - m_i - m_j, 0.0), np.nan)
    p_star = np.sqrt(excess * (root + m_i + m_j) * (root - m_i + m_j) * (root + m_i - m_j))
    rest = (p_star / (2.0 * root))[..., None] * direction
    beta = momentum / epsilon
    gamma = epsilon / root
    along = np.sum(rest * beta, axis=-1)
    # (gamma - 1)/beta^2 = gamma^2/(gamma + 1)
    p_1 = rest + (gamma**2 / (gamma + 1.0) * along + gamma * e_star)[..., None] * beta
    p_2 = momentum - p_1
    e_1 = np.sqrt(m_i**2 + np.sum(p_1**2, axis=-1))
    e_2 = np.sqrt(m_j**2 + np.sum(p_2**2, axis=-1))
    assert np.all(np.abs(e_1 + e_2 - epsilon) < 1e-9 * epsilon), "energy is not conserved"
    return p_1, p_2, e_1, e_2


def bracket(p_1, p_2, e_1, e_2, axis, current):
    """Lepton tensor contracted with the current, without its Majorana term."""
    axis = np.asarray(axis)[: p_1.shape[-1]]
    cross = (p_1 @ axis) * (p_2 @ axis)
    if current == "transverse":
        return e_1 * e_2 - cross
    return e_1 * e_2 - np.sum(p_1 * p_2, axis=-1) + 2.0 * cross


def conserved_bracket(p_1, p_2, e_1, e_2, momentum, epsilon, spin, velocity):
    """Symmetric lepton tensor between (0, S) and (P.v/eps, v)*, for complex S and v.

    The tensor is p1^m p2^n + p2^m p1^n - g^mn p1.p2; lowering a space index gives the sign
    of the time component's terms.
    """
    conjugate = np.conj(velocity)
    time = momentum @ conjugate / epsilon
    cross = (p_1 @ spin) * (p_2 @ conjugate) + (p_2 @ spin) * (p_1 @ conjugate)
    mixed = (p_1 @ spin) * e_2 + (p_2 @ spin) * e_1
    dot = e_1 * e_2 - np.sum(p_1 * p_2, axis=-1)
    return (spin @ conjugate) * dot + cross - time * mixed


def conserved_density(momentum, epsilon, masses, spin, velocity, polar=8, turns=12):
    """``conserved_bracket`` over the rest-frame sphere, as ``full_density``."""
    momentum = np.asarray(momentum, dtype=float)
    direction, weight = _sphere(polar, turns)
    s = epsilon**2 - momentum @ momentum
    m_i, m_j = masses
    lam = (s - (m_i + m_j) ** 2) * (s - (m_i - m_j) ** 2)
    measure = weight * np.sqrt(lam) / (2.0 * s)
    decayed = decay(np.tile(momentum, (weight.size, 1)), epsilon, masses, direction)
    values = conserved_bracket(*decayed, momentum, epsilon, spin, velocity)
    return measure @ values, measure.sum()


def _sphere(polar, turns):
    """Gauss-Legendre times uniform azimuth: unit vectors (k, 3) and weights (k,)."""
    x, w = np.polynomial.legendre.leggauss(polar)
    phi = 2.0 * np.pi * np.arange(turns) / turns
    sine = np.sqrt(1.0 - x**2)
    across = np.outer(sine, np.cos(phi)).ravel(), np.outer(sine, np.sin(phi)).ravel()
    direction = np.stack([np.repeat(x, turns), *across], axis=-1)
    return direction, np.repeat(w, turns) * (2.0 * np.pi / turns)


def planar_density(momentum, epsilon, masses, axis, current, nodes=40_000):
    """Trapezoid over the rest-frame angle, Eqs. (17), (62); (density, partner)."""
    momentum = np.asarray(momentum, dtype=float)
    root = np.sqrt(epsilon**2 - momentum @ momentum)
    t = 2.0 * np.pi * (np.arange(nodes) + 0.5) / nodes
    direction = np.stack([np.cos(t), np.sin(t)], axis=-1)
    p_1, p_2, e_1, e_2 = decay(np.tile(momentum, (nodes, 1)), epsilon, masses, direction)
    measure = np.abs(p_1[:, 1] * p_2[:, 1]) / root * (2.0 * np.pi / nodes)
    return measure @ bracket(p_1, p_2, e_1, e_2, axis, current), measure.sum()


def full_density(momentum, epsilon, masses, axis, current, polar=8, turns=12):
    """Gauss-Legendre times uniform azimuth over the rest-frame sphere."""
    x, w = np.polynomial.legendre.leggauss(polar)
    phi = 2.0 * np.pi * np.arange(turns) / turns
    sine = np.sqrt(1.0 - x**2)
    direction = np.stack(
        [
            np.repeat(x, turns),
            np.outer(sine, np.cos(phi)).ravel(),
            np.outer(sine, np.sin(phi)).ravel(),
        ],
        axis=-1,
    )
    weight = np.repeat(w, turns) * (2.0 * np.pi / turns)
    momentum = np.tile(np.asarray(momentum, dtype=float), (weight.size, 1))
    s = epsilon**2 - momentum[0] @ momentum[0]
    m_i, m_j = masses
    lam = (s - (m_i + m_j) ** 2) * (s - (m_i - m_j) ** 2)
    measure = weight * np.sqrt(lam) / (2.0 * s)  # p*/sqrt(s) per solid angle
    values = bracket(*decay(momentum, epsilon, masses, direction), axis, current)
    return measure @ values, measure.sum()


def form_factors(along, across, lorentzian):
    """U and W of Eq. (15), or Eq. (18)."""
    if lorentzian:
        return 1.0 / (1.0 + along**2), 1.0 / (1.0 + (across / LORENTZ_WIDTH) ** 2)
    across = np.maximum(np.abs(across), 1e-9)
    return np.sinc(along / np.pi) ** 2, (2.0 * j1(across) / across) ** 2


def _energies(epsilon, masses, u):
    """E_1 from u in (0, pi), in which both momenta are smooth, and dE_1/du."""
    m_i, m_j = masses
    span = epsilon - m_i - m_j
    e_1 = m_i + 0.5 * span * (1.0 - np.cos(u))
    e_2 = epsilon - e_1
    k_i, k_j = np.sqrt(e_1**2 - m_i**2), np.sqrt(e_2**2 - m_j**2)
    return e_1, e_2, k_i, k_j, 0.5 * span * np.sin(u)


def planar_threefold(w, crystal, epsilon, masses, axis, current, lorentzian, nodes=(160, 140)):
    """Eqs. (17), (62) as printed: a product rule in (E_1, theta_1, theta_2).

    ``crystal`` is (L/2, R) in 1/eV, ``nodes`` Gauss points in energy and in
    each half circle. Returns (A, B).
    """
    x, wx = np.polynomial.legendre.leggauss(nodes[0])
    y, wy = np.polynomial.legendre.leggauss(nodes[1])
    theta = np.concatenate([0.5 * np.pi * (y + 1.0), 0.5 * np.pi * (y - 1.0)])
    weight = np.tile(0.5 * np.pi * wy, 2) * np.abs(np.sin(theta))
    cosine, sine = np.cos(theta), np.sin(theta)
    dots = np.outer(cosine, cosine) + np.outer(sine, sine)
    facing = axis[0] * cosine + axis[1] * sine
    total = np.zeros(2)
    for u, du in zip(0.5 * np.pi * (x + 1.0), 0.5 * np.pi * wx, strict=True):
        e_1, e_2, k_i, k_j, slope = _energies(epsilon, masses, u)
        along = crystal[0] * (k_i * cosine[:, None] + k_j * cosine - w[0])
        across = crystal[1] * (k_i * sine[:, None] + k_j * sine - w[1])
        u_0, w_0 = form_factors(along, across, lorentzian)
        measure = du * slope * k_i * k_j * u_0 * w_0
        cross = k_i * k_j * np.outer(facing, facing)
        values = e_1 * e_2 - cross
        if current == "parallel":
            values = e_1 * e_2 - k_i * k_j * dots + 2.0 * cross
        total += weight @ (measure * values) @ weight, weight @ measure @ weight
    return total


def full_integrand(points, w, crystal, epsilon, masses, axis, current, lorentzian):
    """Eq. (12) on the unit cube: E_1 and two directions; (A, B) per point."""
    e_1, e_2, k_i, k_j, slope = _energies(epsilon, masses, np.pi * points[:, 0])
    unit = []
    for z, turn in ((points[:, 1], points[:, 3]), (points[:, 2], points[:, 4])):
        c, phi = 2.0 * z - 1.0, 2.0 * np.pi * turn
        sine = np.sqrt(1.0 - c**2)
        unit.append(np.stack([c, sine * np.cos(phi), sine * np.sin(phi)], axis=-1))
    p_1, p_2 = k_i[:, None] * unit[0], k_j[:, None] * unit[1]
    miss = p_1 + p_2 - np.array([w[0], w[1], 0.0])
    u_0, w_0 = form_factors(
        crystal[0] * miss[:, 0], crystal[1] * np.hypot(miss[:, 1], miss[:, 2]), lorentzian
    )
    # (4 pi)^2 of solid angle over the (2 pi)^2 of the normalisation
    measure = np.pi * slope * k_i * k_j * u_0 * w_0 * 4.0
    values = bracket(p_1, p_2, e_1, e_2, axis, current)
    return np.stack([measure * values, measure], axis=-1)


def _chord(end, centre, half_length, lorentzian, count):
    """Nodes and weights on [-end, end], for square roots at both ends.

    The Lorentzian has a sharp peak and a pole: split there, grow like sinh.
    """
    x, wx = np.polynomial.legendre.leggauss(count)
    rise, fold = np.sin(0.5 * np.pi * x), 0.5 * np.pi * wx * np.cos(0.5 * np.pi * x)
    if not lorentzian:
        return end[:, None] * rise, end[:, None] * fold
    middle = np.clip(centre, -end, end)
    nodes, weights = [], []
    for low, high in ((-end, middle), (middle, end)):
        start, stop = (np.arcsinh(half_length * (z - centre))[:, None] for z in (low, high))
        mu, half = 0.5 * (start + stop) + 0.5 * (stop - start) * rise, 0.5 * (stop - start)
        nodes.append(centre + np.sinh(mu) / half_length)
        weights.append(half * fold * np.cosh(mu) / half_length)
    # rounding may step over the end
    p_z = np.clip(np.concatenate(nodes, axis=1), -end[:, None], end[:, None])
    return p_z, np.concatenate(weights, axis=1)


def _values(decayed, momentum, epsilon, axis, current):
    """Bracket of a current along the axis at many momenta."""
    if current not in ("conserved", "magnetic"):
        return bracket(*decayed, axis, current)
    p_1, p_2, e_1, e_2 = decayed
    mixed = (p_1 @ axis) * e_2 + (p_2 @ axis) * e_1
    return bracket(*decayed, axis, "parallel") - momentum @ axis / epsilon * mixed


def full_grid(w, crystal, epsilon, masses, axis, current, lorentzian, nodes=(40, 120, 100)):
    """Product rule over P in cylinder coordinates around w, which lies inside.

    ``nodes`` count azimuth (uniform), radius and length (Gauss). ``current`` "conserved" has
    the time component that its conservation asks for; "magnetic" is P.n times that, with n
    the axis. (A, B).
    """
    q_0 = sum(masses)
    rim = np.sqrt(epsilon**2 - q_0**2)
    assert abs(w[1]) < rim
    x, wx = np.polynomial.legendre.leggauss(nodes[1])
    total = np.zeros(2)
    for phi in 2.0 * np.pi * (np.arange(nodes[0]) + 0.5) / nodes[0]:
        c = w[1] * np.cos(phi)
        reach = -c + np.sqrt(c * c + rim**2 - w[1] ** 2)
        # crowd the radii at the axis, where W is
        k = reach * (0.5 * (1.0 + x)) ** 2
        dk = 0.5 * wx * reach * (1.0 + x)
        p_y, p_x = w[1] + k * np.cos(phi), k * np.sin(phi)
        end = np.sqrt(rim**2 - p_y**2 - p_x**2)
        p_z, jacobian = _chord(end, w[0], crystal[0], lorentzian, nodes[2])
        flat = np.stack(np.broadcast_arrays(p_z, p_y[:, None], p_x[:, None]), axis=-1)
        u_0, w_0 = form_factors(crystal[0] * (p_z - w[0]), crystal[1] * k[:, None], lorentzian)
        s = epsilon**2 - np.sum(flat**2, axis=-1)
        lam = np.maximum(s - q_0**2, 0.0) * (s - (masses[0] - masses[1]) ** 2)
        density = 2.0 * np.pi * np.sqrt(lam) / s
        measure = (k * dk)[:, None] * jacobian * u_0 * w_0 * density * (2.0 * np.pi / nodes[0])
        mean = sum(
            _values(
                decay(flat, epsilon, masses, np.broadcast_to(n, flat.shape)),
                flat,
                epsilon,
                axis,
                current,
            )
            for n in OCTAHEDRON
        ) / len(OCTAHEDRON)
        if current == "magnetic":
            measure = measure * (flat @ axis)
        total += np.sum(measure * mean), np.sum(measure)
    return total / (4.0 * np.pi**2)


def circle_moments(rho, w_t, radius, profile, nodes=40_000):
    """rho Int dphi cos^k(phi) profile(R |P_perp - w_t|), k = 0, 1, 2."""
    phi = 2.0 * np.pi * (np.arange(nodes) + 0.5) / nodes
    distance = np.hypot(rho * np.cos(phi) - w_t, rho * np.sin(phi))
    value = profile(radius * distance) * rho * 2.0 * np.pi / nodes
    return np.array([np.sum(value * np.cos(phi) ** k) for k in range(3)])
