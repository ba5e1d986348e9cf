"""pydicom.charset: Python's codecs for the terms of Specific Character Set, and text decoded and encoded with them."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from dicomcore.charset import VALUE_DELIMITERS, Charset, charset_for
from dicomcore.errors import EncodeError
from dicomcore.interop.pydicom.names.misc import warn_and_log
from dicomcore.interop.pydicom.names.modes import raises_on_reading, raises_on_writing
from dicomcore.interop.pydicom.names.valuerep import CUSTOMIZABLE_CHARSET_VR, TEXT_VR_DELIMS, PersonName

if TYPE_CHECKING:
    from dicomcore.interop.pydicom.names.dataelem import DataElement

__all__ = [
    "STAND_ALONE_ENCODINGS",
    "convert_encodings",
    "decode_bytes",
    "decode_element",
    "decode_string",
    "default_encoding",
    "encode_string",
    "python_encoding",
]

default_encoding = "iso8859"
STAND_ALONE_ENCODINGS = ("ISO_IR 192", "GBK", "GB18030")
ESC = b"\x1b"

# The codecs by the numbers of their sets (PS3.3 tables C.12-2 to C.12-5), under the names that pydicom gives them.
_CODECS = {
    "6": default_encoding,
    "13": "shift_jis",
    "100": "latin_1",
    "101": "iso8859_2",
    "109": "iso8859_3",
    "110": "iso8859_4",
    "126": "iso_ir_126",
    "127": "iso_ir_127",
    "138": "iso_ir_138",
    "144": "iso_ir_144",
    "148": "iso_ir_148",
    "166": "iso_ir_166",
}
_WIDE_CODECS = {"87": "iso2022_jp", "149": "euc_kr", "159": "iso2022_jp_2", "58": "iso_ir_58"}

python_encoding = {
    "": default_encoding,
    **{f"ISO_IR {number}": codec for number, codec in _CODECS.items()},
    **{f"ISO 2022 IR {number}": codec for number, codec in (_CODECS | _WIDE_CODECS).items()},
    "ISO_IR 192": "UTF8",
    "GB18030": "GB18030",
    "ISO 2022 GBK": "GBK",
    "ISO 2022 58": "GB2312",
    "GBK": "GBK",
}

_TERMS = {codec: f"ISO 2022 IR {number}" for number, codec in (_CODECS | _WIDE_CODECS).items()} | {
    "UTF8": "ISO_IR 192",
    "GB18030": "GB18030",
    "GBK": "GBK",
    "GB2312": "ISO 2022 IR 58",
}


def convert_encodings(encodings: str | Sequence[str] | None) -> list[str]:
    """Python's codecs for the values of Specific Character Set, as pydicom names them.

    Misspelt and unknown terms are warned of, or raise LookupError when `config.settings.reading_validation_mode` is
    RAISE; unknown ones are read as the default repertoire.
    """
    terms: list[str | None] = [encodings] if encodings is None or isinstance(encodings, str) else [*encodings]
    terms = terms or [None]
    known = [_codec_of(term or "") for term in terms]
    later = terms[1:]
    if later and terms[0] in STAND_ALONE_ENCODINGS:
        warn_and_log(
            f"Value '{terms[0]}' for Specific Character Set does not allow code extensions, ignoring:"
            f" {', '.join(map(str, later))}"
        )
        return known[:1]
    for term in later:
        if term in STAND_ALONE_ENCODINGS:
            warn_and_log(f"Value '{term}' cannot be used as code extension, ignoring it")
    return [codec for i, codec in enumerate(known) if i == 0 or terms[i] not in STAND_ALONE_ENCODINGS]


def _codec_of(term: str) -> str:
    """The codec of one term, which may be misspelt or the name of a codec."""
    codec = python_encoding.get(term)
    if codec is not None:
        return codec
    meant = charset_for((term,)).names[0]
    if meant in python_encoding and meant != "ISO_IR 6":
        warn_and_log(f"Incorrect value for Specific Character Set '{term}' - assuming '{meant}'")
        return python_encoding[meant]
    try:
        codecs.lookup(term)
    except (LookupError, ValueError):
        if raises_on_reading():
            raise LookupError(f"Unknown encoding '{term}'") from None
        warn_and_log(f"Unknown encoding '{term}' - using default encoding instead")
        return default_encoding
    return term


def terms_of(encodings: str | Sequence[str]) -> tuple[str, ...]:
    """The terms of Specific Character Set that Python's codecs stand for."""
    return tuple(_TERMS.get(codec, codec) for codec in ([encodings] if isinstance(encodings, str) else encodings))


def _charset_of(encodings: Sequence[str]) -> Charset:
    return charset_for(terms_of(encodings))


def decode_bytes(value: bytes, encodings: Sequence[str], delimiters: Iterable[int]) -> str:
    """Decode text with Python's codecs that `convert_encodings` gave.

    `delimiters` are the bytes that switch back to the first of them. Undecodable bytes become U+FFFD with a warning,
    or raise UnicodeDecodeError or ValueError when `config.settings.reading_validation_mode` is RAISE.
    """
    if encodings[0] not in _TERMS and (found := _python_text(value, encodings[0])) is not None:
        return found
    text, ok = _charset_of(encodings).decode(value, delimiters=bytes(sorted(delimiters)) or b"\\")
    if ok or (encodings[0] == default_encoding and ESC not in value):
        return text
    if raises_on_reading():
        value.decode(encodings[0])
        raise ValueError("Found unknown escape sequence in encoded string value")
    warn_and_log(
        f"Failed to decode byte string with encodings: {', '.join(encodings)} - using replacement characters in decoded"
        " string"
    )
    return text


decode_string = decode_bytes


def _python_text(value: bytes, codec: str) -> str | None:
    """Text without escape sequences in a codec of Python's that is none of the standard's, None for other text."""
    if ESC in value:
        return None
    try:
        return value.decode(codec)
    except LookupError:
        if raises_on_reading():
            raise
        warn_and_log(f"Unknown encoding '{codec}' - using default encoding instead")
        return value.decode(default_encoding)
    except UnicodeError:
        if raises_on_reading():
            raise
        warn_and_log(
            f"Failed to decode byte string with encoding '{codec}' - using replacement characters in decoded string"
        )
        return value.decode(codec, "replace")


def encode_string(value: str, encodings: Sequence[str]) -> bytes:
    """Encode text with Python's codecs that `convert_encodings` gave, and the escape sequences that they need.

    What none of them has becomes "?" with a warning, or raises UnicodeEncodeError when
    `config.settings.writing_validation_mode` is RAISE.
    """
    if len(encodings) == 1 and (encodings[0] not in _TERMS or encodings[0] == default_encoding):
        try:
            return value.encode(encodings[0])
        except UnicodeEncodeError:
            return _replaced(value, encodings)
    try:
        return _charset_of(encodings).encode(value, delimiters=VALUE_DELIMITERS)
    except EncodeError:
        return _replaced(value, encodings)


def _replaced(value: str, encodings: Sequence[str]) -> bytes:
    if raises_on_writing():
        value.encode(encodings[0])
    warn_and_log(
        f"Failed to encode value with encodings: {', '.join(encodings)} - using replacement characters in encoded"
        " string"
    )
    return value.encode(encodings[0], "replace")


def decode_element(elem: DataElement, dicom_character_set: str | list[str] | None) -> None:
    """Decode the value of an element that still is bytes, by the terms of Specific Character Set; in place."""
    if elem.is_empty or elem.VR not in CUSTOMIZABLE_CHARSET_VR:
        return
    encodings = convert_encodings(dicom_character_set or ["ISO_IR 6"])
    value = elem.value
    if isinstance(value, list):
        elem.value = [_decoded(one, elem.VR, encodings) for one in value]
    elif not isinstance(value, str) or elem.VR == "PN":
        elem.value = _decoded(value, elem.VR, encodings)


def _decoded(value: Any, vr: str, encodings: list[str]) -> Any:
    if vr == "PN":
        name = value if hasattr(value, "decode") and not isinstance(value, bytes) else PersonName(value)
        return name if name is None or not hasattr(name, "decode") else name.decode(encodings)
    return value if isinstance(value, str) else decode_bytes(value, encodings, TEXT_VR_DELIMS)
