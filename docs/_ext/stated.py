"""``{stated} module.function`` quotes a paragraph of a docstring: one place for every number.

The body holds the first words of the paragraph; without them it is the first one. Words
that no paragraph starts with are a warning, which ends the build.
"""

import importlib
import inspect
import re
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from docutils.statemachine import StringList
from plain_docstrings import escaped
from sphinx.application import Sphinx


def found(path: str) -> Any:
    """Object of a dotted path below ``renp_infer``."""
    parts = path.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            value: Any = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for name in parts[cut:]:
            value = getattr(value, name)
        return value
    raise LookupError(path)


def paragraph(path: str, start: str) -> str:
    """The paragraph of a docstring that starts with ``start``, on one line."""
    text = inspect.getdoc(found(path)) or ""
    wanted = " ".join(start.split())
    for block in re.split(r"\n\s*\n", text):
        line = " ".join(block.split())
        if line.startswith(wanted):
            return line
    raise LookupError(f"{path} states nothing that starts with {wanted!r}")


class Stated(Directive):
    """Quote with its place, and what holds it to the truth."""

    required_arguments = 1
    has_content = True
    option_spec = {"test": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        path = self.arguments[0]
        try:
            text = paragraph(path, " ".join(self.content))
        except (LookupError, AttributeError) as error:
            raise self.error(str(error)) from error
        public = path.rpartition(".")[2].lstrip("_") == path.rpartition(".")[2]
        where = f"``{path.removeprefix('renp_infer.')}``"
        if public and "._" not in path:
            where = f"{{py:obj}}`{path.removeprefix('renp_infer.')} <{path}>`"
        held = f"; held by ``{self.options['test']}``" if "test" in self.options else ""
        quote = nodes.block_quote(classes=["stated"])
        lines = [escaped(text).replace("\\ ", ""), "", f"— {where}{held}"]
        self.state.nested_parse(StringList(lines, source=""), self.content_offset, quote)
        return [quote]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("stated", Stated)
    return {"parallel_read_safe": True}
