"""The part of the report about designs: a search, campaigns, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from renp_infer.verbs.optimize.drawn import Optimum
from renp_infer.verbs.optimize.figures import design_plates
from renp_infer.verbs.optimize.page import search_part
from renp_infer.verbs.optimize.result import OptimizeResult
from renp_infer.verbs.sequential.figures import sequential_plates
from renp_infer.verbs.sequential.page import campaign_part
from renp_infer.verbs.sequential.result import SequentialResult
from renp_infer.verbs.sequential.summary import campaign_document

if TYPE_CHECKING:
    from renp_infer.engine.run import Run


def design_section(run: Run) -> dict[str, Any] | None:
    """What the template shows of a search and of campaigns; ``None`` without either."""
    search, campaigns = run.find(OptimizeResult), run.find(SequentialResult)
    if search is None and campaigns is None:
        return None
    found: dict[str, Any] = {"search": None, "campaigns": None, "plates": []}
    if search is not None:
        found["search"] = search_part(search.document)
        found["plates"] += design_plates(Optimum(search.document, search.trials, run.study))
    if campaigns is not None:
        found["campaigns"] = campaign_part(campaign_document(campaigns.tree))
        found["plates"] += sequential_plates(campaigns.tree)
    return found
