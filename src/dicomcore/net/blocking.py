"""The blocking face: an association as a context manager, whose owner is the thread that asks for something."""

from __future__ import annotations

import os
import socket
import ssl
import struct
import threading
import weakref
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import suppress
from time import monotonic
from typing import Any, Self, Unpack

from dicomcore._native.net.ask import receive, send, status
from dicomcore.dataset import Dataset
from dicomcore.errors import AssociationAborted, NetworkError, NetworkTimeout
from dicomcore.net.asking import Asking, Options, asking_for
from dicomcore.net.commands import Field, Kind
from dicomcore.net.contexts import VERIFICATION, Offer, offers, plan, with_verification
from dicomcore.net.exchange import Context, Message
from dicomcore.net.instances import TRANSCODE, Instance
from dicomcore.net.items import ContextOffer, Role
from dicomcore.net.limits import Timeouts
from dicomcore.net.operations import Invocation, Operation, Outcome, Response, Single, Storing
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
from dicomcore.net.sealed import SealedSocket
from dicomcore.net.states import State
from dicomcore.net.storing import Folder

__all__ = ["Association", "associate"]

COMMAND, MESSAGE_ID = int(Field.COMMAND), int(Field.MESSAGE_ID)
AFFECTED_SOP_CLASS, AFFECTED_SOP_INSTANCE = int(Field.AFFECTED_SOP_CLASS), int(Field.AFFECTED_SOP_INSTANCE)
PDU_AND_VALUE = 12  # bytes of a PDU in front of its only fragment
TICK = 1.0  # seconds after which a waiting thread looks at the deadlines
MOST_BUFFERS = 512  # in one sendmsg(); systems allow 1024
GATHERED = 96 << 10  # bytes that are sent at a time where there is no sendmsg()
FIRST, PLANNED = 256, 4096  # instances whose heads are read before an association for them is planned


class Wire:
    """A socket and its session; one thread at a time moves bytes."""

    def __init__(
        self,
        asking: Asking,
        contexts: Iterable[ContextOffer],
        roles: Iterable[Role] = (),
        *,
        release_idle: bool = False,
    ) -> None:
        self.session = RequestorSession(asking, asking.request(contexts, roles))
        self._lock, self._open_still = threading.RLock(), threading.Lock()
        self._timeouts, self._why = asking.timeouts, "the association has ended"
        session, connection = self.session, self.session.connection
        connection.connect(session.request, monotonic())
        self._socket = self._open(asking)
        try:
            self._has_sendmsg = hasattr(self._socket, "sendmsg") and not isinstance(self._socket, SealedSocket)
            self._gathering = bytearray(0 if self._has_sendmsg else GATHERED)
            self._set_tick(asking.timeouts)
            connection.connected(monotonic())
            while session.accept is None and session.failure is None:
                self.step()
            if session.failure is not None:
                raise session.failure
            if release_idle and asking.timeouts.idle is not None:
                self._watch(asking.timeouts.idle)
        except BaseException:
            self._socket.close()
            raise

    def _watch(self, idle: float) -> None:
        """Have a thread release the association when nothing was asked for too long.

        The thread does not keep the wire alive, and ends with it.
        """
        held = self._open_still
        held.acquire()
        wire = weakref.ref(self, lambda _: _let_go(held))
        threading.Thread(target=_release_when_idle, args=(wire, held, idle), name="dicomcore-idle", daemon=True).start()

    def released_if_idle(self, now: float) -> float | None:
        """Release the association if it has rested for too long; the seconds until then, None if it has ended."""
        with self._lock:
            session, idle = self.session, self._timeouts.idle
            if not session.is_open or idle is None:
                return None
            if session.is_busy:
                return idle
            left = session.rests_until - now
            if left > 0:
                return left
            self._why = f"nothing was asked for {idle:g} s, and it was released (Timeouts.idle)"
            self.release()
            return None

    def _open(self, asking: Asking) -> socket.socket | SealedSocket:
        address, peer = asking.address, self.session.peer
        try:
            made = _connected(address.host, address.port, asking.timeouts.connect)
        except TimeoutError:
            raise NetworkTimeout(
                f"no connection in {asking.timeouts.connect:g} s (Timeouts.connect)", peer=peer
            ) from None
        except OSError as error:
            raise lost(error, peer) from None
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if asking.tls is None:
            return made
        try:
            return SealedSocket(made, asking.tls, address.host)
        except (OSError, ssl.SSLError, ValueError) as error:
            made.close()
            raise NetworkError(f"no TLS connection: {error}", peer=peer) from None

    def _set_tick(self, timeouts: Timeouts) -> None:
        """Calls on the socket return at least so often, for deadlines to be looked at."""
        known = [getattr(timeouts, name) for name in Timeouts.__slots__]
        tick = min([TICK, *(seconds / 4 for seconds in known if seconds)])
        if isinstance(self._socket, SealedSocket) or os.name == "nt":
            self._socket.settimeout(tick)
            return
        self._socket.settimeout(None)
        value = struct.pack("ll", int(tick), int(tick % 1 * 1e6) or 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)

    @property
    def is_busy(self) -> bool:
        """Whether operations run."""
        return self.session.is_open and self.session.is_busy

    # -- moving bytes

    def advance(self, operation: Operation) -> None:
        """Go on until an operation has a result, is done, or time has passed."""
        with self._lock:
            if operation.results or operation.is_done:
                return
            session = self.session
            if operation.is_plain and session.is_alone(operation) and self._ask(operation):
                return
            session.pump(monotonic())
            self.flush()
            if not operation.results and not operation.is_done:
                session.prepare()
                self.receive()
                if session.is_busy and not (operation.may_wait and operation.results):
                    session.pump(monotonic())
                self.flush()

    def _ask(self, operation: Operation) -> bool:
        """Send a plain request and receive its response without what lies between; False if that is not possible.

        What is not plain in the response, or is late, is left to the session.
        """
        session = self.session
        if not isinstance(operation, Single) and session.window > 1:
            return False
        if isinstance(operation, Storing) and self._has_sendmsg and self._stored_together(operation):
            return True
        try:
            invocation = operation.next(session.contexts.values())
        except Exception as error:  # of the caller's data, as in `Session.pump`
            operation.fail(error)
            session.done(operation, monotonic())
            return True
        if invocation is None:
            return False
        if isinstance(operation, Storing) and not isinstance(invocation.parts, bytes | memoryview):
            operation.put_back(invocation)
            return False
        identifier, begun = session.next_identifier(), monotonic()
        if not self._sent_plainly(invocation, identifier):
            return True
        if not operation.may_wait:
            try:
                operation.prepare()
            except Exception as error:
                operation.fail(error)
        self._answered_plainly(operation, invocation, identifier, begun)
        return True

    def _stored_together(self, operation: Storing) -> bool:
        """Send plain files until milliseconds have passed, each after the response to the one before; False for none.

        What else comes than plain responses, and what is late, is left to the session.
        """
        session, connection = self.session, self.session.connection
        found = operation.batch(session.contexts.values(), session.fragment)
        if found is None:
            return False
        batch, files = found
        sent, further = batch.run(self._socket.fileno(), files, session.identifier, connection.buffer())
        session.identifier = batch.identifier
        invocation, now = operation.sent_together(sent, further), monotonic()
        if batch.fault:
            self._lost(OSError(batch.fault, os.strerror(batch.fault)))
        elif invocation is not None:
            session.asked(operation, invocation, batch.identifier, now - batch.waited)
            left = batch.left
            if left:
                try:
                    self._send([left])
                except OSError as error:
                    self._lost(error)
            self._take(batch.came, now)
        else:
            session.rest(now)
        return bool(sent) or further is not None

    def _take(self, count: int, now: float) -> None:
        """Have the session take bytes that came into its buffer; 0 is the end of the connection, -1 for nothing."""
        session = self.session
        if count == 0:
            session.handle(session.connection.closed(now), now)
            self.close()
        elif count > 0:
            session.handle(session.connection.received(count, now), now)

    def _sent_plainly(self, invocation: Invocation, identifier: int) -> bool:
        """Send a plain request; False if the connection was lost."""
        session, values, data = self.session, invocation.values, invocation.parts
        values[MESSAGE_ID] = identifier
        if not self._has_sendmsg:
            try:
                self._send(session.buffers(invocation))
            except OSError as error:
                self._lost(error)
            return session.failure is None
        try:
            sent, size = 0, -1
            with suppress(BlockingIOError, InterruptedError):
                found = send(
                    self._socket.fileno(),
                    invocation.context.number,
                    values[COMMAND],
                    identifier,
                    values[AFFECTED_SOP_CLASS].encode(),
                    values.get(AFFECTED_SOP_INSTANCE, "").encode(),
                    data,  # type: ignore[arg-type]
                    session.fragment,
                )
                sent, size = found or (0, -1)
            if sent != size:
                self._send(_left(session.buffers(invocation), sent))
        except OSError as error:
            self._lost(error)
            return False
        return True

    def _answered_plainly(self, operation: Operation, invocation: Invocation, identifier: int, begun: float) -> None:
        """Receive once, and take what came if it is the plain response to a request."""
        session, number = self.session, invocation.context.number
        room, kind = session.connection.buffer(), invocation.values[COMMAND]
        count = found = -1
        try:
            if self._has_sendmsg:
                count, found = receive(self._socket.fileno(), room, number, kind, identifier)
            else:
                count = self._socket.recv_into(room)
                found = status(room[:count], number, kind, identifier)
        except (BlockingIOError, InterruptedError, TimeoutError, ssl.SSLWantReadError):
            pass
        except OSError as error:
            self._lost(error)
            return
        now = monotonic()
        if found >= 0 and operation.failure is None:
            operation.answered_plainly(found, room[PDU_AND_VALUE:count], invocation.token)
            session.done(operation, now)
            return
        session.asked(operation, invocation, identifier, begun)
        self._take(count, now)

    def step(self) -> None:
        """Send what is there, and receive once."""
        self.flush()
        self.receive()
        self.flush()

    def flush(self) -> None:
        """Send everything that may be sent now."""
        session = self.session
        while session.waiting():
            buffers = session.take(monotonic())
            if not buffers:
                break  # a response that came too late: the association is being released
            try:
                self._send(buffers)
            except OSError as error:
                self._lost(error)
                return
        if session.connection.wants_close:
            self.close()

    def _send(self, buffers: list[Any]) -> None:
        until = None if self._timeouts.write is None else monotonic() + self._timeouts.write
        if self._has_sendmsg and len(buffers) <= MOST_BUFFERS:
            with suppress(BlockingIOError):
                sent = self._socket.sendmsg(buffers)
                if sent == sum(map(len, buffers)):
                    return
                buffers = _left(buffers, sent)
        if not self._has_sendmsg:
            for data in _gathered(buffers, self._gathering):
                while data:
                    data = data[self._some(lambda data=data: self._socket.send(data), until) :]
            if isinstance(self._socket, SealedSocket):
                self._some(self._socket.drain, until)
            return
        while buffers:
            some = buffers[:MOST_BUFFERS]
            buffers = _left(buffers, self._some(lambda some=some: self._socket.sendmsg(some), until))

    def _some(self, send: Any, until: float | None) -> int:
        while True:
            try:
                return int(send())
            except (BlockingIOError, TimeoutError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                if until is not None and monotonic() >= until:
                    raise TimeoutError(
                        0, f"the peer took nothing for {self._timeouts.write:g} s (Timeouts.write)"
                    ) from None

    def receive(self) -> None:
        """Receive once, and look at the deadlines."""
        session = self.session
        if self._socket.fileno() == -1:
            session.fail(AssociationAborted(self._why, peer=session.peer))
            return
        count = -1
        try:
            count = self._socket.recv_into(session.connection.buffer())
        except (BlockingIOError, TimeoutError, ssl.SSLWantReadError):
            pass
        except OSError as error:
            self._lost(error)
            return
        now = monotonic()
        if count == 0:
            session.handle(session.connection.closed(now), now)
            self.close()
            return
        if count > 0:
            session.handle(session.connection.received(count, now), now)
        deadline = session.deadline
        if deadline is not None and now >= deadline:
            session.expire(now)

    def _lost(self, error: OSError) -> None:
        kind = NetworkTimeout if isinstance(error, TimeoutError) else AssociationAborted
        self.session.fail(kind(f"the connection was lost: {error.strerror or error}", peer=self.session.peer))
        self.close()

    def close(self) -> None:
        """Close the socket."""
        _let_go(self._open_still)
        self._socket.close()

    # -- results

    def results(self, operation: Operation) -> Generator[Any, None, None]:
        """The results of an operation as they come; leaving early cancels it."""
        self.session.start(operation)
        try:
            while True:
                while operation.results:
                    yield operation.results.popleft()
                if operation.is_done:
                    break
                self.advance(operation)
        finally:
            if not operation.is_done:
                self._stop(operation)
        if operation.failure is not None:
            raise operation.failure

    def _stop(self, operation: Operation) -> None:
        """Cancel, and wait for the last response; without it the association is aborted."""
        with self._lock:
            session = self.session
            if operation.can_cancel:
                session.cancel(operation)
                until = monotonic() + (self._timeouts.response or TICK)
                while not operation.is_done and monotonic() < until:
                    operation.results.clear()
                    self.step()
            elif isinstance(operation, Storing):
                operation.stop()
                while not operation.is_done:
                    self.step()
            if not operation.is_done:
                session.abort(AssociationAborted("an operation was left", peer=session.peer), monotonic(), source=0)
                self.flush()

    def report(self, until: float) -> Message | None:
        """An event report of the peer's, if there is one by a time."""
        session = self.session
        while not session.reports and monotonic() < until:
            with self._lock:
                self.step()
            if session.failure is not None:
                raise session.failure
            if not session.is_open:
                break
        return session.reports.pop(0) if session.reports else None

    def release(self) -> None:
        """End the association in order; an error of the peer's at this point is passed over."""
        session = self.session
        with self._lock:
            if session.connection.state == State.ESTABLISHED and session.failure is None:
                session.release(monotonic())
                while not session.is_released and session.failure is None:
                    self.step()
                self.flush()
            self.close()

    def abort(self) -> None:
        """End the association at once."""
        session = self.session
        with self._lock:
            if self._socket.fileno() != -1:
                session.abort(AssociationAborted("aborted", peer=session.peer), monotonic(), source=0)
                self.flush()
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_WR)
                self.close()


def _release_when_idle(wire: weakref.ref[Wire], held: threading.Lock, seconds: float | None) -> None:
    """Look at a wire whenever it may have rested for too long, until it lets go of a lock."""
    while seconds is not None and not held.acquire(timeout=min(seconds, threading.TIMEOUT_MAX)):
        there = wire()
        seconds = None if there is None else there.released_if_idle(monotonic())
        del there


def _let_go(held: threading.Lock) -> None:
    """Release a lock that may be free; unlike an Event it may be done while memory is collected."""
    with suppress(RuntimeError):
        held.release()


def _connected(host: str, port: int, seconds: float | None) -> socket.socket:
    """A connected socket; numbers are not looked up."""
    try:
        socket.inet_pton(socket.AF_INET, host)
    except (OSError, AttributeError):  # a name, or IPv6
        return socket.create_connection((host, port), seconds)
    made = socket.socket(socket.AF_INET)
    try:
        made.settimeout(seconds)
        made.connect((host, port))
    except BaseException:
        made.close()
        raise
    return made


def _gathered(buffers: list[Any], room: bytearray) -> Iterator[memoryview]:
    """The bytes of buffers in portions that fill `room`, which is used again for each."""
    view, at = memoryview(room), 0
    for one in buffers:
        rest = memoryview(one)
        while rest:
            count = min(len(rest), len(view) - at)
            view[at : at + count] = rest[:count]
            at, rest = at + count, rest[count:]
            if at == len(view):
                yield view
                at = 0
    if at:
        yield view[:at]


def _left(buffers: list[Any], sent: int) -> list[Any]:
    """What is left of buffers when so many bytes of them were sent."""
    done = 0
    while done < len(buffers) and sent >= len(buffers[done]):
        sent -= len(buffers[done])
        done += 1
    left = buffers[done:]
    if sent:
        left[0] = memoryview(left[0])[sent:]
    return left


class Association:
    """An association with a peer; `associate` opens it. A context manager, which releases it at the end.

    Operations that need other presentation contexts than it has, as `store` and `get` do, release it and open one that
    fits, unless `contexts` was given. There is one at a time, because some peers serve no more; only an operation that
    is begun while another runs may open one beside it. Threads may share an association: they take turns.
    """

    def __init__(self, asking: Asking, *, release_idle: bool = False) -> None:
        self._asking, self._is_fixed, self._release_idle = asking, asking.is_fixed, release_idle
        self._wire = Wire(asking, asking.offered(), release_idle=release_idle)
        self._beside: list[Wire] = []

    def _switch(self, contexts: Iterable[ContextOffer], roles: Iterable[Role] = ()) -> Wire:
        """Another association with these contexts, in place of the present one if that is not busy."""
        if self._wire.session.failure is not None:
            raise self._wire.session.failure
        if self._wire.is_busy:
            self._beside.append(self._wire)
        else:
            self._wire.release()
        self._wire = Wire(self._asking, contexts, roles, release_idle=self._release_idle)
        return self._wire

    def _wire_for(self, sop_class: str, *, as_scp: bool = False) -> Wire:
        """An association with a context for a SOP class, if the peer accepts one."""
        contexts = self._wire.session.contexts.values()
        if self._is_fixed or any(one.abstract_syntax == sop_class and one.as_scp >= as_scp for one in contexts):
            return self._wire
        request = self._wire.session.request
        tried = [role.sop_class for role in request.user.roles] if as_scp else [
            offer.abstract_syntax for offer in request.contexts
        ]  # fmt: skip
        if sop_class in tried:
            return self._wire  # it was rejected
        wanted = [sop_class, *(one for one in self._asking.wanted if one != sop_class)]
        return self._switch(offers(wanted), [Role(sop_class, True, True)] if as_scp else [])

    # -- about it

    @property
    def contexts(self) -> tuple[Context, ...]:
        """The presentation contexts that the peer accepted."""
        return tuple(self._wire.session.contexts.values())

    @property
    def peer(self) -> str:
        """The peer as ``AET@host:port``."""
        return self._wire.session.peer

    @property
    def implementation(self) -> tuple[str, str]:
        """Implementation class UID and version name of the peer."""
        user = self._wire.session.accept.user
        return user.implementation_class_uid, user.implementation_version_name

    @property
    def window(self) -> int:
        """How many operations may be outstanding at a time."""
        return self._wire.session.window

    @property
    def issues(self) -> list[Any]:
        """What the peer sent that deviates from the standard and was accepted."""
        return list(self._wire.session.connection.issues)

    @property
    def is_open(self) -> bool:
        """Whether operations are possible."""
        return self._wire.session.is_open

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.release()
        else:
            self.abort()

    def __repr__(self) -> str:
        return f"<Association with {self.peer}, {'open' if self.is_open else 'ended'}>"

    def release(self) -> None:
        """End the association in order (A-RELEASE)."""
        for wire in (self._wire, *self._beside):
            wire.release()

    def abort(self) -> None:
        """End the association at once (A-ABORT)."""
        for wire in (self._wire, *self._beside):
            wire.abort()

    # -- DIMSE-C

    def echo(self) -> Response:
        """Verify that the peer answers (C-ECHO)."""
        return self._single(Kind.C_ECHO, VERIFICATION, None, {Field.AFFECTED_SOP_CLASS: VERIFICATION})

    def store(
        self,
        sources: Any,
        *,
        transcode: str = "uncompressed",
        originator: tuple[str, int] | None = None,
    ) -> Iterator[Outcome]:
        """Send instances (C-STORE): an Outcome for each, in the order of the responses.

        `sources` are paths and data sets, or one of them. Files go out as they are; `transcode` says what may be done
        if the peer does not take their transfer syntax: ``"never"``, ``"uncompressed"`` (another encoding of the same
        values), or ``"lossless"`` (pixel data is decoded, too). `originator` is AE title and message ID of a C-MOVE.
        An instance that cannot be sent is an Outcome as well. NetworkError if the association ends.

        When an Outcome is given, further instances may have been sent: as far as the window reaches, or in a list in
        the same milliseconds.
        """
        if transcode not in TRANSCODE:
            raise ValueError(f"transcode is one of {', '.join(TRANSCODE)}, not {transcode!r}")
        if isinstance(sources, str | os.PathLike | Dataset):
            sources = [sources]
        return self._stored(sources, {"transcode": transcode, "originator": originator, "limits": self._asking.reading})

    def _stored(self, sources: Iterable[Any], options: dict[str, Any]) -> Iterator[Outcome]:
        left: list[Instance] = []
        take = None if self._is_fixed else left.append
        some: Iterator[Any] = iter(sources)
        is_last, most = False, FIRST
        while not is_last:
            is_last = True

            def portion() -> Iterator[Any]:
                nonlocal is_last, most
                for source in some:
                    yield source
                    if len(left) >= most:  # those that follow mostly fit what these need
                        is_last, most = False, PLANNED
                        return

            is_ready = isinstance(sources, list | tuple)
            yield from self._wire.results(Storing(portion(), left_over=take, is_ready=is_ready, **options))
            waiting, left[:] = list(left), []
            yield from self._further(waiting, options)

    def _further(self, waiting: list[Instance], options: dict[str, Any]) -> Iterator[Outcome]:
        """Send over associations that are planned for these instances."""
        if not waiting:
            return
        for contexts in plan((one.sop_class, one.transfer_syntax) for one in waiting):
            classes = {offer.abstract_syntax for offer in contexts}
            some = [one for one in waiting if one.sop_class in classes]
            waiting = [one for one in waiting if one.sop_class not in classes]
            yield from self._switch(with_verification(contexts)).results(Storing(some, **options))

    def find(
        self, keys: Dataset | Mapping[str, Any], *, level: str | None = None, model: str = "study"
    ) -> Iterator[Dataset]:
        """Query (C-FIND): an identifier for each match. Leaving the loop cancels the query.

        `keys` are a data set, or values by keyword; ``""`` asks for an attribute without matching. `level` is the
        query/retrieve level, by default the top of the `model`: ``"patient"``, ``"study"``, ``"worklist"`` and others.
        NetworkError if the peer fails.
        """
        operation = query(keys, level, model, self._asking.reading)
        return self._wire_for(operation.sop_class).results(operation)

    def move(
        self, keys: Dataset | Mapping[str, Any], *, to: str, level: str | None = None, model: str = "study"
    ) -> Iterator[Response]:
        """Have the peer send instances to a third party (C-MOVE): a Response each time it counts, the last one too."""
        operation = retrieval(Kind.C_MOVE, keys, level, model, to, self._asking.reading)
        return self._wire_for(operation.sop_class).results(operation)

    def get(
        self,
        keys: Dataset | Mapping[str, Any],
        *,
        into: str | os.PathLike[str] | Folder,
        level: str | None = None,
        model: str = "study",
        storage: Iterable[Offer] | None = None,
    ) -> Iterator[Outcome]:
        """Retrieve instances into a folder (C-GET): an Outcome for each; NetworkError if the peer fails.

        What the peer could not send is an Outcome at the end, by its SOP Instance UID if the peer names it.

        `storage` are the SOP classes that may come, by default the usual ones; a tuple gives their transfer syntaxes.
        """
        operation = retrieval(Kind.C_GET, keys, level, model, None, self._asking.reading)
        folder = received_folder(into, self._asking.limits)
        return self._got(operation, folder, retrieve_offers(operation.sop_class, storage))

    def _got(self, operation: Any, folder: Folder, offered: tuple[Any, Any]) -> Iterator[Outcome]:
        wire = self._wire if self._is_fixed else self._switch(*offered)
        wire.session.folder, wire.session.retrieving = folder, operation
        try:
            yield from wire.results(operation)
        finally:
            wire.session.retrieving = None
        last = operation.last
        if last is not None and last.status.category == "failure":
            raise NetworkError(f"the retrieval failed: {last.comment or last.status.text}", peer=self.peer)

    # -- DIMSE-N

    def n_create(
        self, sop_class: str, ds: Dataset | None = None, *, instance: str | None = None, over: str | None = None
    ) -> Response:
        """Create an instance (N-CREATE); without `instance` the peer makes its UID.

        Here and below `over` is the abstract syntax of the presentation context, if that is another than the SOP class
        of the message (PS3.4 CC.3.1.1, H.3.1).
        """
        return self._single(
            Kind.N_CREATE, sop_class, ds,
            {Field.AFFECTED_SOP_CLASS: sop_class, Field.AFFECTED_SOP_INSTANCE: instance}, over,
        )  # fmt: skip

    def n_set(self, sop_class: str, instance: str, ds: Dataset, *, over: str | None = None) -> Response:
        """Change an instance (N-SET)."""
        return self._single(Kind.N_SET, sop_class, ds, requested_values(sop_class, instance), over)

    def n_get(self, sop_class: str, instance: str, tags: Iterable[int] = (), *, over: str | None = None) -> Response:
        """Read attributes of an instance (N-GET), all of them without `tags`."""
        values = requested_values(sop_class, instance)
        values[Field.ATTRIBUTES] = tuple(map(int, tags)) or None
        return self._single(Kind.N_GET, sop_class, None, values, over)

    def n_action(
        self, sop_class: str, instance: str, action: int, ds: Dataset | None = None, *, over: str | None = None
    ) -> Response:
        """Have an action done (N-ACTION)."""
        values: dict[int, Any] = {**requested_values(sop_class, instance), Field.ACTION_TYPE: action}
        return self._single(Kind.N_ACTION, sop_class, ds, values, over)

    def n_delete(self, sop_class: str, instance: str, *, over: str | None = None) -> Response:
        """Delete an instance (N-DELETE)."""
        return self._single(Kind.N_DELETE, sop_class, None, requested_values(sop_class, instance), over)

    def n_event_report(
        self, sop_class: str, instance: str, event: int, ds: Dataset | None = None, *, over: str | None = None
    ) -> Response:
        """Report an event (N-EVENT-REPORT), in the role of SCP."""
        values = event_values(sop_class, instance, event)
        return self._single(Kind.N_EVENT_REPORT, sop_class, ds, values, over)

    def report(self, seconds: float = TICK) -> Request | None:
        """The next event that the peer reports over this association (N-EVENT-REPORT), if it comes in so many seconds.

        It has been answered with success already. NetworkError if the association ends meanwhile.
        """
        message = self._wire.report(monotonic() + seconds)
        if message is None:
            return None
        asking = self._asking
        place = (asking.address.host, asking.address.port)
        return Request(message, Peer(place, asking.called, asking.calling, None, 0), asking.reading)

    def _single(
        self, kind: Kind, sop_class: str, ds: Dataset | None, values: dict[int, Any], over: str | None = None
    ) -> Response:
        operation = single(kind, over or sop_class, ds, values, self._asking.reading)
        (response,) = self._wire_for(over or sop_class, as_scp=kind == Kind.N_EVENT_REPORT).results(operation)
        assert isinstance(response, Response)
        return response


def associate(address: str | tuple[str, int], *, release_idle: bool = False, **options: Unpack[Options]) -> Association:
    """Open an association (PS3.8).

    Parameters
    ----------
    address : str or (str, int)
        The peer: ``AET@host:port``.

    release_idle : bool
        Have a thread release the association when nothing was asked for ``Timeouts.idle`` seconds. Without it, an
        association rests until its caller ends it, and a peer that waits less long may abort it.

    Other Parameters
    ----------------
    calling, called : str
        AE titles of this side and of the peer; by default the one in the address, else ``ANY-SCP``.
    contexts : iterable, optional
        SOP classes to propose, each a UID or a UID with its transfer syntaxes. Then the association has these alone;
        otherwise it has verification, queries and the like, and `store` and `get` open what they need.
    tls : ssl.SSLContext, optional
        Speak TLS; see `dicomcore.net.tls`.
    identity : Identity, optional
        A user's identity (PS3.7 D.3.3.7).
    timeouts : Timeouts
        How long to wait.
    limits : NetLimits
        What the peer may make this side hold.
    reading : Limits, optional
        Bounds on data sets that are decoded.
    roles : iterable of Role, optional
        Roles to propose for SOP classes (PS3.7 D.3.3.4), by default that of SCU.
    extended, common : iterable of Extended, of Common
        Extended negotiations (PS3.7 D.3.3.5, D.3.3.6).

    Returns
    -------
    Association

    Raises
    ------
    AssociationRejected, AssociationAborted, NetworkTimeout, NetworkError
        There is no association.
    ValueError
        An address, a title or a UID that cannot be sent.
    """
    return Association(asking_for(address, **options), release_idle=release_idle)
