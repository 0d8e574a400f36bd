"""What a run asked and what it found, in sentences with their numbers."""

from __future__ import annotations

from collections.abc import Sequence

from renp_infer.engine.page import Answer, Page
from renp_infer.engine.run import Run
from renp_infer.figures.drawing import number, visible_thresholds
from renp_infer.study.study import Preset
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.evaluate.shortfall import said_of
from renp_infer.verbs.evaluate.switches import preset_of


def layout_of(run: Run) -> str:
    """Angles and thresholds in a few words."""
    found = run.get(EvaluateResult)
    theta = found.theta_s_deg
    if found.sets:
        count = sum(one.found.theta_s_deg.size for one in found.sets)
        return f"{count} angles of {len(found.sets)} data sets"
    seen = visible_thresholds(found.thresholds_deg, theta)
    text = f"{len(theta)} angles, {number(theta[0])}° to {number(theta[-1])}°"
    if seen:
        return f"{text}; {len(seen)} pair threshold{'s' * (len(seen) > 1)} inside"
    return f"{text}; no pair threshold inside"


def question(run: Run, leading: Page) -> str:
    """What the run asks, of which layout, in what time and with which physics."""
    exposure = run.study.get("detector", {}).get("exposure_s")
    alone = not run.get(EvaluateResult).sets
    time = f" in {number(exposure)} s of exposure" if exposure and alone else ""
    default = "" if Preset.of(run.study).chosen else " (the default preset, not chosen)"
    return (
        f"{leading.question}? The study: {layout_of(run).split(';')[0]}{time}, "
        f"{preset_of(run)} physics{default}."
    )


def leading(pages: Sequence[Page]) -> Page:
    """The page whose answer is that of the run: the first that is not modest, or the first."""
    answered = [page for page in pages if page.answers]
    bold = [page for page in answered if not all(answer.modest for answer in page.answers)]
    return (bold or answered)[0]


def answers_of(pages: Sequence[Page]) -> list[Answer]:
    """What was found, the answer first: a modest one only if there is no other."""
    found = [answer for page in pages for answer in page.answers]
    return [answer for answer in found if not answer.modest] or found[:1]


def shortfall(run: Run) -> str:
    """What the signal amounts to, as all verbs say it; or ""."""
    return " ".join(said_of(run.get(EvaluateResult)))
