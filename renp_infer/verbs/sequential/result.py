"""What campaigns of measurements found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.engine.result import Result
from renp_infer.records import FloatArray
from renp_infer.verbs.about import About, facts_in

if TYPE_CHECKING:
    import xarray

KNOWN = ("m1_mean", "m1_sd", "score_nat")
LAYOUTS = ("study", "fixed")
"""Fixed layouts: the study's own, and ``fixed_deg``."""


@dataclass(frozen=True)
class CampaignsAbout(About):
    """What campaigns are about.

    Attributes
    ----------
    goal : {"m1", "nature", "ordering"}
    lookahead : int
        Measurements that a choice looked ahead.
    setting_s, total_s : float
        Time of a move and of a campaign.
    truth : str
        Ordering and nature.
    angles : mapping
        Number of angles of each fixed layout.
    """

    goal: str
    lookahead: int
    setting_s: float
    total_s: float
    truth: str
    angles: Mapping[str, int]

    def to_attributes(self) -> dict[str, str | int | float]:
        """As attributes of the tree."""
        nested = {
            "layouts": json.dumps(list(self.angles)),
            "angles": json.dumps(list(self.angles.values())),
        }
        return {"schema": 1, **asdict(self), **nested}

    @classmethod
    def of(cls, attributes: Mapping[Any, Any]) -> CampaignsAbout:
        """From attributes of the tree."""
        found = attributes
        names, counts = json.loads(found["layouts"]), json.loads(found["angles"])
        return cls(
            **facts_in(found),
            goal=str(found["goal"]),
            lookahead=int(found.get("lookahead", 1)),
            setting_s=float(found["setting_s"]),
            total_s=float(found["total_s"]),
            truth=str(found["truth"]),
            angles=dict(zip(names, counts, strict=True)),
        )


@dataclass(frozen=True, eq=False)
class Knowledge:
    """What is known of m1 and the hypotheses; NaN where nothing was measured.

    Attributes
    ----------
    m1_mean, m1_sd : ndarray, shape (...)
        meV.
    score_nat : ndarray, shape (...)
        Log of posterior by prior density at the true m1: its mean over truths of the
        prior is the information gained.
    probability : ndarray, shape (..., h)
        Of the hypotheses.
    """

    m1_mean: FloatArray
    m1_sd: FloatArray
    score_nat: FloatArray
    probability: FloatArray

    @classmethod
    def of(cls, data: xarray.Dataset, *dims: str) -> Knowledge:
        """From a group of the tree."""
        mean, sd, score = (data[name].transpose(*dims).values for name in KNOWN)
        return cls(mean, sd, score, data["probability"].transpose(*dims, "hypothesis").values)

    def at(self, place: Any) -> Knowledge:
        """That at some places."""
        return Knowledge(
            self.m1_mean[place], self.m1_sd[place], self.score_nat[place], self.probability[place]
        )


@dataclass(frozen=True, eq=False)
class Measurements:
    """Measurements of campaigns, (m, c, s) each; NaN after a campaign's end.

    Attributes
    ----------
    elapsed_s, exposure_s : ndarray
        Time since the start with moves, and exposure.
    theta_s_deg : ndarray
    known : Knowledge
        After each measurement.
    """

    elapsed_s: FloatArray
    exposure_s: FloatArray
    theta_s_deg: FloatArray
    known: Knowledge

    @classmethod
    def of(cls, data: xarray.Dataset) -> Measurements:
        """From a group of the tree."""
        dims = ("m1_meV", "campaign", "step")
        elapsed, exposure, theta = (
            data[name].transpose(*dims).values
            for name in ("elapsed_s", "exposure_s", "theta_s_deg")
        )
        return cls(elapsed, exposure, theta, Knowledge.of(data, *dims))

    @property
    def counts(self) -> np.ndarray:
        """Number of measurements of each campaign, (m, c)."""
        return np.asarray(np.sum(np.isfinite(self.elapsed_s), axis=-1))

    @property
    def last(self) -> tuple[np.ndarray, ...]:
        """Place of each campaign's last measurement."""
        rows, columns = np.indices(self.counts.shape)
        last: np.ndarray = np.maximum(self.counts - 1, 0)
        return np.asarray(rows), np.asarray(columns), last


@dataclass(frozen=True, eq=False)
class Layouts:
    """What fixed layouts know after the same times.

    Attributes
    ----------
    elapsed_s : ndarray, shape (f,)
    known : Knowledge
        (m, c, layout, f).
    """

    elapsed_s: FloatArray
    known: Knowledge

    @classmethod
    def of(cls, data: xarray.Dataset) -> Layouts:
        """From a group of the tree; the times are the same in all campaigns."""
        times = data["elapsed_s"].transpose(..., "fraction").values
        known = Knowledge.of(data, "m1_meV", "campaign", "layout", "fraction")
        return cls(times.reshape(-1, times.shape[-1])[0], known)


@dataclass(frozen=True, eq=False)
class SequentialResult(Result):
    """Campaigns against fixed layouts, for m true masses, c campaigns each.

    Attributes
    ----------
    about : CampaignsAbout
    m1_meV : ndarray, shape (m,)
        True masses.
    hypotheses : tuple of str
        Those with odds, h of them.
    steps : Measurements
    layouts : Layouts
    tree : DataTree
        ``sequential.nc``, in memory.
    """

    about: CampaignsAbout
    m1_meV: FloatArray
    hypotheses: tuple[str, ...]
    steps: Measurements
    layouts: Layouts
    tree: xarray.DataTree

    @classmethod
    def of(cls, tree: xarray.DataTree) -> SequentialResult:
        """From ``sequential.nc``."""
        steps, layouts = (tree[name].to_dataset() for name in ("steps", "layouts"))
        return cls(
            about=CampaignsAbout.of(tree.attrs),
            m1_meV=steps["m1_meV"].values,
            hypotheses=tuple(steps["hypothesis"].values.tolist()),
            steps=Measurements.of(steps),
            layouts=Layouts.of(layouts),
            tree=tree,
        )

    @property
    def campaigns(self) -> int:
        """Number of campaigns of each true mass."""
        return int(self.steps.elapsed_s.shape[1])

    @property
    def truth(self) -> int:
        """Place of the true hypothesis."""
        return self.hypotheses.index(self.about.truth)

    def told(self) -> xarray.DataTree:
        """The tree."""
        return self.tree
