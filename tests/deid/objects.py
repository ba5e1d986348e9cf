"""Objects with chosen elements, made by hand, for tests of de-identification."""

from __future__ import annotations

from pydicom.datadict import dictionary_VR

from tests.support.dicom_bytes import EXPLICIT, LONG, element, item, part10, sequence
from tools.standard.deid import NEW_VRS

CT = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
SECRET = b"SECRET"
TIMEZONE = 0x00080201
SECRETS = {
    "DA": b"20010203", "TM": b"010203", "DT": b"20010203010203", "UI": b"1.2.3.4.55555", "DS": b"123.45",
    "IS": b"12345 ", "AS": b"045Y",
    "US": b"\x39\x30", "SS": b"\x39\x30", "UL": b"\x39\x30\0\0", "FD": b"\x12\x34\x56\x78\x9a\xbc\xde?",
}  # fmt: skip


def vr_of(tag: int) -> str:
    """The VR of an attribute by other dictionaries than ours."""
    found = NEW_VRS.get(f"{tag:08X}") or dictionary_VR(tag)
    return {"OB or OW": "OW", "US or SS": "US"}.get(found, found)


def secret(tag: int, vr: str | None = None, *, implicit: bool = False) -> bytes:
    """The element with a value that must not be found where the element is to be removed or replaced."""
    vr = vr or vr_of(tag)
    if vr == "SQ":
        inner = item(secret(0x00080104, "LO", implicit=implicit))
        return sequence(tag, inner, vr=None if implicit else "SQ")
    value = b"+0100 " if tag == TIMEZONE else SECRETS.get(vr, SECRET)
    value += (b"\0" if vr == "UI" else b" ") * (len(value) % 2)
    return element(tag, None if implicit else vr, value)


def text(tag: int, vr: str, value: str, *, implicit: bool = False) -> bytes:
    data = value.encode("latin-1")
    return element(tag, None if implicit else vr, data + (b"\0" if vr == "UI" else b" ") * (len(data) % 2))


def identity(sop_class: str = CT, *, implicit: bool = False) -> list[bytes]:
    return [
        text(0x00080016, "UI", sop_class, implicit=implicit),
        text(0x00080018, "UI", "1.2.3.4.5", implicit=implicit),
    ]


def file_of(*elements: bytes, sop_class: str = CT, syntax: str = EXPLICIT) -> bytes:
    """A file of these elements besides SOP class and instance, in the order of their tags."""
    implicit = syntax == "1.2.840.10008.1.2"
    kept = [*identity(sop_class, implicit=implicit), *elements]
    return part10(b"".join(sorted(kept, key=lambda one: (one[1], one[0], one[3], one[2]))), syntax)


__all__ = ["CT", "ENHANCED_MR", "LONG", "SECRET", "file_of", "identity", "secret", "text", "vr_of"]
