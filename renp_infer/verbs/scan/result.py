"""What a scan found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.engine.result import Result, Verdict
from renp_infer.inference.parameters import of_group
from renp_infer.records import FloatArray
from renp_infer.verbs.about import About, facts_in
from renp_infer.verbs.forecast.columns import read
from renp_infer.verbs.scan.columns import DATA_SET, INNER, KINDS, SHOWN

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True)
class ScanAbout(About):
    """What a scan is about.

    Attributes
    ----------
    what : {"evaluate", "infer", "forecast"}
        What was asked in each cell.
    """

    what: str


@dataclass(frozen=True, eq=False)
class ProfiledPair:
    """Profile likelihood of two parameters.

    Attributes
    ----------
    names : tuple of str
    first, second : ndarray, shape (a,) and (b,)
    delta_chi2 : ndarray, shape (a, b)
        Above the best fit, all else minimised; NaN where a task failed.
    confirmed : ndarray, shape (a, b)
        1 where two searches ended there.
    best : tuple of float
        The two parameters at the best fit.
    """

    names: tuple[str, str]
    first: FloatArray
    second: FloatArray
    delta_chi2: FloatArray
    confirmed: FloatArray
    best: tuple[float, float]

    @classmethod
    def of(cls, table: xarray.Dataset) -> ProfiledPair:
        """From the group ``profile``."""
        one, two = (str(name) for name in table["delta_chi2"].dims)
        names = (one, two, "delta_chi2", "confirmed")
        first, second, rise, confirmed = (np.asarray(table[name].values, float) for name in names)
        best = (float(table.attrs["best_first"]), float(table.attrs["best_second"]))
        return cls((one, two), first, second, rise, confirmed, best)


@dataclass(frozen=True, eq=False)
class ScanResult(Result):
    """Cells and profile; ``None`` for what was not asked.

    Attributes
    ----------
    about : ScanAbout
    axes : mapping
        Values by key, in the order of the dimensions.
    cells : record of ``KINDS``, or None
        Arrays whose first dimensions are the axes, then the data sets of a forward model
        that has several; NaN where a task failed.
    profile : ProfiledPair or None
    tree : DataTree
        ``scan.nc``, in memory.
    """

    about: ScanAbout
    axes: Mapping[str, tuple[Any, ...]]
    cells: Any
    profile: ProfiledPair | None
    tree: xarray.DataTree = field(repr=False)

    @classmethod
    def of(cls, tree: xarray.DataTree) -> ScanResult:
        """From ``scan.nc``."""
        about = ScanAbout(**facts_in(tree.attrs), what=str(tree.attrs["what"]))
        axes, cells = {}, None
        if "cells" in tree.children:
            table = tree["cells"].to_dataset()
            own = [name for name in table.dims if name not in INNER]
            axes = {str(name): tuple(table[name].values.tolist()) for name in own}
            cells = read(KINDS[about.what], table)
        pair = None
        if "profile" in tree.children:
            pair = ProfiledPair.of(tree["profile"].to_dataset())
        return cls(about, axes, cells, pair, tree)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values by axis."""
        return tuple(map(len, self.axes.values()))

    @property
    def sets(self) -> tuple[str, ...]:
        """Data sets that cells have numbers of; none where all are those of one, or of all."""
        table = self.tree["cells"].to_dataset()
        return tuple(map(str, table[DATA_SET].values)) if DATA_SET in table.dims else ()

    @property
    def shown(self) -> dict[str, FloatArray]:
        """Columns that are drawn and shown, by the axes, each data set's by its name."""
        found = {name: getattr(self.cells, name) for name in SHOWN[self.about.what]}
        if not self.sets:
            return found
        return {
            of_group(name, own): values[..., k]
            for k, own in enumerate(self.sets)
            for name, values in found.items()
        }

    def verdicts(self) -> dict[str, Verdict]:
        """Of all cells, all searches and all tasks together."""
        failed, warned = self._lapsed("failed"), self._lapsed("warned")
        reasons = [f"{failed} cells failed their own checks"] if failed else []
        reasons += [f"{warned} cells warn"] if warned else []
        if self.about.what == "forecast" and self.cells is not None:
            wrong = int(np.sum(self.cells.error.valid == 0.0))
            reasons += [f"{wrong} errors by derivatives are not valid"] if wrong else []
        if self.profile is not None:
            lone = int(np.sum(self.profile.confirmed == 0.0))
            reasons += [f"{lone} points of the profile rest on one search"] if lone else []
        reasons += [f"{self.about.missing} tasks failed"] if self.about.missing else []
        word: Any = "fail" if failed else "warn" if reasons else "pass"
        return {"scan": Verdict(word, tuple(reasons))}

    def _lapsed(self, name: str) -> int:
        lapsed = np.asarray(getattr(self.cells, name, 0.0)) == 1.0
        if self.cells is not None and self.sets:
            lapsed = np.any(lapsed, axis=-1)
        return int(np.sum(lapsed))

    def rows(self) -> list[tuple[str, str]]:
        """How many cells by which keys, and which parameters."""
        found = []
        if self.axes:
            sizes = ", ".join(f"{key}: {len(values)}" for key, values in self.axes.items())
            found.append(("cells", f"{self.about.what} at {int(np.prod(self.shape))} ({sizes})"))
        if self.profile is not None:
            found.append(("profile", " and ".join(self.profile.names)))
        return found

    @property
    def answer(self) -> str:
        """Between what its first number lies, and where; the best fit of a profile."""
        said = []
        if self.cells is not None:
            name, values = next(iter(self.shown.items()))
            said.append(f"{name} {self._ends(values)}, of {int(np.prod(self.shape))} cells")
        if self.profile is not None:
            pair = zip(self.profile.names, self.profile.best, strict=True)
            best = " and ".join(f"{name} = {value:.6g}" for name, value in pair)
            said.append(f"best fit of the profile: {best}")
        return f"{'; '.join(said)}."

    def _ends(self, values: FloatArray) -> str:
        """Smallest and largest value by the axes, each with its cell."""
        if not np.any(np.isfinite(values)):
            return "is known nowhere"
        texts = []
        for end in (np.nanargmin(values), np.nanargmax(values)):
            place = np.unravel_index(end, self.shape)
            at = zip(self.axes.items(), place, strict=True)
            keys = ", ".join(f"{key} = {axis[k]}" for (key, axis), k in at)
            texts.append(f"{values[place]:.4g} ({keys})")
        return f"goes from {texts[0]} to {texts[1]}"

    def told(self) -> xarray.DataTree:
        """The tree."""
        return self.tree
