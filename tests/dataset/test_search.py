"""Elements are found by a search among the rows as they stand; where tags do not ascend, the rows are sorted first."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import pytest

import dicomcore as dc
from tests.support import dicom_bytes as raw

MODALITY = raw.element(0x00080060, "CS", b"MR")
NESTED = raw.sequence(
    0x00081140,
    raw.item(raw.sequence(0x00081199, raw.item(raw.element(0x00081155, "UI", b"1.2\0")), raw.item())),
    raw.item(raw.element(0x00081155, "UI", b"1.3\0") + raw.element(0x00100010, "PN", b"IN")),
    undefined=True,
)
NAME = raw.element(0x00100010, "PN", b"A^B ")
ROWS = raw.element(0x00280010, "US", b"\2\1")
PIXELS = raw.element(0x7FE00010, "OW", b"\1\2\3\4")
BEHIND = raw.element(0xFFFAFFFA, "SQ", b"")
COMMAND = raw.element(0x00000002, None, b"1.2\0") + raw.element(0x00000100, None, struct.pack("<H", 1))
ZERO = raw.element(0x00000000, "UL", struct.pack("<I", 4))
ANOTHER_ZERO = raw.element(0x00000000, "UL", struct.pack("<I", 8))

INPUTS = {
    "one element": MODALITY,
    "ascending": MODALITY + NAME + ROWS,
    "with items": MODALITY + NESTED + NAME + ROWS,
    "items last": MODALITY + NESTED,
    "behind pixel data": MODALITY + NAME + PIXELS + BEHIND,
    "disorder": MODALITY + ROWS + NESTED + NAME,
    "disorder behind pixel data": MODALITY + PIXELS + NAME,
    "disorder in an item": MODALITY + raw.sequence(0x00081140, raw.item(NAME + MODALITY)) + ROWS,
    "twice": MODALITY + NAME + raw.element(0x00100010, "PN", b"C^D ") + ROWS,
    "twice, apart": MODALITY + NAME + ROWS + raw.element(0x00080060, "CS", b"CT"),
    "twice, behind pixel data": MODALITY + PIXELS + raw.element(0x00080060, "CS", b"CT"),
    "tag 0 twice in an item": raw.sequence(0x00081140, raw.item(ZERO + ANOTHER_ZERO + NAME)),
    "a command set in front": COMMAND + MODALITY + NAME,
}


def deflated_bytes(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


def tree(ds: dc.Dataset) -> dict[int, list[Any]]:
    """The tags of a data set, each with those of its items; asking for them sorts the rows."""
    return {int(tag): [tree(item) for item in ds[tag].value] if ds[tag].VR == "SQ" else [] for tag in ds.keys()}  # noqa: SIM118


def found(ds: dc.Dataset, tags: dict[int, list[Any]]) -> list[Any]:
    """The values of these elements and of those of their items; tags next to them must not be found."""
    values: list[Any] = []
    for tag, items in tags.items():
        assert tag in ds
        assert ((tag ^ 1) in ds) == ((tag ^ 1) in tags)
        value = ds[tag].value
        sequence = ds[tag].VR == "SQ"
        values.append([found(*pair) for pair in zip(value, items, strict=True)] if sequence else value)
    return values


@pytest.mark.parametrize("deflated", [False, True], ids=["plain", "deflated"])
@pytest.mark.parametrize("content", INPUTS.values(), ids=INPUTS)
def test_search_finds_what_the_sorted_rows_hold(content: bytes, deflated: bool):
    data = raw.part10(deflated_bytes(content), raw.DEFLATED) if deflated else raw.part10(content)
    tags = tree(dc.dcmread(data))
    searched, arranged = dc.dcmread(data), dc.dcmread(data)
    tree(arranged)
    assert found(searched, tags) == found(arranged, tags)
    assert searched.get("PatientAge") is None
    assert 0x00080061 not in searched


def test_disordered_file_meta_in_front_of_deflated_data():
    meta = raw.element(0x00020010, "UI", raw.DEFLATED.encode() + b"\0" * (len(raw.DEFLATED) % 2))
    meta += raw.element(0x00020003, "UI", b"1.2\0") + raw.element(0x00020002, "UI", b"1.3\0")
    ds = dc.dcmread(raw.PREAMBLE + meta + deflated_bytes(MODALITY))
    assert ds.file_meta is not None
    assert (ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID) == ("1.3", "1.2")
    assert ds.Modality == "MR"
