"""A study file, resolved: from keys to the records that the physics takes.

Here the combinations are judged that need a target scheme or an oscillation
table: what ``reading.py`` cannot see from keys and types alone.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.errors import ConfigError, DomainError
from renp_infer.fields import Said
from renp_infer.physics.constants import MILLI_EV_TO_EV
from renp_infer.physics.kinematics import phase_matched
from renp_infer.physics.matrix_elements import missing_printed
from renp_infer.physics.neutrinos import OscillationTable, load_oscillation, make_parameters
from renp_infer.physics.target import GENERIC, GENERIC_KEYS, load_target
from renp_infer.records import (
    PRESETS,
    Accuracy,
    Experiment,
    FloatArray,
    Lasers,
    Layout,
    Parameters,
    Switches,
    Target,
)
from renp_infer.study import forecast as forecast_settings
from renp_infer.study import reading as config
from renp_infer.study.calibration_keys import check_calibration
from renp_infer.study.computable import check_computable, check_open_angles
from renp_infer.study.design_tables import design_of
from renp_infer.study.detecting import make_detector, noise_keys
from renp_infer.study.inference_keys import check_lower_bound, check_weights
from renp_infer.study.laser_checks import check_lasers
from renp_infer.study.observing import absolute, apparatus_of, measurement_of
from renp_infer.study.sections.angles import AngleRange
from renp_infer.study.sections.layout import LayoutSection
from renp_infer.study.sections.physics import PhysicsSection
from renp_infer.study.sequential import sequential_of
from renp_infer.study.study import Execution, Study

if TYPE_CHECKING:
    from renp_infer.inference.prior import InferenceSettings


def assemble(study: config.StudyConfig, text: str, folder: Path) -> Study:
    """Turn checked keys into records.

    Parameters
    ----------
    study : StudyConfig
    text : str
        The file as given.
    folder : Path
        What a relative path of a target scheme starts from.

    Raises
    ------
    ConfigError
        On a combination of keys that means nothing. Designs are not looked at.
    """
    study = study.model_copy(update={"data": absolute(study.data, folder)})
    scheme = study.target.scheme
    if scheme.endswith(".toml"):
        scheme = str((folder / scheme).absolute())
    target = load_target(scheme, **study.target.model_dump(exclude={"scheme"}))
    switches = _switches(study.physics)
    _check_printed(switches, target, study.lasers.chi_squared)
    layout = _layout(study.layout, target)
    table = load_oscillation(study.neutrino.oscillation)
    parameters = _parameters(study, table)
    experiment = Experiment(
        target=target,
        layout=layout,
        lasers=_lasers(study),
        detector=make_detector(study.detector, layout, target.spin_relaxation_ms),
        switches=switches,
        accuracy=Accuracy(study.accuracy.relative_tolerance),
    )
    measurement = measurement_of(study.data, experiment)
    experiment = apparatus_of(experiment, measurement)
    _check_pairs(parameters, target)
    check_weights(study, switches)
    check_lasers(experiment)
    check_computable(experiment)
    if study.inference is not None:
        _check_inference(study, experiment, parameters)
    check_calibration(study.calibrate, study.inference)
    forecast = None if study.forecast is None else forecast_settings.settings_from(study.forecast)
    if forecast is not None:
        _check_inference(forecast_settings.with_priors(study), experiment, parameters)
        forecast_settings.check_forecast(forecast, experiment)
    sequential = sequential_of(study, experiment)
    if sequential is not None:
        _check_inference(forecast_settings.with_priors(study), experiment, parameters)
    return Study(
        name=study.name,
        seed=study.seed,
        text=text,
        resolved=_resolved(study, scheme, experiment),
        experiment=experiment,
        parameters=parameters,
        oscillation=table,
        settings=_settings(study),
        datasets=0 if study.simulate is None else study.simulate.datasets,
        execution=Execution(**study.execution.model_dump()),
        compare=None if study.compare is None else study.compare.model_dump(),
        measurement=measurement,
        calibration=study.calibrate,
        forecast=forecast,
        design=design_of(study, scheme, folder),
        sequential=sequential,
    )


def _switches(section: PhysicsSection) -> Switches:
    """Switches of the preset, with the single keys over them."""
    chosen = section.model_dump(exclude={"preset"}, exclude_none=True)
    return Switches(**(asdict(PRESETS[section.preset]) | chosen))


def _check_printed(switches: Switches, target: Target, chi_squared: float | str) -> None:
    """A switch that takes a number of the paper needs a target that has it."""
    for switch, name in missing_printed(target, switches):
        if switch != "bloch" or chi_squared == "bloch":
            other = getattr(PRESETS["corrected"], switch)
            allowed = f'"{other}" with target.scheme = "{target.name}", which prints no {name}'
            hint = 'physics.preset = "corrected" sets all such switches'
            raise ConfigError(f"physics.{switch}", getattr(switches, switch), allowed, hint)


def _layout(section: LayoutSection, target: Target) -> Layout:
    if section.theta_e_deg is None:
        theta_e = _phase_matched(target)
    else:
        theta_e = math.radians(section.theta_e_deg)
    c_axis = section.c_axis_deg
    return Layout(
        length_cm=section.length_cm,
        radius_cm=section.radius_cm,
        theta_e=theta_e,
        theta_s=_angles(section),
        c_axis=None if c_axis == "normal" else math.radians(c_axis),
    )


def _phase_matched(target: Target) -> float:
    try:
        return phase_matched(target)[1]
    except DomainError as error:
        allowed = "an angle: this target has no phase-matched direction"
        raise ConfigError("layout.theta_e_deg", Said("nothing"), allowed) from error


def _angles(section: LayoutSection) -> FloatArray:
    """Trigger angles, shape (n,), rad."""
    grid = section.theta_s_deg
    if not isinstance(grid, AngleRange):
        return np.deg2rad(np.array(grid))
    return np.deg2rad(np.linspace(grid.start, grid.stop, grid.points))


def _lasers(study: config.StudyConfig) -> Lasers:
    values = study.lasers.model_dump()
    if values["chi_squared"] == "bloch":
        values["chi_squared"] = None
    return Lasers(**values)


def _parameters(study: config.StudyConfig, table: OscillationTable) -> Parameters:
    truth = study.neutrino
    return make_parameters(
        m1_eV=truth.m1_meV * MILLI_EV_TO_EV,
        ordering=truth.ordering,
        nature=truth.nature,
        delta=math.radians(truth.delta_deg),
        alpha21=math.radians(truth.alpha21_deg),
        alpha31=math.radians(truth.alpha31_deg),
        table=table,
    )


def _settings(study: config.StudyConfig) -> InferenceSettings | None:
    if study.inference is None:
        return None
    from renp_infer.inference.prior import InferenceSettings

    return InferenceSettings(**study.inference.model_dump())


def _check_pairs(parameters: Parameters, target: Target) -> None:
    """Two of the lightest neutrinos must fit into the energy of the pair."""
    limit = target.epsilon_ep / 2
    if parameters.m1_eV >= limit:
        raise ConfigError(
            "neutrino.m1_meV",
            parameters.m1_eV / MILLI_EV_TO_EV,
            f"< {limit / MILLI_EV_TO_EV:.6g}, else no pair can be emitted (epsilon_ep / 2)",
        )


def _check_inference(
    study: config.StudyConfig, experiment: Experiment, parameters: Parameters
) -> None:
    """Settings of ``[inference]`` against truth, layout and physics."""
    section, switches = study.inference, experiment.switches
    assert section is not None
    if (switches.phase_space, switches.form_factor) == ("full", "lorentzian"):
        raise ConfigError(
            "physics.form_factor",
            "lorentzian",
            '"plane-wave" for [inference] with phase_space = "full": the integral of '
            "Eq. (18) over two transverse dimensions diverges logarithmically, so there "
            "is no large-crystal limit",
        )
    if experiment.layout.c_axis is None:
        allowed = (
            "a number for [inference]: k.S vanishes normal to the plane, so there is no signal"
        )
        raise ConfigError("layout.c_axis_deg", "normal", allowed)
    limit = experiment.target.epsilon_ep / 2 / MILLI_EV_TO_EV
    if section.m1_max_meV >= limit:
        allowed = f"< {limit:.6g}, beyond which no pair can be emitted"
        raise ConfigError("inference.m1_max_meV", section.m1_max_meV, allowed)
    if study.neutrino.m1_meV > section.m1_max_meV:
        allowed = f"<= inference.m1_max_meV = {section.m1_max_meV:g}"
        raise ConfigError("neutrino.m1_meV", study.neutrino.m1_meV, allowed)
    check_lower_bound(section)
    check_open_angles(experiment, parameters)


def _resolved(study: config.StudyConfig, scheme: str, experiment: Experiment) -> dict[str, Any]:
    """All keys with all values, as tables that ``load_study`` takes again."""
    tables = study.model_dump(by_alias=True, exclude_none=True)
    tables["physics"] |= asdict(experiment.switches)
    tables["target"] = {"scheme": scheme} | {
        key: getattr(experiment.target, key)
        for key in ("density_per_cm3", "gamma_ep_per_s", "refractive_index")
    }
    tables["detector"]["spin_relaxation_ms"] = experiment.detector.spin_relaxation_ms
    if scheme == GENERIC:
        tables["target"] |= study.target.model_dump(include=set(GENERIC_KEYS), exclude_none=True)
    tables["layout"]["theta_e_deg"] = math.degrees(experiment.layout.theta_e)
    if isinstance(study.layout.theta_s_deg, tuple):
        tables["layout"]["theta_s_deg"] = list(study.layout.theta_s_deg)
    tables["detector"]["exposure_s"] = experiment.detector.exposure_s
    if study.detector.exposure_shares is not None:
        tables["detector"]["exposure_shares"] = list(study.detector.exposure_shares)
    for key in noise_keys(study.detector):
        del tables["detector"][key]
    if study.inference is not None and study.inference.m1_prior == "uniform":
        del tables["inference"]["m1_min_meV"]
    return tables
