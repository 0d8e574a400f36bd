"""Crystals and lasers that can be built, as designs: loop, powers, density, and the reasons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from renp_infer.design.spaces import region as regions
from renp_infer.design.utilities import utility
from renp_infer.errors import ConfigError
from renp_infer.inference.priors.prior import response_argument, truth_values
from renp_infer.inference.responses.response import Response
from renp_infer.measurement.normalise import coherence
from renp_infer.physics.signal.pickup import pickup_coupling
from renp_infer.records import Pickup
from renp_infer.study.designing import frozen_noise, objective_of, own_values, region_of
from renp_infer.study.load import load_study
from tests.toys.design import ToyAppraiser

HEAD = """schema = 1
seed = 5
[neutrino]
m1_meV = 50.0
nature = "majorana"
[physics]
preset = "first-principles"
[layout]
length_cm = 1.0
radius_cm = 0.3
theta_s_deg = { start = 130.0, stop = 151.6, points = 21 }
[target]
density_per_cm3 = 1e18
[detector]
reference_snr = 300.0
coupling = "pickup"
pickup = { radius_cm = 1.2 }
[inference]
"""
LIT = """[lasers]
eq_mW = 3000.0
qg_mW = 3000.0
trigger_mW = 2000.0
absorption = "ions"
"""
OPTIMIZE = """[optimize]
truths = 16
final_truths = 16
masses = 97
comparisons = false
"""


def study(tmp_path: Path, text: str, head: str = HEAD + LIT):
    path = tmp_path / "s.toml"
    path.write_text(head + OPTIMIZE + text)
    return load_study(path)


def vary(*rows: str) -> str:
    return "[optimize.vary]\n" + "\n".join(rows) + "\n"


RADIUS = '"detector.pickup.radius_cm" = { low = 0.2, high = 4.0 }'


def test_a_loop_varies_and_its_limits_are_told(tmp_path: Path) -> None:
    own = study(tmp_path, vary(RADIUS))
    region = region_of(own, frozen_noise(own))
    at = region.experiment([0.5])
    assert at is not None and at.detector.pickup == Pickup(2.1)
    assert at.detector.coupling == pickup_coupling(Pickup(2.1), 0.3, 1.0)
    refusal = region.judged({"detector.pickup.radius_cm": 0.25})
    assert "detector.pickup" in refusal.what and "clear of the crystal" in refusal.rule
    assert own_values(own, region) == {"detector.pickup.radius_cm": 1.2}


@pytest.mark.parametrize("name", ["pickup.radius_cm", "detector.pickup.radius_cm"])
def test_constraints_speak_of_the_loop(tmp_path: Path, name: str) -> None:
    text = f'constraints = ["{name} >= radius_cm + 0.5"]\n' + vary(RADIUS)
    own = study(tmp_path, text)
    region = region_of(own, frozen_noise(own))
    assert region.judged({"detector.pickup.radius_cm": 0.7}).constraint
    assert region.experiment([region.space.dimensions[0].place(0.9)]) is not None


def test_keys_of_a_table_are_keys_in_any_spelling(tmp_path: Path) -> None:
    table = "[optimize.vary.detector.pickup]\nradius_cm = { low = 0.5, high = 4.0 }\n"
    assert region_of(study(tmp_path, table)).space.names == ("detector.pickup.radius_cm",)


REFUSED = {
    vary('"detector.pickle.radius_cm" = [1.0, 2.0]'): "there is no [detector.pickle]",
    vary('"detector.pickup.radios_cm" = [1.0, 2.0]'): "one of radius_cm",
    vary('"detector.noise_fT_rtHz" = [1.0, 2.0]'): "detector.reference_snr = 0 (it is 300)",
    vary('"detector.reference_snr" = [1.0, 2.0]'): "it scales the noise of all designs alike",
    "prior_odds = { normal_dirac = 0 }\norderings = ['normal']\nnatures = ['dirac']\n"
    + vary(RADIUS): "odds > 0 of at least one hypothesis",
    "windows = [{ centre_deg = 140.0, points = 2.5 }]\n" + vary(RADIUS): "whole numbers",
    vary('"lasers.absorption" = ["none", "all"]'): "none | ions",
    vary('"lasers.eq_mW_cm2" = [1.0, 2.0]'): "one of the two",
    "finite_crystal = 1\n" + vary(RADIUS): "true | false",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_chosen_is_refused(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regions, "MOST_ALIKE", 20)
    with pytest.raises(ConfigError) as caught:
        study(tmp_path, text)
    assert REFUSED[text] in str(caught.value)


def test_length_acts_by_the_loop_alone(tmp_path: Path) -> None:
    """The field is N^2 / V^2 of what ions feel: with xi as a number, no length is in it."""
    lengths = vary('"layout.length_cm" = [0.5, 1.0, 4.0]')
    dark = "[lasers]\nchi_squared = 0.01\n"
    number = HEAD.replace("pickup = { radius_cm = 1.2 }\n", "").replace('"pickup"', "0.02")
    by_number, by_loop = (
        region_of(study(tmp_path, lengths, head + dark)) for head in (number, HEAD)
    )

    def fields(region):
        found = []
        for x in region.space.dimensions[0].places:
            at = region.experiment([x])
            response = Response(at, region.space.truth, coherence(at), 0.1, finite_crystal=False)
            values = truth_values(region.space.truth, at.target.refractive_index)
            found.append(response(response_argument(values))[0])
        return np.array(found)

    same, seen = fields(by_number), fields(by_loop)
    np.testing.assert_allclose(same, same[[0, 0, 0]], rtol=1e-9)
    xi = [pickup_coupling(Pickup(1.2), 0.3, length) for length in (0.5, 1.0, 4.0)]
    expected = np.outer(np.array(xi) / 0.02, np.ones(21)) * same
    np.testing.assert_allclose(seen, expected, rtol=1e-9)


def test_the_finite_crystal_counts_in_the_search_where_it_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    class Noting(ToyAppraiser):
        def __init__(self, *given, **words):
            made.append(words["finite_crystal"])

    monkeypatch.setattr(utility, "Appraiser", Noting)
    for text in ("", "finite_crystal = true\n"):
        own = study(tmp_path, text + vary(RADIUS))
        for stage in ("search", "last"):
            objective_of(own, region_of(own), stage)
    assert made == [False, True, True, True]


DIMENSIONS = (
    '"layout.length_cm" = { low = 0.3, high = 5.0, scale = "log" }',
    '"layout.radius_cm" = { low = 0.1, high = 0.8 }',
    '"detector.pickup.radius_cm" = { low = 1.0, high = 3.0 }',
    '"detector.pickup.stand_off_cm" = { low = 0.0, high = 3.0 }',
    '"detector.pickup.tilt_deg" = { low = 0.0, high = 60.0 }',
    '"lasers.eq_mW" = { low = 500.0, high = 9000.0, scale = "log" }',
    '"lasers.qg_mW" = { low = 500.0, high = 9000.0, scale = "log" }',
    '"lasers.trigger_mW" = { low = 150.0, high = 9000.0, scale = "log" }',
    '"lasers.qg_beam_cm2" = { low = 0.3, high = 5.0, scale = "log" }',
    '"lasers.cycle_ms" = { low = 3.0, high = 20.0, scale = "log" }',
    '"lasers.trigger_delay_lifetimes" = { low = 0.0, high = 1.5 }',
    '"lasers.eq_duration_lifetimes" = { low = 0.5, high = 5.0 }',
    '"lasers.dephasing_per_s" = { low = 0.0, high = 1e3 }',
    '"target.density_per_cm3" = { low = 3e17, high = 5e18, scale = "log" }',
    '"target.quenching_density_per_cm3" = { low = 3e17, high = 1e19, scale = "log" }',
    '"detector.spin_relaxation_ms" = { low = 1.0, high = 20.0, scale = "log" }',
    '"detector.knee_hz" = { low = 0.0, high = 1000.0 }',
)


@pytest.mark.slow
@pytest.mark.parametrize("row", DIMENSIONS)
def test_no_dimension_that_should_matter_is_flat(tmp_path: Path, row: str) -> None:
    """By more than twice the utility's own error, with the same truths for all designs."""
    own = study(tmp_path, vary(row))
    objective = objective_of(own, region_of(own, frozen_noise(own)))
    found = [objective(np.array([u]))["eig_m1"] for u in (0.0, 0.25, 0.5, 0.75, 1.0)]
    values = [one.value for one in found]
    assert max(values) - min(values) > 2.0 * max(one.error for one in found)
