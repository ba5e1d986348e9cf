"""STOW-RS (PS3.18 10.5): instances from files, archives and memory in batches, and what became of each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import items_of, number_of, text_of
from dicomcore.errors import DicomError, InvalidDicomError
from dicomcore.limits import Limits
from dicomcore.net.statuses import Status
from dicomcore.part10.reader import dcmread, unforced
from dicomcore.web.client_receivers import Outcome
from dicomcore.web.multipart import PartWriter

if TYPE_CHECKING:
    from dicomcore.archive.sources.place import Place

__all__ = ["Batch", "Item", "Stored", "UnreadableError", "batches_of", "outcomes_of"]

CHUNK = 1 << 20
WANTED = (0x00020002, 0x00020003, 0x00020010, 0x00080016, 0x00080018)


class Stored(NamedTuple):
    """What came of `store`: how many instances the server has, how many of them with a warning, and which failed.

    `passed_over` counts files of folders that are not DICOM. True if nothing failed.
    """

    stored: int
    warnings: int
    failures: list[Outcome]
    passed_over: int

    def __bool__(self) -> bool:
        return not self.failures


class Item(NamedTuple):
    """An instance to send: `body` gives the bytes of its file, `size` of them, each time from the beginning."""

    path: str | None
    sop_class: str
    sop_instance: str
    size: int
    body: Callable[[], Iterator[bytes]]

    def outcome(self, state: str, error: str = "", code: int = 0) -> Outcome:
        """What became of it."""
        return Outcome(state, self.path, self.sop_class, self.sop_instance, error, code)


class UnreadableError(Exception):
    """An instance cannot be read to its end while a request is sent, which has to end."""

    def __init__(self, item: Item, error: Exception) -> None:
        super().__init__(str(error))
        self.item = item


class Batch(NamedTuple):
    """Instances of one request; `refused` are outcomes of those that could not be opened before it."""

    items: list[Item]
    refused: list[Outcome]
    passed_over: int

    def content(self) -> tuple[dict[str, str], Callable[[], Iterator[bytes]]]:
        """Header fields, and what makes the body."""
        writer = PartWriter("application/dicom")
        heads = [writer.head() for _ in self.items]
        tail = writer.tail()
        length = sum(map(len, heads)) + sum(item.size for item in self.items) + len(tail)

        def pieces() -> Iterator[bytes]:
            for head, item in zip(heads, self.items, strict=True):
                yield head
                try:
                    yield from item.body()
                except (OSError, DicomError) as error:
                    raise UnreadableError(item, error) from error
            yield tail

        return {"Content-Type": writer.content_type, "Content-Length": str(length)}, pieces


def batches_of(sources: Any, limits: Limits, *, most: int, most_bytes: int) -> Iterator[Batch]:
    """All instances of the sources, in batches of at most `most`, and of `most_bytes` unless one has more."""
    items: list[Item] = []
    refused: list[Outcome] = []
    passed_over = size = 0
    for source, is_named in _sources(sources):
        try:
            item = _opened(source, limits)
        except InvalidDicomError as error:
            if is_named or error.may_be_dicom:
                refused.append(_refused(source, error))
            else:
                passed_over += 1
            continue
        except Exception as error:  # whatever the store behind a URL raises
            if not isinstance(error, (DicomError, OSError)) and isinstance(source, (str, Dataset)) and is_named:
                raise
            refused.append(_refused(source, error))
            continue
        if items and (len(items) >= most or size + item.size > most_bytes):
            yield Batch(items, refused, passed_over)
            items, refused, passed_over, size = [], [], 0, 0
        items.append(item)
        size += item.size
    if items or refused or passed_over:
        yield Batch(items, refused, passed_over)


def _sources(sources: Any) -> Iterator[tuple[Any, bool]]:
    """Data sets, and files of paths, folders, archives and URLs; whether the caller named them one by one."""
    from dicomcore.archive.sources.sources import Sources, as_sources

    if isinstance(sources, Dataset):
        sources = [sources]
    for source in as_sources(sources):
        if isinstance(source, Dataset):
            yield source, True
            continue
        name = os.fsdecode(source) if isinstance(source, (str, os.PathLike)) else None
        yield from ((one, one == name) for one in Sources(source))


def _opened(source: Any, limits: Limits) -> Item:
    if isinstance(source, Dataset):
        whole = source.to_bytes()
        return _item(None, dcmread(whole, specific_tags=WANTED, limits=limits), len(whole), lambda: iter([whole]))
    from dicomcore.archive.sources.place import Fault, Place

    if isinstance(source, Fault):
        raise OSError(source.failure.reason)
    if isinstance(source, Place):
        blob = source.open()
        with unforced():
            ds = dcmread(blob, specific_tags=WANTED, limits=limits)
        return _item(str(source), ds, blob.size, lambda: _pieces_of_place(source))
    with unforced():
        ds = dcmread(source, specific_tags=WANTED, limits=limits)
    size = os.stat(source).st_size
    return _item(source, ds, size, lambda: _pieces_of_file(source, size))


def _item(path: str | None, ds: Dataset, size: int, body: Callable[[], Iterator[bytes]]) -> Item:
    meta = ds.file_meta
    sop_class = text_of(ds, "SOPClassUID") or (meta and text_of(meta, "MediaStorageSOPClassUID")) or ""
    sop_instance = text_of(ds, "SOPInstanceUID") or (meta and text_of(meta, "MediaStorageSOPInstanceUID")) or ""
    if not sop_instance:
        raise DicomError("it has no SOP Instance UID")
    return Item(path, sop_class, sop_instance, size, body)


def _pieces_of_file(path: str, size: int) -> Iterator[bytes]:
    left = size
    with open(path, "rb", buffering=0) as file:
        while left and (piece := file.read(min(CHUNK, left))):
            left -= len(piece)
            yield piece
    if left:
        raise OSError(f"{path} has become shorter while it was sent")


def _pieces_of_place(place: Place) -> Iterator[bytes]:
    blob = place.open()
    for at in range(0, blob.size, CHUNK):
        yield blob.read_at(at, min(CHUNK, blob.size - at))


def _refused(source: Any, error: Exception) -> Outcome:
    path = None if isinstance(source, Dataset) else str(source)
    return Outcome("failed", path, "", "", str(error) or type(error).__name__)


# -- what the server says


def outcomes_of(batch: Iterable[Item], answers: Iterable[Dataset]) -> Iterator[Outcome]:
    """The outcome of each instance by the Store Instances Response Module (PS3.18 Annex I).

    An instance that the server does not mention counts as failed: nobody knows where it is.
    """
    stored: dict[str, int] = {}
    failed: dict[str, tuple[int, str]] = {}
    unnamed = []
    for ds in answers:
        for item in items_of(ds, "ReferencedSOPSequence"):
            stored[text_of(item, "ReferencedSOPInstanceUID") or ""] = int(number_of(item, "WarningReason", 0))
        for item in items_of(ds, "FailedSOPSequence"):
            failed[text_of(item, "ReferencedSOPInstanceUID") or ""] = _failure(item)
        unnamed += [_failure(item) for item in items_of(ds, "OtherFailuresSequence")]
    for one in batch:
        uid = one.sop_instance
        if uid in failed:
            yield one.outcome("failed", failed[uid][1], failed[uid][0])
        elif uid in stored:
            code = stored[uid]
            yield one.outcome("warning" if code else "stored", _reason(code) if code else "", code)
        elif unnamed:
            yield one.outcome("failed", unnamed[0][1], unnamed[0][0])
        else:
            yield one.outcome("failed", "the server's answer does not mention it")


def _failure(item: Dataset) -> tuple[int, str]:
    """Failure Reason, and what it says, with the comment that some servers add."""
    code = int(number_of(item, "FailureReason", 0))
    comment = text_of(item, "ErrorComment") or ""
    return code, ": ".join(part for part in (_reason(code), comment) if part)


def _reason(code: int) -> str:
    text = Status(code).text if code else ""
    return f"{text} ({code:04X})" if text else f"the server gave the reason {code:04X}" if code else "without a reason"
