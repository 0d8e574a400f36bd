"""The erbium scheme against the paper, and refusal of everything wrong."""

import math
import pickle

import pytest

from renp_infer import resources
from renp_infer.errors import ConfigError, DomainError
from renp_infer.physics import constants
from renp_infer.physics.targets.matrix_elements import spin_squared
from renp_infer.physics.targets.scheme import TRANSITIONS, read_scheme
from renp_infer.physics.targets.target import load_target
from renp_infer.records import PRESETS

FILE = resources.share_path("models") / "targets" / "er-ylf.toml"
FILES = sorted(FILE.parent.glob("*.toml"))


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


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_number_states_unit_and_source(file):
    tree = resources.read_toml(file, "target")
    tree.pop("built", None)  # tables with one source each

    def leaves(node):
        if isinstance(node, dict) and not any(isinstance(v, dict | list) for v in node.values()):
            yield node
        elif isinstance(node, dict | list):
            for child in node.values() if isinstance(node, dict) else node:
                yield from leaves(child)

    found = list(leaves(tree))
    assert len(found) > 20  # one with a single channel has 23
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
    target = load_target(edited("g_factor = { value = 5.9", "g_factor = { value = 4.0"))
    assert (target.name, target.g_factor) == ("mine", 4.0)
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
        ("M = 3.5, prob", "M = 6.5, prob", "mine.toml:composition.e.M"),  # not used, but > J
        ("M = 3.5, prob", "M = 0.5, prob", "composition.e.M.*each M once"),
        ("[composition]", "[composition]\ncomplete = true", "composition.g.prob.*a sum of 1"),
        ("[composition]", "[composition]\ncomplete = 1.5", "composition.complete"),
        ("J = 7.5", "J = 7.3", "mine.toml:levels.g.J"),
        ("J = 7.5", "J = 7.0", "mine.toml:(levels|composition.g.M)"),
        ("energy = 1.286", "energy = 0.5", "mine.toml:photons.omega_1"),
        ("MD = 0.0, ED = 518.02", "MD = 1.0, ED = 518.02", "rates.eg.MD.*J changes by more"),
        ("MD = 49.43", "MD = 0.0", "rates.ep.MD.*spin current"),
        ("concentration = { value = 0.001", "concentration = { value = 0.01", "density_per_cm3"),
        ("B = [0.70757, 0.18849]", "B = [0.70757]", "sellmeier.ordinary.C_um2.*as many"),
        ("range_um = [0.225, 2.6]", "range_um = [2.6, 0.225]", "sellmeier.ordinary.range_um"),
        ("[rates]", "[current]\nS_sq = 1\n[rates]", "mine.toml:current.S_sq"),
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


def test_a_level_out_of_order_is_no_decay(edited):
    """q below p: the photons close, but the decay q -> p would go upwards."""
    path = edited("energy = 1.286", "energy = 0.5")
    text = path.read_text().replace("value = 1.286", "value = 0.5", 1)
    path.write_text(text.replace("value = 1.1086", "value = 1.8946", 1))
    with pytest.raises(ConfigError, match=r"levels\.q\.energy.*rates\.qp is no decay"):
        load_target(path)


def test_composition_may_be_replaced_by_the_current_itself(edited):
    path = edited("0.1547, used = true", "0.1547")
    with pytest.raises(ConfigError, match=r"composition\.e\.used"):
        load_target(path)
    text = path.read_text().replace(
        "[rates]", '[current.S_ep_squared]\nvalue = 0.3\nunit = "1"\n[rates]'
    )
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"moments\.e: .*component of composition\.e"):
        load_target(path)
    head, _, rest = text.partition("[moments]")
    text = head + rest[rest.index("[printed]") :]
    path.write_text(text)
    assert load_target(path).spin_squared == 0.3
    assert spin_squared(load_target(path), PRESETS["corrected"]) == 0.3


def test_host_values_replace_what_the_file_leaves_out(edited):
    """Mean ordinary index 1.4472 of the three photons; sites times concentration."""
    path = edited("refractive_index = {", "# refractive_index = {")
    text = path.read_text().replace(
        "density_per_cm3 = { value = 1.4e19", "# d = { value = 1.4e19", 1
    )
    path.write_text(text)
    target = load_target(path)
    assert target.refractive_index == pytest.approx((1.4487 + 1.4477 + 1.4452) / 3, abs=5e-5)
    assert target.density_per_cm3 == pytest.approx(1.397e19)
    path.write_text(text.replace("range_um = [0.225, 2.6]", "range_um = [0.225, 1.2]", 1))
    with pytest.raises(ConfigError, match=r"sellmeier\.ordinary\.range_um.*all photons"):
        load_target(path)


def test_sellmeier_formula_against_tabulated_indices():
    """n_o and n_e of LiYF4 at the three photon energies, as tabulated to 1e-4."""
    scheme = read_scheme("er-ylf")
    tabulated = {"ordinary": (1.4487, 1.4477, 1.4452), "extraordinary": (1.4709, 1.4698, 1.4672)}
    for ray, values in tabulated.items():
        found = [scheme.sellmeier[ray].index(e) for e in (1.286, 1.1086, 0.805)]
        assert found == pytest.approx(values, abs=5e-5)
    with pytest.raises(DomainError, match="wavelength"):
        scheme.sellmeier["ordinary"].index(0.1)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_shipped_scheme_is_consistent(file):
    """Also by hand: rates, closure, and radiative width, apart from the reader."""
    scheme = read_scheme(file.stem)
    assert scheme.photons["omega_1"] + scheme.photons["omega_2"] == pytest.approx(
        scheme.levels["e"].energy
    )
    assert scheme.crystal["gamma_ep_per_s"] == pytest.approx(scheme.md["ep"] + scheme.ed["ep"])
    target = load_target(file.stem)
    assert 0.0 < spin_squared(target, PRESETS["corrected"]) < 3.0


GENERIC = dict(
    omega_1_eV=1.286,
    omega_2_eV=1.1086,
    omega_s_eV=0.805,
    density_per_cm3=1.4e19,
    refractive_index=1.45,
    g_factor=5.9,
    spin_squared=0.0106,
    md_rates_per_s={"ep": 49.43, "pg": 24.82, "eq": 5.58, "qp": 4.26},
    ed_rates_per_s={"ep": 7.91, "pg": 2.46, "eg": 518.02, "eq": 4.73, "qg": 4.13, "qp": 0.42},
)


def test_a_generic_scheme_with_the_values_of_erbium_is_erbium():
    er, generic = load_target("er-ylf"), load_target("generic", **GENERIC)
    for name in ("omega_1", "omega_2", "omega_s", "g_factor", "md_rates_per_s", "ed_rates_per_s"):
        assert getattr(generic, name) == getattr(er, name)
    assert generic.gamma_ep_per_s == pytest.approx(er.gamma_ep_per_s)
    assert generic.printed == {}


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"omega_1_eV": None}, "target.omega_1_eV"),
        ({"omega_2_eV": -1.0}, "target.omega_2_eV"),
        ({"omega_s_eV": 2.5}, "target.omega_s_eV.*neutrino pair"),
        ({"density_per_cm3": None}, "target.density_per_cm3"),
        ({"spin_squared": None}, "target.spin_squared"),
        ({"md_rates_per_s": {"pg": 1.0}}, "target.md_rates_per_s.ep"),
        ({"ed_rates_per_s": {"ep": 1.0}}, "target.ed_rates_per_s.eg"),
        ({"ed_rates_per_s": {"eg": -1.0}}, "target.ed_rates_per_s.eg"),
    ],
)
def test_incomplete_generic_schemes_are_blamed_by_key(change, key):
    with pytest.raises(ConfigError, match=key):
        load_target("generic", **(GENERIC | change))


def test_generic_keys_are_refused_elsewhere():
    with pytest.raises(ConfigError, match=r"target\.omega_1_eV.*generic"):
        load_target("er-ylf", omega_1_eV=1.0)
    with pytest.raises(TypeError, match="omega_3"):
        load_target("er-ylf", omega_3=1.0)


def test_a_missing_share_folder_is_an_incomplete_installation(tmp_path, monkeypatch):
    monkeypatch.setattr(resources, "PACKAGE", tmp_path / "renp_infer")
    with pytest.raises(OSError, match="models"):
        resources.share_path("models")


def test_an_installed_package_prefers_its_own_folder(tmp_path, monkeypatch):
    package = tmp_path / "renp_infer"
    (tmp_path / "models").mkdir()
    monkeypatch.setattr(resources, "PACKAGE", package)
    assert resources.share_path("models") == tmp_path / "models"
    (package / "_share" / "models").mkdir(parents=True)
    assert resources.share_path("models") == package / "_share" / "models"
