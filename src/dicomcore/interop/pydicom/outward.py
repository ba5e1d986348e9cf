"""dicomcore's data sets as pydicom's, from the rows of the index: nothing is parsed again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydicom.charset import convert_encodings, default_encoding
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import UID

import dicomcore.dataset as dc
from dicomcore._native.write.encode import encode_value
from dicomcore.dataset.paths import Below, unfolded
from dicomcore.dataset.state import as_read, index_of, is_changed, kept_meta, loose_bytes, row_of, state_of
from dicomcore.dataset.validation import number_fault
from dicomcore.interop.pydicom.block import Block, sequence_element, unknown_element
from dicomcore.tags import SPECIFIC_CHARACTER_SET

__all__ = ["to_pydicom"]


def to_pydicom(data_set: dc.Dataset, *, defer_size: int | None = None) -> Dataset:
    """Give a data set as pydicom's FileDataset, an item as pydicom's Dataset.

    Elements are raw ones, which pydicom decodes when they are asked for, with the bytes as they stand in the file;
    those that were set are elements with values. Values of more than `defer_size` bytes stay in the file until pydicom
    is asked for them, where there is one and it isn't deflated. Later changes of one are not seen by the other.
    """
    made = _Conversion(defer_size).converted(data_set)
    index = index_of(data_set)
    if row_of(data_set) >= 0:
        return made
    meta = data_set.file_meta
    file_meta = FileMetaDataset()
    if meta is not None:
        held = _Conversion(None).converted(meta)
        file_meta = FileMetaDataset(held._dict)
        file_meta.set_original_encoding(held._read_implicit, held._read_little, default_encoding)
    if index is not None and index.bare and not kept_meta(data_set):
        file_meta.TransferSyntaxUID = UID(str(data_set.transfer_syntax))  # which pydicom has no other place for
    implicit = data_set.is_implicit_VR if index is not None else None
    little = data_set.is_little_endian if index is not None else None
    path = None if index is None or index.path is None else os.fspath(index.path)
    whole: Any = FileDataset(path, made._dict, data_set.preamble, file_meta, implicit, little)  # type: ignore[arg-type]
    whole.set_original_encoding(implicit, little, made._read_charset)
    return whole  # type: ignore[no-any-return]


class _Work(NamedTuple):
    """A data set to be filled: what from, what into, and the character set around it if that is known."""

    source: dc.Dataset
    target: Dataset
    encoding: Any


class _Conversion:
    """One call's data sets."""

    def __init__(self, defer_size: int | None) -> None:
        self.defer_size = defer_size
        self._blocks: dict[int, Block] = {}
        self._recoded: list[Dataset] = []

    def converted(self, data_set: dc.Dataset) -> Dataset:
        target = Dataset()
        for _ in unfolded(data_set, self._filled(_Work(data_set, target, None))):
            pass  # each is filled on the way
        self._recode()
        return target

    def _filled(self, work: _Work) -> Iterator[Below[None] | None]:
        """Fill a data set; gives the items that are to be filled after it."""
        state = state_of(work.source)
        index, row = state.index, state.row
        if index is not None:
            block = self._blocks.get(id(index))
            if block is None:
                block = self._blocks[id(index)] = Block(index, self.defer_size)
            encoding = block.charset_around(row)
            if work.encoding is not None and work.encoding != encoding:  # an item from elsewhere
                self._recoded.append(work.target)
            work.target._parent_encoding = encoding
            block.fill(work.target, row, state.wanted, encoding)
        else:
            work.target.set_original_encoding(None, None, work.encoding or default_encoding)
        if state.changed:
            yield from self._lay_over(work, state.changed)

    def _lay_over(self, work: _Work, changed: dict[int, dc.DataElement | None]) -> Iterator[Below[None] | None]:
        """Put what was set in memory, or handed out to be changed there, in the place of what was read."""
        bare = as_read(work.source)
        below: list[_Work] = []
        for tag, element in sorted(changed.items()):
            if element is None:
                work.target._dict.pop(BaseTag(tag), None)
            elif element.VR == "SQ":
                if is_changed(element) and not loose_bytes(element):
                    below += self._put_sequence(work, element)
            elif is_changed(element) and not (tag in bare and bare[tag] == element):
                work.target[tag] = _with_value(element)
        coding = changed.get(int(SPECIFIC_CHARACTER_SET), ...)
        if coding is None or (coding is not ... and is_changed(coding)):
            self._recoded.append(work.target)
        for inner in below:
            yield Below(inner.source, self._filled(inner))

    def _recode(self) -> None:
        """Decode the text of data sets whose character set isn't any more what it was read with.

        pydicom writes decoded text by the Specific Character Set that is then in force, and raw bytes as they are.
        """
        for target in self._recoded:
            for _ in target.iterall():
                pass
        for target in self._recoded:
            own = target.get("SpecificCharacterSet", None)
            encoding = convert_encodings(own) if own else target._parent_encoding
            target.set_original_encoding(target._read_implicit, target._read_little, encoding)

    @staticmethod
    def _put_sequence(work: _Work, element: dc.DataElement) -> list[_Work]:
        """Put a sequence in, of items that are still to be filled."""
        before = work.target._dict.get(BaseTag(element.tag))
        encoding = work.target._read_charset  # not yet what Specific Character Set may have been set to
        items = [_Work(item, Dataset(parent_encoding=encoding), encoding) for item in element.value]
        offset = getattr(before, "file_tell", None)
        sequence = Sequence([item.target for item in items])
        work.target._dict[BaseTag(element.tag)] = sequence_element(
            element.tag, sequence, offset, element.is_undefined_length
        )
        return items


def _with_value(element: dc.DataElement) -> DataElement | RawDataElement:
    value = element.value
    if number_fault(element.VR, value):  # which pydicom takes from a file alone
        data = encode_value(element.VR, value)
        return RawDataElement(BaseTag(element.tag), element.VR, len(data), data, 0, False, True)
    if element.VR == "UN" and isinstance(value, bytes):
        return unknown_element(element.tag, value)
    if isinstance(value, list):
        value = [_plain(one) for one in value]
    return DataElement(BaseTag(element.tag), element.VR, _plain(value))


def _plain(value: Any) -> Any:
    """Texts as plain str, tags as plain int: pydicom makes its own of them."""
    if isinstance(value, str):
        return str.__str__(value)
    return int(value) if isinstance(value, int) else value
