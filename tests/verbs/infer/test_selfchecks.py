"""The inference as a whole on cases whose answer is known without it.

Others stand beside their module: conjugate posteriors and data that say nothing in
``test_fit``, spectrum and whitening of the noise in ``test_squid``.
"""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from renp_infer.inference.fit import fit
from renp_infer.inference.hypothesis import HypothesisModel, measured
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.parameters import DERIVED_TEXTS, PARAMETERS
from renp_infer.inference.priors.prior import (
    truth_values,
)
from renp_infer.inference.responses.response import Response
from renp_infer.measurement.field import exact_field
from renp_infer.measurement.normalise import coherence
from renp_infer.measurement.squid import covariance_nG2
from renp_infer.records import Detector, Lasers
from renp_infer.study.load import load_study
from renp_infer.study.observed import data_of
from tests.toys.response import (
    OSCILLATION,
    LinearResponse,
    ToyResponse,
    observe,
    toy_angles,
    toy_field,
    toy_prior,
    toy_truth,
)
from tests.toys.settings import inference_with

THETA = toy_angles(31)
FALSE_ALARM = 1e-4
ALONE = inference_with(
    chains=4, draws=1500, tune=300, amplitude_sd=0.0, baseline_sd=0.0, refractive_index_sd=0.0,
    theta_s_offset_sd_deg=0.0, theta_e_offset_sd_deg=0.0, oscillation_errors=False, phases="fixed",
)  # fmt: skip
"""Nothing but the mass."""


def posterior(response, data, truth, settings, seed=3):
    tree = fit(HypothesisModel(response, truth, OSCILLATION, settings, 1.45), data, seed)
    return tree, json.loads(tree.attrs["renp_summary"])["parameters"]


class Silent(LinearResponse):
    """A field that no parameter changes."""

    def __init__(self):
        super().__init__(THETA, np.zeros(len(PARAMETERS.slots)))
        self.slope = np.zeros_like(self.slope)
        self.tables = (np.zeros(len(PARAMETERS.slots)), self.slope)


@pytest.mark.slow
def test_without_a_likelihood_the_prior_comes_back():
    """Every parameter at once: quantiles of the draws under the prior's are uniform."""
    truth = toy_truth("majorana")
    settings = inference_with(amplitude_sd=0.0, baseline_sd=0.0)
    data = observe(np.ones(31), np.eye(31), THETA, seed=4)
    tree, rows = posterior(Silent(), data, truth, settings)
    prior = toy_prior(truth, settings)
    reference = prior.sample(np.random.default_rng(0), 400_000)
    assert set(rows) == {*prior.names, *DERIVED_TEXTS}
    assert not any(row["measured"] for row in rows.values())
    for k, name in enumerate(prior.names):
        draws, expected = tree["posterior"][name].values.ravel(), reference[:, k]
        size = min(rows[name]["ess_bulk"], rows[name]["ess_tail"])
        for quantile in (0.1, 0.5, 0.9):
            limit = np.quantile(expected, quantile)
            if name in prior.circular:  # ESS of sine and cosine counts half turns only
                continue
            error = np.sqrt(quantile * (1.0 - quantile) / size)
            assert np.mean(draws < limit) == pytest.approx(quantile, abs=4.5 * error), name
        if name in prior.circular:
            assert np.abs(np.mean(np.exp(1j * np.deg2rad(draws)))) < 4.5 / np.sqrt(size)


def exposed(exposure_s, **detector):
    """Noise of the detector at an exposure; the toy's peak is some 10 sigma at 100 s."""
    made = Detector(exposure_s=exposure_s, noise_fT_rtHz=20.0, knee_hz=0.0, **detector)
    return covariance_nG2(made, Lasers(chi_squared=1e-3), THETA.size)


def mass_sd(covariance, settings=ALONE, scale=1.0):
    toy, truth = ToyResponse(THETA, scale=scale), toy_truth("dirac")
    data = observe(toy_field(toy, truth), covariance, THETA)
    row = posterior(toy, data, truth, settings)[1]["m1_meV"]
    return row["sd"], row["sd"] / np.sqrt(row["ess_bulk"])


def gaussian_sd(covariance, settings=ALONE, scale=1.0):
    """Sd of m1 from derivatives alone: what the posterior must be for small errors."""
    toy, truth = ToyResponse(THETA, scale=scale), toy_truth("dirac")
    signal = toy_field(toy, truth)
    prior = toy_prior(truth, settings)
    target = Likelihood(prior, toy, observe(signal, covariance, THETA))
    values = truth_values(truth, 1.45)
    _, jacobian = target.linearise(np.array([values[name] for name in prior.names]))
    information = jacobian.T @ np.linalg.solve(covariance, jacobian)
    sds = [getattr(prior.marginals[name], "sd", np.inf) for name in prior.names]
    return np.sqrt(np.linalg.inv(information + np.diag(np.array(sds) ** -2.0))[0, 0])


@pytest.mark.slow
def test_width_falls_as_one_over_the_root_of_the_exposure_where_noise_limits():
    short, long = exposed(1e3), exposed(16e3)
    (wide, wide_error), (narrow, narrow_error) = mass_sd(short), mass_sd(long)
    # twice the large-sample error of a sd, error / sqrt(2)
    tolerance = 4.5 * 1.5 * np.hypot(wide_error / wide, narrow_error / narrow)
    assert tolerance < 0.3
    assert wide / narrow == pytest.approx(4.0, rel=tolerance)
    assert narrow == pytest.approx(gaussian_sd(long), rel=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("limit", ["drift", "refractive index"])
def test_width_does_not_fall_so_where_something_else_limits(limit):
    settings, detector = ALONE, {}
    if limit == "drift":
        detector = {"drift_fT": 5.0}
    else:
        settings = replace(ALONE, refractive_index_sd=2e-4)
    covariances = [exposed(exposure, **detector) for exposure in (1e4, 16e4)]
    (wide, _), (narrow, error) = (mass_sd(covariance, settings) for covariance in covariances)
    assert wide / narrow < 3.0
    expected = gaussian_sd(covariances[1], settings)
    assert narrow == pytest.approx(expected, abs=4.5 * 1.5 * error)


STUDY = """
schema = 1
name = "phases"
[neutrino]
m1_meV = 200.0
nature = "NATURE"
alpha21_deg = 90.0
[physics]
preset = "corrected"
[layout]
theta_s_deg = { start = 136.0, stop = 152.0, points = 13 }
[lasers]
chi_squared = 1e-3
[detector]
reference_snr = 1e4
[inference]
chains = 4
draws = 500
tune = 500
oscillation_errors = false
refractive_index_sd = 0.0
theta_s_offset_sd_deg = 0.0
theta_e_offset_sd_deg = 0.0
"""


@pytest.mark.slow
def test_a_dirac_truth_leaves_the_majorana_phases_at_their_prior(tmp_path):
    """A Dirac field whose Majorana phases are free all the same."""
    (tmp_path / "s.toml").write_text(STUDY.replace("NATURE", "dirac"))
    study = load_study(tmp_path / "s.toml")
    majorana = replace(study.parameters, nature="majorana")
    chi2 = coherence(study.experiment)
    dirac_field, majorana_field = (
        Response(study.experiment, p, chi2, 0.45) for p in (study.parameters, majorana)
    )
    data = data_of(study)
    change = majorana_field(majorana_field.nominal())[1][:, 9] / data.sigma
    assert np.linalg.norm(change) > 10.0  # as a Majorana truth, the phase would be measured
    known = measured(study.oscillation, majorana.ordering)
    index = study.experiment.target.refractive_index
    model = HypothesisModel(dirac_field, majorana, known, study.settings, index)
    tree = fit(model, data, 1, cores=2)
    rows = json.loads(tree.attrs["renp_summary"])["parameters"]
    for name in ("alpha21_deg", "alpha31_deg"):
        turns = np.exp(1j * np.deg2rad(tree["posterior"][name].values))
        # 2 N |mean|^2 is chi squared with two degrees of freedom for a uniform phase
        power = 2.0 * rows[name]["ess_bulk"] * np.abs(np.mean(turns)) ** 2
        assert power < stats.chi2.isf(FALSE_ALARM, 2)


@pytest.mark.parametrize("nature", ["dirac", "majorana"])
def test_swapping_ordering_labels_changes_nothing_but_the_masses(tmp_path, nature):
    """With splittings of nothing both orderings have the same masses: then the same field."""
    (tmp_path / "s.toml").write_text(STUDY.replace("NATURE", nature))
    study = load_study(tmp_path / "s.toml")
    for split, agree in ((1e-13, True), (2.5e-3, False)):
        normal = replace(study.parameters, dm2_21=1e-3 * split, dm2_3l=split)
        inverted = replace(normal, ordering="inverted", dm2_3l=-split)
        first, second = (exact_field(study.experiment, p, 1e-3) for p in (normal, inverted))
        assert np.allclose(first, second, rtol=1e-4, atol=1e-6 * np.abs(first).max()) == agree
