"""Every row of Table E.1-1 with every option that touches it, at the root, in items, functional groups, private and
untyped sequences: the expected action is read from the standard's table as data, beside the code under test."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from typing import Any

import pydicom
import pytest

from dicomcore import deid
from dicomcore.deid.mapping import Patient
from dicomcore.iod import describe
from tests.deid.objects import CT, ENHANCED_MR, file_of, secret, text, vr_of
from tests.support.dicom_bytes import IMPLICIT, item, sequence
from tests.support.standard import ABSENT, load

pytestmark = pytest.mark.skipif(bool(ABSENT), reason=ABSENT)

KEY = deid.Key(bytes(range(32)))
FULL, MODIFIED = "retain_longitudinal_full_dates", "retain_longitudinal_modified_dates"
OPTIONS = (
    (), ("retain_uids",), ("retain_device_identity",), ("retain_institution_identity",),
    ("retain_patient_characteristics",), (FULL,), (MODIFIED,), ("clean_descriptors",), ("clean_structured_content",),
    ("clean_graphics",), ("retain_device_identity", MODIFIED), ("retain_device_identity", FULL),
    ("retain_patient_characteristics", "clean_descriptors"), ("retain_uids", "retain_device_identity"),
)  # fmt: skip
PROSE = {"LO", "SH", "ST", "LT", "UT", "UC", "PN", "AE", "UR"}
CLEANABLE = PROSE | {"DA", "DT", "TM", "CS", "SQ"}
TIMEZONE = 0x00080201
PSEUDONYMS = {0x00100010, 0x00100020}  # what the patient's pseudonym replaces in place of a dummy
AGE = 0x00101010


@cache
def rows() -> dict[int, tuple[str, dict[str, str]]]:
    """The action and the options' letters of each attribute of data sets, by tag."""
    read = load("deid")
    options = read["meta"]["columns"]["attributes"][6:]
    found = {}
    for tag, _, _, _, _, basic, *marks in read["attributes"]:
        if tag.isalnum() and "x" not in tag and tag != "PRIVATE" and int(tag, 16) >> 16 >= 8:
            found[int(tag, 16)] = basic, {name: mark for name, mark in zip(options, marks, strict=True) if mark}
    return found


@cache
def types(sop_class: str, path: tuple[int, ...]) -> dict[int, str]:
    """The strictest type of each attribute in the items of a path, as digits."""
    found: dict[int, str] = {}
    for attribute in describe(sop_class).attributes:
        *around, tag = map(int, attribute.path)
        if tuple(around) == path and attribute.type:
            found[tag] = min(found.get(tag, "3"), attribute.type[0])
    return found


def expected(tag: int, vr: str, options: tuple[str, ...], kind: str | None) -> str:
    """The letter of what becomes of an attribute; `kind` is its type as a digit, None where no IOD tells."""
    basic, marks = rows()[tag]
    chosen = {marks[option] for option in options if option in marks}
    action = "C" if "C" in chosen else "K" if chosen else basic
    if action == "C" and vr not in CLEANABLE and tag != TIMEZONE:
        action = basic
    if action in ("K", "C", "X", "D", "U"):
        return action
    if action == "Z":
        return "D" if kind == "1" else "Z"
    weaker = action.replace("*", "").split("/")  # from the one that removes most
    if kind is None:
        return weaker[-1]
    if kind == "3":
        return weaker[0]
    if kind == "2":
        return "Z" if "Z" in weaker else weaker[-1]
    return weaker[-1]


Wrap = Callable[[list[bytes], list[bytes]], bytes]  # from the elements in explicit VR and in implicit VR


def at_root(explicit: list[bytes], _: list[bytes]) -> bytes:
    return file_of(*explicit)


def of_unknown_class(explicit: list[bytes], _: list[bytes]) -> bytes:
    return file_of(*explicit, sop_class="1.2.3.4")


def in_item(explicit: list[bytes], _: list[bytes]) -> bytes:
    return file_of(sequence(0x00081115, item(b"".join(explicit))))


def in_open_item(explicit: list[bytes], _: list[bytes]) -> bytes:
    inner = sequence(0x0008114A, item(b"".join(explicit), undefined=True), undefined=True)
    return file_of(sequence(0x00081115, item(inner)))


def in_strange_item(explicit: list[bytes], _: list[bytes]) -> bytes:
    return file_of(sequence(0x0040E006, item(b"".join(explicit))))


def in_group(explicit: list[bytes], _: list[bytes]) -> bytes:
    return file_of(sequence(0x52009229, item(b"".join(explicit))), sop_class=ENHANCED_MR)


def in_private(explicit: list[bytes], _: list[bytes]) -> bytes:
    creator = text(0x20010010, "LO", "Philips Imaging DD 002")
    return file_of(creator, sequence(0x2001105F, item(b"".join(explicit))))


def in_untyped(_: list[bytes], implicit: list[bytes]) -> bytes:
    return file_of(sequence(0x00081115, item(b"".join(implicit)), vr="UN"))


def in_implicit(_: list[bytes], implicit: list[bytes]) -> bytes:
    return file_of(*implicit, syntax=IMPLICIT)


PLACES: dict[str, tuple[Wrap, str | None, tuple[int, ...]]] = {
    "root": (at_root, CT, ()),
    "implicit root": (in_implicit, CT, ()),
    "root of a SOP class that is not known": (of_unknown_class, None, ()),
    "item": (in_item, CT, (0x00081115,)),
    "item of undefined length": (in_open_item, CT, (0x00081115, 0x0008114A)),
    "sequence that the IOD lacks": (in_strange_item, None, (0x0040E006,)),
    "functional group": (in_group, ENHANCED_MR, (0x52009229,)),
    "private sequence": (in_private, None, (0x2001105F,)),
    "untyped sequence": (in_untyped, CT, (0x00081115,)),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "+".join(options) or "basic")
def test_each_row(options: tuple[str, ...], place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Patient, "text", lambda self, text, vr: text.replace("SECRET", "CLEANED"))
    wrap, sop_class, path = PLACES[place]
    vrs = {tag: vr_of(tag) for tag in rows() if tag != 0x00080018 or path}
    data = wrap([secret(tag, vr) for tag, vr in sorted(vrs.items())],
                [secret(tag, vr, implicit=True) for tag, vr in sorted(vrs.items())])  # fmt: skip
    kept = ("retain_safe_private",) if place == "private sequence" else ()
    out = bytearray()
    deid.apply(data, out, deid.Plan((*options, *kept), key=KEY))
    found = pydicom.dcmread(io.BytesIO(bytes(out)))
    for tag in path:
        found = found[tag].value[0]
    known = types(sop_class, path) if sop_class else None
    wrong = {}
    for tag, vr in vrs.items():
        kind = None if known is None else known.get(tag, "3")
        letter = expected(tag, vr, options, kind)
        if vr == "SQ" and letter == "U" and "clean_descriptors" in options:
            letter = "C"  # all text in its items is cleaned
        fault = fault_of(tag, vr, letter, found)
        if fault:
            wrong[f"{tag:08X} {vr} {rows()[tag]} {letter}"] = fault
    assert not wrong, wrong


def fault_of(tag: int, vr: str, letter: str, ds: Any) -> str:
    """What contradicts the letter, "" for nothing."""
    if letter == "X":
        return "is there" if tag in ds else ""
    if tag not in ds:
        return "is not there"
    given = secret(tag, vr)
    raw = raw_of(ds, tag)
    if vr == "SQ" and isinstance(raw, bytes):  # implicit VR, and pydicom does not know the attribute
        told = b"SECRET" if letter in "KU" else b"CLEANED" if letter == "C" else b"ANONYMIZED"
        return "" if (not raw if letter == "Z" else told in raw) else f"holds {raw!r}"
    if vr == "SQ":
        return fault_of_items(letter, raw)
    value = given[12 if vr in ("OB", "OW", "UN", "UT", "UC", "UR") else 8 :]
    if tag in PSEUDONYMS and letter in "ZD":
        return "" if len(raw) == 16 and raw != value else "is no pseudonym"
    if letter == "K" or (letter == "C" and (vr == "TM" or tag == TIMEZONE)):
        return "" if raw == value else f"changed to {raw!r}"
    if letter == "Z":
        return "" if not raw else "is not empty"
    if raw == value or not raw:
        return "is as it was" if raw else "is empty"
    if letter == "U" and not raw.startswith(b"2.25."):
        return "is no new UID"
    if letter == "C" and vr in PROSE | {"CS"} and b"CLEANED" not in raw:
        return "was not cleaned"
    return ""


def fault_of_items(letter: str, items: list[Any]) -> str:
    if letter == "Z":
        return "has items" if items else ""
    if not items:
        return "has no items"
    meaning = items[0].CodeMeaning
    wanted = {"K": "SECRET", "U": "SECRET", "D": "ANONYMIZED", "C": "CLEANED"}[letter]
    return "" if meaning == wanted else f"its text is {meaning!r}"


def raw_of(ds: Any, tag: int) -> Any:
    """The bytes of a value, or the items of a sequence."""
    element = ds.get_item(tag)
    if element.VR == "SQ" or isinstance(element.value, pydicom.Sequence):
        return ds[tag].value
    return bytes(element.value or b"")
