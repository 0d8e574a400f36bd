"""Published limits against sums by hand."""

import numpy as np
import pytest

from renp_infer.errors import ConfigError
from renp_infer.inference.knowledge import published_limits
from renp_infer.inference.knowledge.published_limits import Limit, load_limits
from renp_infer.physics.neutrinos import load_oscillation, make_parameters, masses

TABLE = load_oscillation("nufit-6.0")


def truth(ordering, m1_eV=0.05):
    return make_parameters(m1_eV, ordering, "dirac", 0.0, 0.0, 0.0, TABLE)


@pytest.mark.parametrize("ordering", ["normal", "inverted"])
def test_a_limit_that_the_masses_just_meet_gives_their_m1(ordering):
    m = 1e3 * masses(truth(ordering))
    total = Limit("x", "sum", float(m.sum()), 0.95, "credible", "2025", "none")
    assert total.on_m1_meV(truth(ordering, 0.2)) == pytest.approx(50.0, rel=1e-9)
    s12, s13 = truth(ordering).sin2_12, truth(ordering).sin2_13
    shares = np.array([(1 - s12) * (1 - s13), s12 * (1 - s13), s13])
    beta = Limit("x", "m_beta", float(np.sqrt(shares @ m**2)), 0.9, "confidence", "2025", "none")
    assert beta.on_m1_meV(truth(ordering, 0.2)) == pytest.approx(50.0, rel=1e-9)


def test_a_sum_below_what_oscillations_allow_leaves_no_mass():
    small = Limit("x", "sum", 64.2, 0.95, "credible", "2025", "none")
    assert np.isnan(small.on_m1_meV(truth("inverted")))
    assert 0.0 < small.on_m1_meV(truth("normal")) < 5.0
    least = float(1e3 * masses(truth("inverted", 0.0)).sum())
    for beyond, allowed in ((-0.5, False), (0.5, True)):
        limit = Limit("x", "sum", least + beyond, 0.95, "credible", "2025", "none")
        assert np.isfinite(limit.on_m1_meV(truth("inverted"))) == allowed


@pytest.mark.parametrize("ordering", ["normal", "inverted"])
def test_double_beta_decay_bounds_the_mass_whatever_the_phases(ordering):
    """At the mass that it leaves, the least length over a grid of phases is the limit."""
    limit = next(limit for limit in load_limits() if limit.quantity == "m_betabeta")
    m1 = limit.on_m1_meV(truth(ordering))
    m, angles = 1e3 * masses(truth(ordering, 1e-3 * m1)), np.linspace(0.0, 2.0 * np.pi, 361)
    s12, s13 = truth(ordering).sin2_12, truth(ordering).sin2_13
    shares = np.array([(1 - s12) * (1 - s13), s12 * (1 - s13), s13])
    turns = np.exp(1j * angles)
    lengths = np.abs(
        shares[0] * m[0] + shares[1] * m[1] * turns[:, None] + shares[2] * m[2] * turns
    )
    assert lengths.min() == pytest.approx(limit.value_meV, rel=1e-9)
    assert m1 > 2.0 * limit.value_meV


SPLITTINGS_MEV2 = {"normal": (7.49e1, 2.513e3), "inverted": (7.49e1, -2.484e3)}
"""NuFIT 6.0: dm21, and dm31 or dm32; meV^2, as published."""


@pytest.mark.parametrize(
    ("name", "ordering", "m1_meV"),
    [
        ("DESI DR2 + CMB, w0waCDM", "normal", 46.8),
        ("DESI DR2 + CMB, w0waCDM", "inverted", 38.1),
        ("DESI DR2 + CMB, LCDM", "normal", 4.2),
        ("DESI DR2 + CMB + oscillations, LCDM", "normal", 23.0),
    ],
)
def test_the_shipped_sums_by_hand(name, ordering, m1_meV):
    """Masses written out for both orderings; figures of the provenance to their digits."""
    limit = next(limit for limit in load_limits() if limit.name == name)
    m1 = limit.on_m1_meV(truth(ordering))
    assert m1 == pytest.approx(m1_meV, abs=0.1)
    small, large = SPLITTINGS_MEV2[ordering]
    heavy = np.sqrt(m1**2 + np.abs(large))
    middle = np.sqrt(m1**2 + small) if ordering == "normal" else np.sqrt(heavy**2 - small)
    expected = m1 if limit.quantity == "lightest" else m1 + middle + heavy
    assert expected == pytest.approx(limit.value_meV, rel=1e-3)


@pytest.mark.parametrize(
    ("line", "path", "got", "allowed"),
    [
        ('quantity = "m_nu"', "a.toml:quantity", "m_nu", "m_beta, m_betabeta, sum, lightest"),
        (
            'quantity = "sum"\nlow_meV = 2.0',
            "a.toml:low_meV",
            2.0,
            "a number, > 0, < value_meV = 1",
        ),
        ("quantity = 3", "a.toml:quantity", 3, "str"),
        ("", "a.toml:quantity", None, "str"),
        ('quantity = "sum"\nlevel = "high"', "a.toml:level", "high", "float"),
        ("quantity =", "a.toml", None, ""),
    ],
)
def test_a_file_that_is_no_limit_is_refused(tmp_path, monkeypatch, line, path, got, allowed):
    """By file and key, what was given and what is allowed."""
    (tmp_path / "limits").mkdir()
    rest = 'name = "n"\nvalue_meV = 1.0\nkind = "k"\ndate = "d"\nsource = "s"\n'
    level = "" if "level" in line else "level = 0.9\n"
    (tmp_path / "limits" / "a.toml").write_text(rest + level + line)
    monkeypatch.setattr(published_limits, "share_path", lambda name: tmp_path)
    with pytest.raises(ConfigError) as caught:
        load_limits()
    assert path in caught.value.path
    if allowed:
        assert (caught.value.path, caught.value.given) == (path, got)
        assert caught.value.allowed == allowed


def test_every_file_has_date_and_source():
    limits = load_limits()
    assert {limit.quantity for limit in limits} == {"m_beta", "m_betabeta", "sum", "lightest"}
    assert all(limit.date and limit.source and 0.5 < limit.level < 1 for limit in limits)
