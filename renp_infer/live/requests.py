"""What a program may ask a campaign, as JSON: one object in, one object out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from renp_infer.errors import ConfigError, RenpError
from renp_infer.fields import nearest
from renp_infer.live.campaign import Campaign
from renp_infer.study.study import Preset
from renp_infer.terminal import plain

LONGEST = 1_000_000
"""Characters of a request."""


def answer(campaign: Campaign, text: str) -> dict[str, Any]:
    """Do what a request asks for.

    Parameters
    ----------
    campaign : Campaign
    text : str
        ``{"ask": "ingest", "points": [...]}``, ``{"ask": "suggest", "n": 2}``,
        ``{"ask": "give_up"}`` or ``{"ask": "report"}``.

    Returns
    -------
    dict
        ``ok`` and the answer; or ``ok`` false and ``error`` with ``path``, ``given``,
        ``allowed`` and ``hint``, or with ``message`` alone.
    """
    try:
        return {"ok": True} | plain(_answered(campaign, _request(text)))
    except ConfigError as error:
        told = {"path": error.path, "given": repr(error.given), "allowed": error.allowed}
        return {"ok": False, "error": told | {"hint": error.hint, "message": str(error)}}
    except RenpError as error:
        return {"ok": False, "error": {"message": str(error)}}


def greeting(campaign: Campaign) -> dict[str, Any]:
    """What is said before the first request."""
    study = campaign.study
    found = {"ok": True, "ready": study.name, "directory": str(campaign.directory)}
    return found | Preset.of(study.resolved).document


def _request(text: str) -> dict[str, Any]:
    if len(text) > LONGEST:
        raise ConfigError("request", f"{len(text)} characters", f"at most {LONGEST}")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError("request", text, "one JSON object") from error
    if not isinstance(found, dict):
        raise ConfigError("request", text, "one JSON object")
    return found


def _answered(campaign: Campaign, request: dict[str, Any]) -> dict[str, Any]:
    ask = request.pop("ask", None)
    if ask not in ASKS:
        raise ConfigError("ask", ask, ", ".join(ASKS), nearest(str(ask), ASKS))
    keys, work = ASKS[ask]
    for name in request:
        if name not in keys:
            raise ConfigError(name, request[name], ", ".join(keys) or "nothing beside ask")
    return work(campaign, request)


def _ingest(campaign: Campaign, request: dict[str, Any]) -> dict[str, Any]:
    points = request.get("points")
    if not isinstance(points, list | dict):
        raise ConfigError("points", points, "a list of readings, or their columns")
    return {"measurements": campaign.ingest(points)}


def _suggest(campaign: Campaign, request: dict[str, Any]) -> dict[str, Any]:
    found = campaign.suggest(request.get("n", 1))
    return {"settings": [asdict(setting) for setting in found]}


def _give_up(campaign: Campaign, _request: dict[str, Any]) -> dict[str, Any]:
    campaign.give_up()
    return {"pending": []}


def _report(campaign: Campaign, _request: dict[str, Any]) -> dict[str, Any]:
    pending = [asdict(setting) for setting in campaign.pending]
    return campaign.report().to_document() | {"pending": pending}


ASKS: dict[str, tuple[tuple[str, ...], Callable[[Campaign, dict[str, Any]], dict[str, Any]]]] = {
    "ingest": (("points",), _ingest),
    "suggest": (("n",), _suggest),
    "give_up": ((), _give_up),
    "report": ((), _report),
}
"""Keys of each request, and what does it."""
