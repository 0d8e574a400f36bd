"""``renp evaluate``: the forward model at the truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from renp_infer.engine.options import DEFAULTS, Options

if TYPE_CHECKING:
    from renp_infer.verbs.evaluate.result import EvaluateResult


def evaluate(study: Path, /, *, options: Options = DEFAULTS) -> int:
    """Calculate rate, magnetization and noise at the study's truth."""
    from renp_infer.engine.driver import DIAGNOSTIC_FAILED, DONE, lapses, load, result_of
    from renp_infer.terminal import say, write_document
    from renp_infer.verbs.evaluate.result import EvaluateResult
    from renp_infer.verbs.evaluate.verb import EVALUATE

    # Where nothing is kept, limits of the inference do not matter.
    found = load(study, options, inference=False if options.out is None else None)
    document = result_of(found, EVALUATE, options)
    result = EvaluateResult.of(document)
    if options.json:
        write_document(document)
    else:
        for one in result.sets:
            _show(f"{found.name}, data set {one.name}", one.found)
        if not result.sets:
            _show(found.name, result)
    wrong = lapses(found.name, result.verdicts())
    for reason in wrong:
        say(reason)
    return DIAGNOSTIC_FAILED if wrong else DONE


def _show(name: str, result: EvaluateResult) -> None:
    from renp_infer.terminal import angle_table, show

    columns = {
        "theta_s [deg]": result.theta_s_deg,
        "rate [1/s]": result.rate_per_s,
        "signal [nG]": result.signal_nG,
        "sigma [nG]": result.sigma_nG,
    }
    label = ", normalised" if result.normalised else ""
    show(angle_table(f"{name}{label}", columns))
    once = result.model.trigger == "coherence"
    coherence = f"{'|rho_ep|^2' if once else '|chi|^2'} = {result.chi_squared:.4g}"
    missing = (f"{what}: {text}" for what, text in result.rows()[1:])
    show(coherence, *missing, *filter(None, [unphysical(result)]))


def unphysical(result: EvaluateResult) -> str:
    """Say that the density matrix is none, if so."""
    state = result.coherence
    if state is None or state.positive:
        return ""
    return f"the density matrix has an eigenvalue of {state.smallest_eigenvalue:.3g} < 0"
