"""Retrieve: C-GET and C-MOVE from a catalogue (PS3.4 C.4.2, C.4.3, Y, Z)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dicomcore.catalogue import Catalogue, Entry, compile_identifier
from dicomcore.catalogue.attributes import KEYS, OBJECTS, above
from dicomcore.catalogue.matching import texts_of
from dicomcore.dataset import Dataset
from dicomcore.errors import DicomError
from dicomcore.net import Failure, Request, Server
from dicomcore.net.models import model_of
from dicomcore.part10.reader import dcmread
from dicomcore.services.frames import CANNOT_EXTRACT, INVALID, extracted, wanted_frames, without_bulk_data
from dicomcore.services.query import MODELS, level_of_request, negotiation

__all__ = ["Retrieve"]

FRAMES, HEADS = "instance-root", "without-bulk-data"
MISMATCH, UNABLE = 0xA900, 0xC000
PERFORMED = bytes((1, 0))  # relational retrieval, no conversion of enhanced multi-frame images (PS3.4 C.5.2.1)


class Retrieve:
    """The retrieve service for the Patient Root, Study Root and Patient/Study Only models, for instances and frames of
    them (Composite Instance Root), for instances without bulk data, and for objects that belong to no patient.

    Parameters
    ----------
    catalogue : Catalogue
        Where the instances are.
    peers : mapping of str to str
        The destinations of C-MOVE: ``host:port`` or ``AET@host:port`` by AE title.
    failed : callable, optional
        ``failed(destination, entries, calling)`` gets what a C-MOVE could not send, such as `Forwarding.later`.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        peers: Mapping[str, str] | None = None,
        *,
        failed: Callable[[str, list[Entry], str], object] | None = None,
    ) -> None:
        self._catalogue, self._peers, self._failed = catalogue, dict(peers or {}), failed

    def join(self, server: Server) -> None:
        """Serve."""
        server.get(self._get, model=(*MODELS, FRAMES, HEADS, *OBJECTS))
        server.move(self._move, model=(*MODELS, FRAMES, *OBJECTS))
        for name in (*MODELS, FRAMES, HEADS, *OBJECTS):
            for uid in (model_of(name).get, model_of(name).move):
                if uid:
                    server.offering.extended[uid] = negotiation(PERFORMED)

    def _get(self, request: Request) -> list[Any]:
        return self._sources(request, self._entries(request))

    def _move(self, request: Request) -> Iterator[Any]:
        title = str(request.command.MoveDestination or "")
        place = self._peers.get(title)
        if place is None:
            yield None
            return
        entries = self._entries(request)
        sources = self._sources(request, entries)
        if self._failed is not None and model_of(request.context.abstract_syntax).name in MODELS:
            request.settled = lambda stored: self._left(request, title, entries, stored)
        yield place if "@" in place else f"{title}@{place}"
        yield sources

    def _left(self, request: Request, title: str, entries: list[Entry], stored: set[str]) -> None:
        left = [entry for entry in entries if entry.sop_instance not in stored]
        if left and self._failed is not None and not request.is_cancelled:
            self._failed(title, left, request.peer.called)

    def _entries(self, request: Request) -> list[Entry]:
        """What the unique keys name; an identifier without that of its level is refused (PS3.4 C.4.2.1.4.1)."""
        asked = request.dataset
        model = model_of(request.context.abstract_syntax).name
        if model in OBJECTS:
            wanted = set(texts_of(asked.get("SOPInstanceUID"))) - {""}
            if not wanted:
                raise Failure(MISMATCH, "the identifier has no SOPInstanceUID")
            return [entry for entry, _ in self._catalogue.objects(OBJECTS[model]) if entry.sop_instance in wanted]
        level = level_of_request(request)
        if not level:
            raise Failure(MISMATCH, "the model has no such query/retrieve level")
        level = "IMAGE" if level == "FRAME" else level
        keys = Dataset()
        for keyword in (KEYS[one] for one in above(level)):
            if asked.get(keyword):
                setattr(keys, keyword, asked.get(keyword))
        if KEYS[level] not in keys:
            raise Failure(MISMATCH, f"the identifier has no {KEYS[level]}")
        return list(self._catalogue.entries(compile_identifier(keys, level=level)))

    def _sources(self, request: Request, entries: list[Entry]) -> list[Any]:
        """What is sent for entries: files as they are, data sets for what lies elsewhere or is made."""
        name = model_of(request.context.abstract_syntax).name
        if name == HEADS:
            request.meant = [entry.sop_instance for entry in entries]
            return [without_bulk_data(dcmread(self._catalogue.source(entry))) for entry in entries]
        if name == FRAMES and level_of_request(request) == "FRAME":
            return self._frames(request, entries)
        request.meant = [entry.sop_instance for entry in entries]
        found = [self._catalogue.source(entry) for entry in entries]
        return [one if isinstance(one, str) else dcmread(one) for one in found]

    def _frames(self, request: Request, entries: list[Entry]) -> list[Dataset]:
        if len(entries) != 1:
            raise Failure(INVALID if entries else UNABLE, "frames are those of one instance that is here")
        try:
            ds = dcmread(self._catalogue.source(entries[0]))
            return [extracted(ds, wanted_frames(request.dataset, ds), request.dataset)]
        except DicomError as error:
            raise Failure(CANNOT_EXTRACT, str(error)) from None
