"""A campaign for other programs: lines, a port of this machine, and who may not ask."""

import io
import json
import stat
import threading
import time
import urllib.error
import urllib.request

import pytest

from renp_infer.app.cli import execute
from renp_infer.live.campaign import Campaign
from renp_infer.live.requests import answer
from renp_infer.live.serve import ADDRESS, _port
from tests.live.test_campaign import POINT
from tests.verbs.sequential.test_work import STUDY as TEXT


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    path = tmp_path_factory.mktemp("served") / "toy.toml"
    path.write_text(TEXT)
    return path


@pytest.fixture(scope="module")
def campaign(study, tmp_path_factory):
    return Campaign(study, tmp_path_factory.mktemp("out") / "campaign")


def test_lines_in_lines_out(study, tmp_path, monkeypatch, capsys):
    asked = [
        {"ask": "ingest", "points": [POINT]},
        {"ask": "suggest"},
        {"ask": "suggest", "n": 0},
        {"ask": "report"},
    ]
    text = "\n".join([*map(json.dumps, asked), "", "no json"])
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert execute(["serve", str(study), "--out", str(tmp_path / "campaign")]) == 0
    ready, kept, next_one, wrong, report, no_json = map(
        json.loads, capsys.readouterr().out.splitlines()
    )
    assert ready["ready"] == "toy-sequence" and ready["preset"] == "corrected"
    assert kept == {"ok": True, "measurements": 1}
    (setting,) = next_one["settings"]
    assert not wrong["ok"] and wrong["error"]["path"] == "n"
    assert report["measurements"] == 1
    assert report["next_setting"] == setting
    assert [row["theta_s_deg"] for row in report["pending"]] == [setting["theta_s_deg"]]
    assert no_json["error"]["path"] == "request"


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ("[1]", "request"),
        ('{"ask": "sugest"}', "ask"),
        ("{}", "ask"),
        ('{"ask": "report", "n": 1}', "n"),
        ('{"ask": "ingest"}', "points"),
        ("[" * 100_000, "request"),
        (" " * 1_000_001, "request"),
    ],
)
def test_wrong_requests_are_refused_by_name(campaign, request_, path):
    found = answer(campaign, request_)
    assert not found["ok"] and found["error"]["path"] == path


@pytest.fixture
def address(campaign):
    """Where a campaign is served, in a thread that ends with the tests."""
    threading.Thread(target=_port, args=(campaign, 0), daemon=True).start()
    file = campaign.directory / ADDRESS
    for _ in range(200):
        if file.exists() and file.read_text().endswith("\n"):
            break
        time.sleep(0.02)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    return file.read_text().strip()


def post(address, text, **headers):
    request = urllib.request.Request(address, text.encode(), headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, json.loads(reply.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_who_has_the_address_is_answered_and_no_one_else(address):
    ask = json.dumps({"ask": "give_up"})
    assert post(address, ask) == (200, {"ok": True, "pending": []})
    assert post(address, "{}")[0] == 400
    for url, headers in (
        (address[:-1], {}),
        (address + "/", {}),
        (address, {"Origin": "http://elsewhere"}),
        (address, {"Host": "elsewhere:80"}),
    ):
        assert post(url, ask, **headers)[0] == 403
    assert post(address, ask, **{"Content-Length": "-1"})[0] in (400, 413)


def test_a_wrong_port_is_refused_before_anything_is_made(study, tmp_path, capsys):
    place = tmp_path / "campaign"
    assert execute(["serve", str(study), "--port", "99999", "--out", str(place)]) == 2
    assert "--port: got 99999" in capsys.readouterr().err and not place.exists()
