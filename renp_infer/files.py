"""Whole files or none: atomic writing and hashes."""

from __future__ import annotations

import atexit
import contextlib
import errno
import hashlib
import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from renp_infer.errors import ConfigError, StoreError

SPARE = 2**18
"""Bytes for the frame of a netCDF file."""


def is_file(path: Path) -> bool:
    """Tell whether there is a regular file; a path that cannot be has none."""
    try:
        return path.is_file()
    except OSError:  # a name that is too long
        return False


def is_directory(path: Path) -> bool:
    """Tell whether there is a directory; a path that cannot be has none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def digest(path: Path | str) -> str:
    """SHA-256 of a file's bytes; empty if it cannot be read or is no regular file."""
    try:
        if not os.path.isfile(path):  # a pipe or a device never ends
            return ""
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def open_own(path: Path | str, flags: int) -> int:
    """Open a file of a run directory, and nothing that a link there leads to.

    Parameters
    ----------
    path : Path or str
    flags : int
        As of ``os.open``.

    Returns
    -------
    int
        Descriptor of a regular file; one that is written has no second name elsewhere.

    Raises
    ------
    StoreError
        If it is something else.
    OSError
        If it cannot be opened.
    """
    flags |= os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        handle = _opened(path, flags)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO):
            raise _not_own(path, "a link or a pipe") from error
        raise
    found = os.fstat(handle)
    written = flags & (os.O_WRONLY | os.O_RDWR)
    if stat.S_ISREG(found.st_mode) and (found.st_nlink == 1 or not written):
        return handle
    os.close(handle)
    raise _not_own(path, "no regular file, or one that has another name too")


def _opened(path: Path | str, flags: int) -> int:
    """Open a file; one that is new is as open to others as its folder."""
    if not flags & os.O_CREAT:
        return os.open(path, flags)
    try:
        handle = os.open(path, flags | os.O_EXCL, 0o600)
    except FileExistsError:
        if flags & os.O_EXCL:
            raise
        return os.open(path, flags & ~os.O_CREAT)
    follow_folder(handle, path)
    return handle


def follow_folder(what: int | Path, path: Path | str) -> None:
    """Give what is new at a path the group, and the rights, of the folder that it is in."""
    folder, own = os.stat(os.path.dirname(path) or "."), os.stat(what)
    if own.st_gid != folder.st_gid:
        with contextlib.suppress(OSError):  # who is not of the group cannot
            os.chown(what, -1, folder.st_gid)
    keep = 0o2775 if stat.S_ISDIR(own.st_mode) else 0o664
    if folder.st_mode & stat.S_ISVTX:  # a folder for all, as that of temporary files
        keep &= ~stat.S_IWGRP
    with contextlib.suppress(OSError):
        os.chmod(what, folder.st_mode & keep)


def _not_own(path: Path | str, found: str) -> StoreError:
    return StoreError(f"{path}: {found}; a run directory holds files of its own: remove it")


def digest_own(path: Path | str) -> str:
    """SHA-256 of a file of a run directory; empty if there is none that can be read."""
    try:
        with open(open_own(path, os.O_RDONLY), "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def digest_of(content: bytes) -> str:
    """SHA-256 of bytes."""
    return hashlib.sha256(content).hexdigest()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary file that takes the place of another once it is on the disk.

    Parameters
    ----------
    path : Path
        The file to be; it keeps its old content until the block ends well.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=".tmp-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        follow_folder(temporary, path)
        _sync(temporary)
        os.replace(temporary, path)
        temporary = None
        _sync(path.parent)
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def require_room(path: Path, size: int) -> None:
    """Refuse to begin a file for which the disk has no room: HDF5 crashes where it runs full.

    Parameters
    ----------
    path : Path
        The file to be.
    size : int
        Bytes that it takes at most, but for what all such files have; a little more is asked for.

    Raises
    ------
    StoreError
    """
    facts = os.statvfs(path.parent)
    if facts.f_bavail * facts.f_frsize < size + size // 4 + SPARE:
        raise StoreError(f"{path}: cannot be written ({os.strerror(errno.ENOSPC)})")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: str, content: bytes) -> None:
    """Write a file atomically without waiting for the disk, as the only writer of its folder.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    temporary = os.path.join(os.path.dirname(path), ".tmp-task")
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        new = open_own(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)  # no link is followed
        with open(new, "wb") as stream:
            stream.write(content)
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise StoreError(f"{path}: cannot be written ({error.strerror or error})") from error


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def make_own_directory(directory: Path) -> None:
    """Create a folder in a run directory, and those above it, as open as the run's.

    Raises
    ------
    OSError
        If it cannot be created.
    """
    if not directory.is_dir():
        make_own_directory(directory.parent)
        directory.mkdir(exist_ok=True)
        follow_folder(directory, directory)


def make_directory(directory: Path) -> None:
    """Create a directory that can be written, or refuse.

    Raises
    ------
    ConfigError
        If it cannot be created, is no directory, or cannot be written.
    """
    allowed = "a directory that can be created and written"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=".tmp-", dir=directory):
            pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError("--out", str(directory), allowed, reason) from error


class _Temporary:
    """The folder of temporary files that a process has at the moment, and who needs it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._before: str | None = None
        self._folder = ""

    def enter(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._before, tempfile.tempdir = tempfile.tempdir, self._made()

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                _sweep(self._folder)
                tempfile.tempdir = self._before

    def _made(self) -> str:
        """The folder that a library still has one in, or a new one."""
        if not self._folder:  # before what libraries register for theirs, so that it comes after
            atexit.register(self.remove)
        if not os.path.lexists(self._folder):
            self._folder = tempfile.mkdtemp(prefix="renp-")
        return self._folder

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _sweep(folder: str) -> None:
    """Remove the files of a folder, and it too unless a library has a folder of its own there."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
        os.rmdir(folder)


_temporary = _Temporary()


@contextlib.contextmanager
def sweeping() -> Iterator[None]:
    """Remove the temporary files that are made within, also those a library leaves behind.

    PyTensor leaves one for each function that it compiles. Threads share one folder.
    """
    _temporary.enter()
    try:
        yield
    finally:
        _temporary.leave()


def forget_temporaries() -> None:
    """Remove all temporary files at once, of a process that ends without unwinding."""
    _temporary.remove()
