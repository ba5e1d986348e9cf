"""Worklist: scheduled procedure steps from files of a folder, or from a function (PS3.4 Annex K)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dicomcore.catalogue.compiling import compile_identifier
from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import items_of, text_of
from dicomcore.errors import DicomError
from dicomcore.net import Request, Server
from dicomcore.part10.reader import dcmread

__all__ = ["Worklist"]

SUFFIXES = (".wl", ".dcm")
SKIPPED = frozenset({"SpecificCharacterSet", "QueryRetrieveLevel"})
UTF_8 = "ISO_IR 192"


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

    def _all(self) -> Iterable[Dataset]:
        return self._items() if callable(self._items) else _read(os.fsdecode(self._items))

    def _answer(self, request: Request) -> Iterator[Dataset]:
        asked = request.dataset
        query = compile_identifier(asked)
        for item in self._all():
            if query.matches(_row(item)):
                yield _answered(asked, item)


def _read(folder: str) -> Iterator[Dataset]:
    for name in sorted(os.listdir(folder)):
        if name.endswith(SUFFIXES):
            try:
                ds = dcmread(os.path.join(folder, name), force=True)
            except (DicomError, OSError):
                continue  # one bad file does not cost the others
            if "ScheduledProcedureStepSequence" in ds:
                yield ds


def _row(ds: Dataset) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for element in ds:
        if element.keyword:
            is_sequence = element.VR == "SQ"
            row[element.keyword] = (
                [_row(item) for item in items_of(ds, element.keyword)] if is_sequence else text_of(ds, element.keyword)
            )
    return row


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
    if "SpecificCharacterSet" in item:
        made.SpecificCharacterSet = UTF_8
    return made
