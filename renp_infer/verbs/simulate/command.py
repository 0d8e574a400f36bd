"""``renp simulate``: mock data, one set or many."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from renp_infer.engine.campaign import WHOLE, parse_shard
from renp_infer.engine.driver import DONE, Options, Plan, bring_up_to_date, home_of, load, result_of
from renp_infer.errors import ConfigError
from renp_infer.study.study import Study
from renp_infer.terminal import angle_table, show, write_document
from renp_infer.verbs.simulate.verb import ENSEMBLE, SIMULATE


def simulate(path: Path, options: Options, *, save: Path | None = None) -> int:
    """Print mock data; write them only if ``--out`` is given, or to a data file ``save``."""
    study = load(path, options)
    if save is not None:
        _save(study, save, options)
    elif study.datasets:
        return _simulate_many(study, options)
    result = result_of(study, SIMULATE, options)
    if options.json:
        write_document(result)
        return DONE
    columns = {
        "theta_s [deg]": result["theta_s_deg"],
        "field [nG]": result["field_nG"],
        "sigma [nG]": result["sigma_nG"],
    }
    label = ", normalised" if result["normalised"] else ""
    show(angle_table(f"{study.name}: mock data, seed {study.seed}{label}", columns))
    return DONE


def _save(study: Study, path: Path, options: Options) -> None:
    """Write the study's mock data as a data file."""
    from renp_infer.measurement.squid import relative_times
    from renp_infer.study.datafile import write_measurement
    from renp_infer.study.observed import mock_observation

    if path.exists() and not options.force:
        raise ConfigError("--save", str(path), "a new file, or --force")
    title = f"mock data of study {study.name}, seed {study.seed}"
    with contextlib.redirect_stdout(sys.stderr):
        data = mock_observation(study)
    detector, count = study.experiment.detector, data.theta_s.size
    times_s = detector.exposure_s / count * relative_times(detector, count)
    write_measurement(path, data, times_s, title)


def _simulate_many(study: Study, options: Options) -> int:
    """Draw the ensemble of a study with a section ``[simulate]``."""
    directory = home_of(study, options)
    bring_up_to_date([Plan(study, directory, [ENSEMBLE])], options)
    if parse_shard(options.shard) != WHOLE:
        return DONE
    path = directory / ENSEMBLE.file
    from renp_infer.verbs.simulate.work import ensemble_summary

    found = ensemble_summary(path)
    if options.json:
        write_document({"schema": 1, "name": study.name, "file": str(path)} | found)
        return DONE
    columns = {
        "theta_s [deg]": found["theta_s_deg"],
        "signal [nG]": found["signal_nG"],
        "mean [nG]": found["mean_nG"],
        "sd [nG]": found["sd_nG"],
    }
    show(angle_table(f"{study.name}: {found['datasets']} data sets", columns), f"file: {path}")
    return DONE
