"""``renp evaluate``: the forward model at the truth."""

from __future__ import annotations

from pathlib import Path

from renp_infer.engine.options import DEFAULTS, Options


def evaluate(study: Path, /, *, options: Options = DEFAULTS) -> int:
    """Calculate rate, magnetization and noise at the study's truth."""
    from renp_infer.engine.driver import DIAGNOSTIC_FAILED, DONE, lapses, load, result_of
    from renp_infer.study.study import Preset
    from renp_infer.terminal import say, show, write_document
    from renp_infer.verbs.about import opening
    from renp_infer.verbs.evaluate.result import EvaluateResult
    from renp_infer.verbs.evaluate.tables import answer, evaluation, orders
    from renp_infer.verbs.evaluate.verb import EVALUATE

    # Where nothing is kept, limits of the inference do not matter.
    found = load(study, options, inference=False if options.out is None else None)
    document = result_of(found, EVALUATE, options)
    result = EvaluateResult.of(document)
    if options.json:
        said = {"remark": orders(result)}
        write_document(document | Preset.of(found.resolved).document | said)
    else:
        first = opening(found.name, found.resolved, answer(result))
        show(first, *filter(None, [orders(result)]))
        for one in result.sets:
            show(*evaluation(f"{found.name}, data set {one.name}", one.found))
        if not result.sets:
            show(*evaluation(found.name, result))
    wrong = lapses(found.name, result.verdicts())
    for reason in wrong:
        say(reason)
    return DIAGNOSTIC_FAILED if wrong else DONE
