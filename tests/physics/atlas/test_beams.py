"""Beams of ladders against vectors, and the thresholds that an evaluation finds."""

import numpy as np
import pytest

from renp_infer.physics.atlas.beams import LadderBeams
from renp_infer.physics.atlas.rows import thresholds_of
from renp_infer.physics.atlas.scheme import Ladder, levels_of
from renp_infer.physics.atlas.screening import BestLadders
from renp_infer.physics.ions.guesses import guesses
from renp_infer.physics.neutrinos import masses
from renp_infer.physics.pairs.kinematics import beams_of, threshold_angles
from renp_infer.records import PAIR_INDEX, PAIRS
from renp_infer.study.atlas_study import atlas_study
from renp_infer.study.load import load_study


def test_momenta_are_those_of_vectors():
    p, q, e = np.array([0.9, 1.1]), np.array([1.3, 1.2]), np.array([2.0, 2.9])
    beams = LadderBeams.of(p, q, e, 1.45)
    momentum = np.array([0.8, 1.2])
    angle = beams.trigger_angle(momentum)

    def along(size, direction):
        return size * np.array([np.cos(direction), np.sin(direction)])

    left = along(q, 0.0 * q) + along(e - q, beams.theta_e) - along(p, angle)
    np.testing.assert_allclose(1.45 * np.hypot(*left), momentum, rtol=1e-12)
    np.testing.assert_allclose(np.arctan2(left[1], left[0]), beams.direction(angle), rtol=1e-12)


@pytest.mark.parametrize("row", ["Tm-33-11-18", "Ho-31-18-22"])
def test_thresholds_of_a_row_are_those_of_its_study(row, tmp_path):
    found = atlas_study(row)
    for name, text in found.files.items():
        (tmp_path / name).write_text(text)
    study = load_study(tmp_path / f"{found.name}.toml")
    ladder = Ladder.read(row)
    e, p, q = (np.array([n - 1]) for n in (ladder.e, ladder.p, ladder.q))
    best = BestLadders(np.zeros(1), e, p, q, np.zeros(1, dtype=np.int64))
    columns = thresholds_of(best, levels_of(ladder.ion), guesses().index, masses(study.parameters))
    m, experiment = masses(study.parameters), study.experiment
    sums = np.array([m[i] + m[j] for i, j in PAIR_INDEX])
    target, beams = experiment.target, beams_of(experiment)
    own = threshold_angles(sums, target, experiment.layout.theta_e, beams)
    for k, pair in enumerate(PAIRS):
        apart = np.array([edge[k] for edge in own]) - np.deg2rad(
            columns[f"threshold_{pair}_deg"][0]
        )
        assert np.nanmin(np.abs(apart)) < 1e-5


def test_momenta_out_of_reach_are_told():
    beams = LadderBeams.of(np.array([0.9]), np.array([1.3]), np.array([2.0]), 1.45)
    most, least = (1.45 * abs(beams.size + s * beams.trigger) for s in (1.0, -1.0))
    assert beams.reach(0.999 * most) and not beams.reach(1.001 * most)
    assert beams.reach(1.001 * least + 1e-9) and not beams.reach(0.999 * least - 1e-9)


def test_pairs_that_are_too_heavy_have_no_threshold():
    ion = levels_of("Tm")
    level = np.array([20])
    best = BestLadders(np.zeros(1), level + 1, level, level, np.zeros(1, dtype=np.int64))
    columns = thresholds_of(best, ion, guesses().index, np.full(3, 5.0))
    assert all(np.isnan(value[0]) for value in columns.values())
