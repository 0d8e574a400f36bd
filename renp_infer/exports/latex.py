"""LaTeX: the table of a posterior, and each of its numbers as a macro."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from renp_infer.exports.estimates import hypothesis_of, limits, posterior_of
from renp_infer.exports.origin import Origin
from renp_infer.exports.symbols import escaped, symbol_and_unit, tex
from renp_infer.verbs.infer.cells import NOT_MEASURED, estimate, interval

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

MACRO = r"\newcommand{\renp}[2]{\csname renp@#1@#2\endcsname}"
PLAIN = range(-3, 6)
"""Powers of ten that are written in plain decimals."""


def latex_files(run: Run) -> Iterator[tuple[str, str]]:
    """Name and text of each file."""
    head = "".join(f"% {line}\n" for line in Origin.of(run).lines())
    yield "posterior.tex", head + _table(run)
    yield "numbers.tex", head + _numbers(run)


def _table(run: Run) -> str:
    rows = []
    for name, found in posterior_of(run, "latex").estimates.items():
        symbol, unit = symbol_and_unit(name)
        head = f"${tex(symbol)}$" + (f" [{_unit(unit)}]" if unit else "")
        cells = estimate(found, written), interval(found, " to ", written)
        rows.append(" & ".join((head, *map(_cell, cells))) + r" \\")
    of = Origin.of(run)
    caption = (
        f"Posterior of study {of.name}, physics preset {of.preset}, {hypothesis_of(run)}; "
        f"limits are credible and one-sided, of 95 %. Verdict of its checks: {of.verdict}."
    )
    return "\n".join(
        [
            r"\begin{table}",
            r"\begin{tabular}{lll}",
            r"\hline",
            r"quantity & mean $\pm$ sd, or limit & 95 \% interval \\",
            r"\hline",
            *rows,
            r"\hline",
            r"\end{tabular}",
            rf"\caption{{{escaped(caption)}}}",
            r"\end{table}",
            "",
        ]
    )


def _numbers(run: Run) -> str:
    lines = [f"% use as \\renp{{m1_meV}}{{mean}}\n{MACRO}"]
    for name, found in posterior_of(run, "latex").estimates.items():
        for what, value in limits(found):
            if value is None:
                continue
            text = NOT_MEASURED if found.measured is False else _math(written(value, found.sd))
            lines.append(rf"\expandafter\def\csname renp@{name}@{what}\endcsname{{{text}}}")
    return "\n".join(lines) + "\n"


def written(value: float, error: float) -> str:
    """A number to two digits of its error, in TeX's mathematical mode."""
    if not (math.isfinite(error) and error > 0):
        return f"{value:g}"
    top = math.floor(math.log10(max(abs(value), error)))
    place = math.floor(math.log10(error)) - 1
    if top in PLAIN:
        return f"{round(value, -place) + 0.0:.{max(-place, 0)}f}"
    return rf"{value / 10.0**top:.{max(top - place, 0)}f}\times10^{{{top}}}"


def _math(text: str) -> str:
    return f"\\ensuremath{{{text}}}"


def _cell(text: str) -> str:
    """A cell whose numbers are mathematics and whose words are none."""
    if not any(c.isdigit() for c in text):
        return text
    low, to, high = text.partition(" to ")
    if to:
        return f"${low}$ to ${high}$"
    return "$" + text.replace("±", r"\pm") + "$"


def _unit(unit: str) -> str:
    return {"deg": r"$^\circ$"}.get(unit, unit.replace("²", "$^2$"))
