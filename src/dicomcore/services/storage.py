"""Storage: what peers send goes to the catalogue's folder, and is answered when the catalogue has it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from concurrent.futures import Future
from contextlib import suppress

from dicomcore.catalogue import LiveCatalogue
from dicomcore.errors import DicomError
from dicomcore.net import Folder, Request, Server

__all__ = ["Storage"]

OUT_OF_RESOURCES = 0xA700


class Storage:
    """The storage service class (PS3.4 Annex B) over a catalogue.

    `duplicates` is that of `net.Folder`. A response is a success only when the instance is in its place and the
    catalogue knows it; with a durable catalogue, when both are on the disk.
    """

    def __init__(self, catalogue: LiveCatalogue, *, duplicates: str = "keep") -> None:
        self._catalogue, self._duplicates = catalogue, duplicates

        self._ready: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[bool], Future[bool]]]] = {}
        self._lock = threading.Lock()

    def join(self, server: Server) -> None:
        """Serve."""
        offering = server.offering
        offering.folder = Folder(
            self._catalogue.folder,
            duplicates=self._duplicates,
            durable=self._catalogue.durable,
            limits=offering.limits,
        )
        offering.folder.clear()
        server.store(self._keep)

    async def _keep(self, request: Request) -> int:
        path = request.path
        assert path is not None
        try:
            await self._added(path, request.peer.calling)
        except (DicomError, OSError, sqlite3.Error):
            with suppress(OSError):
                os.unlink(path)
            return OUT_OF_RESOURCES
        return request.stored_status

    def _added(self, path: str, source: str) -> asyncio.Future[bool]:
        """Add a file to the catalogue. What is committed together wakes the loop once."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        added = self._catalogue.add(path, source=source)
        added.add_done_callback(lambda done: self._committed(loop, waiter, done))
        return waiter

    def _committed(self, loop: asyncio.AbstractEventLoop, waiter: asyncio.Future[bool], done: Future[bool]) -> None:
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
            if waiter.done():  # cancelled
                continue
            failure = done.exception()
            if failure is None:
                waiter.set_result(done.result())
            else:
                waiter.set_exception(failure)
