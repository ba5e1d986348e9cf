"""Keys: the secret from which new UIDs, pseudonyms and offsets of dates are made."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import tomllib
from pathlib import Path

__all__ = ["Key"]

SIZE = 32  # bytes; HMAC-SHA-256 gains nothing by more
BLOCK = 64  # of SHA-256
VERSION = 1


class Key:
    """A secret. The same key gives the same UIDs, pseudonyms and dates in every run and on every machine.

    Who has the key can tell whether a UID, a patient's ID or an offset that he guesses belongs to an output. So it is
    kept apart from the output, and thrown away if nobody shall ever be able to do so.
    """

    __slots__ = ("_inner", "_outer", "_secret")

    def __init__(self, secret: bytes) -> None:
        if not isinstance(secret, bytes) or len(secret) != SIZE:
            raise ValueError(f"a key is {SIZE} bytes")
        self._secret = secret
        padded = secret.ljust(BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    @classmethod
    def generate(cls) -> Key:
        """Return a new random key."""
        return cls(secrets.token_bytes(SIZE))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Key:
        """Read a key from the file that `save` wrote.

        Raises ValueError for a file that is no key, and OSError as open() does.
        """
        try:
            table = tomllib.loads(Path(path).read_text(encoding="utf-8"))["key"]
            secret = base64.b64decode(table["secret"], validate=True)
            version = table["version"]
        except (UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError, binascii.Error):
            raise ValueError(f"{os.fspath(path)!r} is no key of dicomcore") from None
        if version != VERSION or len(secret) != SIZE:
            raise ValueError(f"{os.fspath(path)!r} is a key of another version")
        return cls(secret)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the key to a new file that only its owner may read; FileExistsError if there is one."""
        text = f'# Whoever has this key can link the output to its source.\n[key]\nversion = {VERSION}\nsecret = "'
        text += base64.b64encode(self._secret).decode("ascii") + '"\n'
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(text)

    def digest(self, purpose: bytes, *parts: bytes) -> bytes:
        """32 bytes that depend on the key, the purpose and the parts, and tell nothing of them: HMAC-SHA-256."""
        inner = self._inner.copy()  # with the key in both states, at half the cost of hmac.digest()
        inner.update(purpose)
        for part in parts:
            inner.update(len(part).to_bytes(4, "big") + part)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits that tell keys apart and do not give them away."""
        return self.digest(b"fingerprint").hex()[:8]

    def __repr__(self) -> str:
        return f"<Key {self.fingerprint}>"

    def __eq__(self, other: object) -> bool:
        return hmac.compare_digest(self._secret, other._secret) if isinstance(other, Key) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __reduce__(self) -> tuple[type[Key], tuple[bytes]]:
        return Key, (self._secret,)
