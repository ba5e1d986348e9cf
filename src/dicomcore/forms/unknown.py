"""UN in an interchange form: what it stands for, where a dictionary knows the attribute (PS3.5 6.2.2)."""

from __future__ import annotations

import struct
from typing import Any

from dicomcore._native.base.dictionary import entry, private_vr
from dicomcore.dataset import Dataset
from dicomcore.errors import LimitError
from dicomcore.forms.place import Place
from dicomcore.forms.typed import typed
from dicomcore.limits import Limits
from dicomcore.part10.reader import dcmread
from dicomcore.uids import ExplicitVRLittleEndian
from dicomcore.vrs import BYTES

__all__ = ["known_bytes", "known_values", "known_vr"]

EXPLICIT = f"{ExplicitVRLittleEndian}\0".encode()
META = b"\2\0\x10\0UI" + struct.pack("<H", len(EXPLICIT)) + EXPLICIT
HEAD = bytes(128) + b"DICM" + b"\2\0\0\0UL\4\0" + struct.pack("<I", len(META)) + META
SPECIFIC_CHARACTER_SET = 0x00080005
PIXEL_REPRESENTATION = 0x00280103


def known_vr(tag: int, creator: str) -> str:
    """The VR that the dictionaries have for an attribute, "" where they have none or leave a choice."""
    if tag & 0x10000:
        found = private_vr(tag, creator)
    else:
        known = entry(tag)
        found = known[0] if known else None
    return found if found is not None and len(found) == 2 else ""


def known_bytes(data: bytes, place: Place, around: Dataset, root: Dataset, limits: Limits) -> tuple[str, Any]:
    """VR and value of an attribute whose VR was stated as UN, as when a file has it so; its bytes stay where no
    dictionary knows it, or they aren't what it says.

    `around` is the data set that the attribute belongs to, `root` the whole. The bytes are in its character set still,
    if that is stated, else in UTF-8.
    """
    tag = place.tag
    if tag >> 16 == 2:
        return "UN", data
    terms = around.get("SpecificCharacterSet") or root.get("SpecificCharacterSet") or "ISO_IR 192"
    stated = ("\\".join(terms) if isinstance(terms, list) else str(terms)).encode("ascii", "replace")
    body = _element(SPECIFIC_CHARACTER_SET, b"CS", stated + b" " * (len(stated) % 2))
    if tag & 0x10000:
        creator = _creator(tag, around).encode()
        if creator:
            body += _element(tag & 0xFFFF0000 | tag >> 8 & 0xFF, b"LO", creator + b" " * (len(creator) % 2))
    elif around.get("PixelRepresentation") == 1:
        body += _element(PIXEL_REPRESENTATION, b"US", b"\1\0")
    body += _element(tag, b"UN", data)
    try:
        found = dcmread(HEAD + body, limits=limits)
        element = found[tag]
    except LimitError as error:
        raise place.limit(str(error)) from None
    if element.VR in BYTES or element._loose:
        return "UN", data
    value = element.value
    lost = any(issue.code in ("CHARACTER_SET", "BAD_LENGTH") for issue in found.issues)
    return ("UN", data) if lost else (element.VR, value)


def known_values(values: list[Any], place: Place, around: Dataset) -> tuple[str, Any]:
    """The same for an attribute with values, which PS3.18 F.2.2 has no room for and servers send all the same.

    Text of an attribute that no dictionary knows is given as bytes of UTF-8. Raises ParseError for other values.
    """
    vr = known_vr(place.tag, _creator(place.tag, around))
    if vr and vr != "SQ" and vr not in BYTES:
        return vr, typed(vr, values, place)
    if not all(one is None or isinstance(one, str) for one in values):
        raise place.fault("UN takes InlineBinary or BulkDataURI, not Value")
    try:
        data = "\\".join(one or "" for one in values).encode()
    except UnicodeEncodeError:
        raise place.fault("half a surrogate pair is no character") from None
    return "UN", data + b" " * (len(data) % 2)


def _creator(tag: int, around: Dataset) -> str:
    """Who reserved the block of a private element, "" where nobody did."""
    creator = around.get(tag & 0xFFFF0000 | tag >> 8 & 0xFF) if tag & 0x10000 else None
    return creator.value if creator is not None and isinstance(creator.value, str) else ""


def _element(tag: int, vr: bytes, value: bytes) -> bytes:
    """An element in Explicit VR Little Endian (PS3.5 7.1.2)."""
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr)
    if vr != b"UN":
        return head + struct.pack("<H", len(value)) + value
    return head + struct.pack("<HI", 0, len(value)) + value
