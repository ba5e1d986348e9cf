"""from_pydicom: write the raw bytes of pydicom's elements into a buffer and index it, so that no value is decoded."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from struct import Struct
from typing import Any, NamedTuple

from pydicom.charset import convert_encodings, default_encoding
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import correct_ambiguous_vr_element, write_data_element
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag
from pydicom.valuerep import BYTES_VR, CUSTOMIZABLE_CHARSET_VR, EXPLICIT_VR_LENGTH_32, STANDARD_VR, PersonName

import dicomcore.dataset.dataset as dc
from dicomcore.dataset.state import put
from dicomcore.encoding.reading import decode_as, decode_meta
from dicomcore.interop.pydicom.block import encoding_of, unknown_element
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.tags import (
    ITEM,
    ITEM_DELIMITER,
    PIXEL_DATA,
    SEQUENCE_DELIMITER,
    SPECIFIC_CHARACTER_SET,
    UNDEFINED_LENGTH,
)
from dicomcore.uids import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

__all__ = ["from_pydicom"]

CHARSET_FREE = STANDARD_VR - CUSTOMIZABLE_CHARSET_VR - {"SQ", "UN"}
"""VRs whose values have no text in the Specific Character Set, neither themselves nor in items."""


def from_pydicom(data_set: Dataset, *, limits: Limits | None = None) -> dc.Dataset:
    """Convert a data set of pydicom, with its file meta information, to a `Dataset`.

    Elements that are still raw in pydicom keep their bytes; other elements are encoded by pydicom, and elements that it
    cannot write are passed on as values. Deferred values are read. Later changes of either data set do not affect the
    other. `limits` bounds nesting and elements, as in `dcmread`.
    """
    if not isinstance(data_set, Dataset):
        own = isinstance(data_set, dc.Dataset)
        raise TypeError(
            f"from_pydicom takes a data set of pydicom, not {type(data_set).__name__}"
            + (" of dicomcore, which needs no conversion" if own else "")
        )
    implicit, little = _encoding(data_set)
    stream = _Stream(implicit, little, encapsulated=_is_encapsulated(_transfer_syntax(data_set)))
    stream.put_data_set(data_set)
    encoding = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    limits = limits or DEFAULT_LIMITS
    uid = _transfer_syntax(data_set) or encoding
    converted = decode_as(stream.joined(), str(uid), implicit=implicit, big=not little, limits=limits)
    converted.preamble = getattr(data_set, "preamble", None)
    converted.file_meta = _file_meta(data_set, limits)
    for position, element in stream.unwritten:
        put(_at(converted, position), dc.DataElement(int(element.tag), str(element.VR), _plain(element.value)))
    return converted


def _transfer_syntax(data_set: Dataset) -> str | None:
    return getattr(data_set, "file_meta", {}).get("TransferSyntaxUID", None)


def _is_encapsulated(uid: Any) -> bool | None:
    """Whether pydicom writes pixel data of a transfer syntax in fragments; None if it leaves this to the element."""
    if not uid or uid.is_private or not uid.is_transfer_syntax:
        return None
    return bool(uid.is_compressed)


def _encoding(data_set: Dataset) -> tuple[bool, bool]:
    """Return (implicit VR, little endian) as it was read, or else of the transfer syntax; by default (False, True)."""
    implicit, little = data_set.original_encoding
    if implicit is not None and little is not None:
        return implicit, little
    uid = _transfer_syntax(data_set)
    return uid == ImplicitVRLittleEndian, uid != ExplicitVRBigEndian


def _file_meta(data_set: Dataset, limits: Limits) -> dc.Dataset:
    """Convert the file meta information; an empty data set if there is none."""
    meta = getattr(data_set, "file_meta", None)
    if meta is None:
        return dc.Dataset()
    implicit = bool(meta.original_encoding[0])
    stream = _Stream(implicit, True)
    stream.put_data_set(meta)
    return decode_meta(stream.joined(), implicit=implicit, limits=limits)


class _Charset(NamedTuple):
    """pydicom's names of the character sets in force, and whether the stream has an element that states them."""

    encodings: Any
    stated: bool


class _Stream:
    """A buffer of data elements in one encoding."""

    def __init__(self, implicit: bool, little: bool, *, encapsulated: bool | None = None) -> None:
        self.unwritten: list[tuple[tuple[int, ...], DataElement]] = []
        """Elements that pydicom cannot encode, with their position: sequence, item, sequence, item, …"""
        self._implicit, self._little, self._encapsulated = implicit, little, encapsulated
        order = "<" if little else ">"
        self._long, self._short = Struct(order + "HHL"), Struct(order + "HH2sH")
        self._extended = Struct(order + "HH2sHL")
        self._parts: list[bytes] = []
        self._size = 0

    def joined(self) -> bytes:
        return b"".join(self._parts)

    def put_data_set(self, data_set: Dataset) -> None:
        """Append a data set and all its items, with a stack instead of recursion."""
        charset = _Charset(data_set._parent_encoding, data_set._parent_encoding == default_encoding)
        stack = [self._elements(data_set, (), charset)]
        while stack:
            nested = next(stack[-1], None)
            if nested is None:
                stack.pop()
            else:
                stack.append(nested)

    def _elements(self, data_set: Dataset, position: tuple[int, ...], inherited: _Charset) -> Iterator[Iterator[Any]]:
        charset = inherited
        coding: Any = data_set._dict.get(BaseTag(SPECIFIC_CHARACTER_SET))
        if coding is not None:
            terms = encoding_of(coding) if isinstance(coding, RawDataElement) else convert_encodings(coding.value)
            charset = _Charset(terms, True)
        read_as = data_set._read_charset or data_set._parent_encoding
        fitting = charset.stated and _listed(read_as) == _listed(charset.encodings)
        for tag in sorted(data_set._dict):
            element: Any = data_set.get_item(tag, keep_deferred=True)
            if isinstance(element, RawDataElement):
                if element.value is None and element.length:  # deferred
                    element = data_set.get_item(tag)
                elif self._put_raw(element, fitting):
                    continue
                else:
                    element = _decoded(data_set, element)
            if tag == PIXEL_DATA and not position:
                element = self._delimited(element)
            if element.VR == "SQ":
                yield self._sequence(element, position, charset)
            elif self._is_lost(element, charset):
                self.unwritten.append((position, element))
            elif not (isinstance(element.value, bytes) and element.VR in BYTES_VR and self._put_value(element)):
                self._put_element(element, data_set, position, charset)

    def _put_raw(self, element: RawDataElement, fitting: bool) -> bool:
        """Append the bytes of an element that was not accessed; return False if they do not fit this stream.

        `fitting` is whether text was read with the character set that is in force in the stream: Specific Character
        Set may have been set since, or the item put into another data set.
        """
        if element.is_little_endian != self._little or (self._implicit and not element.is_implicit_VR):
            return False
        vr = element.VR or _dictionary_vr(element.tag)
        if not (fitting or vr in CHARSET_FREE or element.tag == SPECIFIC_CHARACTER_SET):
            return False
        undefined = element.length == UNDEFINED_LENGTH
        return self._put_bytes(element.tag, element.VR, element.value or b"", undefined)

    def _is_lost(self, element: DataElement, charset: _Charset) -> bool:
        """Whether the value cannot be read from its bytes: its VR is not there, or the character set is further out."""
        if self._implicit and element.VR != "UN":
            known = _dictionary_vr(element.tag)
            if known != element.VR and not (element.VR in BYTES_VR and element.VR in known):
                return True
        return not charset.stated and element.VR in CUSTOMIZABLE_CHARSET_VR

    def _put_value(self, element: DataElement) -> bool:
        # pydicom would pad the bytes to an even length, but a delimiter may follow at the odd one.
        return self._put_bytes(element.tag, element.VR, element.value, element.is_undefined_length)

    def _delimited(self, element: DataElement) -> DataElement:
        """Copy pixel data with the length that the transfer syntax requires: pydicom sets it only when it writes."""
        undefined = element.is_undefined_length if self._encapsulated is None else self._encapsulated
        value = element.value
        return DataElement(element.tag, element.VR, value, is_undefined_length=undefined, already_converted=True)

    def _sequence(self, element: DataElement, position: tuple[int, ...], charset: _Charset) -> Iterator[Iterator[Any]]:
        undefined = element.is_undefined_length
        started = self._open(element.tag, b"SQ", undefined)
        for number, item in enumerate(element.value or ()):
            open_ended = item.is_undefined_length_sequence_item
            item_started = self._open(ITEM, None, open_ended)
            yield self._elements(item, (*position, int(element.tag), number), charset)
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
        """Begin a sequence or item, whose length is known later; return the index of its header and the size so far."""
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
        """Append bytes unchanged; return False if the header does not fit this encoding."""
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
        self, element: DataElement, data_set: Dataset, position: tuple[int, ...], charset: _Charset
    ) -> None:
        """Append an element as pydicom encodes it."""
        buffer = DicomBytesIO()
        buffer.is_implicit_VR, buffer.is_little_endian = self._implicit, self._little
        try:
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                settled: Any = correct_ambiguous_vr_element(element, data_set, self._little)
                if settled.VR == "PN":
                    settled = _with_fresh_names(settled)
                write_data_element(buffer, settled, charset.encodings)
        except Exception:  # pydicom's writers raise anything for a value that does not fit its VR
            self.unwritten.append((position, element))
            return
        if any("replacement characters" in str(one.message) for one in said):
            self.unwritten.append((position, element))  # text that the character set does not have
            return
        encoded = buffer.getvalue()
        if not self._implicit and not self._little and encoded[4:6] == b"UN" and settled.VR != "UN":
            # Too long for its VR: pydicom leaves the words of UN in big endian.
            self.unwritten.append((position, element))
            return
        self._put(encoded)


def _listed(encodings: Any) -> list[str]:
    return [encodings] if isinstance(encodings, str) else list(encodings)


def _dictionary_vr(tag: BaseTag) -> str:
    """Return the VR, or VRs, of an element in implicit VR; UN if there is none."""
    if tag.is_private:
        return "LO" if tag.is_private_creator else "UN"
    return dictionary_VR(tag) if dictionary_has_tag(tag) else "UL" if tag.element == 0 else "UN"


def _decoded(data_set: Dataset, element: RawDataElement) -> DataElement:
    """Return an element with its value, or as UN with its bytes if pydicom cannot decode it."""
    try:
        return data_set[element.tag]
    except Exception:  # pydicom's readers raise anything for bytes that do not fit their VR
        return unknown_element(element.tag, element.value or b"")


def _with_fresh_names(element: DataElement) -> DataElement:
    """Copy an element of names without the bytes that pydicom keeps in a name, if these are not what it says.

    pydicom keeps those that it encoded first, whatever the character set is later, and with question marks for
    characters that it could not encode.
    """
    value = element.value
    names: Any = [_fresh(name) for name in value] if isinstance(value, list | MultiValue) else _fresh(value)
    return DataElement(element.tag, "PN", names, already_converted=True)


def _fresh(name: Any) -> Any:
    if not isinstance(name, PersonName):
        return name
    bound = name.encodings is not None and name.original_string is not None
    if bound and str(PersonName(name.original_string, name.encodings)) == str(name):
        return name
    return PersonName(str(name))


def _at(data_set: dc.Dataset, position: tuple[int, ...]) -> dc.Dataset:
    """Return the data set at a position: sequence, item, sequence, item, …"""
    for tag, number in zip(position[::2], position[1::2], strict=True):
        data_set = data_set[tag].value[number]
    return data_set


def _plain(value: Any) -> Any:
    """Convert a value of pydicom to plain types."""
    if isinstance(value, list | tuple | MultiValue):
        return [_plain(item) for item in value]
    if isinstance(value, BaseTag):
        return int(value)
    return value if value is None or isinstance(value, str | bytes | int | float) else str(value)
