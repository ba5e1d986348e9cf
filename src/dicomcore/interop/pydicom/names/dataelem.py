"""pydicom.dataelem."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from dicomcore import dataset as _dataset
from dicomcore.dataset.printing import value_text
from dicomcore.dictionary import dictionary_has_tag, dictionary_is_retired, repeater_has_tag
from dicomcore.interop.pydicom.names import config
from dicomcore.interop.pydicom.names.tag import BaseTag, Tag
from dicomcore.interop.pydicom.names.valuerep import STR_VR, validate_value
from dicomcore.values import PersonName

if TYPE_CHECKING:
    from dicomcore.interop.pydicom.names.dataset import Dataset

__all__ = ["DataElement", "RawDataElement", "convert_raw_data_element", "empty_value_for_VR"]


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
    is_buffered = False

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
        if validation_mode is not None and not already_converted:
            _validate(VR, value, validation_mode)
        super().__init__(tag if isinstance(tag, int) else Tag(tag), VR, value)
        self._tell = file_value_tell
        if is_undefined_length:
            self._undefined = True

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
        _validate(self.VR, value, config.settings.reading_validation_mode)

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
        return json.dumps(model, sort_keys=True) if dump_handler is None else dump_handler(model)

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
        made = dataset_class.from_json({tag: {"vr": vr, **member}}, bulk_data_uri_handler)
        found: Self = made[int(tag, 16)]
        return found


def convert_raw_data_element(raw: RawDataElement, *, encoding: Any = None, ds: Any = None) -> DataElement:
    """The element of a `RawDataElement`."""
    from dicomcore import encoding as _encoding

    if not isinstance(raw, RawDataElement):
        return raw
    vr, value = raw.VR or _known_vr(raw.tag, ds), raw.value or b""
    order: Any = "little" if raw.is_little_endian else "big"
    head = int(raw.tag).to_bytes(4, "little")
    head = (raw.tag >> 16).to_bytes(2, order) + (raw.tag & 0xFFFF).to_bytes(2, order)
    syntax = "1.2.840.10008.1.2.1" if raw.is_little_endian else "1.2.840.10008.1.2.2"
    long = vr in _LONG
    size = b"\0\0" + len(value).to_bytes(4, order) if long else len(value).to_bytes(2, order)
    parts = [head + vr.encode() + size + value]
    made: Any = _encoding.decode(b"".join(parts), syntax)
    return made[raw.tag]  # type: ignore[no-any-return]


def _known_vr(tag: int, ds: Any) -> str:
    from dicomcore.dictionary import dictionary_VR

    try:
        return dictionary_VR(tag)[:2]
    except KeyError:
        return "UN"


_LONG = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}


def _around(element: Any) -> Any:
    """A data set of this element alone, which JSON is written from."""
    from dicomcore.interop.pydicom.names.dataset import Dataset

    around = Dataset()
    around.validation = "ignore"
    around.add(element)
    return around


def _validate(VR: str, value: Any, mode: int) -> None:
    for one in value if isinstance(value, (list, tuple)) else (value,):
        validate_value(VR, one, mode)
