"""``renp explore``: open, warm up, serve until interrupted."""

from __future__ import annotations

import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from renp_infer.errors import ConfigError
from renp_infer.fields import Said
from renp_infer.resources import share_path
from renp_infer.terminal import say

FIRST = "edge-layout-published"
"""Study that is shown where none is named."""


@contextmanager
def signpost(address: str) -> Iterator[str]:
    """Address of a file that leads a browser to the page.

    A browser's command line is seen by all users of the machine; the file, which has the
    secret, by its owner alone.
    """
    with tempfile.TemporaryDirectory(prefix="renp-") as folder:
        file = Path(folder, "explorer.html")
        file.touch(mode=0o600)
        file.write_text(
            '<!doctype html><meta charset="utf-8"><title>renp explore</title>'
            f'<meta http-equiv="refresh" content="0; url={address}">'
            f'<a href="{address}">The explorer</a>\n',
            encoding="utf-8",
        )
        yield file.as_uri()


def explore(study: Path | None, *, port: int = 0, browser: bool = True, debug: bool = False) -> int:
    """Serve the explorer on this machine.

    Parameters
    ----------
    study : Path or None
        Study file, name of a shipped study, or run directory.
    port : int
        0 takes a free one.
    browser : bool
        Whether to open one.
    debug : bool
        Whether to show tracebacks of failed requests.

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
    with (
        served(Session(opened), port, places, debug=debug) as (server, address),
        ExitStack() as stack,
    ):
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        say("serving to this machine alone; the address is secret; Ctrl-C ends it")
        if browser:
            webbrowser.open(stack.enter_context(signpost(address)))
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("stopped")
    return 0
