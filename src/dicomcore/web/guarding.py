"""What stands before every request: its size, and the origin of the page that sends it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from dicomcore.web.problems import Problem
from dicomcore.web.requests import Request

__all__ = ["Origins", "head_size", "is_host"]

METHODS = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
EXPOSED = "Accept-Ranges, Content-Length, Content-Location, Content-Range, ETag, Location, Warning, X-Total-Count"
HOST = re.compile(r"([^:\[\]]+|\[[^\]]*\])(?::\d*)?")
MOST_HEADERS = 1024  # characters of what a preflight asks for


def is_host(named: str, allowed: Collection[str]) -> bool:
    """Whether a Host field names one of some hosts, at whatever port.

    A page whose name was made to lead to this machine (DNS rebinding) still sends its own name.
    """
    found = HOST.fullmatch(named.strip().lower())
    return found is not None and found[1].strip("[]") in allowed


def head_size(scope: Mapping[str, Any]) -> int:
    """Bytes of a request's target and header fields."""
    size = len(scope.get("raw_path") or scope["path"]) + len(scope.get("query_string", b""))
    for name, value in scope["headers"]:
        size += len(name) + len(value)
    return size


class Origins:
    """The origins whose pages may use the service (Fetch standard, CORS)."""

    def __init__(self, allowed: Collection[str]) -> None:
        if isinstance(allowed, str):
            allowed = (allowed,)
        self._any = "*" in allowed
        self._allowed = frozenset(one.rstrip("/").lower() for one in allowed)

    def takes(self, origin: str) -> bool:
        """Whether an origin is allowed."""
        return self._any or origin.lower() in self._allowed

    def headers(self, request: Request) -> list[tuple[str, str]]:
        """Header fields that every answer to a request has, errors too."""
        origin = request.headers.get("origin")
        if origin is None or not self._allowed:
            return []
        if not self.takes(origin):
            return [("vary", "origin")]
        named = "*" if self._any else origin
        return [("access-control-allow-origin", named), ("access-control-expose-headers", EXPOSED), ("vary", "origin"),
                *(self._preflight(request) if self.is_preflight(request) else ())]  # fmt: skip

    def is_preflight(self, request: Request) -> bool:
        """Whether a browser asks what a page may do."""
        return (
            request.method == "OPTIONS" and "origin" in request.headers
            and "access-control-request-method" in request.headers
        )  # fmt: skip

    def _preflight(self, request: Request) -> list[tuple[str, str]]:
        asked = request.headers.get("access-control-request-headers", "")[:MOST_HEADERS]
        headers = [("access-control-allow-methods", METHODS), ("access-control-max-age", "600")]
        return [*headers, ("access-control-allow-headers", asked)] if asked else headers

    def check(self, request: Request) -> None:
        """Refuse a change that a page of another origin asks for: browsers send some of these without a preflight."""
        origin = request.headers.get("origin")
        if origin is None or self.takes(origin):
            return
        host = request.headers.get("host", "")
        base = urlsplit(request.node.base_url).netloc
        if urlsplit(origin).netloc.lower() not in {host.lower(), base.lower()} - {""}:
            raise Problem(403, "pages of this origin may not change what is stored")
