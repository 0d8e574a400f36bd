"""Section ``[data]``: measured data; and ``[[data]]``: several data sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator as Before
from pydantic import Discriminator, Tag

from renp_infer.errors import ConfigError
from renp_infer.fields import Number, Said, directory_name
from renp_infer.records import Experiment, FloatArray
from renp_infer.study.measured.datafile import Measurement, measurement_from, read_measurement
from renp_infer.study.paths import absolute_path
from renp_infer.study.sections.base import Section, Word, about, as_tuple, kind_of_grid

Name = Annotated[str, Before(directory_name)]
FILES = ("file", "covariance", "added_covariance")
Column = Annotated[tuple[Annotated[float, Before(Number())], ...], Before(as_tuple)]
Matrix = Annotated[tuple[Column, ...], Before(as_tuple)]


class DataSection(Section):
    """Measured data, instead of mock data; paths start from the study's folder.

    ``covariance`` stands in the place of errors, ``added_covariance`` is added to either.
    In the place of ``file`` and ``covariance`` there can be the numbers themselves.
    """

    file: Annotated[
        Word | None,
        about(
            "CSV or netCDF file with angle, field, error and exposure, from the study's folder.",
            unset="the arrays of this section, or of [[data]] mock data",
        ),
    ] = None
    covariance: Annotated[
        Word | None,
        about("File with their covariance.", unset="the data file has the errors"),
    ] = None
    added_covariance: Annotated[
        Word | None,
        about("File with a covariance that is added to that of the errors.", unset="none is added"),
    ] = None
    theta_s_deg: Annotated[
        Column | None,
        about("Trigger angles, in the place of a file.", unset="those of the file"),
    ] = None
    field_nG: Annotated[
        Column | None,
        about("Field at each angle, in the place of a file.", unset="that of the file"),
    ] = None
    error_nG: Annotated[
        Column | None,
        about("Standard error of each field, uncorrelated.", unset="that of the file"),
    ] = None
    covariance_nG2: Annotated[
        Matrix | None,
        about("Covariance of the fields, a list for each angle.", unset="that of the file"),
    ] = None
    exposure_s: Annotated[
        Column | None,
        about("Time spent at each angle.", unset="that of the file, or of [detector]"),
    ] = None

    @property
    def given(self) -> dict[str, Any]:
        """Where the data are, and the data: what there is of it."""
        found = {key: getattr(self, key) for key in DataSection.model_fields}
        return {key: value for key, value in found.items() if value is not None}

    @property
    def measured(self) -> bool:
        """Whether there are any, of a file or as numbers."""
        return not set(self.given) <= {*FILES[1:]}


class DataSetSection(DataSection):
    """One of several data sets: of a file or of numbers, as in ``[data]``, or else mock data.

    Tables stand for those of the whole study, key by key. A run zeroes its apparatus once;
    a crystal is one piece of one material.
    """

    name: Annotated[Name, about("Name of the data set, under which results list it.")]
    run: Annotated[
        Name | None,
        about(
            "Run that it was taken in: of a run, offsets are common.",
            unset="a run of its own",
        ),
    ] = None
    crystal: Annotated[
        Name, about("Crystal that it was taken with: of a crystal, its index is common.")
    ] = "crystal"
    layout: Annotated[dict[str, Any], about("Keys of [layout] that are its own.")] = {}
    lasers: Annotated[dict[str, Any], about("Keys of [lasers] that are its own.")] = {}
    detector: Annotated[dict[str, Any], about("Keys of [detector] that are its own.")] = {}
    target: Annotated[dict[str, Any], about("Keys of [target] that are its own.")] = {}


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
    named = {key: getattr(section, key) for key in FILES}
    moved = {key: absolute_path(folder, path) for key, path in named.items() if path}
    return section.model_copy(update=moved)


def measurement_of(section: DataSection | None, experiment: Experiment) -> Measurement | None:
    """Data of a section, checked against the apparatus.

    Raises
    ------
    ConfigError
        On the first thing that is wrong in a file, or in numbers.
    """
    if section is None:
        return None
    theta_s, added = experiment.layout.theta_s, _path(section.added_covariance)
    normalised = experiment.detector.reference_snr > 0.0
    columns = _columns(section)
    if section.file is None:
        return measurement_from(columns, theta_s, added, normalised=normalised)
    file, covariance = Path(section.file), _path(section.covariance)
    return read_measurement(file, covariance, theta_s, added, normalised=normalised)


def _path(name: str | None) -> Path | None:
    return None if name is None else Path(name)


def _columns(section: DataSection) -> dict[str, FloatArray]:
    """Numbers of a section by key, of one length; none where it names a file."""
    given: dict[str, Any] = {
        key: getattr(section, key)
        for key in DataSection.model_fields
        if key not in FILES and getattr(section, key) is not None
    }
    if section.file is not None:
        for key in given:
            allowed = "nothing beside data.file: either a file or the numbers themselves"
            raise ConfigError(f"data.{key}", Said("numbers"), allowed)
        return {}
    for key in ("theta_s_deg", "field_nG"):
        if key not in given:
            allowed = "data.file, or theta_s_deg, field_nG and an error or a covariance"
            raise ConfigError(f"data.{key}", Said("nothing"), allowed)
    if section.covariance is not None:
        allowed = "nothing without data.file: data.covariance_nG2 has numbers"
        raise ConfigError("data.covariance", section.covariance, allowed)
    size = len(given["theta_s_deg"])
    for key, column in given.items():
        rows = column if key == "covariance_nG2" else ()
        if not 0 < size == len(column) or any(len(row) != size for row in rows):
            allowed = f"{size or 'some'} numbers, one per angle" + " in each row" * bool(rows)
            raise ConfigError(f"data.{key}", Said(f"{len(column)}, or rows of another"), allowed)
    return {key: np.array(column) for key, column in given.items()}


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
