"""to_pydicom: convert data sets from the rows of their index, so that nothing is parsed again."""

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
from dicomcore.dataset.state import (
    as_read,
    has_own_items,
    index_of,
    is_changed,
    kept_meta,
    loose_bytes,
    preamble_of,
    row_of,
    state_of,
)
from dicomcore.dataset.validation import number_fault
from dicomcore.errors import EncodeError
from dicomcore.interop.pydicom.block import Block, sequence_element, unknown_element
from dicomcore.tags import SPECIFIC_CHARACTER_SET

__all__ = ["to_pydicom"]


def to_pydicom(data_set: dc.Dataset, *, defer_size: int | None = None) -> Dataset:
    """Convert a data set to pydicom's FileDataset, or an item to pydicom's Dataset.

    Elements are raw, with the bytes of the file, and pydicom decodes them on access; elements that were set have
    values. Values of more than `defer_size` bytes stay in the file until they are accessed, unless the data set is
    deflated or does not come from a file. Later changes of either data set do not affect the other.
    """
    if not isinstance(data_set, dc.Dataset):
        own = isinstance(data_set, Dataset)
        raise TypeError(
            f"to_pydicom takes a data set of dicomcore, not {type(data_set).__name__}"
            + (" of pydicom, which needs no conversion" if own else "")
        )
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
        file_meta.TransferSyntaxUID = UID(str(data_set.transfer_syntax))  # pydicom has no other place for it
    implicit = data_set.is_implicit_VR if index is not None else None
    little = data_set.is_little_endian if index is not None else None
    path = None if index is None or index.path is None else os.fspath(index.path)
    whole: Any = FileDataset(path, made._dict, preamble_of(data_set), file_meta, implicit, little)  # type: ignore[arg-type]
    whole.set_original_encoding(implicit, little, made._read_charset)
    return whole  # type: ignore[no-any-return]


class _Work(NamedTuple):
    """A data set to convert, the data set to fill, and the character set around it if that is known."""

    source: dc.Dataset
    target: Dataset
    encoding: Any


class _Conversion:
    """The data sets that one call converts."""

    def __init__(self, defer_size: int | None) -> None:
        self.defer_size = defer_size
        self._blocks: dict[int, Block] = {}
        self._recoded: list[Dataset] = []

    def converted(self, data_set: dc.Dataset) -> Dataset:
        target = Dataset()
        for _ in unfolded(data_set, self._filled(_Work(data_set, target, None))):
            pass  # the iteration fills each data set
        self._recode()
        return target

    def _filled(self, work: _Work) -> Iterator[Below[None] | None]:
        """Fill a data set, and yield the items to fill after it."""
        state = state_of(work.source)
        index, row = state.index, state.row
        if index is not None:
            block = self._blocks.get(id(index))
            if block is None:
                block = self._blocks[id(index)] = Block(index, self.defer_size)
            encoding = block.charset_around(row)
            if work.encoding is not None and work.encoding != encoding:  # an item of another data set
                self._recoded.append(work.target)
            work.target._parent_encoding = encoding
            block.fill(work.target, row, state.wanted, encoding)
        else:
            work.target.set_original_encoding(None, None, work.encoding or default_encoding)
        if state.changed:
            yield from self._lay_over(work, state.changed)

    def _lay_over(self, work: _Work, changed: dict[int, dc.DataElement | None]) -> Iterator[Below[None] | None]:
        """Replace elements that were set, or that were accessed and may have been changed in place."""
        bare = as_read(work.source)
        below: list[_Work] = []
        for tag, element in sorted(changed.items()):
            if element is None:
                work.target._dict.pop(BaseTag(tag), None)
            elif element.VR == "SQ":
                if not has_own_items(element) and is_changed(element) and not loose_bytes(element):
                    below += self._put_sequence(work, element)
            elif is_changed(element) and not (tag in bare and bare[tag] == element):
                work.target[tag] = _with_value(element)
        coding = changed.get(int(SPECIFIC_CHARACTER_SET), ...)
        if coding is None or (coding is not ... and is_changed(coding)):
            self._recoded.append(work.target)
        for inner in below:
            yield Below(inner.source, self._filled(inner))

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

    @staticmethod
    def _put_sequence(work: _Work, element: dc.DataElement) -> list[_Work]:
        """Put a sequence of empty items in place of the one that was read, and return the items to fill."""
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
    if number_fault(element.VR, value):  # pydicom accepts such a value only as raw bytes
        try:
            data = encode_value(element.VR, value)
        except EncodeError:  # text of other characters
            return DataElement(BaseTag(element.tag), element.VR, value, already_converted=True)
        return RawDataElement(BaseTag(element.tag), element.VR, len(data), data, 0, False, True)
    if element.VR == "UN" and isinstance(value, bytes):
        return unknown_element(element.tag, value)
    if isinstance(value, list):
        value = [_plain(item) for item in value]
    whole = element.VR == "UR"  # pydicom splits it at backslashes when it is set, not when it is read
    return DataElement(BaseTag(element.tag), element.VR, _plain(value), already_converted=whole)


def _plain(value: Any) -> Any:
    """Convert text to str and tags to int: pydicom makes its own classes from them."""
    if isinstance(value, str):
        return str.__str__(value)
    return int(value) if isinstance(value, int) else value
