"""Combinations of laser keys that mean nothing or cannot be followed."""

from __future__ import annotations

from renp_infer.errors import ConfigError, DomainError
from renp_infer.physics.bloch import MAX_PANELS, panels_needed
from renp_infer.physics.drive import Drive, laser_drive, switch_times_s
from renp_infer.records import BLOCH_KEYS, Experiment, Lasers


def check_lasers(experiment: Experiment) -> None:
    """Refuse lasers that are switched outside the cycle or set without effect.

    Parameters
    ----------
    experiment : Experiment

    Raises
    ------
    ConfigError
        Also if the Bloch equations would take more panels than are done.
    """
    target, lasers = experiment.target, experiment.lasers
    try:
        switch_times_s(target, lasers)
        if lasers.chi_squared is None:
            _check_bloch(experiment, laser_drive(target, lasers, experiment.switches))
    except DomainError as error:
        section = "physics" if error.name == "bloch" else "lasers"
        raise ConfigError(f"{section}.{error.name}", error.value, error.allowed) from error
    for key in BLOCH_KEYS if lasers.chi_squared is not None else ():
        if getattr(lasers, key) != getattr(Lasers(), key):
            allowed = 'only with lasers.chi_squared = "bloch"'
            raise ConfigError(f"lasers.{key}", getattr(lasers, key), allowed)


def _check_bloch(experiment: Experiment, drive: Drive) -> None:
    """The cycle can be followed in all detail."""
    cycle_ms, relaxation_ms = experiment.lasers.cycle_ms, experiment.detector.spin_relaxation_ms
    most = cycle_ms * MAX_PANELS / panels_needed(drive)
    if cycle_ms > most:
        allowed = f'<= {most:.3g} with lasers so strong or detuned and chi_squared = "bloch"'
        raise ConfigError("lasers.cycle_ms", cycle_ms, allowed)
    if cycle_ms > relaxation_ms * MAX_PANELS:
        allowed = f'>= {cycle_ms / MAX_PANELS:.3g} with lasers.chi_squared = "bloch"'
        raise ConfigError("detector.spin_relaxation_ms", relaxation_ms, allowed)
