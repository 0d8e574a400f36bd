"""The secret of a blinded study: its file, what follows from it, and what a run may hold of it.

Offsets are added, never multiplied: a factor leaves a zero where it is. They follow from
secret, question and the quantity's name by HMAC-SHA-256 (RFC 2104). The question is all that a
posterior depends on but how it is sampled, so that nothing is learnt from a second question,
whose offsets are independent. A run holds a salted hash of the secret, by which `renp unblind`
knows the key again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scipy.special import ndtri

from renp_infer.errors import ConfigError
from renp_infer.fields import Said

KEY_BYTES = 32
HEADER = "renp-infer blinding key 1"
OF_QUESTION, OF_DATA = "question", "data"
"""What offsets follow from, besides the key: now, and in runs of older versions, where those of
two questions were the same, so that a second question told the first one's answer."""
_LARGEST_FILE = 4096
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class Blinding:
    """What a study says of its blinding.

    Attributes
    ----------
    key : str
        Path of the file with the secret.
    width_meV : float
        Standard deviation of the offset of m1.
    """

    key: str
    width_meV: float


@dataclass(frozen=True)
class Secret:
    """What is in a key file, for one question.

    Attributes
    ----------
    content : bytes
    question : str
        Digest of what the posterior that is hidden depends on.
    """

    content: bytes = field(repr=False)
    question: str

    def offset(self, quantity: str, width: float) -> float:
        """Offset of a quantity: Gaussian around 0, of a standard deviation ``width``."""
        word = int.from_bytes(self._word(quantity)[:8], "big")
        return width * float(ndtri((word + 0.5) / 2.0**64))

    def order(self, what: str, count: int) -> list[int]:
        """A permutation of the first whole numbers."""
        words = [self._word(f"{what} {k}") for k in range(count)]
        return sorted(range(count), key=words.__getitem__)

    def _word(self, what: str) -> bytes:
        return hmac.digest(self.content, f"{self.question}\n{what}".encode(), "sha256")


def content_of(blinding: Blinding) -> bytes:
    """The secret of a study's blinding.

    Raises
    ------
    ConfigError
        If the key cannot be read, or others may read it.
    """
    return read_key(Path(blinding.key), "blinding.key")


def digest_of_data(digests: Mapping[str, str]) -> str:
    """One digest of all files of data."""
    return hashlib.sha256(json.dumps(sorted(digests.values())).encode()).hexdigest()


def write_key(path: Path) -> None:
    """Write a new secret into a file that only its owner may read.

    Raises
    ------
    ConfigError
        If there is a file, or none can be made.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigError("FILE", str(path), "a new file", error.strerror or "") from error
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(f"{HEADER}\n{secrets.token_hex(KEY_BYTES)}\n")


def read_key(path: Path, option: str) -> bytes:
    """Read a secret from its file.

    Raises
    ------
    ConfigError
        If it is none, or others than its owner may read or write it; blames ``option``.
    """
    allowed = "a key file that renp blind-key has made"
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigError(option, str(path), allowed, "it is no regular file")
        with path.open("rb") as stream:
            mode, text = os.fstat(stream.fileno()).st_mode, stream.read(_LARGEST_FILE)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(option, str(path), allowed, reason) from error
    if mode & _OTHERS:
        hint = f"chmod 600 {path} closes it to others"
        raise ConfigError(option, str(path), "a file that only its owner may read", hint)
    head, _, rest = text.partition(b"\n")
    try:
        content = bytes.fromhex(rest.decode("ascii").strip())
    except ValueError:
        content = b""
    if head != HEADER.encode() or len(content) != KEY_BYTES:
        raise ConfigError(option, str(path), allowed)
    return content


def revealing(what: str) -> ConfigError:
    """What to raise where something would show what a blinded study's data say."""
    allowed = f"nothing with {what}, which would show what the data say"
    hint = "renp unblind RUN --key FILE is the way to see it"
    return ConfigError("blinding", Said("a table"), allowed, hint)


def check_outside(path: Path, directory: Path, option: str) -> None:
    """Refuse a key within the run directory, links followed: it would be published with it.

    Raises
    ------
    ConfigError
    """
    if path.resolve().is_relative_to(directory.resolve()):
        raise ConfigError(option, str(path), f"a file outside of the run directory {directory}")


@dataclass(frozen=True)
class Seal:
    """What a run holds of its secret.

    Attributes
    ----------
    salt, hash : str
        Random, and the keyed hash of the secret with it, hexadecimal.
    data : str
        Digest of the data that were hidden.
    version : str
        Of the package.
    made : str
        When, UTC.
    offsets : str
        What they follow from besides the key.
    """

    salt: str
    hash: str
    data: str
    version: str
    made: str
    offsets: str = OF_QUESTION

    @classmethod
    def new(cls, content: bytes, data: str, version: str) -> Seal:
        """A seal of a secret with a new salt, for data of a digest."""
        salt = secrets.token_bytes(KEY_BYTES)
        made = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(salt.hex(), _sealed(content, salt), data, version, made)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Seal:
        """From the document of a run."""
        told = {"offsets": OF_DATA} | dict(document)
        return cls(**{name: str(told[name]) for name in cls.__dataclass_fields__})

    def fits(self, content: bytes) -> bool:
        """Whether a secret is the one of this seal."""
        return hmac.compare_digest(self.hash, _sealed(content, bytes.fromhex(self.salt)))


def _sealed(content: bytes, salt: bytes) -> str:
    return hmac.digest(salt, content, "sha256").hex()
