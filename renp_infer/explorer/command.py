"""``renp explore``: open, warm up, serve until interrupted."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path

from renp_infer.errors import ConfigError
from renp_infer.fields import Said
from renp_infer.resources import share_path
from renp_infer.terminal import say

FIRST = "edge-layout-published"
"""Study that is shown where none is named."""


def explore(study: Path | None, *, port: int = 0, browser: bool = True) -> int:
    """Serve the explorer on this machine.

    Parameters
    ----------
    study : Path or None
        Study file, name of a shipped study, or run directory.
    port : int
        0 takes a free one.
    browser : bool
        Whether to open one.

    Raises
    ------
    ConfigError
        Wrong input, or an installation without the extra ``explore``.
    """
    if not 0 <= port <= 65535:
        raise ConfigError("--port", port, "an integer from 0 to 65535")
    try:
        import dash  # noqa: F401
    except ImportError as error:
        allowed = "an installation with its extra: pip install 'renp-infer[explore]'"
        raise ConfigError("explore", Said("no package 'dash'"), allowed) from error
    from renp_infer.explorer.picture import picture_of
    from renp_infer.explorer.server import served
    from renp_infer.explorer.state import open_study
    from renp_infer.explorer.wiring import Session

    opened = open_study(study if study is not None else FIRST)
    say("preparing the kernels; the first time after an installation this takes a minute")
    picture_of(opened, opened.settings)
    places = sorted(path.stem for path in share_path("studies").glob("*.toml"))
    with served(Session(opened), port, places) as (server, address):
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        say("serving to this machine alone; the address is secret; Ctrl-C ends it")
        if browser:
            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("stopped")
    return 0
