"""What is hidden where no element of a table is: nothing of it is in the output."""

from __future__ import annotations

import io
import struct
import zlib

import pydicom
import pytest

from dicomcore import deid
from tests.deid.objects import CT, file_of, identity, text, vr_of
from tests.support.dicom_bytes import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    PREAMBLE,
    element,
    item,
    meta,
    part10,
    sequence,
)  # fmt: skip

KEY = deid.Key(bytes(range(32)))
NAME = "DOE^JANE"
HIDDEN = NAME.encode()
BODY = b"".join(identity())
PIXELS = element(0x7FE00010, "OW", bytes(range(64)))
CREATOR = text(0x00090010, "LO", "ACME 1.1")


def named(tag: int = 0x00104000, vr: str = "LT", *, implicit: bool = False) -> bytes:
    return text(tag, vr, NAME, implicit=implicit)


def big(tag: int, vr: str, value: bytes) -> bytes:
    return element(tag, vr, value + b" " * (len(value) % 2), big=True)


def deflated(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


PLACES = {
    "preamble": HIDDEN.ljust(128, b"\0") + b"DICM" + meta() + BODY,
    "private information of the file": PREAMBLE + meta(EXPLICIT, element(0x00020102, "OB", HIDDEN)) + BODY,
    "source of the file": PREAMBLE + meta(EXPLICIT, element(0x00020016, "AE", HIDDEN)) + BODY,
    "unknown element of the file": PREAMBLE + meta(EXPLICIT, element(0x00020099, "LO", HIDDEN)) + BODY,
    "second file meta information": PREAMBLE + meta() + meta(EXPLICIT, element(0x00020016, "AE", HIDDEN)) + BODY,
    "command": PREAMBLE + meta() + element(0x00000600, None, HIDDEN) + BODY,
    "trailing bytes": part10(BODY + PIXELS + HIDDEN[:7]),
    "many trailing bytes": part10(BODY + PIXELS + HIDDEN * 9),
    "trailing bytes of implicit VR": part10(
        b"".join(identity(implicit=True)) + element(0x7FE00010, None, bytes(64)) + HIDDEN * 9, IMPLICIT
    ),
    "trailing padding": part10(BODY + PIXELS + element(0xFFFCFFFC, "OB", HIDDEN)),
    "group length": part10(BODY + element(0x00100000, "LT", HIDDEN)),
    "private element": file_of(CREATOR, named(0x00091001, "LO")),
    "private creator": file_of(text(0x00090010, "LO", NAME)),
    "private element without creator": file_of(named(0x00091001, "LO")),
    "private element below the blocks": file_of(named(0x00090001, "LO")),
    "private sequence": file_of(CREATOR, sequence(0x00091001, item(named(0x00080104, "LO")))),
    "private sequence of undefined length": file_of(
        CREATOR, sequence(0x00091001, item(named(0x00080104, "LO"), undefined=True), undefined=True)
    ),
    "untyped element": file_of(element(0x0008F010, "UN", HIDDEN)),
    "untyped element of the dictionary": file_of(element(0x00104000, "UN", HIDDEN)),
    "untyped sequence": file_of(sequence(0x00081115, item(named(implicit=True)), vr="UN")),
    "untyped sequence of undefined length": file_of(
        sequence(0x00081115, item(named(implicit=True), undefined=True), vr="UN", undefined=True)
    ),
    "unknown VR": file_of(element(0x0008F001, "??", HIDDEN)),
    "item in an item": file_of(
        sequence(0x00081115, item(sequence(0x00081199, item(sequence(0x00081140, item(named()))), undefined=True)))
    ),
    "person's name that no table knows": file_of(named(0x00142006, "PN")),
    "text in the place of numbers": file_of(named(0x00280010, "LO")),
    "sequence in the place of a name": file_of(sequence(0x00100010, item(named(0x00080104, "LO")))),
    "fragments that are no pixel data": file_of(
        sequence(0x00280010, item(), item(HIDDEN), vr="OB", undefined=True)
    ),
    "element twice": file_of(named(), named()),
    "mark twice": file_of(text(0x00120063, "LO", "x"), named(0x00120063, "LO")),
    "mark out of order": part10(BODY + PIXELS + named(0x00120063, "LO")),
    "behind the pixel data": part10(BODY + PIXELS + named()),
    "reserved bytes": part10(BODY + b"\x28\0\x10\x12OB" + b"DO\2\0\0\0\1\2"),
    "delimiter with a length": part10(
        BODY + b"\x08\0\x15\x11SQ\0\0\xff\xff\xff\xff" + item() + b"\xfe\xff\xdd\xe0" + HIDDEN[:4]
    ),
    "curve": file_of(named(0x50000022, "LO"), element(0x50003000, "OW", HIDDEN)),
    "overlay": file_of(element(0x60003000, "OW", HIDDEN), named(0x60000022, "LO"), named(0x60004000, "LT")),
    "overlay in an item": file_of(sequence(0x00081115, item(element(0x60023000, "OW", HIDDEN)))),
    "icon": file_of(sequence(0x00880200, item(element(0x7FE00010, "OB", HIDDEN)))),
    "document": file_of(element(0x00420011, "OB", HIDDEN), element(0x00420015, "UL", struct.pack("<I", 8))),
    "digital signature": file_of(sequence(0xFFFAFFFA, item(element(0x04000120, "OB", HIDDEN)))),
    "original attributes": file_of(sequence(0x04000561, item(sequence(0x04000550, item(named()))))),
    "UID with a name": file_of(text(0x00081155, "UI", "1.2.DOE^JANE")),
    "one UID of several": file_of(text(0x00081155, "UI", "1.2.840.10008.1.2\\" + NAME)),
    "date with a name": file_of(text(0x00080020, "DA", NAME)),
    "content item": file_of(sequence(0x0040A730, item(text(0x0040A040, "CS", "TEXT") + named(0x0040A160, "UT")))),
    "graphic annotation": file_of(sequence(0x00700001, item(sequence(0x00700008, item(named(0x00700006, "ST")))))),
    "implicit VR": file_of(named(implicit=True), syntax=IMPLICIT),
    "big endian": part10(big(0x00080016, "UI", CT.encode() + b"\0") + big(0x00104000, "LT", HIDDEN), BIG_ENDIAN),
    "deflated": PREAMBLE + meta(DEFLATED) + deflated(BODY + named()),
    "behind the deflated data set": PREAMBLE + meta(DEFLATED) + deflated(BODY) + HIDDEN,
}  # fmt: skip
NEEDLES = (HIDDEN, b"JANE", b"DOE^", b"DOE^JAN", HIDDEN[:4])
PLANS = {
    "basic": deid.Plan(key=KEY),
    "private": deid.Plan(["retain_safe_private", "retain_longitudinal_modified_dates"], key=KEY),
    "only known attributes": deid.Plan(key=KEY, unknown="remove"),
}


def found_in(out: bytes) -> list[bytes]:
    at = out.find(b"1.2.840.10008.1.2.1.99")
    if at > 0:
        out += zlib.decompressobj(wbits=-15).decompress(out[out.index(b"DICOMCORE") + 14 :])
    return [needle for needle in NEEDLES if needle in out]


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("data", PLACES.values(), ids=PLACES)
def test_nothing_hidden_stays(data: bytes, plan: deid.Plan) -> None:
    out = bytearray()
    assert b"DO" in data or b"JAN" in data or DEFLATED.encode() in data
    outcome = deid.apply(data, out, plan)
    assert not found_in(bytes(out))
    assert pydicom.dcmread(io.BytesIO(bytes(out))).PatientIdentityRemoved == "YES"
    assert NAME not in f"{outcome} {outcome.rows} {outcome.counts}"


@pytest.mark.parametrize("tag", [0x00080119, 0x00080120])
def test_long_codes_lose_identifiers_alone(tag: int) -> None:
    """A long code has room for a name; a number in it, a date or a UID belongs to the code."""
    vr = vr_of(tag)
    content = text(0x00080104, "LO", "Nodule")
    for code, left in (("urn:oid:2.16.840.1.113883.6.96", True), ("20010203-4455667788", True), ("Mueller/x7", False)):
        codes = item(text(tag, vr, code) + content if tag < 0x00080104 else content + text(tag, vr, code))
        data = file_of(text(0x00100010, "PN", "Mueller^Hans"), text(0x00100020, "LO", "ID4711"),
                       sequence(0x00081032, codes, vr="SQ"))  # fmt: skip
        made = bytearray()
        deid.apply(data, made, deid.Plan(["clean_descriptors"], KEY))
        assert (code.encode() in made) is left
        assert b"Mueller" not in made


WORDED = {  # name: (tag, VR, value, what is left of it)
    "a name in a decimal string": (0x00181110, "DS", "DOE JANE", None),
    "a name behind a number": (0x00181110, "DS", "12 mm DOE, JANE", "12 mm"),
    "a name in an integer string": (0x00181152, "IS", "MRN 778899", None),
    "a number with an exponent": (0x00181110, "DS", "1.5e+2", "1.5e+2"),
    "a word": (0x00181110, "DS", "NONE", "NONE"),
    "a name in a safe private element": (0x00431039, "IS", "DOE", None),
    "a safe private element": (0x00431039, "IS", "1000\\8\\0\\0", "1000\\8\\0\\0"),
}


@pytest.mark.parametrize(("tag", "vr", "value", "left"), WORDED.values(), ids=WORDED)
@pytest.mark.parametrize("implicit", [False, True])
def test_text_in_the_place_of_numbers(tag: int, vr: str, value: str, left: str | None, implicit: bool) -> None:
    data = file_of(
        text(0x00100010, "PN", NAME, implicit=implicit), text(0x00430010, "LO", "GEMS_PARM_01", implicit=implicit),
        text(tag, vr, value, implicit=implicit), syntax=IMPLICIT if implicit else EXPLICIT,
    )  # fmt: skip
    out = bytearray()
    deid.apply(data, out, deid.Plan(["clean_descriptors", "retain_safe_private"], KEY))
    found = pydicom.dcmread(io.BytesIO(out)).get_item(tag)
    assert (None if found is None else found.value.decode().rstrip(" ")) == left


@pytest.mark.parametrize("implicit", [False, True])
def test_what_is_padded(implicit: bool) -> None:
    data = file_of(
        text(0x00081030, "LO", "knee DOE", implicit=implicit), text(0x00100010, "PN", NAME, implicit=implicit),
        text(0x00209056, "SH", "abc", implicit=implicit), text(0x00080020, "DA", "20200101", implicit=implicit),
        text(0x0040A30A, "DS", "12", implicit=implicit), syntax=IMPLICIT if implicit else EXPLICIT,
    )  # fmt: skip
    plan = deid.Plan(["clean_descriptors"], KEY, {0x00081030: lambda _: "foot-", 0x0040A30A: "D"})
    out = bytearray()
    deid.apply(data, out, plan)
    ds = pydicom.dcmread(io.BytesIO(out))
    assert ds.get_item(0x00081030).value == b"foot- "
    assert ds.get_item(0x0040A30A).value == b"1 "
    assert ds.get_item(0x00080018).value.endswith((b"\0", *(str(one).encode() for one in range(10))))
