"""Signal, likelihood, prior and model, as programs of others take them."""

import pickle
from typing import Any

import numpy as np
import pytest

import renp_infer as renp
from renp_infer.errors import ConfigError, DomainError

pytestmark = pytest.mark.usefixtures("kept")

SPLITTINGS = ("dm2_21", "dm2_3l")
FEW: dict[str, Any] = {"layout.theta_s_deg": [141.0, 142.0, 143.0, 144.0, 146.0]}


@pytest.fixture(scope="module")
def study() -> renp.Study:
    return renp.load_study("edge-layout-normalised", FEW)


@pytest.fixture(scope="module")
def found(study: renp.Study) -> Any:
    return renp.likelihood(study)


def test_a_signal_is_what_evaluate_gives(study: renp.Study) -> None:
    """The table against the integral of another verb, for what the study says and for more."""
    expected = renp.evaluate(study, quiet=True)["signal_nG"]
    peak = float(abs(expected).max())
    own = renp.signal(study)
    np.testing.assert_allclose(own, expected, rtol=0, atol=1e-4 * peak)
    np.testing.assert_array_equal(renp.signal(study, exact=True), expected)
    assert own.dims == ("theta_s_deg",)
    assert own.attrs["units"] == "nG" and own.theta_s_deg.attrs["units"] == "deg"
    np.testing.assert_allclose(own.theta_s_deg, FEW["layout.theta_s_deg"])


def test_several_masses_are_one_by_one_and_arguments_are_those_of_a_study() -> None:
    words: dict[str, Any] = {"ordering": "inverted", "nature": "majorana", "alpha21_deg": 40.0}
    keys = {f"neutrino.{key}": value for key, value in words.items()}
    other = renp.load_study("edge-layout-normalised", FEW | keys | {"neutrino.m1_meV": 30.0})
    rows = renp.signal(renp.load_study("edge-layout-normalised", FEW), [10.0, 30.0], **words)
    assert rows.dims == ("m1_meV", "theta_s_deg") and rows.m1_meV.attrs["units"] == "meV"
    np.testing.assert_array_equal(rows.sel(m1_meV=30.0), renp.signal(other))
    exact = renp.signal(other, exact=True)
    np.testing.assert_allclose(rows[1], exact, rtol=0, atol=1e-4 * float(abs(exact).max()))


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ({"m1_meV": -1.0}, "m1_meV"),
        ({"m1_meV": [1.0, np.nan]}, "m1_meV"),
        ({"m1_meV": [[1.0], [2.0]]}, "m1_meV"),
        ({"m1_meV": []}, "m1_meV"),
        ({"m1_meV": ["x"]}, "m1_meV"),
        ({"m1_meV": {"a": 1.0}}, "m1_meV"),
        ({"delta_deg": "x"}, "delta_deg"),
        ({"alpha31_deg": [1.0, 2.0]}, "alpha31_deg"),
        ({"ordering": "upright"}, "ordering"),
        ({"nature": "both"}, "nature"),
        ({"alpha21_deg": np.inf}, "alpha21_deg"),
    ],
)
def test_wrong_arguments_are_refused_by_name(
    study: renp.Study, words: dict[str, Any], path: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        renp.signal(study, **words)
    assert caught.value.path == path


def test_the_likelihood_is_normalised_in_the_data_and_its_terms_add_up(found: Any) -> None:
    """A Gaussian of the residuals, written out, around the signal that it gives."""
    point = found.prior.sample(1, 3)[0]
    values = dict(zip(found.names, point, strict=True))
    data = found._likelihood.data
    pulls = (data.vector - found.signal(point)) / data.sigma
    expected = -0.5 * pulls**2 - np.log(data.sigma * np.sqrt(2.0 * np.pi))
    np.testing.assert_allclose(found.pointwise(point), expected, rtol=1e-10)
    assert found(point) == found(values) == pytest.approx(float(expected.sum()), rel=1e-12)


def test_the_gradient_is_a_difference(found: Any) -> None:
    point = found.prior.from_cube(np.full(len(found.names), 0.4))
    gradient = found.gradient(point)
    scale = found.prior.sample(400, 1).std(axis=0)
    for k, step in enumerate(1e-5 * scale):
        moved = np.zeros(point.size)
        moved[k] = step
        slope = (found(point + moved) - found(point - moved)) / (2.0 * step)
        assert slope * scale[k] == pytest.approx(gradient[k] * scale[k], rel=1e-3, abs=1e-4)


def test_it_goes_to_other_processes(found: Any) -> None:
    other = pickle.loads(pickle.dumps(found))
    point = found.prior.sample(1, 5)[0]
    assert other(point) == found(point) and other.names == found.names


def test_outside_the_prior_there_is_nothing(found: Any) -> None:
    point = found.prior.sample(1, 5)[0]
    point[found.names.index("m1_meV")] = -1.0
    assert found(point) == -np.inf and found.prior(point) == -np.inf


@pytest.mark.parametrize("wrong", [np.zeros(2), {"m1_meV": 50.0}])
def test_other_parameters_are_refused(found: Any, wrong: Any) -> None:
    with pytest.raises(DomainError, match="parameters"):
        found(wrong)


def test_the_cube_has_the_quantiles_of_the_draws(found: Any) -> None:
    draws, middle = found.prior.sample(20000, 2), np.full(len(found.names), 0.5)
    spread = draws.std(axis=0) + 1e-300
    difference = (np.median(draws, axis=0) - found.prior.from_cube(middle)) / spread
    assert np.all(np.abs(difference) < 0.05)  # 1.25 / sqrt(20000) = 0.009; uniform ones 0.012
    assert found.prior.units["m1_meV"] == "meV" and found.prior.units["amplitude"] == ""


def test_the_model_has_the_posterior_s_parameters(study: renp.Study, found: Any) -> None:
    model = renp.model(study)
    assert tuple(model.coords["parameter"]) == found.names
    assert "parameters" in model.named_vars


def test_constraints_of_a_study_are_part_of_it() -> None:
    """What is handed out is the posterior that our samplers draw from, its slope too."""
    known = {"constraints": {"use": ["katrin-2025", "desi-dr2-lcdm"]}}
    tables = renp.load_study("edge-layout-normalised", FEW).resolved
    plain, found = renp.likelihood(tables), renp.likelihood(tables | known)
    assert plain.constraints == () and len(found.constraints) == 2
    point = found.prior.from_cube(np.full(len(found.names), 0.4))
    values = dict(zip(found.names, point, strict=True))
    # 180 meV: the sum is far above 64.2 meV, the limit of 95 % of half a normal distribution
    light = 1e-3 * values["m1_meV"]
    heavier = [np.sqrt(light**2 + found.prior.fixed.get(n, values.get(n))) for n in SPLITTINGS]
    masses = np.array([light, *heavier])
    first, third = values["sin2_12"], values["sin2_13"]
    shares = np.array([(1 - first) * (1 - third), first * (1 - third), third])
    pulls = [1e3 * masses.sum() / (64.2 / 1.959964), (shares @ masses**2 + 0.14) / 0.14]
    expected = -0.5 * float(np.sum(np.square(pulls)))
    assert found(point) - plain(point) == pytest.approx(expected, rel=1e-4)
    assert found.prior(point) + found(point) == pytest.approx(
        found._likelihood.log_posterior(point), rel=1e-12
    )
    place, step = found.names.index("m1_meV"), np.zeros(point.size)
    step[place] = 1e-4
    change = [one(point + step) - one(point - step) for one in (found, plain)]
    slopes = [one.gradient(point)[place] for one in (found, plain)]
    # the data's own part, far larger, is the same in both
    assert slopes[0] - slopes[1] == pytest.approx((change[0] - change[1]) / 2e-4, rel=1e-3)
    np.testing.assert_array_equal(found.pointwise(point), plain.pointwise(point))


@pytest.mark.parametrize("given", ["abc", ["a"] * 3, {"m1_meV": 1.0}, 3.0, None])
def test_a_point_that_is_none_is_refused(found: Any, given: Any) -> None:
    with pytest.raises(DomainError, match="parameters = "):
        found(given)


@pytest.mark.parametrize("wrong", [0.0, 1.0, -0.1, 1.5, np.nan, "x"])
def test_points_outside_the_cube_are_refused(found: Any, wrong: Any) -> None:
    """At its ends a normal prior is infinite."""
    prior = found.prior
    size = len(prior.names)
    assert np.all(np.isfinite(prior.from_cube(np.full((2, size), 1e-9))))
    with pytest.raises(DomainError, match=f"cube = .*points of {size} numbers"):
        prior.from_cube([0.5] * (size - 1) + [wrong])
    for short in (np.full(size - 1, 0.5), np.full(size + 1, 0.5), 0.5):
        with pytest.raises(DomainError, match=f"cube = .*points of {size} numbers"):
            prior.from_cube(short)


@pytest.mark.parametrize("data", [[1.0], "x", 3.0])
def test_data_that_are_no_mapping_are_refused(data: Any) -> None:
    with pytest.raises(ConfigError, match=r"data: got .*allowed: a mapping: file, or theta_s_deg"):
        renp.load_study("edge-layout-normalised", FEW, data=data)
