"""The likelihood of the full phase space as one would write it in JAX.

Pair densities of a large crystal with the current along k1, normal ordering, trigger angles
above the middle of the pairs' support, uncorrelated Gaussian noise: what the benchmarks'
posterior is, but for the finite crystal. The Majorana term is there for Dirac neutrinos too,
times zero, as in ours. Physics and gradient share no code with ours, which gives the panels of
the trigger angle, their weights in each window and the scale. 64 bits, one thread.

The windows overlap, so their common panels are integrated, each by a Gauss rule. The density
goes as a square root at the threshold of a pair: a rule of fixed angles that does not know
where thresholds are errs by the step to the power 3/2, its gradient by the root of the step.
"""

from __future__ import annotations

import os
from collections.abc import Callable

# Read when JAX first computes: threads would only add processor time to arrays this small.
os.environ["NPROC"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"

import jax
import jax.numpy as jnp
import numpy as np

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.responses.response import Response
from renp_infer.measurement.smoothing import make_smoother
from renp_infer.records import FloatArray

jax.config.update("jax_enable_x64", True)

FIRST, SECOND = np.triu_indices(3)
SAME = (FIRST == SECOND).astype(float)

Values = dict[str, jax.Array | float]
Rule = Callable[[jax.Array, jax.Array, jax.Array], tuple[jax.Array, jax.Array]]
"""(borders below and above (j,), thresholds (6,)) -> angles and weights, (6 or 1, j, n)."""


def fixed(count: int) -> Rule:
    """The same angles for every pair."""
    nodes, weights = np.polynomial.legendre.leggauss(count)

    def rule(low: jax.Array, high: jax.Array, _: jax.Array) -> tuple[jax.Array, jax.Array]:
        middle, half = 0.5 * (low + high)[None, :, None], 0.5 * (high - low)[None, :, None]
        return middle + half * nodes, half * weights

    return rule


def to_threshold(count: int) -> Rule:
    """Each pair up to its threshold, in the root of the distance, where it is smooth."""
    nodes, weights = np.polynomial.legendre.leggauss(count)

    def root(square: jax.Array) -> jax.Array:
        # a threshold below the panel leaves it empty; its slope must not be NaN
        inside = square > 0.0
        return jnp.where(inside, jnp.sqrt(jnp.where(inside, square, 1.0)), 0.0)

    def rule(low: jax.Array, high: jax.Array, edges: jax.Array) -> tuple[jax.Array, jax.Array]:
        far, near = (root(edges[:, None] - border)[..., None] for border in (low, high))
        half = 0.5 * (far - near)
        distance = 0.5 * (far + near) + half * nodes
        return edges[:, None, None] - distance**2, 2.0 * distance * half * weights

    return rule


RULES = {
    "JAX, 16 sub-angles": fixed(4),
    "JAX, 256 sub-angles": fixed(64),
    "JAX, up to each threshold": to_threshold(6),
}
"""Nodes are by panel, of which a window has four."""


def pair_weights(q: Values, sin2_w: float) -> tuple[jax.Array, jax.Array]:
    """Re(b c*) and Re(b c) of Eq. (3), unordered pairs, (6,)."""
    s12, s13 = q["sin2_12"], q["sin2_13"]
    delta, alpha21, alpha31 = (
        jnp.deg2rad(q[name]) for name in ("delta_deg", "alpha21_deg", "alpha31_deg")
    )
    sizes = jnp.sqrt(jnp.stack([(1.0 - s12) * (1.0 - s13), s12 * (1.0 - s13), s13]))
    turns = jnp.stack([0.0, 0.5 * alpha21, 0.5 * alpha31 - delta])
    row = sizes * jnp.exp(1j * turns)
    b = jnp.conj(row[FIRST]) * row[SECOND] - 0.5 * SAME
    c = b + 2.0 * sin2_w * SAME
    both = 2.0 - SAME
    return both * jnp.real(b * jnp.conj(c)), both * jnp.real(b * c)


def density(s: jax.Array, along: jax.Array, m_i: jax.Array, m_j: jax.Array) -> tuple[
    jax.Array, jax.Array
]:  # fmt: skip
    """Density at invariant mass squared s and momentum ``along`` c, and Majorana partner."""
    excess = s - (m_i + m_j) ** 2
    inside = excess > 0.0
    # the root's slope must not be NaN outside
    triangle = jnp.where(inside, excess * (s - (m_i - m_j) ** 2), 1.0)
    over = 1.0 / s
    partner = jnp.where(inside, 2.0 * jnp.pi * jnp.sqrt(triangle) * over, 0.0)
    third, d = triangle * over / 12.0, (m_i**2 - m_j**2) * over
    bracket = 0.5 * (s - m_i**2 - m_j**2) - 2.0 * third
    bracket += 2.0 * (0.25 * (1.0 - d * d) - third * over) * along**2
    return partner * bracket, partner


def expected(target: Likelihood, rule: Rule) -> Callable[[jax.Array], jax.Array]:
    """Field (n,), nG, as a function of the free parameters (d,)."""
    response = target.response
    assert isinstance(response, Response)
    experiment, truth = response.experiment, response.truth
    assert truth.ordering == "normal" and experiment.layout.c_axis == 0.0
    crystal, switches = experiment.target, experiment.switches
    smoother = make_smoother(experiment)
    grid, scale = smoother.grid, response.scale * smoother.norm
    low, high, smear = grid.borders[:-1][grid.used], grid.borders[1:][grid.used], grid.weights
    smear = scale * smear[:, grid.used]
    kappa = switches.majorana_kappa if truth.nature == "majorana" else 0.0
    energy, trigger = crystal.epsilon_ep, crystal.omega_s

    def field(vector: jax.Array) -> jax.Array:
        q: Values = dict(target.prior.fixed) | dict(zip(target.prior.names, vector, strict=True))
        gaps = jnp.stack([0.0, q["dm2_21"], q["dm2_3l"]])
        m = jnp.sqrt((1e-3 * q["m1_meV"]) ** 2 + gaps)
        m_i, m_j = m[FIRST], m[SECOND]
        even, odd = pair_weights(q, truth.sin2_w)
        odd = kappa * odd * m_i * m_j
        index, shift = q["refractive_index"], jnp.deg2rad(q["theta_s_offset_deg"])
        theta_e = experiment.layout.theta_e + jnp.deg2rad(q["theta_e_offset_deg"])
        k_l = crystal.omega_1 + crystal.omega_2 * jnp.cos(theta_e)
        k_t = crystal.omega_2 * jnp.sin(theta_e)
        k2, rim2 = k_l**2 + k_t**2, (energy**2 - (m_i + m_j) ** 2) / index**2
        reach = jnp.arccos((k2 + trigger**2 - rim2) / (2.0 * jnp.sqrt(k2) * trigger))
        edges = jnp.arctan2(k_t, k_l) + reach
        theta, weight = rule(low + shift, high + shift, edges)
        cosine = jnp.cos(theta)
        along, across = index * (k_l - trigger * cosine), index * (k_t - trigger * jnp.sin(theta))
        m_i, m_j, even, odd = (part[:, None, None] for part in (m_i, m_j, even, odd))
        full, partner = density(energy**2 - along**2 - across**2, along, m_i, m_j)
        panels = jnp.sum((even * full - odd * partner) * (weight * cosine), axis=(0, 2))
        return q["amplitude"] * (smear @ panels) + q["baseline_nG"]

    return field


def compiled(
    target: Likelihood, rule: Rule
) -> tuple[Callable[[FloatArray], tuple[float, FloatArray]], Callable[[FloatArray], FloatArray]]:
    """Log-likelihood with gradient, and field, of free parameters; compiled when first called."""
    assert target.whitening.decorrelation is None
    field, data, sigma = expected(target, rule), target.decorrelated, target.whitening.scale
    constant = float(np.sum(np.log(np.sqrt(2.0 * np.pi) * sigma)))

    def log_likelihood(vector: jax.Array) -> jax.Array:
        return -0.5 * jnp.sum(((data - field(vector)) / sigma) ** 2) - constant

    both, mean = jax.jit(jax.value_and_grad(log_likelihood)), jax.jit(field)

    def evaluate(vector: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = both(vector)
        return float(value), np.asarray(gradient)

    return evaluate, lambda vector: np.asarray(mean(vector))
