"""The keys of a pickup loop and of a flux noise: what they give, what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from renp_infer.errors import ConfigError
from renp_infer.physics.signal.pickup import noise_from_flux_fT
from renp_infer.records import Detector, Pickup
from renp_infer.study.load import load_study
from renp_infer.study.study import Study
from renp_infer.verbs.evaluate.verb import EVALUATE

Load = Callable[..., Study]
LOOP = ("detector.coupling=pickup", "detector.pickup.radius_cm=1.2")
FLUX = ("detector.noise_uPhi0_rtHz=2.0", "detector.flux_transfer=0.02")


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def from_overrides(*overrides: str) -> Study:
        path = tmp_path / "study.toml"
        path.write_text("schema = 1\n", encoding="utf-8")
        return load_study(path, overrides)

    return from_overrides


def test_defaults_have_no_loop(load: Load) -> None:
    assert load().experiment.detector == Detector(
        coupling=0.01, noise_fT_rtHz=2.0, resolution=math.radians(1.44)
    )


def test_a_loop_and_its_flux_noise_become_a_record(load: Load) -> None:
    detector = load(*LOOP, "detector.pickup.tilt_deg=10", *FLUX).experiment.detector
    assert detector.pickup == Pickup(1.2, 0.0, math.radians(10.0), "around")
    assert detector.noise_fT_rtHz == noise_from_flux_fT(2.0, 0.02, 1.2)


def test_another_loop_is_another_result(load: Load) -> None:
    studies = [load(*LOOP, f"detector.pickup.tilt_deg={tilt}") for tilt in (0, 1)]
    assert len({EVALUATE.series(study).key for study in studies}) == 2


@pytest.mark.parametrize(
    ("overrides", "path", "word"),
    [
        (["detector.coupling=pickup"], "detector.pickup", "radius_cm"),
        (["detector.pickup.radius_cm=2"], "detector.pickup", 'coupling = "pickup"'),
        ([LOOP[0], "detector.pickup.radius_cm=0.9"], "detector.pickup", "keeps clear"),
        ([LOOP[0], "detector.pickup.radius_cm=1.0"], "detector.pickup", "keeps clear"),
        ([*LOOP, "detector.pickup.position=beside"], "detector.pickup", "keeps clear"),
        ([*LOOP, "detector.pickup.tilt_deg=60"], "detector.pickup", "keeps clear"),
        (
            [LOOP[0], "detector.pickup={radius_cm=3,tilt_deg=90}"],
            "detector.pickup",
            "flux of the crystal",
        ),
        (
            [*LOOP, "layout.radius_cm=1.1", "layout.length_cm=0.5", "detector.reference_snr=9",
             "detector.pickup.tilt_deg=40", "layout.radius_cm=0.5"],
            "detector.pickup",
            "R = 1 cm, L = 2 cm",
        ),
        ([FLUX[1]], "detector.flux_transfer", "noise_uPhi0_rtHz"),
        ([*LOOP, FLUX[0]], "detector.flux_transfer", "flux in the loop"),
        ([*FLUX], "detector.noise_uPhi0_rtHz", "area"),
        ([*LOOP, *FLUX, "detector.noise_fT_rtHz=2"], "detector.noise_uPhi0_rtHz", "one of the two"),
    ],
)  # fmt: skip
def test_what_means_nothing_is_refused(
    load: Load, overrides: list[str], path: str, word: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(*overrides)
    assert caught.value.path == path
    assert word in str(caught.value) and "\n" not in str(caught.value)


def test_a_loop_around_a_small_crystal_need_not_fit_the_paper_s(load: Load) -> None:
    overrides = ("layout.radius_cm=0.5", LOOP[0], "detector.pickup.radius_cm=0.6")
    assert load(*overrides).experiment.detector.pickup == Pickup(0.6)
    with pytest.raises(ConfigError, match="R = 1 cm"):
        load(*overrides, "detector.reference_snr=10")
