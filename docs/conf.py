"""Sphinx: ``make docs`` builds this folder into build/docs. Nothing is downloaded."""

import logging
import sys
from importlib.metadata import version as version_of
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

for chatty in ("arviz", "pytensor"):  # Sphinx shows what others log
    logging.getLogger(chatty).setLevel(logging.WARNING)

project = "renp-infer"
author = "The renp-infer developers"
copyright = author
version = release = version_of("renp-infer")

extensions = [
    "command_help",
    "mathml",
    "plain_docstrings",
    "stated",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "myst_nb",
]
templates_path = ["_templates"]
exclude_patterns = ["_*"]

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["plain.css"]
html_math_renderer = "mathml"
html_copy_source = False

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # `make docs EXECUTE=auto` executes them
highlight_language = "text"  # blocks in docstrings are formulas

# A name that two classes share is no link; no docstring asks for one.
suppress_warnings = ["ref.python"]

viewcode_follow_imported_members = False  # else it links to places that are not there
autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say it
autodoc_default_options = {"members": True, "show-inheritance": False}
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False


def list_other_pages(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put pages that the index does not name at its end."""
    if docname == "index":
        top = sorted(name for name in app.env.found_docs if "/" not in name and name != "index")
        named = set(source[0].split())
        others = "\n".join(name for name in top if name not in named)
        source[0] = source[0].replace("OTHER_PAGES", others)


def setup(app: Sphinx) -> None:
    app.connect("source-read", list_other_pages)
