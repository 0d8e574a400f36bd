"""``renp forecast``: do the tasks, print the tables, draw the figures."""

from __future__ import annotations

from pathlib import Path

from renp_infer.engine.campaign import WHOLE, parse_shard
from renp_infer.engine.driver import DONE, Options, Plan, bring_up_to_date, home_of
from renp_infer.engine.executors import parse_executor
from renp_infer.study.load import load_study
from renp_infer.terminal import show, write_document
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.forecast.summary import forecast_json, load_forecast
from renp_infer.verbs.forecast.tables import forecast_remarks, forecast_sheets, terminal_table
from renp_infer.verbs.forecast.verb import FORECAST


def forecast(path: Path, options: Options) -> int:
    """Forecast a study and print its summary; resumes."""
    parse_executor(options.executor)
    parse_shard(options.shard)
    study = load_study(path, options.overrides, add=["forecast"])
    directory = home_of(study, options)
    bring_up_to_date([Plan(study, directory, [EVALUATE, FORECAST])], options)
    if parse_shard(options.shard) != WHOLE:
        return DONE
    tree = load_forecast(directory / FORECAST.file)
    if options.json:
        write_document(forecast_json(tree) | {"file": str(directory / FORECAST.file)})
        return DONE
    tables = [terminal_table(sheet) for sheet in forecast_sheets(tree)]
    show(*tables, *forecast_remarks(tree), f"results: {directory}")
    return DONE
