"""Addresses of application entities: ``AET@host:port``."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Address", "address_of"]

DEFAULT_PORT = 104


class Address(NamedTuple):
    """Where a peer listens, and its AE title, "" if it is not said."""

    title: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.title}@{host}:{self.port}" if self.title else f"{host}:{self.port}"


def address_of(text: str | tuple[str, int]) -> Address:
    """An address from ``AET@host:port``, ``host:port``, ``host`` (port 104) or a tuple; IPv6 stands in brackets.

    ValueError for anything else.
    """
    if isinstance(text, tuple):
        return Address("", str(text[0]), _port(text[1], text))
    title, _, place = text.rpartition("@")
    host, colon, port = place.rpartition(":") if not place.endswith("]") else (place, "", "")
    if not colon:
        host, port = place, str(DEFAULT_PORT)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"{text!r}: an IPv6 address stands in brackets, as in [::1]:104")
    if not host:
        raise ValueError(f"{text!r} is no address; one looks like AET@host:port")
    return Address(title, host, _port(port, text))


def _port(port: object, text: object) -> int:
    number = int(port) if isinstance(port, int) or (isinstance(port, str) and port.isdecimal()) else -1
    if not 0 <= number <= 65535:
        raise ValueError(f"{text!r} has no port between 0 and 65535")
    return number
