"""What both faces do around httpx: header fields, errors, redirects, bodies in memory; no I/O of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from dicomcore.errors import DicomError, LimitError, WebError
from dicomcore.limits import Limits
from dicomcore.version import __version__
from dicomcore.web.client_answers import Answer, Inflater, inflater_for
from dicomcore.web.client_requests import Call, redirected
from dicomcore.web.client_retries import Retries

try:
    import httpx
except ModuleNotFoundError as error:
    raise ModuleNotFoundError('httpx is not installed; pip install "dicomcore[web]" brings it', name="httpx") from error

__all__ = ["AGENT", "Attempt", "Body", "first_request", "head_of"]

AGENT = f"dicomcore/{__version__}"
MOST_REDIRECTS = 5
UNREACHED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


def head_of(response: httpx.Response, url: str) -> Answer:
    """The answer of a response without its body, with header fields by names in lower case."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    if response.is_stream_consumed:  # a transport of a test gave the whole body, which httpx has inflated
        headers.pop("content-encoding", None)
    return Answer(response.status_code, headers, url)


class Attempt:
    """Sends of one call: what is sent now, and what follows from its end."""

    def __init__(self, call: Call, retries: Retries, headers: Mapping[str, str], auth: Any) -> None:
        self.call = call
        self._retries, self._headers, self._auth = retries, headers, auth
        self._tries = self._redirects = 0
        self.given = 0
        """Results that the caller has got of this try."""

    def arguments(self) -> dict[str, Any]:
        """The arguments of ``httpx.Client.stream``, but for the content."""
        call = self.call
        self._tries += 1
        self.given = 0
        own = {} if call.is_foreign else self._headers
        return {
            "method": call.method,
            "url": call.url,
            "params": list(call.params) or None,
            "headers": {"User-Agent": AGENT, **own, **call.headers},
            "auth": None if call.is_foreign else self._auth,
        }

    def follows(self, answer: Answer) -> bool:
        """Whether the answer is a redirection, which is followed. WebError for one too many, or to nowhere."""
        location = answer.headers.get("location", "")
        if answer.status not in (301, 302, 303, 307, 308) or not location:
            return False
        self._redirects += 1
        if self._redirects > MOST_REDIRECTS:
            raise WebError(f"more than {MOST_REDIRECTS} redirections", status=answer.status, url=answer.url)
        try:
            following = redirected(self.call, answer.status, location)
        except ValueError as error:
            raise WebError(str(error), status=answer.status, url=answer.url) from None
        if following is None:
            where = urlsplit(location).hostname or "another place"
            said = f"a redirection to {where} is not followed by a {self.call.method}"
            raise WebError(said, status=answer.status, url=answer.url)
        self.call = following
        self._tries -= 1
        return True

    def pause_after(self, answer: Answer) -> float | None:
        """Seconds until another try; None if the answer stands."""
        return self._retries.after(
            self._tries, answer.status, answer.headers, is_repeatable=self.call.is_repeatable
        )  # fmt: skip

    def pause_without(self, error: Exception) -> float:
        """Seconds until another try after no answer, or half of one. Else WebError."""
        pause = None
        if not self.given:
            reached = not isinstance(error, UNREACHED)
            pause = self._retries.after(self._tries, 0, {}, is_repeatable=self.call.is_repeatable, reached=reached)
        if pause is None:
            raise WebError(_why(error), url=self.call.url) from error
        return pause


def _why(error: Exception) -> str:
    whats: dict[type[Exception], str] = {
        httpx.ConnectError: "cannot be reached",
        httpx.ConnectTimeout: "cannot be reached in time",
        httpx.ReadTimeout: "the server did not answer in time",
        httpx.WriteTimeout: "the server did not take what was sent in time",
        httpx.PoolTimeout: "too many requests at once",
        httpx.RemoteProtocolError: "the connection broke",
        httpx.ReadError: "the connection broke",
        httpx.WriteError: "the connection broke",
    }
    what = whats.get(type(error), type(error).__name__)
    return f"{what} ({error})" if str(error) else what


class Body:
    """Takes the raw bytes of an answer's body: into memory, or on to the receiver, inflated if they are compressed."""

    def __init__(self, call: Call, answer: Answer, limits: Limits) -> None:
        self._answer, self._most = answer, call.most
        self._inflater: Inflater | None = None
        self._pieces: list[bytes] = []
        self._size = 0
        is_good = 200 <= answer.status < 300 and answer.status != 204
        self._receiver = call.receiver() if is_good and call.receiver is not None else None
        with self._named():
            self._inflater = inflater_for(answer.headers, limits)
            if self._receiver is not None:
                self._receiver.begin(answer)

    def feed(self, data: bytes) -> Iterator[Any]:
        """The next bytes; what the receiver makes of them."""
        with self._named():
            for piece in [data] if self._inflater is None else self._inflater.feed(data):
                if self._receiver is not None:
                    yield from self._receiver.feed(piece)
                else:
                    self._keep(piece)

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._most:
            raise LimitError(f"{self._answer.url.partition('?')[0]}: the answer has more than {self._most} bytes")
        self._pieces.append(piece)

    def close(self) -> Iterator[Any]:
        """The body is complete."""
        with self._named():
            if self._inflater is not None:
                self._inflater.close()
            if self._receiver is not None:
                receiver, self._receiver = self._receiver, None
                yield from receiver.close()

    def abort(self) -> None:
        """The body will not be complete, or is no longer wanted."""
        if self._receiver is not None:
            self._receiver.abort()

    @property
    def answer(self) -> Answer:
        """The answer with its body, as far as it is in memory."""
        return Answer(self._answer.status, self._answer.headers, self._answer.url, b"".join(self._pieces))

    def _named(self) -> _Named:
        return _Named(self._answer)


class _Named:
    """Says of errors in a body which answer it was."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, DicomError) and not isinstance(error, (WebError, LimitError)):
            raise WebError(str(error), status=self._answer.status, url=self._answer.url) from error


def first_request(url: str, headers: Mapping[str, str], auth: Any) -> httpx.Request:
    """A request with the credentials that go out first, for a connection that httpx does not make."""
    request = httpx.Request("GET", url, headers={"User-Agent": AGENT, **headers})
    if isinstance(auth, tuple):
        auth = httpx.BasicAuth(*auth)
    if isinstance(auth, httpx.Auth):
        return next(auth.sync_auth_flow(request))
    if callable(auth):
        made: httpx.Request = auth(request)
        return made
    return request
