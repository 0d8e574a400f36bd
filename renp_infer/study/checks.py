"""Keys of one section against those of others, and against target and truth.

What concerns a section alone stands in its file in ``sections``; ``computable.py`` has
numbers that cannot be calculated with, ``design_check.py`` designs that make no studies.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from renp_infer.errors import ConfigError
from renp_infer.fields import Said
from renp_infer.inference.knowledge.constraints import GaussianConstraint
from renp_infer.inference.knowledge.subjects import separates
from renp_infer.inference.parameters import MASS, PARAMETERS
from renp_infer.inference.priors.marginals import slope_at
from renp_infer.inference.priors.own_prior import OwnPrior
from renp_infer.inference.priors.prior import truth_values
from renp_infer.inference.results.comparison import HYPOTHESES
from renp_infer.inference.settings import InferenceSettings
from renp_infer.physics.constants import MILLI_EV_TO_EV
from renp_infer.physics.pairs.kinematics import has_extraordinary
from renp_infer.physics.signal.magnetization import keeps_moment
from renp_infer.physics.targets.matrix_elements import missing_printed
from renp_infer.records import PRESETS, Detector, Experiment, Parameters, Switches
from renp_infer.study.computable import check_computable, check_open_angles
from renp_infer.study.knowledge import Stated
from renp_infer.study.reading import StudyConfig
from renp_infer.study.sections.atlas import check_atlas
from renp_infer.study.sections.calibrate import CalibrateSection, check_parts
from renp_infer.study.sections.forecast import ForecastSettings, largest_mass_meV
from renp_infer.study.sections.inference import (
    InferenceSection,
    check_lower_bound,
    check_own_priors,
    check_tuning,
    nothing_to_tune,
    tunes,
)
from renp_infer.study.sections.lasers import check_lasers
from renp_infer.study.sections.sequential import KEY, SequentialSettings
from renp_infer.study.sections.target import POLARISED
from renp_infer.target import Target

OFF_CENTRE = 0.05
"""Of its unit: how far the median of a prior may lie from the nominal value of a forecast."""


def check_all(study: StudyConfig, experiment: Experiment, parameters: Parameters) -> None:
    """Refuse what no task can take, and what ``[inference]`` and ``[calibrate]`` cannot.

    Raises
    ------
    ConfigError
        On the first thing that is wrong.
    """
    check_pairs(parameters, experiment.target)
    check_reversal(study)
    check_weights(study, experiment.switches)
    check_lasers(experiment)
    check_computable(experiment)
    if study.inference is not None:
        check_inference(study, experiment, parameters)
    check_calibration(study.calibrate, study.inference)
    check_blinding(study)
    check_systematics(study)
    if study.atlas is not None:
        check_atlas(study.atlas, experiment, parameters)


def check_printed(switches: Switches, target: Target, chi_squared: float | str) -> None:
    """A switch that takes a number of the paper needs a target that has it.

    Raises
    ------
    ConfigError
    """
    for switch, name in missing_printed(target, switches):
        if switch != "bloch" or chi_squared == "bloch":
            other = getattr(PRESETS["corrected"], switch)
            allowed = f'"{other}" with target.scheme = "{target.name}", which prints no {name}'
            hint = 'physics.preset = "corrected" sets all such switches'
            raise ConfigError(f"physics.{switch}", getattr(switches, switch), allowed, hint)


def check_pairs(parameters: Parameters, target: Target) -> None:
    """Two of the lightest neutrinos must fit into the energy of the pair.

    Raises
    ------
    ConfigError
    """
    limit = target.epsilon_ep / 2
    if parameters.m1_eV >= limit:
        raise ConfigError(
            "neutrino.m1_meV",
            parameters.m1_eV / MILLI_EV_TO_EV,
            f"< {limit / MILLI_EV_TO_EV:.6g}, else no pair can be emitted (epsilon_ep / 2)",
        )


def check_reversal(study: StudyConfig) -> None:
    """Refuse a reversal of P that leaves a part of no field.

    Raises
    ------
    ConfigError
    """
    value = study.detector.reversal_leakage
    polarised = any(getattr(study.target, key) is not None for key in POLARISED)
    if value != Detector.reversal_leakage and not polarised:
        allowed = "nothing without target.polarisation or target.temperature_K"
        why = "it is the share of the field of polarised ions that reversing P leaves"
        raise ConfigError("detector.reversal_leakage", value, allowed, why)


def check_weights(study: StudyConfig, switches: Switches) -> None:
    """Refuse CP violation with the rows of Table IV, which have none.

    Raises
    ------
    ConfigError
    """
    if switches.weights != "table-iv":
        return
    for key in PARAMETERS.phases:
        value = getattr(study.neutrino, key)
        if value != 0:
            allowed = '0 with physics.weights = "table-iv", which conserves CP'
            raise ConfigError(f"neutrino.{key}", value, allowed)
    if study.inference is not None and study.inference.phases == "free":
        allowed = '"fixed" with physics.weights = "table-iv", which conserves CP'
        raise ConfigError("inference.phases", "free", allowed)


def check_inference(study: StudyConfig, experiment: Experiment, parameters: Parameters) -> None:
    """Settings of ``[inference]``, or its defaults, against truth, layout and physics.

    Raises
    ------
    ConfigError
    """
    section, switches = study.inference or InferenceSection(), experiment.switches
    if (switches.phase_space, switches.form_factor) == ("full", "lorentzian"):
        raise ConfigError(
            "physics.form_factor",
            "lorentzian",
            '"plane-wave" for [inference] with phase_space = "full": the integral of '
            "Eq. (18) over two transverse dimensions diverges logarithmically, so there "
            "is no large-crystal limit",
        )
    check_signal(experiment)
    limit = experiment.target.epsilon_ep / 2 / MILLI_EV_TO_EV
    if section.m1_max_meV >= limit:
        allowed = f"< {limit:.6g}, beyond which no pair can be emitted"
        raise ConfigError("inference.m1_max_meV", section.m1_max_meV, allowed)
    if study.neutrino.m1_meV > section.m1_max_meV:
        allowed = f"<= inference.m1_max_meV = {section.m1_max_meV:g}"
        raise ConfigError("neutrino.m1_meV", study.neutrino.m1_meV, allowed)
    if section.extraordinary_index_sd and not has_extraordinary(experiment):
        allowed = "nothing, or 0, without an extraordinary ray, see lasers.trigger_polarisation"
        key = "inference.extraordinary_index_sd"
        raise ConfigError(key, section.extraordinary_index_sd, allowed)
    check_own_priors(section)
    check_lower_bound(section)
    check_tuning(section)
    check_open_angles(experiment, parameters)


def check_signal(experiment: Experiment) -> None:
    """Refuse to learn from a field that is zero by symmetry; `evaluate` says that it is.

    Raises
    ------
    ConfigError
    """
    switches = experiment.switches
    weak = switches.source == "weak-magnetism"
    if experiment.layout.c_axis is None and (weak or switches.field_axis == "trigger"):
        what = "P.n" if weak else "k.S"
        allowed = (
            f"a number for [inference]: {what} vanishes normal to the plane, so there is no signal"
        )
        raise ConfigError("layout.c_axis_deg", "normal", allowed)
    if not keeps_moment(experiment):
        allowed = "a target with a doublet: two singlets keep no moment in first order"
        hint = "renp evaluate gives the event rate, target.channel other levels"
        raise ConfigError("target.scheme", experiment.target.name, allowed, hint)


def check_calibration(section: CalibrateSection | None, inference: InferenceSection | None) -> None:
    """Refuse a calibration of nothing, steps that tune nothing, and a belt beyond the prior.

    Raises
    ------
    ConfigError
    """
    if section is None:
        return
    check_parts(section)
    if inference is None:
        raise ConfigError("inference", Said("nothing"), "a table, for [calibrate]")
    if "tune" in section.model_fields_set and not tunes(inference.sampler):
        raise nothing_to_tune("calibrate", section.tune, inference.sampler)
    if section.belt_sets and section.belt_m1_meV[-1] > inference.m1_max_meV:
        allowed = f"masses <= inference.m1_max_meV = {inference.m1_max_meV:g}"
        raise ConfigError("calibrate.belt_m1_meV", section.belt_m1_meV[-1], allowed)


def check_redrawn(study: StudyConfig, knowledge: tuple[Stated, ...]) -> None:
    """Refuse constraints with belts, whose mock experiments cannot measure them anew.

    Raises
    ------
    ConfigError
    """
    section = study.calibrate
    if section is None or not section.belt_sets:
        return
    for row in knowledge:
        if not isinstance(row.term, GaussianConstraint):
            given = Said("a limit, a table or a chain")
            allowed = "with calibrate.belt_sets what a mock experiment can repeat, a Gaussian one"
            raise ConfigError(f"constraints, {row.term.name}", given, allowed)


def check_separate(knowledge: tuple[Stated, ...]) -> None:
    """Refuse constraints that designs, whose nuisances are one Gaussian, cannot take.

    Raises
    ------
    ConfigError
    """
    for row in knowledge:
        if not separates(row.term):
            given = Said(f"a constraint on {', '.join(row.term.quantities)}")
            kinds = "masses, phases and what follows from them, or [[constraints.gaussian]]"
            allowed = f"with [optimize] one on {kinds} on nuisances, not on both"
            raise ConfigError(f"constraints, {row.term.name}", given, allowed)


def check_blinding(study: StudyConfig) -> None:
    """Refuse to hide what mock data say, whose truth stands in the study.

    Raises
    ------
    ConfigError
    """
    if study.blinding is None:
        return
    entries = study.data if isinstance(study.data, tuple) else ()
    mock = [f"data[{place}]" for place, one in enumerate(entries) if not one.measured]
    if study.data is None or mock:
        allowed = "nothing without measured data, [data]: of mock data the study says the truth"
        hint = f"{' and '.join(mock)} without a file" if mock else ""
        raise ConfigError("blinding", Said("a table"), allowed, hint)


def check_priors(
    study: StudyConfig,
    settings: InferenceSettings,
    experiment: Experiment,
    parameters: Parameters,
    residual: float,
) -> None:
    """Refuse priors by parameter that a task cannot take as they are.

    Forecasts and designs begin where all nuisances are at the nominal apparatus, take
    systematics one by one, and phases as unknown or known. A mock experiment of a belt repeats
    the calibration of each parameter alone.

    Raises
    ------
    ConfigError
    """
    names = [one.name for one in settings.own]
    if residual and "leakage" in names:
        allowed = "nothing with target.polarisation, whose parity-even field is part of that prior"
        raise ConfigError("inference.priors.leakage", Said("a table"), allowed)
    turning = [name for name in names if name in PARAMETERS.phases]
    if turning and experiment.switches.weights == "table-iv":
        allowed = 'nothing with physics.weights = "table-iv", which conserves CP'
        raise ConfigError(f"inference.priors.{turning[0]}", Said("a table"), allowed)
    if settings.blocks and study.calibrate is not None and study.calibrate.belt_sets:
        allowed = "nothing with calibrate.belt_sets, which repeats calibrations one by one"
        raise ConfigError("inference.priors.block", Said("tables"), allowed)
    tasks = [f"[{task}]" for task in ("forecast", "optimize") if getattr(study, task) is not None]
    if not tasks or not settings.own:
        return
    if settings.blocks:
        allowed = f"nothing with {tasks[0]}, which takes systematics one by one"
        raise ConfigError("inference.priors.block", Said("tables"), allowed)
    if turning:
        allowed = f"nothing with {tasks[0]}, which takes phases as unknown or known"
        raise ConfigError(f"inference.priors.{turning[0]}", Said("a table"), allowed)
    check_centred(study, settings.own, experiment, parameters)


def check_centred(
    study: StudyConfig,
    own: Iterable[OwnPrior],
    experiment: Experiment,
    parameters: Parameters,
    key: str = "inference.priors",
) -> None:
    """Refuse priors with other medians than nominal values, where forecasts and designs begin.

    Raises
    ------
    ConfigError
    """
    tasks = [f"[{task}]" for task in ("forecast", "optimize") if getattr(study, task) is not None]
    if not tasks:
        return
    nominal = truth_values(parameters, experiment.target.refractive_index)
    for one in own:
        if one.name == MASS or not one.holds_under(parameters.ordering):
            continue
        centre = float(one.marginal.from_unit(np.zeros(1)))
        if abs(centre - nominal[one.name]) > OFF_CENTRE * slope_at(one.marginal, 0.0):
            given = Said(f"{one.text}, whose median is {centre:g}")
            allowed = f"a median of {nominal[one.name]:g}, the nominal value, with {tasks[0]}"
            raise ConfigError(f"{key}.{one.name}", given, allowed)


def check_systematics(study: StudyConfig) -> None:
    """Refuse templates that would be taken for others.

    Raises
    ------
    ConfigError
        By the name of a systematic of a forecast, beside which each stands by its own; or
        that are left out, since the study has no priors.
    """
    tasks = [task for task in ("forecast", "optimize") if getattr(study, task) is not None]
    if study.systematics and tasks and study.inference is None:
        allowed = f"a table, for [[systematics]] with [{tasks[0]}]"
        raise ConfigError("inference", Said("nothing"), allowed)
    for place, one in enumerate(study.systematics or ()):
        if study.forecast is not None and one.name in PARAMETERS.systematics:
            allowed = "another name than those of forecast.systematics, beside which it stands"
            raise ConfigError(f"systematics[{place}].name", one.name, allowed)


def check_forecast(settings: ForecastSettings, experiment: Experiment) -> None:
    """Refuse truths that emit no pair.

    Raises
    ------
    ConfigError
        If the heaviest truth leaves no room for a heavier rival.
    """
    limit = largest_mass_meV(experiment)
    if max(settings.m1_meV) >= limit:
        raise ConfigError("forecast.m1_meV", max(settings.m1_meV), f"< {limit:.6g}")


def check_sequential(
    settings: SequentialSettings, study: StudyConfig, polarisation: float = 0.0
) -> None:
    """Refuse what a sequence of measurements cannot take into account.

    Raises
    ------
    ConfigError
        A drift, which ties measurements together in time; a free leakage; truths above
        the prior of m1, or of a hypothesis that is left out.
    """
    priors = study.inference or InferenceSection()
    own = (study.neutrino.ordering, study.neutrino.nature)
    if not settings.odds[HYPOTHESES.index(own)]:
        allowed = "the study's own hypothesis among them, from which campaigns are drawn"
        raise ConfigError("optimize.prior_odds", Said(f"none for {' '.join(own)}"), allowed)
    if study.detector.drift_fT > 0.0:
        allowed = "0 with [optimize.sequential]: noise that is independent between measurements"
        raise ConfigError("detector.drift_fT", study.detector.drift_fT, allowed)
    if priors.priors is not None and priors.priors.leakage is not None:
        allowed = "nothing with [optimize.sequential]"
        raise ConfigError("inference.priors.leakage", Said("a table"), allowed)
    if priors.leakage_sd > 0.0:
        allowed = "0 with [optimize.sequential]"
        raise ConfigError("inference.leakage_sd", priors.leakage_sd, allowed)
    if polarisation != 0.0:
        allowed = "0 with [optimize.sequential], which knows no parity-even field"
        raise ConfigError("target.polarisation", polarisation, allowed)
    if max(settings.m1_meV) > priors.m1_max_meV:
        allowed = f"<= inference.m1_max_meV = {priors.m1_max_meV:g}"
        raise ConfigError(f"{KEY}.m1_meV", max(settings.m1_meV), allowed)
