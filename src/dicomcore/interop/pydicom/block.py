"""Block: converts the rows of an index to pydicom's elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydicom.charset import convert_encodings, default_encoding
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement, empty_value_for_VR
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

import dicomcore.dataset as dc
from dicomcore import tags
from dicomcore._native.scan.index import Index
from dicomcore._native.views.data_element import holds_no_items
from dicomcore._native.views.dataset import make_dataset
from dicomcore._native.views.regular import regular_sequences
from dicomcore.dataset.state import DATA_SET, FILE_META
from dicomcore.part10.rows import rows_of
from dicomcore.tags import UNDEFINED_LENGTH

__all__ = ["Block", "encoding_of", "sequence_element", "unknown_element"]

# Plain numbers, which are compared with every element.
ITEM, SPECIFIC_CHARACTER_SET, PIXEL_DATA = map(int, (tags.ITEM, tags.SPECIFIC_CHARACTER_SET, tags.PIXEL_DATA))
IMPLICIT, BIG_ENDIAN, UNDEFINED, CONTAINER, FRAGMENTS = 1, 2, 4, 16, 32  # a row's flags
LONG_UN = 0xFFFF
MAYBE_SEQUENCE = frozenset((b"SQ", b"UN", b""))
"""VRs of rows that may turn out to be sequences."""
US_OR_SS = b"xs"
"""The VR of rows in implicit VR whose VR depends on Pixel Representation."""
HEAD = 1 << 20
"""Number of bytes at the start of a file that are read at once; values beyond, and larger ones, are read one by one."""


class _Pattern:
    """An empty data set, of which copies are made: pydicom's constructor takes ten times as long."""

    def __init__(self, data_set: Dataset, encoding: Any) -> None:
        self._state = vars(data_set)
        self._own = [
            name for name, value in self._state.items() if isinstance(value, dict | list) and value is not encoding
        ]

    def made(self) -> Dataset:
        """Make a data set with the same attributes, and dicts and lists of its own."""
        state = self._state.copy()
        for name in self._own:
            state[name] = state[name].copy()
        made = Dataset.__new__(Dataset)
        object.__setattr__(made, "__dict__", state)
        return made


class Block:
    """The rows of an index and the bytes of its source, read on demand, from which data sets of pydicom are filled."""

    def __init__(self, index: Index, defer_size: int | None) -> None:
        self._index = index
        self._table = rows_of(index)
        self._row: Callable[[int], Any] = self._table.item
        deferrable = defer_size is not None and index.path is not None and not index.inflated
        self._defer_size = defer_size if deferrable else None
        self._patterns: dict[tuple[int, int], _Pattern] = {}
        self._regular = regular_sequences(index) if self._knows_sequences() else bytes(len(self._table))
        self._head = b""
        small = self._table[self._table["length"] < HEAD]
        end = int((small["offset"] + small["length"]).max(initial=0))
        if end <= HEAD:
            self._head = bytes(index.read(0, end))

    def charset_around(self, place: int) -> Any:
        """Return pydicom's names of the character sets that an item inherits (PS3.3 C.12.1.1.2)."""
        while place >= 0 and (sequence := self._row(place)[6]) >= 0:
            place = self._row(sequence)[6]
            at, stop = self._span(place if place >= 0 else DATA_SET)
            while at < stop:
                row = self._row(at)
                if row[0] == SPECIFIC_CHARACTER_SET:
                    return encoding_of(self._raw(row))
                at = row[7]
        return default_encoding

    def fill(self, target: Dataset, place: int, wanted: frozenset[int] | None, encoding: Any) -> None:
        """Fill `target` with the elements of the item at row `place`, or of DATA_SET or FILE_META.

        It passes over the rows once, without recursion: the row of a parent leads to the data set of an element.
        """
        at, stop = self._span(place)
        if place == FILE_META and at == stop:
            return
        data_sets: dict[int, Dataset] = {}  # the data set of an item, by its row
        sequences: dict[int, Sequence] = {}
        self._begin(target, self._index.mode if place == DATA_SET else self._row(max(place, 0))[3], encoding)
        while at < stop:
            tag, vr, _, flags, offset, _, parent, following = row = self._row(at)
            sequence = sequences.get(parent)
            if sequence is not None:
                if tag == ITEM:
                    data_sets[at] = item = self._item(row, data_sets.get(self._row(parent)[6], target)._read_charset)
                    sequence.append(item)
                at += 1
                continue
            owner = data_sets.get(parent, target)
            if owner is target and wanted is not None and tag not in wanted:
                at = following
            elif self._stays_raw(at, row):
                owner._dict[BaseTag(tag)] = self._raw(row, "SQ")
                at = following
            elif flags & CONTAINER and not flags & FRAGMENTS and (following > at + 1 or not 0 < row[5] < 8):
                sequences[at] = Sequence()
                owner._dict[BaseTag(tag)] = sequence_element(tag, sequences[at], offset, bool(flags & UNDEFINED))
                at += 1
            elif vr in MAYBE_SEQUENCE and row[5] and holds_no_items(self._index, at):
                # bytes that are not items: pydicom would parse items from them
                value = bytes(self._index.read(offset, row[5]))
                owner._dict[BaseTag(tag)] = unknown_element(tag, value, offset)
                at = following
            else:
                owner._dict[BaseTag(tag)] = raw = self._raw(row)
                if tag == SPECIFIC_CHARACTER_SET:
                    owner._read_charset = encoding_of(raw)
                at = following

    def _knows_sequences(self) -> bool:
        """Whether pydicom takes all sequences in implicit VR for sequences: its dictionary may be an older one."""
        table, both = self._table, IMPLICIT | CONTAINER
        tags = set(table["tag"][table["flags"] & both == both].tolist())
        return all(dictionary_has_tag(tag) and dictionary_VR(tag) == "SQ" for tag in tags - {ITEM, PIXEL_DATA})

    def _stays_raw(self, at: int, row: tuple[Any, ...]) -> bool:
        """Whether pydicom will read the same items from the bytes of a sequence; not if their values are deferred."""
        is_deferred = self._defer_size is not None and row[5] > self._defer_size
        return self._regular[at] != 0 and not is_deferred

    @staticmethod
    def _begin(target: Dataset, flags: int, encoding: Any) -> None:
        target.set_original_encoding(bool(flags & IMPLICIT), not flags & BIG_ENDIAN, encoding)

    def _span(self, place: int) -> tuple[int, int]:
        """Return the first row of a data set, and the row after its last."""
        if place >= 0:
            return place + 1, self._row(place)[7]
        meta = self._index.meta_count
        return (0, meta) if place == FILE_META else (meta, len(self._table))

    def _item(self, row: tuple[Any, ...], encoding: Any) -> Dataset:
        _, _, header, flags, offset, _, _, _ = row
        key = flags & (IMPLICIT | BIG_ENDIAN | UNDEFINED), id(encoding)
        pattern = self._patterns.get(key)
        if pattern is None:
            pattern = self._patterns[key] = _Pattern(self._empty_item(flags, encoding), encoding)
        item = pattern.made()
        vars(item)["seq_item_tell"] = vars(item)["file_tell"] = offset - header
        return item

    def _empty_item(self, flags: int, encoding: Any) -> Dataset:
        item = Dataset(parent_encoding=encoding)
        self._begin(item, flags, encoding)
        item.is_undefined_length_sequence_item = bool(flags & UNDEFINED)
        return item

    def _raw(self, row: tuple[Any, ...], stated: str | None = None) -> RawDataElement:
        tag, vr, _, flags, offset, length, _, _ = row
        if stated is None and not flags & IMPLICIT and vr:
            stated = vr.decode("latin-1")
        value: bytes | None
        if not length:  # None with an undefined length would mean that the value is deferred
            value = b"" if flags & UNDEFINED else empty_value_for_VR(stated, raw=True)  # type: ignore[assignment]
        elif self._defer_size is not None and length > self._defer_size and tag != SPECIFIC_CHARACTER_SET:
            value = None
        elif offset + length <= len(self._head):
            value = self._head[offset : offset + length]
        else:
            value = bytes(self._index.read(offset, length))
        stated_length = UNDEFINED_LENGTH if flags & UNDEFINED else length
        implicit = bool(flags & IMPLICIT)
        if stated == "UN" and length >= LONG_UN:
            stated = self._known_vr(row)
            implicit = stated == "SQ" and value is not None and not value[12:14].isalpha()  # whether its items are
        elif vr == US_OR_SS and row[6] >= 0:  # pydicom ignores the Pixel Representation around an item
            stated = self._known_vr(row)
        return RawDataElement(BaseTag(tag), stated, stated_length, value, offset, implicit, not flags & BIG_ENDIAN)

    def _known_vr(self, row: tuple[Any, ...]) -> str:
        """Return the VR as dicomcore resolves it: of UN too long for pydicom (PS3.5 6.2.2), of "US or SS" in items."""
        around = row[6] if row[6] >= 0 else DATA_SET
        element: Any = make_dataset(dc.Dataset, self._index, around, None)[row[0]]
        return str(element.VR)


def sequence_element(tag: int, sequence: Sequence, offset: int | None, undefined: bool) -> DataElement:
    """Make an SQ element from a sequence."""
    sequence.is_undefined_length = undefined
    return DataElement(BaseTag(tag), "SQ", sequence, offset, is_undefined_length=undefined, already_converted=True)


def unknown_element(tag: int, value: bytes, offset: int | None = None) -> DataElement:
    """Make an element that keeps the VR UN: pydicom's constructor replaces it by the VR of the dictionary."""
    element = DataElement(BaseTag(tag), "OB", value, offset, already_converted=True)
    element.VR = "UN"
    return element


def encoding_of(raw: RawDataElement) -> Any:
    """Return pydicom's names for the terms of a Specific Character Set element."""
    terms = (raw.value or b"").decode("latin-1").rstrip(" \0").split("\\")
    return convert_encodings([term.strip() for term in terms] if len(terms) > 1 else terms[0])
