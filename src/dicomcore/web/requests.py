"""Requests and answers: what a handler gets, and what it gives."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote

from dicomcore.web.media import MediaRange, parse_accept
from dicomcore.web.problems import Problem

if TYPE_CHECKING:
    from dicomcore.web.node import Node
    from dicomcore.web.outcomes import Outcomes

__all__ = ["Reply", "Request", "forwarded_for"]

Receive = Callable[[], Awaitable[Any]]
MOST_PARAMETERS = 512
HOST = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)*/?")


@dataclass(slots=True)
class Reply:
    """An answer: a body, or a `stream` of its pieces.

    `stream` is an iterator that a thread runs, or one that runs in the event loop. `length` is that of a stream if it
    is known. `is_text` says that the body may be compressed for clients that take that.
    """

    status: int = 200
    media: str = ""
    body: bytes | memoryview = b""
    headers: Sequence[tuple[str, str]] = ()
    stream: Iterator[bytes | memoryview] | AsyncIterator[bytes] | None = None
    length: int | None = None
    is_text: bool = False


@dataclass(slots=True)
class Request:
    """A request. `path` are the decoded segments behind the root; `user` is what the auth hook returned."""

    node: Node
    scope: Mapping[str, Any]
    receive: Receive
    method: str
    path: tuple[str, ...]
    headers: dict[str, str]
    user: Any = None
    outcomes: Outcomes | None = None
    """What became of instances that were to be stored, for an audit trail."""
    is_working: bool = True
    """Whether it counts as one that is worked on, see `WebLimits.requests`."""
    _query: list[tuple[str, str]] | None = field(default=None)

    def rest(self) -> None:
        """From now on the request waits for its client: it does not count as one that is worked on."""
        if self.is_working:
            self.is_working = False
            self.node.metrics.working -= 1

    @property
    def body_length(self) -> int:
        """Content-Length, 0 if there is none; Problem for one that is none."""
        text = self.headers.get("content-length", "0")
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise Problem(400, "Content-Length is no number")
        return int(text)

    @property
    def query(self) -> list[tuple[str, str]]:
        """The parameters behind the question mark, in their order."""
        if self._query is None:
            text = self.scope.get("query_string", b"").decode("latin-1")
            try:
                self._query = parse_qsl(
                    text, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS, separator="&"
                )
            except UnicodeDecodeError:
                raise Problem(400, "the query string is not in UTF-8") from None
            except ValueError:
                raise Problem(400, f"more than {MOST_PARAMETERS} query parameters") from None
        return self._query

    def parameter(self, name: str) -> str | None:
        """A parameter; None if it is not there. Problem if it is repeated."""
        found = [value for key, value in self.query if key == name]
        if len(found) > 1:
            raise Problem(400, f"{name} is given {len(found)} times")
        return found[0] if found else None

    @property
    def accepted(self) -> tuple[MediaRange, ...]:
        """What the client takes, the best first: the `accept` parameter, or else the header (PS3.18 8.3.3.1)."""
        asked = self.parameter("accept") if b"accept=" in self.scope.get("query_string", b"") else None
        try:
            return parse_accept(self.headers.get("accept", "") if asked is None else asked.replace(" ", "+"))
        except ValueError as error:
            raise Problem(400, str(error)) from None

    @property
    def base(self) -> str:
        """Where the service is: the configured base, or what the client called it by."""
        node = self.node
        if node.base_url:
            return node.base_url
        scheme, host = self.scope.get("scheme", "http"), self.headers.get("host", "localhost")
        scheme = {"ws": "http", "wss": "https"}.get(scheme, scheme)
        root = str(self.scope.get("root_path", ""))
        if node.proxied:
            scheme, host, root = forwarded(self.headers, scheme, host, root)
        return f"{scheme}://{host}{quote(root)}"

    def has_tag(self, tag: str) -> bool:
        """Whether the client has the representation with this entity tag (RFC 9110 13.1.2)."""
        held = self.headers.get("if-none-match")
        if held is None:
            return False
        plain = tag.removeprefix("W/")
        return held.strip() == "*" or plain in (one.strip().removeprefix("W/") for one in held.split(","))


def forwarded_for(request: Request) -> str:
    """The address of the client, as a proxy says it in Forwarded (RFC 7239) or the older field; "" if it does not."""
    said = _first_forwarded(request.headers).get("for")
    if said is not None:
        return said.partition("]")[0].strip("[")
    return request.headers.get("x-forwarded-for", "").split(",")[0].strip()


def _first_forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    """The parameters of the first proxy in Forwarded, by name."""
    pairs = (pair.partition("=") for pair in headers.get("forwarded", "").split(",")[0].split(";"))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def forwarded(headers: Mapping[str, str], scheme: str, host: str, root: str) -> tuple[str, str, str]:
    """What the client called, by the fields that a proxy sets: Forwarded (RFC 7239), or the older ones."""
    said = _first_forwarded(headers)
    older = {name: headers.get(f"x-forwarded-{name}", "").split(",")[0].strip() for name in ("proto", "host", "prefix")}
    scheme_said = said.get("proto") or older["proto"] or scheme
    host_said = said.get("host") or older["host"] or host
    if scheme_said in ("http", "https"):
        scheme = scheme_said
    if HOST.fullmatch(host_said):
        host = host_said
    return scheme, host, older["prefix"].rstrip("/") + root if PREFIX.fullmatch(older["prefix"]) else root


def segments(path: str) -> tuple[str, ...]:
    """The segments of a path; an empty one at its end does not count."""
    parts = path.strip("/").split("/") if path.strip("/") else []
    return tuple(unquote(part) if "%" in part else part for part in parts)
