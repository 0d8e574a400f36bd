"""The page: what is on it, and nothing of what it does."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from renp_infer.explorer.controls import GROUPS, Control
from renp_infer.explorer.figures import EMPTY
from renp_infer.explorer.tables import Rows

TITLE = "renp explore"
SHOWN = {"shape": "shape", "field": "field", "snr": "S/N"}
CAPTION = (
    "Bands: ± 1σ noise of one angle. Vertical lines: thresholds of the pairs ij. Drag to "
    "zoom, double-click to return."
)
_GRAPH: dict[str, Any] = {
    "displaylogo": False,
    "responsive": True,
    "modeBarButtons": [["toImage"]],  # named, since another one would send the chart away
    "toImageButtonOptions": {"format": "svg", "filename": "renp"},
}


def page(places: list[str]) -> html.Div:
    """Whole page, without values; they come with the address.

    Parameters
    ----------
    places : list of str
        What is offered to be opened.
    """
    return html.Div(
        [
            dcc.Location(id="place", refresh=False),
            *(dcc.Store(id=name) for name in ("study", "settings", "busy", "pins")),
            dcc.Download(id="download"),
            _head(places),
            html.Div(id="alert", role="alert", className="alert", hidden=True),
            html.Main(
                [
                    html.Div(_pictures(), className="pictures"),
                    html.Form(
                        [_group(title, group) for title, group in GROUPS.items()],
                        className="controls",
                        **{"aria-label": "settings of the study"},
                    ),
                    html.Div(_numbers(), className="numbers"),
                ]
            ),
        ],
        className="page",
    )


def _head(places: list[str]) -> html.Header:
    return html.Header(
        [
            html.H1(TITLE),
            html.Div(id="source", className="source"),
            html.Div(
                [
                    html.Label("study file or run directory", htmlFor="path"),
                    dcc.Input(id="path", type="text", list="places", className="path"),
                    html.Datalist([html.Option(value=place) for place in places], id="places"),
                    html.Button("Open", id="open", type="button"),
                    html.Button("Save study file", id="save", type="button"),
                ],
                className="files",
            ),
        ]
    )


def _pictures() -> list[Any]:
    return [
        html.Fieldset(
            [
                html.Legend("draw"),
                dcc.RadioItems(id="shown", options=SHOWN, value="shape", inline=True),
            ],
            className="choice",
        ),
        html.Div(
            [
                html.Button("Pin this curve", id="pin", type="button"),
                html.Button("Remove pins", id="unpin", type="button"),
            ],
            className="files",
        ),
        _graph("field", "field"),
        html.P(CAPTION, className="caption"),
        html.P("", id="state", role="status", className="state"),
        html.P("calculating …", id="working", className="working"),
    ]


def _graph(name: str, size: str) -> html.Div:
    return html.Div(dcc.Graph(id=name, figure=EMPTY, config=_GRAPH), className=size)


def _numbers() -> list[Any]:
    return [
        _scrolled("Numbers", "numbers", html.P(id="freedom")),
        html.Section(
            [
                html.H2("Lightest mass"),
                _graph("mass", "small"),
            ]
        ),
        html.Section(
            [html.H2("Run"), html.Div(id="run", tabIndex="0", className="scroll")],
            id="run-section",
            hidden=True,
        ),
        html.Section(
            [
                html.H2("Layout, to scale"),
                html.H3("in the plane of the beams"),
                _graph("side", "small"),
                html.H3("seen from above that plane"),
                _graph("top", "small"),
            ]
        ),
        _scrolled("Pair thresholds", "thresholds"),
        html.Section([html.H2("Notes"), html.Ul(id="notes")]),
        html.Section(
            [
                html.H2("This study, as a file"),
                html.Pre(id="toml", tabIndex="0", **{"aria-label": "this study, as a file"}),
            ]
        ),
    ]


def _scrolled(title: str, name: str, *below: Any) -> html.Section:
    """A table that may be wider than its place; keys scroll it, too."""
    box = html.Div(id=name, tabIndex="0", role="group", className="scroll", **{"aria-label": title})
    return html.Section([html.H2(title), box, *below])


def _group(title: str, controls: tuple[Control, ...]) -> html.Details:
    return html.Details([html.Summary(title), *map(_control, controls)], open=True)


def _control(control: Control) -> html.Div:
    name = control.name
    if control.options:
        choice = dcc.RadioItems(id=name, options=list(control.options), inline=True)
        parts = [html.Fieldset([html.Legend(control.label), choice], className="choice")]
    else:
        unit = f" [{control.unit}]" if control.unit else ""
        hint = [html.Span(f" ({control.hint})", className="hint")] if control.hint else []
        parts = [
            html.Label([f"{control.label}{unit}", *hint], htmlFor=name),
            html.Label(f"slider, {control.label}", htmlFor=f"{name}-slider", className="unseen"),
            dcc.Input(
                id=f"{name}-slider",
                type="range",
                min=control.low,
                max=control.high,
                step=control.step,
                className="slider",
            ),
            dcc.Input(id=name, type="text", debounce=True, className="value"),
        ]
    return html.Div(parts, id=f"{name}-row", className="control")


def table(rows: Rows) -> html.Table:
    """Table with a head and row headings."""
    head = html.Tr([html.Th(text, scope="col") for text in rows[0]])
    body = [
        html.Tr([html.Th(row[0], scope="row"), *(html.Td(text) for text in row[1:])])
        for row in rows[1:]
    ]
    return html.Table([html.Thead(head), html.Tbody(body)])
