"""Every error the package raises on purpose, and when to raise which.

========================  =====================================================
``ConfigError``           the user's input is wrong: a key, a value, a file
``DomainError``           a library call outside the domain of a formula
``ConvergenceError``      numerics did not reach the tolerance they promise
``NonFiniteError``        NaN, infinity or overflow in a calculation
``StoreError``            a run directory cannot be read or written
``TaskError``             tasks of a run failed, and more than are allowed to
``ExecutorError``         the workers or their scheduler failed, not a task
``BlindedError``          a blinded fit failed; its error would tell what is hidden
========================  =====================================================

``DiagnosticWarning`` is no error: a result is there, and its diagnostics failed.

Errors carry the values they complain about, so that callers need not parse
text. A plain ``TypeError`` is for a programmer's mistake, never for input.
"""

from __future__ import annotations

from collections.abc import Mapping


class RenpError(Exception):
    """Base of all errors of this package."""


class ConfigError(RenpError, ValueError):
    """Wrong input at the edge.

    Parameters
    ----------
    path : str
        Dotted path of the offending key, or a file name.
    given : object
        What the user gave, shown by ``repr``; ``None`` for nothing.
    allowed : str
        What would have been accepted.
    hint : str, optional
        The nearest known name or the next thing to try.
    """

    def __init__(self, path: str, given: object, allowed: str, hint: str = "") -> None:
        self.path, self.given, self.allowed, self.hint = path, given, allowed, hint
        shown = "nothing" if given is None else repr(given)
        if len(shown) > 80:
            shown = shown[:77] + "..."
        text = f"{path}: got {shown}; allowed: {allowed}"
        super().__init__(f"{text}; {hint}" if hint else text)

    def __reduce__(self) -> tuple[type, tuple[str, object, str, str]]:
        return type(self), (self.path, self.given, self.allowed, self.hint)


class DomainError(RenpError, ValueError):
    """A value outside the domain of a formula.

    Parameters
    ----------
    name : str
        The quantity.
    value : object
        Its value.
    allowed : str
        The domain.
    """

    def __init__(self, name: str, value: object, allowed: str) -> None:
        self.name, self.value, self.allowed = name, value, allowed
        super().__init__(f"{name} = {value!r} is outside its domain: {allowed}")

    def __reduce__(self) -> tuple[type, tuple[str, object, str]]:
        return type(self), (self.name, self.value, self.allowed)


class ConvergenceError(RenpError, ArithmeticError):
    """A numerical result is not as accurate as promised.

    Parameters
    ----------
    what : str
        The quantity.
    error, tolerance : float
        The error reached and the error promised, in the same unit.
    """

    def __init__(self, what: str, error: float, tolerance: float) -> None:
        self.what, self.error, self.tolerance = what, error, tolerance
        super().__init__(f"{what}: error {error:.3g} exceeds the promised {tolerance:.3g}")

    def __reduce__(self) -> tuple[type, tuple[str, float, float]]:
        return type(self), (self.what, self.error, self.tolerance)


class ContradictionError(ConvergenceError):
    """Constraints leave hardly anything of the prior; ``what`` says of what, ``error`` how much."""

    def __init__(self, what: str, error: float, tolerance: float) -> None:
        super().__init__(what, error, tolerance)
        found = (
            f"{what} is {error:.3g}, and {tolerance:.3g} is the least: [constraints] contradict "
            "the priors, the hypothesis or parameters that are held fixed"
        )
        self.args = (found,)


class WeightsError(ConvergenceError):
    """Draws that do not reach where weights would have them; ``what`` says it in words."""

    def __init__(self, what: str, error: float, tolerance: float) -> None:
        super().__init__(what, error, tolerance)
        self.args = (f"{what}; fit again, with these constraints in the study's [constraints]",)


class NonFiniteError(RenpError, ArithmeticError):
    """A NaN, an infinity or an overflow where a number is needed.

    Parameters
    ----------
    quantity : str
        What was calculated.
    found : str
        What came out, with its index in an array, or why nothing did.
    values : mapping
        Parameter values that caused it.
    """

    def __init__(self, quantity: str, found: str, values: Mapping[str, object]) -> None:
        self.quantity, self.found, self.values = quantity, found, dict(values)
        causes = ", ".join(f"{name} = {_short(value)}" for name, value in self.values.items())
        super().__init__(f"{quantity} is no finite number ({found}), with {causes or 'no values'}")

    def __reduce__(self) -> tuple[type, tuple[str, str, dict[str, object]]]:
        return type(self), (self.quantity, self.found, self.values)


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


class StoreError(RenpError, OSError):
    """A run directory cannot be read or written."""


class TaskError(RenpError, RuntimeError):
    """More tasks failed than are allowed to; the others have been saved."""


class ExecutorError(RenpError, RuntimeError):
    """Workers or their scheduler failed; what was finished has been saved."""


class BlindedError(RenpError, RuntimeError):
    """A fit of a blinded study failed; the error itself would tell what is hidden.

    Parameters
    ----------
    kind : str
        Class of that error.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(
            f"a blinded fit failed ({kind}; its words would tell what is hidden): try mock data, "
            "or renp unblind"
        )

    def __reduce__(self) -> tuple[type, tuple[str]]:
        return type(self), (self.kind,)


class DiagnosticWarning(UserWarning):
    """A result whose diagnostics failed; exit code 3 on the command line."""
