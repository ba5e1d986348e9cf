"""Worklist: scheduled procedure steps from files of a folder, or from a function (PS3.4 Annex K)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from dicomcore.catalogue import compile_identifier, row_of
from dicomcore.catalogue.answers import answered, say_character_set, texts_of_row
from dicomcore.catalogue.zones import moved_set
from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import items_of
from dicomcore.errors import DicomError
from dicomcore.net import Failure, Request, Server
from dicomcore.net.models import model_of
from dicomcore.part10.reader import dcmread
from dicomcore.services.query import ADJUSTED, FUZZY, agreed_of, negotiation

__all__ = ["Worklist", "read_items"]

SUFFIXES = (".wl", ".dcm")
PERFORMED = bytes((1, 1, 1, 1))  # two that are always 1, fuzzy matching of names, timezone adjustment (PS3.4 K.5.1)
UNABLE = 0xC000
STEPS = "ScheduledProcedureStepSequence"


class Worklist:
    """The modality worklist service.

    `items` is a folder with a data set in each file ``*.wl`` or ``*.dcm``, which is read at each query, or a function
    that returns data sets.
    """

    def __init__(self, items: str | os.PathLike[str] | Callable[[], Iterable[Dataset]]) -> None:
        self._items = items

    def join(self, server: Server) -> None:
        """Serve."""
        server.find(self._answer, model="worklist")
        server.offering.extended[model_of("worklist").find] = negotiation(PERFORMED)

    def _all(self) -> Iterable[Dataset]:
        return self._items() if callable(self._items) else read_items(os.fsdecode(self._items))

    def _answer(self, request: Request) -> Iterator[Dataset | int]:
        asked, agreed = request.dataset, agreed_of(request)
        try:
            query = compile_identifier(asked, fuzzy=FUZZY in agreed, combined=True, adjusted=ADJUSTED in agreed)
        except ValueError as error:
            raise Failure(UNABLE, str(error)) from None
        for item in chain.from_iterable(map(_steps, self._all())):
            if query.matches(row_of(item)):
                answer = answered(asked, moved_set(item, query.zone) if query.zone else item, query.terms)
                say_character_set(answer, asked, texts_of_row(row_of(answer)))
                yield answer


def _steps(item: Dataset) -> Iterator[Dataset]:
    """An item for each of its scheduled procedure steps: an answer has one (PS3.4 K.6.1.2)."""
    steps = items_of(item, STEPS)
    if len(steps) < 2:
        yield item
        return
    for step in steps:
        made = item.copy()
        made.add_new(made[STEPS].tag, "SQ", [step])
        yield made


def read_items(folder: str) -> Iterator[Dataset]:
    """The worklist items in the files of a folder, as they are now."""
    for name in sorted(os.listdir(folder)):
        if name.endswith(SUFFIXES):
            try:
                ds = dcmread(os.path.join(folder, name), force=True)
            except (DicomError, OSError):
                continue  # one bad file does not cost the others
            if STEPS in ds:
                yield ds
