"""Interruptions that cannot be lost on their way."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """What a command line answers signals with.

    The first one unwinds, so that everything is let go; the second one ends at once. So does
    the first in the middle of a task: libraries do not bear to be left anywhere, and what was
    finished has been saved.

    Parameters
    ----------
    leave : callable
        Says so, and ends the process without the interpreter's own end.
    """

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave, self._begun = leave, False
        self.at_work = False

    def __call__(self, _signal: int, _frame: FrameType | None) -> None:
        """Unwind, or end at once."""
        if self._begun or self.at_work:
            self._leave()
        self._begun = True
        raise KeyboardInterrupt


@contextlib.contextmanager
def unlost_interruption() -> Iterator[None]:
    """Interrupt a block at its end, if a signal did within it and nobody heard.

    What a signal's handler raises comes up wherever the main thread happens to be.
    In a destructor it is dropped; compiled code may answer it with an error of its
    own, and a sampler with the draws so far. Neither is a result or a failure of the
    task. Outside the main thread, where no signal is handled, nothing is done.

    Raises
    ------
    KeyboardInterrupt
        Instead of what the block raised, or although it ended well.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    raised: list[int] = []
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    ours = [handler for handler in handlers.values() if isinstance(handler, Interruption)]
    for number, handler in handlers.items():
        if callable(handler):
            signal.signal(number, _noting(handler, raised))
    for handler in ours:
        handler.at_work = True
    try:
        yield
    finally:
        for handler in ours:
            handler.at_work = False
        for number, handler in handlers.items():
            if callable(handler):
                signal.signal(number, handler)
        if raised:
            raise KeyboardInterrupt


def _noting(handler: Callable[..., Any], raised: list[int]) -> Callable[..., None]:
    """A handler that notes when another one interrupts."""

    def note(number: int, frame: FrameType | None) -> None:
        try:
            handler(number, frame)
        except KeyboardInterrupt:
            raised.append(number)
            raise

    return note
