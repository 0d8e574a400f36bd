"""What the page does: controls to settings in the browser, settings to pictures here."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import dash
import numpy as np
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from renp_infer.errors import DomainError, RenpError
from renp_infer.explorer.controls import CONTROLS
from renp_infer.explorer.curves import Curve
from renp_infer.explorer.figures import Shown, field_figure, layout_figure, mass_figure
from renp_infer.explorer.page import table
from renp_infer.explorer.picture import picture_of
from renp_infer.explorer.state import Opened, blamed, moved_keys, open_study, study_text
from renp_infer.explorer.tables import free_and_fixed, number_rows, run_rows, threshold_rows
from renp_infer.records import FloatArray
from renp_infer.verbs.infer.result import InferResult

KEPT = 50
"""Studies that one session may have open."""
LANES = 6
"""Pictures that may be calculated at a time; kernels run beside each other."""
PATIENCE_S = 10.0
"""How long a picture waits for a lane."""
_VALUES = [control.name for control in CONTROLS]
_PICTURES = ("field", "side", "top", "mass")
_TEXTS = ("numbers", "freedom", "thresholds", "notes", "toml")
MOST_PINS = 4
"""Curves that one page may pin; more could not be told apart."""


class Session:
    """Studies that were opened, by number; the first is that of the command line."""

    def __init__(self, first: Opened) -> None:
        self._studies = {0: first}
        self._pinned: dict[int, Curve] = {}
        self._lock = threading.Lock()
        self._lanes = threading.BoundedSemaphore(LANES)

    @contextmanager
    def work(self) -> Iterator[None]:
        """A lane for a calculation beside others: a slow one holds up nobody.

        Raises
        ------
        DomainError
            If none becomes free soon.
        """
        if not self._lanes.acquire(timeout=PATIENCE_S):
            allowed = f"below {LANES}: wait until one of them is drawn, then move a key"
            raise DomainError("number of slow pictures under way", LANES, allowed)
        try:
            yield
        finally:
            self._lanes.release()

    def add(self, opened: Opened) -> int:
        """Number of a study that is opened now; the oldest one but the first may go."""
        with self._lock:
            number = max(self._studies) + 1
            self._studies[number] = opened
            if len(self._studies) > KEPT:
                del self._studies[sorted(self._studies)[1]]
            return number

    def pin(self, curve: Curve) -> int:
        """Number of a curve that is kept from now on; the oldest one may go."""
        with self._lock:
            number = max(self._pinned, default=0) + 1
            self._pinned[number] = curve
            if len(self._pinned) > KEPT:
                del self._pinned[min(self._pinned)]
            return number

    def pinned(self, numbers: object) -> list[Curve]:
        """Curves of the numbers that a page sends, as far as they are kept."""
        asked = numbers if isinstance(numbers, list) else []
        with self._lock:
            return [self._pinned[n] for n in asked if isinstance(n, int) and n in self._pinned]

    def get(self, number: object) -> tuple[int, Opened]:
        """Study of a number; the first one if there is none of that number."""
        text = str(number)
        found = int(text) if text.isdecimal() else 0
        with self._lock:
            found = found if found in self._studies else 0
            return found, self._studies[found]


def described(error: Exception) -> str:
    """One line on an error, as the command line words it."""
    kind = "" if isinstance(error, RenpError) else f"{type(error).__name__}: "
    return " ".join(f"{kind}{error}".split())


def from_address(session: Session, search: str) -> tuple[int, dict[str, str]]:
    """Study and settings that an address holds; what it lacks is as in the study."""
    given = parse_qs(search.lstrip("?"), keep_blank_values=True)
    number, opened = session.get(given.get("study", ["0"])[0])
    same = given.get("study", ["0"])[0] == str(number)
    texts = {key: values[0] for key, values in given.items() if same}
    return number, {key: texts.get(key, text) for key, text in opened.settings.items()}


def connect(app: Dash, session: Session) -> None:
    """Register all callbacks."""
    _connect_sliders(app)
    _connect_opening(app, session)
    _connect_drawing(app, session)
    _connect_pins(app, session)
    _connect_saving(app, session)


def _connect_sliders(app: Dash) -> None:
    for control in CONTROLS:
        if control.options:
            continue
        app.clientside_callback(
            ClientsideFunction("explorer", "follow_log" if control.log else "follow"),
            Output(f"{control.name}-slider", "value"),
            Output(control.name, "value", allow_duplicate=True),
            Input(f"{control.name}-slider", "value"),
            Input(control.name, "value"),
            prevent_initial_call=True,
        )
    app.clientside_callback(
        ClientsideFunction("explorer", "gather"),
        Output("settings", "data"),
        Input("busy", "data"),
        Input("study", "data"),
        *(Input(name, "value") for name in _VALUES),
        State("settings", "data"),
        prevent_initial_call=True,
    )


def _connect_opening(app: Dash, session: Session) -> None:
    @app.callback(
        Output("study", "data"),
        Output("source", "children"),
        Output("run", "children"),
        Output("run-section", "hidden"),
        Output("alert", "children"),
        Output("alert", "hidden"),
        *(Output(name, "value") for name in _VALUES),
        Input("place", "search"),
        Input("open", "n_clicks"),
        Input("path", "n_submit"),
        State("path", "value"),
    )
    def open_place(search: str | None, _clicks: Any, _enters: Any, path: str | None) -> Any:
        if dash.ctx.triggered_id not in ("open", "path"):
            number, settings = from_address(session, search or "")
        else:
            try:
                opened = open_study((path or "").strip())
            except Exception as error:  # whatever a file holds, the page stays
                return [no_update] * 4 + [described(error), False] + [no_update] * len(_VALUES)
            number, settings = session.add(opened), opened.settings
        opened = session.get(number)[1]
        run = [] if opened.run is None else table(run_rows(opened.run))
        keys = {"keys": [control.key for control in CONTROLS], "number": number}
        texts = [settings[control.key] for control in CONTROLS]
        return [keys, opened.source, run, opened.run is None, "", True, *texts]


def _draws(opened: Opened) -> FloatArray | None:
    run = opened.run
    if run is None or run.find(InferResult) is None:
        return None
    return np.ravel(run.get(InferResult).tree["posterior"].to_dataset()["m1_meV"].values)


def _connect_drawing(app: Dash, session: Session) -> None:
    @app.callback(
        *(Output(name, "figure") for name in _PICTURES),
        *(Output(name, "children") for name in _TEXTS),
        Output("alert", "children", allow_duplicate=True),
        Output("alert", "hidden", allow_duplicate=True),
        Output("state", "children", allow_duplicate=True),
        *(Output(f"{name}-row", "className") for name in _VALUES),
        Input("settings", "data"),
        Input("shown", "value"),
        Input("pins", "data"),
        running=[
            (Output("busy", "data"), True, False),
            (Output("working", "className"), "working now", "working"),
        ],
        prevent_initial_call=True,
    )
    def draw(settings: Mapping[str, str] | None, shown: Shown, numbers: object) -> Any:
        if not settings:
            raise dash.exceptions.PreventUpdate
        opened = session.get(settings.get("study"))[1]
        try:
            with session.work():
                picture = picture_of(opened, settings)
            pins = session.pinned(numbers)
            figures = [
                field_figure(picture, shown, pins),
                *map(layout_figure, picture.views),
                mass_figure(picture, _draws(opened), pins),
            ]
            texts = [
                table(number_rows(picture)),
                free_and_fixed(picture),
                table(threshold_rows(picture)),
                [html.Li(note) for note in picture.notes],
                _file_text(opened, settings),
            ]
        except Exception as error:  # never a traceback in the browser
            old = [no_update] * (len(_PICTURES) + len(_TEXTS))
            state = "The picture is that of the last valid settings."
            return [*old, described(error), False, state, *_marked(blamed(error))]
        return [*figures, *texts, "", True, "", *_marked("")]


def _file_text(opened: Opened, settings: Mapping[str, str]) -> str:
    """The study as a file, or why it would not run."""
    try:
        return study_text(opened, settings)
    except RenpError as error:
        return described(error)


def _connect_pins(app: Dash, session: Session) -> None:
    @app.callback(
        Output("pins", "data"),
        Output("alert", "children", allow_duplicate=True),
        Output("alert", "hidden", allow_duplicate=True),
        Input("pin", "n_clicks"),
        Input("unpin", "n_clicks"),
        State("settings", "data"),
        State("pins", "data"),
        prevent_initial_call=True,
    )
    def pin(_pins: Any, _unpins: Any, settings: Mapping[str, str], numbers: object) -> Any:
        if dash.ctx.triggered_id == "unpin":
            return [], "", True
        kept = numbers[1 - MOST_PINS :] if isinstance(numbers, list) else []
        try:
            opened = session.get(settings.get("study"))[1]
            with session.work():
                return [*kept, session.pin(pinned_curve(opened, settings))], "", True
        except Exception as error:
            return no_update, described(error), False


def pinned_curve(opened: Opened, settings: Mapping[str, str]) -> Curve:
    """The study's own curve, named by what was moved.

    Raises
    ------
    RenpError
        If the settings are wrong.
    """
    curve = next(iter(picture_of(opened, settings).curves.values()))
    moved = moved_keys(opened, settings)
    return replace(curve, label=f"pinned: {curve.label}, {moved or 'as opened'}")


def _marked(key: str) -> list[str]:
    """Class of each row; that of a wrong key stands out."""
    return ["control wrong" if control.key == key else "control" for control in CONTROLS]


def _connect_saving(app: Dash, session: Session) -> None:
    @app.callback(
        Output("download", "data"),
        Output("alert", "children", allow_duplicate=True),
        Output("alert", "hidden", allow_duplicate=True),
        Input("save", "n_clicks"),
        State("settings", "data"),
        prevent_initial_call=True,
    )
    def save(_clicks: Any, settings: Mapping[str, str]) -> Any:
        opened = session.get(settings.get("study"))[1]
        try:
            text = study_text(opened, settings)
        except Exception as error:
            return no_update, described(error), False
        return dcc.send_string(text, f"{opened.tables['name']}.toml"), "", True
