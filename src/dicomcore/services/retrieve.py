"""Retrieve: C-GET and C-MOVE from a catalogue (PS3.4 C.4.2, C.4.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dicomcore.catalogue import LiveCatalogue, compile_identifier
from dicomcore.catalogue.attributes import KEYS, LEVELS
from dicomcore.net import Request, Server
from dicomcore.services.query import MODELS

__all__ = ["Retrieve"]


class Retrieve:
    """The retrieve service. `peers` are the destinations of C-MOVE: ``host:port`` or ``AET@host:port`` by AE title."""

    def __init__(self, catalogue: LiveCatalogue, peers: Mapping[str, str] | None = None) -> None:
        self._catalogue, self._peers = catalogue, dict(peers or {})

    def join(self, server: Server) -> None:
        """Serve."""
        server.get(self._get, model=MODELS)
        server.move(self._move, model=MODELS)

    def _get(self, request: Request) -> list[str]:
        return self._paths(request)

    def _move(self, request: Request) -> Iterator[Any]:
        title = str(request.command.MoveDestination or "")
        place = self._peers.get(title)
        if place is None:
            yield None
            return
        yield place if "@" in place else f"{title}@{place}"
        yield self._paths(request)

    def _paths(self, request: Request) -> list[str]:
        """The files of what the unique keys name; an identifier without any names nothing (PS3.4 C.4.2.1.4.1)."""
        asked = request.dataset
        level = str(asked.get("QueryRetrieveLevel") or "").strip().upper()
        if level not in LEVELS or not asked.get(KEYS[level]):
            return []
        unique = [KEYS[one] for one in LEVELS[: LEVELS.index(level) + 1]]
        keys = type(asked)()
        for keyword in unique:
            if asked.get(keyword):
                setattr(keys, keyword, asked.get(keyword))
        return [entry.path for entry in self._catalogue.entries(compile_identifier(keys, level=level))]
