"""Masses, mixing and weights against the paper and against hand formulas."""

import dataclasses
import math

import numpy as np
import pytest

from renp_infer import resources
from renp_infer.errors import ConfigError, DomainError
from renp_infer.physics import neutrinos as nu
from renp_infer.records import PAIR_INDEX, PAIRS, Switches

EQ3, TABLE = Switches(weights="eq3"), Switches(weights="table-iv")
PRINTED_RATE = [0.0311, 0.405, 0.0401, 0.0325, 0.0144, 0.227]
PRINTED_PV = [0.115, 0.405, 0.1356, 0.0325, 0.0144, 0.454]


def draw(m1=0.05, ordering="normal", nature="dirac", phases=(0.0, 0.0, 0.0), table="seed"):
    return nu.make_parameters(m1, ordering, nature, *phases, nu.load_oscillation(table))


@pytest.mark.parametrize("table", ["seed", "nufit-6.0"])
@pytest.mark.parametrize("m1", [0.0, 0.01, 0.45])
def test_normal_ordering_recovers_the_splittings(table, m1):
    p = draw(m1, "normal", table=table)
    one, two, three = nu.masses(p)
    assert one == m1 and one < two < three
    assert two**2 - one**2 == pytest.approx(p.dm2_21, rel=1e-9)
    assert three**2 - one**2 == pytest.approx(p.dm2_3l, rel=1e-9)


@pytest.mark.parametrize("table", ["seed", "nufit-6.0"])
@pytest.mark.parametrize("m1", [0.0, 0.01, 0.45])
def test_inverted_ordering_recovers_the_splittings(table, m1):
    p = draw(m1, "inverted", table=table)
    one, two, three = nu.masses(p)
    assert three == m1 and three < one < two
    assert two**2 - one**2 == pytest.approx(p.dm2_21, rel=1e-9)
    assert three**2 - two**2 == pytest.approx(p.dm2_3l, rel=1e-9)


def test_massless_limits_by_hand():
    np.testing.assert_allclose(
        nu.masses(draw(0.0, "normal", table="nufit-6.0")),
        [0.0, math.sqrt(7.49e-5), math.sqrt(2.513e-3)],
    )
    np.testing.assert_allclose(
        nu.masses(draw(0.0, "inverted", table="nufit-6.0")),
        [math.sqrt(2.484e-3 - 7.49e-5), math.sqrt(2.484e-3), 0.0],
    )


@pytest.mark.parametrize("m1", [-1e-6, math.nan, math.inf])
def test_impossible_masses_are_refused(m1):
    with pytest.raises(DomainError, match="m1_eV"):
        draw(m1)


def test_a_splitting_of_the_wrong_sign_is_refused():
    p = draw(0.01, "normal")
    for wrong in ({"dm2_3l": -2.5e-3}, {"ordering": "inverted"}, {"dm2_21": -1e-5}):
        with pytest.raises(DomainError, match="dm2"):
            nu.masses(dataclasses.replace(p, **wrong))


@pytest.mark.parametrize(
    ("field", "value"), [("ordering", "quasi"), ("nature", "sterile"), ("delta", math.nan)]
)
def test_unknown_hypotheses_are_refused(field, value):
    given = dict(ordering="normal", nature="dirac", delta=0.0) | {field: value}
    with pytest.raises(DomainError, match=field):
        nu.make_parameters(
            0.01, alpha21=0.0, alpha31=0.0, table=nu.load_oscillation("seed"), **given
        )


def test_electron_row_is_the_product_of_rotations():
    """First row of R23 U13(delta) R12 diag(1, e^(i a21/2), e^(i a31/2))."""
    p = draw(phases=(1.1, 0.7, -2.3), nature="majorana")
    t12, t13 = math.asin(math.sqrt(p.sin2_12)), math.asin(math.sqrt(p.sin2_13))
    t23 = 0.8  # must drop out
    r12 = np.array(
        [[math.cos(t12), math.sin(t12), 0], [-math.sin(t12), math.cos(t12), 0], [0, 0, 1]]
    )
    r23 = np.array(
        [[1, 0, 0], [0, math.cos(t23), math.sin(t23)], [0, -math.sin(t23), math.cos(t23)]]
    )
    u13 = np.array(
        [
            [math.cos(t13), 0, math.sin(t13) * np.exp(-1j * p.delta)],
            [0, 1, 0],
            [-math.sin(t13) * np.exp(1j * p.delta), 0, math.cos(t13)],
        ]
    )
    majorana = np.diag(np.exp(0.5j * np.array([0.0, p.alpha21, p.alpha31])))
    row = (r23 @ u13 @ r12 @ majorana)[0]
    np.testing.assert_allclose(nu.electron_row(p), row, atol=1e-15)


@pytest.mark.parametrize("sine", [-1e-9, 1.001, math.nan])
def test_mixing_outside_the_unit_interval_is_refused(sine):
    with pytest.raises(DomainError, match="sin2_13"):
        nu.electron_row(dataclasses.replace(draw(), sin2_13=sine))


def test_eq3_weights_and_their_sums():
    w = nu.weights(draw(), EQ3)
    expected = [0.1151, 0.4053, -0.0552, 0.0325, 0.0144, 0.0000]
    np.testing.assert_allclose(w.pv, expected, atol=5e-5)
    assert w.rate.sum() == pytest.approx(0.75, abs=1e-14)
    assert w.pv.sum() == pytest.approx(0.75 - 0.238, abs=1e-14)


def test_sums_hold_for_any_mixing_and_phase():
    rng = np.random.default_rng(3)
    for _ in range(20):
        s12, s13, sw = rng.uniform(0.0, 1.0, 3)
        p = dataclasses.replace(
            draw(phases=rng.uniform(-6.0, 6.0, 3)), sin2_12=s12, sin2_13=s13, sin2_w=sw
        )
        w = nu.weights(p, EQ3)
        assert w.rate.sum() == pytest.approx(0.75, abs=1e-13)
        assert w.pv.sum() == pytest.approx(0.75 - sw, abs=1e-13)


def test_six_weights_are_all_nine_ordered_pairs():
    p = draw(phases=(0.4, 1.0, 2.0), nature="majorana")
    b, c = nu.couplings(p)
    w = nu.weights(p, EQ3)
    for six, nine in (
        (w.pv, b * c.conj()),
        (w.pv_majorana, b * c),
        (w.rate, b * b.conj()),
        (w.rate_majorana, b * b),
    ):
        assert six.sum() == pytest.approx(nine.real.sum(), abs=1e-14)


def test_printed_rate_row_follows_from_the_seed_table():
    """To 0.00051: only (12), 0.4053, and (33), 0.2266, are rounded to three digits."""
    np.testing.assert_allclose(nu.weights(draw(), EQ3).rate, PRINTED_RATE, atol=5.1e-4)


def test_printed_magnetization_row_has_a_sign_error():
    """It follows from b^2 + 2 sin^2 th_w |b|; Eq. (3) has b where it has |b|."""
    p = draw()
    b, _ = nu.couplings(p)
    delta = np.eye(3)
    recipe = b.real**2 + 2.0 * p.sin2_w * np.abs(b) * delta
    row = [recipe[i, j] * (1 if i == j else 2) for i, j in PAIR_INDEX]
    np.testing.assert_allclose(row, PRINTED_PV, atol=1.5e-3)
    right = nu.weights(p, EQ3).pv
    wrong = [n for n in range(6) if abs(right[n] - PRINTED_PV[n]) > 2e-3]
    assert [PAIRS[n] for n in wrong] == ["22", "33"]
    assert sum(PRINTED_PV) == pytest.approx(1.157, abs=1e-3)


def test_table_iv_gives_the_printed_rows():
    w = nu.weights(draw(nature="majorana"), TABLE)
    for got, printed in (
        (w.pv, PRINTED_PV),
        (w.pv_majorana, PRINTED_PV),
        (w.rate, PRINTED_RATE),
        (w.rate_majorana, PRINTED_RATE),
    ):
        assert got.tolist() == printed


@pytest.mark.parametrize(
    ("nature", "phases", "name"),
    [
        ("dirac", (1.0, 0.0, 0.0), "delta"),
        ("majorana", (-0.5, 0.0, 0.0), "delta"),
        ("majorana", (0.0, math.pi, 0.0), "alpha21"),
        ("majorana", (0.0, 0.0, 0.1), "alpha31"),
    ],
)
def test_table_iv_refuses_phases(nature, phases, name):
    with pytest.raises(DomainError, match=name):
        nu.weights(draw(nature=nature, phases=phases), TABLE)


def test_table_iv_accepts_conserved_cp():
    nu.weights(draw(nature="majorana", phases=(math.pi, 2 * math.pi, -4 * math.pi)), TABLE)
    nu.weights(draw(nature="dirac", phases=(-math.pi, 1.0, 2.0)), TABLE)


def test_majorana_phases_do_not_touch_dirac_weights():
    plain, turned = draw(phases=(0.3, 0.0, 0.0)), draw(phases=(0.3, 1.3, -0.8))
    assert np.abs(nu.couplings(plain)[0] - nu.couplings(turned)[0]).max() > 0.1
    a, b = nu.weights(plain, EQ3), nu.weights(turned, EQ3)
    np.testing.assert_allclose(a.pv, b.pv, atol=1e-15)
    np.testing.assert_allclose(a.rate, b.rate, atol=1e-15)


@pytest.mark.parametrize("phases", [(0.0, 0.9, 0.0), (0.7, 0.0, 2.1), (2.0, 1.9, -0.6)])
def test_phases_of_the_majorana_term(phases):
    """cos a21 for (12), cos(a31 - 2 d) for (13), cos(a31 - a21 - 2 d) for (23)."""
    delta, a21, a31 = phases
    real = nu.weights(draw(nature="majorana"), EQ3).rate_majorana
    turned = nu.weights(draw(nature="majorana", phases=phases), EQ3).rate_majorana
    cosines = {
        "12": math.cos(a21),
        "13": math.cos(a31 - 2 * delta),
        "23": math.cos(a31 - a21 - 2 * delta),
    }
    for pair, value, reference in zip(PAIRS, turned, real, strict=True):
        expected = cosines.get(pair, 1.0) * reference
        assert value == pytest.approx(expected, abs=1e-15), pair


def test_nufit_table_is_the_one_with_sk_data():
    """Published values, rounded as printed; the fit without SK has 0.02195, 2.534."""
    table = nu.load_oscillation("nufit-6.0")
    for ordering, s13, split in (("normal", 0.02215, 2.513), ("inverted", 0.02231, -2.484)):
        values, sigmas = table.values[ordering], table.sigmas[ordering]
        assert values["sin2_12"] == 0.308 and values["sin2_13"] == s13
        assert values["dm2_3l"] == pytest.approx(1e-3 * split)
        assert values["dm2_21"] == pytest.approx(7.49e-5)
        assert sigmas["dm2_3l"] == pytest.approx(0.020e-3)
        assert sigmas["sin2_12"] == 0.012
    assert math.degrees(table.values["normal"]["delta"]) == pytest.approx(212.0)
    assert math.degrees(table.values["inverted"]["delta"]) == pytest.approx(274.0)
    assert table.sin2_w == 0.2387


def test_a_path_is_a_table_of_ones_own(tmp_path):
    own = tmp_path / "mine.toml"
    own.write_text((resources.share_path("data") / "oscillation" / "nufit-6.0.toml").read_text())
    found, shipped = nu.load_oscillation(str(own)), nu.load_oscillation("nufit-6.0")
    assert (found.values, found.sigmas, found.name) == (shipped.values, shipped.sigmas, str(own))
    with pytest.raises(ConfigError, match="readable file"):
        nu.load_oscillation(str(tmp_path / "none.toml"))


def test_unknown_table_names_the_nearest():
    with pytest.raises(ConfigError, match=r"neutrino\.oscillation.*did you mean 'nufit-6\.0'"):
        nu.load_oscillation("nufit6")


@pytest.mark.parametrize("name", ["../oscillation/seed", "/etc/passwd", "", "."])
def test_other_paths_are_not_names(name):
    with pytest.raises(ConfigError, match="allowed: nufit-6.0, seed"):
        nu.load_oscillation(name)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("value = 2.513e-3", "value = -2.513e-3", "normal.dm2_3l.value"),
        ("sigma = 0.00057", "sigma = -1.0", "normal.sin2_13.sigma"),
        ("value = 0.02231", "value = nan", "inverted.sin2_13.value"),
        ('unit = "deg"', 'unit = "degree"', "normal.delta.unit"),
        ("[inverted]", "[upside_down]", "bad.toml:inverted"),
        ("[sin2_w]", "[sin2_x]", "bad.toml:sin2_w"),
    ],
)
def test_a_broken_table_is_blamed_by_key(tmp_path, monkeypatch, old, new, key):
    text = (resources.share_path("data") / "oscillation/nufit-6.0.toml").read_text()
    assert old in text
    (tmp_path / "oscillation").mkdir()
    (tmp_path / "oscillation/bad.toml").write_text(text.replace(old, new, 1))
    monkeypatch.setattr(nu, "share_path", lambda name: tmp_path)
    with pytest.raises(ConfigError, match=key):
        nu.load_oscillation("bad")
