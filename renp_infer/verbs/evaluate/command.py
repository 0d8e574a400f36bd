"""``renp evaluate``: the forward model at the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from renp_infer.engine.driver import DONE, Options, load, result_of
from renp_infer.terminal import angle_table, show, write_document
from renp_infer.verbs.evaluate.verb import EVALUATE


def evaluate(path: Path, options: Options) -> int:
    """Print the forward model at the truth; write it only if ``--out`` is given."""
    # Where nothing is kept, limits of the inference do not matter.
    study = load(path, options, inference=False if options.out is None else None)
    result = result_of(study, EVALUATE, options)
    if options.json:
        write_document(result)
        return DONE
    columns = {
        "theta_s [deg]": result["theta_s_deg"],
        "rate [1/s]": result["rate_per_s"],
        "signal [nG]": result["signal_nG"],
        "sigma [nG]": result["sigma_nG"],
    }
    label = ", normalised" if result.get("normalised") else ""
    show(angle_table(f"{study.name}{label}", columns))
    show(f"|chi|^2 = {result['chi_squared']:.4g}", *filter(None, [unphysical(result)]))
    return DONE


def unphysical(result: dict[str, Any]) -> str:
    """Say that the density matrix is none, if so."""
    state = result.get("coherence")
    if state is None or state["positive"]:
        return ""
    return f"the density matrix has an eigenvalue of {state['smallest_eigenvalue']:.3g} < 0"
