"""Client: a DICOMweb service, blocking."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
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

__all__ = ["Client"]

Sets = Iterator[Dataset]


class Client(Api[Sets, Iterator[Any], Dataset, bytes, str, None, Stored, Retrieved, Commitment, tuple[str, str]]):
    """A DICOMweb service (PS3.18), blocking; a context manager. One object serves many threads.

    Parameters
    ----------
    url : str
        The service: ``https://pacs.example.org/dicom-web``.
    auth : optional
        Credentials: a pair of user and password, an ``httpx.Auth``, or a function that changes each request. They go to
        this server only, whatever it redirects to.
    headers : mapping, optional
        Header fields of each request to this server.
    timeout : float
        Seconds to wait for a connection, and for each piece of what is received or sent.
    retries : int or Retries
        How often a request that failed is sent again.
    verify : bool or ssl.SSLContext
        What the server's certificate is checked by.
    hosts : iterable of str
        Other hosts that bulk data may be on. They get no credentials.
    limits : ClientLimits, optional
        What the server may make the client hold.
    transport : httpx.BaseTransport, optional
        What sends, for tests and proxies.
    sleep : callable
        How to wait for another try.
    """

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
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        super().__init__(url, auth=auth, headers=headers, retries=retries, hosts=hosts, limits=limits)
        self._http = httpx.Client(timeout=timeout, verify=verify, transport=transport, follow_redirects=False)
        widen(self._http, is_async=False)
        self._sleep = sleep

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, operation: Operation) -> Any:
        steps = self._steps(operation)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value

    def _iterate(self, operation: Operation) -> Iterator[Any]:
        return self._steps(operation)

    def _steps(self, operation: Operation) -> Generator[Any, None, Any]:
        """Run an operation: its results, and at the end what it returns."""
        answer: Answer | None = None
        failure: WebError | UnreadableError | None = None
        while True:
            try:
                step = operation.send(answer) if failure is None else operation.throw(failure)
            except StopIteration as end:
                return end.value
            answer = failure = None
            if isinstance(step, Result):
                yield step.value
                continue
            try:
                answer = yield from self._perform(step)
            except (WebError, UnreadableError) as error:
                failure = error

    def _perform(self, call: Call) -> Generator[Any, None, Answer]:
        """Send a request until it has an answer that stands; what a receiver makes of its body."""
        attempt = Attempt(call, self._retries, self._headers, self._auth)
        while True:
            try:
                answer = yield from self._send(attempt)
            except httpx.TransportError as error:
                self._sleep(attempt.pause_without(error))
                continue
            if answer is None:
                continue
            pause = attempt.pause_after(answer)
            if pause is None:
                return answer
            self._sleep(pause)

    def _send(self, attempt: Attempt) -> Generator[Any, None, Answer | None]:
        """One try. None for a redirection."""
        arguments = attempt.arguments()
        content = attempt.call.content
        body: Any = _Pieces(content) if callable(content) else content
        with self._http.stream(content=body, **arguments) as response:
            head = head_of(response, attempt.call.url)
            if attempt.follows(head):
                return None
            taken = Body(attempt.call, head, self._limits.reading)
            try:
                for data in [response.content] if response.is_stream_consumed else response.iter_raw():
                    for result in taken.feed(data):
                        attempt.given += 1
                        yield result
                yield from taken.close()
            finally:
                taken.abort()
            return taken.answer

    def _events(self, url: str) -> Iterator[Dataset]:
        """Event reports of a WebSocket."""
        try:
            from websockets.sync.client import connect
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError('websockets is not installed; pip install "dicomcore[web]" brings it') from error
        asked = first_request("http" + url.removeprefix("ws"), self._headers, self._auth)
        more = {name: value for name, value in asked.headers.items() if name not in ("host", "user-agent")}
        with connect(url, additional_headers=more, max_size=self._limits.body) as channel:
            for message in channel:
                data = message.encode() if isinstance(message, str) else message
                yield from read_json_lines([data], limits=self._limits.reading)


class _Pieces:
    """A body that can be sent again."""

    def __init__(self, make: Callable[[], Iterator[bytes]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[bytes]:
        return self._make()
