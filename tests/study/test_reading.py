"""Every refusal names its key; every default is the documented one."""

import math
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w

from renp_infer.errors import ConfigError
from renp_infer.records import BLOCH_KEYS, PRESETS, switch_names
from renp_infer.resources import share_path
from renp_infer.study.load import load_study
from renp_infer.study.reading import StudyConfig, validate
from renp_infer.study.sections.lasers import CHI_SQUARED_MAX
from renp_infer.study.sections.physics import PhysicsSection
from renp_infer.study.study import Preset, Study
from renp_infer.study.toml.tables import apply_overrides, parse_toml
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.table import verbs_of

GENERIC_TARGET = [
    "physics.preset=corrected",
    "target.scheme=generic",
    "target.omega_1_eV=1.286",
    "target.omega_2_eV=1.1086",
    "target.omega_s_eV='805 meV'",
    "target.density_per_cm3=1.4e19",
    "target.refractive_index=1.45",
    "target.g_factor=5.9",
    "target.spin_squared=0.01",
    "target.md_rates_per_s={ep=49.43,pg=24.82}",
    "target.ed_rates_per_s={ep=7.91,eg=518.02,eq=4.73,qg=4.13,qp=0.42}",
]
EXAMPLE = """
schema = 1
name = "reference"
seed = 20211207

[neutrino]
m1_meV = 50.0
ordering = "normal"
nature = "dirac"
delta_deg = 0.0
alpha21_deg = 0.0
alpha31_deg = 0.0
oscillation = "nufit-6.0"

[physics]
preset = "published"
phase_space = "planar"
form_factor = "lorentzian"
majorana_kappa = 0.125
weights = "eq3"
h_r = "printed"
gamma_power = 1
moment = "density"
rate_prefactor = "C"
matrix_elements = "printed"
bloch = "printed"
current_axis = "parallel"

[target]
scheme = "er-ylf"
density_per_cm3 = 1.4e19
gamma_ep_per_s = 57.34
refractive_index = 1.45

[layout]
length_cm = 2.0
radius_cm = 1.0
theta_e_deg = 141.607
theta_s_deg = { start = 47.99, stop = 69.59, points = 61 }
c_axis_deg = 0.0

[lasers]
eq_mW_cm2 = 9.0
qg_mW_cm2 = 3.0
trigger_mW_cm2 = 1e-3
trigger_delay_lifetimes = 0.2
cycle_ms = 10.0
chi_squared = "bloch"

[detector]
noise_fT_rtHz = 2.0
knee_hz = 1.0
resolution_deg = 1.44
kernel = "box"
coupling = 0.01
spin_relaxation_ms = 5.0
exposure_s = 3600.0
reference_snr = 0.0
"""
SHORT = 'schema = 1\nname = "short"\n'
Load = Callable[..., Study]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load a study from text, with overrides."""

    def from_text(*overrides: str, text: str = SHORT) -> Study:
        path = tmp_path / "study.toml"
        path.write_text(text, encoding="utf-8")
        return load_study(path, overrides)

    return from_text


def refused(override: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        validate(apply_overrides(parse_toml(SHORT, "study.toml"), [override]))
    assert "\n" not in str(caught.value)
    return caught.value


def test_the_documented_example_equals_the_defaults(load: Load) -> None:
    given, default = load(text=EXAMPLE), load("name=reference", "physics.preset=published")
    drop = ("theta_e_deg",)
    for section in ("neutrino", "physics", "target", "lasers", "detector", "accuracy"):
        assert given.resolved[section] == default.resolved[section]
    for key in default.resolved["layout"].keys() - set(drop):
        assert given.resolved["layout"][key] == default.resolved["layout"][key]
    assert default.resolved["layout"]["theta_e_deg"] == pytest.approx(141.607, abs=1e-3)


NUMBERS = [
    "neutrino.m1_meV", "neutrino.delta_deg", "neutrino.alpha21_deg", "neutrino.alpha31_deg",
    "physics.majorana_kappa", "target.density_per_cm3", "target.gamma_ep_per_s",
    "target.refractive_index", "layout.length_cm", "layout.radius_cm",
    "layout.theta_e_deg", "layout.c_axis_deg", "lasers.eq_mW_cm2", "lasers.qg_mW_cm2",
    "lasers.trigger_mW_cm2", "lasers.trigger_delay_lifetimes", "lasers.cycle_ms",
    "lasers.chi_squared", "lasers.eq_duration_lifetimes", "lasers.qg_duration_lifetimes",
    "lasers.trigger_duration_lifetimes", "lasers.eq_detuning_kHz", "lasers.qg_detuning_kHz",
    "lasers.trigger_detuning_kHz", "lasers.dephasing_per_s",
    "lasers.inhomogeneous_width_kHz", "detector.noise_fT_rtHz", "detector.knee_hz",
    "detector.drift_fT", "detector.drift_time_s", "detector.resolution_deg",
    "detector.noise_uPhi0_rtHz", "detector.flux_transfer", "lasers.zeeman_field_G",
    "detector.coupling", "detector.spin_relaxation_ms", "detector.exposure_s",
    "detector.reference_snr", "accuracy.relative_tolerance", "inference.target_accept",
    "inference.m1_min_meV", "inference.m1_max_meV", "inference.amplitude_sd",
    "inference.baseline_sd", "inference.leakage_sd", "inference.refractive_index_sd",
    "inference.theta_s_offset_sd_deg", "inference.theta_e_offset_sd_deg",
]  # fmt: skip
SIGNED = {key for key in NUMBERS if key.startswith(("neutrino.", "layout.theta", "layout.c"))}
SIGNED -= {"neutrino.m1_meV"}
SIGNED |= {f"lasers.{name}_detuning_kHz" for name in ("eq", "qg", "trigger")}


@pytest.mark.parametrize("key", NUMBERS)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "true", '"many"', "[1]", "{}", '"5"'])
def test_a_number_is_a_finite_number(key: str, value: str) -> None:
    assert refused(f"{key}={value}").path == key


@pytest.mark.parametrize("key", sorted(set(NUMBERS) - SIGNED))
def test_negative_numbers_are_refused(key: str) -> None:
    assert refused(f"{key}=-1e-9").path == key


BLOCH_VALUES = dict.fromkeys(BLOCH_KEYS, "0.5") | {"cycle_start": "periodic"}
CHOICES = [
    "neutrino.ordering", "neutrino.nature", "physics.preset", "lasers.cycle_start",
    "detector.kernel",
    "inference.sampler", "inference.m1_prior", "inference.phases", "inference.noise",
    *(f"physics.{name}" for name in switch_names() if name != "majorana_kappa"),
]  # fmt: skip


@pytest.mark.parametrize("key", CHOICES)
@pytest.mark.parametrize("value", ["nothing-like-it", "true", "1.0", "[]"])
def test_a_choice_is_one_of_its_options(key: str, value: str) -> None:
    assert refused(f"{key}={value}").path == key


@pytest.mark.parametrize(
    ("override", "path"),
    [
        ("schema=2", "schema"),
        ("schema=1.0", "schema"),
        ("schema=true", "schema"),
        ("seed=-1", "seed"),
        ("seed=1.5", "seed"),
        ("seed=true", "seed"),
        ("name=''", "name"),
        ("name=3", "name"),
        ("name='../up'", "name"),
        ("name='a/b'", "name"),
        ("name='.hidden'", "name"),
        ("name='..'", "name"),
        ('name="a\\nb"', "name"),
        ('name="a\\u0000b"', "name"),
        ("name='ü'", "name"),
        (f"name='{'x' * 101}'", "name"),
        ("neutrino=1", "neutrino"),
        ("neutrino=[]", "neutrino"),
        ("inference=false", "inference"),
        ("neutrino.m1_ev=1", "neutrino.m1_ev"),
        ("nutrino.m1_meV=1", "nutrino"),
        ("forecast.x=1", "forecast.x"),
        ("forecast.m1_meV=[]", "forecast.m1_meV"),
        ("forecast.m1_meV=[2.0, 1.0]", "forecast.m1_meV"),
        ("forecast.m1_meV=[0.0, 1.0]", "forecast.m1_meV[0]"),
        ("forecast.m1_meV={stop=0.05}", "forecast.m1_meV"),
        ("forecast.m1_meV=3.0", "forecast.m1_meV"),
        ("forecast.methods=[]", "forecast.methods"),
        ("forecast.methods=['fischer']", "forecast.methods"),
        ("forecast.natures=['dirac', 'dirac']", "forecast.natures"),
        ("forecast.systematics='all'", "forecast.systematics"),
        ("forecast.datasets=1", "forecast.datasets"),
        ("optimize=1", "optimize"),
        ("optimize.utility=eig", "optimize.utility"),
        ("optimize.utility=['cost']", "optimize.utility"),
        ("optimize.vary.layout.length_cm={low=1}", "optimize.vary.layout.length_cm.high"),
        ("optimize.vary.layout.length_cm=[1.0]", "optimize.vary.layout.length_cm"),
        ("optimize.windows=[{centre=1}]", "optimize.windows[0].centre"),
        ("optimize.windows=[{width_deg=1}]", "optimize.windows[0]"),
        ("optimize.baselines=['grid']", "optimize.baselines"),
        ("optimize.constraints=[1]", "optimize.constraints[0]"),
        ("optimize.cost.crystal=1", "optimize.cost.crystal"),
        ("detector.coupling=pick-up", "detector.coupling"),
        ("detector.coupling=0", "detector.coupling"),
        ("detector.coupling=1.01", "detector.coupling"),
        ("detector.pickup=1", "detector.pickup"),
        ("detector.pickup={}", "detector.pickup.radius_cm"),
        ("detector.pickup={radius_cm=0}", "detector.pickup.radius_cm"),
        ("detector.pickup={radius_cm=1,position='above'}", "detector.pickup.position"),
        ("detector.pickup={radius_cm=1,tilt=1}", "detector.pickup.tilt"),
        ("lasers.chi_squared=blch", "lasers.chi_squared"),
        ("lasers.chi_squared=0", "lasers.chi_squared"),
        ("layout.length_cm=9e-4", "layout.length_cm"),
        ("layout.radius_cm=20.1", "layout.radius_cm"),
        ("layout.c_axis_deg=norml", "layout.c_axis_deg"),
        ("layout.theta_e_deg=361", "layout.theta_e_deg"),
        ("layout.theta_s_deg=58", "layout.theta_s_deg"),
        ("layout.theta_s_deg='58'", "layout.theta_s_deg"),
        ("layout.theta_s_deg=[]", "layout.theta_s_deg"),
        ("layout.theta_s_deg=[2.0, 1.0]", "layout.theta_s_deg"),
        ("layout.theta_s_deg=[1.0, 1.0]", "layout.theta_s_deg"),
        ("layout.theta_s_deg=[-180.0, 180.1]", "layout.theta_s_deg"),
        ("layout.theta_s_deg={start=-10,stop=350.1,points=3}", "layout.theta_s_deg"),
        ("layout.theta_s_deg=[1.0, nan]", "layout.theta_s_deg[1]"),
        ("layout.theta_s_deg=[1.0, true]", "layout.theta_s_deg[1]"),
        ("layout.theta_s_deg.points=3", "layout.theta_s_deg.start"),
        ("layout.theta_s_deg={start=1,stop=2,points=0}", "layout.theta_s_deg.points"),
        ("layout.theta_s_deg={start=1,stop=2,points=100001}", "layout.theta_s_deg.points"),
        ("layout.theta_s_deg={start=1,stop=2,points=3.0}", "layout.theta_s_deg.points"),
        ("layout.theta_s_deg={start=2,stop=1,points=3}", "layout.theta_s_deg"),
        ("layout.theta_s_deg={start=1,stop=1,points=3}", "layout.theta_s_deg"),
        ("layout.theta_s_deg={start=1,stop=2,points=3,step=1}", "layout.theta_s_deg.step"),
        ("inference.chains=1", "inference.chains"),
        ("inference.draws=0", "inference.draws"),
        ("inference.draws=100.0", "inference.draws"),
        ("inference.oscillation_errors=1", "inference.oscillation_errors"),
        ("inference.target_accept=1", "inference.target_accept"),
        ("physics.gamma_power=3", "physics.gamma_power"),
        (f"seed=0x{'f' * 9000}", "seed"),
        (f"lasers.cycle_ms=0x{'f' * 9000}", "lasers.cycle_ms"),
        ("=1", "--set"),
        ("seed", "--set"),
        ("name.x=1", "--set"),
        ("neutrino..x=1", "--set"),
    ],
)
def test_refusals_name_the_key(override: str, path: str) -> None:
    assert refused(override).path == path


@pytest.mark.parametrize(
    ("override", "name"),
    [
        ("neutrino.m1_mev=1", "m1_meV"),
        ("layuot.length_cm=1", "layout"),
        ("physics.phasespace=full", "phase_space"),
        ("length_cm=1", "layout.length_cm"),
        ("neutrino.ordering=nromal", "normal"),
        ("detector.kernel=gausian", "gaussian"),
        ("lasers.chi_squared=Bloch", "bloch"),
    ],
)
def test_the_nearest_known_name_is_offered(override: str, name: str) -> None:
    assert refused(override).hint == f"did you mean {name!r}?"


def test_a_missing_schema_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        validate({"name": "x"})
    assert str(caught.value) == "schema: got nothing; allowed: 1"
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "path"),
    [
        (["neutrino.m1_meV=794.8"], "neutrino.m1_meV"),
        (["neutrino.oscillation=nufit-5"], "neutrino.oscillation"),
        (["target.scheme=er-ylff"], "target.scheme"),
        (["target.scheme=missing.toml"], "target.scheme"),
        (["target.omega_1_eV=1.2"], "target.omega_1_eV"),
        (["target.scheme=er-cs2nayf6"], "physics.h_r"),
        (["target.scheme=er-cs2nayf6", "physics.h_r=eq8"], "physics.matrix_elements"),
        ([*GENERIC_TARGET, "physics.bloch=printed"], "physics.bloch"),
        ([*GENERIC_TARGET, "target.spin_squared=0"], "target.spin_squared"),
        ([*GENERIC_TARGET, "target.omega_s_eV=2.5"], "target.omega_s_eV"),
        (["lasers.trigger_delay_lifetimes=6"], "lasers.trigger_delay_lifetimes"),
        (["lasers.trigger_duration_lifetimes=5.7"], "lasers.trigger_duration_lifetimes"),
        (["lasers.eq_duration_lifetimes=5.9"], "lasers.eq_duration_lifetimes"),
        (["lasers.cycle_ms=1e4"], "lasers.cycle_ms"),
        (["lasers.eq_mW_cm2=1e12"], "lasers.cycle_ms"),
        (["lasers.trigger_detuning_kHz=-1e6"], "lasers.cycle_ms"),
        (["detector.spin_relaxation_ms=1e-4"], "detector.spin_relaxation_ms"),
        *(
            ([f"lasers.{key}={BLOCH_VALUES[key]}", "lasers.chi_squared=1e-3"], f"lasers.{key}")
            for key in BLOCH_KEYS
        ),
        (["physics.weights=table-iv", "neutrino.alpha21_deg=90"], "neutrino.alpha21_deg"),
        (["physics.weights=table-iv", "inference.draws=9"], "inference.phases"),
        (["inference.m1_max_meV=794.8"], "inference.m1_max_meV"),
        (["inference.m1_max_meV=49"], "neutrino.m1_meV"),
        (["inference.m1_min_meV=1"], "inference.m1_min_meV"),
        (["inference.sampler=nested", "inference.tune=9"], "inference.tune"),
        (["inference.sampler=smc", "inference.tune=9"], "inference.tune"),
        (["inference.sampler=emcee", "inference.target_accept=0.8"], "inference.target_accept"),
        (
            ["inference.sampler=emcee", "inference.cross_check=smc", "inference.target_accept=0.8"],
            "inference.target_accept",
        ),
        (["inference.sampler=smc", "calibrate.tune=9"], "calibrate.tune"),
        (
            ["inference.sampler=nested", "inference.cross_check=nuts", "calibrate.tune=9"],
            "calibrate.tune",
        ),
        (
            ["inference.m1_prior=log-uniform", "inference.m1_min_meV=450"],
            "inference.m1_min_meV",
        ),
        (["physics.phase_space=full", "inference.draws=9"], "physics.form_factor"),
        (["layout.theta_s_deg=[150.0]", "inference.draws=9"], "layout.theta_s_deg"),
        (
            ["layout.theta_s_deg={start=1,stop=9,points=2001}", "inference.draws=9"],
            "layout.theta_s_deg",
        ),
    ],
)
def test_combinations_that_mean_nothing_are_refused(
    load: Load, overrides: list[str], path: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(*overrides)
    assert caught.value.path == path


@pytest.mark.parametrize(
    "overrides",
    [
        ["physics.phase_space=full"],
        ["physics.weights=table-iv", "inference.phases=fixed"],
        ["layout.theta_s_deg=[150.0]"],
        ["neutrino.m1_meV=600"],
        ["neutrino.m1_meV=0", "neutrino.ordering=inverted"],
        ["layout.theta_s_deg={start=5,stop=5,points=1}"],
        ["neutrino.alpha21_deg=90"],
        [f"lasers.chi_squared={CHI_SQUARED_MAX}"],
        [f"lasers.{key}={value}" for key, value in BLOCH_VALUES.items()],
        ["lasers.chi_squared=1e-3", "lasers.dephasing_per_s=0"],
        ["lasers.chi_squared=1e-3", "detector.spin_relaxation_ms=1e-4", "lasers.eq_mW_cm2=1e12"],
        ["lasers.dephasing_per_s=1e12", "lasers.inhomogeneous_width_kHz=1e7"],
        [*GENERIC_TARGET, "physics.bloch=printed", "lasers.chi_squared=0.01"],
    ],
)
def test_combinations_that_mean_something_are_accepted(load: Load, overrides: list[str]) -> None:
    assert load(*overrides).name == "short"


@pytest.mark.parametrize("preset", PRESETS)
def test_a_coherence_beyond_any_state_is_refused_by_what_the_number_is(
    load: Load, preset: str
) -> None:
    """The bound that is named is the one that holds: what it allows is accepted."""
    once = PRESETS[preset].trigger == "coherence"
    keys = [f"physics.preset={preset}", *(["lasers.zeeman_field_G=0"] if once else [])]
    with pytest.raises(ConfigError) as caught:
        load(*keys, "lasers.chi_squared=0.3")
    assert caught.value.path == "lasers.chi_squared"
    assert f"it is {'' if once else 'rho_ee^3 '}|rho_ep|^2" in caught.value.hint
    named = re.search(r"<= (\S+),", caught.value.allowed)
    assert named is not None
    assert load(*keys, f"lasers.chi_squared={named[1]}").name == "short"
    with pytest.raises(ConfigError):
        load(*keys, f"lasers.chi_squared={1.0001 * float(named[1])}")


def test_chi_squared_bound_is_the_maximum_of_the_populations() -> None:
    ee = np.linspace(0.0, 1.0, 100_001)
    assert np.max(ee**4 * (1.0 - ee)) == pytest.approx(CHI_SQUARED_MAX, rel=1e-9)


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("layout.length_cm=20 mm", 2.0),
        ("layout.length_cm=20 um", 2e-3),
        ("neutrino.m1_meV=0.05 eV", 50.0),
        ("layout.theta_e_deg=2.5 rad", 2.5 * 180 / math.pi),
        ("target.gamma_ep_per_s=40 MHz", 4e7),
        ("target.density_per_cm3=1.4e25 1/m^3", 1.4e19),
        ("lasers.eq_mW_cm2=90 W/m^2", 9.0),
        ("detector.noise_fT_rtHz=0.002 pT/Hz^0.5", 2.0),
        ("detector.exposure_s=1 hour", 3600.0),
    ],
)
def test_text_with_a_unit_is_converted(override: str, value: float) -> None:
    study = validate(apply_overrides({"schema": 1, "name": "x"}, [override]))
    section, _, key = override.partition("=")[0].partition(".")
    assert getattr(getattr(study, section), key) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    "override",
    [
        "layout.length_cm=20 eV",
        "layout.length_cm=20 parrots",
        "layout.length_cm=20 cm^9",
        "layout.length_cm=20 9**9**9**9 cm",
        "layout.length_cm=1e999 cm",
        "layout.length_cm=-2 cm",
        "layout.length_cm=nan cm",
        "layout.theta_e_deg=50 %",
        "target.gamma_ep_per_s=40 rad/s",
        "target.refractive_index=1.5 cm",
    ],
)
def test_a_wrong_unit_is_refused(override: str) -> None:
    assert refused(override).path == override.partition("=")[0]


def test_physics_keys_are_the_switches() -> None:
    assert set(PhysicsSection.model_fields) == {"preset", "preset_by_default", *switch_names()}


def test_a_preset_sets_all_switches_and_single_keys_override(load: Load) -> None:
    assert load("physics.preset=corrected").experiment.switches == PRESETS["corrected"]
    mixed = load("physics.preset=corrected", "physics.h_r=printed").experiment.switches
    assert mixed.h_r == "printed"
    assert mixed.phase_space == "full"


def test_records_carry_the_units_of_the_package(load: Load) -> None:
    study = load("layout.c_axis_deg=normal", "layout.theta_s_deg=[30.0, 60.0]")
    layout = study.experiment.layout
    assert layout.c_axis is None
    assert layout.theta_s == pytest.approx([math.pi / 6, math.pi / 3])
    assert study.parameters.m1_eV == pytest.approx(0.05)
    assert study.experiment.detector.resolution == pytest.approx(1.44 * math.pi / 180)
    assert study.experiment.lasers.chi_squared is None


def test_a_list_that_falls_across_the_half_turn_is_told_how_to_rise(load: Load) -> None:
    with pytest.raises(ConfigError, match="write 181 for -179"):
        load("layout.theta_s_deg=[179.0, -179.0]")
    with pytest.raises(ConfigError, match="write 181 for -179"):
        load("layout.theta_s_deg={start=170,stop=-170,points=3}")
    layout = load("layout.theta_s_deg=[179.0, 181.0]").experiment.layout
    assert np.rad2deg(layout.theta_s) == pytest.approx([179.0, 181.0])


def test_spin_relaxation_comes_from_the_scheme_unless_given(load: Load, tmp_path: Path) -> None:
    scheme = share_path("models") / "targets" / "er-ylf.toml"
    slow = scheme.read_text().replace('{ value = 5.0, unit = "ms"', '{ value = 8.0, unit = "ms"')
    (tmp_path / "slow.toml").write_text(slow)
    words = [f"target.scheme={tmp_path / 'slow.toml'}"]
    assert load().experiment.detector.spin_relaxation_ms == 5.0
    assert load(*words).experiment.detector.spin_relaxation_ms == 8.0
    given = load(*words, "detector.spin_relaxation_ms=3")
    assert given.experiment.detector.spin_relaxation_ms == 3.0
    assert given.resolved["detector"]["spin_relaxation_ms"] == 3.0


def test_the_default_angles_are_the_papers(load: Load) -> None:
    angles = np.rad2deg(load().experiment.layout.theta_s)
    assert angles.size == 61
    assert np.diff(angles) == pytest.approx(0.36)
    assert angles[30] == pytest.approx(58.79)


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["inference.draws=50"],
        ["inference.sampler=nested", "calibrate={}"],
        ["inference.sampler=smc", "inference.cross_check=nuts", "calibrate={}"],
        ["forecast.m1_meV=[1.0, 2.0]", "forecast.systematics=['phases', 'amplitude']"],
        ["forecast={}"],
        ["physics.preset=corrected", "layout.theta_s_deg=[1,2]"],
        ["detector.coupling=pickup", "detector.pickup.radius_cm=1.2"],
        [
            "detector.coupling=pickup",
            'detector.pickup={radius_cm="12 mm",stand_off_cm=1.5,tilt_deg=5,position="beside"}',
            "detector.noise_uPhi0_rtHz=1.5",
            "detector.flux_transfer=0.01",
        ],
        GENERIC_TARGET,
    ],
)
def test_the_resolved_study_is_a_study_with_the_same_meaning(
    load: Load, overrides: list[str]
) -> None:
    study = load(*overrides)
    again = load(text=tomli_w.dumps(study.resolved))
    assert again.resolved == study.resolved
    assert again.parameters == study.parameters
    assert again.settings == study.settings
    assert again.experiment.detector == study.experiment.detector


def test_verbs_are_those_with_a_section(load: Load) -> None:
    def names(*words: str) -> list[str]:
        return [verb.name for verb in verbs_of(load(*words))]

    assert names() == ["evaluate"]
    assert names("inference={}") == ["evaluate", "infer"]
    assert load("compare={}").compare is not None
    words = ("inference={}", "compare={}")
    assert names(*words) == ["evaluate", "infer", "compare"]
    assert names("simulate={}", "inference={}") == ["evaluate", "ensemble", "infer"]
    assert names("forecast={}") == ["evaluate", "forecast"]
    vary = "optimize.vary.layout.length_cm=[1.0, 2.0]"
    assert names(vary) == ["evaluate", "optimize", "confirm"]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"\xff\xfe", "UTF-8"),
        (b"schema = ", "no valid TOML"),
        (b"a = " + b"[" * 5000, "no valid TOML"),
        (b"a = " + b"9" * 5000, "no valid TOML"),
        (b"schema = 1\nschema = 1", "no valid TOML"),
    ],
)
def test_what_is_not_toml_is_refused(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=word) as caught:
        load_study(path)
    assert caught.value.path == str(path)
    assert "\n" not in str(caught.value)


def test_missing_files_and_directories_are_refused(tmp_path: Path) -> None:
    (tmp_path / "edge.toml").write_text(SHORT)
    with pytest.raises(ConfigError, match="did you mean 'edge.toml'"):
        load_study(tmp_path / "egde.toml")
    with pytest.raises(ConfigError, match="a directory"):
        load_study(tmp_path)
    with pytest.raises(ConfigError, match="no such file"):
        load_study("/dev/zero")


def test_overrides_leave_their_input_alone() -> None:
    raw: dict[str, Any] = {"layout": {"length_cm": 1.0}}
    assert apply_overrides(raw, ["layout.length_cm=2"]) == {"layout": {"length_cm": 2}}
    assert raw == {"layout": {"length_cm": 1.0}}


def test_a_value_of_several_lines_cannot_smuggle_keys() -> None:
    assert apply_overrides({}, ["name=1\nschema=2"]) == {"name": "1\nschema=2"}


def test_config_is_frozen() -> None:
    study = StudyConfig.model_validate({"schema": 1, "name": "x"})
    with pytest.raises(ValueError, match="frozen"):
        study.seed = 3  # type: ignore[misc]


def test_the_lorentzian_in_full_can_be_evaluated_but_not_fitted(tmp_path: Path) -> None:
    path = tmp_path / "full.toml"
    path.write_text(SHORT + "\n[inference]\n")
    mixed = ["physics.preset=corrected", "physics.form_factor=lorentzian"]
    with pytest.raises(ConfigError) as caught:
        load_study(path, mixed)
    assert caught.value.path == "physics.form_factor"
    assert verbs_of(load_study(path, mixed, inference=False)) == (EVALUATE,)
    with pytest.raises(ConfigError, match="nearest|did you mean|allowed"):
        load_study(path, ["inference.chain=3"], inference=False)


SHIPPED = sorted(path.stem for path in share_path("studies").glob("*.toml"))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_resolved_study_is_the_same_study(name: str, tmp_path: Path) -> None:
    """Its tables, and the keys of all that it can be asked."""
    given = load_study(name)
    (tmp_path / "resolved.toml").write_text(tomli_w.dumps(given.resolved))
    again = load_study(tmp_path / "resolved.toml")
    assert again.resolved == given.resolved
    keys = {verb.name: verb.series(given).key for verb in verbs_of(given)}
    assert {verb.name: verb.series(again).key for verb in verbs_of(again)} == keys


def test_a_matched_angle_that_is_no_degrees_is_matched_again() -> None:
    """Of doubles in radians some are no degrees: 140 of them are further apart there."""
    given = load_study("optimize-nature-first-principles", {"target.scheme": "er-ylf-built"})
    assert "theta_e_deg" not in given.resolved["layout"]
    again = load_study(given.resolved)
    assert again.experiment.layout.theta_e == given.experiment.layout.theta_e


@pytest.mark.parametrize("path", ["layout.width_cm", "layout.length_cm.x", "x"])
def test_a_key_that_shall_follow_is_one_of_the_study(path: str) -> None:
    with pytest.raises(ConfigError, match="keys that the study has") as caught:
        load_study("optimize-crystal", {"optimize.follow": [path]})
    assert caught.value.path == "optimize.follow"


@pytest.mark.parametrize(
    ("overrides", "chosen"),
    [((), False), (("physics.preset=published",), True), (("physics.h_r=eq8",), False)],
)
def test_whether_a_preset_was_chosen_is_in_the_resolved_study(
    load: Load, overrides: tuple[str, ...], chosen: bool
) -> None:
    found = load(*overrides)
    assert Preset.of(found.resolved) == Preset("published", chosen)
    again = load_study(found.resolved)
    assert again.resolved == found.resolved
    other = load_study(found.resolved, {"physics.preset": "corrected"})
    assert Preset.of(other.resolved) == Preset("corrected", True)


@pytest.mark.parametrize("name", ["edge-layot-corrected", "Edge-Layout-Corrected"])
def test_a_name_that_is_nearly_that_of_a_study_gets_it(name: str) -> None:
    with pytest.raises(ConfigError, match="did you mean 'edge-layout-corrected'"):
        load_study(name)


def test_no_other_preset_is_the_default(load: Load) -> None:
    with pytest.raises(ConfigError, match="physics.preset_by_default: got True; allowed: false"):
        load("physics.preset=corrected", "physics.preset_by_default=true")
