"""What to cite: the paper whose physics this is, the data, and the tools."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from renp_infer.engine.executors import is_dask
from renp_infer.inference.settings import SOURCES
from renp_infer.resources import share_path
from renp_infer.verbs.table import VERBS

if TYPE_CHECKING:
    from renp_infer.engine.run import Run
    from renp_infer.engine.verb import Verb

ALWAYS = ("Hara2021", "renp-infer")
OSCILLATION = {"nufit-6.0": ("Esteban2024", "Erler2018"), "seed": ("Tanabashi2018",)}
"""Sources of the tables of ``data/oscillation``, besides the paper."""
TOOLS = {
    "numpy": ("Harris2020",),
    "scipy": ("Virtanen2020",),
    "numba": ("Lam2015",),
    "xarray": ("Hoyer2017",),
    "arviz": ("Martin2026", "Vehtari2021"),
    "pymc": ("AbrilPla2023",),
    "nutpie": ("Hoffman2014", "Seyboldt2026", "nutpie"),
    "emcee": ("ForemanMackey2013", "Goodman2010", "TerBraak2008"),
    "dynesty": ("Speagle2020", "Skilling2006"),
    "scikit-optimize": ("scikit-optimize",),
    "scikit-learn": ("Pedregosa2011",),
    "botorch": ("Balandat2020",),
    "dask": ("Rocklin2015",),
    "magpylib": ("Ortner2020",),
    "dieke": ("dieke",),
    "smc": ("Ching2007",),
    "independence": ("Tierney1994",),
    "importance": ("Veach1995",),
}
"""Entries by package, or by method where it is not the package's own article's."""
_MODEL = ("numpy", "scipy", "numba")
_STATISTICS = ("xarray", "arviz")
_ENTRY = re.compile(r"^@\w+\{([^,\s]+),\n.*?^\}\n", re.MULTILINE | re.DOTALL)


def citations_of(
    study: Mapping[str, Any],
    tasks: Collection[str],
    samplers: Iterable[str] = (),
    tools: Iterable[str] = (),
) -> list[str]:
    """Keys of what a run used, each once.

    Parameters
    ----------
    study : mapping
        The resolved study.
    tasks : collection of str
        Names of the finished tasks.
    samplers : iterable of str, optional
    tools : iterable of str, optional
        Other packages that did work, by the names of ``TOOLS``.

    Raises
    ------
    KeyError
        On a sampler or tool without an entry.
    """
    table = study["neutrino"]["oscillation"]
    sampled = [package for sampler in samplers for package in SOURCES[sampler]]
    packages = [*(_MODEL if tasks else ()), *(_STATISTICS if sampled else ()), *sampled]
    if tasks and study.get("detector", {}).get("coupling") == "pickup":
        packages.append("magpylib")
    done = _done(tasks)
    packages += [tool for verb in done for tool in verb.tools(study)]
    packages += tools
    keys = [*ALWAYS, *OSCILLATION.get(table, ())]
    keys += [key for package in packages for key in TOOLS[package]]
    keys += [key for verb in done for key in verb.cites]
    return list(dict.fromkeys(keys))


def _done(tasks: Collection[str]) -> list[Verb]:
    """Verbs among finished tasks, in their order."""
    return [verb for name, verb in VERBS.items() if name in tasks]


def used_by(study: Mapping[str, Any], tasks: Mapping[str, Any], run: Run | None) -> list[str]:
    """Keys of what a run used, by its study, its results and its executors.

    Parameters
    ----------
    study : mapping
        The resolved study.
    tasks : mapping
        Entries of the finished tasks in the manifest, by name.
    run : Run or None
        Its results; ``None`` if it has none that name a sampler.
    """
    results = () if run is None else run.results.values()
    samplers = [name for result in results for name in result.samplers()]
    samplers += [name for verb in _done(tasks) for name in verb.samplers(study)]
    executors = {entry.get("executor", "serial") for entry in tasks.values()}
    tools = ["dask"] if any(map(is_dask, executors)) else []
    return citations_of(study, tasks, samplers, tools)


def bibtex(used: Iterable[str]) -> str:
    """Entries of ``data/citations.bib``.

    Parameters
    ----------
    used : iterable of str
        Keys, in the order wanted.

    Raises
    ------
    KeyError
        On a key without an entry.
    """
    return "\n".join(entries()[key] for key in used)


@functools.cache
def entries() -> Mapping[str, str]:
    """Text of every entry of ``data/citations.bib``, by key.

    Raises
    ------
    StoreError
        If the installation lacks the folder.
    """
    text = (share_path("data") / "citations.bib").read_text(encoding="utf-8")
    return {match[1]: match[0] for match in _ENTRY.finditer(text)}
