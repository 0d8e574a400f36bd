"""Section ``[target]``: ion and host."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator as Before

from renp_infer.fields import Number
from renp_infer.study.sections.base import Section, Word

Energy = Annotated[float, Before(Number("eV", 0, 100, open_low=True))]
Rate = Annotated[float, Before(Number("1/s", 0, 1e12))]


class RatesSection(Section):
    """Radiative rates of a generic target by transition; ``None`` is zero."""

    ep: Rate | None = None
    pg: Rate | None = None
    eg: Rate | None = None
    eq: Rate | None = None
    qg: Rate | None = None
    qp: Rate | None = None


class TargetSection(Section):
    """Ion and host; ``None`` keeps the scheme's own value.

    The keys from omega_1_eV on belong to scheme = "generic" and to no other.
    """

    scheme: Word = "er-ylf"
    density_per_cm3: Annotated[float | None, Before(Number("1/cm^3", 0, 1e24, open_low=True))] = (
        None
    )
    gamma_ep_per_s: Annotated[float | None, Before(Number("1/s", 0, 1e15, open_low=True))] = None
    refractive_index: Annotated[float | None, Before(Number(low=1, high=5))] = None
    omega_1_eV: Energy | None = None
    omega_2_eV: Energy | None = None
    omega_s_eV: Energy | None = None
    md_rates_per_s: RatesSection | None = None
    ed_rates_per_s: RatesSection | None = None
    g_factor: Annotated[float | None, Before(Number(low=0, high=30, open_low=True))] = None
    spin_squared: Annotated[float | None, Before(Number(low=0, high=100, open_low=True))] = None


def scheme_of(section: TargetSection, folder: Path) -> str:
    """Name of a scheme, or the path of its file, which is relative to a folder."""
    scheme = section.scheme
    return str((folder / scheme).absolute()) if scheme.endswith(".toml") else scheme
