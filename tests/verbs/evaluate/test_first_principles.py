"""The preset first-principles from end to end: anchors, twins, likelihood, switches."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from scipy.optimize import fsolve, least_squares

from renp_infer.app.cli import execute
from renp_infer.errors import ConfigError
from renp_infer.inference.priors.prior import truth_values
from renp_infer.inference.responses.response import Response
from renp_infer.inference.results.comparison import Hypothesis
from renp_infer.measurement.data import Data
from renp_infer.measurement.field import exact_field
from renp_infer.measurement.leakage import leakage_shape
from renp_infer.measurement.normalise import (
    coherence,
    noise_covariance,
    noise_scale,
    reference_field_nG,
)
from renp_infer.measurement.squid import variance_nG2
from renp_infer.physics.neutrinos import couplings, masses
from renp_infer.physics.pairs.kinematics import beams_of, mismatch, phase_matched
from renp_infer.physics.pairs.pair_tensor import pair_sums
from renp_infer.physics.signal.currents import Currents
from renp_infer.physics.signal.emission import Emitters, moment_rate_muB_per_s
from renp_infer.physics.signal.magnetization import cycle_time_s, ions
from renp_infer.physics.targets.channels import Channel, quadrupole_tensor
from renp_infer.physics.targets.scheme import read_scheme
from renp_infer.physics.targets.target import between, channels_of
from renp_infer.physics.targets.transition import transition_of
from renp_infer.records import PRESETS, Observation, Switches
from renp_infer.study.hypotheses import hypothesis_of
from renp_infer.study.load import load_study
from renp_infer.study.sections.lasers import check_beams
from renp_infer.target import Indices
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.evaluate.shortfall import said_of
from renp_infer.verbs.evaluate.work import evaluate
from tests.toys.emission import event_rate_per_s, field_rate_nG_per_s

STUDY = "edge-layout-first-principles"
ANCHORS = {  # P_z, P_x: rate for S^2 = 0.0106, |dB/dt| for Im(M* x S) delta_mu = 0.0106 mu_B
    (0.50, 0.0): (3.7513173e-11, 2.32293e-28),
    (0.92, 0.0): (2.7674367e-11, 3.15425e-28),
    (0.70, 0.6): (None, 2.39483e-28),  # the anchor's rate has a laser phase
}
SETTINGS = (
    "neutrino.m1_meV=10", "lasers.chi_squared=0.01", "detector.coupling=1",
    "detector.resolution_deg=0",
)  # fmt: skip


def study(*keys, name=STUDY):
    return load_study(name, list(keys))


def said(*keys, name=STUDY, capsys):
    sets = [word for key in keys for word in ("--set", key)]
    assert execute(["evaluate", name, *sets, "--json", "--quiet"]) == 0
    return json.loads(capsys.readouterr().out)


def angles_of(momentum, target):
    """Directions (theta_e, theta_s), deg, that leave a momentum to the pair."""

    def missing(x):
        return np.ravel(mismatch(x[1:], x[0], target)) - np.array(momentum)

    for start in ((2.4, 1.5), (2.8, 1.0), (2.0, 2.5), (-2.4, 1.5), (2.5, -1.0), (1.0, 2.0)):
        found, _, good, _ = fsolve(missing, start, full_output=True, xtol=1e-14)
        if good == 1:
            return np.rad2deg((found + np.pi) % (2.0 * np.pi) - np.pi).tolist()
    raise AssertionError(momentum)


def at(momentum):
    theta_e, theta_s = angles_of(momentum, study().experiment.target)
    return f"layout.theta_e_deg={theta_e!r}", f"layout.theta_s_deg=[{theta_s!r}]"


@pytest.mark.parametrize("momentum", ANCHORS)
def test_anchors_by_command(momentum, capsys):
    rate, growth = ANCHORS[momentum]
    found = said(*SETTINGS, *at(momentum), capsys=capsys)
    ion = transition_of(study().experiment.target)
    np.testing.assert_allclose(np.ravel(found["w_eV"]), momentum, atol=1e-9)
    if rate is not None:
        own = found["rate_per_s"][0] * 0.0106 / ion.spin_squared
        assert own == pytest.approx(rate, rel=2e-6, abs=0.0)
    # M = S of the leading component, delta_mu = g_J M of p less that of e
    assert abs(ion.handedness) == pytest.approx(ion.spin_squared, rel=1e-12)
    assert ion.delta_mu == pytest.approx(72 / 65 * 1.5 - 12 / 11 * 0.5, rel=1e-12)
    own = found["magnetization_nG_per_s"][0] * 0.0106 / (ion.handedness * ion.delta_mu)
    assert own == pytest.approx(-growth, rel=4e-6, abs=0.0)


def test_anchor_with_a_phase_of_the_partners(capsys):
    """P = (0.6, 0, 0.7), phi = 0.3: the anchor's rate; the moment knows no phase."""
    keys = (*SETTINGS, *at((0.7, 0.6)))
    found = said(*keys, f"lasers.partner_phase_deg={float(np.rad2deg(0.3))!r}", capsys=capsys)
    own = found["rate_per_s"][0] * 0.0106 / transition_of(study().experiment.target).spin_squared
    assert own == pytest.approx(2.8133634e-11, rel=2e-6, abs=0.0)
    averaged = said(*keys, capsys=capsys)
    for name in ("magnetization_nG_per_s", "sum_F_eV5", "pair_A_eV5"):
        assert found[name] == averaged[name]
    assert found["rate_per_s"] != averaged["rate_per_s"]


@pytest.mark.parametrize("scheme", ["er-ylf", "er-ylf-built"])
@pytest.mark.parametrize("channel_along", [0.0, 1.0])
def test_rate_at_a_phase_is_the_emission(scheme, channel_along, capsys):
    """Against `physics.signal.emission`, for S across c and along it, and for any phase."""
    found = study(*SETTINGS, "layout.theta_s_deg=[40, 85, 100]", f"target.scheme={scheme}")
    setup, own = found.experiment, found.parameters
    ion = replace(transition_of(setup.target), along=channel_along)
    setup = replace(setup, target=replace(setup.target, transition=ion))
    axes = {0.0: np.array([1.0, 1j, 0.0]) / np.sqrt(2.0), 1.0: np.array([0.0, 0.0, 1.0])}
    currents = Currents(spin=np.sqrt(ion.spin_squared) * axes[channel_along])
    w_l, w_t = mismatch(setup.layout.theta_s, setup.layout.theta_e, setup.target)
    momentum = np.stack([w_t, 0.0 * w_t, w_l], axis=-1)
    b, c = couplings(own)
    s = setup.target.epsilon_ep**2 - np.sum(momentum**2, axis=-1)
    sums = pair_sums(s, masses(own), b, c, own.nature)
    crystal = Emitters(ions(setup.target, setup.layout), setup.layout.volume_cm3, 0.25)
    for phase in (0.1, 0.7, 2.0):
        turned = replace(setup, lasers=replace(setup.lasers, chi_squared=0.25, partner_phase=phase))
        rate = evaluate(turned, own, "phase").rate_per_s
        expected = event_rate_per_s(crystal, currents, sums, momentum, phase)
        np.testing.assert_allclose(rate, expected, rtol=3e-4)


@pytest.mark.parametrize(
    ("keys", "allowed"),
    [
        (("physics.preset=corrected",), "weak-magnetism"),
        (("layout.c_axis_deg=normal",), "normal"),
    ],
)
def test_phases_that_mean_nothing(keys, allowed):
    with pytest.raises(ConfigError, match=f"lasers.partner_phase_deg.*{allowed}"):
        load_study(STUDY, [*keys, "lasers.partner_phase_deg=10"], inference=False)


def test_the_conserving_field_knows_no_phase():
    keys = ("target.polarisation=0.3", "layout.theta_s_deg=[40, 85]", "lasers.chi_squared=0.1")
    plain, turned = (study(*keys, *more) for more in ((), ("lasers.partner_phase_deg=20",)))
    a, b = (evaluate(found.experiment, found.parameters, "p") for found in (plain, turned))
    np.testing.assert_array_equal(a.conserving_nG, b.conserving_nG)
    # (1 + p)^2 + (1 - p)^2 of both partners, and 2 (1 + p)(1 - p) between them
    x = np.cos(2.0 * np.deg2rad(20.0)) * (1.0 - 0.3**2) / (1.0 + 0.3**2)
    free = study(*keys[1:], "lasers.partner_phase_deg=20")
    c = evaluate(free.experiment, free.parameters, "p")
    d = evaluate(study(*keys[1:]).experiment, plain.parameters, "p")
    np.testing.assert_allclose(
        (b.rate_per_s - a.rate_per_s) / (1.0 + 0.3**2),
        (c.rate_per_s - d.rate_per_s) * x / np.cos(2.0 * np.deg2rad(20.0)),
        rtol=1e-6,
    )


def test_the_sentence_of_how_rare_a_pair_is(capsys):
    """What the README quotes: at the angle of the largest moment, by seconds of a Julian year."""
    words = ["evaluate", STUDY, "--set", "layout.theta_s_deg=[80.0, 105.09]"]
    assert execute([*words, "--json", "--quiet"]) == 0
    rates = json.loads(capsys.readouterr().out)["rate_per_s"]
    assert execute([*words, "--quiet"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    years = 1.0 / (max(rates) * 31_557_600.0)
    assert f"one in {years:.3g} years at the angle of most" in text
    assert 1.0 / (rates[1] * 31_557_600.0) == pytest.approx(46.0, abs=0.5)


@pytest.mark.parametrize("reference_snr", [0.0, 1000.0])
def test_what_is_missing_is_said_of_scaled_noise_too(reference_snr):
    """Signal and noise by the study without any scaling: the same orders in both."""
    scaled, plain = study(f"detector.reference_snr={reference_snr}"), study()
    found = evaluate(scaled.experiment, scaled.parameters, scaled.name)
    field = exact_field(plain.experiment, plain.parameters, coherence(plain.experiment))
    count = plain.experiment.layout.theta_s.size
    sigma = np.sqrt(variance_nG2(plain.experiment.detector, plain.experiment.lasers, count))
    orders = -np.log10(np.max(np.abs(field) / sigma))
    assert found.missing_orders == pytest.approx(orders, rel=1e-9)
    assert orders > 20
    text = " ".join(said_of(found))
    assert "neutrino pairs the whole crystal emits one in" in text
    assert f"{orders:.1f} orders of magnitude short of S/N = 1" in text
    assert said_of(EvaluateResult.of(found.document)) == said_of(found)


@pytest.mark.parametrize(
    ("name", "outside"),
    [("edge-layout-published", True), ("seed-layout-published", False),
     ("edge-layout-normalised", False)],
)  # fmt: skip
def test_eq_17_across_thresholds_says_that_it_is_outside_its_range(name, outside):
    loaded = study(name=name)
    found = evaluate(loaded.experiment, loaded.parameters, loaded.name)
    assert ("outside its range" in " ".join(said_of(found))) is outside
    assert ("outside" in dict(found.rows())) is outside


def test_one_event_in_46_years_at_full_coherence(capsys):
    year = 365.25 * 86400.0
    years = {}
    for momentum in ((0.92, 0.0), (0.0, 0.0)):
        keys = [*SETTINGS, "lasers.chi_squared=0.25", *at(momentum)]
        years[momentum] = 1.0 / said(*keys, capsys=capsys)["rate_per_s"][0] / year
    assert years[0.92, 0.0] == pytest.approx(46.0, abs=0.5)
    assert years[0.0, 0.0] == pytest.approx(30.0, abs=1.0)


def test_the_documents_own_formulas(capsys):
    """Rate and moment from Sum F and Sum W as the contract has them."""
    from renp_infer.physics import constants as c

    found = said("neutrino.nature=majorana", "neutrino.alpha21_deg=40", capsys=capsys)
    setup = study().experiment
    ion, number = transition_of(setup.target), ions(setup.target, setup.layout)
    scale = (c.FERMI_CONSTANT_PER_EV2 * number) ** 2 * found["chi_squared"] * c.EV_TO_PER_S
    scale /= 8.0 * np.pi**3
    rate = scale * 2.0 * ion.spin_squared * np.array(found["sum_F_eV5"])
    np.testing.assert_allclose(found["rate_per_s"], rate, rtol=1e-12)
    moment = -scale / c.ELECTRON_MASS_EV * abs(ion.handedness) * ion.delta_mu
    moment = moment * np.array(found["sum_W_eV6"])
    field = field_rate_nG_per_s(moment, setup.layout.volume_cm3, setup.detector.coupling)
    np.testing.assert_allclose(found["magnetization_nG_per_s"], field, rtol=1e-12)
    assert np.shape(found["pair_K_eV5"]) == (6, 61)


def currents_of(channel: Channel) -> Currents:
    return Currents(
        spin=np.array(channel.spin),
        magnetic=np.array(channel.magnetic),
        quadrupole=quadrupole_tensor(channel),
        delta_mu=channel.delta_mu,
        doublets=sum(n == 2 for n in channel.states),
    )


POLARISED = (
    "lasers.qg_polarisation=out-of-plane", "lasers.eq_polarisation=in-plane",
    "lasers.trigger_polarisation=extraordinary",
)  # fmt: skip
HOLMIUM = (
    "target.channel=e8-p5", "inference.m1_max_meV=400", "layout.theta_s_deg=[20.0, 40.0, 50.0]",
)  # fmt: skip


@pytest.mark.parametrize(
    ("scheme", "c_axis", "beams"),
    [
        ("er-ylf", 0.0, ()),
        ("er-ylf-built", 25.0, ()),
        ("er-ylf", 25.0, POLARISED),
        ("er-ylf-built", 25.0, ("target.channel=e1-p3",)),
        ("ho-ylf", 0.0, HOLMIUM),
    ],
)
@pytest.mark.parametrize("nature", ["dirac", "majorana"])
def test_smoothed_field_and_leakage_are_the_emission_averaged(scheme, c_axis, beams, nature):
    """`physics.signal.emission`, which knows neither kernels nor tables, over each window."""
    keys = (
        f"target.scheme={scheme}", f"layout.c_axis_deg={c_axis}", f"neutrino.nature={nature}",
        "neutrino.alpha21_deg=70", "neutrino.m1_meV=120", "layout.theta_s_deg=[40.0, 85.0, 100.0]",
        *beams,
    )  # fmt: skip
    found = study(*keys)
    setup, own = found.experiment, found.parameters
    pair = beams[0].rpartition("=")[2] if "channel" in "".join(beams) else None
    channel = channels_of(
        read_scheme(scheme) if pair is None else between(read_scheme(scheme), pair)
    )[0]
    currents, target = currents_of(channel), setup.target
    x, weight = np.polynomial.legendre.leggauss(16)
    theta = setup.layout.theta_s[:, None] + 0.5 * setup.detector.resolution * x
    w_l, w_t = mismatch(theta, setup.layout.theta_e, target, beams_of(setup))
    turn = setup.layout.c_axis  # momenta in the crystal's axes: z along c
    along = w_l * np.cos(turn) + w_t * np.sin(turn)
    across = w_t * np.cos(turn) - w_l * np.sin(turn)
    momentum = np.stack([across, np.zeros_like(along), along], axis=-1)
    b, c = couplings(own)
    s = target.epsilon_ep**2 - np.sum(momentum**2, axis=-1)
    sums = pair_sums(s, masses(own), b, c, nature)
    volume = setup.layout.volume_cm3
    crystal = Emitters(ions(target, setup.layout), volume, 0.25)
    moment = moment_rate_muB_per_s(crystal, currents, sums, target.epsilon_ep, momentum)
    growth = field_rate_nG_per_s(moment, volume, setup.detector.coupling) @ weight / 2.0
    field = exact_field(setup, own, 0.25)
    # the finite crystal: 1e-4 of the largest
    np.testing.assert_allclose(
        field, growth * cycle_time_s(setup), rtol=0, atol=3e-4 * np.max(np.abs(field))
    )
    rate = event_rate_per_s(crystal, currents, sums, momentum) @ weight / 2.0
    shape = leakage_shape(setup, own, 0.25)
    np.testing.assert_allclose(shape / shape.max(), rate / rate.max(), rtol=3e-4)


def test_an_evaluation_says_whose_moment_it_is(capsys):
    """The paper's component is none of the ion; singlets have none; wave functions say nothing."""
    words = ["evaluate", STUDY, "--quiet", "--set", "layout.theta_s_deg=[40.0, 50.0]"]
    said_of = {
        "er-ylf": ("leading component, not of the ion", "delta_mu = 1.116 mu_B", "M = S"),
        "ho-ylf": ("between two singlets", "event rate alone", "target.channel"),
        "er-ylf-built": (),
    }
    for scheme, expected in said_of.items():
        assert execute([*words, "--set", f"target.scheme={scheme}"]) == 0
        text = " ".join(capsys.readouterr().out.split())
        assert ("moment: " in text) == bool(expected)
        assert all(part in text for part in expected)
    found = said("layout.theta_s_deg=[40.0, 50.0]", capsys=capsys)
    assert EvaluateResult.of(found).moment == found["moment"]
    assert "moment" not in said(name="edge-layout-corrected", capsys=capsys)


def test_the_component_s_target_is_polarised_by_the_ion_s_ground_doublet():
    """The paper names no g along c; that of spin resonance is within 20 % of the calculated."""
    keys = ("lasers.zeeman_field_G=0.014", "target.temperature_K=4")
    named, built = (
        study(*keys, f"target.scheme={scheme}").experiment.target.polarisation
        for scheme in ("er-ylf", "er-ylf-built")
    )
    assert named == pytest.approx(3.7e-7, rel=0.02)
    assert named / built == pytest.approx(3.137 / 2.619, rel=1e-3)


def test_a_polarised_target_without_a_signal_is_evaluated(capsys):
    words = ["evaluate", STUDY, "--quiet", "--set", "layout.c_axis_deg=normal"]
    assert execute([*words, "--set", "target.polarisation=0.1"]) == 0
    assert "without parity violation: " in capsys.readouterr().out


@pytest.mark.slow
def test_what_reversal_leaves_is_said_where_it_is_large(capsys):
    """tanh at 100 G and 4 K makes thousands of the signal; a share of 1e-5 is not worth a word."""
    keys = ("target.temperature_K=4", "lasers.zeeman_field_G=100")
    first = said(*keys, capsys=capsys)
    even, odd = (np.max(np.abs(first[name])) for name in ("conserving_nG", "signal_nG"))
    assert first["left_by_reversal"] == pytest.approx(even / odd, rel=1e-12)
    found = study(*keys)
    document = evaluate(found.experiment, found.parameters, "all")
    assert any("Reversing P leaves" in text for text in said_of(document))
    found = study(*keys, "detector.reversal_leakage=1e-5")
    document = evaluate(found.experiment, found.parameters, "reversed")
    assert document.left_by_reversal == pytest.approx(1e-5 * even / odd, rel=1e-9)
    assert not any("Reversing P leaves" in text for text in said_of(document))
    assert found.residual == pytest.approx(document.left_by_reversal, rel=1e-9)


def test_normal_to_the_plane_nothing_is_left():
    found = load_study(STUDY, ["layout.c_axis_deg=normal"], inference=False)
    document = evaluate(found.experiment, found.parameters, "normal")
    for name in ("signal_nG", "magnetization_nG_per_s", "sum_W_eV6"):
        np.testing.assert_array_equal(getattr(document, name), 0.0)
    assert document.peak_snr == 0.0
    assert np.all(document.rate_per_s >= 0.0)


def test_two_singlets_have_a_rate_and_no_moment(tmp_path):
    keys = ("target.scheme=ho-ylf", "layout.theta_s_deg=[20.0, 60.0]")
    with pytest.raises(ConfigError, match="two singlets keep no moment"):
        study(*keys)
    text = '[physics]\npreset = "first-principles"\n[target]\nscheme = "ho-ylf"\n'
    path = tmp_path / "rate.toml"
    path.write_text(f'schema = 1\nname = "rate"\n{text}[lasers]\nchi_squared = 0.1\n')
    found = load_study(path)
    document = evaluate(found.experiment, found.parameters, "rate")
    np.testing.assert_array_equal(document.signal_nG, 0.0)
    assert document.rate_per_s[0] > 0.0
    with pytest.raises(ConfigError, match="detector.reference_snr"):
        load_study(path, ["detector.reference_snr=10"])


# --- noise ---------------------------------------------------------------------------


def test_reference_of_the_normalised_noise():
    found = study(*SETTINGS)
    ion = transition_of(found.experiment.target)
    size = reference_field_nG(found.experiment, found.parameters, 0.01)
    size /= cycle_time_s(found.experiment) * abs(ion.handedness * ion.delta_mu) / 0.0106
    assert size == pytest.approx(3.1556e-28, rel=2e-5, abs=0.0)


def test_normalised_noise_asks_for_nothing_of_layout_and_neutrinos():
    name, base = f"{STUDY}-normalised", None
    for keys in (
        (), ("neutrino.m1_meV=300",), ("neutrino.ordering=inverted",),
        ("neutrino.nature=majorana",),
        ("layout.length_cm=1",), ("layout.theta_s_deg=[10, 90]",), ("detector.resolution_deg=0",),
    ):  # fmt: skip
        found = study(*keys, name=name)
        scale = noise_scale(found.experiment, found.parameters, 0.25)
        base = scale if base is None else base
        assert scale == pytest.approx(base, rel=1e-12, abs=0.0)


# --- inference -----------------------------------------------------------------------


def test_one_index_for_polarised_beams_reads_another_mass():
    """84 meV for 50 with index and pointing free, 5 sigma off, and chi squared shows nothing."""
    beams = (
        "lasers.qg_polarisation=out-of-plane", "lasers.eq_polarisation=out-of-plane",
        "lasers.trigger_polarisation=in-plane",
    )  # fmt: skip
    name, keys = f"{STUDY}-normalised", ("layout.theta_e_deg=141.607",)
    true = study(*keys, *beams, name=name)
    index = true.experiment.target.refractive_index
    one = study(*keys, f"target.refractive_index={index!r}", name=name)
    field, plain = (
        Response(found.experiment, found.parameters, 0.0625, 0.5, finite_crystal=False)
        for found in (true, one)
    )
    data, start = field(field.nominal())[0], plain.nominal()
    covariance = noise_covariance(one.experiment, one.parameters, 0.0625)
    whiten = np.linalg.inv(np.linalg.cholesky(covariance))
    spread = np.array([np.inf, 5e-4, np.deg2rad(0.01), np.deg2rad(0.01)])

    def pulls(x):
        at = start.copy()
        at[:4] = x[1:]
        misfit = whiten @ (data - x[0] * plain(at)[0])
        return np.array([*misfit, (x[0] - 1.0) / 0.2, *((at[:4] - start[:4]) / spread)])

    steps = np.array([1e-2, 0.01, 5e-4, 2e-4, 2e-4])
    fit = least_squares(pulls, [1.0, 0.08, *start[1:4]], x_scale=steps)
    assert 1e3 * fit.x[1] == pytest.approx(84.0, abs=2.0)
    assert 2.0 * fit.cost < 10.0
    assert np.max(np.abs(pulls(fit.x)[-3:])) < 1.0


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        (("lasers.trigger_polarisation=in-plane",), "lasers.qg_polarisation: got nothing"),
        ((*POLARISED, "target.scheme=er-cs2nayf6"), "lasers.qg_polarisation.*sellmeier"),
        ((*POLARISED, "physics.preset=published"), "lasers.qg_polarisation.*planar"),
        ((*POLARISED[:2], "lasers.trigger_polarisation=sideways"), "trigger_polarisation"),
        (("inference.extraordinary_index_sd=1e-4",), "extraordinary_index_sd"),
    ],
)
def test_polarised_beams_that_mean_nothing(keys, path):
    with pytest.raises(ConfigError, match=path):
        study(*keys, name=f"{STUDY}-normalised")


def test_a_study_with_polarised_beams_is_read_again():
    found = study(*POLARISED, "inference.extraordinary_index_sd=2e-4", name=f"{STUDY}-normalised")
    again = load_study(found.resolved)
    assert again.experiment.lasers == found.experiment.lasers
    assert again.experiment.target == found.experiment.target
    assert again.settings == found.settings
    assert again.settings.extraordinary_index_sd == 2e-4
    assert study(*POLARISED).priors.extraordinary_index_sd == 5e-4
    assert study().priors.extraordinary_index_sd == 0.0


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (("target.channel=e1-p3",), "nothing with a scheme without .currents."),
        (("target.channel=e1", "target.scheme=er-ylf-built"), '"e1-p1" to "e6-p7"'),
        (("target.channel=e9-p1", "target.scheme=er-ylf-built"), "renp scheme show er-ylf-built"),
        (("target.channel=e1-p2", "target.scheme=ho-ylf"), '"e1-p1" to'),
        (
            ("target.channel=e1-p3", "target.scheme=er-ylf-built", "physics.preset=corrected"),
            "physics.source",
        ),
        (
            ("target.channel=e1-p3", "target.scheme=er-ylf-built", "physics.moment=single-ion"),
            "physics.moment",
        ),
    ],
)
def test_channels_that_are_none(keys, words):
    with pytest.raises(ConfigError, match=f"target.channel.*{words}"):
        study(*keys)


def test_a_channel_has_energy_and_photons_of_its_levels():
    found = study("target.scheme=er-ylf-built", "target.channel=e3-p5")
    lowest = study("target.scheme=er-ylf-built").experiment.target
    target = found.experiment.target
    channel = next(
        c for c in read_scheme("er-ylf-built").channels if (c.e, c.p, c.partners) == (3, 5, "same")
    )
    assert target.epsilon_ep == pytest.approx(channel.epsilon, abs=2e-7)
    assert target.omega_1 == lowest.omega_1 and target.omega_s > lowest.omega_s
    assert transition_of(target).delta_mu == pytest.approx(channel.delta_mu)
    assert load_study(found.resolved).experiment.target == target
    own = study("target.scheme=er-ylf-built", "target.channel=e1-p1")
    assert own.experiment.target == lowest


@pytest.mark.parametrize(("nature", "beams"), [("dirac", ()), ("majorana", POLARISED)])
def test_gradient_of_the_log_likelihood(nature, beams):
    found = study(f"neutrino.nature={nature}", *beams, name=f"{STUDY}-normalised")
    setup, own = found.experiment, found.parameters
    response = Response(setup, own, 0.25, 0.5)
    field = response(response.nominal())[0]
    peak = float(np.max(np.abs(field)))
    noise = np.diag(np.full(field.size, 1e-2 * peak) ** 2)
    pair = Hypothesis(own.ordering, own.nature)
    model = hypothesis_of(found, pair, lambda _: response, peak_nG=peak)
    likelihood = model.likelihood(
        Data.of(Observation(setup.layout.theta_s, 1.03 * field, noise, False))
    )
    values = truth_values(own, setup.target.refractive_index)
    vector = np.array([values.get(name, 0.0) for name in likelihood.prior.names])
    vector[likelihood.prior.names.index("m1_meV")] = 70.0
    vector[likelihood.prior.names.index("amplitude")] = 1.01
    gradient = likelihood.gradient(vector)
    assert ("extraordinary_offset" in likelihood.prior.names) == bool(beams)
    for k, name in enumerate(likelihood.prior.names):
        step = 1e-5 * (peak if name == "baseline_nG" else max(abs(vector[k]), 1e-2))
        up, down = vector.copy(), vector.copy()
        up[k] += step
        down[k] -= step
        slope = (likelihood.log_likelihood(up) - likelihood.log_likelihood(down)) / (2.0 * step)
        assert gradient[k] == pytest.approx(slope, rel=2e-3, abs=1e-6), name


# --- switches ------------------------------------------------------------------------


def test_the_preset_is_what_the_contract_says():
    assert PRESETS["first-principles"] == replace(
        PRESETS["corrected"], vector_current="conserved", source="weak-magnetism",
        moment="doublet", trigger="coherence", current_normalisation="spinor", field_axis="moment",
    )  # fmt: skip
    older = {name: getattr(Switches(), name) for name in asdict(Switches())}
    for name in ("vector_current", "source", "trigger", "current_normalisation", "field_axis"):
        assert getattr(PRESETS["corrected"], name) == older[name]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("vector_current", "conserved"), ("trigger", "coherence"), ("moment", "doublet"),
        ("current_normalisation", "spinor"), ("field_axis", "moment"),
    ],
)  # fmt: skip
def test_each_difference_can_be_set_alone(key, value):
    name = "edge-layout-corrected"
    plain, changed = study(name=name), study(f"physics.{key}={value}", name=name)
    before, after = (evaluate(s.experiment, s.parameters, "one") for s in (plain, changed))
    own, other = before.magnetization_nG_per_s, after.magnetization_nG_per_s
    layout, ion = plain.experiment.layout, transition_of(plain.experiment.target)
    cosine = np.cos(layout.theta_s - layout.c_axis)
    ratios = {
        "moment": ion.delta_mu / plain.experiment.target.g_factor,
        "current_normalisation": 16.0,
        "field_axis": 1.0 / cosine,
    }
    if key in ratios:
        np.testing.assert_allclose(other, ratios[key] * own, rtol=1e-12)
    rate = after.rate_per_s / before.rate_per_s
    assert rate == pytest.approx(rate[0])
    assert (rate[0] == pytest.approx(1.0)) == (key not in ("trigger", "current_normalisation"))
    if key == "vector_current":
        ratio = after.sum_G_eV5 / before.sum_G_eV5
        assert np.all(ratio < 1.0)
        np.testing.assert_array_equal(after.pair_A_eV5, before.pair_A_eV5)


def test_weak_magnetism_is_conserved_either_way():
    keys = ("target.scheme=er-ylf-built", "target.channel=e1-p3", "layout.c_axis_deg=50")
    one, other = (study(*keys, *more) for more in ((), ("physics.vector_current=spatial",)))
    before, after = (evaluate(s.experiment, s.parameters, "one") for s in (one, other))
    np.testing.assert_array_equal(after.sum_W_eV6, before.sum_W_eV6)
    np.testing.assert_array_equal(after.signal_nG, before.signal_nG)
    np.testing.assert_array_equal(after.rate_per_s, before.rate_per_s)


def test_counting_the_trigger_once_takes_four_h_r_squared_away():
    from renp_infer.physics.targets.matrix_elements import h_r

    name = "edge-layout-corrected"
    plain, changed = study(name=name), study("physics.trigger=coherence", name=name)
    before, after = (evaluate(s.experiment, s.parameters, "one") for s in (plain, changed))
    h = h_r(plain.experiment.target, plain.experiment.lasers, plain.experiment.switches)
    np.testing.assert_allclose(after.rate_per_s * 4.0 * h**2, before.rate_per_s, rtol=1e-12)


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        (["physics.phase_space=planar"], "physics.vector_current"),
        (["physics.phase_space=planar", "physics.vector_current=spatial"], "physics.phase_space"),
        (["physics.trigger=h_r"], "physics.trigger"),
        (["physics.current_normalisation=printed"], "physics.current_normalisation"),
        (["physics.matrix_elements=printed"], "physics.matrix_elements"),
        (["physics.h_r=eq8"], "physics.h_r"),
        (["physics.gamma_power=2"], "physics.gamma_power"),
        (["physics.rate_prefactor=C/2"], "physics.rate_prefactor"),
        (["physics.current_axis=transverse"], "physics.current_axis"),
        (["layout.c_axis_deg=normal", "inference.chains=4"], "layout.c_axis_deg"),
        (["lasers.chi_squared=0.2501"], "lasers.chi_squared"),
    ],
)
def test_what_means_nothing_is_refused_by_name(keys, path):
    with pytest.raises(ConfigError) as caught:
        study(*keys)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        (["physics.vector_current=conserved"], "physics.vector_current"),
        (["physics.source=weak-magnetism"], "physics.phase_space"),
        (["lasers.chi_squared=0.08193"], "lasers.chi_squared"),
        (["physics.trigger=coherence", "physics.h_r=printed"], "physics.h_r"),
    ],
)
def test_the_same_over_the_published_preset(keys, path):
    with pytest.raises(ConfigError) as caught:
        study(*keys, name="edge-layout-published")
    assert caught.value.path == path


def test_a_target_without_moments_is_refused():
    rates = "{ ep = 50.0, pg = 20.0, eg = 1.0, eq = 1.0, qg = 1.0, qp = 1.0 }"
    generic = (
        "target.scheme=generic", "target.omega_1_eV=1.2", "target.omega_2_eV=1.1",
        "target.omega_s_eV=0.8", f"target.md_rates_per_s={rates}", "target.g_factor=6",
        "target.spin_squared=0.01", "target.density_per_cm3=1e19", "target.refractive_index=1.4",
    )  # fmt: skip
    with pytest.raises(ConfigError, match="moments") as caught:
        study(*generic)
    assert caught.value.path == "physics.source"
    older = ("physics.preset=corrected", "physics.moment=doublet", "lasers.chi_squared=1e-3")
    with pytest.raises(ConfigError, match="moments") as caught:
        study(*generic, *older)
    assert caught.value.path == "physics.moment"


def test_a_resolved_study_is_read_again(tmp_path):
    import tomli_w

    found = study()
    path = tmp_path / "again.toml"
    path.write_text(tomli_w.dumps(found.resolved))
    assert load_study(path).experiment.switches == found.experiment.switches
    assert load_study(path).experiment.lasers == found.experiment.lasers
    assert found.experiment.lasers.zeeman_field_G == 0.0
    assert study(name="edge-layout-corrected").experiment.lasers.zeeman_field_G == 100.0


def test_the_paper_s_layout_is_where_the_signal_passes_through_zero():
    theta_s, theta_e = phase_matched(study().experiment.target)
    degrees = np.rad2deg(theta_s) + np.array([-5.0, 0.0, 5.0])
    keys = (
        f"layout.theta_e_deg={float(np.rad2deg(theta_e))!r}",
        f"layout.theta_s_deg={degrees.tolist()!r}", "detector.resolution_deg=0",
    )  # fmt: skip
    found = study(*keys)
    left, middle, right = exact_field(found.experiment, found.parameters, 0.25)
    assert left * right < 0.0
    assert abs(middle) < 1e-4 * abs(left)


# --- polarised targets ---------------------------------------------------------------


def test_a_polarisation_of_3e_7_equals_the_signal():
    found = study("target.polarisation=3e-7", "layout.theta_s_deg=[95.0]")
    document = evaluate(found.experiment, found.parameters, "polarised")
    assert document.conserving_nG is not None
    ratio = np.abs(document.conserving_nG / document.signal_nG)
    assert 0.3 < ratio[0] < 3.0
    assert found.residual == pytest.approx(ratio[0], rel=1e-12)
    assert found.settings.leakage_sd == pytest.approx(ratio[0], rel=1e-12)


def test_conserving_field_is_twice_the_moment_of_each_event():
    """2 p delta_mu Gamma, from `physics.signal.emission`, with the cycle's time."""
    from tests.toys.emission import conserving_moment_rate_muB_per_s

    found = study("target.polarisation=-0.2", "detector.resolution_deg=0")
    setup = found.experiment
    document = evaluate(setup, found.parameters, "polarised")
    ion = transition_of(setup.target)
    currents = Currents(spin=np.array([1.0, 0.0, 0.0]), delta_mu=ion.delta_mu)
    rate = document.rate_per_s / (1.0 + 0.2**2)
    moment = conserving_moment_rate_muB_per_s(currents, rate, -0.2)
    field = field_rate_nG_per_s(moment, setup.layout.volume_cm3, setup.detector.coupling)
    expected = field * cycle_time_s(setup)
    atol = 2e-3 * np.max(np.abs(expected))  # a point, and the finite crystal at the edges
    np.testing.assert_allclose(document.conserving_nG, expected, rtol=0, atol=atol)


def test_reversal_scales_what_is_left():
    whole, tenth = (
        study("target.polarisation=1e-6", f"detector.reversal_leakage={share}").residual
        for share in (1.0, 0.1)
    )
    assert tenth == pytest.approx(0.1 * whole, rel=1e-12)
    assert study().residual == 0.0


def test_a_polarised_target_leaks_what_it_has_without_parity_violation():
    """Its leakage has the shape of that field, which knows no phase of the partners."""
    keys = ("layout.theta_s_deg=[40, 85]", "lasers.chi_squared=0.1")
    more = ("target.polarisation=0.3", "lasers.partner_phase_deg=20")
    found = study(*keys, *more)
    leaked = leakage_shape(found.experiment, found.parameters, 0.1)
    even = evaluate(found.experiment, found.parameters, "p").conserving_nG
    assert even is not None
    np.testing.assert_allclose(leaked / leaked[0], even / even[0], rtol=1e-12)
    free = study(*keys, more[1])
    other = leakage_shape(free.experiment, free.parameters, 0.1)
    assert abs(other[1] / other[0] * leaked[0] / leaked[1] - 1.0) > 1e-3


def test_a_leakage_as_large_as_the_signal_needs_its_shape():
    """The template is at the truth: per meV its shape turns by 1.6e-3 of its peak."""
    found, other = study(), study("neutrino.m1_meV=51")
    own, moved = (leakage_shape(found.experiment, s.parameters, 0.25) for s in (found, other))
    own, moved = own / np.max(own), moved / np.max(moved)
    known = np.stack([own, np.ones_like(own)], axis=1)
    rest = moved - known @ np.linalg.lstsq(known, moved)[0]
    assert np.sqrt(np.sum(rest**2)) == pytest.approx(1.6e-3, rel=0.1)
    keys = ("target.temperature_K=4", "lasers.zeeman_field_G=100")
    assert study(*keys).residual == pytest.approx(5.9e3, rel=0.05)


def test_a_field_polarises_at_a_temperature():
    keys = ("target.scheme=er-ylf-built", "lasers.zeeman_field_G=100", "target.temperature_K=4")
    found = study(*keys)
    assert found.experiment.target.polarisation == pytest.approx(2.2e-3, rel=0.05)
    path_of = found.resolved
    assert path_of["target"]["temperature_K"] == 4.0


def test_what_the_target_is_polarised_by_gives_the_reversal_a_meaning():
    assert study("target.polarisation=0", "detector.reversal_leakage=0.1").residual == 0.0
    resolved = study().resolved  # says 1, as all defaults
    assert load_study(resolved).resolved == resolved


def test_switches_without_a_meaning_have_no_value(capsys):
    """Whatever they would be set to, no number changes: that is why `model` gives none."""
    from renp_infer.measurement.normalise import coherence

    found = said(capsys=capsys)
    silent = {name for name, value in found["model"].items() if value is None}
    assert silent == {"h_r", "gamma_power", "rate_prefactor", "current_axis"}
    assert list(found["model"]) == list(asdict(Switches()))
    one = study()
    others = {
        "h_r": "printed",
        "gamma_power": 1,
        "rate_prefactor": "C",
        "current_axis": "transverse",
    }
    other = replace(one.experiment, switches=replace(one.experiment.switches, **others))
    assert coherence(other) == coherence(one.experiment)
    assert np.array_equal(evaluate(other, one.parameters, "").signal_nG, found["signal_nG"])
    said_beside = ("preset", "preset_chosen", "remark")
    own = {key: value for key, value in found.items() if key not in said_beside}
    assert EvaluateResult.of(found).document == own


@pytest.mark.parametrize("preset", PRESETS)
def test_spin_velocity_in_the_weak_hamiltonian_is_called_forbidden(preset, capsys):
    """Of a reading of the paper nothing is said: Eq. (61) is what it evaluates."""
    keys = (f"physics.preset={preset}", "physics.source=spin-velocity", "lasers.chi_squared=1e-3")
    found = said(*keys, name="edge-layout-corrected", capsys=capsys)
    words = [word for key in keys for word in ("--set", key)]
    assert execute(["evaluate", "edge-layout-corrected", *words]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    told = "S.v leaves no moment in an unpolarised target"
    if preset == "first-principles":
        (note,) = found["notes"]
        assert told in note and told in shown
    else:
        assert "notes" not in found and told not in shown


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        (["lasers.zeeman_field_G=100"], "target.temperature_K"),
        (["target.temperature_K=4"], "target.temperature_K"),
        (
            [
                "lasers.zeeman_field_G=1",
                "target.temperature_K=4",
                "target.scheme=er-cs2nayf6",
                "target.density_per_cm3=1.4e19",
            ],
            "target.temperature_K",
        ),
        (["target.polarisation=0.1", "lasers.zeeman_field_G=1"], "target.polarisation"),
        (["target.polarisation=0.1", "target.temperature_K=4"], "target.polarisation"),
        (["target.polarisation=1.1"], "target.polarisation"),
        (["physics.preset=corrected", "lasers.chi_squared=1e-3", "target.polarisation=0"],
         "target.polarisation"),
        (["detector.reversal_leakage=0.1"], "detector.reversal_leakage"),
        (["physics.preset=corrected", "lasers.chi_squared=1e-3", "detector.reversal_leakage=0.1"],
         "detector.reversal_leakage"),
    ],
)  # fmt: skip
def test_polarisations_that_mean_nothing(keys, path):
    with pytest.raises(ConfigError) as caught:
        study(*keys)
    assert caught.value.path == path


def test_a_trigger_with_which_pairs_open_twice_on_a_side_is_refused():
    """Excitation beams that nearly cancel, and a host as birefringent as calcite."""
    found = study(*POLARISED, "layout.theta_e_deg=180", "layout.c_axis_deg=45")
    target = found.experiment.target
    check_beams(found.experiment)
    calcite = Indices((1.49, 1.49, 1.49), (1.66, 1.9, 1.66))
    strange = replace(target, refractive_index=1.49, indices=calcite)
    with pytest.raises(ConfigError, match="trigger_polarisation.*once on each side"):
        check_beams(replace(found.experiment, target=strange))
