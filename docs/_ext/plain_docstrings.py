"""Docstrings are plain text with ``code``: bars, asterisks and underscores mean themselves.

``|S||v|`` is a product of moduli and ``rho_ee^3 |rho_ep|^2`` a coherence, not markup.
"""

import re

from sphinx.application import Sphinx

CODE = re.compile(r"(``.*?``)", re.DOTALL)
AFTER_CODE = re.compile(r"^(?=[\w^])")  # code ends before a space or a point only
MARKUP = re.compile(r"[|*]|_(?=\W|$)|(?<!`)`(?!`)")


def escaped(text: str) -> str:
    """The same text, with what is not code taken literally."""
    parts = CODE.split(text)
    parts[::2] = [MARKUP.sub(r"\\\g<0>", part) for part in parts[::2]]
    parts[2::2] = [AFTER_CODE.sub(r"\\ ", part) for part in parts[2::2]]
    return "".join(parts)


def formulas(text: str) -> str:
    """Text of a module, its indented paragraphs kept line by line."""
    blocks = text.split("\n\n")
    return "\n\n".join(
        f"::\n\n{block}" if block.startswith("    ") else escaped(block) for block in blocks
    )


def take_literally(
    _app: Sphinx, what: str, _name: str, _object: object, _options: object, lines: list[str]
) -> None:
    """Handler of ``autodoc-process-docstring``, before sections are made into fields."""
    text = "\n".join(lines)
    lines[:] = (formulas(text) if what == "module" else escaped(text)).split("\n")


def setup(app: Sphinx) -> dict[str, bool]:
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", take_literally, priority=100)
    return {"parallel_read_safe": True}
