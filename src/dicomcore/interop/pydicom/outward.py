"""to_pydicom: convert data sets from the rows of their index, so that nothing is parsed again."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from pydicom.charset import convert_encodings, default_encoding
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

import dicomcore.dataset as dc
from dicomcore._native.write.encode import encode_value
from dicomcore.dataset.nesting import enter
from dicomcore.dataset.validation import number_fault
from dicomcore.interop.pydicom.block import Block, sequence_element, unknown_element
from dicomcore.tags import SPECIFIC_CHARACTER_SET

__all__ = ["to_pydicom"]


def to_pydicom(data_set: dc.Dataset, *, defer_size: int | None = None) -> Dataset:
    """Convert a data set to pydicom's FileDataset, or an item to pydicom's Dataset.

    Elements are raw, with the bytes of the file, and pydicom decodes them on access; elements that were set have
    values. Values of more than `defer_size` bytes stay in the file until they are accessed, unless the data set is
    deflated or does not come from a file. Later changes of either data set do not affect the other.
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
        self._pending: list[_Work | int] = []
        self._above: set[int] = set()
        self._blocks: dict[int, Block] = {}
        self._recoded: list[Dataset] = []

    def converted(self, data_set: dc.Dataset) -> Dataset:
        target = Dataset()
        self._pending.append(_Work(data_set, target, None))
        while self._pending:
            work = self._pending.pop()
            if isinstance(work, int):  # all below it is filled
                self._above.discard(work)
                continue
            enter(self._above, work.source)
            self._pending.append(id(work.source))
            self._fill(work)
        self._recode()
        return target

    def _fill(self, work: _Work) -> None:
        index, row, wanted, changed = work.source._state()
        if index is not None:
            block = self._blocks.get(id(index))
            if block is None:
                block = self._blocks[id(index)] = Block(index, self.defer_size)
            encoding = block.charset_around(row)
            if work.encoding is not None and work.encoding != encoding:  # an item of another data set
                self._recoded.append(work.target)
            work.target._parent_encoding = encoding
            block.fill(work.target, row, wanted, encoding)
        else:
            work.target.set_original_encoding(None, None, work.encoding or default_encoding)
        if changed:
            self._lay_over(work, changed)

    def _lay_over(self, work: _Work, changed: dict[int, dc.DataElement | None]) -> None:
        """Replace elements that were set, or that were accessed and may have been changed in place."""
        bare = dc.Dataset()
        bare._restore(*work.source._state()[:3], None)
        for tag, element in sorted(changed.items()):
            if element is None:
                work.target._dict.pop(BaseTag(tag), None)
            elif element.VR == "SQ":
                if element._changed and not element._loose:
                    self._put_sequence(work, element)
            elif element._changed and not (tag in bare and bare[tag] == element):
                work.target[tag] = _with_value(element)
        coding = changed.get(int(SPECIFIC_CHARACTER_SET), ...)
        if coding is None or (coding is not ... and coding._changed):
            self._recoded.append(work.target)

    def _recode(self) -> None:
        """Decode the text of data sets whose character set is no longer the one that they were read with.

        pydicom writes decoded text in the Specific Character Set that is then in force, but raw bytes unchanged.
        """
        for target in self._recoded:
            for _ in target.iterall():
                pass
        for target in self._recoded:
            own = target.get("SpecificCharacterSet", None)
            encoding = convert_encodings(own) if own else target._parent_encoding
            target.set_original_encoding(target._read_implicit, target._read_little, encoding)

    def _put_sequence(self, work: _Work, element: dc.DataElement) -> None:
        before = work.target._dict.get(BaseTag(element.tag))
        items = []
        for item in element.value:
            encoding = work.target._read_charset  # not yet what Specific Character Set may have been set to
            target = Dataset(parent_encoding=encoding)
            items.append(target)
            self._pending.append(_Work(item, target, encoding))
        offset = getattr(before, "file_tell", None)
        made = sequence_element(element.tag, Sequence(items), offset, element.is_undefined_length)
        work.target._dict[BaseTag(element.tag)] = made


def _with_value(element: dc.DataElement) -> DataElement | RawDataElement:
    value = element.value
    if number_fault(element.VR, value):  # pydicom accepts such a value only as raw bytes
        data = encode_value(element.VR, value)
        return RawDataElement(BaseTag(element.tag), element.VR, len(data), data, 0, False, True)
    if element.VR == "UN" and isinstance(value, bytes):
        return unknown_element(element.tag, value)
    if isinstance(value, list):
        value = [_plain(item) for item in value]
    return DataElement(BaseTag(element.tag), element.VR, _plain(value))


def _plain(value: Any) -> Any:
    """Convert text to str and tags to int: pydicom makes its own classes from them."""
    if isinstance(value, str):
        return str.__str__(value)
    return int(value) if isinstance(value, int) else value
