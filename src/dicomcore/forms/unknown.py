"""Interpret UN in an interchange format, if a dictionary knows the attribute (PS3.5 6.2.2)."""

from __future__ import annotations

import struct
from typing import Any

from dicomcore._native.base.dictionary import entry, private_vr
from dicomcore.dataset import Dataset
from dicomcore.dataset.state import loose_bytes
from dicomcore.errors import LimitError
from dicomcore.forms.element_path import ElementPath
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
    """Look up the VR of an attribute in the dictionaries; "" if they do not have it, or leave a choice of VRs."""
    if tag & 0x10000:
        vr = private_vr(tag, creator)
    else:
        known = entry(tag)
        vr = known[0] if known else None
    return vr if vr is not None and len(vr) == 2 else ""


def known_bytes(data: bytes, path: ElementPath, owner: Dataset, root: Dataset, limits: Limits) -> tuple[str, Any]:
    """Return VR and value of an attribute with VR UN, the same as reading a file with that UN gives.

    It stays UN, with its bytes, if no dictionary knows the attribute or the bytes do not fit its VR. `owner` is the
    data set that the attribute belongs to, `root` the outermost one. Text is in the Specific Character Set of `owner`
    or `root`, or else in UTF-8.
    """
    tag = path.tag
    if tag >> 16 == 2:
        return "UN", data
    terms = owner.get("SpecificCharacterSet") or root.get("SpecificCharacterSet") or "ISO_IR 192"
    stated = ("\\".join(terms) if isinstance(terms, list) else str(terms)).encode("ascii", "replace")
    body = _element(SPECIFIC_CHARACTER_SET, b"CS", stated + b" " * (len(stated) % 2))
    if tag & 0x10000:
        creator = _creator(tag, owner).encode()
        if creator:
            body += _element(tag & 0xFFFF0000 | tag >> 8 & 0xFF, b"LO", creator + b" " * (len(creator) % 2))
    elif owner.get("PixelRepresentation") == 1:
        body += _element(PIXEL_REPRESENTATION, b"US", b"\1\0")
    body += _element(tag, b"UN", data)
    try:
        data_set = dcmread(HEAD + body, limits=limits)
        element = data_set[tag]
    except LimitError as error:
        raise path.limit(str(error)) from None
    if element.VR in BYTES or loose_bytes(element):
        return "UN", data
    value = element.value
    lost = any(issue.code in ("CHARACTER_SET", "BAD_LENGTH") for issue in data_set.issues)
    return ("UN", data) if lost else (element.VR, value)


def known_values(values: list[Any], path: ElementPath, owner: Dataset) -> tuple[str, Any]:
    """Return VR and value of an attribute with VR UN and a list of values.

    PS3.18 F.2.2 allows only bytes, but servers send values. Text of an attribute that no dictionary knows becomes bytes
    of UTF-8. Raises ParseError for other values.
    """
    vr = known_vr(path.tag, _creator(path.tag, owner))
    if vr and vr != "SQ" and vr not in BYTES:
        return vr, typed(vr, values, path)
    if not all(value is None or isinstance(value, str) for value in values):
        raise path.fault("UN takes InlineBinary or BulkDataURI, not Value")
    try:
        data = "\\".join(value or "" for value in values).encode()
    except UnicodeEncodeError:
        raise path.fault("half a surrogate pair is not a character") from None
    return "UN", data + b" " * (len(data) % 2)


def _creator(tag: int, owner: Dataset) -> str:
    """Return the private creator of an element's block, "" if it is public or no creator reserved the block."""
    creator = owner.get(tag & 0xFFFF0000 | tag >> 8 & 0xFF) if tag & 0x10000 else None
    return creator.value if creator is not None and isinstance(creator.value, str) else ""


def _element(tag: int, vr: bytes, value: bytes) -> bytes:
    """Encode an element in Explicit VR Little Endian (PS3.5 7.1.2)."""
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr)
    if vr != b"UN":
        return head + struct.pack("<H", len(value)) + value
    return head + struct.pack("<HI", 0, len(value)) + value
