"""The calibration in the report: its verdict, what was calibrated, and its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renp_infer.engine.page import Answer, Block, Page, Part, Text, reasons
from renp_infer.figures.drawing import number
from renp_infer.verbs.calibrate.figures import calibration_plates
from renp_infer.verbs.calibrate.result import CalibrateResult
from renp_infer.verbs.calibrate.tables import answer

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

EFFORT = ("chains", "draws", "tune")
"""What each fit of a calibration takes, by key of the study."""


def page(run: Run) -> Page:
    """Verdict and figures of a calibration."""
    result = run.get(CalibrateResult)
    found = result.calibration.judged
    section = run.study.get("calibrate", {})
    sampler = run.study.get("inference", {}).get("sampler", "")
    effort = ", ".join(f"{key} {section[key]}" for key in EFFORT if key in section)
    rate = number(result.calibration.false_alarm)
    text = (
        f"Tests on mock experiments; each part has a false-alarm rate of {rate}. "
        f"Fits by {sampler} ({effort})."
    )
    plates = calibration_plates(result)
    blocks: tuple[Block, ...] = (Text(text, found.verdict), *reasons(found), *plates)
    said = (Answer("Calibration", answer(result.calibration)),)
    return Page(
        (Part(70, "calibration", "Calibration", blocks),),
        said,
        "Whether the statistics are right",
        "Do intervals, probabilities and limits hold on mock experiments what they promise",
    )
