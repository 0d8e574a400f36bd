"""``renp simulate``: mock data, one set or many."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from renp_infer.engine.options import DEFAULTS, Options

if TYPE_CHECKING:
    from renp_infer.study.study import Study


def simulate(study: Path, /, *, save: Path | None = None, options: Options = DEFAULTS) -> int:
    """Draw mock data from the study's seed.

    Parameters
    ----------
    save
        Write them as a data file for "renp infer --data", .csv or .nc; of several data sets
        one file each, to whose name that of the set is added.
    """
    import numpy as np

    from renp_infer.engine.driver import DONE, load, result_of
    from renp_infer.study.study import Preset
    from renp_infer.terminal import angle_table, show, write_document
    from renp_infer.verbs.about import opening
    from renp_infer.verbs.simulate.result import SimulateResult
    from renp_infer.verbs.simulate.verb import SIMULATE

    found = load(study, options)
    if save is not None:
        _save(found, save, options)
    elif found.datasets:
        return _ensemble(found, options)
    document = result_of(found, SIMULATE, options)
    if options.json:
        write_document(document | Preset.of(found.resolved).document)
        return DONE
    result = SimulateResult.of(document)
    label = ", normalised" if result.normalised else ""
    drawn = f"mock data, seed {found.seed}{label}"
    show(opening(found.name, found.resolved, f"{drawn}."))
    for name in dict.fromkeys(result.data_set) or ("",):
        own = np.array(result.data_set) == name if name else slice(None)
        columns = {
            "theta_s [deg]": result.theta_s_deg[own],
            "field [nG]": result.field_nG[own],
            "sigma [nG]": result.sigma_nG[own],
        }
        which = f", data set {name}" if name else ""
        show(angle_table(f"{found.name}: {drawn}{which}", columns))
    return DONE


def _save(study: Study, path: Path, options: Options) -> None:
    """Write the study's mock data as a data file, or one for each data set, with its name."""
    for place, one in enumerate(study.sets):
        own = path.with_name(f"{path.stem}-{one.name}{path.suffix}")
        _save_one(one.study, own, options, place, f"data set {one.name} of study {study.name}")
    if not study.sets:
        _save_one(study, path, options, 0, f"study {study.name}")


def _save_one(study: Study, path: Path, options: Options, place: int, what: str) -> None:
    """Write the mock data of one data set, at its place among several, with what they are of."""
    import contextlib
    import sys

    from renp_infer.errors import ConfigError
    from renp_infer.measurement.squid import relative_times
    from renp_infer.study.measured.datawriter import write_measurement
    from renp_infer.study.observed import mock_observation

    if path.exists() and not options.force:
        raise ConfigError("--save", str(path), "a new file, or --force")
    title = f"mock data of {what}, seed {study.seed}"
    with contextlib.redirect_stdout(sys.stderr):
        data = mock_observation(study, place)
    detector, count = study.experiment.detector, data.theta_s.size
    times_s = detector.exposure_s / count * relative_times(detector, count)
    write_measurement(path, data, times_s, title)


def _ensemble(study: Study, options: Options) -> int:
    """Draw the ensemble of a study with a section ``[simulate]``."""
    from renp_infer.engine.driver import DONE, asked
    from renp_infer.study.study import Preset
    from renp_infer.terminal import angle_table, show, write_document
    from renp_infer.verbs.about import opening
    from renp_infer.verbs.simulate.result import EnsembleResult
    from renp_infer.verbs.simulate.verb import ENSEMBLE
    from renp_infer.verbs.simulate.work import ensemble_summary

    run = asked(study, ENSEMBLE, options)
    if run is None:
        return DONE
    path = run.get(EnsembleResult).path
    found = ensemble_summary(path)
    if options.json:
        head = {"schema": 1, "name": study.name} | Preset.of(study.resolved).document
        write_document(head | {"file": str(path)} | vars(found))
        return DONE
    columns = {
        "theta_s [deg]": found.theta_s_deg,
        "signal [nG]": found.signal_nG,
        "mean [nG]": found.mean_nG,
        "sd [nG]": found.sd_nG,
    }
    drawn = f"{found.datasets} data sets"
    first = opening(study.name, study.resolved, f"{drawn} of mock data, seed {study.seed}.")
    show(first, angle_table(f"{study.name}: {drawn}", columns), f"file: {path}")
    return DONE
