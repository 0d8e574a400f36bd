"""A study asked again with other values of its keys, and the profile of two parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.engine.result import Files
from renp_infer.engine.tasks import Context, Task
from renp_infer.engine.verb import Verb
from renp_infer.errors import ConfigError
from renp_infer.fields import Said
from renp_infer.study.study import Study
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.inputs import data_inputs, prior_inputs
from renp_infer.versions import PHYSICS_VERSION

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.page import Page
    from renp_infer.engine.run import Run
    from renp_infer.verbs.scan.result import ScanResult


class Scan(Verb):
    """Ask a study again at other values of its keys: a task per cell, or line of a profile."""

    name, file, rank, merges = "scan", "scan.nc", 55, True
    section = "scan"
    sections = ("scan",)
    returns = """DataTree
        ``cells``: what is asked, by the keys that vary; ``profile``: ``delta_chi2`` by two
        parameters. The section ``[scan]`` says which: what varies has no default. See
        docs/scans.md."""

    def wanted(self, study: Study) -> bool:
        """With something that varies."""
        return study.scan is not None and bool(study.scan.cells or study.scan.profile)

    def reveals(self, study: Study) -> bool:
        """Posteriors and profiles do; evaluations and forecasts know no measured field."""
        plan = study.scan
        return plan is not None and (plan.what == "infer" or bool(plan.profile))

    def inputs(self, study: Study) -> dict[str, Any]:
        """Every cell's study; and the data and priors of a profile."""
        plan = study.scan
        assert plan is not None
        found: dict[str, Any] = {
            "physics_version": PHYSICS_VERSION,
            "what": plan.what,
            "cells": [[dict(one.keys), one.digest] for one in plan.cells],
        }
        if plan.profile:
            found["profile"] = {key: values for key, values in plan.profile.items()}
            found["data"] = data_inputs(study) | prior_inputs(study)
        return found

    def parts(self, study: Study) -> list[list[Any]]:
        """Kind and place of each task."""
        from renp_infer.verbs.scan.work import parts

        assert study.scan is not None
        return parts(study.scan)

    def perform(self, study: Study, task: Task, context: Context) -> xarray.DataTree:
        """Ask one cell, or profile one line."""
        from renp_infer.verbs.scan.work import perform

        return perform(study, task, context)

    def merge(self, study: Study, paths: Iterator[str], target: Path) -> None:
        """Write one table of all cells, and one of the profile."""
        from renp_infer.verbs.scan.work import join

        join(study, paths, target)

    def also(self, _study: Study, _paths: Iterator[str], merged: Path) -> dict[str, str]:
        """The tables as comma-separated values."""
        from renp_infer.engine.result import load_tree
        from renp_infer.verbs.scan.result import ScanResult
        from renp_infer.verbs.scan.tables import csv_files

        return csv_files(ScanResult.of(load_tree(merged)))

    def plan(self, study: Study) -> tuple[Verb, ...]:
        """The evaluation first: reports rest on it.

        Raises
        ------
        ConfigError
            If nothing varies.
        """
        if not self.wanted(study):
            allowed = "keys that vary, as --over layout.length_cm=1:3:5, or two for --profile"
            raise ConfigError("scan.over", Said("nothing"), allowed)
        return (EVALUATE, self)

    def read(self, files: Files, _study: Mapping[str, Any]) -> ScanResult:
        """Read ``scan.nc``."""
        from renp_infer.verbs.scan.result import ScanResult

        return ScanResult.of(files.tree(self.file))

    def samplers(self, study: Mapping[str, Any]) -> tuple[str, ...]:
        """That of the posteriors, if it asks for any."""
        if study["scan"]["what"] != "infer":
            return ()
        return (study.get("inference", {}).get("sampler", "nuts"),)

    def answer(self, run: Run) -> str:
        """How many cells, and where the profile has its best."""
        from renp_infer.verbs.scan.result import ScanResult

        return run.get(ScanResult).answer

    def page(self, run: Run) -> Page:
        """Tables and figures."""
        from renp_infer.verbs.scan.page import page

        return page(run)


SCAN = Scan()
VERBS = (SCAN,)
