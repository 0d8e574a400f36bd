"""Symbols of quantities in TeX."""

from __future__ import annotations

import itertools

from renp_infer.inference.parameters import DERIVED_TEXTS, PARAMETERS, parted

_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉ₐₑₗₛᵣᵢ", "0123456789aelsri", strict=True))
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))
_LETTERS = {
    "Δ": r"\Delta ", "Σ": r"\Sigma ", "α": r"\alpha ", "β": r"\beta ", "δ": r"\delta ",
    "θ": r"\theta ", "ν": r"\nu ", "σ": r"\sigma ", "−": "-",
}  # fmt: skip
_FUNCTIONS = {"sin": r"\sin", "cos": r"\cos"}


def symbol_and_unit(name: str) -> tuple[str, str]:
    """Symbol in text and unit of a parameter or a derived quantity."""
    if parted(name)[0] in PARAMETERS.names:
        return PARAMETERS.label(name)
    text, _, unit = DERIVED_TEXTS.get(name, name).partition(" [")
    return text, unit.removesuffix("]")


def tex(text: str) -> str:
    """A symbol such as "sin²θ₁₂" or "m_β" for TeX's mathematical mode; words become upright."""
    before, mark, after = text.partition("_")
    below = "_{" + _plain(after) + "}" if mark else ""
    return (_plain(before) + below).strip()


def _plain(text: str) -> str:
    pieces = []
    for kind, run in itertools.groupby(text, _kind):
        letters = "".join(run)
        if kind == "_":
            pieces.append("_{" + "".join(_SUBSCRIPTS[c] for c in letters) + "}")
        elif kind == "^":
            pieces.append("^{" + "".join(_SUPERSCRIPTS[c] for c in letters) + "}")
        elif kind == "word":
            pieces.append(_word(letters))
        else:
            pieces.append("".join(_LETTERS.get(c, escaped(c)) for c in letters))
    return "".join(pieces)


def _kind(letter: str) -> str:
    if letter in _SUBSCRIPTS:
        return "_"
    if letter in _SUPERSCRIPTS:
        return "^"
    return "word" if letter.isascii() and letter.isalpha() else "other"


def _word(letters: str) -> str:
    if len(letters) == 1:
        return letters
    return _FUNCTIONS.get(letters, r"\mathrm{" + letters + "}")


def escaped(text: str) -> str:
    """Text in which no character means anything to TeX."""
    special = {c: "\\" + c for c in "&%$#_{}"}
    special |= {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(special.get(c, c) for c in text)
