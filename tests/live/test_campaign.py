"""Campaigns beside the apparatus: the advice of the one-shot verb, kept on the disk."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

import renp_infer as renp
from renp_infer.app.cli import execute
from renp_infer.engine.lock import Lock
from renp_infer.errors import ConfigError, StoreError
from renp_infer.live.log import ADVICE, READINGS, STUDY
from renp_infer.study.load import load_study
from renp_infer.verbs.sequential.bench import bench_of
from tests.verbs.sequential.test_work import STUDY as TEXT

POINT = {"theta_s_deg": 140.0, "field_nG": -6.6e-31, "error_nG": 1.5e-33, "exposure_s": 400.0}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    path = tmp_path_factory.mktemp("live") / "toy.toml"
    path.write_text(TEXT)
    return path


def truth(study):
    """Field of a mock truth by angle, deg, and the error of an exposure."""
    bench = bench_of(load_study(study), "live")
    field = bench.truth(60.0, np.random.default_rng(1))
    degrees = np.rad2deg(bench.theta_s)
    return lambda angle: float(np.interp(angle, degrees, field)), bench.sigma_nG


def read(study, setting):
    field, sigma = truth(study)
    error = sigma(setting.exposure_s)
    return {
        "theta_s_deg": setting.theta_s_deg,
        "field_nG": field(setting.theta_s_deg) + 0.3 * error,
        "error_nG": error,
        "exposure_s": setting.exposure_s,
    }


@pytest.fixture(scope="module")
def campaign(study, tmp_path_factory):
    """Three readings in, each where it was advised."""
    found = renp.Campaign(study, tmp_path_factory.mktemp("out") / "campaign")
    for _ in range(3):
        (setting,) = found.suggest()
        found.ingest([read(study, setting)])
    return found


def one_shot(study, campaign, capsys):
    data = campaign.directory / READINGS
    words = ["optimize", str(study), "--sequential", "--data", str(data), "--json", "--quiet"]
    assert execute(words) in (0, 3)
    return json.loads(capsys.readouterr().out)


def test_the_advice_is_that_of_the_verb_bit_for_bit(study, campaign, capsys):
    document = one_shot(study, campaign, capsys)
    (setting,) = campaign.suggest()
    assert vars(setting) == document["next_setting"]
    own = json.loads(json.dumps(renp.Campaign(study, campaign.directory).report().to_document()))
    assert own == {name: document[name] for name in own}
    campaign.give_up()


def test_who_was_killed_goes_on(study, campaign):
    campaign.give_up()
    first = campaign.suggest()
    again = renp.Campaign(study, campaign.directory)
    assert again.pending == campaign.pending and len(again.pending) == 1
    second = again.suggest()
    campaign.give_up()
    assert campaign.suggest(2) == [*first, *second]
    campaign.give_up()


def test_a_line_that_was_cut_off_is_none(study, campaign):
    campaign.give_up()
    (setting,) = campaign.suggest()
    with open(campaign.directory / ADVICE, "a", encoding="utf-8") as stream:
        stream.write('{"after": 3, "settings": [')
    again = renp.Campaign(study, campaign.directory)
    assert [p.theta_s_deg for p in again.pending] == [setting.theta_s_deg]
    again.give_up()
    assert not again.pending


def test_what_is_read_is_pending_no_more(study, tmp_path):
    campaign = renp.Campaign(study, tmp_path / "campaign")
    settings = campaign.suggest(3)
    assert len(settings) == 3 and len(campaign.pending) == 3
    campaign.ingest([read(study, settings[1]), POINT | {"theta_s_deg": 147.0}])
    left = [settings[0].theta_s_deg, settings[2].theta_s_deg]
    assert [p.theta_s_deg for p in campaign.pending] == left
    assert campaign.report().measurements == 2


def test_readings_come_by_column_and_any_turn(study, tmp_path):
    rows, columns = (renp.Campaign(study, tmp_path / name) for name in ("rows", "columns"))
    points = [POINT, POINT | {"theta_s_deg": 145.0}]
    assert rows.ingest(points) == 2
    turned = {name: np.array([point[name] for point in points]) for name in POINT}
    turned["theta_s_deg"] = turned["theta_s_deg"] - 360.0
    assert columns.ingest(turned) == 2
    assert rows.report().m1_meV.mean == pytest.approx(columns.report().m1_meV.mean, rel=1e-9)


def test_time_that_is_spent_is_no_advice(study, tmp_path):
    campaign = renp.Campaign(study, tmp_path / "campaign")
    campaign.ingest([POINT | {"exposure_s": 1700.0}])
    assert campaign.suggest() == []
    assert campaign.report().stop == "the time is spent"
    line = json.loads((campaign.directory / ADVICE).read_text().splitlines()[-1])
    assert line["reason"] == "the time is spent" and line["after"] == 1


def test_what_is_suggested_fits_into_the_time_with_its_moves(study, tmp_path):
    settings = renp.Campaign(study, tmp_path / "campaign").suggest(30)
    seconds = sum(setting.seconds for setting in settings)
    assert 1800.0 - 200.0 < seconds <= 1800.0
    moves = 1 + sum(a.theta_s_deg != b.theta_s_deg for a, b in itertools.pairwise(settings))
    assert seconds == sum(setting.exposure_s for setting in settings) + 100.0 * moves


def test_every_advice_has_its_reason(campaign):
    lines = map(json.loads, (campaign.directory / ADVICE).read_text().splitlines()[:3])
    for after, line in enumerate(lines):
        assert line["after"] == after
        assert "most expected information about m1 per second" in line["reason"]


@pytest.mark.parametrize(
    ("points", "path"),
    [
        ([], "points"),
        (5, "points"),
        ([7.0], "points[0]"),
        ([POINT, POINT | {"field_nG": float("nan")}], "points[1].field_nG"),
        ([POINT | {"error_nG": 0.0}], "points[0].error_nG"),
        ([POINT | {"exposure_s": True}], "points[0].exposure_s"),
        ([POINT | {"theta_s_deg": 100.0}], "points[0].theta_s_deg"),
        ([POINT | {"field_nT": 1.0}], "points[0].field_nT"),
        ([{"theta_s_deg": 140.0}], "points[0].field_nG"),
        ({"theta_s_deg": [140.0, 141.0], "field_nG": [1.0]}, "points"),
    ],
)
def test_a_wrong_point_is_refused_and_none_is_kept(study, tmp_path, points, path):
    campaign = renp.Campaign(study, tmp_path / "campaign")
    with pytest.raises(ConfigError) as caught:
        campaign.ingest(points)
    assert caught.value.path == path
    assert not (campaign.directory / READINGS).exists()


@pytest.mark.parametrize("n", [0, 101, True, 1.0])
def test_a_wrong_number_is_refused(campaign, n):
    with pytest.raises(ConfigError, match="from 1 to 100"):
        campaign.suggest(n)


def test_a_directory_is_of_one_study(study, campaign, tmp_path):
    other = load_study(study, ["neutrino.m1_meV=20"])
    with pytest.raises(StoreError, match="another study"):
        renp.Campaign(other, campaign.directory)
    (tmp_path / "notes.txt").touch()
    with pytest.raises(StoreError, match="of its own"):
        renp.Campaign(study, tmp_path)


def test_one_that_was_killed_at_its_beginning_begins_again(study, tmp_path):
    (tmp_path / STUDY).write_text("half of")
    assert renp.Campaign(study, tmp_path).pending == ()


def test_a_second_writer_waits_outside(study, campaign):
    lock = Lock(campaign.directory)
    try:
        with pytest.raises(StoreError, match="in use"):
            campaign.ingest([POINT])
    finally:
        lock.release()


def test_a_study_with_data_is_refused(study, tmp_path):
    Path(tmp_path / "field.csv").write_text(
        "theta_s_deg,field_nG,error_nG\n140,-6.6e-31,1.5e-33\n141,-6.6e-31,1.5e-33\n"
    )
    with pytest.raises(ConfigError, match="ingest takes its place"):
        renp.Campaign(
            load_study(study, [f"data.file={tmp_path / 'field.csv'}"]), tmp_path / "campaign"
        )
