"""Query: C-FIND over a catalogue (PS3.4 C.4.1)."""

from __future__ import annotations

from collections.abc import Iterator

from dicomcore.catalogue import LiveCatalogue, compile_identifier
from dicomcore.catalogue.answers import Answers
from dicomcore.catalogue.attributes import LEVELS
from dicomcore.net import Request, Server

__all__ = ["MODELS", "Query"]

MODELS = ("patient", "study", "patient-study")
MISMATCH, UNABLE = 0xA900, 0xC000


class Query:
    """The query service for the Patient Root and Study Root models; `fuzzy` matches names by beginnings of words."""

    def __init__(self, catalogue: LiveCatalogue, *, fuzzy: bool = False) -> None:
        self._catalogue, self._fuzzy = catalogue, fuzzy

    def join(self, server: Server) -> None:
        """Serve."""
        self._title = min(server.offering.titles, default="")
        server.find(self._answer, model=MODELS)

    def _answer(self, request: Request) -> Iterator[bytes | int]:
        asked = request.dataset
        level = str(asked.get("QueryRetrieveLevel") or "").strip().upper()
        if level not in LEVELS:
            yield MISMATCH
            return
        try:
            query = compile_identifier(asked, level=level, fuzzy=self._fuzzy)
        except ValueError:
            yield UNABLE
            return
        own = {"RetrieveAETitle": self._title, "InstanceAvailability": "ONLINE"}
        answers = Answers(asked, level, request.context.transfer_syntax, **own)
        yield from map(answers.encoded, self._catalogue.values(query, answers.keywords))
