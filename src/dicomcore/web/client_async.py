"""AsyncClient: a DICOMweb service, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, Self

from dicomcore.dataset import Dataset
from dicomcore.errors import WebError
from dicomcore.forms import read_json_lines
from dicomcore.web.client_answers import Answer
from dicomcore.web.client_api import Api
from dicomcore.web.client_operations import ClientLimits, Operation, Retrieved
from dicomcore.web.client_reading import widen
from dicomcore.web.client_requests import Call, Result
from dicomcore.web.client_retries import Retries
from dicomcore.web.client_storing import Stored, UnreadableError
from dicomcore.web.client_transport import Attempt, Body, first_request, head_of, httpx
from dicomcore.web.client_workitems import Commitment

__all__ = ["AsyncClient"]

END = object()


class AsyncClient(
    Api[
        AsyncIterator[Dataset],
        AsyncIterator[Any],
        Awaitable[Dataset],
        Awaitable[bytes],
        Awaitable[str],
        Awaitable[None],
        Awaitable[Stored],
        Awaitable[Retrieved],
        Awaitable[Commitment],
        Awaitable[tuple[str, str]],
    ]
):
    """A DICOMweb service (PS3.18) for asyncio: the methods of `Client`, whose iterators are asynchronous and whose
    other results are awaited.

    The options are those of `Client`; `transport` is an ``httpx.AsyncBaseTransport``, and `sleep` is awaited. Values
    that `metadata` left on the server are given by ``await client.bulkdata(element)``.
    """

    _bulk = "leave"

    def __init__(
        self,
        url: str,
        *,
        auth: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = 60.0,
        retries: int | Retries = 3,
        verify: Any = True,
        hosts: Iterable[str] = (),
        limits: ClientLimits | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        super().__init__(url, auth=auth, headers=headers, retries=retries, hosts=hosts, limits=limits)
        self._http = httpx.AsyncClient(timeout=timeout, verify=verify, transport=transport, follow_redirects=False)
        widen(self._http, is_async=True)
        self._sleep = sleep

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _run(self, operation: Operation) -> Any:
        run = _Running(self, operation)
        async for _ in run.steps():
            pass
        return run.value

    def _iterate(self, operation: Operation) -> AsyncIterator[Any]:
        return _Running(self, operation).steps()

    async def _events(self, url: str) -> AsyncIterator[Dataset]:
        """Event reports of a WebSocket."""
        try:
            from websockets.asyncio.client import connect
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError('websockets is not installed; pip install "dicomcore[web]" brings it') from error
        asked = first_request("http" + url.removeprefix("ws"), self._headers, self._auth)
        more = {name: value for name, value in asked.headers.items() if name not in ("host", "user-agent")}
        async with connect(url, additional_headers=more, max_size=self._limits.body) as channel:
            async for message in channel:
                data = message.encode() if isinstance(message, str) else message
                for ds in read_json_lines([data], limits=self._limits.reading):
                    yield ds


class _Running:
    """An operation that is run: its results, and `value`, what it returned."""

    def __init__(self, client: AsyncClient, operation: Operation) -> None:
        self._client, self._operation = client, operation
        self._answer: Answer | None = None
        self.value: Any = None

    async def steps(self) -> AsyncIterator[Any]:
        """The results."""
        operation = self._operation
        failure: WebError | UnreadableError | None = None
        while True:
            try:
                step = operation.send(self._answer) if failure is None else operation.throw(failure)
            except StopIteration as end:
                self.value = end.value
                return
            self._answer = failure = None
            if isinstance(step, Result):
                yield step.value
                continue
            try:
                async for result in self._perform(step):
                    yield result
            except (WebError, UnreadableError) as error:
                failure = error

    async def _perform(self, call: Call) -> AsyncIterator[Any]:
        """Send a request until `_answer` stands; what a receiver makes of its body."""
        client = self._client
        attempt = Attempt(call, client._retries, client._headers, client._auth)
        while True:
            self._answer = None
            try:
                async for result in self._send(attempt):
                    yield result
            except httpx.TransportError as error:
                await client._sleep(attempt.pause_without(error))
                continue
            if self._answer is None:
                continue
            pause = attempt.pause_after(self._answer)
            if pause is None:
                return
            await client._sleep(pause)

    async def _send(self, attempt: Attempt) -> AsyncIterator[Any]:
        """One try, which sets `_answer` unless it is a redirection."""
        arguments = attempt.arguments()
        content = attempt.call.content
        body: Any = _Pieces(content) if callable(content) else content
        async with self._client._http.stream(content=body, **arguments) as response:
            head = head_of(response, attempt.call.url)
            if attempt.follows(head):
                return
            taken = Body(attempt.call, head, self._client._limits.reading)
            raw = _whole(response.content) if response.is_stream_consumed else response.aiter_raw()
            try:
                async for data in raw:
                    for result in taken.feed(data):
                        attempt.given += 1
                        yield result
                for result in taken.close():
                    yield result
            finally:
                taken.abort()
            self._answer = taken.answer


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    yield data


class _Pieces:
    """A body that can be sent again; files are read in threads."""

    def __init__(self, make: Callable[[], Iterator[bytes]]) -> None:
        self._make = make

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = self._make()
        while (piece := await asyncio.to_thread(next, pieces, END)) is not END:
            assert isinstance(piece, bytes)
            yield piece
