"""NaN, infinity and overflow at every stage: one named error with parameter values."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from renp_infer.app.cli import execute
from renp_infer.engine.tasks import Context
from renp_infer.errors import ConfigError, ConvergenceError, DomainError, NonFiniteError
from renp_infer.finite import faults, require_finite, require_finite_tree
from renp_infer.inference import likelihood
from renp_infer.inference.fit import fit
from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.responses import response
from renp_infer.inference.results import diagnostics
from renp_infer.inference.samplers import nuts
from renp_infer.measurement import mock, smoothing, squid
from renp_infer.measurement.field import exact_field
from renp_infer.physics.cycle import bloch
from renp_infer.physics.pairs import form_factor
from renp_infer.physics.signal import magnetization
from renp_infer.study import reading as config
from renp_infer.study.load import resolve
from renp_infer.study.study import Study
from renp_infer.terminal import document
from renp_infer.verbs.evaluate import work as evaluation
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.simulate.verb import SIMULATE
from tests.toys.response import (
    OSCILLATION,
    PythonResponse,
    ToyResponse,
    observe,
    toy_angles,
    toy_field,
    toy_prior,
    toy_truth,
)
from tests.toys.settings import inference_with

BAD = (np.nan, np.inf, -np.inf)
TEXT = (
    'schema = 1\nname = "s"\n[layout]\ntheta_s_deg = [50.0, 60.0]\n[lasers]\nchi_squared = 1e-3\n'
)


def study(**sections: dict[str, Any]) -> Study:
    raw: dict[str, Any] = {"schema": 1, "name": "s", "layout": {"theta_s_deg": [50.0, 60.0]}}
    for name, keys in sections.items():
        raw[name] = raw.get(name, {}) | keys
    return resolve(config.validate(raw), "", Path("."))


def spoilt(value: np.ndarray, bad: float) -> np.ndarray:
    found = np.array(value, dtype=float)
    found[..., 0] = bad
    return found


# --- the vocabulary ---


def test_the_error_carries_what_it_complains_about_across_processes() -> None:
    error = NonFiniteError("rate_per_s", "nan at index 1", {"m1_meV": 50.0, "ordering": "normal"})
    again = pickle.loads(pickle.dumps(error))
    assert (again.quantity, again.found, again.values) == (
        error.quantity,
        error.found,
        {"m1_meV": 50.0, "ordering": "normal"},
    )
    assert str(again) == str(error)
    assert "rate_per_s is no finite number (nan at index 1), with m1_meV = 50, " in str(error)


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (lambda: np.exp(np.array([800.0])), "overflow"),
        (lambda: np.array([1.0]) / np.array([0.0]), "divide by zero"),
        (lambda: np.array([0.0]) / np.array([0.0]), "invalid"),
        (lambda: 1.0 / 0.0, "division by zero"),
        (lambda: 1e200**2, "out of range"),
        (lambda: np.linalg.inv(np.zeros((2, 2))), "Singular"),
    ],
)
def test_arithmetic_faults_are_named(fault: Any, word: str) -> None:
    with pytest.raises(NonFiniteError, match=word) as caught, faults("x", {"a": 1.0}):
        fault()
    assert (caught.value.quantity, caught.value.values) == ("x", {"a": 1.0})


def test_errors_raised_on_purpose_pass_as_they_are() -> None:
    with pytest.raises(ConvergenceError), faults("x", {}):
        raise ConvergenceError("y", 1.0, 0.1)
    with pytest.raises(KeyError), faults("x", {}):
        raise KeyError("no fault of arithmetic")


@pytest.mark.parametrize("bad", BAD)
def test_the_first_bad_element_is_named_with_its_angle(bad: float) -> None:
    value = np.ones((2, 3))
    value[1, 2] = bad
    with pytest.raises(NonFiniteError, match="at index 1, 2") as caught:
        require_finite("x", value, {"a": 2.0}, np.deg2rad([10.0, 20.0, 30.0]))
    assert caught.value.values["theta_s_deg"] == pytest.approx(30.0)
    assert require_finite("x", np.ones(3), {}).sum() == 3.0


def test_a_tree_names_the_path() -> None:
    with pytest.raises(NonFiniteError, match=r"a\.b\[1\]"):
        require_finite_tree({"a": {"b": [1.0, np.nan, None, "nan"]}}, {})
    assert require_finite_tree({"a": [None, True, 3]}, {}) == {"a": [None, True, 3]}


# --- physics and measurement: a fault put into each stage ---


@pytest.mark.parametrize("bad", BAD)
def test_pair_integrals(monkeypatch: pytest.MonkeyPatch, bad: float) -> None:
    true = form_factor.crystal_grid
    for slot in range(3):

        def broken(*arguments: Any, slot: int = slot) -> tuple[np.ndarray, ...]:
            parts = list(true(*arguments))
            parts[slot] = spoilt(parts[slot], bad)
            return tuple(parts)

        monkeypatch.setattr(form_factor, "crystal_grid", broken)
        with pytest.raises(NonFiniteError, match="pair integral") as caught:
            form_factor.pair_integrals(study().experiment, np.array([0.01, 0.02, 0.05]))
        assert caught.value.values["m3_eV"] == 0.05
        assert caught.value.values["theta_s_deg"] == pytest.approx(50.0)


@pytest.mark.parametrize("bad", BAD)
def test_rate_and_magnetization(bad: float) -> None:
    apparatus = study(lasers={"chi_squared": 1e-3}).experiment
    for stage in (magnetization.rate_per_s, magnetization.magnetization_nG_per_s):
        with pytest.raises(NonFiniteError, match=stage.__name__) as caught:
            stage(apparatus, np.array([1e-9, bad]), 1e-3)
        assert caught.value.values["chi_squared"] == 1e-3
    with pytest.raises(NonFiniteError, match="field per pair integral"):
        magnetization.signal_factor(apparatus, bad)


def test_coherence(monkeypatch: pytest.MonkeyPatch) -> None:
    apparatus = study().experiment
    monkeypatch.setattr(bloch.Evolution, "mean", np.nan)
    with pytest.raises(NonFiniteError, match=r"chi_squared .* eq_mW_cm2 = 9"):
        bloch.chi_squared(apparatus.target, apparatus.lasers, apparatus.switches)


@pytest.mark.parametrize("bad", BAD)
def test_smoothing_and_field(monkeypatch: pytest.MonkeyPatch, bad: float) -> None:
    here = study()
    true = smoothing.panel_integrals
    monkeypatch.setattr(smoothing, "panel_integrals", lambda *a: spoilt(true(*a), bad))
    with pytest.raises(NonFiniteError, match="smoothed pair integral") as caught:
        exact_field(here.experiment, here.parameters, 1e-3)
    assert caught.value.values["m1_eV"] == pytest.approx(0.05)


@pytest.mark.parametrize("bad", BAD)
def test_response_table(monkeypatch: pytest.MonkeyPatch, bad: float) -> None:
    here = study()
    true = smoothing.correction_table
    monkeypatch.setattr(smoothing, "correction_table", lambda *a: spoilt(true(*a), bad))
    with pytest.raises(NonFiniteError, match="response table"):
        response.Response(here.experiment, here.parameters, 1e-3, 0.1)


@pytest.mark.parametrize("bad", BAD)
def test_data(bad: float) -> None:
    rng, theta = np.random.default_rng(1), np.deg2rad([50.0, 60.0])
    good = (np.ones(2), theta, np.eye(2))
    for slot, name in ((0, "signal_nG"), (2, "covariance_nG2")):
        parts = list(good)
        parts[slot] = spoilt(parts[slot], bad)
        with pytest.raises(NonFiniteError, match=name):
            mock.observe(*parts, rng)


@pytest.mark.parametrize(
    "keys",
    [
        {"noise_fT_rtHz": 1e-200},
        {"noise_fT_rtHz": 1e200},
        {"exposure_s": 5e-324},
        {"spin_relaxation_ms": 5e-324},
        {"drift_fT": 1e200},
    ],
)
def test_noise_beyond_floating_point(keys: dict[str, float]) -> None:
    here = study(lasers={"chi_squared": 1e-3}).experiment
    detector = replace(here.detector, **keys)
    name, value = next(iter(keys.items()))
    with pytest.raises(NonFiniteError) as caught:
        squid.covariance_nG2(detector, here.lasers, 3)
    assert caught.value.values[name] == value


def test_a_drift_that_is_forgotten_at_once_leaves_white_noise() -> None:
    here = study(lasers={"chi_squared": 1e-3}).experiment
    quick = replace(here.detector, drift_fT=3.0, drift_time_s=5e-324)
    found = squid.covariance_nG2(quick, here.lasers, 3)
    assert np.array_equal(found, np.diag(np.diag(found)))
    assert found[0, 0] == pytest.approx(squid.variance_nG2(quick, here.lasers, 3), rel=1e-14)


@pytest.mark.parametrize("knee", [0.0, 1e-12, 1e-9])
@pytest.mark.parametrize("ratio", [1e-160, 1e-12, 1e-9])
def test_the_information_of_a_short_cycle_tends_to_a_sixth(ratio: float, knee: float) -> None:
    # Sum 1 / (pi n)^2; what is neglected is of order knee and ratio^2
    assert squid.information_sum(ratio, knee) == pytest.approx(1 / 6, rel=2 * knee + 1e-13)


# --- inference ---


class Broken(PythonResponse):
    """The toy, spoilt from some call on in its template or its Jacobian."""

    def __init__(self, after: int, part: int, bad: float) -> None:
        super().__init__(ToyResponse(toy_angles(9)))
        self.after, self.part, self.bad, self.calls = after, part, bad, 0

    def __call__(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = list(super().__call__(x))
        self.calls += 1
        if self.calls > self.after:
            found[self.part] = spoilt(found[self.part], self.bad)
        return found[0], found[1]


def fitted(broken: Any, sampler: str, field: np.ndarray | None = None, cores: int = 2) -> Any:
    toy, truth = ToyResponse(toy_angles(9)), toy_truth()
    signal = toy_field(toy, truth)
    data = observe(signal if field is None else field, 1e-4 * np.eye(9), toy.theta_s)
    short = inference_with(sampler=sampler, chains=2, draws=60, tune=60)
    return fit(HypothesisModel(broken, truth, OSCILLATION, short, 1.45), data, 3, cores=cores)


@pytest.mark.parametrize("sampler", ["nuts", "emcee", "independence"])
@pytest.mark.parametrize(
    ("after", "part", "quantity"),
    [
        (0, 0, "response"),
        pytest.param(20, 0, "response", marks=pytest.mark.slow),
        (20, 1, "jacobian"),
    ],
)
def test_start_and_optimisation(sampler: str, after: int, part: int, quantity: str) -> None:
    with pytest.raises(NonFiniteError, match=quantity) as caught:
        fitted(Broken(after, part, np.inf), sampler)
    assert {"m1_meV", "amplitude", "delta_deg"} <= set(caught.value.values)


@pytest.mark.slow
@pytest.mark.parametrize(("part", "quantity"), [(0, "log density"), (1, "gradient")])
@pytest.mark.parametrize("after", [0, 1, 100, 500])
def test_nuts_ends_with_the_named_error_and_no_panic(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    part: int,
    quantity: str,
    after: int,
) -> None:
    true, calls = nuts.CompiledModel.__call__, iter(range(10**9))

    def broken(self: nuts.CompiledModel, point: np.ndarray) -> Any:
        value, gradient, vector = true(self, point)
        if next(calls) >= after:
            return (np.nan, gradient, vector) if part == 0 else (value, np.inf * gradient, vector)
        return value, gradient, vector

    monkeypatch.setattr(nuts.CompiledModel, "__call__", broken)
    with pytest.raises(NonFiniteError, match=quantity) as caught:
        fitted(ToyResponse(toy_angles(9)), "nuts")
    assert np.isfinite(caught.value.values["m1_meV"])
    assert "panick" not in capfd.readouterr().err


def test_a_step_far_out_of_the_prior_ends_a_trajectory_and_not_the_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A first step that is too long meets imaginary masses; nearby a NaN stays an error."""
    toy, truth, caught = ToyResponse(toy_angles(9)), toy_truth(), {}
    signal = toy_field(toy, truth)
    prior = toy_prior(truth, inference_with())
    data = observe(signal, 1e-4 * np.eye(9), toy.theta_s)
    size, vector = prior.unit_size, prior.sample(np.random.default_rng(0), 1)[0]
    nothing = nuts.CompiledModel(lambda point: (np.nan, np.zeros(size), vector), (), 0, size)
    monkeypatch.setattr(nuts, "from_pyfunc", lambda **keys: caught.update(keys))
    errors: list[Exception] = []
    target = likelihood.Likelihood(prior, toy, data)
    nuts._sampler_model(nothing, target, np.random.default_rng(1), errors)
    density = caught["make_logp_fn"]()
    value, gradient = density(np.full(size, 1e6))
    assert value < -1e20  # any change of energy counts as divergent
    assert np.all(np.isfinite(gradient))
    assert not errors
    density(np.zeros(size))
    assert [type(error) for error in errors] == [NonFiniteError]


@pytest.mark.parametrize(("sampler", "after"), [("emcee", 3000), ("independence", 1500)])
def test_a_response_that_breaks_while_sampling_is_named_and_nothing_printed(
    capfd: pytest.CaptureFixture[str], sampler: str, after: int
) -> None:
    with pytest.raises(NonFiniteError, match="response"):
        fitted(Broken(after, 0, np.nan), sampler)
    assert capfd.readouterr() == ("", "")


def test_a_density_that_is_not_finite_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likelihood.Likelihood, "log_likelihood", lambda self, vector: np.nan)
    with pytest.raises(NonFiniteError, match="log density.*m1_meV"):
        fitted(ToyResponse(toy_angles(9)), "emcee")


@pytest.mark.parametrize(
    ("sampler", "quantity"),
    [("nuts", "pulls"), ("emcee", "pulls"), ("independence", "log-likelihood")],
)
def test_data_far_beyond_the_noise_overflow_by_name(sampler: str, quantity: str) -> None:
    with pytest.raises(NonFiniteError, match=quantity):
        fitted(ToyResponse(toy_angles(9)), sampler, np.full(9, 1e200))


def test_a_sampler_that_returns_nan_makes_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    from renp_infer.inference.samplers import ensemble

    def broken(target: likelihood.Likelihood, *_rest: Any) -> Any:
        unit = np.random.default_rng(1).standard_normal((4, 20, target.prior.unit_size))
        density = np.zeros((4, 20))
        density[1, 2] = np.nan
        return unit, xr.Dataset({"lp": (("chain", "draw"), density)})

    monkeypatch.setattr(ensemble, "sample_ensembles", broken)
    with pytest.raises(NonFiniteError, match="sample_stats/lp") as caught:
        fitted(ToyResponse(toy_angles(9)), "emcee")
    assert (caught.value.values["chain"], caught.value.values["draw"]) == (1, 2)
    assert caught.value.values["m1_meV"] > 0.0


def test_statistics_of_draws_that_never_moved_are_null() -> None:
    with np.errstate(all="ignore"):
        row = diagnostics.convergence(np.ones((4, 50)))
    assert diagnostics.defined(row.r_hat) is None
    assert diagnostics.defined(1.01) == 1.01


# --- from a study to its verdict ---


def test_the_command_ends_in_one_line_with_the_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.toml").write_text(TEXT)
    true = form_factor.crystal_grid
    monkeypatch.setattr(
        form_factor, "crystal_grid", lambda *a: tuple(spoilt(x, np.nan) for x in true(*a))
    )
    for words in (["evaluate", "s.toml", "--json"], ["run", "s.toml", "--quiet"]):
        assert execute(words) == 4
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert "pair integral is no finite number (nan at index 0, 0)" in err
        assert "m1_eV = 0.05" in err
    assert not (tmp_path / "runs" / "s" / "evaluate.json").exists()


def test_evaluate_refuses_a_document_with_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    here = study(lasers={"chi_squared": 1e-3})
    found = evaluation.evaluate(here.experiment, here.parameters, "s").document
    assert json.loads(document(found))["rate_per_s"][0] == found["rate_per_s"][0]
    found["rate_per_s"][1] = np.nan
    with pytest.raises(NonFiniteError, match=r"rate_per_s\[1\].*m1_meV = 50"):
        document(found)


@pytest.mark.parametrize(
    ("section", "keys", "path"),
    [
        ("lasers", {"eq_mW_cm2": 1e12}, "lasers.cycle_ms"),
        ("lasers", {"cycle_ms": 1e9}, "lasers.cycle_ms"),
        ("detector", {"noise_fT_rtHz": 5e-324}, "detector"),
        ("detector", {"spin_relaxation_ms": 5e-324}, "detector.spin_relaxation_ms"),
        ("detector", {"reference_snr": 5e-324}, "detector.reference_snr"),
        ("detector", {"drift_fT": 1e18}, "detector.drift_fT"),
        ("target", {"gamma_ep_per_s": 5e-324}, "target"),
    ],
)
def test_what_cannot_be_calculated_is_refused_before_any_work(
    section: str, keys: dict[str, float], path: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        study(**{section: keys})
    assert caught.value.path == path


def edge(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers of a range, by their order of magnitude, and its ends."""
    exponents = st.floats(np.log10(max(low, 1e-320)), np.log10(high))
    return exponents.map(lambda x: min(max(10.0**x, low), high)) | st.just(high)


EXTREMES: dict[str, dict[str, st.SearchStrategy[float]]] = {
    "lasers": {
        "eq_mW_cm2": edge(5e-324, 1e12),
        "qg_mW_cm2": edge(5e-324, 1e12),
        "trigger_mW_cm2": edge(5e-324, 1e12),
        "cycle_ms": edge(5e-324, 1e9),
        "trigger_delay_lifetimes": edge(5e-324, 1e6) | st.just(0.0),
        "chi_squared": edge(5e-324, 256 / 3125),
    },
    "detector": {
        "noise_fT_rtHz": edge(5e-324, 1e18),
        "knee_hz": edge(5e-324, 1e12) | st.just(0.0),
        "drift_fT": edge(5e-324, 1e18) | st.just(0.0),
        "drift_time_s": edge(5e-324, 1e12),
        "resolution_deg": edge(1e-12, 45.0) | st.just(0.0),
        "coupling": edge(5e-324, 1.0),
        "spin_relaxation_ms": edge(5e-324, 1e9),
        "exposure_s": edge(5e-324, 1e15),
        "reference_snr": edge(1e-12, 1e9) | st.just(0.0),
    },
    "target": {
        "density_per_cm3": edge(5e-324, 1e24),
        "gamma_ep_per_s": edge(5e-324, 1e15),
        "refractive_index": st.floats(1.0, 5.0),
    },
    "layout": {
        "length_cm": st.sampled_from([0.5, 2.0, 20.0]),
        "theta_e_deg": st.floats(-180.0, 180.0),
        "c_axis_deg": st.floats(-180.0, 180.0),
    },
    "neutrino": {"m1_meV": edge(5e-324, 790.0) | st.just(0.0)},
    "physics": {"majorana_kappa": edge(5e-324, 1.0) | st.just(0.0)},
}
SECTIONS = st.fixed_dictionaries(
    {}, optional={k: st.fixed_dictionaries({}, optional=v) for k, v in EXTREMES.items()}
)


def outcome(sections: dict[str, dict[str, float]]) -> str:
    """How evaluation and mock data of a study in range end; nothing else may happen."""
    sections = {k: dict(v) for k, v in sections.items()}
    # the coherence of usual lasers takes long; extreme ones are tried by themselves
    if set(sections.get("lasers", {})) <= {"chi_squared"}:
        sections.setdefault("lasers", {}).setdefault("chi_squared", 1e-3)
    try:
        here = study(**sections)
        for verb in (EVALUATE, SIMULATE):
            task = verb.series(here).task(0)
            document(verb.perform(here, task, Context()))
    except (ConfigError, DomainError, NonFiniteError, ConvergenceError) as error:
        return type(error).__name__
    return "done"


@settings(max_examples=25)
@given(SECTIONS)
def test_studies_in_range_are_done_refused_or_end_by_name(sections: dict[str, Any]) -> None:
    outcome(sections)


@pytest.mark.slow
@settings(max_examples=500)
@given(SECTIONS)
def test_many_studies_in_range_are_done_refused_or_end_by_name(sections: dict[str, Any]) -> None:
    outcome(sections)
