"""Query: C-FIND over a catalogue (PS3.4 C.4.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dicomcore.catalogue import Catalogue, compile_identifier, row_of
from dicomcore.catalogue.answers import Answers, answered, identifier, say_character_set, texts_of_row
from dicomcore.catalogue.attributes import OBJECTS
from dicomcore.catalogue.zones import moved_set
from dicomcore.dataset import Dataset
from dicomcore.encoding import encode
from dicomcore.net import Failure, Request, Server
from dicomcore.net.models import model_of
from dicomcore.part10.reader import dcmread

__all__ = ["ADJUSTED", "FUZZY", "MODELS", "Query", "agreed_of", "level_of_request", "negotiation"]

MODELS = ("patient", "study", "patient-study")
MISMATCH, UNABLE = 0xA900, 0xC000
RELATIONAL, COMBINED, FUZZY, ADJUSTED = 0, 1, 2, 3  # bytes of extended negotiation (PS3.4 C.5.1.1.1)
PERFORMED = bytes((1, 1, 1, 1, 0, 1, 1))  # not the conversion of enhanced multi-frame images


class Query:
    """The query service for the Patient Root, Study Root and Patient/Study Only models, and for those of objects that
    belong to no patient: hanging protocols, colour palettes, implant templates, protocols, inventories.

    Queries are relational: keys of upper levels may be missing. What a peer asks for in extended negotiation is
    answered and acted upon: combined matching of dates and times, fuzzy matching of names, dates and times in the time
    zone of the query. Without that, Timezone Offset From UTC in an identifier says nothing. Answers with times say the
    offset that is known of them.

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
        server.find(self._objects, model=tuple(OBJECTS))
        for name in (*MODELS, *OBJECTS):
            server.offering.extended[model_of(name).find] = negotiation(PERFORMED)

    def _answer(self, request: Request) -> Iterator[bytes | int]:
        asked = request.dataset
        level = level_of_request(request)
        if not level:
            yield MISMATCH
            return
        agreed = agreed_of(request)
        fuzzy, combined, adjusted = self._fuzzy or FUZZY in agreed, COMBINED in agreed, ADJUSTED in agreed
        try:
            query = compile_identifier(asked, level=level, fuzzy=fuzzy, combined=combined, adjusted=adjusted)
        except ValueError as error:
            raise Failure(UNABLE, str(error)) from None
        own = {"RetrieveAETitle": self._title, "InstanceAvailability": "ONLINE"}
        if self._deep:
            for row in self._catalogue.search(query, deep=True):
                yield encode(identifier(row, asked, level, terms=query.terms, **own), request.context.transfer_syntax)
            return
        answers = Answers(asked, level, request.context.transfer_syntax, terms=query.terms, **own)
        yield from map(answers.encoded, self._catalogue.values(query, answers.keywords))

    def _objects(self, request: Request) -> Iterator[Dataset | int]:
        """Objects of no patient, which have no levels (PS3.4 U.4, X.4, BB.4)."""
        asked = request.dataset
        agreed = agreed_of(request)
        try:
            query = compile_identifier(asked, fuzzy=FUZZY in agreed, adjusted=ADJUSTED in agreed)
        except ValueError as error:
            raise Failure(UNABLE, str(error)) from None
        model = model_of(request.context.abstract_syntax).name
        for entry, row in self._catalogue.objects(OBJECTS[model]):
            if query.matches(row):
                ds = dcmread(entry.path, stop_before_pixels=True)
                answer = answered(asked, moved_set(ds, query.zone) if query.zone else ds, query.terms)
                say_character_set(answer, asked, texts_of_row(row_of(answer)))
                answer.RetrieveAETitle = self._title
                yield answer


def level_of_request(request: Request) -> str:
    """The query/retrieve level of an identifier, "" if its model has no such level."""
    level = str(request.dataset.get("QueryRetrieveLevel") or "").strip().upper()
    return level if level in model_of(request.context.abstract_syntax).levels else ""


def agreed_of(request: Request) -> frozenset[int]:
    """The numbers of the bytes that were agreed upon in extended negotiation for the SOP class of a request."""
    agreed = request.peer.extended.get(request.context.abstract_syntax, b"")
    return frozenset(at for at, value in enumerate(agreed) if value == 1)


def negotiation(performed: bytes) -> Callable[[bytes], bytes]:
    """What is said to an extended negotiation: 1 for what is asked for and performed, else 0."""

    def answer(asked: bytes) -> bytes:
        return bytes(int(wanted == 1 and can == 1) for wanted, can in zip(asked, performed, strict=False))

    return answer
