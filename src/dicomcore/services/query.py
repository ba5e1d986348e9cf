"""Query: C-FIND over a catalogue (PS3.4 C.4.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dicomcore.catalogue import Catalogue, compile_identifier
from dicomcore.catalogue.answers import Answers, identifier
from dicomcore.encoding import encode
from dicomcore.net import Request, Server
from dicomcore.net.models import model_of

__all__ = ["MODELS", "Query", "level_of_request", "negotiation"]

MODELS = ("patient", "study", "patient-study")
MISMATCH, UNABLE = 0xA900, 0xC000
RELATIONAL, COMBINED, FUZZY = 0, 1, 2  # bytes of extended negotiation (PS3.4 C.5.1.1.1)
PERFORMED = bytes((1, 1, 1, 0, 0, 1, 1))  # not timezone adjustment, nor conversion of enhanced multi-frame images


class Query:
    """The query service for the Patient Root, Study Root and Patient/Study Only models.

    Queries are relational: keys of upper levels may be missing. What a peer asks for in extended negotiation is
    answered and acted upon: combined matching of dates and times, fuzzy matching of names.

    Parameters
    ----------
    catalogue : Catalogue
        What is searched.
    fuzzy : bool
        Match names by beginnings of words for peers that do not ask for it, too.
    deep : bool
        Look into the head of a file for keys that the catalogue does not keep; otherwise such keys match everything,
        and are answered empty.
    """

    def __init__(self, catalogue: Catalogue, *, fuzzy: bool = False, deep: bool = False) -> None:
        self._catalogue, self._fuzzy, self._deep = catalogue, fuzzy, deep

    def join(self, server: Server) -> None:
        """Serve."""
        self._title = min(server.offering.titles, default="")
        server.find(self._answer, model=MODELS)
        for name in MODELS:
            server.offering.extended[model_of(name).find] = negotiation(PERFORMED)

    def _answer(self, request: Request) -> Iterator[bytes | int]:
        asked = request.dataset
        level = level_of_request(request)
        if not level:
            yield MISMATCH
            return
        agreed = request.peer.extended.get(request.context.abstract_syntax, b"")
        fuzzy = self._fuzzy or agreed[FUZZY : FUZZY + 1] == b"\1"
        combined = agreed[COMBINED : COMBINED + 1] == b"\1"
        try:
            query = compile_identifier(asked, level=level, fuzzy=fuzzy, combined=combined)
        except ValueError:
            yield UNABLE
            return
        own = {"RetrieveAETitle": self._title, "InstanceAvailability": "ONLINE"}
        if self._deep:
            for row in self._catalogue.search(query, deep=True):
                yield encode(identifier(row, asked, level, **own), request.context.transfer_syntax)
            return
        answers = Answers(asked, level, request.context.transfer_syntax, **own)
        yield from map(answers.encoded, self._catalogue.values(query, answers.keywords))


def level_of_request(request: Request) -> str:
    """The query/retrieve level of an identifier, "" if its model has no such level."""
    level = str(request.dataset.get("QueryRetrieveLevel") or "").strip().upper()
    return level if level in model_of(request.context.abstract_syntax).levels else ""


def negotiation(performed: bytes) -> Callable[[bytes], bytes]:
    """What is said to an extended negotiation: 1 for what is asked for and performed, else 0."""

    def answer(asked: bytes) -> bytes:
        return bytes(int(wanted == 1 and can == 1) for wanted, can in zip(asked, performed, strict=False))

    return answer
