"""A verb: what a study can be asked, as pure tasks and how their results merge.

Everything else (keys, seeds, executors, retries, resuming) is the same for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from renp_infer.engine.page import Page, plain
from renp_infer.engine.product import Product
from renp_infer.engine.result import Files, Result
from renp_infer.engine.tasks import Context, Scratch, Task, fingerprint
from renp_infer.study.paths import without_folders
from renp_infer.study.study import Study

if TYPE_CHECKING:
    from renp_infer.engine.run import Run


class Verb(Product):
    """What a study can be asked; a folder of ``verbs`` has the subclass and its work.

    An instance travels to worker processes. Its methods import what they need when
    they are called, so that naming all verbs costs nothing.

    Attributes
    ----------
    rank : int
        Its place in the order in which a run does verbs.
    merges : bool
        Whether the result is merged from the files of its tasks; else it is that of
        the one task.
    section : str
        Section of a study, by dotted path, that wants it; empty for none.
    sections : tuple of str
        Sections whose defaults a study gets that lacks them, where this verb is asked for
        by name.
    returns : str
        What the function of Python gives, as the paragraph of its docstring says.
    shows : tuple of str
        Attributes by which a run in Python has it; by default its own name.
    cites : tuple of str
        Entries of ``data/citations.bib`` for its methods, besides those of packages.
    fits : bool
        Whether its results depend on what was measured, not only on how.
    hides : bool
        Whether they hide it where a study is blinded.
    """

    rank: ClassVar[int]
    merges: ClassVar[bool] = False
    section: ClassVar[str] = ""
    sections: ClassVar[tuple[str, ...]] = ()
    returns: ClassVar[str] = ""
    shows: ClassVar[tuple[str, ...]] = ()
    cites: ClassVar[tuple[str, ...]] = ()
    fits: ClassVar[bool] = True
    hides: ClassVar[bool] = False

    def wanted(self, study: Study) -> bool:
        """Whether a run does it, by the study's sections."""
        raise NotImplementedError

    def reveals(self, _study: Study) -> bool:
        """Whether it would show what measured data say, even where a study is blinded."""
        return self.fits and not self.hides

    def inputs(self, study: Study) -> Any:
        """Everything of a study that results depend on, as plain values."""
        raise NotImplementedError

    def prepared(self, study: Study, _directory: Path) -> Study | None:
        """The study with what verbs before it found there; ``None`` where that is missing."""
        return study

    def parts(self, _study: Study) -> Sequence[Any]:
        """What distinguishes each of its tasks, as plain values, in order."""
        return ({},)

    def perform(self, study: Study, task: Task, context: Context) -> Any:
        """Do one task: a pure function, whose result is a plain dict or a DataTree."""
        raise NotImplementedError

    def merge(self, study: Study, paths: Iterator[str], target: Path) -> None:
        """Write the result from the files of the tasks that did not fail, in order."""
        raise NotImplementedError

    def also(self, _study: Study, _paths: Iterator[str], _merged: Path) -> dict[str, str]:
        """Other files of the result: texts by name."""
        return {}

    def plan(self, _study: Study) -> tuple[Verb, ...]:
        """What is done where it is asked for by name; the last one answers.

        Raises
        ------
        ConfigError
            If the study lacks what has no default.
        """
        return (self,)

    def read(self, files: Files, study: Mapping[str, Any]) -> Result:
        """Read its result back, for a resolved study."""
        raise NotImplementedError

    def told(self, run: Run) -> Any:
        """What a Python session gets that asked for it."""
        return run.results[self.name].told()

    def show(self, _name: str, result: Any) -> Any:
        """What a run in Python has by an attribute."""
        return result.told()

    def page(self, run: Run) -> Page:
        """What the page about a run that has its result shows of it."""
        return plain(self.name, run.results[self.name])

    def outcome(self, _run: Run) -> dict[str, Any]:
        """What ``renp run --json`` says of a run, whether or not that has its result."""
        return {}

    def answer(self, _run: Run) -> str:
        """What a run that has its result found, in a sentence; empty for nothing."""
        return ""

    def remark(self, _run: Run) -> str:
        """What ``renp run`` says of it in a line; empty for nothing."""
        return ""

    def belongs(self, study: Mapping[str, Any]) -> bool:
        """Whether a resolved study has its section."""
        table: Any = study
        for step in filter(None, self.section.split(".")):
            if not isinstance(table, Mapping) or step not in table:
                return False
            table = table[step]
        return True

    def samplers(self, _study: Mapping[str, Any]) -> Sequence[str]:
        """Samplers by a resolved study, where its result does not name them."""
        return ()

    def tools(self, _study: Mapping[str, Any]) -> Sequence[str]:
        """Packages that do its work by a resolved study, besides those of the model."""
        return ()

    def series(self, study: Study) -> Series:
        """All its tasks for a study."""
        base = fingerprint(self.name, without_folders(self.inputs(study)))
        return Series(base, self.parts(study), study.seed)


@dataclass(frozen=True)
class Series:
    """The tasks of a verb for a study, whose parts are made once.

    Attributes
    ----------
    base : str
        Key that all tasks share.
    parts : sequence
        What else distinguishes each.
    root_seed : int
    """

    base: str
    parts: Sequence[Any]
    root_seed: int

    @property
    def count(self) -> int:
        """Number of tasks."""
        return len(self.parts)

    @property
    def key(self) -> str:
        """Key of the merged result: that of a series is given by its last task."""
        return fingerprint(self.base, "merged", self.count, *self.parts[-1:])

    def task(self, index: int) -> Task:
        """The task at a place."""
        part = self.parts[index]
        return Task(index, fingerprint(self.base, index, part), self.base, self.root_seed, part)


@dataclass(frozen=True, eq=False)
class Batch:
    """Tasks that travel to a worker together; their results do not depend on that."""

    study: Study
    verb: Verb
    tasks: Sequence[Task]
    scratch: Scratch | None = None
