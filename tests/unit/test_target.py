"""The erbium scheme against the paper, and refusal of everything wrong."""

import math
import pickle

import pytest

from renp_infer import resources
from renp_infer.errors import ConfigError
from renp_infer.physics import constants
from renp_infer.physics.target import TRANSITIONS, load_target

FILE = resources.share_path("models") / "targets" / "er-ylf.toml"


@pytest.fixture
def edited(tmp_path):
    """Write the shipped scheme with one edit and return its path."""

    def write(old, new):
        text = FILE.read_text(encoding="utf-8")
        assert text.count(old) >= 1, old
        path = tmp_path / "mine.toml"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return path

    return write


def test_energies_and_pair_energy():
    target = load_target("er-ylf")
    assert target.omega_1 + target.omega_2 == pytest.approx(2.3946, abs=1e-12)
    assert target.epsilon_ep == pytest.approx(1.5896, abs=1e-12)


def test_total_rates_by_transition():
    target = load_target("er-ylf")
    total = {t: target.md_rates_per_s[t] + target.ed_rates_per_s[t] for t in TRANSITIONS}
    expected = dict(eg=518.02, eq=10.31, ep=57.34, qg=4.13, qp=4.68, pg=27.28)
    assert total == pytest.approx(expected, abs=1e-9)
    assert target.gamma_ep_per_s == pytest.approx(total["ep"])
    assert 1e3 / sum(total[t] for t in ("eg", "eq", "ep")) == pytest.approx(1.7, abs=0.01)


@pytest.mark.parametrize(
    ("rate", "expected"), [("pg", 0.248), ("qp", 0.148), ("ep", 0.622), ("eq", 0.999)]
)
def test_velocity_to_spin_ratios_of_table_one(rate, expected):
    """(eps / 2 m_e) sqrt(ED / MD), recomputed; the printed 1.2 of ep is not."""
    target = load_target("er-ylf")
    energy = {"pg": 0.805, "qp": 0.481, "ep": 1.5896, "eq": 1.1086}[rate]
    ratio = math.sqrt(target.ed_rates_per_s[rate] / target.md_rates_per_s[rate])
    value = energy / (2.0 * constants.ELECTRON_MASS_EV) * ratio
    assert 1e6 * value == pytest.approx(expected, abs=6e-4)


def test_printed_values_are_consistent_with_each_other():
    printed = load_target("er-ylf").printed
    ratio = printed["v_reduced_used"] / printed["S_reduced"]
    assert ratio == pytest.approx(7.18e-7, rel=1e-3)
    product = printed["S_ep_squared"] * ratio
    assert product == pytest.approx(1.127e-8, rel=1e-3)
    assert product == pytest.approx(printed["v_times_S"], rel=0.03)
    assert printed["h_r"] == 748.0
    rate = printed["C_per_s_eV5"] * printed["S_ep_squared"]
    assert rate == pytest.approx(printed["rate_per_s_eV5"], rel=2e-3)


def test_composition_of_the_current():
    target = load_target("er-ylf")
    assert target.j_m == {"e": (5.5, 0.5), "p": (6.5, 1.5), "g": (7.5, 2.5)}
    amplitude = math.sqrt(target.composition["e"] * target.composition["p"])
    assert amplitude == pytest.approx(0.199, abs=5e-4)  # printed above Eq. (37)


def test_every_number_states_unit_and_source():
    tree = resources.read_toml(FILE, "target")

    def leaves(node):
        if isinstance(node, dict) and not any(isinstance(v, dict | list) for v in node.values()):
            yield node
        elif isinstance(node, dict | list):
            for child in node.values() if isinstance(node, dict) else node:
                yield from leaves(child)

    found = list(leaves(tree))
    assert len(found) > 30
    assert all(leaf.get("source") for leaf in found)
    assert all("unit" in leaf or "probability" in leaf for leaf in found)


def test_overrides_replace_the_file():
    target = load_target(
        "er-ylf", density_per_cm3=2e18, gamma_ep_per_s=1e6, refractive_index=1.4487
    )
    assert target.density_per_cm3 == 2e18
    assert target.gamma_ep_per_s == 1e6
    assert target.refractive_index == 1.4487


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf, "1e19", True])
@pytest.mark.parametrize("name", ["density_per_cm3", "gamma_ep_per_s", "refractive_index"])
def test_impossible_overrides_are_refused_by_key(name, value):
    with pytest.raises(ConfigError, match=f"target.{name}"):
        load_target("er-ylf", **{name: value})


def test_a_path_is_accepted_and_the_record_pickles(edited):
    target = load_target(edited("value = 1.4e19", "value = 7e18"))
    assert (target.name, target.density_per_cm3) == ("mine", 7e18)
    assert pickle.loads(pickle.dumps(target)) == target


def test_unknown_scheme_names_the_nearest():
    with pytest.raises(ConfigError, match=r"target\.scheme.*did you mean 'er-ylf'") as caught:
        load_target("er-yfl")
    assert caught.value.given == "er-yfl"


@pytest.mark.parametrize(
    "name", ["../targets/er-ylf", "targets/er-ylf", "..", "", "er-ylf\x00", "/etc/passwd"]
)
def test_a_name_is_not_a_path(name):
    with pytest.raises(ConfigError, match=r"target\.scheme"):
        load_target(name)


def test_unreadable_files(tmp_path):
    missing, folder = tmp_path / "no.toml", tmp_path / "folder.toml"
    latin, broken = tmp_path / "latin.toml", tmp_path / "broken.toml"
    folder.mkdir()
    latin.write_bytes(b'title = "\xe9"')
    broken.write_text("[levels\n", encoding="utf-8")
    for path, match in (
        (missing, "readable file"),
        (folder, "readable file"),
        ("a\x00.toml", "readable file"),
        (latin, "UTF-8"),
        (broken, "valid TOML"),
    ):
        with pytest.raises(ConfigError, match=match):
            load_target(path)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("value = 1.1086", "value = 1.1091", "mine.toml:photons.omega_2"),
        ("energy = 0.805", "energy = 0.806", "mine.toml:photons.omega_s"),
        ("MD = 49.43", "MD = -49.43", "mine.toml:rates.ep.MD"),
        ("ED = 7.91", "ED = nan", "mine.toml:rates.ep.ED"),
        ("MD = 0.0, ED = 4.13", "MD = 0.0, ED = 0.0", "mine.toml:rates.qg"),
        ("qp = { MD", "# qp = { MD", "mine.toml:rates.qp.MD"),
        ("qp = { MD", "pq = { MD", "mine.toml:rates.pq.*allowed: ep, pg"),
        ('ED = 7.91, unit = "1/s"', 'ED = 7.91, unit = "1/ms"', "rates.ep.MD unit"),
        ("[crystal]", "[cristal]", "mine.toml:cristal.*did you mean 'crystal'"),
        ("value = 5.9", 'value = "5.9"', "mine.toml:crystal.g_factor.value"),
        ("[levels]", "levels = 3\n[levls]", "mine.toml:levls"),
        ("M = 0.5,", "M = 0.7,", "mine.toml:composition.e.M"),
        ("M = 1.5, probability = 0.2559", "M = 7.5, probability = 0.2559", "composition.p.M"),
        ("probability = 0.2401", "probability = 0.95", "composition.e.probability"),
        ("0.1547, used = true", "0.1547, used = false", "mine.toml:composition.e.used"),
        ("h_r = { value = 748.0", "h_r = { value = -1", "mine.toml:printed.h_r"),
    ],
)
def test_inconsistent_schemes_are_blamed_by_key(edited, old, new, key):
    with pytest.raises(ConfigError, match=key):
        load_target(edited(old, new))


def test_pair_energy_must_be_positive(edited):
    """A scheme whose photons close but whose level p lies above e."""
    path = edited("energy = 0.805", "energy = 2.5")
    text = path.read_text().replace("value = 0.805", "value = 2.5", 1)
    path.write_text(text)
    with pytest.raises(ConfigError, match="neutrino pair"):
        load_target(path)


def test_a_missing_share_folder_is_an_incomplete_installation(tmp_path, monkeypatch):
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "renp_infer")
    with pytest.raises(OSError, match="models"):
        resources.share_path("models")


def test_an_installed_package_prefers_its_own_folder(tmp_path, monkeypatch):
    package = tmp_path / "renp_infer"
    (tmp_path / "models").mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", package)
    assert resources.share_path("models") == tmp_path / "models"
    (package / "_share" / "models").mkdir(parents=True)
    assert resources.share_path("models") == package / "_share" / "models"
