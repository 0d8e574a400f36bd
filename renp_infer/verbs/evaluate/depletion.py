"""What depletes the excited state besides neutrino pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from renp_infer.records import FloatArray


@dataclass(frozen=True, eq=False)
class Depletion:
    """What empties the excited state besides neutrino pairs, Section V.

    Attributes
    ----------
    pair_per_ion_per_s, two_photon_per_ion_per_s : ndarray, shape (n,)
    three_photon_per_ion_per_s, four_photon_per_ion_per_s : ndarray, shape (n,)
    e1_per_s : float
    zeeman_splitting_eV : float
    wrong_partner_share : float
    depletion_per_cycle : mapping
        Share of e by each process, (n,) each, without pumping.
    events_per_lifetime : ndarray, shape (n,)
        Eq. (68).
    """

    pair_per_ion_per_s: FloatArray
    two_photon_per_ion_per_s: FloatArray
    three_photon_per_ion_per_s: FloatArray
    four_photon_per_ion_per_s: FloatArray
    e1_per_s: float
    zeeman_splitting_eV: float
    wrong_partner_share: float
    depletion_per_cycle: Mapping[str, FloatArray]
    events_per_lifetime: FloatArray
