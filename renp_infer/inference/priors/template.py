"""Systematics that are known by their shape: templates by angle of a study's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from renp_infer.errors import DomainError
from renp_infer.inference.priors.marginals import FULL_TURN_DEG
from renp_infer.records import FloatArray

TemplateKind = Literal["additive", "multiplicative"]
Per = Literal["all", "run"]
SLACK_DEG = 1e-7
"""Rounding by which an angle may lie beyond a template's ends."""


@dataclass(frozen=True)
class Template:
    """A nuisance z with a normal prior around 0, and what it does to the data.

    Additive, it adds z times the template to the field; multiplicative, the signal is
    multiplied by 1 + z times the template.

    Attributes
    ----------
    name : str
        Of the parameter.
    kind : {"additive", "multiplicative"}
    sd : float
        Of z.
    angles_deg : tuple of float
        Trigger angles, rising.
    values : tuple of float
        There, nG or without unit; a straight line between.
    per : {"all", "run"}
        Whether data sets of several runs have one z or each their own.
    """

    name: str
    kind: TemplateKind
    sd: float
    angles_deg: tuple[float, ...]
    values: tuple[float, ...]
    per: Per = "all"

    def at(self, theta_s: FloatArray) -> FloatArray:
        """Template (n,) at trigger angles (n,), rad.

        Raises
        ------
        DomainError
            At an angle that the template does not reach.
        """
        first, last = self.angles_deg[0], self.angles_deg[-1]
        middle = 0.5 * (first + last)
        turns = np.round((np.rad2deg(theta_s) - middle) / FULL_TURN_DEG)
        angles = np.rad2deg(theta_s) - FULL_TURN_DEG * turns
        if np.any((angles < first - SLACK_DEG) | (angles > last + SLACK_DEG)):
            span = f"{angles.min():.6g} to {angles.max():.6g}"
            raise DomainError("theta_s_deg", span, f"within {first:.6g} and {last:.6g}")
        return np.interp(angles, self.angles_deg, self.values)


def templates_at(
    templates: tuple[Template, ...], kind: TemplateKind, theta_s: FloatArray
) -> dict[str, FloatArray]:
    """Templates of a kind by name, (n,) each."""
    return {one.name: one.at(theta_s) for one in templates if one.kind == kind}
