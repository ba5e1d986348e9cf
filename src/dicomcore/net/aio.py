"""The asyncio face: `associate` and an association with the names of the blocking one."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from typing import Any, Self, Unpack

from dicomcore.dataset import Dataset
from dicomcore.errors import AssociationAborted, NetworkError, NetworkTimeout
from dicomcore.net.asking import Asking, Options, asking_for
from dicomcore.net.commands import Field, Kind
from dicomcore.net.contexts import VERIFICATION, Offer, offers, plan, with_verification
from dicomcore.net.exchange import Context
from dicomcore.net.instances import TRANSCODE, Instance
from dicomcore.net.items import ContextOffer, Role
from dicomcore.net.operations import Operation, Outcome, Response, Storing
from dicomcore.net.requesting import (
    RequestorSession,
    event_values,
    lost,
    query,
    received_folder,
    requested_values,
    retrieval,
    retrieve_offers,
    single,
)
from dicomcore.net.requests import Peer, Request
from dicomcore.net.states import State
from dicomcore.net.storing import Folder

__all__ = ["Association", "associate"]

SCRATCH = 512 << 10
MOST_RESULTS = 4096  # results that wait for the caller before no more are read from the peer


class _Wire(asyncio.BufferedProtocol):
    """A transport and its session."""

    def __init__(self, asking: Asking, contexts: Iterable[ContextOffer], roles: Iterable[Role] = ()) -> None:
        self._asking = asking
        self.session = RequestorSession(asking, asking.request(contexts, roles), bytearray(SCRATCH))
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_paused = False
        self._is_reading = True
        self._changed = asyncio.Event()
        self._closed: asyncio.Future[None] = self._loop.create_future()

    async def open(self) -> Self:
        """Connect and associate."""
        asking, session = self._asking, self.session
        address, peer = asking.address, session.peer
        session.connection.connect(session.request, self._loop.time())
        try:
            async with asyncio.timeout(asking.timeouts.connect):
                await self._loop.create_connection(
                    lambda: self,
                    address.host,
                    address.port,
                    ssl=asking.tls,
                    server_hostname=address.host if asking.tls is not None else None,
                )
        except TimeoutError:
            raise NetworkTimeout(
                f"no connection in {asking.timeouts.connect:g} s (Timeouts.connect)", peer=peer
            ) from None
        except ssl.SSLError as error:
            raise NetworkError(f"no TLS connection: {error}", peer=peer) from None
        except OSError as error:
            raise lost(error, peer) from None
        while session.accept is None and session.failure is None:
            await self.wait()
        if session.failure is not None:
            self._transport.abort()
            raise session.failure
        return self

    @property
    def is_busy(self) -> bool:
        """Whether operations run."""
        return self.session.is_open and self.session.is_busy

    # -- the transport's calls

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.session.connection.connected(self._loop.time())
        self.flush()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.session.connection.buffer()

    def buffer_updated(self, nbytes: int) -> None:
        now = self._loop.time()
        self.session.handle(self.session.connection.received(nbytes, now), now)
        self.flush()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        now = self._loop.time()
        self.session.handle(self.session.connection.closed(now), now)
        if not self.session.is_released:
            why = f"the connection was lost: {exc}" if exc else "the association has ended"
            self.session.fail(AssociationAborted(why, peer=self.session.peer))
        if self._timer is not None:
            self._timer.cancel()
        if not self._closed.done():
            self._closed.set_result(None)
        self._changed.set()

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self.flush()

    # -- moving bytes

    def flush(self) -> None:
        """Send what may be sent now, and let those who wait look again."""
        now, session = self._loop.time(), self.session
        if session.is_open:
            session.pump(now)
        while not self._is_paused and (buffers := session.take(now)):
            # writelines() never pauses in 3.12 and 3.13 (CVE-2024-12254)
            self._transport.write(buffers[0] if len(buffers) == 1 else b"".join(buffers))
            session.pump(now)
        self._hold()
        if session.connection.wants_close:
            self._transport.close()
        self._schedule()
        self._changed.set()

    def _hold(self) -> None:
        """Read no more while nobody takes the results that are there."""
        may_read = self.session.results < MOST_RESULTS
        if may_read != self._is_reading and not self._transport.is_closing():
            self._is_reading = may_read
            self.session.held(self._loop.time())
            (self._transport.resume_reading if may_read else self._transport.pause_reading)()

    def _schedule(self) -> None:
        deadline = self.session.deadline
        if self._timer is not None:
            if deadline is not None and self._timer.when() <= deadline:
                return
            self._timer.cancel()
        self._timer = None if deadline is None else self._loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        if not self._is_reading:
            self.session.held(self._loop.time())
        self.session.expire(self._loop.time())
        if self.session.connection.state == State.IDLE:
            self._transport.abort()
            self._changed.set()
        else:
            self.flush()

    async def wait(self) -> None:
        """Until something has happened."""
        self._changed.clear()
        await self._changed.wait()

    # -- results

    async def results(self, operation: Operation) -> AsyncIterator[Any]:
        """The results of an operation as they come; leaving early cancels it."""
        self.session.start(operation)
        self.flush()
        try:
            while True:
                while operation.results:
                    yield operation.results.popleft()
                if operation.is_done:
                    break
                self._hold()
                await self.wait()
        finally:
            if not operation.is_done:
                await self._stop(operation)
        if operation.failure is not None:
            raise operation.failure

    async def _stop(self, operation: Operation) -> None:
        session = self.session
        if operation.can_cancel:
            session.cancel(operation)
        elif isinstance(operation, Storing):
            operation.stop()
        self.flush()
        try:
            async with asyncio.timeout(self._asking.timeouts.response):
                while not operation.is_done:
                    operation.results.clear()
                    self._hold()
                    await self.wait()
        except TimeoutError:
            self.abort("an operation was left")

    async def release(self) -> None:
        """End the association in order."""
        session = self.session
        if session.connection.state == State.ESTABLISHED and session.failure is None:
            session.release(self._loop.time())
            self.flush()
            while not session.is_released and session.failure is None:
                await self.wait()
        await self.close()

    async def close(self) -> None:
        """Close the transport; when the peer does not take what was sent in time, without that."""
        self._transport.close()
        if self._transport.get_write_buffer_size():
            await asyncio.wait([self._closed], timeout=self._asking.timeouts.release)
            self._transport.abort()
        await self._closed

    def abort(self, why: str = "aborted") -> None:
        """End the association at once."""
        self.session.abort(AssociationAborted(why, peer=self.session.peer), self._loop.time(), source=0)
        self.flush()
        self._transport.close()


class Association:
    """An association with a peer, as `dicomcore.net.Association` is, with ``await`` and ``async for``.

    Opened by ``async with aio.associate(…)``. Tasks may share it.
    """

    def __init__(self, asking: Asking) -> None:
        self._asking, self._is_fixed = asking, asking.is_fixed
        self._wire: _Wire = None  # type: ignore[assignment]
        self._beside: list[_Wire] = []

    async def open(self) -> Self:
        """Connect and associate; the exceptions are those of `dicomcore.net.associate`."""
        self._wire = await _Wire(self._asking, self._asking.offered()).open()
        return self

    def __await__(self) -> Any:
        return self.open().__await__()

    async def __aenter__(self) -> Self:
        return await self.open() if self._wire is None else self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            await self.release()
        else:
            await self.abort()

    @property
    def contexts(self) -> tuple[Context, ...]:
        """The presentation contexts that the peer accepted."""
        return tuple(self._wire.session.contexts.values())

    @property
    def peer(self) -> str:
        """The peer as ``AET@host:port``."""
        return self._wire.session.peer

    @property
    def window(self) -> int:
        """How many operations may be outstanding at a time."""
        return self._wire.session.window

    @property
    def is_open(self) -> bool:
        """Whether operations are possible."""
        return self._wire.session.is_open

    async def release(self) -> None:
        """End the association in order (A-RELEASE)."""
        for wire in (self._wire, *self._beside):
            await wire.release()

    async def abort(self) -> None:
        """End the association at once (A-ABORT)."""
        for wire in (self._wire, *self._beside):
            wire.abort()
            await wire.close()

    async def _switch(self, contexts: Iterable[ContextOffer], roles: Iterable[Role] = ()) -> _Wire:
        """Another association with these contexts, in place of the present one if that is not busy."""
        if self._wire.session.failure is not None:
            raise self._wire.session.failure
        if self._wire.is_busy:
            self._beside.append(self._wire)
        else:
            await self._wire.release()
        self._wire = await _Wire(self._asking, contexts, roles).open()
        return self._wire

    async def _wire_for(self, sop_class: str, *, as_scp: bool = False) -> _Wire:
        """An association with a context for a SOP class, if the peer accepts one."""
        session = self._wire.session
        known = {one.abstract_syntax for one in session.contexts.values() if one.as_scp >= as_scp}
        offered = session.request.contexts if not as_scp else ()
        known |= {offer.abstract_syntax for offer in offered} | {role.sop_class for role in session.request.user.roles}
        if self._is_fixed or sop_class in known:
            return self._wire
        wanted = [sop_class, *(one for one in self._asking.wanted if one != sop_class)]
        return await self._switch(offers(wanted), [Role(sop_class, True, True)] if as_scp else [])

    # -- DIMSE-C

    async def echo(self) -> Response:
        """Verify that the peer answers (C-ECHO)."""
        return await self._single(Kind.C_ECHO, VERIFICATION, None, {Field.AFFECTED_SOP_CLASS: VERIFICATION})

    async def store(
        self, sources: Any, *, transcode: str = "uncompressed", originator: tuple[str, int] | None = None
    ) -> AsyncIterator[Outcome]:
        """Send instances (C-STORE), as the blocking face does: an Outcome for each."""
        if transcode not in TRANSCODE:
            raise ValueError(f"transcode is one of {', '.join(TRANSCODE)}, not {transcode!r}")
        if isinstance(sources, str | os.PathLike | Dataset):
            sources = [sources]
        options: dict[str, Any] = {"transcode": transcode, "originator": originator, "limits": self._asking.reading}
        left: list[Instance] = []
        async for outcome in self._wire.results(
            Storing(sources, left_over=None if self._is_fixed else left.append, **options)
        ):
            yield outcome
        for contexts in plan((one.sop_class, one.transfer_syntax) for one in left):
            classes = {offer.abstract_syntax for offer in contexts}
            some = [one for one in left if one.sop_class in classes]
            left = [one for one in left if one.sop_class not in classes]
            wire = await self._switch(with_verification(contexts))
            async for outcome in wire.results(Storing(some, **options)):
                yield outcome

    async def find(
        self, keys: Dataset | Mapping[str, Any], *, level: str | None = None, model: str = "study"
    ) -> AsyncIterator[Dataset]:
        """Query (C-FIND), as the blocking face does: an identifier for each match."""
        operation = query(keys, level, model, self._asking.reading)
        wire = await self._wire_for(operation.sop_class)
        async for one in wire.results(operation):
            yield one

    async def move(
        self, keys: Dataset | Mapping[str, Any], *, to: str, level: str | None = None, model: str = "study"
    ) -> AsyncIterator[Response]:
        """Have the peer send instances to a third party (C-MOVE): a Response each time it counts."""
        operation = retrieval(Kind.C_MOVE, keys, level, model, to, self._asking.reading)
        wire = await self._wire_for(operation.sop_class)
        async for one in wire.results(operation):
            yield one

    async def get(
        self,
        keys: Dataset | Mapping[str, Any],
        *,
        into: str | os.PathLike[str] | Folder,
        level: str | None = None,
        model: str = "study",
        storage: Iterable[Offer] | None = None,
    ) -> AsyncIterator[Outcome]:
        """Retrieve instances into a folder (C-GET), as the blocking face does: an Outcome for each."""
        operation = retrieval(Kind.C_GET, keys, level, model, None, self._asking.reading)
        offered = retrieve_offers(operation.sop_class, storage)
        wire = self._wire if self._is_fixed else await self._switch(*offered)
        wire.session.folder, wire.session.retrieving = received_folder(into, self._asking.limits), operation
        try:
            async for one in wire.results(operation):
                yield one
        finally:
            wire.session.retrieving = None
        last = operation.last
        if last is not None and last.status.category == "failure":
            raise NetworkError(f"the retrieval failed: {last.comment or last.status.text}", peer=self.peer)

    # -- DIMSE-N

    async def n_create(
        self, sop_class: str, ds: Dataset | None = None, *, instance: str | None = None, over: str | None = None
    ) -> Response:
        """Create an instance (N-CREATE); without `instance` the peer makes its UID.

        Here and below `over` is the abstract syntax of the presentation context, if that is another than the SOP class
        of the message (PS3.4 CC.3.1.1, H.3.1).
        """
        values: dict[int, Any] = {Field.AFFECTED_SOP_CLASS: sop_class, Field.AFFECTED_SOP_INSTANCE: instance}
        return await self._single(Kind.N_CREATE, sop_class, ds, values, over)

    async def n_set(self, sop_class: str, instance: str, ds: Dataset, *, over: str | None = None) -> Response:
        """Change an instance (N-SET)."""
        return await self._single(Kind.N_SET, sop_class, ds, requested_values(sop_class, instance), over)

    async def n_get(
        self, sop_class: str, instance: str, tags: Iterable[int] = (), *, over: str | None = None
    ) -> Response:
        """Read attributes of an instance (N-GET), all of them without `tags`."""
        values = requested_values(sop_class, instance)
        values[Field.ATTRIBUTES] = tuple(map(int, tags)) or None
        return await self._single(Kind.N_GET, sop_class, None, values, over)

    async def n_action(
        self, sop_class: str, instance: str, action: int, ds: Dataset | None = None, *, over: str | None = None
    ) -> Response:
        """Have an action done (N-ACTION)."""
        values = {**requested_values(sop_class, instance), Field.ACTION_TYPE: action}
        return await self._single(Kind.N_ACTION, sop_class, ds, values, over)

    async def n_delete(self, sop_class: str, instance: str, *, over: str | None = None) -> Response:
        """Delete an instance (N-DELETE)."""
        return await self._single(Kind.N_DELETE, sop_class, None, requested_values(sop_class, instance), over)

    async def n_event_report(
        self, sop_class: str, instance: str, event: int, ds: Dataset | None = None, *, over: str | None = None
    ) -> Response:
        """Report an event (N-EVENT-REPORT), in the role of SCP."""
        return await self._single(Kind.N_EVENT_REPORT, sop_class, ds, event_values(sop_class, instance, event), over)

    async def report(self, seconds: float = 1.0) -> Request | None:
        """The next event that the peer reports over this association, as `net.Association.report` does."""
        session = self._wire.session
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not session.reports and session.is_open:
                    await self._wire.wait()
        if not session.reports:
            if session.failure is not None:
                raise session.failure
            return None
        asking = self._asking
        place = (asking.address.host, asking.address.port)
        return Request(session.reports.pop(0), Peer(place, asking.called, asking.calling, None, 0), asking.reading)

    async def _single(
        self, kind: Kind, sop_class: str, ds: Dataset | None, values: dict[int, Any], over: str | None = None
    ) -> Response:
        operation = single(kind, over or sop_class, ds, values, self._asking.reading)
        wire = await self._wire_for(over or sop_class, as_scp=kind == Kind.N_EVENT_REPORT)
        async for response in wire.results(operation):
            assert isinstance(response, Response)
        return response


def associate(address: str | tuple[str, int], **options: Unpack[Options]) -> Association:
    """An association to be opened by ``async with`` or ``await``; options and errors are those of `net.associate`.

    It is always released when nothing was asked for ``Timeouts.idle`` seconds, without a thread.
    """
    return Association(asking_for(address, **options))
