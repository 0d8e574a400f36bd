"""Angles that look like radians get a question, and the study stays as it is."""

import math

import pytest

from renp_infer.app.cli import execute
from renp_infer.study.hints import hints
from renp_infer.study.load import load_study

SMALL = {"schema": 1, "name": "x", "lasers": {"chi_squared": 1e-3}}


def asked(layout: dict[str, object]) -> list[str]:
    return list(hints(load_study(SMALL | {"layout": layout})))


@pytest.mark.parametrize(
    "layout",
    [
        {"theta_s_deg": [0.9, 1.0, 1.1]},
        {"theta_s_deg": {"start": 2.27, "stop": 2.64, "points": 3}},
        {"theta_s_deg": [-1.0, 0.5]},
    ],
)
def test_trigger_angles_in_radians_are_asked_about(layout: dict[str, object]) -> None:
    (text,) = asked(layout)
    assert text.startswith("layout.theta_s_deg: ") and "radians?" in text


def test_the_question_says_what_would_be_meant() -> None:
    (text,) = asked({"theta_s_deg": [1.0, 2.5]})
    assert '"2.5 rad"' in text and f"{math.degrees(2.5):.6g} degrees" in text


def test_the_second_laser_is_asked_about_alone() -> None:
    (text,) = asked({"theta_e_deg": 2.47})
    assert text.startswith("layout.theta_e_deg: ")


@pytest.mark.parametrize(
    "layout",
    [
        {},
        {"theta_s_deg": [1.0, 58.79]},
        {"theta_s_deg": [-170.0, -2.0]},
        {"theta_s_deg": ["2.5 rad"]},
        {"theta_s_deg": [0.0]},
        {"theta_s_deg": [7.0]},
    ],
)
def test_degrees_are_not_asked_about(layout: dict[str, object]) -> None:
    assert asked(layout) == []


def test_candidates_of_a_sequence_are_asked_about() -> None:
    section = {"sequential": {"angles_deg": [2.3, 2.5], "fixed_deg": [2.4]}}
    found = hints(load_study(SMALL | {"optimize": section, "inference": {}}))
    assert [text.partition(":")[0] for text in found] == [
        "optimize.sequential.angles_deg",
        "optimize.sequential.fixed_deg",
    ]


def test_a_question_is_no_refusal(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["layout.theta_s_deg=[1.0]", "lasers.chi_squared=1e-3"]
    sets = [part for word in words for part in ("--set", word)]
    assert execute(["evaluate", "fig6", *sets, "--json"]) == 0
    shown = capsys.readouterr()
    assert shown.err.count("are these radians?") == 1
    assert shown.out.startswith("{")
