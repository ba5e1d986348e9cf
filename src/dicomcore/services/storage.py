"""Storage: what peers send goes to the catalogue's folder, and is answered when the catalogue has it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING

from dicomcore.catalogue import LiveCatalogue, Received
from dicomcore.net import Failure, Folder, Request, Server
from dicomcore.net.requests import Peer
from dicomcore.net.statuses import Status
from dicomcore.net.storing import Told

if TYPE_CHECKING:
    from dicomcore.net.auditing import Auditor

__all__ = ["Storage"]


class Storage:
    """The storage service class (PS3.4 Annex B) over a catalogue.

    `duplicates` is that of `LiveCatalogue.receive`. A response is a success only when the instance is in its place and
    the catalogue knows it; with a durable catalogue, when both are on the disk.
    """

    def __init__(self, catalogue: LiveCatalogue, *, duplicates: str = "keep") -> None:
        if catalogue.is_read_only:
            raise ValueError("nothing can be stored in a catalogue that is read only")
        self._catalogue, self._duplicates = catalogue, duplicates
        self._ready: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Received], Future[Received]]]] = {}
        self._lock = threading.Lock()
        self._audit: Auditor | None = None

    def join(self, server: Server) -> None:
        """Serve."""
        server.offering.folder = _Incoming(
            self._catalogue.folder, duplicates=self._duplicates, limits=server.offering.limits
        )
        self._audit = server.offering.audit
        server.store(self._keep, many=self._keep_many)

    async def _keep(self, request: Request) -> int:
        path = request.path
        assert path is not None
        received = await self._received(path, request.peer.calling)
        request.action = received.action
        if received.comment:
            raise Failure(received.status, received.comment)
        return received.status

    def _keep_many(self, peer: Peer, paths: list[str], told: Told) -> None:
        """Give files to the catalogue, which are committed together."""

        subjects = [] if self._audit is None else self._audit.subjects(paths)

        def done(found: list[Received]) -> None:
            if self._audit is not None:
                for subject, one in zip(subjects, found, strict=True):
                    self._audit.stored(
                        peer,
                        subject,
                        one.sop_class,
                        one.sop_instance,
                        one.status,
                        action=one.action,
                        comment=one.comment,
                    )
            told([(one.status, one.comment) for one in found])

        self._catalogue.receive_all(paths, source=peer.calling, duplicates=self._duplicates, done=done)

    def _received(self, path: str, source: str) -> asyncio.Future[Received]:
        """Give a file to the catalogue. What is committed together wakes the loop once."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Received] = loop.create_future()
        received = self._catalogue.receive(path, source=source, duplicates=self._duplicates)
        received.add_done_callback(lambda done: self._committed(loop, waiter, done))
        return waiter

    def _committed(
        self, loop: asyncio.AbstractEventLoop, waiter: asyncio.Future[Received], done: Future[Received]
    ) -> None:
        with self._lock:
            ready = self._ready.setdefault(loop, [])
            ready.append((waiter, done))
            is_first = len(ready) == 1
        if is_first:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._deliver, loop)

    def _deliver(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            ready = self._ready.pop(loop, [])
        for waiter, done in ready:
            if not waiter.done():
                waiter.set_result(done.result())


class _Incoming(Folder):
    """Where instances arrive: complete files stay beside the store until the catalogue takes them."""

    def place(self, study: str, series: str, instance: str) -> str:
        """A name beside the store: the catalogue decides."""
        return self.new_name()

    def settle(self, file: int, name: str, target: str, body: int) -> tuple[Status, str, bool, str]:
        """The file stays beside the store."""
        return Status(0), self.beside(file, name), True, ""
