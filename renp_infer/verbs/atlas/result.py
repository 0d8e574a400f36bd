"""What an atlas holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.engine.result import Result

if TYPE_CHECKING:
    import xarray

ROW = "row"
SIGNIFICANT = 3.0
"""Standard errors that count as an answer."""


@dataclass(frozen=True)
class AtlasResult(Result):
    """Rankings of ladders, the paper's own, ions and levels.

    Attributes
    ----------
    tree : DataTree
        ``atlas.nc``, in memory.
    """

    tree: xarray.DataTree

    def table(self, family: str, question: str) -> xarray.Dataset:
        """A ranking: by the ceiling of coherence or "driven", of "mass", "ordering", "nature"."""
        return unpacked(self.tree[f"{family}/{question}"].to_dataset())

    @property
    def paper(self) -> xarray.Dataset:
        """The paper's ladder, one row."""
        return unpacked(self.tree["paper"].to_dataset())

    @property
    def ions(self) -> xarray.Dataset:
        """What was counted of each ion, and how its levels agree with observed ones."""
        return self.tree["ions"].to_dataset()

    @property
    def levels(self) -> xarray.Dataset:
        """Stark levels of all ions."""
        return self.tree["levels"].to_dataset()

    @property
    def questions(self) -> tuple[str, ...]:
        """Questions that were asked."""
        return tuple(str(self.tree.attrs["questions"]).split(", "))

    def rows(self) -> list[tuple[str, str]]:
        """How many ladders, and the best of each question."""
        found = [("ladders screened", f"{int(self.tree.attrs['ladders']):,}".replace(",", " "))]
        for question in self.questions:
            rows = self.table("ceiling", question)
            if rows["rank"].size:
                errors = float(rows["standard_errors"][0])
                text = f"{rows['ladder'].values[0]}: {errors:.2g} standard errors at most"
                found.append((f"best for {question}", text))
        return found

    @property
    def answer(self) -> str:
        """Its rows in a sentence."""
        return f"{'; '.join(f'{name}: {text}' for name, text in self.rows())}."

    def told(self) -> xarray.DataTree:
        """The tree."""
        return self.tree

    def document(self) -> dict[str, Any]:
        """What ``renp atlas --json`` says."""
        rankings = {
            family: {question: records(self.table(family, question)) for question in self.questions}
            for family in ("ceiling", "driven")
        }
        return {
            "schema": 1,
            **{str(name): value for name, value in self.tree.attrs.items() if name != "schema"},
            "rankings": rankings,
            "paper": records(self.paper)[0],
            "ions": records(self.ions.reset_coords()),
        }


def packed(rows: xarray.Dataset) -> xarray.Dataset:
    """A table with its columns in two arrays: a file of many variables is slow."""
    import xarray as xr

    texts = [str(name) for name in rows.data_vars if rows[name].dtype.kind not in "fiub"]
    names = [str(name) for name in rows.data_vars if name not in texts]
    numbers = np.array([rows[name].values for name in names], dtype=float).T
    words = np.array([rows[name].values.astype(str) for name in texts], dtype=object).T
    about = {key: [rows[n].attrs.get(key, "") for n in names] for key in ("unit", "solid")}
    return xr.Dataset(
        {"numbers": ((ROW, "column"), numbers), "words": ((ROW, "text"), words.astype(str))},
        {"column": names, "text": texts} | {k: ("column", v) for k, v in about.items()},
    )


def unpacked(rows: xarray.Dataset) -> xarray.Dataset:
    """The table of `packed`, a variable for each column."""
    import xarray as xr

    words = {
        str(name): (ROW, rows["words"].values[:, k].astype(str))
        for k, name in enumerate(rows["text"].values)
    }
    numbers = {
        str(name): (ROW, rows["numbers"].values[:, k], _about(rows, k))
        for k, name in enumerate(rows["column"].values)
    }
    return xr.Dataset(words | numbers)


def _about(rows: xarray.Dataset, k: int) -> dict[str, str]:
    found = {key: str(rows[key].values[k]) for key in ("unit", "solid")}
    return {key: value for key, value in found.items() if value}


def records(rows: xarray.Dataset) -> list[dict[str, Any]]:
    """Rows of a table, each by column: texts, and numbers or None."""
    columns = {
        str(name): [None if value != value else value for value in rows[name].values.tolist()]
        for name in rows.variables
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
