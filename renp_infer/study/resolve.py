"""A study file, resolved: from keys to the records that the physics takes.

Each section says itself what it becomes; here stands the order in which this happens,
and what the sections must know of each other.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from renp_infer.inference.results.comparison import HYPOTHESES
from renp_infer.measurement.field import residual_leakage
from renp_infer.physics.neutrinos import load_oscillation
from renp_infer.physics.pairs.kinematics import has_extraordinary
from renp_infer.physics.targets.target import GENERIC, GENERIC_KEYS, load_target
from renp_infer.records import Accuracy, Experiment, Parameters
from renp_infer.study import checks
from renp_infer.study.design_tables import OTHERS, Design, derived_keys, design_of
from renp_infer.study.knowledge import knowledge_of
from renp_infer.study.measured.datawriter import degrees
from renp_infer.study.priors import settings_of
from renp_infer.study.reading import StudyConfig
from renp_infer.study.sections.blinding import blinding_of, with_absolute_key
from renp_infer.study.sections.compare import compare_settings
from renp_infer.study.sections.constraints import with_absolute_files
from renp_infer.study.sections.data import absolute, apparatus_of, measurement_of
from renp_infer.study.sections.detector import detector_of, noise_keys
from renp_infer.study.sections.forecast import ForecastSettings, forecast_settings
from renp_infer.study.sections.inference import (
    InferenceSection,
    absolute_priors,
    aims,
    own_settings,
    tunes,
)
from renp_infer.study.sections.lasers import intensity_keys, lasers_of, lit
from renp_infer.study.sections.layout import layout_of
from renp_infer.study.sections.neutrino import parameters_of, with_absolute_table
from renp_infer.study.sections.physics import is_chosen, switches_of
from renp_infer.study.sections.sequential import SequentialSettings, sequential_settings
from renp_infer.study.sections.systematics import templates_of, with_absolute_templates
from renp_infer.study.sections.target import (
    UNSCHEMED,
    check_channel,
    polarised,
    refracting,
    scheme_of,
)
from renp_infer.study.study import Study, leaking
from renp_infer.switches import told


def assemble(study: StudyConfig, text: str, folder: Path) -> Study:
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
    assert not isinstance(study.data, tuple)  # see ``datasets``
    section = absolute(study.data, folder)
    given = {
        "data": section,
        "blinding": with_absolute_key(study.blinding, folder),
        "constraints": with_absolute_files(study.constraints, folder),
        "neutrino": with_absolute_table(study.neutrino, folder),
        "inference": absolute_priors(study.inference, folder),
        "systematics": with_absolute_templates(study.systematics, folder),
    }
    study = study.model_copy(update=given)
    scheme = scheme_of(study.target, folder)
    target = load_target(scheme, **study.target.model_dump(exclude={"scheme", *UNSCHEMED}))
    target = replace(target, quenching_density_per_cm3=study.target.quenching_density_per_cm3)
    switches = switches_of(study.physics)
    lasers = lasers_of(study.lasers, switches)
    checks.check_printed(switches, target, study.lasers.chi_squared)
    check_channel(study.target, switches)
    target = refracting(target, study.target, lasers)
    target = polarised(target, study.target, switches, lasers.zeeman_field_G)
    layout = layout_of(study.layout, target, lasers)
    table = load_oscillation(study.neutrino.oscillation)
    parameters = parameters_of(study.neutrino, table)
    experiment = Experiment(
        target=target,
        layout=layout,
        lasers=lasers,
        detector=detector_of(study.detector, layout, target.spin_relaxation_ms),
        switches=switches,
        accuracy=Accuracy(study.accuracy.relative_tolerance),
    )
    measurement = measurement_of(section, experiment)
    experiment = apparatus_of(experiment, measurement)
    beams = lit(experiment.lasers, study.lasers, experiment.layout, switches)
    experiment = replace(experiment, lasers=beams)
    checks.check_all(study, experiment, parameters)
    residual = residual_leakage(experiment, parameters)
    design = design_of(study, scheme, folder)
    settings = None
    if study.inference is not None:
        rays = has_extraordinary(experiment)
        settings = settings_of(study.inference, table, extraordinary=rays)
        known = templates_of(study.systematics or (), experiment.layout.theta_s)
        settings = replace(settings, templates=known)
        checks.check_priors(study, settings, experiment, parameters, residual)
    knowledge = knowledge_of(study.constraints)
    checks.check_redrawn(study, knowledge)
    if design is not None:
        checks.check_separate(knowledge)
    return Study(
        name=study.name,
        seed=study.seed,
        text=text,
        resolved=_resolved(study, scheme, experiment, design),
        experiment=experiment,
        parameters=parameters,
        oscillation=table,
        settings=settings and leaking(settings, residual),
        residual=residual,
        knowledge=knowledge,
        datasets=0 if study.simulate is None else study.simulate.datasets,
        execution=study.execution,
        compare=None if study.compare is None else compare_settings(study.compare),
        measurement=measurement,
        blinding=blinding_of(study.blinding),
        calibration=study.calibrate,
        forecast=_forecast(study, experiment, parameters),
        design=design,
        sequential=_sequential(study, experiment, parameters),
        atlas=study.atlas,
    )


def _forecast(
    study: StudyConfig, experiment: Experiment, parameters: Parameters
) -> ForecastSettings | None:
    if study.forecast is None:
        return None
    settings = forecast_settings(study.forecast)
    checks.check_inference(study, experiment, parameters)
    checks.check_forecast(settings, experiment)
    return settings


def _sequential(
    study: StudyConfig, experiment: Experiment, parameters: Parameters
) -> SequentialSettings | None:
    section = study.optimize
    if section is None or section.sequential is None:
        return None
    odds = tuple(
        getattr(section.prior_odds, f"{o}_{n}") * (o in section.orderings and n in section.natures)
        for o, n in HYPOTHESES
    )
    settings = sequential_settings(section.sequential, odds, experiment)
    checks.check_sequential(settings, study, experiment.target.polarisation)
    templates_of(study.systematics or (), np.array([*settings.angles, *settings.fixed]))
    checks.check_inference(study, experiment, parameters)
    return settings


def _resolved(
    study: StudyConfig, scheme: str, experiment: Experiment, design: Design | None
) -> dict[str, Any]:
    """All keys with all values, as tables of which ``load_study`` makes the same study."""
    tables = study.model_dump(by_alias=True, exclude_none=True, exclude={"include"})
    switches = told(experiment.switches).items()
    tables["physics"] |= {name: value for name, value in switches if value is not None}
    del tables["physics"]["preset_by_default"]
    if not is_chosen(study.physics):
        tables["physics"]["preset_by_default"] = True
    tables["lasers"]["zeeman_field_G"] = experiment.lasers.zeeman_field_G
    tables["target"] = {"scheme": scheme} | {
        key: getattr(experiment.target, key)
        for key in ("density_per_cm3", "gamma_ep_per_s", "refractive_index")
    }
    own = study.target.model_dump(include={*UNSCHEMED, "channel"}, exclude_none=True)
    tables["target"] |= own
    tables["detector"]["spin_relaxation_ms"] = experiment.detector.spin_relaxation_ms
    if scheme == GENERIC:
        tables["target"] |= study.target.model_dump(include=set(GENERIC_KEYS), exclude_none=True)
    if study.layout.theta_e_deg is None:
        theta_e = experiment.layout.theta_e
        theta_e_deg = float(degrees(np.array([theta_e]))[0])
        if math.radians(theta_e_deg) == theta_e:  # else it is matched again, to the last bit
            tables["layout"]["theta_e_deg"] = theta_e_deg
    if isinstance(study.layout.theta_s_deg, tuple):
        tables["layout"]["theta_s_deg"] = list(study.layout.theta_s_deg)
    tables["detector"]["exposure_s"] = experiment.detector.exposure_s
    if study.detector.exposure_shares is not None:
        tables["detector"]["exposure_shares"] = list(study.detector.exposure_shares)
    for key in noise_keys(study.detector):
        del tables["detector"][key]
    for key in intensity_keys(study.lasers):
        del tables["lasers"][key]
    if study.inference is not None:
        _without_meaningless(tables, study.inference)
    if design is not None:
        inherited = {key: table for key, table in tables.items() if key not in OTHERS}
        if "preset_by_default" in tables["physics"]:  # which is left out when it is read again
            preset = ("preset", "preset_by_default")
            inherited["physics"] = {k: v for k, v in tables["physics"].items() if k not in preset}
        tables["optimize"]["follow"] = tuple(derived_keys(inherited, design.tables))
    return tables


def _without_meaningless(tables: dict[str, Any], section: InferenceSection) -> None:
    """Leave out what a study may not give with its prior and sampler."""
    for key in own_settings(section):
        tables["inference"].pop(key, None)
    if section.m1_prior == "uniform":
        tables["inference"].pop("m1_min_meV", None)
    if not tunes(section.sampler, section.cross_check):
        del tables["inference"]["tune"]
    if not aims(section.sampler, section.cross_check):
        del tables["inference"]["target_accept"]
    if "calibrate" in tables and not tunes(section.sampler):
        del tables["calibrate"]["tune"]
