"""What an atlas holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from renp_infer.engine.result import Result

if TYPE_CHECKING:
    import xarray

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
        return self.tree[f"{family}/{question}"].to_dataset()

    @property
    def paper(self) -> xarray.Dataset:
        """The paper's ladder, one row."""
        return self.tree["paper"].to_dataset()

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


def records(rows: xarray.Dataset) -> list[dict[str, Any]]:
    """Rows of a table, each by column: texts, and numbers or None."""
    columns = {
        str(name): [None if value != value else value for value in rows[name].values.tolist()]
        for name in rows.variables
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
