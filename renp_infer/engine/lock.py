"""The lock of a run directory: the system's where its disk has one, else a file with a heartbeat.

The system drops its lock with the process, so none is ever stale. A disk without
locks (some network file systems) gets a file that only one process can make. It
says who made it, and is touched while that lives: one that rests is taken over.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
import time
import uuid
from pathlib import Path

from renp_infer.errors import StoreError
from renp_infer.files import open_own

LOCK, MARK = ".lock", ".lock-held"
BEAT_S, STALE_S = 15.0, 120.0
"""How often the file is touched, and how long it may rest; clocks of hosts may differ less."""
_HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
"""What a lock of another process is; all else is a disk without locks."""


class HeldError(OSError):
    """Another process has the lock; the text says which."""


class Lock:
    """A lock that this process has, until it is released.

    Parameters
    ----------
    directory : Path

    Raises
    ------
    HeldError
        If another process has it.
    OSError
        If its file cannot be opened.
    StoreError
        If it cannot be written.

    Attributes
    ----------
    kind : str
        What it rests on.
    """

    def __init__(self, directory: Path) -> None:
        self.kind = "the system's lock"
        self._directory, self._ended = directory, threading.Event()
        self._handle = open_own(directory / LOCK, os.O_RDWR | os.O_CREAT)
        try:
            self._acquire()
            self._sign()
        except BaseException:
            os.close(self._handle)
            raise

    def _acquire(self) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _HELD:
                raise HeldError(holder(self._directory)) from error
            self.kind = f"a file with a heartbeat, for want of locks ({error.strerror})"
            _make_mark(self._directory)
            threading.Thread(target=self._beat, daemon=True).start()

    def _sign(self) -> None:
        """Say who has it."""
        try:
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, f"{_here()}\n".encode(), 0)
        except OSError as error:
            text = f"{self._directory / LOCK}: cannot be written ({error.strerror})"
            raise StoreError(text) from error

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_S):
            with contextlib.suppress(OSError):
                os.utime(self._directory / MARK)

    def release(self) -> None:
        """Let others have it."""
        if self._ended.is_set():
            return
        self._ended.set()
        if _text(self._directory / MARK) == _here():
            (self._directory / MARK).unlink(missing_ok=True)
        os.close(self._handle)


def holder(directory: Path) -> str:
    """Process that has the lock of a directory; empty if none has."""
    try:
        handle = open_own(directory / LOCK, os.O_RDONLY)
    except OSError:
        return ""
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _HELD:
            return "" if _stale(directory) else _text(directory / MARK)
        return os.pread(handle, 256, 0).decode("utf-8", "replace").strip() or "unknown"
    finally:
        os.close(handle)
    return ""


def _here() -> str:
    return f"{os.getpid()} on {os.uname().nodename}"


def _make_mark(directory: Path) -> None:
    """Make the file that one process can make; one that was left behind is moved away first."""
    mark = directory / MARK
    for _ in range(2):
        with contextlib.suppress(FileExistsError):
            handle = open_own(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            os.write(handle, _here().encode())
            os.close(handle)
            return
        found = _text(mark)
        if not _stale(directory):
            break
        _move_away(mark, found)
    raise HeldError(_text(mark) or "unknown")


def _move_away(mark: Path, found: str) -> None:
    """Remove a stale file, but none that somebody made in its place meanwhile."""
    aside = mark.with_name(f".tmp-{uuid.uuid4()}")
    with contextlib.suppress(OSError):
        os.rename(mark, aside)
        if _text(aside) != found:
            os.link(aside, mark)
        os.unlink(aside)


def _stale(directory: Path) -> bool:
    """Whether the file's process has ended, or has not touched it for long; or there is none."""
    mark = directory / MARK
    try:
        rest_s = time.time() - mark.stat().st_mtime
    except FileNotFoundError:
        return True
    number, _, host = _text(mark).partition(" on ")
    if host == os.uname().nodename and number.isdecimal() and not _lives(int(number)):
        return True
    return rest_s > STALE_S


def _lives(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _text(path: Path) -> str:
    try:
        handle = open_own(path, os.O_RDONLY)
    except OSError:
        return ""
    try:
        return os.pread(handle, 256, 0).decode("utf-8", "replace")
    finally:
        os.close(handle)
