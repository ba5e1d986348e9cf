"""Worklist: scheduled procedure steps from files of a folder, or from a function (PS3.4 Annex K)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dicomcore.catalogue import compile_identifier, row_of
from dicomcore.catalogue.answers import say_character_set
from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import items_of
from dicomcore.errors import DicomError
from dicomcore.net import Request, Server
from dicomcore.net.models import model_of
from dicomcore.part10.reader import dcmread
from dicomcore.services.query import negotiation

__all__ = ["Worklist"]

SUFFIXES = (".wl", ".dcm")
SKIPPED = frozenset({"SpecificCharacterSet", "QueryRetrieveLevel"})
FUZZY = 2  # a byte of extended negotiation
PERFORMED = bytes((1, 1, 1, 0))  # two that are always 1, fuzzy matching of names, no timezone adjustment (PS3.4 K.5.1)


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
        return self._items() if callable(self._items) else _read(os.fsdecode(self._items))

    def _answer(self, request: Request) -> Iterator[Dataset]:
        asked = request.dataset
        agreed = request.peer.extended.get(request.context.abstract_syntax, b"")
        query = compile_identifier(asked, fuzzy=agreed[FUZZY : FUZZY + 1] == b"\1", combined=True)
        for item in self._all():
            row = row_of(item)
            if query.matches(row):
                answer = _answered(asked, item)
                say_character_set(answer, asked, _texts(row_of(answer)))
                yield answer


def _read(folder: str) -> Iterator[Dataset]:
    for name in sorted(os.listdir(folder)):
        if name.endswith(SUFFIXES):
            try:
                ds = dcmread(os.path.join(folder, name), force=True)
            except (DicomError, OSError):
                continue  # one bad file does not cost the others
            if "ScheduledProcedureStepSequence" in ds:
                yield ds


def _texts(row: dict[str, Any]) -> Iterator[str]:
    for value in row.values():
        if isinstance(value, list):
            for item in value:
                yield from _texts(item)
        else:
            yield str(value)


def _answered(asked: Dataset, item: Dataset) -> Dataset:
    """What was asked for of an item, at every level; what it lacks is empty."""
    made = Dataset()
    for element in asked:
        tag = element.tag
        if element.keyword in SKIPPED:
            continue
        if element.VR != "SQ":
            made.add_new(tag, element.VR, item[tag].value if tag in item else None)
            continue
        inner = element.value[0] if element.value else None
        found = items_of(item, element.keyword)
        made.add_new(tag, "SQ", [one.copy() if inner is None else _answered(inner, one) for one in found])
    return made
