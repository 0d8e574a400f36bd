"""``renp atlas``: every ladder of every lanthanide, the levels of an ion, a row as a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from renp_infer.engine.options import DEFAULTS, Options

atlas = App(name="atlas", help="Ask every lanthanide in LiYF4 what its ladders would tell.")
SHIPPED = Path("atlas")


@atlas.default
def screen(
    source: Path = SHIPPED,
    /,
    *,
    ion: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    question: Literal["all", "mass", "ordering", "nature"] = "all",
    driven: Annotated[bool, Parameter(negative="")] = False,
    top: int = 10,
    csv: Path | None = None,
    study: str | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Rank every ladder of Stark levels for mass, ordering and nature; resumes.

    Parameters
    ----------
    source
        A study with a section [atlas]; by default the one that ships with the package.
    ion
        Show rows of this ion only. Can be repeated.
    question
        Show this ranking only. With --study: what its layout is searched for, by default the mass.
    driven
        Rank by the coherence that the lasers reach, in place of all that there can be.
    top
        Rows of each ranking to show; files have all that are kept.
    csv
        Also write all rankings into this file.
    study
        Write a row, such as Er-62-37-44, as a study with its scheme into --out, and stop.
    """
    from renp_infer.engine.driver import DONE, asked, judge, load
    from renp_infer.physics.atlas.ladder_merit import QUESTIONS
    from renp_infer.study.study import Preset
    from renp_infer.terminal import show, write_document
    from renp_infer.verbs.about import opening
    from renp_infer.verbs.atlas.asked import checked_csv, checked_ions, checked_top, write_row
    from renp_infer.verbs.atlas.asked_rows import AppraiseResult, LayoutsResult
    from renp_infer.verbs.atlas.asked_tables import asked_tables
    from renp_infer.verbs.atlas.result import AtlasResult
    from renp_infer.verbs.atlas.tables import atlas_tables, csv_text
    from renp_infer.verbs.atlas.verb import APPRAISE, ATLAS, LAYOUTS

    if study is not None:
        return write_row(study, "mass" if question == "all" else question, source, options)
    ions, file = checked_ions(ion), checked_csv(csv)
    checked_top(top)
    run = asked(load(source, options, add=["atlas"]), ATLAS, options)
    if run is None:
        return DONE
    found = run.get(AtlasResult)
    if file is not None:
        file.write_text(csv_text(found, ions), encoding="utf-8")
    if options.json:
        said = Preset.of(run.study).document | {"file": str(run.directory / ATLAS.file)}
        told = {n: run.results[n].told() for n in (APPRAISE.name, LAYOUTS.name) if n in run.results}
        write_document(found.document() | told | said)
    else:
        wanted = QUESTIONS if question == "all" else (question,)
        family = "driven" if driven else "ceiling"
        parts = atlas_tables(found, wanted, family, top, ions)
        asked_for = run.find(AppraiseResult), run.find(LayoutsResult)
        parts += asked_tables(*asked_for, wanted, top, ions)
        first = opening(run.name, run.study, ATLAS.answer(run))
        show(first, *parts, f"results: {run.directory}")
    return judge([run])


@atlas.command(name="show")
def show_ion(ion: str, /, *, options: Options = DEFAULTS) -> int:
    """Print the Stark levels of an ion, calculated and observed, with their g factors.

    Parameters
    ----------
    ion
        Such as Er.
    """
    from renp_infer.verbs.atlas.asked import show_levels

    return show_levels(ion, options)
