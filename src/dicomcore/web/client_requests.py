"""What the client asks a server: requests as values, without any I/O, and the texts that their URLs are made of."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

from dicomcore.dictionary import tag_for_keyword
from dicomcore.tags import Tag

if TYPE_CHECKING:
    from dicomcore.web.client_receivers import Receiver

__all__ = ["JSON", "Call", "Result", "is_same_origin", "pairs_of", "path_of", "redirected", "resolved", "split_url"]

JSON = "application/dicom+json"
PORTS = {"http": 80, "https": 443}
KEPT_HEADERS = ("accept", "accept-encoding", "range")
MOST_IN_MEMORY = 512 << 20
TAG = re.compile("[0-9A-Fa-f]{8}")


@dataclass(frozen=True, slots=True)
class Call:
    """A request. `receiver` makes what takes the body as it comes; without one, the body is read into memory.

    `is_repeatable` says that sending it a second time does no harm.
    """

    method: str
    url: str
    params: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | Callable[[], Iterator[bytes]] | None = None
    receiver: Callable[[], Receiver] | None = None
    is_repeatable: bool = True
    is_foreign: bool = False
    """Another server's: nothing that identifies the caller goes there."""
    most: int = MOST_IN_MEMORY
    """Bytes of the body that are read into memory."""


@dataclass(frozen=True, slots=True)
class Result:
    """A step of an operation that gives its caller something."""

    value: Any


def split_url(url: str) -> tuple[str, tuple[str, str] | None]:
    """The service's URL without a slash at its end and without credentials, and these. ValueError if it cannot be one.

    ``dicomweb+https://`` is taken as ``https://``.
    """
    from urllib.parse import unquote

    text = url.removeprefix("dicomweb+")
    parts = urlsplit(text)
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError(f"{text[:200]!r} is no http or https URL of a DICOMweb service")
    if parts.query or parts.fragment:
        raise ValueError("the URL of a DICOMweb service has no query and no fragment")
    user = None if parts.username is None else (unquote(parts.username), unquote(parts.password or ""))
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}", user


def path_of(*segments: str) -> str:
    """A path of these segments, which come from anywhere: each stays one segment. ValueError for what cannot be one."""
    for segment in segments:
        if not isinstance(segment, str):
            raise TypeError(f"a UID is a str, not {type(segment).__name__}")
        if segment in ("", ".", "..") or len(segment) > 200 or not segment.isprintable():
            raise ValueError(f"{segment[:80]!r} is no UID, and cannot be part of a URL")
    return "/".join(quote(segment, safe="") for segment in segments)


def is_same_origin(one: str, other: str) -> bool:
    """Whether two URLs are of one server: scheme, host and port are the same, or http has become https."""
    a, b = urlsplit(one), urlsplit(other)
    if a.hostname != b.hostname:
        return False
    here, there = (_port(a), _port(b))
    return (a.scheme == b.scheme and here == there) or (
        a.scheme == "http" and b.scheme == "https" and here == 80 and there == 443
    )


def _port(parts: Any) -> int | None:
    try:
        return parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return None


def resolved(uri: str, base: str) -> str:
    """A URI of an answer, absolute (RFC 3986 5). ValueError if it is none that can be asked for."""
    made = urljoin(base, uri)
    parts = urlsplit(made)
    if parts.scheme not in PORTS or not parts.hostname or not uri.isprintable():  # urljoin drops line ends
        raise ValueError(f"{uri[:200]!r} is no http or https URL")
    return made


def redirected(call: Call, status: int, location: str) -> Call | None:
    """The request that a redirection asks for; None for one that is not followed.

    Another server gets neither credentials nor the caller's own headers, and never a body.
    """
    url = resolved(location, call.url)
    is_safe = call.method in ("GET", "HEAD")
    if is_same_origin(call.url, url) and not call.is_foreign:
        if not is_safe and status not in (307, 308):
            return None
        return replace(call, url=url, params=())
    if not is_safe:
        return None
    headers = {name: value for name, value in call.headers.items() if name.lower() in KEPT_HEADERS}
    return replace(call, url=url, params=(), headers=headers, is_foreign=True)


# -- queries


def pairs_of(
    keys: Mapping[Any, Any] | None,
    words: Mapping[str, Any],
    *,
    fuzzy: bool = False,
    include: Iterable[str] | str = (),
) -> list[tuple[str, str]]:
    """The query parameters of a search (PS3.18 8.3.4). ValueError for an attribute that does not exist."""
    pairs = [(_attribute(key), _text(value)) for key, value in (*(keys or {}).items(), *words.items())]
    fields = [include] if isinstance(include, str) else list(include)
    pairs += [("includefield", "all" if one == "all" else _attribute(one)) for one in fields]
    pairs += [("fuzzymatching", "true")] if fuzzy else []
    return pairs


def _attribute(key: Any) -> str:
    """A keyword, a tag, or a path of them with dots, as a query has it."""
    if not isinstance(key, str):
        return f"{int(Tag(key)):08X}"
    for word in key.split("."):
        if tag_for_keyword(word) is None and not TAG.fullmatch(word):
            raise ValueError(f"{word!r} is no keyword of the dictionary (PS3.6), and no tag of eight digits")
    return key


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y%m%d%H%M%S")
    if isinstance(value, datetime.date):
        return value.strftime("%Y%m%d")
    if isinstance(value, datetime.time):
        return value.strftime("%H%M%S")
    if isinstance(value, (list, tuple)):
        return ",".join(map(_text, value))
    return str(value)
