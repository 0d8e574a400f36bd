"""Chains as GetDist reads them: NAME_1.txt and so on, with names, limits and origin."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from renp_infer.exports.estimates import posterior_of
from renp_infer.exports.origin import Origin
from renp_infer.exports.symbols import symbol_and_unit, tex
from renp_infer.inference.fit import DERIVED
from renp_infer.inference.parameters import MASS
from renp_infer.inference.priors.marginals import FULL_TURN_DEG

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.run import Run
    from renp_infer.records import FloatArray

DENSITY = "lp"
"""Variable of the sampler's statistics with the log posterior; not all samplers keep it."""


def chain_files(run: Run) -> Iterator[tuple[str, str]]:
    """Name and text of each file.

    The second column is minus the log posterior up to a constant, 0 where the sampler keeps
    none. Angles are given in [0, 360) with periodic limits.
    """
    result = posterior_of(run, "getdist")
    posterior = result.tree["posterior"].to_dataset()
    derived = result.tree[DERIVED].to_dataset() if DERIVED in result.tree.children else {}
    names = [*map(str, posterior.data_vars), *map(str, derived)]
    drawn = np.array([(posterior if n in posterior else derived)[n].values for n in names])
    circular = [n in result.estimates and result.estimates[n].circular for n in names]
    drawn[circular] = np.mod(drawn[circular], FULL_TURN_DEG)
    cost = _cost(result.tree, drawn.shape[1:])
    for chain in range(drawn.shape[1]):
        yield f"{run.name}_{chain + 1}.txt", _text(cost[chain], drawn[:, chain])
    yield f"{run.name}.paramnames", "".join(_row(name, name in derived) for name in names)
    limits = {MASS: (0.0, float(run.study["inference"]["m1_max_meV"]), "")}
    limits |= {
        n: (0.0, FULL_TURN_DEG, " periodic") for n, c in zip(names, circular, strict=True) if c
    }
    yield (
        f"{run.name}.ranges",
        "".join(f"{name} {low:g} {high:g}{kind}\n" for name, (low, high, kind) in limits.items()),
    )
    origin = Origin.of(run)
    yield (
        f"{run.name}.properties.ini",
        f"label = {origin.name}: {origin.preset}, {origin.verdict}\n",
    )


def _cost(tree: xarray.DataTree, shape: tuple[int, ...]) -> FloatArray:
    kept = "sample_stats" in tree.children and DENSITY in tree["sample_stats"].data_vars
    return -np.asarray(tree["sample_stats"][DENSITY].values) if kept else np.zeros(shape)


def _text(cost: FloatArray, drawn: FloatArray) -> str:
    stream = io.StringIO()
    np.savetxt(stream, np.column_stack((np.ones_like(cost), cost, *drawn)), fmt="%.17g")
    return stream.getvalue()


def _row(name: str, derived: bool) -> str:
    symbol, unit = symbol_and_unit(name)
    label = tex(symbol) + (rf"\,[{tex(unit)}]" if unit else "")
    return f"{name}{'*' if derived else ''}\t{label}\n"
