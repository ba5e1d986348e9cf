"""Bodies of requests, as they arrive: with deadlines, inflated within bounds, and never held whole."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

from dicomcore.web.deadlines import Idle
from dicomcore.web.problems import Problem
from dicomcore.web.requests import Request

__all__ = ["Gone", "body_pieces", "whole_body"]

FREE = 1 << 20  # inflated bytes before the ratio counts
STEP = 1 << 20
WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 47}


class Gone(Exception):
    """The client has left before its request was whole."""


async def body_pieces(request: Request) -> AsyncIterator[bytes]:
    """The body in the pieces in which it comes. Problem 408 if it comes too slowly, 413, 415; Gone."""
    inflater = _inflater(request)
    seconds = request.node.limits.receive_seconds
    try:
        with Idle(seconds) as idle:
            async for data in _received(request, idle):
                if inflater is None:
                    yield data
                    continue
                for piece in inflater.feed(data):
                    yield piece
    except TimeoutError:
        raise Problem(408, f"no more of the request came for {seconds:g} s", [("connection", "close")]) from None
    if inflater is not None and not inflater.is_complete:
        raise Problem(400, "the compressed body is cut short")


async def _received(request: Request, idle: Idle) -> AsyncIterator[bytes]:
    limits = request.node.limits
    more, came = True, 0
    while more:
        idle.begin()
        message = await request.receive()
        idle.end()
        if message["type"] == "http.disconnect":
            raise Gone
        data: bytes = message.get("body", b"")
        request.node.metrics.received += len(data)
        came += len(data)
        if idle.waited > limits.receive_seconds + came / limits.least_rate:
            raise Problem(408, f"less than {limits.least_rate} bytes a second came", [("connection", "close")])
        if data:
            yield data
        more = message.get("more_body", False)


class _Inflater:
    def __init__(self, window: int, ratio: int) -> None:
        self._inflate, self._ratio = zlib.decompressobj(window), ratio
        self._came = self._made = 0

    @property
    def is_complete(self) -> bool:
        return self._inflate.eof

    def feed(self, data: bytes) -> list[bytes]:
        """The inflated bytes; Problem if they are too many for what came."""
        self._came += len(data)
        pieces = []
        try:
            while data:
                piece = self._inflate.decompress(data, STEP)
                data = self._inflate.unconsumed_tail
                self._made += len(piece)
                if self._made > max(FREE, self._ratio * self._came):
                    raise Problem(413, "the body inflates beyond all measure")
                if piece:
                    pieces.append(piece)
        except zlib.error as error:
            raise Problem(400, f"the body is not compressed as it says: {error}") from None
        return pieces


def _inflater(request: Request) -> _Inflater | None:
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding in ("identity", ""):
        return None
    if coding not in WINDOWS:
        raise Problem(415, f"the content coding {coding[:40]!r} is not known", [("accept-encoding", "gzip, deflate")])
    return _Inflater(WINDOWS[coding], request.node.limits.inflated_ratio)


async def whole_body(request: Request, most: int) -> bytes:
    """The whole body; Problem 413 for more than `most` bytes."""
    if request.body_length > most:
        raise Problem(413, f"the body is longer than {most} bytes")
    held = bytearray()
    async for piece in body_pieces(request):
        held += piece
        if len(held) > most:
            raise Problem(413, f"the body is longer than {most} bytes")
    return bytes(held)
