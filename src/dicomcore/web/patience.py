"""A connection of uvicorn with deadlines: for heads of requests, and for clients that take nothing of an answer."""

from __future__ import annotations

import asyncio
from typing import Any, Self

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dicomcore.web.limits import DEFAULT_WEB_LIMITS, WebLimits

__all__ = ["Patience"]

SLACK = 4
"""Times WebLimits.head_bytes that may come before a head ends: the application answers those that do end."""
AHEAD = 512 << 10
"""Bytes of a body that wait for the application before no more is read."""


class _Unstated(int):
    """The length of a body that ends with its connection: uvicorn finds no body too long or too short for it."""

    def __sub__(self, other: object) -> Self:
        return self

    def __lt__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = int.__hash__


class Patience(HttpToolsProtocol):
    """One connection. What it waits for has a deadline: the head of a request, and that the client takes an answer.

    Bodies are not its business: the application waits for these, see `bodies`.
    """

    def __init__(self, *arguments: Any, limits: WebLimits = DEFAULT_WEB_LIMITS, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._limits = limits
        self._loose = 0  # bytes since a head, a piece of a body, or a message was complete
        self._head: asyncio.TimerHandle | None = None
        self._taking: asyncio.TimerHandle | None = None

    # -- heads

    def connection_made(self, transport: Any) -> None:
        """A client has come."""
        super().connection_made(transport)
        self._await_head()

    def _await_head(self) -> None:
        self._stop_head()
        self._head = self.loop.call_later(self._limits.head_seconds, self._late)

    def _stop_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _late(self) -> None:
        if self._loose:
            self._refuse(b"408 Request Timeout", "the head of the request did not come in time")
        else:
            self.transport.close()

    def _refuse(self, status: bytes, text: str) -> None:
        if not self.transport.is_closing():
            body = text.encode()
            self.transport.write(b"HTTP/1.1 %b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n"
                                 b"Connection: close\r\n\r\n%b" % (status, len(body), body))  # fmt: skip
            self.transport.close()
            self._watch()

    def data_received(self, data: bytes) -> None:
        """Bytes have come. What belongs to no body has a bound: a head or a trailer that does not end."""
        if self.transport.is_closing():
            return
        self._loose += len(data)
        super().data_received(data)
        if self._loose > SLACK * self._limits.head_bytes:
            if self.cycle is None or self.cycle.response_complete:
                self._refuse(b"431 Request Header Fields Too Large", "the head of the request is too long")
            else:  # an answer is under way, which a refusal would be taken for a part of
                self.transport.abort()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._loose = max(self._loose, 1)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head is complete."""
        self._stop_head()
        self._loose = 0
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before and self.parser.get_http_version() == "1.0":
            self.cycle.chunked_encoding = False  # of which HTTP/1.0 knows nothing (RFC 9112 6.1)
            self.cycle.expected_content_length = _Unstated()

    def on_body(self, body: bytes) -> None:
        """A piece of a body has come. The application gets these bytes themselves; uvicorn would copy them twice."""
        self._loose = 0
        cycle = self.cycle
        if cycle.response_complete or (self.parser.should_upgrade() and self._should_upgrade()):
            return
        if not cycle.body:  # nothing does, if the application keeps up: it gets `bytes` of it, which are the same
            cycle.body = body  # type: ignore[assignment]
        else:
            if isinstance(cycle.body, bytes):
                cycle.body = bytearray(cycle.body)  # chunks of one byte are not to cost a copy of all before them each
            cycle.body += body
        if len(cycle.body) > AHEAD:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        """A request is complete."""
        self._loose = 0
        super().on_message_complete()

    # -- answers

    def on_response_complete(self) -> None:
        """An answer is complete, though perhaps not sent: another request may come."""
        has_next = bool(self.pipeline)
        super().on_response_complete()
        if self.transport.is_closing():
            self._watch()
        elif not has_next:
            self._await_head()

    def timeout_keep_alive_handler(self) -> None:
        """No other request has come."""
        super().timeout_keep_alive_handler()
        self._watch()

    def pause_writing(self) -> None:
        """The client takes less than is sent."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """The client has taken it."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._stop_watching()

    def _watch(self) -> None:
        size = self.transport.get_write_buffer_size()
        if size and self._taking is None:
            self._taking = self.loop.call_later(self._limits.send_seconds, self._look, size)

    def _look(self, before: int) -> None:
        """Break off if the client has taken too little of what waits for it."""
        self._taking = None
        left = self.transport.get_write_buffer_size()
        if not left:
            return
        if before - left < self._limits.least_rate * self._limits.send_seconds:
            self.transport.abort()
        else:
            self._watch()

    def _stop_watching(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._stop_head()
        super().connection_lost(exc)
        self._stop_watching()
