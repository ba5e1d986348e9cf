"""Answers on their way: head, body or stream, with a deadline for clients that stop reading."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from dicomcore.web.deadlines import Idle
from dicomcore.web.metadata import takes_gzip
from dicomcore.web.node import END, Node
from dicomcore.web.problems import MEDIA, Problem, report
from dicomcore.web.requests import Reply, Request

__all__ = ["Sender"]

POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
PAGE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
LEAST = 860
"""Bytes from which a text is compressed."""
LEVEL = 1
WITHOUT_BODY = frozenset({204, 304})
"""Statuses of answers without Content-Length: that would be the length of another answer's body (RFC 9110 8.6)."""


class Sender:
    """Sends one answer."""

    def __init__(self, node: Node, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        self.headers: list[tuple[str, str]] = []
        self.status = 0
        self._node, self._scope, self._receive, self._send = node, scope, receive, send

    async def fail(self, request: Request | None, problem: Problem) -> None:
        """Say what is wrong. An answer that has begun is broken off, so that nobody takes it for whole."""
        if self.status:
            raise ConnectionError(f"an answer was broken off: {problem.text}")
        reply = Reply(problem.status, MEDIA, report(problem.status, problem.text), problem.headers)
        await self.send(request, reply)

    async def send(self, request: Request | None, reply: Reply) -> None:
        """Send an answer."""
        body = reply.body
        headers = [*self.headers, *reply.headers]
        if reply.is_text and len(body) >= LEAST and request is not None:
            headers.append(("vary", "accept, accept-encoding"))
            if takes_gzip(request):
                body = await self._node.work(gzip.compress, body, LEVEL)
                headers.append(("content-encoding", "gzip"))
        if reply.status in WITHOUT_BODY:
            pass
        elif reply.stream is None:
            headers.append(("content-length", str(len(body))))
        elif reply.length is not None:
            headers.append(("content-length", str(reply.length)))
        self.status = reply.status
        await self._begin(reply, headers)
        if self._scope["method"] == "HEAD":
            await self._put(b"", False)
        elif reply.stream is None:
            await self._put(body, False)
        else:
            await self._stream(reply.stream)

    async def _begin(self, reply: Reply, headers: list[tuple[str, str]]) -> None:
        names = {name for name, _ in headers}
        plain = [
            ("content-type", reply.media) if reply.media else None,
            ("x-content-type-options", "nosniff"),
            ("cache-control", "private, no-store") if "cache-control" not in names else None,
            ("content-security-policy", PAGE if reply.media.startswith("text/html") else POLICY)
            if "content-security-policy" not in names
            else None,
        ]
        pairs = [*headers, *(one for one in plain if one is not None)]
        encoded = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in pairs]
        await self._send({"type": "http.response.start", "status": reply.status, "headers": encoded})

    async def _put(self, body: Any, more: bool) -> None:
        self._node.metrics.sent += len(body)
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def _stream(self, stream: Iterator[Any] | AsyncIterator[bytes]) -> None:
        """Send pieces as the client takes them; stop when it has left."""
        gone = asyncio.ensure_future(self._left())
        seconds = self._node.limits.send_seconds
        try:
            with Idle(seconds) as idle:
                await self._pieces(stream, idle, gone)
        except TimeoutError:
            self.status = 499
            raise ConnectionError(f"the client took nothing for {seconds:g} s") from None
        finally:
            gone.cancel()
            close = getattr(stream, "close", None)
            if close is not None:
                await self._node.work(_closed, close)

    async def _pieces(self, stream: Any, idle: Idle, gone: asyncio.Future[None]) -> None:
        next_of = self._next(stream)
        while (piece := await next_of()) is not END:
            if gone.done():
                self.status = 499
                return
            idle.begin()
            await self._put(piece, True)
            idle.end()
        await self._put(b"", False)

    def _next(self, stream: Any) -> Callable[[], Any]:
        if hasattr(stream, "__anext__"):
            return lambda: anext(stream, END)
        return lambda: self._node.next_of(stream)

    async def _left(self) -> None:
        """Return when the client is gone."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _closed(close: Callable[[], Any]) -> None:
    with suppress(ValueError):  # it runs in another thread still
        close()
