"""Lasers by their power, beams that cover the crystal, and what ions take from them."""

from __future__ import annotations

from math import pi
from pathlib import Path

import numpy as np
import pytest
import tomli_w

from renp_infer.design.spaces.cost import total_power_mW
from renp_infer.errors import ConfigError
from renp_infer.measurement.normalise import coherence
from renp_infer.study.load import load_study

HEAD = """schema = 1
[physics]
preset = "first-principles"
[layout]
length_cm = 1.0
radius_cm = 0.5
theta_e_deg = 150.0
theta_s_deg = [30.0, 90.0]
"""
# shadows of the cylinder: of the ends pi / 4 |cos|, of the side |sin|
EQ_CM2, TRIGGER_CM2 = pi / 4.0 * np.sqrt(0.75) + 0.5, pi / 4.0 * np.sqrt(0.75) + 0.5


def study(tmp_path: Path, lasers: str = "", more: str = ""):
    path = tmp_path / "s.toml"
    path.write_text(HEAD + "[lasers]\n" + lasers + more)
    return load_study(path)


def test_a_power_is_an_intensity_over_what_covers_the_crystal(tmp_path: Path) -> None:
    own = study(tmp_path, "eq_mW = 6.0\nqg_mW = 3.0\ntrigger_mW = 2.0\n").experiment
    lasers = own.lasers
    assert lasers.eq_mW_cm2 == pytest.approx(6.0 / EQ_CM2)
    assert lasers.qg_mW_cm2 == pytest.approx(3.0 * 4.0 / pi)
    assert lasers.trigger_mW_cm2 == pytest.approx(2.0 / max(TRIGGER_CM2, 1.0))
    assert total_power_mW(own) == pytest.approx(11.0)


def test_the_same_intensities_are_the_same_experiment(tmp_path: Path) -> None:
    """By power over a wide area, and given: coherence to the last bit but one."""
    given = study(tmp_path, "eq_mW_cm2 = 4.0\nqg_mW_cm2 = 2.0\ntrigger_mW_cm2 = 0.5\n")
    wide = "eq_mW = 8.0\neq_beam_cm2 = 2.0\nqg_mW = 6.0\nqg_beam_cm2 = 3.0\n"
    wide += "trigger_mW = 1.0\ntrigger_beam_cm2 = 2.0\n"
    powered = study(tmp_path, wide)
    assert coherence(powered.experiment) == pytest.approx(coherence(given.experiment), rel=1e-12)
    assert total_power_mW(powered.experiment) == pytest.approx(15.0)
    # without an area the cross-section counts, as ever
    assert total_power_mW(given.experiment) == pytest.approx(6.5 * pi / 4.0)


def test_powers_survive_a_resolved_study(tmp_path: Path) -> None:
    own = study(tmp_path, 'eq_mW = 6.0\neq_beam_cm2 = 2.0\nabsorption = "ions"\n',
                "[target]\ndensity_per_cm3 = 1e13\nquenching_density_per_cm3 = 1e20\n")  # fmt: skip
    path = tmp_path / "again.toml"
    path.write_text(tomli_w.dumps(own.resolved))
    again = load_study(path)
    assert again.experiment.lasers == own.experiment.lasers
    assert again.experiment.target == own.experiment.target


def test_ways_through_the_crystal(tmp_path: Path) -> None:
    """Volume over shadow, and none where beams do not fade."""
    fading = study(tmp_path, 'absorption = "ions"\n').experiment.lasers
    volume = pi / 4.0
    expected = (volume / EQ_CM2, 1.0, volume / max(TRIGGER_CM2, 1.0))
    assert fading.paths_cm == pytest.approx(expected)
    assert study(tmp_path).experiment.lasers.paths_cm is None


REFUSED = {
    "eq_mW = 1.0\neq_mW_cm2 = 2.0": ("lasers.eq_mW", "one of the two"),
    "trigger_beam_cm2 = 9.0": ("lasers.trigger_beam_cm2", "only with lasers.trigger_mW"),
    "qg_mW = 1.0\nqg_beam_cm2 = 0.7": ("lasers.qg_beam_cm2", ">= 0.785398"),
    "qg_mW = 0.0": ("lasers.qg_mW", "> 0"),
    'absorption = "some"': ("lasers.absorption", "none | ions"),
    'absorption = "ions"\nchi_squared = 0.1': ("lasers.absorption", '"none" with'),
    'absorption = "ions"\n[physics]\nbloch = "printed"': ("lasers.absorption", '"none" with'),
    "chi_squared = 0.1\n[target]\nquenching_density_per_cm3 = 1e20": (
        "target.quenching_density_per_cm3",
        'nothing, or lasers.chi_squared = "bloch"',
    ),
    "[target]\nquenching_density_per_cm3 = 0.0": ("target.quenching_density_per_cm3", "> 0"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_makes_no_beam_is_refused(tmp_path: Path, text: str) -> None:
    key, allowed = REFUSED[text]
    with pytest.raises(ConfigError) as caught:
        if "[physics]" in text:
            path = tmp_path / "s.toml"
            head = HEAD.replace('preset = "first-principles"\n', 'preset = "published"\n')
            path.write_text(head + "[lasers]\n" + text.partition("[physics]")[0])
            load_study(path)
        study(tmp_path, text + "\n")
    assert caught.value.path == key
    assert allowed in caught.value.allowed
