"""Both faces of the client on one server: a script of answers, or an application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from dicomcore import web

URL = "https://pacs.example.org/dicom-web"
JSON = {"content-type": "application/dicom+json"}


class Script(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A server that answers by a function, and keeps the requests with their bodies.

    The function gives a response, or pieces of a body to be cut by an exception among them.
    """

    def __init__(self, answer: Callable[[httpx.Request], Any]) -> None:
        self._answer = answer
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        return self._made(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return self._made(request)

    def _made(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        made = self._answer(request)
        if isinstance(made, Exception):
            raise made
        return made

    @property
    def paths(self) -> list[str]:
        """Path and query of each request, below the service."""
        return [request.url.raw_path.decode().removeprefix("/dicom-web/") for request in self.requests]


class Cut(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Pieces of a body; an exception among them is raised."""

    def __init__(self, *pieces: Any) -> None:
        self._pieces = pieces

    def __iter__(self):
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def __aiter__(self):
        for piece in self:
            yield piece


def answer(status: int = 200, body: bytes | list[Any] = b"", headers: dict[str, str] | None = None) -> httpx.Response:
    """A response whose body comes in these pieces."""
    pieces = body if isinstance(body, list) else [body]
    return httpx.Response(status, headers=headers or {}, stream=Cut(*pieces))


class Waits:
    """Keeps how long the client wanted to wait, and does not wait."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)

    async def later(self, seconds: float) -> None:
        self.seconds.append(seconds)


class Blocking:
    """The blocking face: `run(name, …)` gives a list of what a method yields, or what it returns."""

    def __init__(self, transport: Any, **options: Any) -> None:
        self.waits = Waits()
        self.client = web.Client(options.pop("url", URL), transport=transport, sleep=self.waits, **options)

    def run(self, name: str, *args: Any, **options: Any) -> Any:
        with self.client:
            made = _method(self.client, name)(*args, **options)
            return list(made) if hasattr(made, "__next__") else made


class Awaited:
    """The asynchronous face."""

    def __init__(self, transport: Any, **options: Any) -> None:
        self.waits = Waits()
        self.client = web.AsyncClient(options.pop("url", URL), transport=transport, sleep=self.waits.later, **options)

    def run(self, name: str, *args: Any, **options: Any) -> Any:
        async def work() -> Any:
            async with self.client:
                made = _method(self.client, name)(*args, **options)
                return [one async for one in made] if hasattr(made, "__anext__") else await made

        return asyncio.run(work())


def _method(client: Any, name: str) -> Any:
    made = client
    for part in name.split("."):
        made = getattr(made, part)
    return made


FACES = {"blocking": Blocking, "asynchronous": Awaited}
