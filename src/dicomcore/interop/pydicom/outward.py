"""dicomcore's data sets as pydicom's, from the rows of the index: nothing is parsed again."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np
from pydicom.charset import convert_encodings, default_encoding
from pydicom.dataelem import DataElement, RawDataElement, empty_value_for_VR
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

import dicomcore.dataset as dc
from dicomcore._native.index import Index
from dicomcore.dataset import DATA_SET, FILE_META
from dicomcore.part10.rows import ROW
from dicomcore.tags import SPECIFIC_CHARACTER_SET

__all__ = ["to_pydicom"]

UNDEFINED_LENGTH = 0xFFFFFFFF
IMPLICIT, BIG_ENDIAN, UNDEFINED, CONTAINER, FRAGMENTS = 1, 2, 4, 16, 32  # ROW's flags
BLOCK = 1 << 20
"""The header of a file is read at once when it is no larger; else values are read one by one."""


def to_pydicom(data_set: dc.Dataset, *, defer_size: int | None = None) -> Dataset:
    """Give a data set as pydicom's FileDataset, an item as pydicom's Dataset.

    Elements are raw ones, which pydicom decodes when they are asked for, with the bytes as they stand in the file; those
    that were set are elements with values. Values of more than `defer_size` bytes stay in the file until pydicom is
    asked for them, where there is one and it isn't deflated. Later changes of one are not seen by the other.
    """
    made = _Conversion(defer_size).converted(data_set)
    index = data_set._index
    if data_set._row >= 0:
        return made
    meta = data_set.file_meta
    file_meta = FileMetaDataset()
    if meta is not None:
        held = _Conversion(None).converted(meta)
        file_meta = FileMetaDataset(held._dict)
        file_meta.set_original_encoding(held._read_implicit, held._read_little, default_encoding)
    implicit = data_set.is_implicit_VR if index is not None else None
    little = data_set.is_little_endian if index is not None else None
    path = None if index is None or index.path is None else os.fspath(index.path)
    whole: Any = FileDataset(path, made._dict, data_set.preamble, file_meta, implicit, little)  # type: ignore[arg-type]
    whole.set_original_encoding(implicit, little, made._read_charset)
    return whole  # type: ignore[no-any-return]


class _Work(NamedTuple):
    """A data set that waits to be filled: what from, what into, and the character set around it if that is known."""

    source: dc.Dataset
    target: Dataset
    encoding: Any


class _Conversion:
    """One call's data sets, filled in turn: nothing here is recursive, however deep they nest."""

    def __init__(self, defer_size: int | None) -> None:
        self.defer_size = defer_size
        self._pending: list[_Work] = []
        self._blocks: dict[int, _Block] = {}

    def converted(self, data_set: dc.Dataset) -> Dataset:
        target = Dataset()
        self._pending.append(_Work(data_set, target, None))
        while self._pending:
            self._fill(self._pending.pop())
        return target

    def _fill(self, work: _Work) -> None:
        index, row, wanted, changed = work.source._state()
        if index is not None:
            block = self._blocks.get(id(index))
            if block is None:
                block = self._blocks[id(index)] = _Block(index, self.defer_size)
            encoding = block.charset_around(row) if work.encoding is None else work.encoding
            work.target._parent_encoding = encoding
            block.fill(work.target, row, wanted, encoding)
        else:
            work.target.set_original_encoding(None, None, work.encoding or default_encoding)
        if changed:
            self._lay_over(work, changed)

    def _lay_over(self, work: _Work, changed: dict[int, dc.DataElement | None]) -> None:
        """Put what was set in memory, or handed out to be changed there, in the place of what was read."""
        bare = dc.Dataset()
        bare._restore(*work.source._state()[:3], None)
        for tag, element in sorted(changed.items()):
            if element is None:
                work.target._dict.pop(BaseTag(tag), None)
            elif element.VR == "SQ":
                if element._changed:
                    self._put_sequence(work, element)
            elif element._changed and not (tag in bare and bare[tag] == element):
                work.target[tag] = _with_value(element)
        if SPECIFIC_CHARACTER_SET in changed:
            encoding = convert_encodings(work.target.get("SpecificCharacterSet", None))
            work.target.set_original_encoding(work.target._read_implicit, work.target._read_little, encoding)

    def _put_sequence(self, work: _Work, element: dc.DataElement) -> None:
        before = work.target._dict.get(BaseTag(element.tag))
        undefined = element.is_undefined_length
        items = []
        for item in element.value:
            target = Dataset(parent_encoding=work.target._character_set)
            items.append(target)
            self._pending.append(_Work(item, target, work.target._character_set))
        made = Sequence(items)
        made.is_undefined_length = undefined
        work.target._dict[BaseTag(element.tag)] = DataElement(
            BaseTag(element.tag),
            "SQ",
            made,
            getattr(before, "file_tell", None),
            is_undefined_length=undefined,
            already_converted=True,
        )


class _Block:
    """The rows of one index, and its bytes as they are needed."""

    def __init__(self, index: Index, defer_size: int | None) -> None:
        self._index = index
        self._rows: list[Any] = np.frombuffer(index, ROW).tolist()
        deferrable = defer_size is not None and index.path is not None and not index.inflated
        self._defer_size = defer_size if deferrable else None
        self._head = b""
        end = max((row[4] + row[5] for row in self._rows if row[5] < BLOCK), default=0)
        if end <= BLOCK:
            self._head = bytes(index.read(0, end))

    def charset_around(self, place: int) -> Any:
        """pydicom's names of the character sets in force around an item (PS3.3 C.12.1.1.2)."""
        rows = self._rows
        while place >= 0 and (sequence := rows[place][6]) >= 0:
            place = rows[sequence][6]
            at, stop = (place + 1, rows[place][7]) if place >= 0 else (self._index.meta_count, len(rows))
            while at < stop:
                if rows[at][0] == SPECIFIC_CHARACTER_SET:
                    return _encoding_of(self._raw(rows[at]))
                at = rows[at][7]
        return default_encoding

    def fill(self, target: Dataset, place: int, wanted: frozenset[int] | None, encoding: Any) -> None:
        """Fill `target` with the elements of the item at row `place`, the data set (-1) or file meta information (-2)."""
        rows, meta = self._rows, self._index.meta_count
        first, stop = (place + 1, rows[place][7]) if place >= 0 else (0, meta) if place == FILE_META else (meta, len(rows))
        if place == FILE_META and not meta:
            return
        levels: dict[int, Dataset] = {}  # the data set of an item, by its row
        sequences: dict[int, Sequence] = {}
        self._begin(target, self._index.mode if place == DATA_SET else rows[max(place, 0)][3], encoding)
        at = first
        while at < stop:
            tag, vr, header, flags, offset, length, parent, following = row = rows[at]
            around = sequences.get(parent)
            if around is not None:
                if tag == 0xFFFEE000:
                    levels[at] = item = Dataset(parent_encoding=self._charset(levels, rows[parent][6], target))
                    self._begin(item, flags, item._parent_encoding)
                    item.is_undefined_length_sequence_item = bool(flags & UNDEFINED)
                    item.seq_item_tell = item.file_tell = offset - header  # type: ignore[attr-defined]
                    around.append(item)
                at += 1
                continue
            level = levels.get(parent, target)
            if level is target and wanted is not None and tag not in wanted:
                at = following
            elif flags & CONTAINER and not flags & FRAGMENTS:
                sequences[at] = made = Sequence()
                made.is_undefined_length = bool(flags & UNDEFINED)
                level._dict[BaseTag(tag)] = DataElement(
                    BaseTag(tag), "SQ", made, offset, is_undefined_length=made.is_undefined_length, already_converted=True
                )
                at += 1
            else:
                level._dict[BaseTag(tag)] = raw = self._raw(row)
                if tag == SPECIFIC_CHARACTER_SET:
                    level._read_charset = _encoding_of(raw)
                at = following

    @staticmethod
    def _begin(target: Dataset, flags: int, encoding: Any) -> None:
        target.set_original_encoding(bool(flags & IMPLICIT), not flags & BIG_ENDIAN, encoding)

    @staticmethod
    def _charset(levels: dict[int, Dataset], parent: int, target: Dataset) -> Any:
        return levels.get(parent, target)._read_charset

    def _raw(self, row: tuple[Any, ...]) -> RawDataElement:
        tag, vr, _, flags, offset, length, _, _ = row
        stated = None if flags & IMPLICIT or not vr else vr.decode("latin-1")
        value: bytes | None
        if not length:
            value = empty_value_for_VR(stated, raw=True)  # type: ignore[assignment]
        elif self._defer_size is not None and length > self._defer_size and tag != SPECIFIC_CHARACTER_SET:
            value = None
        elif offset + length <= len(self._head):
            value = self._head[offset : offset + length]
        else:
            value = bytes(self._index.read(offset, length))
        said = UNDEFINED_LENGTH if flags & UNDEFINED else length
        return RawDataElement(
            BaseTag(tag), stated, said, value, offset, bool(flags & IMPLICIT), not flags & BIG_ENDIAN
        )


def _encoding_of(raw: RawDataElement) -> Any:
    """pydicom's names for the character sets that an element names."""
    terms = (raw.value or b"").decode("latin-1").rstrip(" \0").split("\\")
    return convert_encodings([term.strip() for term in terms] if len(terms) > 1 else terms[0])


def _with_value(element: dc.DataElement) -> DataElement:
    value = element.value
    if isinstance(value, list):
        value = [_plain(one) for one in value]
    return DataElement(BaseTag(element.tag), element.VR, _plain(value))


def _plain(value: Any) -> Any:
    """Texts as plain str, tags as plain int: pydicom makes its own of them."""
    if isinstance(value, str):
        return str.__str__(value)
    return int(value) if isinstance(value, int) else value
