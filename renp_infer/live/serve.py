"""``renp serve``: a campaign for other programs, by lines or on a port of this machine."""

from __future__ import annotations

import contextlib
import hmac
import json
import secrets
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from renp_infer.engine.driver import DONE, load
from renp_infer.engine.options import Options
from renp_infer.errors import ConfigError
from renp_infer.live.campaign import Campaign
from renp_infer.live.requests import LONGEST, answer, greeting
from renp_infer.terminal import say
from renp_infer.verbs.sequential.verb import SEQUENTIAL

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
"""What a program may call this machine; any other name is a rebound one."""
ADDRESS = "address"
"""File of a campaign that has the address with its secret."""


def serve(path: Path, options: Options, port: int | None) -> int:
    """Serve a campaign until its input ends, or until interrupted.

    Parameters
    ----------
    path : Path
    options : Options
        ``out`` is the campaign's directory.
    port : int or None
        ``None``: JSON lines on standard input, answers on standard output.

    Raises
    ------
    ConfigError
        Wrong input, or a port that cannot be had.
    """
    if port is not None and not 0 <= port <= 65535:
        raise ConfigError("--port", port, "an integer from 0 to 65535")
    study = load(path, options, add=SEQUENTIAL.sections)
    campaign = Campaign(study, options.out)
    if port is None:
        _lines(campaign)
    else:
        _port(campaign, port)
    return DONE


def _lines(campaign: Campaign) -> None:
    """Answer lines; what else is printed goes to standard error."""
    out = sys.stdout

    def tell(found: dict[str, Any]) -> None:
        out.write(json.dumps(found) + "\n")
        out.flush()

    tell(greeting(campaign))
    for line in sys.stdin:
        if line.strip():
            with contextlib.redirect_stdout(sys.stderr):
                found = answer(campaign, line)
            tell(found)


def _port(campaign: Campaign, port: int) -> None:
    token = secrets.token_urlsafe(24)
    try:
        server = HTTPServer((HOST, port), _handler(campaign, token))
    except OSError as error:
        allowed = "a free port, or 0 for any"
        raise ConfigError("--port", port, allowed, error.strerror or "") from error
    address = f"http://{HOST}:{server.server_port}/{token}"
    with server, _signpost(campaign.directory / ADDRESS, address):
        say(f"ready; the address, with its secret, is in {campaign.directory / ADDRESS}")
        server.serve_forever()


@contextlib.contextmanager
def _signpost(file: Path, address: str) -> Iterator[None]:
    """Address in a file that its owner alone may read, while it is served."""
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)  # before it says anything
    file.write_text(address + "\n", encoding="utf-8")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def _handler(campaign: Campaign, token: str) -> type[BaseHTTPRequestHandler]:
    """Requests with the secret, from this machine, by its own name."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 30.0

        def do_POST(self) -> None:
            if not self._welcome():
                return self._reply(403, {"ok": False, "error": {"message": "not served"}})
            text = self._text()
            if text is None:
                wrong = {"message": f"a body of at most {LONGEST} bytes, with its length"}
                return self._reply(413, {"ok": False, "error": wrong})
            with contextlib.redirect_stdout(sys.stderr):
                found = answer(campaign, text)
            return self._reply(200 if found["ok"] else 400, found)

        def _welcome(self) -> bool:
            name = self.headers.get("Host", "").rpartition(":")[0]
            own = hmac.compare_digest(self.path.encode(), f"/{token}".encode())
            return own and name in NAMES and "Origin" not in self.headers

        def _text(self) -> str | None:
            length = self.headers.get("Content-Length", "")
            if not length.isascii() or not length.isdigit() or int(length) > LONGEST:
                return None
            return self.rfile.read(int(length)).decode("utf-8", "replace")

        def _reply(self, code: int, found: dict[str, Any]) -> None:
            content = json.dumps(found).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *_words: Any) -> None:
            """Say nothing: addresses hold the secret."""

    return Handler
