"""Section ``[data]``: measured data; and ``[[data]]``: several data sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator as Before
from pydantic import Discriminator, Tag

from renp_infer.fields import directory_name
from renp_infer.records import Experiment
from renp_infer.study.datafile import Measurement, read_measurement
from renp_infer.study.sections.base import Section, Word, as_tuple, kind_of_grid

Name = Annotated[str, Before(directory_name)]


class DataSection(Section):
    """Measured data, instead of mock data; paths start from the study's folder."""

    file: Word
    covariance: Word | None = None


class DataSetSection(Section):
    """One of several data sets: of a file, or else mock data; paths as in ``[data]``.

    Tables stand for those of the whole study, key by key. A run zeroes its apparatus once;
    a crystal is one piece of one material.
    """

    name: Name
    run: Name | None = None
    crystal: Name = "crystal"
    file: Word | None = None
    covariance: Word | None = None
    layout: dict[str, Any] = {}
    lasers: dict[str, Any] = {}
    detector: dict[str, Any] = {}
    target: dict[str, Any] = {}


TABLES = ("layout", "lasers", "detector", "target")
"""What a data set may have of its own."""
DataSections = Annotated[
    Annotated[DataSection, Tag("<table>")]
    | Annotated[tuple[DataSetSection, ...], Before(as_tuple), Tag("<list>")],
    Discriminator(kind_of_grid),
]


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
