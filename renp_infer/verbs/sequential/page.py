"""The part of the report about campaigns of measurements."""

from __future__ import annotations

from typing import Any

from renp_infer.figures.drawing import number

_WHO = {"sequential": "sequence", "study": "own layout", "fixed": "fixed_deg"}


def campaign_part(found: dict[str, Any]) -> dict[str, Any]:
    """Sentence and table of campaigns against fixed layouts."""
    rows = []
    for truth in found["truths"]:
        for key, name in _WHO.items():
            count = truth[key].get("measurements", found["angles"].get(key))
            if count:
                cells = [truth[key][k] for k in ("sd_m1_meV", "score_nat", "probability")]
                texts = ["–" if v is None else number(v, 3) for v in cells]
                rows.append((number(truth["m1_meV"]), name, *texts, number(count)))
    sentence = (
        f"{found['campaigns']} campaigns of {number(found['total_s'])} s for each true m₁, "
        f"{number(found['setting_s'])} s per move; medians. The score is the logarithm of "
        "posterior by prior density at the true m₁; its mean over the prior is the information "
        "gained."
    )
    return {"sentence": sentence, "rows": rows, "missing": found["missing_tasks"]}
