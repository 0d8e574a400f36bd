"""Figures of an atlas: the map of ladders, and how levels agree with observed ones."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from renp_infer.figures import drawing as plots
from renp_infer.figures.plate import Plate, new_figure, plate
from renp_infer.verbs.atlas.result import SIGNIFICANT, AtlasResult
from renp_infer.verbs.atlas.tables import TITLES

COLOURS = (
    plots.BLUE, plots.VERMILION, plots.GREEN, plots.ORANGE, plots.BLACK, plots.GREY,
)  # fmt: skip
MARKERS = "os^Dv"


def atlas_plates(found: AtlasResult) -> list[Plate]:
    """All figures of an atlas."""
    plates = [plate("atlas-map", "Map of the ladders", ladder_map, found)]
    if np.isfinite(found.levels["observed_per_cm"].values).any():
        plates.append(plate("atlas-levels", "Levels against observed ones", level_errors, found))
    return plates


def ladder_map(found: AtlasResult) -> tuple[Figure, str]:
    """Energy of the pair against the figure of merit of each question, ions coloured."""
    figure, axes = new_figure(3.4, 1, len(found.questions), sharex=True)
    ions = [str(ion) for ion in found.ions["ion"].values]
    for ax, question in zip(np.atleast_1d(axes), found.questions, strict=True):
        rows = found.table("ceiling", question)
        for place, ion in enumerate(ions):
            own = rows.isel(row=(rows["ion"] == ion).values)
            if not own["rank"].size:
                continue
            colour = COLOURS[place % len(COLOURS)]
            marker = MARKERS[place // len(COLOURS)]
            ax.plot(
                own["epsilon_eV"], own["standard_errors"], marker, ms=3.5, color=colour, label=ion
            )
        paper = float(found.paper[f"standard_errors_ceiling_{question}"].values[0])
        ax.plot(found.paper["epsilon_eV"], [paper], "*", ms=9, color=plots.BLACK, label="paper")
        ax.set(title=TITLES[question], xlabel="energy of the pair [eV]", yscale="log")
    np.atleast_1d(axes)[0].set_ylabel("standard errors at most")
    handles: dict[str, Artist] = {}
    for ax in np.atleast_1d(axes):
        shown = ax.get_legend_handles_labels()
        handles |= dict(zip(shown[1], shown[0], strict=True))
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=8)
    exposure = f"{SIGNIFICANT:g} standard errors would be an answer"
    caption = (
        "The ladders that were kept, by the energy of the neutrino pair and by the number of "
        f"standard errors that the study's exposure gives with |rho_ep|^2 = 1/4; {exposure}."
    )
    return figure, caption


def level_errors(found: AtlasResult) -> tuple[Figure, str]:
    """Calculated less observed energies by ion."""
    figure, ax = new_figure(3.0)
    levels = found.levels
    error = levels["energy_per_cm"].values - levels["observed_per_cm"].values
    ions = [str(ion) for ion in found.ions["ion"].values]
    places = np.array([ions.index(str(ion)) for ion in levels["ion"].values])
    seen = np.isfinite(error)
    ax.plot(places[seen], error[seen], "_", ms=9, color=plots.BLUE)
    ax.axhline(0.0, color=plots.GREY, lw=0.8)
    ax.set_xticks(range(len(ions)), ions)
    ax.set_ylabel("calculated - observed [1/cm]")
    caption = "Stark levels within one photon of the ground level, a bar each, where observed."
    return figure, caption
