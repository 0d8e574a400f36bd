"""What a result is about: what stands beside its numbers, whatever they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from renp_infer.records import Switches
from renp_infer.study.study import Preset, Study


def opening(name: str, resolved: Mapping[str, Any], answer: str) -> str:
    """First line of what a verb says: the study, its physics, and the answer.

    Parameters
    ----------
    name : str
    resolved : mapping
        The resolved study.
    answer : str
        A sentence, or what was done.
    """
    return f"{name}, preset {Preset.of(resolved).words}: {answer}"


@dataclass(frozen=True)
class About:
    """What results of many tasks are about; verbs add what is their own.

    Attributes
    ----------
    name : str
        Of the study.
    missing : int
        Number of tasks that failed.
    preset : str
    reference_snr : float
        Peak S/N to which noise is normalised; 0: it is absolute.
    reference : str
        Where it would have that.
    """

    name: str
    missing: int
    preset: str
    reference_snr: float
    reference: str

    @property
    def normalised(self) -> bool:
        """Whether the noise is."""
        return self.reference_snr > 0.0

    @property
    def noise(self) -> str:
        """What the noise is, in words."""
        scaled = f"normalised to peak S/N = {self.reference_snr:g} {self.reference}"
        return scaled if self.normalised else "absolute"


def facts_of(study: Study, missing: int) -> dict[str, Any]:
    """Fields of ``About`` for a study."""
    return {
        "name": study.name,
        "missing": missing,
        "preset": str(study.resolved["physics"]["preset"]),
        "reference_snr": study.experiment.detector.reference_snr,
        "reference": study.experiment.switches.reference,
    }


def facts_in(attributes: Mapping[Any, Any]) -> dict[str, Any]:
    """Fields of ``About`` from attributes of a tree."""
    return {
        "name": str(attributes["name"]),
        "missing": int(attributes["missing"]),
        "preset": str(attributes["preset"]),
        "reference_snr": float(attributes["reference_snr"]),
        "reference": str(attributes.get("reference", Switches().reference)),
    }
