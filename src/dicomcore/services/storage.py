"""Storage: what peers send goes to the catalogue's folder, and is answered when the catalogue has it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
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
            await asyncio.wrap_future(self._catalogue.add(path, source=request.peer.calling))
        except (DicomError, OSError, sqlite3.Error):
            with suppress(OSError):
                os.unlink(path)
            return OUT_OF_RESOURCES
        return request.stored_status
