"""The help of every verb, as the terminal shows it, in place of COMMAND_HELP."""

import io
from collections.abc import Iterator

from cyclopts import App
from rich.console import Console
from sphinx.application import Sphinx

from renp_infer.app.cli import app as renp


def verbs(app: App, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Words of every command that does something."""
    for name in app:
        if name.startswith("-"):
            continue
        inner = tuple(verbs(app[name], (*words, name)))
        yield from inner or [(*words, name)]


def help_of(words: tuple[str, ...]) -> str:
    """What ``renp WORDS --help`` prints."""
    text = io.StringIO()
    renp.help_print(list(words), console=Console(file=text, width=88))
    return text.getvalue().strip()


def fill(_app: Sphinx, _docname: str, source: list[str]) -> None:
    if "COMMAND_HELP" in source[0]:
        blocks = [f"## {' '.join(w)}\n\n```text\n{help_of(w)}\n```\n" for w in verbs(renp)]
        source[0] = source[0].replace("COMMAND_HELP", "\n".join(blocks))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", fill)
    return {"parallel_read_safe": True}
