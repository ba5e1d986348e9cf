"""Server: associations of peers on an asyncio loop, and the functions that answer their requests."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self, TypeVar

from dicomcore._native.net.plain import Plain
from dicomcore.errors import AssociationAborted, NetworkError
from dicomcore.limits import Limits
from dicomcore.net.accepting import AcceptorSession, Offering
from dicomcore.net.address import address_of
from dicomcore.net.answering import Answering
from dicomcore.net.commands import Field, Kind
from dicomcore.net.contexts import UNCOMPRESSED
from dicomcore.net.exchange import Message
from dicomcore.net.limits import DEFAULT_NET_LIMITS, DEFAULT_TIMEOUTS, NetLimits, Timeouts
from dicomcore.net.models import model_of
from dicomcore.net.reporting import Backchannel
from dicomcore.net.requests import Peer, Request
from dicomcore.net.sealing import SealedProtocol
from dicomcore.net.states import State
from dicomcore.net.storing import Folder, Told

if TYPE_CHECKING:
    from dicomcore.audit import Hook
    from dicomcore.net.auditing import Auditor

__all__ = ["Server"]

Handler = TypeVar("Handler", bound=Callable[..., Any])

log = logging.getLogger("dicomcore.net")
SCRATCH = 512 << 10  # bytes that a loop receives into at a time
BACKLOG = 128
UNRECOGNIZED = 0x0211
GRACE = 10.0
FAR_TOO_MANY = 2  # times the limit of associations; further connections are closed without a word
MOST_DIRECT = 8  # associations that threads serve by themselves
FEW, MANY = 2, 1024  # plain requests in a row before a thread serves them; the more often that did not last
MOST_WAITING = 1024  # messages that wait for the peer before no more are read from it


class Server:
    """A server of DIMSE services; a context manager that serves in a thread of its own.

    Associations live on one loop. While a peer stores one instance after another into a folder, without a function for
    them or with one that takes many, or echoes, a thread serves it without the loop and the GIL; up to eight do at a
    time.

    Parameters
    ----------
    ae : str or iterable of str
        The AE titles that it answers to; ``""`` answers to any.
    bind : str
        ``host:port``; port 0 takes a free one, which `port` tells. Only this machine by default.
    folder : path or Folder, optional
        Where instances are stored; with it the server offers storage. Otherwise `store` registers a function.
    tls : ssl.SSLContext, optional
        Speak TLS; see `dicomcore.net.tls`.
    accept : callable, optional
        ``accept(request, address)`` raises `Refusal` to reject an association.
    authenticate : callable, optional
        ``authenticate(identity, request)`` returns who it is, or None; then associations need a user identity.
    limits, timeouts : NetLimits, Timeouts
        Bounds of each association and of all together.
    reading : Limits, optional
        Bounds on data sets that are decoded.
    workers : int, optional
        Threads for functions that are not async.
    audit : callable, optional
        Called with each event of PS3.15 A.5 from any thread; an `audit.Trail` writes them.
    """

    def __init__(
        self,
        ae: str | Iterable[str] = "DICOMCORE",
        bind: str = "127.0.0.1:0",
        *,
        folder: str | os.PathLike[str] | Folder | None = None,
        tls: ssl.SSLContext | None = None,
        accept: Callable[..., None] | None = None,
        authenticate: Callable[..., Any] | None = None,
        limits: NetLimits = DEFAULT_NET_LIMITS,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        reading: Limits | None = None,
        workers: int | None = None,
        audit: Hook | None = None,
    ) -> None:
        self._address = address_of(bind)
        titles = (ae,) if isinstance(ae, str) else tuple(ae)
        stored = folder if folder is None or isinstance(folder, Folder) else Folder(folder, limits=limits)
        self.offering = Offering(
            titles=frozenset(title for title in titles if title),
            limits=limits,
            timeouts=timeouts,
            reading=reading,
            folder=stored,
            has_store=stored is not None,
            accept=accept,
            authenticate=authenticate,
            audit=None if audit is None else _auditor(audit, titles),
        )
        self._tls = tls
        self._handlers: dict[tuple[int, str], Callable[..., Any]] = {}
        self._associations: set[_Protocol] = set()
        self._peers: Counter[str] = Counter()
        self._count = 0
        self._scratch = bytearray(SCRATCH)
        self._sealed = memoryview(bytearray(0 if tls is None else SCRATCH))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: asyncio.Server | None = None
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="dicomcore-net")
        self._direct_pool = ThreadPoolExecutor(MOST_DIRECT, thread_name_prefix="dicomcore-net-direct")
        self._direct = 0
        self._thread: threading.Thread | None = None
        self._is_stopping = False

    # -- what is served

    def store(self, handler: Handler, *, many: Callable[[Peer, list[str], Told], None] | None = None) -> Handler:
        """Register the function for C-STORE: it gets a Request, and returns a status or None for success.

        With a folder, it is called when the instance is in its place. There `many` may do the same for several
        instances that a peer stores one after another: it gets the peer, paths of files in the folder's `.incoming`,
        and a function that it calls, from any thread, with a status and a comment of each.
        """
        self.offering.has_store = True
        self.offering.many = many
        return self._register(Kind.C_STORE, (), handler)

    def find(self, handler: Handler | None = None, *, model: str | Sequence[str] = ("patient", "study")) -> Any:
        """Register a generator for C-FIND of query models: it gets a Request, and yields identifiers.

        An identifier is a data set, or its bytes in the transfer syntax of the request's context. The generator is
        closed when the peer cancels or goes. A status in place of an identifier ends the answers.
        """
        names = [model] if isinstance(model, str) else list(model)
        return self._decorate(Kind.C_FIND, [model_of(name).find for name in names], handler)

    def move(self, handler: Handler | None = None, *, model: str | Sequence[str] = ("patient", "study")) -> Any:
        """Register a generator for C-MOVE.

        It first yields the destination as ``AET@host:port`` (or None, if it is unknown), then the instances to send,
        paths or data sets, as one list or one by one.
        """
        names = [model] if isinstance(model, str) else list(model)
        return self._decorate(Kind.C_MOVE, [model_of(name).move for name in names], handler)

    def get(self, handler: Handler | None = None, *, model: str | Sequence[str] = ("patient", "study")) -> Any:
        """Register a function for C-GET, which returns the instances to send, paths or data sets."""
        names = [model] if isinstance(model, str) else list(model)
        self.offering.scp_roles.update(model_of(name).get for name in names)
        return self._decorate(Kind.C_GET, [model_of(name).get for name in names], handler)

    def service(self, kind: Kind, sop_classes: Iterable[str], handler: Handler | None = None) -> Any:
        """Register a function for a DIMSE-N service of SOP classes.

        It gets a Request, and returns a status, a data set, or both as a tuple; `Request.response` takes what else the
        response is to say. For N_EVENT_REPORT a peer may be the SCP of the SOP classes.
        """
        sop_classes = list(sop_classes)
        if kind == Kind.N_EVENT_REPORT:
            self.offering.reported.update(sop_classes)
        return self._decorate(kind, sop_classes, handler)

    def add(self, *services: Any) -> None:
        """Serve ready services of `dicomcore.services`."""
        for service in services:
            service.join(self)

    def _decorate(self, kind: Kind, sop_classes: Sequence[str], handler: Handler | None) -> Any:
        if handler is None:
            return lambda made: self._register(kind, sop_classes, made)
        return self._register(kind, sop_classes, handler)

    def _register(self, kind: Kind, sop_classes: Sequence[str], handler: Handler) -> Handler:
        for uid in sop_classes or ("",):
            if uid or not sop_classes:
                self._handlers[kind, uid] = handler
            if uid:
                self.offering.syntaxes[uid] = UNCOMPRESSED
        return handler

    def handler(self, kind: int, sop_class: str) -> Callable[..., Any] | None:
        """The function for a kind of request and a SOP class."""
        return self._handlers.get((kind, sop_class)) or self._handlers.get((kind, ""))

    # -- life

    @property
    def port(self) -> int:
        """The port that it listens at."""
        if self._server is None or not self._server.sockets:
            raise RuntimeError("the server does not listen yet")
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def address(self) -> str:
        """Where it listens, as ``AET@host:port``."""
        title = min(self.offering.titles, default="")
        return str(self._address._replace(title=title, port=self.port))

    @property
    def associations(self) -> int:
        """How many associations there are now."""
        return len(self._associations)

    async def start(self) -> None:
        """Listen, on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._is_stopping = False
        try:
            self._server = await self._loop.create_server(
                self._protocol, self._address.host, self._address.port, backlog=BACKLOG
            )
        except OSError as error:
            # asyncio says the address again; the numbers of failed look-ups of names are negative.
            reason = os.strerror(error.errno) if (error.errno or 0) > 0 and error.errno else error.strerror or error
            raise NetworkError(f"cannot listen at {self._address}: {reason}") from None
        if self.offering.audit is not None:
            self.offering.audit.entered()

    def _protocol(self) -> asyncio.BaseProtocol:
        """What a new connection is given to."""
        made = _Protocol(self)
        if self._tls is None:
            return made
        auditor = self.offering.audit
        failed = None if auditor is None else lambda host, why: auditor.refused(host, "", f"no TLS connection: {why}")
        return SealedProtocol(self._tls, made, self.offering.timeouts.connect, self._sealed, failed)

    async def stop(self, grace: float = GRACE) -> None:
        """Stop listening, let associations finish what they do, then end them."""
        self._is_stopping = True
        if self._server is not None:
            self._server.close()
        until = asyncio.get_running_loop().time() + grace
        for one in list(self._associations):
            one.stop()
        while self._associations and asyncio.get_running_loop().time() < until:
            if not any(one.is_working for one in self._associations):
                break
            await asyncio.sleep(0.01)
        for one in list(self._associations):
            one.end("the server stops")
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._direct_pool.shutdown(wait=False)
        if self.offering.audit is not None:
            self.offering.audit.left()

    def __enter__(self) -> Self:
        started = threading.Event()
        failed: list[BaseException] = []

        def work() -> None:
            try:
                asyncio.run(self._run(started))
            except BaseException as error:
                failed.append(error)
                started.set()

        self._thread = threading.Thread(target=work, name="dicomcore-net", daemon=True)
        self._thread.start()
        started.wait()
        if failed:
            raise failed[0]
        return self

    async def _run(self, started: threading.Event) -> None:
        await self.start()
        self._stopped = asyncio.Event()
        started.set()
        await self._stopped.wait()
        await self.stop()

    def __exit__(self, *_: object) -> None:
        if self._loop is not None and self._thread is not None:
            with suppress(RuntimeError):  # of a loop that has ended
                self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join()

    def serve(self, listening: Callable[[], None] | None = None) -> None:
        """Serve until the process is interrupted. `listening` is called when peers can connect."""

        async def forever() -> None:
            import signal

            await self.start()
            self._stopped = asyncio.Event()
            if listening is not None:
                listening()
            for name in ("SIGINT", "SIGTERM"):
                with suppress(NotImplementedError, RuntimeError, ValueError):  # Windows, and threads
                    asyncio.get_running_loop().add_signal_handler(getattr(signal, name), self._stopped.set)
            await self._stopped.wait()
            await self.stop()

        asyncio.run(forever())

    # -- for its associations

    def joined(self, protocol: _Protocol, host: str) -> tuple[int, bool, bool]:
        """A connection came: the number of its association, whether it is one too many, which is told to it, and
        whether there are so many that they are not even told."""
        limits = self.offering.limits
        self._count += 1
        ratio = max(len(self._associations) / limits.associations, self._peers[host] / limits.associations_a_peer)
        self._associations.add(protocol)
        self._peers[host] += 1
        return self._count, ratio >= 1 or self._is_stopping, ratio >= FAR_TOO_MANY

    def left(self, protocol: _Protocol, host: str) -> None:
        """A connection has ended."""
        self._associations.discard(protocol)
        self._peers[host] -= 1
        if not self._peers[host]:
            del self._peers[host]

    @property
    def pool(self) -> ThreadPoolExecutor:
        """Threads for functions that are not async."""
        return self._pool

    @property
    def may_serve_directly(self) -> bool:
        """Whether a thread may serve the plain requests of another association by itself."""
        if self._is_stopping or self._direct >= MOST_DIRECT:
            return False
        return self.offering.many is not None or all(kind != Kind.C_STORE for kind, _ in self._handlers)

    def serve_directly(self, function: Callable[..., None], *arguments: Any) -> None:
        """Have a thread serve an association; `served_directly` follows."""
        self._direct += 1
        self._direct_pool.submit(function, *arguments)

    def served_directly(self) -> None:
        """A thread serves an association no more."""
        self._direct -= 1

    @property
    def is_stopping(self) -> bool:
        """Whether the server takes nothing new."""
        return self._is_stopping

    @property
    def scratch(self) -> bytearray:
        """Memory that all connections of the loop receive into."""
        return self._scratch


def _auditor(hook: Hook, titles: Iterable[str]) -> Auditor:
    """What tells a hook; servers without one do not load it."""
    from dicomcore.net.auditing import Auditor

    return Auditor(hook, titles)


class _Protocol(asyncio.BufferedProtocol):
    """One connection of the server's."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_paused = self._is_flushing = False
        self._host = ""
        self._answering: dict[int, Answering] = {}  # by message ID
        self._slow: asyncio.TimerHandle | None = None  # until when the peer has to take what was sent
        self._is_reading = True
        self._told = False
        self._plain: Plain | None = None  # serves in a thread
        self._is_direct = False  # while it does
        self._is_finishing = False  # nothing is read until what is answered now is, and a thread may serve
        self._few = FEW

    # -- the transport's calls

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        address = transport.get_extra_info("peername") or ("", 0)
        self._host = str(address[0])
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number, too_many, far_too_many = self._server.joined(self, self._host)
        self._session = AcceptorSession(self._server.offering, address, number, self._server.scratch, self._request)
        self._session.is_refused = too_many
        self._session.connection.accepted(self._loop.time())
        if far_too_many:
            transport.abort()
            return
        self._schedule()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._session.connection.buffer()

    def buffer_updated(self, nbytes: int) -> None:
        self._received(nbytes)
        if self._session.plain_requests >= self._few:
            self._go_direct()

    def _received(self, nbytes: int) -> None:
        now = self._loop.time()
        self._session.handle(self._session.connection.received(nbytes, now), now)
        self.flush()

    def eof_received(self) -> bool:
        now = self._loop.time()
        self._session.handle(self._session.connection.closed(now), now)
        self.flush()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        now = self._loop.time()
        self._session.handle(self._session.connection.closed(now), now)
        if not self._session.is_released:
            self._session.fail(AssociationAborted("the connection was lost", peer=self._session.peer))
        for one in list(self._answering.values()):
            one.cancel()
        for timer in (self._timer, self._slow):
            if timer is not None:
                timer.cancel()
        if self._plain is not None:
            self._plain.stop()
        self._server.left(self, self._host)
        self._tell()
        if self._server.offering.audit is not None and self._session.known is not None:
            self._server.offering.audit.ended(self._session.known)

    def _tell(self) -> None:
        """One line in the log for an association that asked for something; connections without a word leave none."""
        session = self._session
        if self._told or session.request is None:
            return
        self._told = True
        failure = session.failure
        log.info(
            "association %d with %s %s",
            session.number,
            session.peer,
            "released" if failure is None else f"ended: {failure}",
        )

    def pause_writing(self) -> None:
        self._is_paused = True
        seconds = self._server.offering.timeouts.write
        if seconds is not None and self._slow is None:
            self._slow = self._loop.call_later(seconds, self._too_slow)

    def _too_slow(self) -> None:
        """The peer did not take what was sent: nothing more can be said to it."""
        seconds = self._server.offering.timeouts.write
        why = f"the peer took nothing for {seconds:g} s (Timeouts.write)"
        self._session.fail(AssociationAborted(why, peer=self._session.peer))
        self._transport.abort()

    def resume_writing(self) -> None:
        self._is_paused = False
        if self._slow is not None and not self._transport.is_closing():
            self._slow.cancel()
            self._slow = None
        for one in list(self._answering.values()):
            one.go_on()
        self.flush()

    # -- moving bytes

    def flush(self) -> None:
        """Send what may be sent, and look at the time again."""
        now = self._loop.time()
        session = self._session
        if session.is_busy:
            session.pump(now)
        while session.waiting() and not self._is_paused:
            buffers = session.take(now)
            if not buffers:  # messages that can no longer be sent
                break
            # writelines() never pauses in 3.12 and 3.13 (CVE-2024-12254)
            self._transport.write(buffers[0] if len(buffers) == 1 else b"".join(buffers))
        if session.connection.wants_close:
            self._close()
        elif self._is_reading != (session.waiting() < MOST_WAITING):
            self._is_reading = not self._is_reading
            session.held(now)
            (self._transport.resume_reading if self._is_reading else self._transport.pause_reading)()
        self._schedule()

    def _close(self) -> None:
        """Close when what was sent is taken, and in any case when the time for that is over."""
        self._transport.close()
        seconds = self._server.offering.timeouts.associate
        if seconds is not None and self._slow is None and self._transport.get_write_buffer_size():
            self._slow = self._loop.call_later(seconds, self._transport.abort)

    def flush_soon(self) -> None:
        """Send what waits after what else is due now: answers that are ready together go out together."""
        if not self._is_flushing:
            self._is_flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._is_flushing = False
        if not self._transport.is_closing():
            self.flush()
            if self._is_finishing and not self._answering:
                self._finished()

    def _schedule(self) -> None:
        deadline = self._session.deadline
        timer = self._timer
        if timer is not None:
            if deadline is not None and timer.when() <= deadline:
                return  # it looks again when its time has come
            timer.cancel()
        self._timer = None if deadline is None else self._loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        now = self._loop.time()
        if not self._is_reading:
            self._session.held(now)
        if self._is_direct:
            self._session.rest(now)
        self._session.expire(now)
        if self._session.connection.state == State.IDLE:
            self._transport.abort()
            return
        self.flush()

    # -- plain requests, which a thread serves without the loop

    def _go_direct(self) -> None:
        """Give the socket to a thread while plain requests come, if nothing else is going on."""
        session, transport, server = self._session, self._transport, self._server
        is_idle = session.is_between and self._is_reading and not transport.is_closing()
        if self._is_direct or not is_idle or transport.get_write_buffer_size() or not server.may_serve_directly:
            return
        if self._answering:
            self._finish()
            return
        self._plain = self._plain or session.plain()
        if self._plain is None:
            self._few = session.plain_requests + MANY
            return
        try:
            file = os.dup(transport.get_extra_info("socket").fileno())  # which stays this connection's in any case
        except OSError:
            return
        self._is_direct = True
        transport.pause_reading()
        server.serve_directly(self._serve, self._plain, file)

    def _finish(self) -> None:
        """Read nothing until the instances that are being stored are; then go on as if none were."""
        if not self._is_finishing and all(one.message.command.kind == Kind.C_STORE for one in self._answering.values()):
            self._is_finishing = True
            self._transport.pause_reading()

    def _finished(self) -> None:
        self._is_finishing = False
        if self._transport.is_closing():
            return
        self._transport.resume_reading()
        self._go_direct()

    def _serve(self, plain: Plain, file: int) -> None:
        """In the thread: until there is something that is not plain, or nothing."""
        before, transport = (plain.served, plain.kept), self._transport
        try:
            rest, answers = transport.serve(plain, file) if isinstance(transport, SealedProtocol) else plain.serve(file)
        finally:
            os.close(file)
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(
                self._served, plain.served - before[0], plain.kept - before[1], rest, answers
            )

    def _served(self, requests: int, size: int, rest: bytes, answers: bytes) -> None:
        """Go on where the thread left."""
        session = self._session
        self._is_direct = False
        self._server.served_directly()
        session.plain_requests = 0
        self._few = FEW if requests >= FEW else min(2 * self._few, MANY)
        if self._transport.is_closing():
            return
        if session.offering.folder is not None:
            session.offering.folder.wrote(size)
        session.rest(self._loop.time())
        if answers:
            getattr(self._transport, "below", self._transport).write(answers)
        self._transport.resume_reading()
        view = memoryview(rest)
        while view and not self._transport.is_closing():
            target = session.connection.buffer()
            count = min(len(view), len(target))
            target[:count] = view[:count]
            del target  # memory that is exported cannot grow
            self._received(count)
            view = view[count:]
        if self._server.is_stopping:
            self.stop()

    # -- requests

    def _request(self, session: AcceptorSession, message: Message) -> None:
        command = message.command
        if command.kind == Kind.C_CANCEL:
            found = self._answering.get(command.get(Field.RESPONDED_TO, -1))
            if found is not None:
                found.cancel()
            return
        handler = self._server.handler(command.kind, message.context.abstract_syntax)
        stored = session.stored(message)
        auditor = self._server.offering.audit
        if stored is not None and (handler is None or not stored.status.is_success):
            if auditor is not None and session.known is not None:
                auditor.kept(session.known, stored)
            session.respond(message, stored.status, values={Field.ERROR_COMMENT: stored.comment or None})
            return
        key = command.get(Field.MESSAGE_ID, 0)
        if handler is None:
            session.respond(message, UNRECOGNIZED)
            return
        assert session.known is not None
        request = Request(message, session.known, self._server.offering.reading)
        request.association = Backchannel(self, session)
        if auditor is not None and command.kind == Kind.C_STORE:
            request.subject = auditor.subject(request)
        session.underway.add(key)
        self._answering[key] = Answering(
            self, session, message, request, handler, lambda: self._answered(key), self._server.pool
        )

    def _answered(self, key: int) -> None:
        self._answering.pop(key, None)
        self._session.underway.discard(key)
        self._session.rest(self._loop.time())
        if self._server.is_stopping:
            self.flush()  # the answer is not lost
            self.stop()

    @property
    def is_paused(self) -> bool:
        """Whether the peer takes no more for now."""
        return self._is_paused

    @property
    def is_working(self) -> bool:
        """Whether requests are being answered."""
        return bool(self._answering or self._session.waiting() or self._is_direct)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that the connection lives on."""
        return self._loop

    def stop(self) -> None:
        """Nothing new: an association at rest ends now."""
        if self._is_direct and self._plain is not None:
            self._plain.stop()
        elif not self._answering and self._session.connection.state == State.ESTABLISHED:
            self.end("the server stops")

    def end(self, why: str) -> None:
        """End the association."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._is_direct:  # the thread may be sending
            self._session.fail(AssociationAborted(why, peer=self._session.peer))
            self._transport.abort()
            return
        self._session.abort(AssociationAborted(why, peer=self._session.peer), self._loop.time(), source=0)
        for one in list(self._answering.values()):
            one.cancel()
        self.flush()
        self._transport.close()
