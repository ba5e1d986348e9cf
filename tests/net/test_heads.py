"""Identities that are read natively: the same as the careful reader's, and none where anything is not regular."""

from __future__ import annotations

from pathlib import Path

import pydicom.data
import pytest

from dicomcore import dcmread
from dicomcore._native.net.heads import read_file, read_set
from dicomcore.errors import DicomError
from dicomcore.net.instances import _opened, open_instance
from tests.net.test_server import FILES
from tests.support.dicom_bytes import element

SHIPPED = Path(pydicom.data.__file__).parent / "test_files"
EXPLICIT, IMPLICIT = b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2"
CLASS, INSTANCE, STUDY, SERIES = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E


def uid(tag: int, text: bytes) -> bytes:
    return element(tag, None, text + b"\0" * (len(text) & 1))


REGULAR = uid(CLASS, b"1.2.3") + uid(INSTANCE, b"1.2.4")
LATER = uid(STUDY, b"1.5") + uid(SERIES, b"1.6")
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD


def undefined(tag: int, *inside: bytes) -> bytes:
    header = element(tag, None, b"")[:4] + b"\xff\xff\xff\xff"
    return header + b"".join(inside)


def delimiter(tag: int) -> bytes:
    return element(tag, None, b"")


ITEMS = undefined(ITEM, uid(0x00081150, b"9"), delimiter(ITEM_END)), element(ITEM, None, b"12345678")
NESTED = undefined(0x00081140, *ITEMS, delimiter(SEQUENCE_END))
SETS = {
    "plain": (REGULAR + LATER, ("1.2.3", "1.2.4", "1.5", "1.6")),
    "a sequence of undefined length between": (REGULAR + NESTED + LATER, ("1.2.3", "1.2.4", "1.5", "1.6")),
    "a sequence of known length between": (REGULAR + element(0x00081140, None, bytes(8)) + LATER,
                                           ("1.2.3", "1.2.4", "1.5", "1.6")),
    "no series": (REGULAR + uid(STUDY, b"1.5"), ("1.2.3", "1.2.4", "1.5", "")),
    "something behind": (REGULAR + LATER + element(0x00280010, None, b"\1\2"), ("1.2.3", "1.2.4", "1.5", "1.6")),
    "no SOP class": (uid(INSTANCE, b"1.2.4") + LATER, None),
    "out of order": (LATER + REGULAR, None),
    "twice": (REGULAR + uid(INSTANCE, b"1.2.4") + LATER, None),
    "a UID with a space": (uid(CLASS, b"1.2 3") + LATER, None),
    "two UIDs": (uid(CLASS, b"1.2\\1.3") + LATER, None),
    "a long UID": (uid(CLASS, b"1" * 66) + LATER, None),
    "an empty UID": (uid(CLASS, b"") + LATER, None),
    "an odd length": (element(0x00080005, None, b"abc") + REGULAR + LATER, None),
    "a length that lies": (REGULAR + LATER[:-2], None),
    "a sequence without an end": (REGULAR + NESTED[:-8], None),
    "an item's end for a sequence's": (REGULAR + NESTED[:-8] + delimiter(ITEM_END) + LATER, None),
    "an element between items": (REGULAR + undefined(0x00081140, uid(0x00081150, b"9"), delimiter(SEQUENCE_END)), None),
    "explicit VR": (b"\x08\0\x16\0UI\x04\x001.2\0", None),
    "file meta information": (element(0x00020010, None, b"1.2\0") + REGULAR + LATER, None),
}  # fmt: skip


@pytest.mark.parametrize(("data", "found"), SETS.values(), ids=SETS)
def test_data_sets(data: bytes, found: tuple[str, ...] | None) -> None:
    assert read_set(data, len(data), IMPLICIT) == found
    for end in range(1, len(data)):  # a part of it, of a data set of that size and of a longer one
        for size in (end, len(data)):
            assert read_set(data[:end], size, IMPLICIT) in (None, found, *shorter(data, end, size))


def shorter(data: bytes, end: int, size: int) -> list[tuple[str, ...]]:
    """What the careful reader finds in a data set that was cut between elements."""
    if size != end:
        return []
    try:
        ds = dcmread(data[:end], force=True, specific_tags=[CLASS, INSTANCE, STUDY, SERIES])
    except DicomError:
        return []
    keywords = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
    return [tuple(str(ds.get(one) or "") for one in keywords)]


def test_too_deep() -> None:
    deep = REGULAR
    for _ in range(70):
        deep += undefined(0x00081140) + undefined(ITEM)
    deep += (delimiter(ITEM_END) + delimiter(SEQUENCE_END)) * 70
    assert read_set(deep + LATER, len(deep + LATER), IMPLICIT) is None


@pytest.mark.parametrize("syntax", [b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.2"])
def test_syntaxes_that_are_read_elsewhere(syntax: bytes) -> None:
    assert read_set(REGULAR, len(REGULAR), syntax) is None


def test_real_files_are_what_the_careful_reader_says() -> None:
    count = 0
    for path in sorted({*FILES, *SHIPPED.glob("*.dcm")}):
        data = path.read_bytes()
        found = read_file(data, len(data))
        if found is None:
            continue
        count += 1
        careful = _opened(path, None, None)
        assert found == (careful.sop_class, careful.sop_instance, careful.transfer_syntax, careful.offset), path
        assert open_instance(path) == careful
        assert open_instance(path, to_send=True)._replace(whole=None) == careful
        keywords = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
        ds = dcmread(path, stop_before_pixels=True)
        of_set = read_set(data[found[3] :], len(data) - found[3], found[2].encode())
        assert of_set in (None, tuple(str(ds.get(one) or "") for one in keywords)), path
    assert count > 50


def test_every_truncation_and_every_byte_of_a_file() -> None:
    data = (SHIPPED / "CT_small.dcm").read_bytes()[:700]
    whole = read_file(data, 40_000)
    assert whole is not None
    for end in range(len(data)):
        assert read_file(data[:end], 40_000) in (None, whole)
    for at in range(128, len(data)):
        for value in (0, 1, 0x7F, 0xFF):
            changed = bytearray(data)
            changed[at] = value
            read_file(changed, 40_000)


def test_a_mislabelled_file_is_refused(tmp_path: Path) -> None:
    data = (SHIPPED / "CT_small.dcm").read_bytes()
    ds = dcmread(SHIPPED / "MR_small_implicit.dcm")
    assert str(ds.file_meta.TransferSyntaxUID) == IMPLICIT.decode()
    path = tmp_path / "wrong.dcm"
    path.write_bytes(data.replace(EXPLICIT + b"\0", IMPLICIT + b"\0\0\0", 1))
    assert read_file(path.read_bytes(), len(data)) is None
