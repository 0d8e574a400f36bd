"""The gate: every threshold, on draws whose quality is known."""

import arviz as az
import numpy as np
import pytest
import xarray as xr
from scipy import stats

from renp_infer.inference.judging.sbc import Gates, _failure
from renp_infer.inference.results.diagnostics import Convergence, convergence, diagnose
from renp_infer.inference.results.summary import circular_mean_deg, summarise

GOOD = Convergence(1.001, 2000.0, 1500.0)


def statistics(divergences=0, deep=0, energy_step=1.0, **attributes):
    diverging = np.zeros((4, 1000), dtype=bool)
    diverging.flat[:divergences] = True
    reached = np.zeros((4, 1000), dtype=bool)
    reached.flat[:deep] = True
    noise = np.random.default_rng(5).standard_normal((4, 1000))
    energy = noise if energy_step == 1.0 else np.cumsum(energy_step * noise, axis=1)
    dims = ("chain", "draw")
    columns = {"diverging": diverging, "reached_max_depth": reached, "energy": energy, "lp": energy}
    names = {"sampler": "nuts", "sampling_library": "x", "step_methods": "all: NUTS"}
    return xr.Dataset({k: (dims, v) for k, v in columns.items()}, attrs=names | attributes)


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (GOOD, "pass"),
        (Convergence(1.02, 2000.0, 1500.0), "warn"),
        (Convergence(1.06, 2000.0, 1500.0), "fail"),
        (Convergence(1.001, 399.0, 1500.0), "warn"),
        (Convergence(1.001, 2000.0, 99.0), "fail"),
        (Convergence(float("nan"), 2000.0, 1500.0), "fail"),
        (Convergence(1.01, 2000.0, 1500.0), "warn"),
        (Convergence(1.05, 2000.0, 1500.0), "fail"),
        (Convergence(1.001, 400.0, 400.0), "pass"),
        (Convergence(1.001, 100.0, 400.0), "warn"),
    ],
)
def test_convergence_thresholds(row, verdict):
    result = diagnose({"good": GOOD, "m1_meV": row}, statistics())
    assert result.verdict == verdict
    assert all("m1_meV" in reason for reason in result.reasons)
    assert bool(result.reasons) == (verdict != "pass")


@pytest.mark.parametrize(
    ("changes", "verdict", "word"),
    [
        ({"divergences": 5}, "warn", "diverged"),
        ({"divergences": 40}, "warn", "diverged"),
        ({"divergences": 41}, "fail", "diverged"),
        ({"deep": 41}, "warn", "depth"),
        ({"energy_step": 0.1}, "warn", "BFMI"),
        ({"length_rule_reached": 0, "length_rule": "50 tau"}, "fail", "50 tau"),
    ],
)
def test_sampler_thresholds(changes, verdict, word):
    result = diagnose({"m1_meV": GOOD}, statistics(**changes))
    assert result.verdict == verdict
    assert word in result.reasons[0]


def test_the_worst_grade_wins_and_every_reason_stays():
    rows = {"a": Convergence(1.02, 2000.0, 1500.0), "b": Convergence(1.2, 50.0, 1500.0)}
    result = diagnose(rows, statistics(divergences=5))
    assert result.verdict == "fail"
    assert len(result.reasons) == 4
    assert (result.r_hat_max, result.ess_bulk_min) == (1.2, 50.0)


def test_what_was_graded_is_said():
    """E-BFMI by its definition: squared steps of the energy over squares from its mean."""
    rows = {"a": Convergence(1.02, 399.0, 1500.0), "b": Convergence(1.001, 2000.0, 98.6)}
    found = statistics(energy_step=0.1)
    result = diagnose(rows, found)
    energies = found["energy"].values.tolist()
    ratios = []
    for chain in energies:
        mean = sum(chain) / len(chain)
        steps = sum((b - a) ** 2 for a, b in zip(chain, chain[1:], strict=False))
        ratios.append(steps / sum((e - mean) ** 2 for e in chain))
    assert result.bfmi_min == pytest.approx(min(ratios))
    assert result.reasons == (
        "R-hat of a is 1.020",
        "bulk ESS of a is 399",
        "tail ESS of b is 99",
        f"E-BFMI is {min(ratios):.2f}",
    )
    assert (result.ess_bulk_min, result.ess_tail_min) == (399.0, 98.6)
    assert (result.sampler, result.sampling_library) == ("nuts", "x")
    assert result.step_methods == "all: NUTS"


def test_one_divergence_in_a_thousand_is_nothing():
    result = diagnose({"m1_meV": GOOD}, statistics(divergences=4))
    assert (result.verdict, result.divergences, result.reasons) == ("pass", 4, ())


def test_one_trajectory_in_a_hundred_may_meet_the_depth_limit():
    result = diagnose({"m1_meV": GOOD}, statistics(deep=40))
    assert (result.verdict, result.max_depth_reached, result.reasons) == ("pass", 40, ())


def test_statistics_that_are_not_defined_are_none():
    unknown = Convergence(float("nan"), float("nan"), float("inf"))
    result = diagnose({"m1_meV": unknown}, statistics())
    assert (result.r_hat_max, result.ess_bulk_min, result.ess_tail_min) == (None, None, None)
    assert result.verdict == "fail"


def test_the_tail_is_that_of_the_worse_of_two_quantiles(rng):
    """Chains whose low draws are repeated: effective sizes of the share below each quantile."""
    draws = rng.standard_normal((4, 1000))
    for chain in draws:
        for place in np.flatnonzero(chain[:-20] < -1.5):
            chain[place : place + 8] = chain[place]
    sizes = [
        float(az.ess((draws <= np.quantile(draws, share)).astype(float), method="mean"))
        for share in (0.05, 0.95)
    ]
    assert sizes[0] < 0.8 * sizes[1]
    assert convergence(draws).ess_tail == pytest.approx(sizes[0], rel=0.05)


def test_a_phase_is_as_good_as_the_worse_of_sine_and_cosine(rng):
    """Around 90 degrees the sine hardly moves, and a line of several turns is no circle."""
    draws = 90.0 + np.cumsum(2.0 * rng.standard_normal((4, 1000)), axis=1)
    parts = [convergence(f(np.deg2rad(draws))) for f in (np.sin, np.cos)]
    found = convergence(draws, circular=True)
    assert found.r_hat == max(part.r_hat for part in parts)
    assert found.ess_bulk == min(part.ess_bulk for part in parts)
    assert found.ess_tail == min(part.ess_tail for part in parts)
    straight = convergence(draws)
    assert straight == convergence(draws, circular=False) != found
    # R-hat knows no unit: that of the draws is that of their thousandth
    assert straight.r_hat == pytest.approx(convergence(1e-3 * draws).r_hat)


def test_statistics_a_sampler_lacks_are_none():
    bare = statistics().drop_vars(["diverging", "energy", "reached_max_depth"])
    result = diagnose({"m1_meV": GOOD}, bare)
    assert (result.verdict, result.divergences, result.bfmi_min) == ("pass", None, None)


def test_independent_draws_have_full_ess_and_stuck_chains_do_not(rng):
    draws = rng.standard_normal((4, 1000))
    good = convergence(draws)
    assert good.r_hat < 1.01
    assert 3000 < good.ess_bulk < 5500
    assert convergence(draws + np.arange(4)[:, None]).r_hat > 1.5


def test_a_phase_around_zero_is_converged(rng):
    draws = np.mod(20.0 * rng.standard_normal((4, 1000)), 360.0)
    assert convergence(draws, circular=True).r_hat < 1.01
    opposite = np.mod(draws + 180.0 * (np.arange(4)[:, None] % 2), 360.0)
    assert convergence(opposite, circular=True).r_hat > 1.5


def test_summary_of_a_gaussian(rng):
    draws = 3.0 + 2.0 * rng.standard_normal((4, 10000))
    row = summarise(draws, 3.1, GOOD, circular=False)
    assert row.mean == pytest.approx(draws.mean())
    assert row.sd == pytest.approx(2.0, abs=0.05)
    oracle = stats.norm(3.0, 2.0)
    assert row.interval_68 == pytest.approx(oracle.interval(0.68), abs=0.1)
    assert row.interval_95 == pytest.approx(oracle.interval(0.95), abs=0.2)
    assert (row.truth, row.r_hat, row.ess_tail) == (3.1, 1.001, 1500.0)


def test_summary_of_a_phase_does_not_depend_on_where_zero_is(rng):
    draws = 100.0 + 25.0 * rng.standard_normal((4, 1000))
    plain = summarise(draws, 0.0, GOOD, circular=False)
    for turn in (0.0, 250.0, 300.0):
        row = summarise(np.mod(draws + turn, 360.0), 0.0, GOOD, circular=True)
        assert row.sd == pytest.approx(plain.sd, rel=1e-3)
        for key in ("interval_68", "interval_95"):
            assert getattr(row, key) == pytest.approx(
                np.mod(np.add(getattr(plain, key), turn), 360.0)
            )
        assert row.median == pytest.approx(np.mod(plain.median + turn, 360.0))


def test_circular_mean_of_angles_around_zero():
    assert circular_mean_deg(np.array([350.0, 20.0])) == pytest.approx(5.0)


@pytest.mark.parametrize(("divergences", "failed"), [(0, False), (40, False), (41, True)])
def test_a_calibration_fails_a_fit_for_divergences_as_an_inference_does(divergences, failed):
    share = divergences / statistics()["lp"].size
    assert bool(_failure([GOOD], 1.0, 1e3, share, Gates())) is failed
    found = diagnose({"m1_meV": GOOD}, statistics(divergences=divergences))
    assert (found.verdict == "fail") is failed
