"""The ledger against its own rules, and its calculations against independent ones."""

import ast
from dataclasses import replace
from math import pi
from pathlib import Path

import numpy as np
import pytest
from scipy import constants as codata
from scipy.integrate import dblquad, quad, solve_ivp

import renp_infer
import tests
from renp_infer.errors import DomainError
from renp_infer.physics.cycle import lindblad
from renp_infer.physics.neutrinos import couplings, masses
from renp_infer.physics.pairs.form_factor import pair_integrals
from renp_infer.physics.pairs.kinematics import mismatch
from renp_infer.physics.pairs.pair_tensor import pair_sums
from renp_infer.physics.signal.currents import Currents
from renp_infer.physics.signal.emission import Emitters, moment_rate_muB_per_s
from renp_infer.physics.targets.matrix_elements import (
    reduced_spin,
    reduced_velocity,
    velocity_over_spin,
)
from renp_infer.physics.targets.transition import component_channel
from renp_infer.records import PAIRS
from renp_infer.reproduction import (
    backgrounds,
    coherence,
    conventions,
    distributions,
    ions,
    kinematics,
    ledger,
    other_papers,
    scales,
)
from renp_infer.reproduction.findings import axis_cases, findings, pair_thresholds
from renp_infer.reproduction.paper import Paper
from renp_infer.reproduction.printed import OTHERS
from renp_infer.reproduction.product_grid import product_integrals
from renp_infer.reproduction.verdict import AGREES, ROUNDING, VERDICTS, Row
from tests.slow_twins import LORENTZ_WIDTH
from tests.toys.emission import field_rate_nG_per_s

TESTS = Path(tests.__file__).parent


@pytest.fixture(scope="module")
def paper() -> Paper:
    return Paper()


@pytest.fixture(scope="module")
def rows(paper: Paper) -> dict[str, Row]:
    return {row.printed.id: row for row in ledger.make_ledger(paper)}


def value(rows: dict[str, Row], name: str) -> float:
    found = rows[name].found.published
    assert isinstance(found, float)
    return found


def test_every_printed_value_has_one_row_and_a_known_verdict(rows: dict[str, Row]) -> None:
    assert len(rows) > 220
    assert sum(row.printed.of == OTHERS for row in rows.values()) == 10
    assert {row.verdict for row in rows.values()} == set(VERDICTS)
    assert all(row.found.why and row.printed.where for row in rows.values())


def test_every_named_test_exists(rows: dict[str, Row]) -> None:
    named = {row.found.test for row in rows.values()} | {f.test for f in findings(Paper())}
    for name in named:
        file, _, function = name.partition("::")
        (found,) = TESTS.rglob(file)
        tree = ast.parse(found.read_text(encoding="utf-8"))
        assert function in {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}, name


def test_rows_without_a_value_are_judged(rows: dict[str, Row]) -> None:
    bare = [
        row
        for row in rows.values()
        if row.found.published is None and row.found.first_principles is None
    ]
    assert {row.verdict for row in bare} <= {"not reproducible", "undecoded"}
    assert 10 < len(bare) < 25  # the rest is calculated


def test_a_row_that_would_agree_cannot_stay_judged(paper: Paper) -> None:
    changed = dict(paper.printed)
    changed["eq29-deg"] = replace(changed["eq29-deg"], texts=("142",))
    with pytest.raises(DomainError, match=r"eq29-deg.*agrees"):
        ledger.make_ledger(replace(paper, printed=changed))


def test_a_row_that_stops_agreeing_needs_a_judgement(paper: Paper) -> None:
    changed = dict(paper.printed)
    changed["eq28-cos"] = replace(changed["eq28-cos"], texts=("0.528",))
    with pytest.raises(DomainError, match="eq28-cos"):
        ledger.make_ledger(replace(paper, printed=changed))


def test_a_printed_value_without_a_calculation_is_noticed(paper: Paper) -> None:
    extra = {"new": replace(paper.printed["eq28-cos"], id="new")}
    with pytest.raises(DomainError, match="new"):
        ledger.make_ledger(replace(paper, printed=dict(paper.printed) | extra))


def test_arithmetic_of_the_paper(paper: Paper, rows: dict[str, Row]) -> None:
    for group in (conventions.arithmetic_rows(paper), conventions.unit_rows(paper)):
        for row in group:
            judged = "misprint" if row.id in ("sec3-length", "fig5-wavenumber") else None
            assert row.judged == judged
            assert judged or rows[row.id].verdict == AGREES, row.id
    assert value(rows, "fig5-wavenumber") == pytest.approx(1e6 * codata.h * codata.c / codata.e)
    assert value(rows, "sec4-zeeman") == pytest.approx(57.8838, abs=1e-3)


def test_lorentzian_widths_have_closed_forms(rows: dict[str, Row]) -> None:
    assert value(rows, "eq18-x") == pytest.approx(1.0, abs=1e-4)
    assert value(rows, "eq18-y") == pytest.approx(LORENTZ_WIDTH, abs=1e-4)


def test_no_extra_photon_closes_the_quadrangle(paper: Paper) -> None:
    (row,) = kinematics.quadrangle_rows(paper)
    assert row.published == 0.0
    target, (_, theta_e) = paper.target, paper.directions
    beams = 1.45 * np.array(
        [target.omega_1 + target.omega_2 * np.cos(theta_e), target.omega_2 * np.sin(theta_e)]
    )
    for theta in paper.angles():
        left = beams - 1.45 * target.omega_s * np.array([np.cos(theta), np.sin(theta)])
        assert np.linalg.norm(left) < 1.45 * target.epsilon_ep


@pytest.mark.parametrize(
    ("electrons", "term"),
    [(1, (0.5, 3, 2.5)), (3, (1.5, 6, 4.5)), (7, (3.5, 0, 3.5)), (10, (2.0, 6, 8.0)),
     (11, (1.5, 6, 7.5)), (13, (0.5, 3, 3.5))],
)  # fmt: skip
def test_hund_ground_terms(electrons: int, term: tuple[float, int, float]) -> None:
    """Ce 2F5/2, Nd 4I9/2, Gd 8S7/2, Ho 5I8, Er 4I15/2, Yb 2F7/2."""
    assert ions.ground_term(electrons) == term


def test_reduced_elements_against_table_one(paper: Paper) -> None:
    """v from Eq. (43) over S from Eq. (42) is v/S of Table I; SI values beside them."""
    target = paper.target
    md, ed = target.md_rates_per_s["ep"], target.ed_rates_per_s["ep"]
    spin = reduced_spin(5.5, md, target.epsilon_ep)
    velocity = reduced_velocity(5.5, ed, target.epsilon_ep)
    ratio = velocity_over_spin(md, ed, target.epsilon_ep)
    assert velocity / spin == pytest.approx(ratio, rel=1e-6)
    wave = target.epsilon_ep * codata.e / codata.hbar / codata.c
    bohr = codata.physical_constants["Bohr magneton"][0]
    moment_squared = 3 * pi * codata.hbar * md / (codata.mu_0 * wave**3)
    assert spin == pytest.approx(np.sqrt(12 * moment_squared) / bohr, rel=1e-6)
    dipole_squared = 3 * pi * codata.epsilon_0 * codata.hbar * ed / wave**3
    position = np.sqrt(12 * dipole_squared) / codata.e
    assert velocity == pytest.approx(wave * position, rel=1e-6)


def test_scales_against_plain_formulas(paper: Paper, rows: dict[str, Row]) -> None:
    sums = paper.sums(paper.experiment("published"))[1]
    growth = 4.22e4 * np.max(sums * np.cos(paper.angles())) * 1e9
    assert value(rows, "eq64-field") == pytest.approx(growth, rel=1e-3)
    assert value(rows, "sec6-field") == pytest.approx(growth * 1e-3, rel=1e-3)
    cycle = 5e-3 * (1 - np.exp(-2.0))
    assert value(rows, "abstract-nanogauss") == pytest.approx(growth * 1e-3 * cycle, rel=1e-3)
    assert value(rows, "eq68") == pytest.approx(3.17e9 * 1e-8 / 518, rel=1e-3)
    number = pi * 0.25 * 1.4e19
    branching = value(rows, "eq68") / number
    assert value(rows, "sec5-branching") == pytest.approx(branching, rel=1e-9, abs=0.0)
    assert value(rows, "eq64-wide") == pytest.approx(4.22e4 * 57.3 / (2e7 * pi), rel=1e-3)
    assert scales.field_per_sum(paper, "published") == pytest.approx(4.22e4, rel=1e-3)


def test_phase_space_integrals_by_quadrature(paper: Paper) -> None:
    rows = {row.id: row.published for row in backgrounds.phase_space_rows(paper)}
    photons, _ = dblquad(
        lambda b, a: (a * b * (1 - a - b)) ** 3, 0, 1, 0, lambda a: 1 - a, epsabs=1e-14
    )
    assert rows["eq66"] == pytest.approx(1 / photons, rel=1e-6)
    pairs, _ = quad(lambda e: (e * (1 - e)) ** 2, 0, 1)
    assert rows["eq67"] == pytest.approx(4 * pairs, rel=1e-9)
    ratio = (2 / 3) ** 3 * photons / ((4 * pi) ** 2 * pairs)
    assert rows["sec5-ratio"] == pytest.approx(ratio, rel=1e-6)


def test_couplings_of_the_backgrounds(paper: Paper) -> None:
    """d^2 from an Einstein coefficient in SI: e^2 r^2 in Heaviside-Lorentz units."""
    # p to g, whose dipole is larger than that of e to g
    wave = paper.target.omega_s * codata.e / codata.hbar / codata.c
    rate = lindblad.decay_rates(paper.target)["pg"]
    dipole_squared = 3 * pi * codata.epsilon_0 * codata.hbar * rate / wave**3  # (C m)^2
    length = np.sqrt(dipole_squared) / codata.e * codata.e / (codata.hbar * codata.c)  # 1/eV
    natural = 4 * pi * codata.alpha * length**2
    found = backgrounds.dipole_coupling(paper)
    assert found == pytest.approx((natural / 3) ** 3, rel=1e-5, abs=0.0)


def test_closed_v_has_the_steady_state_of_eq_a2(paper: Paper) -> None:
    """The same state by letting the equations run."""
    rates = lindblad.decay_rates(paper.target) | {"eq": 0.0, "ep": 0.0}
    rabi = {"eg": 4e3, "pg": 2e3}
    steady = coherence.steady(rates, rabi, printed=False)
    matrix = lindblad.generator(rates, rabi, printed=False)
    start = np.zeros(16, dtype=complex)
    start[5] = 1.0  # g
    found = solve_ivp(lambda _, y: matrix @ y, (0, 0.5), start, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(found.y[:, -1].reshape(4, 4), steady, atol=1e-5)
    strong = coherence.steady(rates, {"eg": 4e6, "pg": 2e6}, printed=False)
    populations, coherence_ep = (4 / 10, 5 / 10, 1 / 10), 2 / 10
    np.testing.assert_allclose(np.diag(strong).real[[0, 1, 3]], populations, atol=1e-6)
    assert abs(strong[0, 3]) == pytest.approx(coherence_ep, abs=1e-6)


def test_product_rule_is_a_plain_sum_over_its_nodes(paper: Paper) -> None:
    setup = paper.experiment("published", length_cm=2e-3, angles=np.array([0.9, 1.026]))
    masses, nodes = np.array([0.1, 0.2, 0.3]), 9
    found = product_integrals(setup, masses, nodes)
    layout, target = setup.layout, setup.target
    theta = np.linspace(-pi, pi, nodes)
    one, two = np.meshgrid(theta, theta, indexing="ij")
    size = 1e-3 / (codata.hbar * codata.c / codata.e * 100)
    for n, angle in enumerate(layout.theta_s):
        beam = target.omega_1 + target.omega_2 * np.cos(layout.theta_e)
        w_l = 1.45 * (beam - target.omega_s * np.cos(angle))
        w_t = 1.45 * (target.omega_2 * np.sin(layout.theta_e) - target.omega_s * np.sin(angle))
        total = 0.0
        for e_1 in np.linspace(0.1, target.epsilon_ep - 0.3, nodes):
            e_2 = target.epsilon_ep - e_1
            p_1, p_2 = np.sqrt(max(e_1**2 - 0.01, 0)), np.sqrt(max(e_2**2 - 0.09, 0))
            x = size * (p_1 * np.cos(one) + p_2 * np.cos(two) - w_l)
            y = size * (p_1 * np.sin(one) + p_2 * np.sin(two) - w_t) / LORENTZ_WIDTH
            bracket = e_1 * e_2 - p_1 * p_2 * (np.cos(one - two) - 2 * np.cos(one) * np.cos(two))
            weight = p_1 * p_2 * np.abs(np.sin(one) * np.sin(two)) / (1 + x * x) / (1 + y * y)
            total += np.sum(weight * bracket)
        step = (target.epsilon_ep - 0.4) / (nodes - 1) * (2 * pi / (nodes - 1)) ** 2
        assert found.a_eV5[PAIRS.index("13"), n] == pytest.approx(total * step, rel=1e-9)


def test_product_rule_converges_where_it_can(paper: Paper) -> None:
    """A crystal of 20 micrometres has a wide form factor: there the rule is right."""
    setup = paper.experiment("published", length_cm=2e-3, angles=np.array([1.1, 1.5]))
    masses = np.array([0.3, 0.3, 0.3])
    exact = pair_integrals(setup, masses).a_eV5[0]
    errors = [np.abs(product_integrals(setup, masses, n).a_eV5[0] / exact - 1) for n in (101, 301)]
    assert np.all(errors[0] < 0.02)
    assert np.all(errors[1] < 1e-4)


def test_the_product_rule_makes_peak_and_wiggles(paper: Paper) -> None:
    setup = paper.experiment("published")
    converged = paper.sums(setup)[1]
    grid = distributions.grid_sum(paper, setup)
    assert distributions.central_peak(converged) == pytest.approx(1.017, abs=2e-3)
    assert distributions.turning_points(converged) == 1
    assert distributions.turning_points(grid) > 20
    ratio = grid / converged
    assert 1e5 < ratio[30] < 1e6
    assert np.median(np.delete(ratio, 30)) < 0.05
    other = paper.experiment("published", angles=paper.angles() + np.deg2rad(0.1))
    moved = distributions.grid_sum(paper, other) / paper.sums(other)[1]
    assert moved.max() < 1e3  # the peak sits on one node of the grid


def test_shapes_of_pairs_and_masses(paper: Paper) -> None:
    """Planar massive pairs at P = w: the relative change of D is of the order m^2 / s."""
    parts = distributions.pair_parts(paper, "published")
    total = paper.sums(paper.experiment("published"))[1]
    np.testing.assert_allclose(parts.sum(axis=0), total, rtol=1e-12)
    middle = parts[:, 30]
    assert [PAIRS[k] for k in np.argsort(-middle)[:2]] == ["33", "12"]
    corrected = distributions.pair_parts(paper, "corrected")[:, 30]
    assert PAIRS[int(np.argmax(corrected))] == "12"
    assert abs(corrected[5] / corrected[1]) < 1e-3
    setup = paper.experiment("published")
    changes = [
        np.abs(
            distributions.shape(distributions.magnetization_shape(paper, setup, m))
            - distributions.shape(distributions.magnetization_shape(paper, setup, 0.001))
        ).max()
        for m in (0.05, 0.1)
    ]
    assert changes[1] / changes[0] == pytest.approx(4.0, rel=0.05)


def test_smallest_mass_scales_with_the_noise(paper: Paper) -> None:
    """The error of m^2 is linear in noise over signal, so the mass goes as its root."""
    base = distributions.smallest_mass_meV(paper, "published")
    brighter = dict(paper.inputs) | {"chi_squared": (16e-3,)}
    again = distributions.smallest_mass_meV(replace(paper, inputs=brighter), "published")
    assert base / again == pytest.approx(4.0)
    # the same error by a fit of amplitude and m^2 to the two shapes
    setup = paper.experiment("published")
    shapes = [distributions.magnetization_shape(paper, setup, m) for m in (0.01, 0.05)]
    slope = (shapes[1] - shapes[0]) / (0.05**2 - 0.01**2)
    covariance = np.linalg.inv(np.array([[a @ b for b in (shapes[0], slope)]
                                         for a in (shapes[0], slope)]))  # fmt: skip
    field = distributions.signal_factor(setup, 1e-3)
    sigma = distributions.standard_error_nG(setup.detector, setup.lasers, 61) / field
    assert base == pytest.approx(1e3 * (sigma * np.sqrt(covariance[1, 1])) ** 0.5, rel=1e-3)


def test_findings_meet_their_closed_forms(paper: Paper) -> None:
    for finding in findings(paper):
        assert finding.value == pytest.approx(finding.closed_form, rel=1e-6), finding.id
    assert pair_thresholds(paper)["11"] == pytest.approx(85.822, abs=1e-3)
    text = (Path(renp_infer.__file__).parents[1] / "docs" / "ledger.md").read_text(encoding="utf-8")
    for finding in findings(paper):
        assert f"## {finding.derivation.rpartition(', ')[2]}." in text


def test_cases_of_the_c_axis(paper: Paper) -> None:
    """At P = 0 full pairs are isotropic; planar ones have <p_z^2> : <p_y^2> by |sin|^2."""
    cases = {(c.case, c.current): c for c in axis_cases(paper)}
    assert all(c.corrected == pytest.approx(1.0, abs=1e-6) for c in cases.values())
    # massless: E E - p1.p2 = 2 E^2; the current adds -2 E^2 cos^2, weights |sin|^2
    turn = np.linspace(0, 2 * pi, 20_000, endpoint=False)
    weight = np.sin(turn) ** 2
    share = {1: np.cos(turn) ** 2, 2: np.sin(turn) ** 2, 3: 0.0 * turn}
    for (case, current), found in cases.items():
        term = 2 - 2 * share[case] if current == "parallel" else 1 + share[case]
        expected = np.average(term, weights=weight) / np.average(2 - 2 * share[1], weights=weight)
        assert found.published == pytest.approx(expected, rel=1e-3)
    assert cases[3, "parallel"].direction == 0.0
    assert cases[2, "parallel"].direction == pytest.approx(np.tan(paper.directions[0]))


def weak(rows: dict[str, Row], name: str) -> float:
    found = rows[name].found.first_principles
    assert isinstance(found, float)
    return found


def test_rows_from_the_weak_hamiltonian(paper: Paper, rows: dict[str, Row]) -> None:
    """Against closed forms, and the emission by its own formula."""
    assert weak(rows, "sec1-spatial") == pytest.approx(2 / 3)  # s / eps^2 at eps / sqrt 3
    assert weak(rows, "eq6-sign") == -1.0
    assert weak(rows, "eq10-half") == pytest.approx(2.0)  # |1 - gamma_5|^2 is twice 1 - gamma_5
    assert weak(rows, "eq16-trigger") == 1.0
    assert value(rows, "eq16-trigger") == pytest.approx(4 * 748**2)
    for name in ("sec2-up-down", "sec6-cp-odd", "eq61-unpolarised", "sec6-crystal-field"):
        assert abs(weak(rows, name)) < 1e-12
        assert rows[name].verdict == "not reproducible"
    # pairs of the reference crystal: 16 times Eq. (57) / 2 without 4 h_r^2, partners 1/2
    ratio = weak(rows, "eq57-rate") / rows["eq57-rate"].found.corrected
    h_r = np.sqrt(rows["eq16-trigger"].found.corrected / 4)
    assert ratio == pytest.approx(16 * 0.5 / (4 * h_r**2))


def test_the_field_from_the_weak_hamiltonian_is_the_emission(
    paper: Paper, rows: dict[str, Row]
) -> None:
    setup = paper.experiment("first-principles")
    target, layout = setup.target, setup.layout
    channel = component_channel(target)
    ion = Currents(spin=channel.spin, magnetic=channel.magnetic, delta_mu=channel.delta_mu)
    w_l, w_t = mismatch(layout.theta_s, layout.theta_e, target)
    momentum = np.stack([w_t, 0.0 * w_t, w_l], axis=-1)  # c, the ion's z, along k1
    parameters = paper.parameters()
    sums = pair_sums(
        target.epsilon_ep**2 - np.sum(momentum**2, axis=-1),
        masses(parameters),
        *couplings(parameters),
        "dirac",
    )
    crystal = Emitters(target.density_per_cm3 * layout.volume_cm3, layout.volume_cm3, 0.25)
    moment = moment_rate_muB_per_s(crystal, ion, sums, target.epsilon_ep, momentum)
    field = 4 * field_rate_nG_per_s(moment, layout.volume_cm3, setup.detector.coupling)
    assert weak(rows, "eq64-field") == pytest.approx(np.max(np.abs(field)), rel=1e-4, abs=0.0)


def test_pairs_set_in_as_a_root_in_space_and_as_a_step_in_the_plane(paper: Paper) -> None:
    """Phi goes as sqrt(s - 4 m^2); in the plane p* cancels against p1y p2y = -P_y^2 / 4."""
    assert other_papers.onset_power(paper, "full") == pytest.approx(0.5, abs=1e-4)
    assert other_papers.onset_power(paper, "planar") == pytest.approx(0.0, abs=1e-4)


def test_another_papers_formula_can_fail(paper: Paper, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundredth of the recoil term is seen, and no other paper's row may agree then."""
    honest = other_papers.spectrum
    monkeypatch.setattr(
        other_papers, "spectrum", lambda e, w, p: honest(e, w, p) - 1e-2 * w**2 / 18.0
    )
    with pytest.raises(DomainError, match="dinh-spectrum"):
        ledger.make_ledger(paper)


def test_agreement_is_never_typed_in(paper: Paper) -> None:
    """No calculation may judge itself right."""
    judged = {row.judged for row in ledger.recompute(paper).values()}
    assert not judged & {AGREES, ROUNDING}
