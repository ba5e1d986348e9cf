"""Targets that write the data set they read: unchanged, rewritten, changed, patched; and file-sets."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import dicomcore as dc
from fuzz import seeds
from fuzz.parsing import same
from fuzz.target import LIMITS, FuzzInput, Target, refused
from tests.support import dicom_bytes as raw

SYNTAXES = (None, raw.EXPLICIT, raw.IMPLICIT, raw.BIG_ENDIAN, raw.DEFLATED)
CHANGES: tuple[tuple[str, Any], ...] = (
    ("PatientName", "Äneas^Bob"), ("PatientID", ""), ("Rows", 7), ("ImageType", ["A", "B"]), ("PixelData", b"\1\2"),
    ("PatientWeight", 1.5), ("SpecificCharacterSet", "ISO_IR 192"), ("BeamSequence", []), ("StudyDate", "20240229"),
    ("SOPInstanceUID", "1.2.3"), ("InstanceNumber", 12), ("PatientComments", "x" * 60000),
)  # fmt: skip
PATCHED = ("PatientName", "PatientID", "StudyDate", "Rows", "SOPInstanceUID", "BeamSequence[0].BeamName")


def look_at_all(ds: dc.Dataset) -> None:
    for element in (*ds, *ds.iterall()):
        _ = element.value


def unchanged(data: bytes) -> None:
    """A data set is written byte for byte, also after all its elements were read."""
    ds = dc.dcmread(data, force=True, limits=LIMITS)
    assert ds.to_bytes(enforce_standard=False) == data, "untouched"
    look_at_all(ds)
    assert ds.to_bytes(enforce_standard=False) == data, "looked at"


def rewritten(data: bytes) -> None:
    """A data set encoded anew with any options reads as its source, and is stable when repaired."""
    taken = FuzzInput(data)
    how = taken.byte()
    options = {
        "transfer_syntax": taken.one_of(SYNTAXES),
        "lengths": (None, "defined", "undefined")[how % 3],
        "repair": bool(how & 8),
        "enforce_standard": False,
        "widen": (None, "utf-8", "iso2022")[(how >> 4) % 3],
    }
    ds = dc.dcmread(taken.left, force=True, limits=LIMITS)
    try:
        written = ds.to_bytes(**options)
    except dc.EncodeError:
        return
    again = dc.dcmread(written, force=True, limits=LIMITS)
    if not ds.issues and not again.issues:
        compare(ds, again)
    settled = {**options, "transfer_syntax": None}
    if options["repair"] and not again.issues and not refused(lambda: again.to_bytes(**settled)):
        # Only the second time: a UN that could not be read may have its dictionary's VR the first time.
        once = again.to_bytes(**settled)
        assert dc.dcmread(once, force=True, limits=LIMITS).to_bytes(**settled) == once, options


def compare(one: Any, other: Any) -> None:
    """Data sets are equal, perhaps in different encodings: tags, and values if VR and byte order are the same.

    Group lengths are recomputed; implicit VR loses VRs, and words of bytes change with the byte order.
    """
    words = one.is_little_endian == other.is_little_endian
    pending = [(one, other)]
    while pending:
        a, b = pending.pop()
        tags, others = ([one.tag for one in side if int(one.tag) & 0xFFFF] for side in (a, b))
        assert tags == others
        for tag in tags:
            x, y = a[tag], b[tag]
            if x.VR == y.VR == "SQ":
                assert len(x.value) == len(y.value), tag
                pending += zip(x.value, y.value, strict=True)
            elif int(tag) == 0x00080005 or x.VR != y.VR or x.VR == "SQ":
                continue
            elif x.VR in ("OB", "OW", "OL", "OV", "OF", "OD", "UN"):
                assert not words or bytes(x.raw).rstrip(b"\0") == bytes(y.raw).rstrip(b"\0"), (x, y)
            else:
                assert same(x.value, y.value), (x, y)


def changed(data: bytes) -> None:
    """One element is set or deleted: it is as set, and all others are unchanged."""
    taken = FuzzInput(data)
    how = taken.byte()
    keyword, value = taken.one_of(CHANGES)
    ds = dc.dcmread(taken.left, force=True, limits=LIMITS)
    before = {int(one.tag): (one.VR, bytes(one.raw)) for one in ds}
    tag = int(dc.Tag(keyword))
    if how & 1 and keyword in ds:
        del ds[keyword]
    else:
        try:
            ds.update({keyword: value})
        except (ValueError, TypeError):  # a damaged file gives the element another VR
            return
    sequences = [one.value for one in ds if one.VR == "SQ"] if how & 2 else []
    if sequences and sequences[0]:
        with suppress(ValueError, TypeError):
            sequences[0][0].update({keyword: value})
    try:
        written = ds.to_bytes(enforce_standard=bool(how & 4))
    except dc.EncodeError:
        return
    again = dc.dcmread(written, force=True, limits=LIMITS)
    if tag == 0x00080005 or ds.issues or again.issues or (how & 2 and sequences):
        return
    found = {int(one.tag): (one.VR, bytes(one.raw)) for one in again}
    assert (tag in found) == (tag in ds), keyword
    assert tag not in found or plain(again[tag].value) == plain(ds[tag].value)
    for other in before.keys() | found.keys():
        if other != tag and other & 0xFFFF:
            assert before.get(other) == found.get(other), hex(other)


def plain(value: Any) -> Any:
    return list(value) if isinstance(value, (list, tuple)) else value


def patched(data: bytes) -> None:
    """A file patched in place, or copied: the value is set, and the folder holds no other file."""
    taken = FuzzInput(data)
    keyword = taken.one_of(PATCHED)
    text = taken.part().decode("ascii", "replace").strip(" \0\\^=")
    value: Any = len(text) if keyword == "Rows" else text
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        path = Path(folder, "a.dcm")
        path.write_bytes(taken.left)
        try:
            before = dc.dcmread(path, limits=LIMITS)
            look_at_all(before)
            in_place = dc.patch(path, {keyword: value}, validate="ignore", durable=False, limits=LIMITS)
        except (dc.DicomError, KeyError):
            assert path.read_bytes() == taken.left
            return
        after = path.read_bytes()
        assert not in_place or len(after) == len(taken.left)
        again = dc.dcmread(after, limits=LIMITS)
        if "[" not in keyword and not again.issues:
            assert again[keyword].value == value or not value, (again[keyword], value)
        assert os.listdir(folder) == ["a.dcm"]


def file_set(data: bytes) -> None:
    """A DICOMDIR: its tree; the written DICOMDIR has the same tree."""
    found = dc.FileSet(data, limits=LIMITS)
    said = describe(found)
    for issue in found.issues:
        assert issue.message
    found.check(files=False)
    if refused(found.to_bytes):
        return
    again = dc.FileSet(found.to_bytes(), limits=LIMITS)
    assert describe(again) == said
    if not found.issues:
        assert not again.issues, again.issues


def describe(found: Any) -> list[Any]:
    return [(list(map(str, one.path or ())) if hasattr(one, "path") else str(one)) for one in found]


def with_two(inputs: tuple[bytes, ...]) -> Iterator[bytes]:
    for i, data in enumerate(inputs):
        yield bytes([i * 7 % 48, i % 12]) + data


def patch_seeds() -> Iterator[bytes]:
    for i, data in enumerate(seeds.files()):
        text = (b"Doe^J", b"1", b"20240229", b"abc", b"1.2.3", b"A longer value than there was before")[i % 6]
        yield bytes([i % 6, len(text)]) + text + data


KEY = dc.deid.Key(bytes(32))
PLANS = (
    dc.deid.Plan(key=KEY),
    dc.deid.Plan(
        [
            "retain_longitudinal_modified_dates", "retain_safe_private", "clean_descriptors", "clean_graphics",
            "clean_structured_content",
        ],
        KEY, safe_private="tcia",
    ),
    dc.deid.Plan(["retain_uids", "retain_longitudinal_full_dates", "retain_patient_characteristics"]),
)  # fmt: skip


def deidentified(data: bytes) -> None:
    """A file is refused or de-identified: the output can be read, and has no element that the table removes."""
    taken = FuzzInput(data)
    plan = PLANS[taken.byte() % len(PLANS)]
    out = bytearray()
    dc.deid.apply(taken.left, out, plan, limits=LIMITS)
    ds = dc.dcmread(bytes(out), limits=LIMITS)
    assert ds.PatientIdentityRemoved == "YES"
    assert not [tag for tag in ("PatientAddress", "OtherPatientIDsSequence", "PatientTelephoneNumbers") if tag in ds]
    if plan is PLANS[0]:
        assert not [tag for tag in ds.keys() if tag.group % 2]  # noqa: SIM118
    dc.deid.apply(bytes(out), bytearray(), plan)


TARGETS = {
    "deidentified": Target(deidentified, lambda: with_two(seeds.files())),
    "unchanged": Target(unchanged, seeds.files),
    "rewritten": Target(rewritten, lambda: with_two(seeds.files())),
    "changed": Target(changed, lambda: with_two(seeds.files())),
    "patch": Target(patched, patch_seeds),
    "dicomdir": Target(file_set, lambda: seeds.named("DICOMDIR"), 16384),
}
