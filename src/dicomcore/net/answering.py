"""Answering: one request on its way through a handler, in a thread or on the loop, and its responses."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from dicomcore.dataset import Dataset
from dicomcore.encoding import encode
from dicomcore.net.commands import Field, Kind
from dicomcore.net.exchange import Message
from dicomcore.net.requests import Failure, Request, Spooled
from dicomcore.net.statuses import status_of
from dicomcore.net.suboperations import send_instances

if TYPE_CHECKING:
    from dicomcore.net.accepting import AcceptorSession

__all__ = ["Answering"]

log = logging.getLogger("dicomcore.net")
PENDING, CANCELLED, FAILED, CANNOT_UNDERSTAND = 0xFF00, 0xFE00, 0x0110, 0xC000
MANY = 512  # responses that are handed to the loop at a time, at most
MANY_BYTES = 256 << 10  # bytes of them
SOON = 0.1  # seconds after which those that there are go out


class Answering:
    """A request that a handler works on. It begins at once; `done` is called when the last response is handed over."""

    def __init__(
        self,
        connection: Any,
        session: AcceptorSession,
        message: Message,
        request: Request,
        handler: Callable[..., Any],
        done: Callable[[], None],
        pool: ThreadPoolExecutor,
    ) -> None:
        self._connection, self._session, self._message, self._request = connection, session, message, request
        self._handler, self._done, self._pool = handler, done, pool
        self._may_go = threading.Event()
        self._may_go.set()
        self._is_over = False
        self._held: list[bytes] = []  # answers that the thread gives and the loop takes
        self._lock = threading.Lock()
        loop = connection.loop
        if inspect.iscoroutinefunction(handler) or inspect.isasyncgenfunction(handler):
            self._task: Any = loop.create_task(self._run_async())
        else:
            self._task = loop.run_in_executor(pool, self._run)

    # -- from the connection

    def cancel(self) -> None:
        """The peer cancelled, or has gone."""
        self._request.is_cancelled = True
        self._may_go.set()

    def go_on(self) -> None:
        """The peer takes more."""
        self._may_go.set()

    # -- in a thread

    def _run(self) -> None:
        try:
            result = self._handler(self._request)
            kind = self._message.command.kind
            if kind == Kind.C_FIND:
                self._find(result)
            elif kind in (Kind.C_MOVE, Kind.C_GET):
                send_instances(self, result)
            else:
                self.over(*self._single(result))
        except Exception as error:
            self._fail(error)

    def _find(self, results: Iterable[Any]) -> None:
        iterator = iter(results)
        most, count, size = 1, 0, 0  # the first answer goes out at once, then more and more together
        status: int = 0
        try:
            for one in iterator:
                if self._request.is_cancelled:
                    status = CANCELLED
                    break
                data = self._identifier(one)
                if data is None:
                    status = status_of(one)
                    break
                with self._lock:
                    is_first = not self._held
                    self._held.append(data)
                count, size = count + 1, size + len(data)
                if count >= most or size >= MANY_BYTES:
                    self._hand()
                    most, count, size = min(2 * most, MANY), 0, 0
                elif is_first:
                    self.call(self._hand_soon)
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()
        self._hand()
        self.over(CANCELLED if self._request.is_cancelled else status)

    def _identifier(self, one: Any) -> bytes | None:
        """The bytes of an answer; None if it is a status."""
        if isinstance(one, bytes):
            return one
        return encode(one, self._message.context.transfer_syntax) if isinstance(one, Dataset) else None

    def _hand(self) -> None:
        """Give the responses that are held to the loop, and wait while the peer takes none."""
        self._may_go.clear()
        self.call(self._respond_held)
        self._may_go.wait()

    def call(self, function: Callable[..., None], *arguments: Any) -> None:
        """Have the loop do something."""
        self._connection.loop.call_soon_threadsafe(function, *arguments)

    def over(self, status: int, data: bytes | None = None, values: dict[int, Any] | None = None) -> None:
        """The last response, from a thread."""
        self.call(self.finish, status, data, values)

    def _fail(self, error: Exception) -> None:
        if isinstance(error, Failure):
            self.over(error.status, None, {Field.ERROR_COMMENT: error.comment[:64] or None})
            return
        log.warning(
            "association %d: the handler of %04X failed: %s",
            self._session.number,
            self._message.command.kind,
            type(error).__name__,
            exc_info=log.isEnabledFor(logging.DEBUG),
        )
        status = CANNOT_UNDERSTAND if self._message.command.kind <= Kind.C_MOVE else FAILED
        self.over(status, None, {Field.ERROR_COMMENT: type(error).__name__[:64]})

    def _single(self, result: Any) -> tuple[int, bytes | None, dict[int, Any] | None]:
        """Status and data set of what a handler gave: a status, a data set, or both."""
        status, ds = result if isinstance(result, tuple) else (result, None)
        if isinstance(status, Dataset):
            status, ds = 0, status
        data = None if ds is None else encode(ds, self._message.context.transfer_syntax)
        return status_of(status), data, self._extra()

    def _extra(self) -> dict[int, Any]:
        """Elements that a response repeats from its request (PS3.7 10.3)."""
        command = self._message.command
        made: dict[int, Any] = {number: command.get(number) for number in (Field.EVENT_TYPE, Field.ACTION_TYPE)}
        if command.kind == Kind.N_CREATE:
            made[Field.AFFECTED_SOP_INSTANCE] = self._request.sop_instance
        return made | self._request.response

    # -- on the loop

    async def _run_async(self) -> None:
        try:
            kind = self._message.command.kind
            if inspect.isasyncgenfunction(self._handler):
                await self._find_async(self._handler(self._request))
            else:
                result = await self._handler(self._request)
                if kind == Kind.C_FIND:
                    await self._connection.loop.run_in_executor(self._pool, self._find, result)
                elif kind in (Kind.C_MOVE, Kind.C_GET):
                    await self._connection.loop.run_in_executor(self._pool, send_instances, self, result)
                else:
                    self.finish(*self._single(result))
        except Exception as error:
            self._fail(error)

    async def _find_async(self, results: Any) -> None:
        status = 0
        try:
            async for one in results:
                if self._request.is_cancelled:
                    break
                data = self._identifier(one)
                if data is None:
                    status = status_of(one)
                    break
                self._respond_many([data])
                while not self._may_go.is_set():
                    await asyncio.sleep(0.005)
        finally:
            await results.aclose()
        self.finish(CANCELLED if self._request.is_cancelled else status, None, None)

    def _hand_soon(self) -> None:
        """A handler may take long for its next answer: those that there are do not wait for it."""
        self._connection.loop.call_later(SOON, self._respond_held)

    def _respond_held(self) -> None:
        with self._lock:
            batch, self._held = self._held, []
        if not self._is_over:
            self._respond_many(batch)

    def _respond_many(self, batch: list[bytes]) -> None:
        if batch and self._session.is_open:
            self._session.respond_all(self._message, PENDING, batch)
            self._connection.flush()
        if self._connection.is_paused and not self._request.is_cancelled:
            self._may_go.clear()
        else:
            self._may_go.set()

    def finish(self, status: int, data: bytes | None, values: dict[int, Any] | None) -> None:
        """The last response."""
        if self._is_over:
            return
        self._is_over = True
        if isinstance(self._message.data, Spooled):
            self._message.data.drop()
        if self._session.is_open:
            self._session.respond(self._message, status, data=data, values=values)
        if self._session.offering.audit is not None:
            self._session.offering.audit.answered(self._request, status, values)
        self._done()
        self._connection.flush_soon()
        for job in self._request.afterwards:
            self._connection.loop.call_soon(self._pool.submit, self._afterwards, job)

    def _afterwards(self, job: Callable[[], object]) -> None:
        try:
            job()
        except Exception as error:
            log.warning("association %d: %s behind a response: %s", self._session.number, type(error).__name__, error)

    # -- for sub-operations

    @property
    def request(self) -> Request:
        """What is answered."""
        return self._request

    @property
    def session(self) -> AcceptorSession:
        """The session of the request."""
        return self._session

    @property
    def message(self) -> Message:
        """The message of the request."""
        return self._message

    def pending(self, values: dict[int, Any]) -> None:
        """A response that counts, from a thread."""
        self.call(self._pending, values)

    def _pending(self, values: dict[int, Any]) -> None:
        if self._session.is_open and not self._is_over:
            self._session.respond(self._message, PENDING, values=values)
            self._connection.flush()
