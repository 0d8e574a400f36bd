"""``renp forecast``: what an experiment could see, as tables."""

from __future__ import annotations

from pathlib import Path

from renp_infer.engine.options import DEFAULTS, Options


def forecast(study: Path, /, *, options: Options = DEFAULTS) -> int:
    """Forecast errors, limits, separations and the exposures they take; resumes."""
    from renp_infer.engine.driver import DONE, asked, judge, load
    from renp_infer.study.study import Preset
    from renp_infer.terminal import show, write_document
    from renp_infer.verbs.about import opening
    from renp_infer.verbs.evaluate.shortfall import shortfall
    from renp_infer.verbs.forecast.document import forecast_json
    from renp_infer.verbs.forecast.result import ForecastResult
    from renp_infer.verbs.forecast.tables import forecast_remarks, forecast_sheets, terminal_table
    from renp_infer.verbs.forecast.verb import FORECAST

    run = asked(load(study, options, add=["forecast"]), FORECAST, options)
    if run is None:
        return DONE
    found = run.get(ForecastResult)
    if options.json:
        said = Preset.of(run.study).document | {"remark": shortfall(run)}
        said["file"] = str(run.directory / FORECAST.file)
        write_document(forecast_json(found) | {"verdict": run.verdict} | said)
        return judge([run])
    tables = [terminal_table(sheet) for sheet in forecast_sheets(found)]
    first = [opening(run.name, run.study, FORECAST.answer(run))]
    first += filter(None, [shortfall(run)])
    verdict = f"verdict: {run.verdict}"
    show(*first, verdict, *tables, *forecast_remarks(found), f"results: {run.directory}")
    return judge([run])
