"""The server: loopback only, a secret in every address, nothing from elsewhere."""

from __future__ import annotations

import hmac
import logging
import secrets
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import flask
from dash import Dash
from werkzeug.exceptions import HTTPException
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from renp_infer.errors import ConfigError
from renp_infer.explorer.page import TITLE, page
from renp_infer.explorer.wiring import Session, connect, described
from renp_infer.terminal import say

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
"""What a browser on this machine may call it; any other name is a rebound one."""


class _Quiet(WSGIRequestHandler):
    """Writes no log: addresses hold the secret."""

    def log(self, type: str, message: str, *args: object) -> None:
        """Do nothing."""


def make_app(session: Session, token: str, places: list[str], *, debug: bool = False) -> Dash:
    """Page and callbacks under the token, all files from this machine.

    Parameters
    ----------
    session : Session
    token : str
    places : list of str
        What the page offers to be opened.
    debug : bool
        Whether failures of requests are shown with their tracebacks.
    """
    server = flask.Flask(__name__)
    server.register_error_handler(Exception, lambda error: _failed(error, debug=debug))
    server.before_request(lambda: _refusal(token))
    app = Dash(
        __name__,
        server=server,
        title=TITLE,
        update_title="",
        assets_folder=str(Path(__file__).with_name("assets")),
        routes_pathname_prefix=f"/{token}/",
        requests_pathname_prefix=f"/{token}/",
        serve_locally=True,
        add_log_handler=False,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.index_string = app.index_string.replace("<html>", '<html lang="en">')
    app.layout = page(places)
    connect(app, session)
    scripts = " ".join(dict.fromkeys(app.csp_hashes()))
    policy = (
        f"default-src 'self'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    server.after_request(lambda response: _guarded(response, policy))
    return app


def _refusal(token: str) -> tuple[str, int] | None:
    """Why a request is not served; ``None`` if it is."""
    request = flask.request
    first = request.path.lstrip("/").partition("/")[0]
    name = request.host.rpartition(":")[0] or request.host
    origin = request.headers.get("Origin", request.host_url.rstrip("/"))
    strange = origin != request.host_url.rstrip("/")
    if hmac.compare_digest(first.encode(), token.encode()) and name in NAMES and not strange:
        return None
    return "Open the address that renp explore printed.\n", 403


def _failed(error: Exception, *, debug: bool) -> tuple[str, int]:
    """Answer to a request that failed; the terminal hears no address, which has the secret."""
    if isinstance(error, HTTPException) and error.code is not None and error.code < 500:
        return f"{error.name}\n", error.code
    say(f"a request failed: {described(error)}")
    if debug:
        traceback.print_exception(error)
    return "The explorer failed; its terminal says how.\n", 500


def _guarded(response: flask.Response, policy: str) -> flask.Response:
    response.headers["Content-Security-Policy"] = policy
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


@contextmanager
def served(
    session: Session, port: int, places: list[str], *, debug: bool = False
) -> Iterator[tuple[BaseWSGIServer, str]]:
    """Server that listens, not yet serving, and its address with the secret.

    Parameters
    ----------
    session : Session
    port : int
        0 takes a free one.
    places : list of str
    debug : bool

    Raises
    ------
    ConfigError
        If the port cannot be had.
    """
    token = secrets.token_urlsafe(24)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = make_app(session, token, places, debug=debug)
    try:
        server = make_server(HOST, port, app.server, threaded=True, request_handler=_Quiet)
    except (OSError, SystemExit) as error:
        reason = getattr(error, "strerror", None) or "it is in use"
        raise ConfigError("--port", port, "a free port, or 0 for any", reason) from error
    server.log = lambda *_words: None  # as for requests
    with server:
        yield server, f"http://{HOST}:{server.server_port}/{token}/"
