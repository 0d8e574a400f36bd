"""The forward model as `renp evaluate` gives it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from renp_infer.app.cli import execute
from renp_infer.measurement.field import exact_field
from renp_infer.measurement.normalise import noise_covariance, reference_experiment
from renp_infer.measurement.squid import standard_error_nG
from renp_infer.physics.cycle.field_cycle import bloch_cycle
from renp_infer.physics.neutrinos import load_oscillation, make_parameters, masses, weights
from renp_infer.physics.pairs.form_factor import pair_integrals
from renp_infer.physics.pairs.kinematics import phase_matched
from renp_infer.physics.targets.target import load_target
from renp_infer.records import PRESETS, Detector, Experiment, Lasers, Layout
from renp_infer.study.load import load_study
from renp_infer.verbs.evaluate import work
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.evaluate.tables import remarks
from renp_infer.verbs.evaluate.work import evaluate, majorana_kappa, weighted_sums

TARGET = load_target("er-ylf")


def experiment(preset, theta_deg, **detector):
    layout = Layout(2.0, 1.0, phase_matched(TARGET)[1], np.deg2rad(theta_deg))
    lasers = Lasers(chi_squared=1e-3, trigger_mW_cm2=10.0)
    return Experiment(TARGET, layout, lasers, Detector(**detector), PRESETS[preset])


def truth(m1_eV=0.05, nature="dirac", table="nufit-6.0"):
    return make_parameters(m1_eV, "normal", nature, 0.0, 0.0, 0.0, load_oscillation(table))


def sum_g(apparatus, parameters):
    m = masses(parameters)
    rows = weights(parameters, apparatus.switches)
    kappa = majorana_kappa(apparatus, parameters)
    return weighted_sums(pair_integrals(apparatus, m), rows, m, kappa)[1]


@pytest.mark.parametrize(
    ("kappa", "ratios"),
    [(1.0, (1.44, 1.89)), (0.25, (1.083, 1.133)), (0.125, (1.040, 1.062))],
)
def test_dirac_to_majorana_ratio_at_the_phase_matched_angle(kappa, ratios):
    """Summed over 58.79 +- 0.72 degrees, planar; the paper prints 1.06 and 1.11."""
    apparatus = experiment("published", 58.79 + np.linspace(-0.72, 0.72, 5))
    apparatus = replace(apparatus, switches=replace(apparatus.switches, majorana_kappa=kappa))
    for m1_eV, ratio in zip((0.5, 0.6), ratios, strict=True):
        dirac = sum_g(apparatus, truth(m1_eV, table="seed")).sum()
        majorana = sum_g(apparatus, truth(m1_eV, "majorana", table="seed")).sum()
        assert dirac / majorana == pytest.approx(ratio, abs=0.006)


def test_converged_distribution_is_smooth_and_flat():
    """No peak and no wiggles: -1.9 % and -1.4 % at -10.8 and +10.8 degrees, whatever L."""
    shapes = []
    for length in (0.5, 5.0):
        apparatus = experiment("published", 58.79 + np.array([-10.8, 0.0, 10.8]))
        layout = replace(apparatus.layout, length_cm=length, radius_cm=0.5 * length)
        values = sum_g(replace(apparatus, layout=layout), truth(0.01, table="seed"))
        shapes.append(values / values[1] - 1.0)
    np.testing.assert_allclose(shapes[0], [-0.019, 0.0, -0.014], atol=6e-4)
    np.testing.assert_allclose(shapes[0], shapes[1], atol=3e-4)


def test_document_has_the_contract_s_keys_and_shapes():
    document = evaluate(experiment("corrected", [58.0, 59.0, 141.0]), truth(), "toy").document
    shapes = {
        "theta_s_deg": (3,), "w_eV": (2, 3), "masses_eV": (3,), "pair_A_eV5": (6, 3),
        "pair_B_eV3": (6, 3), "sum_F_eV5": (3,), "sum_G_eV5": (3,), "rate_per_s": (3,),
        "magnetization_nG_per_s": (3,), "signal_nG": (3,), "sigma_nG": (3,),
    }  # fmt: skip
    for key, shape in shapes.items():
        assert np.shape(document[key]) == shape, key
        assert np.all(np.isfinite(document[key])), key
    rows = dict(document["backgrounds"])
    shares = {k: np.array(v) for k, v in rows.pop("depletion_per_cycle").items()}
    arrays = [*rows.values(), *shares.values()]
    assert {np.shape(row) for row in arrays} == {(), (3,)}
    assert np.all(np.isfinite(np.concatenate([np.ravel(row) for row in arrays])))
    # e decays with 586 /s, whatever else empties it
    assert np.all(sum(shares.values()) >= 1.0 - np.exp(-5.8567) - 1e-12)
    assert np.all(sum(shares.values()) <= 1.0 + 1e-12)
    assert document["coupling"] == 0.01
    assert document["schema"] == 1 and document["pairs"] == ["11", "12", "22", "13", "23", "33"]
    assert document["model"]["phase_space"] == "full"
    assert document["accuracy"]["estimated_error"] <= document["accuracy"]["relative_tolerance"]
    assert document["thresholds_deg"]["11"][1] > document["thresholds_deg"]["33"][1] > 140.0


def test_a_document_is_read_back_as_it_was_written():
    for chi2 in (1e-3, None):
        apparatus = experiment("corrected", [58.0, 59.0])
        apparatus = replace(apparatus, lasers=Lasers(chi_squared=chi2))
        document = json.loads(json.dumps(evaluate(apparatus, truth(), "toy").document))
        assert EvaluateResult.of(document).document == document
        kept = document | {"data": "field.csv", "renp_provenance": {"git": None}}
        assert list(EvaluateResult.of(kept).document) == list(kept)


def test_sum_over_nine_ordered_pairs():
    apparatus, parameters = experiment("corrected", [58.0, 70.0]), truth(0.2, "majorana")
    m, pairs = masses(parameters), pair_integrals(apparatus, masses(parameters))
    from renp_infer.physics.neutrinos import couplings

    b, c = couplings(parameters)
    index = {(0, 0): 0, (0, 1): 1, (1, 1): 2, (0, 2): 3, (1, 2): 4, (2, 2): 5}
    total = np.zeros(2)
    for i in range(3):
        for j in range(3):
            k = index[min(i, j), max(i, j)]
            odd = (b[i, j] * np.conj(c[i, j])).real * pairs.a_eV5[k]
            total += odd - m[i] * m[j] * (b[i, j] * c[i, j]).real * pairs.b_eV3[k]
    np.testing.assert_allclose(sum_g(apparatus, parameters), total, rtol=1e-12)


def test_signal_is_the_field_of_a_cycle_far_from_the_edges():
    found = evaluate(experiment("corrected", [58.0, 59.0]), truth(), "toy")
    growth = found.magnetization_nG_per_s
    relaxation, cycle = 5e-3, 10e-3
    expected = growth * relaxation * (1.0 - np.exp(-cycle / relaxation))
    # smoothing over 1.44 degrees bends the curve by its curvature only
    np.testing.assert_allclose(found.signal_nG, expected, rtol=2e-4)


@pytest.mark.parametrize("theta", [[58.0, 59.0], [140.0, 143.0, 144.0, 145.0]])
def test_reference_snr_holds_at_the_paper_s_layout(theta):
    apparatus = experiment("corrected", theta, reference_snr=1000.0)
    reference = reference_experiment(apparatus)
    covariance = noise_covariance(reference, truth(), 1e-3)
    signal = exact_field(reference, truth(), 1e-3)
    assert np.max(signal / np.sqrt(np.diag(covariance))) == pytest.approx(1000.0, rel=1e-9)
    # the same time per angle is the same noise: exposure is shared by the angles
    own = noise_covariance(apparatus, truth(), 1e-3)
    share = len(theta) / reference.layout.theta_s.size
    assert own[0, 0] / covariance[0, 0] == pytest.approx(share, rel=1e-9)


def test_table_iv_reproduces_the_printed_weights():
    apparatus = experiment("published", [58.79])
    switches = replace(apparatus.switches, weights="table-iv")
    printed = sum_g(replace(apparatus, switches=switches), truth(0.01, table="seed"))
    derived = sum_g(apparatus, truth(0.01, table="seed"))
    # massless limit: the sums of the rows, 1.157 printed and 0.512 by Eq. (3)
    assert (printed / derived)[0] == pytest.approx(1.157 / 0.512, rel=5e-3)


def test_coherence_is_reported_with_what_it_violates():
    given = experiment("corrected", [58.0])
    assert evaluate(given, truth(), "toy").coherence is None
    for preset, positive in (("published", False), ("corrected", True)):
        apparatus = replace(experiment(preset, [58.0]), lasers=Lasers())
        found = evaluate(apparatus, truth(), "toy")
        state = found.coherence
        assert state.positive is positive
        assert (state.smallest_eigenvalue < -0.3) is not positive
        assert state.trace_error < 1e-12 and state.hermiticity_error < 1e-12
        assert state.mean == found.chi_squared < state.peak
        assert 0.2 * 1.706 < state.peak_time_ms < state.field_peak_time_ms < 10.0
        assert 0.0 < state.excited_at_end < 1.0
        assert (state.detunings, state.spread_error) == (1, 0.0)


def test_how_much_of_the_crystal_the_lasers_light_is_told():
    apparatus = experiment("corrected", [58.0])
    thin = replace(apparatus.target, density_per_cm3=1e12)
    alone, lit = (
        evaluate(replace(apparatus, target=thin, lasers=Lasers(paths_cm=paths)), truth(), "toy")
        for paths in (None, (1.0, 2.0, 1.0))
    )
    assert alone.coherence.lit is None
    assert 0.01 < lit.coherence.lit < 0.9
    assert lit.chi_squared == lit.coherence.mean
    # followed more coarsely where beams fade
    assert lit.chi_squared / alone.chi_squared == pytest.approx(lit.coherence.lit, rel=1e-3)
    assert f"the crystal has {lit.coherence.lit:.3g}" in " ".join(remarks(lit))
    assert "ions absorb" not in " ".join(remarks(alone))


def test_signal_and_noise_are_those_of_the_bloch_cycle():
    apparatus = replace(experiment("corrected", [58.0, 59.0]), lasers=Lasers())
    found = evaluate(apparatus, truth(), "toy")
    cycle = bloch_cycle(apparatus)
    growth = found.magnetization_nG_per_s
    np.testing.assert_allclose(found.signal_nG, growth * cycle.peak_s, rtol=2e-4)
    sigma = standard_error_nG(apparatus.detector, apparatus.lasers, 2, cycle)
    np.testing.assert_array_equal(found.sigma_nG, [sigma, sigma])


@pytest.mark.parametrize(
    "preset",
    (
        "published",
        *(pytest.param(p, marks=pytest.mark.slow) for p in ("corrected", "first-principles")),
    ),
)
def test_a_window_across_the_half_turn_is_the_same_however_it_is_written(preset):
    found = []
    for turn in (0.0, -360.0):
        angles = [x + turn for x in np.linspace(177.0, 183.0, 7).tolist()]
        keys = {"layout.theta_e_deg": 168.9, "layout.theta_s_deg": angles}
        study = load_study("edge-layout-corrected", changes={"physics.preset": preset, **keys})
        found.append(evaluate(study.experiment, study.parameters, "circle"))
    one, two = found
    peak = np.max(np.abs(one.signal_nG))
    assert peak > 0.0
    np.testing.assert_allclose(one.signal_nG, two.signal_nG, rtol=0, atol=1e-7 * peak)
    np.testing.assert_allclose(one.rate_per_s, two.rate_per_s, rtol=1e-9, atol=0)
    assert max(x.accuracy.signal_against_sums for x in found) < 2e-3


def test_a_field_off_its_own_sums_is_a_failure(monkeypatch, capsys):
    """One word in the document, one on the terminal, and the exit code."""
    command = ["evaluate", "edge-layout-corrected", "--json"]
    assert execute(command) == 0
    good = json.loads(capsys.readouterr().out)
    assert good["verdict"] == "pass"
    assert 0.0 < good["accuracy"]["signal_against_sums"] < 1e-5
    real = work.exact_field
    monkeypatch.setattr(work, "exact_field", lambda *words: 1.01 * real(*words))
    assert execute(command) == 3
    out, err = capsys.readouterr()
    assert json.loads(out)["verdict"] == "fail"
    assert "field against sums disagree: signal_nG is 0.0099 of the peak off" in err


def test_a_drift_is_in_sigma_and_said_of_the_whole_scan():
    """Against the covariance of the data; the noise is absolute, and normalised."""
    for name in ("edge-layout-published", "edge-layout-normalised"):
        study = load_study(name, ["detector.drift_fT=3"], inference=False)
        found = evaluate(study.experiment, study.parameters, name)
        covariance = noise_covariance(study.experiment, study.parameters, found.chi_squared)
        assert found.sigma_nG == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-12, abs=0.0)
        drift = found.drift
        exact = np.sqrt(found.signal_nG @ np.linalg.solve(covariance, found.signal_nG))
        assert drift.scan_snr == pytest.approx(exact, rel=1e-6)
        off = covariance[0, 1] * np.exp(study.experiment.detector.exposure_s / 61 / 600.0)
        assert drift.sigma_nG**2 == pytest.approx(off, rel=1e-9, abs=0.0)
        white = found.sigma_nG**2 - drift.sigma_nG**2
        apart = np.sqrt(np.sum(found.signal_nG**2 / white))
        assert drift.scan_snr_without == pytest.approx(apart, rel=1e-3)
        assert drift.scan_snr < drift.scan_snr_without
        said = dict(found.rows())["drift"]
        assert f"from {drift.scan_snr_without:.3g} to {drift.scan_snr:.3g}" in said
        assert EvaluateResult.of(found.document).drift == drift


def test_without_a_drift_nothing_is_said_of_it():
    study = load_study("edge-layout-published", inference=False)
    found = evaluate(study.experiment, study.parameters, "edge")
    assert found.drift is None and "drift" not in found.document
    assert "drift" not in dict(found.rows())


def test_a_drift_that_is_forgotten_at_once_is_white_noise():
    """So short a correlation that its lags are beyond all numbers."""
    keys = {"detector.drift_fT": 1e-3, "detector.drift_time_s": 1e-294}
    study = load_study("edge-layout-published", keys | {"layout.theta_s_deg": [141.0, 142.0]})
    found = evaluate(study.experiment, study.parameters, study.name)
    total = found.sigma_nG**2  # of an angle: drift and white noise alike are new at each
    expected = np.sqrt(np.sum(found.signal_nG**2 / total))
    assert found.drift.scan_snr == pytest.approx(expected, rel=1e-9, abs=0)
    assert found.drift.scan_snr < found.drift.scan_snr_without
