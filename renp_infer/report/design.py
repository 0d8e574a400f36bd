"""The part of the report about designs: a search, campaigns, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from renp_infer.verbs.optimize.drawn import Optimum
from renp_infer.verbs.optimize.figures import design_plates
from renp_infer.verbs.optimize.page import search_part
from renp_infer.verbs.sequential.figures import sequential_plates
from renp_infer.verbs.sequential.page import campaign_part
from renp_infer.verbs.sequential.summary import campaign_document

if TYPE_CHECKING:
    from renp_infer.engine.run import Run


def design_section(run: Run) -> dict[str, Any] | None:
    """What the template shows of a search and of campaigns; ``None`` without either."""
    if run.optimum is None and run.sequential is None:
        return None
    found: dict[str, Any] = {"search": None, "campaigns": None, "plates": []}
    if run.optimum is not None:
        optimum = Optimum(run.optimum, run.optimum["trials"], run.study)
        found["search"] = search_part(run.optimum)
        found["plates"] += design_plates(optimum)
    if run.sequential is not None:
        found["campaigns"] = campaign_part(campaign_document(run.sequential))
        found["plates"] += sequential_plates(run.sequential)
    return found
