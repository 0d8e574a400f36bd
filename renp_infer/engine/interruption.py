"""Interruptions that cannot be lost on their way."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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
    for number, handler in handlers.items():
        if callable(handler):
            signal.signal(number, _noting(handler, raised))
    try:
        yield
    finally:
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
