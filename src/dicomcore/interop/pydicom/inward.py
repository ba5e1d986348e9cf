"""pydicom's data sets as dicomcore's: their raw bytes put in a row again and indexed, so that none is decoded."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from struct import Struct
from typing import Any, NamedTuple

from pydicom.charset import convert_encodings, default_encoding
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import correct_ambiguous_vr_element, write_data_element
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag
from pydicom.valuerep import BYTES_VR, CUSTOMIZABLE_CHARSET_VR, EXPLICIT_VR_LENGTH_32

import dicomcore.dataset.dataset as dc
from dicomcore.dataset.state import put
from dicomcore.encoding.reading import decode_as, decode_meta
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.tags import SPECIFIC_CHARACTER_SET
from dicomcore.uids import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

__all__ = ["from_pydicom"]

UNDEFINED_LENGTH = 0xFFFFFFFF
ITEM, ITEM_DELIMITER, SEQUENCE_DELIMITER = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD


def from_pydicom(data_set: Dataset, *, limits: Limits | None = None) -> dc.Dataset:
    """Give pydicom's data set, with its file meta information, as one of dicomcore.

    Elements that pydicom still has as raw bytes keep these bytes; the others are encoded as pydicom writes them, and
    those that it can't write come as values alone. Deferred values are read. Later changes of one are not seen by the
    other. `limits` bounds nesting and elements, as in `dcmread`.
    """
    implicit, little = _encoding(data_set)
    stream = _Stream(implicit, little)
    stream.put_data_set(data_set)
    named = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    limits = limits or DEFAULT_LIMITS
    label = _transfer_syntax(data_set) or named
    made = decode_as(stream.joined(), str(label), implicit=implicit, big=not little, limits=limits)
    made.preamble = getattr(data_set, "preamble", None)
    made.file_meta = _file_meta(data_set, limits)
    for place, element in stream.unwritten:
        put(_at(made, place), dc.DataElement(int(element.tag), element.VR, _plain(element.value)))
    return made


def _transfer_syntax(data_set: Dataset) -> str | None:
    return getattr(data_set, "file_meta", {}).get("TransferSyntaxUID", None)


def _encoding(data_set: Dataset) -> tuple[bool, bool]:
    """(implicit VR, little endian): as it was read, else as its transfer syntax says, else explicit little endian."""
    implicit, little = data_set.original_encoding
    if implicit is not None and little is not None:
        return implicit, little
    uid = _transfer_syntax(data_set)
    return uid == ImplicitVRLittleEndian, uid != ExplicitVRBigEndian


def _file_meta(data_set: Dataset, limits: Limits) -> dc.Dataset:
    """The file meta information as far as there is any."""
    meta = getattr(data_set, "file_meta", None)
    if meta is None:
        return dc.Dataset()
    implicit = bool(meta.original_encoding[0])
    stream = _Stream(implicit, True)
    stream.put_data_set(meta)
    return decode_meta(stream.joined(), implicit=implicit, limits=limits)


class _Charset(NamedTuple):
    """pydicom's names of the character sets in force, and whether what is put in the stream states them."""

    encodings: Any
    stated: bool


class _Stream:
    """Data elements one after another, in one encoding."""

    def __init__(self, implicit: bool, little: bool) -> None:
        self.unwritten: list[tuple[tuple[int, ...], DataElement]] = []
        """Elements that pydicom can't encode, and where: sequence, item, sequence, item, …"""
        self._implicit, self._little = implicit, little
        order = "<" if little else ">"
        self._long, self._short = Struct(order + "HHL"), Struct(order + "HH2sH")
        self._extended = Struct(order + "HH2sHL")
        self._parts: list[bytes] = []
        self._size = 0

    def joined(self) -> bytes:
        return b"".join(self._parts)

    def put_data_set(self, data_set: Dataset) -> None:
        """Put a data set and all below it, with a stack of our own instead of recursion."""
        around = _Charset(data_set._character_set, data_set._character_set == default_encoding)
        stack = [self._elements(data_set, (), around)]
        while stack:
            below = next(stack[-1], None)
            if below is None:
                stack.pop()
            else:
                stack.append(below)

    def _elements(self, data_set: Dataset, place: tuple[int, ...], around: _Charset) -> Iterator[Iterator[Any]]:
        charset = around
        if SPECIFIC_CHARACTER_SET in data_set._dict:
            charset = _Charset(convert_encodings(data_set[SPECIFIC_CHARACTER_SET].value), True)
        for tag in sorted(data_set._dict):
            held: Any = data_set.get_item(tag)
            if isinstance(held, RawDataElement) and charset.stated:
                undefined, value = held.length == UNDEFINED_LENGTH, held.value or b""
                if held.is_little_endian == self._little and self._put_bytes(tag, held.VR, value, undefined):
                    continue
            held = data_set[tag]
            if held.VR == "SQ":
                yield self._sequence(held, place, charset)
            elif self._is_lost(held, charset):
                self.unwritten.append((place, held))
            elif not (isinstance(held.value, bytes) and held.VR in BYTES_VR and self._put_value(held)):
                self._put_element(held, data_set, place, charset)

    def _is_lost(self, element: DataElement, charset: _Charset) -> bool:
        """Whether bytes alone wouldn't tell the value: no VR, or a character set that stands further out."""
        if self._implicit and element.tag.is_private and not element.tag.is_private_creator and element.VR != "UN":
            return True
        return not charset.stated and element.VR in CUSTOMIZABLE_CHARSET_VR

    def _put_value(self, element: DataElement) -> bool:
        # pydicom would pad them to an even length, where another reader finds a delimiter at the odd one.
        return self._put_bytes(element.tag, element.VR, element.value, element.is_undefined_length)

    def _sequence(self, element: DataElement, place: tuple[int, ...], charset: _Charset) -> Iterator[Iterator[Any]]:
        undefined = element.is_undefined_length
        started = self._open(element.tag, b"SQ", undefined)
        for number, item in enumerate(element.value or ()):
            open_ended = item.is_undefined_length_sequence_item
            item_started = self._open(ITEM, None, open_ended)
            yield self._elements(item, (*place, int(element.tag), number), charset)
            self._close(item_started, ITEM, None, open_ended, ITEM_DELIMITER)
        self._close(started, element.tag, b"SQ", undefined, SEQUENCE_DELIMITER)

    def _put(self, part: bytes) -> None:
        self._parts.append(part)
        self._size += len(part)

    def _header(self, tag: int, vr: bytes | None, length: int) -> bytes:
        group, element = tag >> 16, tag & 0xFFFF
        if vr is None or self._implicit:
            return self._long.pack(group, element, length)
        if vr.decode("latin-1") in EXPLICIT_VR_LENGTH_32:
            return self._extended.pack(group, element, vr, 0, length)
        return self._short.pack(group, element, vr, length)

    def _open(self, tag: int, vr: bytes | None, undefined: bool) -> tuple[int, int]:
        """Begin something whose length is known at its end; gives the header's number and the size with it."""
        number = len(self._parts)
        self._put(self._header(tag, vr, UNDEFINED_LENGTH if undefined else 0))
        return number, self._size

    def _close(self, started: tuple[int, int], tag: int, vr: bytes | None, undefined: bool, delimiter: int) -> None:
        number, size = started
        if undefined:
            self._put(self._header(delimiter, None, 0))
        else:
            self._parts[number] = self._header(tag, vr, self._size - size)

    def _put_bytes(self, tag: int, vr: str | None, value: bytes, undefined: bool) -> bool:
        """Put bytes as they are; False where the header wouldn't fit this encoding."""
        if not self._implicit:
            if vr is None or len(vr) != 2:
                return False
            if vr not in EXPLICIT_VR_LENGTH_32 and (undefined or len(value) > 0xFFFF):
                return False
        letters = None if vr is None else vr.encode("latin-1")
        self._put(self._header(tag, letters, UNDEFINED_LENGTH if undefined else len(value)))
        self._put(value)
        if undefined:
            self._put(self._header(SEQUENCE_DELIMITER, None, 0))
        return True

    def _put_element(
        self, element: DataElement, data_set: Dataset, place: tuple[int, ...], charset: _Charset
    ) -> None:
        """Put an element as pydicom encodes it."""
        buffer = DicomBytesIO()
        buffer.is_implicit_VR, buffer.is_little_endian = self._implicit, self._little
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                settled = correct_ambiguous_vr_element(element, data_set, self._little)
                write_data_element(buffer, settled, charset.encodings)
        except Exception:  # whatever a value that doesn't suit its VR makes of pydicom's writers
            self.unwritten.append((place, element))
            return
        made = buffer.getvalue()
        if not self._implicit and not self._little and made[4:6] == b"UN" and settled.VR != "UN":
            self.unwritten.append((place, element))  # too long for its VR: pydicom leaves UN's words in big endian
            return
        self._put(made)


def _at(data_set: dc.Dataset, place: tuple[int, ...]) -> dc.Dataset:
    """The data set at sequence, item, sequence, item, …"""
    for tag, number in zip(place[::2], place[1::2], strict=True):
        data_set = data_set[tag].value[number]
    return data_set


def _plain(value: Any) -> Any:
    """Without pydicom's classes."""
    if isinstance(value, list | tuple | MultiValue):
        return [_plain(one) for one in value]
    if isinstance(value, BaseTag):
        return int(value)
    return value if value is None or isinstance(value, str | bytes | int | float) else str(value)
