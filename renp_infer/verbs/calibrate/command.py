"""``renp calibrate``: mock experiments, what they say, and the verdict."""

from __future__ import annotations

from pathlib import Path

from renp_infer.engine.options import DEFAULTS, NO_FILES, Measured, Options


def calibrate(study: Path, /, *, measured: Measured = NO_FILES, options: Options = DEFAULTS) -> int:
    """Test posterior, hypothesis probabilities and belt on mock experiments; resumes.

    Of measured data it takes angles, noise and exposure, not the field.
    """
    from renp_infer.engine.driver import DONE, asked, data_section, judge, load
    from renp_infer.study.study import Preset
    from renp_infer.terminal import show, write_document
    from renp_infer.verbs.about import opening
    from renp_infer.verbs.calibrate.result import CalibrateResult
    from renp_infer.verbs.calibrate.tables import calibration_tables
    from renp_infer.verbs.calibrate.verb import CALIBRATE

    section = data_section(measured)
    asks = load(study, options, inference=True, data=section, add=["calibrate"])
    run = asked(asks, CALIBRATE, options)
    if run is None:
        return DONE
    found = run.get(CalibrateResult).calibration
    if options.json:
        more = {"file": str(run.directory / CALIBRATE.file)}
        write_document(found.document | Preset.of(run.study).document | more)
    else:
        first = opening(run.name, run.study, CALIBRATE.answer(run))
        show(first, *calibration_tables(found), f"results: {run.directory}")
    return judge([run])
