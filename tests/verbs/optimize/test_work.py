"""``renp optimize``: what it refuses, what it writes, and that a kill loses nothing."""

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from renp_infer.app.cli import execute
from renp_infer.design.searches import effects as design_effects
from renp_infer.design.searches.effects import settled
from renp_infer.design.searches.search import Trial, appraised
from renp_infer.design.spaces import region
from renp_infer.design.utilities import utility
from renp_infer.design.utilities.utility import Utility
from renp_infer.engine.blocks import Blocks
from renp_infer.engine.tasks import Scratch
from renp_infer.errors import ConfigError, ConvergenceError
from renp_infer.measurement.normalise import coherence, noise_covariance
from renp_infer.physics.pairs.kinematics import phase_matched
from renp_infer.records import PRESETS, Experiment
from renp_infer.resources import share_path
from renp_infer.study.designing import (
    appraiser_of,
    frozen_noise,
    objective_of,
    own_values,
    region_of,
    space_of,
    study_at,
)
from renp_infer.study.load import load_study
from renp_infer.verbs.optimize.gains import gains
from renp_infer.verbs.optimize.page import sentences
from renp_infer.verbs.optimize.result import OptimizeResult
from renp_infer.verbs.optimize.work import Journal, chosen
from tests.toys.design import PEAK, ToyAppraiser

pytestmark = pytest.mark.usefixtures("kept")

HEAD = """schema = 1
name = "toy-design"
[lasers]
chi_squared = 1e-3
[detector]
reference_snr = 100
[optimize]
evaluations = 7
polish = 4
baselines = ["sobol"]
effects = 0
at_m1_meV = []
constraints = ["volume_cm3 <= 12"]
"""
CRYSTAL = """[optimize.vary]
"layout.radius_cm" = { low = 0.5, high = 1.5 }
"layout.length_cm" = { low = 1.0, high = 4.0, scale = "log" }
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "toy.toml"
    path.write_text(text)
    return path


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(utility, "Appraiser", ToyAppraiser)
    monkeypatch.setattr(ToyAppraiser, "calls", 0)


def optimize(path: Path, home: Path, *words: str) -> int:
    return execute(["optimize", str(path), "--out", str(home), "--quiet", *words])


@pytest.mark.usefixtures("toy")
def test_the_result_is_what_the_contract_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, home = write(tmp_path, HEAD + CRYSTAL), tmp_path / "run"
    assert optimize(path, home, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    best = found["best"]
    assert best["layout.radius_cm"] == pytest.approx(PEAK[0], abs=0.2)
    own = ToyAppraiser()(load_study(path).experiment, ["eig_m1"])["eig_m1"]
    assert found["reference_utility"] == own.value
    assert found["gain"] == pytest.approx(found["utility"] - own.value)
    assert found["utility"] == found["search_utility"] and found["utility_error"] == 0.01
    rows = [json.loads(line) for line in (home / "trials.jsonl").read_text().splitlines()]
    assert [r["optimizer"] for r in rows] == ["skopt"] * 11 + ["sobol"] * 7
    assert found["utility"] == max(r["values"]["eig_m1"] for r in rows)
    assert found["evaluations"] == len(rows)
    assert "priors" not in found and "effects" not in found
    manifest = json.loads((home / "manifest.json").read_text())
    assert {"optimize.json", "trials.jsonl", "best.toml"} <= set(manifest["files"])


def test_gains_are_those_of_the_same_design_under_each_physics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The appraiser says what it was asked: preset, systematics and crystal."""
    asked = []

    class Listener(ToyAppraiser):
        def __init__(self, settings: Any, *words: Any, **more: Any) -> None:
            self.settings = settings

        def __call__(self, experiment: Experiment, names: Any) -> dict[str, Utility]:
            unknown = self.settings.inference.amplitude_sd > 0.0
            open_phases = self.settings.inference.phases != "fixed"
            assert unknown == open_phases
            kappa = experiment.switches.phase_space
            asked.append((kappa, unknown, experiment.layout.length_cm))
            return {"eig_m1": Utility(experiment.layout.length_cm * (1.0 + unknown), 0.1)}

    monkeypatch.setattr(utility, "Appraiser", Listener)
    study = load_study(write(tmp_path, HEAD + CRYSTAL))
    rows = gains(study, {"layout.length_cm": 3.5})
    own = study.experiment.layout.length_cm
    assert [(r.preset, r.systematics) for r in rows] == [
        (p, s) for p in PRESETS for s in (True, False)
    ]
    assert [r.gain for r in rows] == pytest.approx([2 * (3.5 - own), 3.5 - own] * 3)
    assert {a[0] for a in asked[:4]} == {"planar"} and {a[0] for a in asked[4:]} == {"full"}


@pytest.mark.usefixtures("toy")
def test_a_design_of_full_coherence_has_a_gain_in_the_older_physics(tmp_path: Path) -> None:
    """|rho_ep|^2 = 1/4 is no rho_ee^3 |rho_ep|^2, whose most is 256/3125."""
    path = share_path("studies") / "optimize-mass-first-principles.toml"
    rows = gains(load_study(path), {"layout.length_cm": 1.0})
    assert [row.failed for row in rows] == [""] * 6


@pytest.mark.usefixtures("toy")
def test_a_gain_that_cannot_be_had_says_why(tmp_path: Path) -> None:
    rows = gains(load_study(write(tmp_path, HEAD + CRYSTAL)), {"layout.length_cm": -1.0})
    assert len(rows) == 6
    assert all("layout.length_cm" in row.failed and "gain" not in row.plain() for row in rows)


def test_what_has_no_effect_is_never_shown_as_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A utility of the radius alone: the length of best.toml is the study's own, and said to be."""

    class Radius(ToyAppraiser):
        def __call__(self, experiment: Experiment, names: Any) -> dict[str, Utility]:
            bowl = 8.0 * (experiment.layout.radius_cm - 1.2) ** 2
            return {"eig_m1": Utility(2.0 - bowl, 0.01)}

    monkeypatch.setattr(utility, "Appraiser", Radius)
    monkeypatch.setattr(design_effects, "PAIRS", 32)
    path, home = write(tmp_path, HEAD + CRYSTAL), tmp_path / "run"
    words = ("--set", "optimize.effects=40", "--set", "optimize.baselines=[]")
    assert optimize(path, home, "--json", *words) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["best"]["layout.length_cm"] == load_study(path).experiment.layout.length_cm
    assert found["flat"] == {"layout.length_cm": "own"}
    radius, length = found["effects"]
    assert (radius["name"], length["name"]) == ("layout.radius_cm", "layout.length_cm")
    assert (radius["flat"], length["flat"]) == (False, True)
    assert abs(radius["total"] - 1.0) < 3.0 * radius["total_error"]
    assert length["effect"] <= 2.0 * length["error"]
    assert found["surrogate"]["held_out"] == 20 and found["surrogate"]["error"] < 0.1
    assert found["on_bound"] == []
    best = (home / "best.toml").read_text()
    assert best.startswith("# layout.length_cm: no effect; the study's own value.\n")
    assert load_study(home / "best.toml").experiment.layout.length_cm == 2.0
    assert optimize(path, home, *words) == 0
    assert "no effect; the study's own value" in " ".join(capsys.readouterr().out.split())
    told = OptimizeResult.of(json.loads((home / "optimize.json").read_text()), ())
    assert "layout.length_cm: no effect; the study's own value." in sentences(told)


def test_the_crystals_length_has_no_effect_on_the_mass_in_corrected() -> None:
    """Corrected physics knows the length only as a factor that the normalised noise has, too."""
    window = (
        "optimize.windows=[{centre_deg={low=20.0, high=170.0}, "
        'width_deg={low=1.5, high=40.0, scale="log"}, points=11}]'
    )
    smaller = ["optimize.truths=8", "optimize.masses=33", window]
    study = load_study(share_path("studies") / "optimize-mass.toml", smaller)
    objective = objective_of(study, region_of(study, frozen_noise(study)))
    values = {"layout.length_cm": 1.13, "window1.centre_deg": 135.0, "window1.width_deg": 24.0}
    best = appraised(objective, objective.region.space.point(values), "search")
    trial, flat = settled(objective, best, own_values(study, objective.region))
    assert flat == {"layout.length_cm": "own"}
    assert trial.design["layout.length_cm"] == study.experiment.layout.length_cm
    assert trial.values["eig_m1"] == pytest.approx(best.values["eig_m1"], rel=1e-9)


@pytest.mark.parametrize("given", ["-1", "half"])
def test_a_number_of_designs_that_is_none_is_refused(
    tmp_path: Path, given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, HEAD + CRYSTAL)
    assert optimize(path, tmp_path / "run", "--set", f"optimize.effects={given}") == 2
    said = capsys.readouterr().err
    assert "optimize.effects" in said and given in said and "100000" in said.replace(",", "")


@pytest.mark.usefixtures("toy")
def test_the_best_design_is_a_study(tmp_path: Path) -> None:
    path, home = write(tmp_path, HEAD + CRYSTAL), tmp_path / "run"
    assert optimize(path, home) == 0
    found = json.loads((home / "optimize.json").read_text())
    best = load_study(home / "best.toml")
    assert best.experiment.layout.length_cm == found["best"]["layout.length_cm"]
    assert best.settings is not None and best.design is None
    utility = ToyAppraiser()(best.experiment, ["eig_m1"])["eig_m1"]
    assert utility.value == found["utility"]


@pytest.mark.parametrize(
    "stop", [5, *(pytest.param(n, marks=pytest.mark.slow) for n in (0, 14, 30))]
)
@pytest.mark.usefixtures("toy")
def test_a_search_that_is_killed_goes_on_with_the_next_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    path = write(tmp_path, HEAD + CRYSTAL)
    assert optimize(path, tmp_path / "whole") == 0
    whole = ToyAppraiser.calls
    appraise, left = ToyAppraiser.__call__, [stop]

    def killed(self: ToyAppraiser, *words: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return appraise(self, *words)

    with monkeypatch.context() as patch:
        patch.setattr(ToyAppraiser, "__call__", killed)
        assert optimize(path, tmp_path / "killed") == 130
    monkeypatch.setattr(ToyAppraiser, "calls", 0)
    assert optimize(path, tmp_path / "killed") == 0
    # 11 trials, 5 finalists, 2 last appraisals and 12 under other physics; then 7, 5 and 1
    assert whole == 30 + 13
    assert ToyAppraiser.calls == whole - min(stop, 11 if stop < 30 else 30)
    for name in ("trials.jsonl", "best.toml"):
        ours, theirs = ((tmp_path / home / name).read_text() for home in ("killed", "whole"))
        assert ours == theirs


def test_a_torn_line_ends_what_is_believed(tmp_path: Path) -> None:
    scratch = Blocks(tmp_path / "run", "optimize", ".json").scratch
    folder = tmp_path / "run" / scratch.folder
    (tmp_path / "run").mkdir()
    journal = Journal(scratch, "a" * 64)
    trials = [
        Trial("search", (0.1 * k,), {"a": k}, {"sd_m1": np.inf if k == 1 else 0.5}, {"sd_m1": 0.0})
        for k in range(4)
    ]
    journal.rewrite([])
    for trial in trials:
        journal.append(trial)
    assert journal.read() == trials
    file = next(folder.iterdir())
    file.write_bytes(file.read_bytes()[:-9])
    assert journal.read() == trials[:3]
    journal.rewrite(journal.read())
    journal.append(trials[3])
    assert journal.read() == trials
    for nowhere in (None, Scratch(str(tmp_path / "other"), scratch.folder)):
        absent = Journal(nowhere, "b" * 64)
        absent.append(trials[0])
        assert absent.read() == []
    assert not (tmp_path / "other").exists()


REFUSED = {
    "": "optimize.vary: got nothing",
    '[optimize.vary]\n"layout.lenth_cm" = { low = 1, high = 2 }': "did you mean 'length_cm'",
    '[optimize.vary]\n"layout.length_cm" = { low = 1, high = 30 }': "vary.layout.length_cm",
    '[optimize.vary]\n"layout.length_cm" = { low = 2, high = 1 }': "low < high",
    '[optimize.vary]\n"lasers.cycle_ms" = { low = 0, high = 1, scale = "log" }': "low > 0",
    '[optimize.vary]\n"neutrino.m1_meV" = [1.0, 2.0]': "a key of layout, lasers, detector, target",
    '[optimize.vary]\n"layout.theta_s_deg" = [1.0, 2.0]': "[[optimize.windows]]",
    '[optimize.vary]\n"detector.kernel" = ["box", "cone"]': "gaussian",
    "[[optimize.windows]]\ncentre_deg = { low = 1, high = 2 }\nshare = 0.5": "share",
    '[[optimize.windows]]\nthreshold = "33"\ndistance_meV = { low = -60, high = 2 }': ">= -50",
    "[[optimize.windows]]\ncentre_deg = 1\n" * 3: "one or two",
    '[optimize]\nconstraints = ["volume <= 1"]\n' + CRYSTAL: "did you mean 'volume_cm3'",
    '[optimize]\nconstraints = ["volume_cm3 + 1"]\n' + CRYSTAL: "a comparison",
    '[optimize]\nconstraints = ["volume_cm3 <= 0.1"]\n' + CRYSTAL: "satisfied somewhere",
    "[optimize]\ntruths = 7\n" + CRYSTAL: ">= 8",
    '[optimize]\nper_cost = true\nutility = "sd_m1"\n' + CRYSTAL: "less is better",
    '[optimize]\nbaselines = ["sobol", "skopt"]\n' + CRYSTAL: "optimize.repeats searches again",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_makes_no_design_is_refused(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(region, "MOST_DRAWS", 40)
    whole = "schema = 1\n[lasers]\nchi_squared = 1e-3\n"
    whole += text if "[optimize]" in text else "[optimize]\n" + text
    with pytest.raises(ConfigError) as caught:
        load_study(write(tmp_path, whole))
    assert REFUSED[text] in str(caught.value)
    assert caught.value.path.startswith("optimize.")


def test_a_design_is_the_study_with_its_keys(tmp_path: Path) -> None:
    """Against the study loaded with the same keys by --set."""
    text = HEAD + CRYSTAL + '[[optimize.windows]]\nthreshold = "33"\ndistance_deg = { low = -1, '
    text += "high = 1 }\nwidth_deg = 4\npoints = 5\n"
    path = write(tmp_path, text)
    space = space_of(load_study(path))
    for x in ([0.0, 0.5, 0.25], [1.0, 0.1, 0.9]):
        keys = space.keys(x)
        words = [f"{key}={value!r}" for key, value in keys.items()]
        expected = load_study(path, words).experiment
        found = space.experiment(x)
        assert np.array_equal(found.layout.theta_s, expected.layout.theta_s)
        assert found.layout.volume_cm3 == expected.layout.volume_cm3
        assert found.detector == expected.detector


GENERIC = """[target]
scheme = "generic"
omega_1_eV = 0.815
omega_2_eV = 0.437
omega_s_eV = 0.845
refractive_index = 1.45
density_per_cm3 = 1.4e19
gamma_ep_per_s = 57.0
spin_squared = 1.0
g_factor = 1.2
[target.md_rates_per_s]
ep = 1.0
pg = 1.0
eg = 500.0
eq = 1.0
qg = 1.0
qp = 1.0
"""


def test_where_the_target_varies_the_excitation_stays_phase_matched(tmp_path: Path) -> None:
    text = HEAD + GENERIC + '[physics]\npreset = "corrected"\n'
    text += '[optimize.vary]\n"target.omega_1_eV" = { low = 0.7, high = 0.9 }\n'
    space = space_of(load_study(write(tmp_path, text)))
    for u in (0.0, 1.0):
        experiment = space.experiment([u])
        assert experiment.target.omega_1 == pytest.approx(0.7 + 0.2 * u)
        assert experiment.layout.theta_e == phase_matched(experiment.target)[1]


def test_noise_stays_as_it_is_when_more_than_the_layout_varies(tmp_path: Path) -> None:
    """The covariance of the frozen keys is that of the study; lasers no longer scale it."""
    more = '"lasers.trigger_mW_cm2" = [1e-3, 1e-1]\n'
    assert frozen_noise(load_study(write(tmp_path, HEAD + CRYSTAL))) == {}
    study = load_study(write(tmp_path, HEAD + CRYSTAL + more))
    keys = frozen_noise(study)
    assert study.design is not None
    frozen = study_at(study.design, keys)
    covariances = [
        noise_covariance(s.experiment, s.parameters, coherence(s.experiment))
        for s in (study, frozen)
    ]
    assert covariances[1] == pytest.approx(covariances[0], rel=1e-12, abs=0)
    assert frozen.experiment.detector.reference_snr == 0.0


def test_own_values_are_the_studys(tmp_path: Path) -> None:
    text = HEAD + CRYSTAL + '"detector.kernel" = ["box", "gaussian"]\n'
    study = load_study(write(tmp_path, text), ["detector.kernel=gaussian", "layout.radius_cm=0.7"])
    found = own_values(study, region_of(study))
    expected = {"layout.radius_cm": 0.7, "layout.length_cm": 2.0, "detector.kernel": "gaussian"}
    assert found == expected


def test_the_search_and_the_last_appraisal_use_other_truths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    class Noting(ToyAppraiser):
        def __init__(self, settings: Any, _own: Any, _table: Any, rng: Any, **words: Any) -> None:
            made.append((settings.truths, words, rng.standard_normal()))

        def __call__(self, experiment: Experiment, names: Any) -> Any:
            return super().__call__(experiment, names)

    monkeypatch.setattr(utility, "Appraiser", Noting)
    study = load_study(write(tmp_path, HEAD + CRYSTAL))
    region = region_of(study)
    for stage in ("search", "choice", "last", "search"):
        objective_of(study, region, stage)
    assert made[0] == made[3]
    assert len({draw for _, _, draw in made}) == 3
    assert [count for count, _, _ in made] == [32, 128, 128, 32]
    assert [words["finite_crystal"] for _, words, _ in made] == [False, False, True, False]


@pytest.mark.usefixtures("toy")
def test_two_objectives_give_a_front(tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + CRYSTAL)
    assert optimize(path, tmp_path / "run", "--set", 'optimize.utility=["eig_m1","cost"]') == 0
    found = json.loads((tmp_path / "run" / "optimize.json").read_text())
    values = np.array([[r["values"]["eig_m1"], -r["values"]["cost"]] for r in found["front"]])
    rows = [
        json.loads(line)["values"]
        for line in (tmp_path / "run" / "trials.jsonl").read_text().splitlines()
    ]
    everything = np.array([[r["eig_m1"], -r["cost"]] for r in rows])
    order = np.argsort(values[:, 0])
    assert np.all(np.diff(values[order, 1]) < 0.0)
    for own in everything:
        assert any(np.all(member >= own) for member in values)


def test_a_study_without_the_section_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert optimize(write(tmp_path, "schema = 1\n"), tmp_path / "run") == 2
    assert "a section [optimize]" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_the_resolved_study_is_the_same_study(tmp_path: Path) -> None:
    import tomli_w

    study = load_study(write(tmp_path, HEAD + CRYSTAL))
    again = load_study(write(tmp_path, tomli_w.dumps(study.resolved)))
    assert study.design is not None and again.design is not None
    assert again.design.section.model_copy(update={"follow": ()}) == study.design.section
    assert again.design.tables == study.design.tables
    assert tomllib.loads(tomli_w.dumps(again.resolved)) == tomllib.loads(
        tomli_w.dumps(study.resolved)
    )


def test_luck_does_not_choose_the_best() -> None:
    """Of trials with errors the one that other truths prefer; a failure never."""
    lucky = [2.9, 3.0, 2.8, 2.7, 2.6, 2.5]

    class Judge:
        names = ("eig_m1",)

        def __call__(self, x: Any) -> dict[str, Utility]:
            if x[0] == 0.1:
                raise ConvergenceError("toy", 1.0, 0.1)
            return {"eig_m1": Utility(float(x[0]), 0.1)}

        def scores(self, found: dict[str, Utility]) -> tuple[float, ...]:
            return (found["eig_m1"].value,)

    trials = [
        Trial("search", (0.1 * k,), {}, {"eig_m1": value}, {"eig_m1": 0.1})
        for k, value in enumerate(lucky)
    ]
    assert chosen(trials, Judge()).x == (0.4,)  # type: ignore[arg-type]
    failed = Trial("search", (0.9,), {}, {}, {}, "why")
    assert chosen([failed], Judge()) == failed  # type: ignore[arg-type]


def test_templates_without_priors_are_refused(tmp_path: Path) -> None:
    (tmp_path / "hum.csv").write_text("theta_s_deg,template_nG\n-180,0.1\n180,-0.2\n")
    one = '[[systematics]]\nname = "hum"\nkind = "additive"\nfile = "hum.csv"\nsd = 0.5\n'
    with pytest.raises(ConfigError, match=r"inference.*\[\[systematics\]\]"):
        load_study(write(tmp_path, HEAD + CRYSTAL + one))


def test_the_appraiser_knows_constraints_and_templates(tmp_path: Path) -> None:
    """A mass known to nothing leaves nothing to learn; a template is one nuisance more."""
    (tmp_path / "hum.csv").write_text("theta_s_deg,template_nG\n-180,0.1\n180,-0.2\n")
    more = """
[inference]
phases = "fixed"
[[constraints.gaussian]]
name = "mass"
quantities = ["m1_meV"]
values = [50.0]
errors = [0.01]
[[systematics]]
name = "hum"
kind = "additive"
file = "hum.csv"
sd = 0.5
"""
    study = load_study(write(tmp_path, HEAD + CRYSTAL + more), ["optimize.truths=8"])
    assert study.design is not None
    appraiser = appraiser_of(study, region_of(study))
    bench = appraiser.bench(study_at(study.design, {}).experiment)
    assert "hum" in bench.rivals[0].prior.names
    assert appraiser.of_bench(bench, ["eig_m1"])["eig_m1"].value == pytest.approx(0.0, abs=5e-3)
    assert np.all(np.abs(appraiser.truths.m1_meV - 50.0) < 0.06)
