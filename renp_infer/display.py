"""How an object shows itself in a notebook and in a Python session."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


class Display:
    """Shows a few rows about an object that has a name."""

    name: str

    def rows(self) -> list[tuple[str, str]]:
        """What it is, in a few words each."""
        raise NotImplementedError

    def __repr__(self) -> str:
        said = "; ".join(f"{key} {value}" for key, value in self.rows())
        return f"<{type(self).__name__} {self.name!r}: {said}>"

    def _repr_html_(self) -> str:
        return table(f"{type(self).__name__} {self.name}", self.rows())


def table(title: str, rows: Iterable[tuple[str, str]]) -> str:
    """HTML table of two columns, everything escaped."""
    body = "".join(
        f'<tr><th scope="row" style="text-align:left">{escape(key)}</th>'
        f'<td style="text-align:left">{escape(value)}</td></tr>'
        for key, value in rows
    )
    return (
        f'<table><caption style="text-align:left"><strong>{escape(title)}</strong></caption>'
        f"<tbody>{body}</tbody></table>"
    )
