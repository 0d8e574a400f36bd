"""``renp forecast``: do the tasks, print the tables, draw the figures."""

from __future__ import annotations

from pathlib import Path

from renp_infer.runner.campaign import WHOLE, parse_shard
from renp_infer.runner.commands import DONE, Options, Plan, bring_up_to_date, home_of
from renp_infer.runner.executors import parse_executor
from renp_infer.runner.forecast_summary import forecast_json, load_forecast
from renp_infer.runner.forecast_tables import forecast_remarks, forecast_sheets, terminal_table
from renp_infer.runner.study import load_study
from renp_infer.runner.terminal import show, write_document
from renp_infer.runner.verbs import EVALUATE, FORECAST


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
