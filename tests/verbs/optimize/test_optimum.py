"""What the searches of a design found together."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from renp_infer.design.searches.bounds import Bound
from renp_infer.design.searches.search import Trial
from renp_infer.design.utilities import utility
from renp_infer.design.utilities.utility import UNKNOWN, Utility
from renp_infer.engine.result import Verdict
from renp_infer.records import Experiment
from renp_infer.study.designing import frozen_noise, objective_of, region_of
from renp_infer.study.load import load_study
from renp_infer.study.study import Study
from renp_infer.verbs.optimize.gains import gains
from renp_infer.verbs.optimize.optimum import summary
from renp_infer.verbs.optimize.parts import Appraisal, Chosen, Found, Gains
from tests.toys.design import ToyAppraiser
from tests.verbs.optimize.test_work import CRYSTAL, HEAD, write


def test_less_of_what_should_be_small_is_a_gain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The longer crystal has the smaller error: of the gains, and of the search's result."""

    truths: list[int] = []

    class Shorter(ToyAppraiser):
        def __init__(self, *words: Any, **_: Any) -> None:
            [rng] = [word for word in words if isinstance(word, np.random.Generator)]
            truths.append(int(rng.integers(2**60)))

        def __call__(self, experiment: Experiment, names: Any) -> dict[str, Utility]:
            return {"sd_m1": Utility(10.0 - experiment.layout.length_cm, 0.1)}

    monkeypatch.setattr(utility, "Appraiser", Shorter)
    study = load_study(write(tmp_path, HEAD + CRYSTAL), ["optimize.utility=sd_m1"])
    own = study.experiment.layout.length_cm
    rows = gains(study, {"layout.length_cm": 3.5})
    assert [row.gain for row in rows] == pytest.approx([3.5 - own] * len(rows))
    assert {(row.utility.value, row.reference.value) for row in rows} == {(6.5, 10.0 - own)}
    objective_of(study, region_of(study, frozen_noise(study)), "last")
    objective_of(study, region_of(study, frozen_noise(study)), "search")
    assert set(truths[:-1]) == {truths[0]} and truths[-1] != truths[0]
    found = summary(study, [_searched(3.5, own), _searched(3.0, None)])
    assert (found.search.value, found.last.of("sd_m1").value) == (6.4, 6.5)
    assert found.gain == pytest.approx(3.5 - own)


def _searched(length: float, own: float | None) -> Found:
    """A search that ended with a crystal of a length; the first has appraised the study's own."""
    keys = {"layout.length_cm": length}
    trial = Trial("start", (0.5,), keys, {"sd_m1": 9.9 - length}, {"sd_m1": 0.1})
    last = Appraisal({"sd_m1": Utility(10.0 - length, 0.1)})
    reference = None if own is None else Appraisal({"sd_m1": Utility(10.0 - own, 0.1)})
    return Found("skopt", 0, (trial,), Chosen(trial, keys, ()), last, reference)


def _trial(value: float, stage: str = "search", x: float = 0.5) -> Trial:
    values = {} if np.isnan(value) else {"eig_m1": value}
    errors = dict.fromkeys(values, 0.1)
    return Trial(stage, (x,), {"layout.length_cm": 1.0 + x}, values, errors)


def _end(
    values: list[float],
    last: Utility,
    own: Utility | None = None,
    *,
    optimizer: str = "skopt",
    bounds: tuple[Bound, ...] = (),
    **more: Any,
) -> Found:
    """A search of some trials, the last of which it polished and settled for."""
    trials = [_trial(value) for value in values[:-1]] + [_trial(values[-1], "polish", 0.25)]
    best = Chosen(trials[-1], {"layout.length_cm": 9.0}, bounds)
    reference = None if own is None else Appraisal({"eig_m1": own})
    at = Appraisal({"eig_m1": last})
    return Found(optimizer, len(values), tuple(trials), best, at, reference, **more)


@pytest.fixture
def plain(tmp_path: Path) -> Study:
    return load_study(write(tmp_path, HEAD + CRYSTAL))


OWN = Utility(4.0, 0.3)


@pytest.mark.parametrize(
    ("search", "last", "own", "bounds", "verdict"),
    [
        (5.5, Utility(5.4, 0.3), OWN, (), Verdict("pass")),
        (5.5, UNKNOWN, OWN, (), Verdict("fail", ("the best design has no utility",))),
        # five combined errors are 1.5811, three are 1.2728
        (7.0, Utility(5.42, 0.3), OWN, (), Verdict("pass")),
        (
            7.0,
            Utility(5.41, 0.3),
            OWN,
            (),
            Verdict("fail", ("other truths give 5.41, the search 7: more truths are needed",)),
        ),
        (
            np.inf,
            Utility(5.41, 0.3),
            OWN,
            (),
            Verdict("fail", ("other truths give 5.41, the search nan: more truths are needed",)),
        ),
        (5.4, Utility(5.28, 0.3), OWN, (), Verdict("pass")),
        (
            5.4,
            Utility(5.27, 0.3),
            OWN,
            (
                Bound("layout.length_cm", "upper", "range", "4"),
                Bound("layout.radius_cm", "lower", "constraint", "volume_cm3 >= 2"),
            ),
            Verdict(
                "warn",
                (
                    "no significant gain over the study's own design",
                    "on a bound: layout.length_cm (upper end of its range, 4), "
                    "layout.radius_cm (lower side, held by volume_cm3 >= 2)",
                ),
            ),
        ),
        (5.4, Utility(5.27, 0.3), None, (), Verdict("pass")),
    ],
)
def test_the_verdict_of_a_search(
    plain: Study,
    search: float,
    last: Utility,
    own: Utility | None,
    bounds: tuple[Bound, ...],
    verdict: Verdict,
) -> None:
    found = summary(plain, [_end([1.0, search], last, own, bounds=bounds)])
    assert found.verdict == verdict
    assert found.bounds == bounds
    known = last.known and own is not None
    assert found.gain == (pytest.approx(last.value - 4.0) if known else None)


def test_the_best_of_searches_and_what_each_optimizer_reached(plain: Study) -> None:
    """The second of three; quartiles of what searches ended with, but for the polish."""
    first = _end([1.0, 3.0, 9.0], Utility(5.0, 0.1), OWN, allowed_share=0.7)
    second = _end([2.0, 5.0, 1.0, 6.0], Utility(8.0, 0.1))
    third = _end([4.0, 7.0], Utility(7.0, 0.1), optimizer="sobol", allowed_share=0.1)
    lost = _end([np.nan, 1.0], UNKNOWN, optimizer="random")
    found = summary(plain, [first, second, third, lost])
    assert (found.name, found.objective, found.per_cost) == ("toy-design", "eig_m1", False)
    assert found.normalised and found.front is None and found.hypervolume is None
    assert (found.found_by.optimizer, found.found_by.repeat) == ("skopt", 4)
    assert found.found_by.stage == "polish"
    assert (found.best, found.design) == ({"layout.length_cm": 9.0}, {"layout.length_cm": 1.25})
    assert (found.x, found.search) == ((0.25,), Utility(6.0, 0.1))
    assert (found.last, found.reference) == (second.last, first.reference)
    assert (found.evaluations, found.allowed_share) == (3 + 4 + 2 + 2, 0.7)
    rows = [(row.optimizer, row.repeats) for row in found.searches]
    assert rows == [("skopt", 2), ("sobol", 1), ("random", 1)]
    quartiles = [(r.lower_quartile, r.median, r.upper_quartile) for r in found.searches]
    assert quartiles == [(3.5, 4.0, 4.5), (4.0, 4.0, 4.0), (None, None, None)]


def test_gains_say_whether_they_are_of_the_best(plain: Study) -> None:
    for x, best in (((0.25,), True), ((0.3,), False)):
        one = _end([1.0, 6.0], Utility(8.0, 0.1), OWN, gains=Gains(x, ()))
        found = summary(plain, [one, _end([1.0, 5.0], Utility(1.0, 0.1))])
        assert found.gains is not None and found.gains.of_best is best
        # what is robust has the same two fields
        other: Any = replace(one, gains=None, robustness=one.gains)
        last = _end([1.0, 5.0], Utility(1.0, 0.1))
        for parts in ([other, last], [last, other]):
            robust = summary(plain, parts).robustness
            assert robust is not None and (robust.x, robust.of_best) == (x, best)
    assert summary(plain, [_end([1.0, 6.0], Utility(8.0, 0.1))]).gains is None


def test_the_front_of_two_objectives(tmp_path: Path) -> None:
    """Three of six trials, without errors; the hypervolume is that of the steps below them."""
    study = load_study(
        write(tmp_path, HEAD + CRYSTAL), ["optimize.utility=['eig_m1', 'min_spacing_deg']"]
    )
    pairs = [(1.0, 5.0), (2.0, 3.0), (4.0, 1.0), (1.5, 2.0), (1.0, 1.0), (np.inf, 2.0)]
    names = ("eig_m1", "min_spacing_deg")
    trials = tuple(
        Trial("search", (0.1 * k,), {"k": k}, dict(zip(names, pair, strict=True)), zero)
        for k, pair in enumerate(pairs)
        for zero in [dict.fromkeys(names, 0.0)]
    )
    last = Appraisal({name: Utility(4.0, 0.1) for name in names})
    parts = [
        Found("skopt", 0, trials[:3], Chosen(trials[2], {}, ()), last),
        Found("sobol", 0, trials[3:], Chosen(trials[3], {}, ()), last),
    ]
    found = summary(study, parts)
    assert found.front is not None and found.hypervolume is not None
    members = {member.design["k"]: member for member in found.front}
    assert set(members) == {0, 1, 2}
    for k, member in members.items():
        assert member.x == (0.1 * k,) and member.membership == 1.0
        assert tuple(member.values[name] for name in names) == pairs[k]
        assert set(member.errors.values()) == {0.0}
    low = [found.hypervolume.reference[name] for name in names]
    steps = [(4.0, 1.0, 0.0), (2.0, 3.0, 1.0), (1.0, 5.0, 3.0)]
    area = sum((x - low[0]) * (top - max(bottom, low[1])) for x, top, bottom in steps)
    assert found.hypervolume.value == pytest.approx(area)
    assert found.hypervolume.error == pytest.approx(0.0, abs=1e-12)
    noisy = [replace(t, errors=dict.fromkeys(names, 0.4)) for t in trials]
    unsure = [replace(part, trials=tuple(noisy)) for part in parts[:1]]
    first, again = summary(study, unsure), summary(study, unsure)
    assert first.front == again.front and first.hypervolume == again.hypervolume
    assert first.hypervolume is not None and 0.01 < first.hypervolume.error < area
    assert first.front is not None
    assert any(0.0 < member.membership < 1.0 for member in first.front)
    exact = [replace(t, errors=dict.fromkeys(names, np.inf)) for t in trials]
    known = summary(study, [replace(parts[0], trials=tuple(exact))])
    assert known.hypervolume is not None
    assert (known.hypervolume.value, known.hypervolume.error) == (pytest.approx(area), 0.0)
    lost = [_end([np.nan, np.nan], UNKNOWN)]
    assert (summary(study, lost).front, summary(study, lost).hypervolume) == ((), None)


@pytest.mark.parametrize(("snr", "normalised"), [(0.0, False), (0.5, True)])
def test_noise_is_normalised_where_a_ratio_is_asked_for(
    tmp_path: Path, snr: float, normalised: bool
) -> None:
    study = load_study(write(tmp_path, HEAD + CRYSTAL), [f"detector.reference_snr={snr}"])
    found = summary(study, [_end([1.0, 6.0], Utility(8.0, 0.1))])
    assert found.normalised is normalised


def test_a_design_that_cannot_be_has_the_reason_in_one_line(tmp_path: Path) -> None:
    rows = gains(load_study(write(tmp_path, HEAD + CRYSTAL)), {"layout.length_cm": -1.0})
    assert all(row.failed.startswith("layout.length_cm: got -1") for row in rows)
    assert all("  " not in row.failed and "\n" not in row.failed for row in rows)


@pytest.mark.parametrize(("error", "verdict"), [(0.0, "pass"), (0.01, "fail")])
def test_only_values_with_errors_must_agree(plain: Study, error: float, verdict: str) -> None:
    """A tenth apart: seven combined errors of a hundredth each; what has none is other truths'."""
    part = _end([1.0, 5.5], Utility(5.4, error), Utility(4.0, error))
    trial = replace(part.best.trial, errors={"eig_m1": error})
    best = replace(part.best, trial=trial)
    assert summary(plain, [replace(part, best=best)]).verdict.verdict == verdict


@pytest.mark.parametrize("given", [0.01, 0.25])
def test_gains_take_no_more_coherence_than_a_trigger_can_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: float
) -> None:
    """Of rho_ee^3 |rho_ep|^2 the most, for pure states, is that of p^4 (1 - p)."""
    asked: dict[str, set[float | None]] = {}

    class Listener(ToyAppraiser):
        def __call__(self, experiment: Experiment, names: Any) -> dict[str, Utility]:
            kind = experiment.switches.trigger
            asked.setdefault(kind, set()).add(experiment.lasers.chi_squared)
            return {"eig_m1": Utility(1.0, 0.1)}

    monkeypatch.setattr(utility, "Appraiser", Listener)
    text = (HEAD + CRYSTAL).replace("1e-3", str(given))
    study = load_study(write(tmp_path, text), ["physics.preset=first-principles"])
    rows = gains(study, {"layout.length_cm": 3.5})
    assert not any(row.failed for row in rows)
    share = np.linspace(0.0, 1.0, 100_001)
    most = float(np.max(share**4 * (1.0 - share)))
    assert set(asked) == {"h_r", "coherence"}
    assert asked["coherence"] == {given}
    assert sorted(asked["h_r"]) == pytest.approx([min(given, most)])
