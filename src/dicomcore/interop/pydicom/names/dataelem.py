"""pydicom.dataelem."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from dicomcore import dataset as _dataset
from dicomcore.dataset.printing import value_text
from dicomcore.dictionary import (
    dictionary_description,
    dictionary_has_tag,
    dictionary_is_retired,
    dictionary_VR,
    repeater_has_tag,
)
from dicomcore.interop.pydicom.names import config
from dicomcore.interop.pydicom.names.errors import BytesLengthException
from dicomcore.interop.pydicom.names.misc import warn_and_log
from dicomcore.interop.pydicom.names.modes import raises_on_reading, reading_mode
from dicomcore.interop.pydicom.names.person_name import PersonName
from dicomcore.interop.pydicom.names.streams import check_stream, is_buffered
from dicomcore.interop.pydicom.names.tag import BaseTag, Tag
from dicomcore.interop.pydicom.names.valuerep import BUFFERABLE_VRS, NUMBER_SIZES, STR_VR, validate_value
from dicomcore.uids import ExplicitVRBigEndian, ExplicitVRLittleEndian
from dicomcore.vrs import VRS as _ROWS

if TYPE_CHECKING:
    from dicomcore.interop.pydicom.names.base_dataset import Dataset

__all__ = ["DataElement", "DataElement_from_raw", "RawDataElement", "convert_raw_data_element", "empty_value_for_VR"]

VRS = {row.name: row for row in _ROWS}


class RawDataElement(NamedTuple):
    """An element that is not decoded yet. dicomcore makes none: its elements decode their values when they are read."""

    tag: BaseTag
    VR: str | None
    length: int
    value: bytes | None
    value_tell: int
    is_implicit_VR: bool
    is_little_endian: bool
    is_raw: bool = True
    is_buffered: bool = False


def empty_value_for_VR(VR: str | None, raw: bool = False) -> Any:
    """The value of an empty element of this VR: "" for text, an empty list for a sequence, else None."""
    if VR == "SQ":
        return b"" if raw else []
    if VR == "PN":
        return b"" if raw else PersonName("")
    if VR in STR_VR - {"DS", "IS"}:
        return b"" if raw else ""
    return None


class _AnyElement(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, _dataset.DataElement) if cls is DataElement else type.__instancecheck__(cls, value)


class DataElement(_dataset.DataElement, metaclass=_AnyElement):
    """A data element with pydicom's further attributes."""

    __slots__ = ("_creator", "_tell", "_undefined")

    descripWidth = 35
    maxBytesToDisplay = 16
    showVR = True
    is_raw = False

    def __init__(
        self,
        tag: Any,
        VR: str,
        value: Any,
        file_value_tell: int | None = None,
        is_undefined_length: bool = False,
        already_converted: bool = False,
        validation_mode: int | None = None,
    ) -> None:
        number = tag if isinstance(tag, int) else Tag(tag)
        if isinstance(value, io.BufferedIOBase):
            if VR not in BUFFERABLE_VRS:
                raise ValueError(
                    f"Elements with a VR of '{VR}' cannot be used with buffered values, supported VRs are: "
                    + ", ".join(sorted(BUFFERABLE_VRS))
                )
            check_stream(value, Tag(number), dictionary_description(number) if dictionary_has_tag(number) else "")
            already_converted = True
        if VR == "UN" and (is_undefined_length or value is None or len(value) < 0xFFFF):
            VR = _known_vr(number)
        if validation_mode is None and raises_on_reading():
            validation_mode = config.RAISE  # in the other modes the data set checks what is set in it
        if validation_mode is not None and not already_converted:
            _validate(VR, value, validation_mode)
        if VR not in VRS and " or " not in VR:
            warn_and_log(f"{number}: {VR!r} is not a VR, UN is used", stacklevel=2)
            VR = "UN"
        super().__init__(number, VR, value)
        self._tell = file_value_tell
        if is_undefined_length:
            self._undefined = True

    @property
    def is_buffered(self) -> bool:
        """Whether the value is a stream that is still to be read."""
        return is_buffered(self)

    @property
    def file_tell(self) -> int | None:
        """The offset of the value in its source."""
        return getattr(self, "_tell", None) or self.offset

    @property
    def is_undefined_length(self) -> bool:
        """Whether the element has undefined length; setting it has no effect, the transfer syntax decides."""
        return getattr(self, "_undefined", super().is_undefined_length)

    @is_undefined_length.setter
    def is_undefined_length(self, value: bool) -> None:
        self._undefined = value

    @property
    def private_creator(self) -> str | None:
        """The creator of a private element's block."""
        return getattr(self, "_creator", None) or super().private_creator

    @private_creator.setter
    def private_creator(self, value: str | None) -> None:
        self._creator = value

    @property
    def is_retired(self) -> bool:
        """Whether PS3.6 has retired the element."""
        known = dictionary_has_tag(self.tag) or repeater_has_tag(self.tag)
        return known and dictionary_is_retired(self.tag)

    @property
    def validation_mode(self) -> int:
        """How values are checked: as `config.settings.reading_validation_mode` says."""
        return reading_mode()

    @property
    def repval(self) -> str:
        """The text of the value, as in print."""
        return value_text(self)

    def description(self) -> str:
        """The element's name."""
        return self.name

    @property
    def empty_value(self) -> Any:
        """The value of an empty element of this VR."""
        return empty_value_for_VR(self.VR)

    def clear(self) -> None:
        """Make the value empty."""
        self.value = self.empty_value

    def validate(self, value: Any) -> None:
        """Warn if the VR does not allow a value."""
        _validate(self.VR, value, reading_mode())

    def to_json_dict(
        self, bulk_data_element_handler: Callable[[Any], str] | None = None, bulk_data_threshold: int = 1024
    ) -> dict[str, Any]:
        """The attribute object of the DICOM JSON Model (PS3.18 F.2.2)."""
        around = _around(self)
        model = around.to_json_dict(
            bulk_data_element_handler=bulk_data_element_handler, bulk_data_threshold=bulk_data_threshold
        )
        found: dict[str, Any] = model[f"{int(self.tag):08X}"]
        return found

    def to_json(
        self,
        bulk_data_threshold: int = 1024,
        bulk_data_element_handler: Callable[[Any], str] | None = None,
        dump_handler: Callable[[dict[str, Any]], str] | None = None,
    ) -> str:
        """The same as text."""
        model = self.to_json_dict(bulk_data_element_handler, bulk_data_threshold)
        if dump_handler is not None:
            return dump_handler(model)
        import json  # 2 ms, which most programs don't need

        return json.dumps(model, sort_keys=True)

    @classmethod
    def from_json(
        cls,
        dataset_class: type[Dataset],
        tag: str,
        vr: str,
        value: Any,
        value_key: str | None,
        bulk_data_uri_handler: Callable[..., Any] | None = None,
    ) -> Self:
        """An element from the parts of an attribute object of the DICOM JSON Model."""
        member = {value_key: value} if value_key else {}
        number = int(tag, 16) if isinstance(tag, str) else int(tag)
        made = dataset_class.from_json({f"{number:08X}": {"vr": vr, **member}}, bulk_data_uri_handler)
        found: Self = made[number]
        return found


def convert_raw_data_element(
    raw: RawDataElement, *, encoding: str | Sequence[str] | None = None, ds: Dataset | None = None
) -> DataElement:
    """The element of a `RawDataElement`.

    `encoding` are Python's codecs of its text; `ds` is the data set around it, whose private creators and Pixel
    Representation count. A tag of the standard's groups that no dictionary lists is warned of, or raises KeyError when
    `config.settings.reading_validation_mode` is RAISE. Raises NotImplementedError for a VR that there is none of, and
    BytesLengthException if the value's length is no multiple of the size of its VR's numbers.
    """
    if not isinstance(raw, RawDataElement):
        return raw
    tag = Tag(raw.tag)
    if raw.value is not None and not isinstance(raw.value, (bytes, bytearray, memoryview)):
        return DataElement(tag, _stated_vr(raw, tag), raw.value, raw.value_tell, raw.length == UNDEFINED_LENGTH, True)
    found = _decoded(raw, tag, encoding, ds)[tag]
    if found.VR in NUMBER_SIZES and isinstance(found.value, bytes):
        raise BytesLengthException(
            f"{tag}: {len(found.value)} bytes are no multiple of {NUMBER_SIZES[found.VR]}, the size of a {found.VR}"
        )
    if not raw.VR and found.VR == "UN" and not tag.is_private:
        _note_unknown(tag)
    made = DataElement(tag, found.VR, found.value, raw.value_tell, raw.length == UNDEFINED_LENGTH, True)
    made.private_creator = found.private_creator
    return made


def _note_unknown(tag: BaseTag) -> None:
    if raises_on_reading():
        raise KeyError(f"VR lookup failed for the raw element with tag {tag}")
    warn_and_log(f"VR lookup failed for the raw element with tag {tag} - setting VR to 'UN'")


def _DataElement_from_raw(
    raw_data_element: RawDataElement, encoding: str | Sequence[str] | None = None, dataset: Dataset | None = None
) -> DataElement:
    """The same under pydicom's old name."""
    return convert_raw_data_element(raw_data_element, encoding=encoding, ds=dataset)


DataElement_from_raw = _DataElement_from_raw

UNDEFINED_LENGTH = 0xFFFFFFFF
CONTEXT = (0x00080005, 0x00280103)  # Specific Character Set, Pixel Representation


def _decoded(raw: RawDataElement, tag: BaseTag, encoding: str | Sequence[str] | None, ds: Dataset | None) -> Any:
    """A data set of the element and of what its value depends on."""
    from dicomcore import encoding as _encoding

    around: dict[int, tuple[str, bytes]] = {}
    for other in (*CONTEXT, (tag & 0xFFFF0000) | tag.element >> 8):
        if ds is not None and other in ds and other != tag:
            element = ds[other]
            around[other] = _parts(element, raw.is_little_endian)
    if encoding is not None:
        from dicomcore.interop.pydicom.names.charset import terms_of

        around[CONTEXT[0]] = ("CS", "\\".join(terms_of(encoding)).encode())
    around[tag] = (_stated_vr(raw, tag), bytes(raw.value or b""))
    stream = b"".join(_bytes_of(number, *around[number], raw.is_little_endian) for number in sorted(around))
    return _encoding.decode(stream, ExplicitVRLittleEndian if raw.is_little_endian else ExplicitVRBigEndian)


def _stated_vr(raw: RawDataElement, tag: int) -> str:
    """The VR of a raw element: UN if there is none or a choice, which the dictionaries then resolve."""
    if not raw.VR or " or " in raw.VR:
        return "UL" if tag & 0xFFFF == 0 else "UN"
    if raw.VR not in VRS:
        raise NotImplementedError(f"Unknown Value Representation '{raw.VR}' in tag {tag}")
    return str(raw.VR)


def _parts(element: Any, is_little_endian: bool) -> tuple[str, bytes]:
    value = element.value
    if isinstance(value, int):
        return element.VR, value.to_bytes(2, "little" if is_little_endian else "big")
    return element.VR, "\\".join(value if isinstance(value, list) else [str(value)]).encode("latin-1", "replace")


def _bytes_of(tag: int, vr: str, value: bytes, is_little_endian: bool) -> bytes:
    order: Any = "little" if is_little_endian else "big"
    size = b"\0\0" + len(value).to_bytes(4, order) if VRS[vr].long else len(value).to_bytes(2, order)
    return (tag >> 16).to_bytes(2, order) + (tag & 0xFFFF).to_bytes(2, order) + vr.encode() + size + value


def _known_vr(tag: int) -> str:
    """The VR of a tag of the standard that stood as UN; "UN" for others."""
    if tag & 0x10000 or not dictionary_has_tag(tag):
        return "UN"
    return dictionary_VR(tag)


def _around(element: Any) -> Any:
    """A data set of this element alone, which JSON is written from."""
    from dicomcore.interop.pydicom.names.base_dataset import Dataset

    around = Dataset()
    around.validation = "ignore"
    around.add(element)
    return around


def _validate(VR: str, value: Any, mode: int) -> None:
    for one in value if isinstance(value, (list, tuple)) else (value,):
        validate_value(VR, one, mode)
