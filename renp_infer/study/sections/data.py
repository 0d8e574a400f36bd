"""Section ``[data]``: measured data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from renp_infer.records import Experiment
from renp_infer.study.datafile import Measurement, read_measurement
from renp_infer.study.sections.base import Section, Word


class DataSection(Section):
    """Measured data, instead of mock data; paths start from the study's folder."""

    file: Word
    covariance: Word | None = None


def absolute(section: DataSection | None, folder: Path) -> DataSection | None:
    """Section with paths that mean the same from any folder."""
    if section is None:
        return None
    named = section.model_dump(exclude_none=True)
    return DataSection(**{key: str((folder / path).absolute()) for key, path in named.items()})


def measurement_of(section: DataSection | None, experiment: Experiment) -> Measurement | None:
    """Data of a section, checked against the apparatus.

    Raises
    ------
    ConfigError
        On the first thing that is wrong in a file.
    """
    if section is None:
        return None
    return read_measurement(
        Path(section.file),
        None if section.covariance is None else Path(section.covariance),
        experiment.layout.theta_s,
        normalised=experiment.detector.reference_snr > 0.0,
    )


def apparatus_of(experiment: Experiment, measurement: Measurement | None) -> Experiment:
    """The apparatus at the angles, and with the exposure, of the data."""
    if measurement is None:
        return experiment
    exposure_s = measurement.exposure_s
    detector = replace(experiment.detector, exposure_shares=None)
    return replace(
        experiment,
        layout=replace(experiment.layout, theta_s=measurement.observation.theta_s),
        detector=detector if exposure_s is None else replace(detector, exposure_s=exposure_s),
    )
