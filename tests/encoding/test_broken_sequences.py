"""Malformed sequences and items: the rest of the data set is read, bytes are kept, and ds.issues reports them."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

import dicomcore as dc
from tests.support import dicom_bytes as raw
from tests.support.mutate import check_every_truncation, check_rows

SEQUENCE, LAST, ROWS = 0x00081140, 0x50000010, 0x00280010


def E(tag: int, vr: str, value: bytes) -> bytes:
    return raw.element(tag, vr, value)


# ---- delimiters and sequences ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("vr", ["SQ", None], ids=["explicit", "implicit"])
@pytest.mark.parametrize("undefined", [False, True], ids=["defined", "undefined"])
@pytest.mark.parametrize("behind", [False, True], ids=["last", "not last"])
def test_a_delimiter_behind_an_empty_sequence_is_skipped(vr: str | None, undefined: bool, behind: bool) -> None:
    """As at the top level it is skipped, and the enclosing sequence continues (PS3.5 7.5.1)."""
    empty = raw.element(0x0040A730, vr, b"") + raw.header(raw.SEQUENCE_END, None, 0)
    inner = empty + (raw.element(0x0040DB00, vr and "CS", b"AB") if behind else b"")
    items = [raw.item(inner, undefined=undefined)] * 2
    data = raw.sequence(0x0040A375, *items, vr=vr, undefined=True) + raw.element(LAST, vr and "US", b"\1\0")
    ds = dc.dcmread(raw.part10(data, raw.EXPLICIT if vr else raw.IMPLICIT))
    assert ds[LAST].value == 1
    assert [list(item[0x0040A730].value) for item in ds[0x0040A375].value] == [[], []]
    assert [item.get(0x0040DB00) is not None for item in ds[0x0040A375].value] == [behind] * 2
    assert [issue.code for issue in ds.issues] == ["STRAY_DELIMITER"] * 2
    assert len(dc.Dataset.from_json(ds.to_json())[0x0040A375].value) == 2
    assert len(dc.Dataset.from_xml(ds.to_xml())[0x0040A375].value) == 2


NO_ITEMS = [b"Roe,Maria 123 ", b"ABCDEF", b"AB", b"\xfe\xff\x00\xe0\0\0", b"\0\0\0\0"]


@pytest.mark.parametrize("text", NO_ITEMS, ids=["14", "6", "2", "a cut item", "zeros"])
@pytest.mark.parametrize("how", ["explicit", "big endian", "UN", "implicit", "private"])
@pytest.mark.parametrize("place", ["top", "item", "undefined item"])
def test_text_in_place_of_a_sequence_is_kept(text: bytes, how: str, place: str) -> None:
    """The rest is read (PS3.5 7.5), and the text's bytes are written again."""
    implicit = how in ("implicit", "private")
    big = how == "big endian"
    tag = 0x50011070 if how == "private" else 0x00101002
    vr = None if implicit else "UN" if how == "UN" else "SQ"
    odd = raw.element(tag, vr, text, big=big)
    if how == "private":
        odd = raw.element(0x50010010, None, b"ELSCINT1") + odd
    modality = raw.element(0x00080060, None if implicit else "CS", b"MR", big=big)
    if place != "top":
        undefined = place != "item"
        odd = raw.sequence(SEQUENCE, raw.item(odd, undefined=undefined, big=big), vr=None if implicit else "SQ",
                           undefined=undefined, big=big)  # fmt: skip
    last = raw.element(0x60000010, None if implicit else "US", b"\0\1" if big else b"\1\0", big=big)
    syntax = raw.IMPLICIT if implicit else raw.BIG_ENDIAN if big else raw.EXPLICIT
    data = raw.part10(modality + odd + last, syntax)

    def element(ds: dc.Dataset) -> Any:
        return ds[tag] if place == "top" else ds[SEQUENCE].value[0][tag]

    ds = dc.dcmread(data)
    assert bytes(element(ds).raw) == text
    assert (element(ds).VR, list(element(ds).value)) == ("SQ", [])
    assert ds[0x60000010].value == 1
    assert ds.issues != ()
    assert ds.to_bytes(enforce_standard=False) == data
    for options in ({"transfer_syntax": raw.EXPLICIT}, {"transfer_syntax": raw.IMPLICIT}, {"repair": True},
                    {"transfer_syntax": raw.BIG_ENDIAN}, {"lengths": "undefined"}, {"transfer_syntax": raw.DEFLATED},
                    {"lengths": "defined"}):  # fmt: skip
        made = dc.dcmread(ds.to_bytes(enforce_standard=False, **options))
        assert bytes(element(made).raw) == text, options
        assert made[0x60000010].value == 1
    ds.PatientName = "A^B"
    assert bytes(element(dc.dcmread(ds.to_bytes(enforce_standard=False))).raw) == text


# ---- fragments in items ---------------------------------------------------------------------------------------------

ICON, PIXELS = 0x00880200, 0x7FE00010
FRAGMENTS = {
    raw.JPEG_BASELINE: [b"", b"\xff\xd8\xff\xe0" + b"JJ" * 40 + b"\xff\xd9"],
    "1.2.840.10008.1.2.5": [b"", struct.pack("<16I", 1, 64, *[0] * 14) + b"\xf1\7" * 3],
    "1.2.840.10008.1.2.4.90": [b"", b"\xff\x4f\xff\x51" + b"K" * 20, b"ab" * 30 + b"\xff\xd9", b"tail"],
    "1.2.840.10008.1.2.4.80": [b"\0\0\0\0", b"\xff\xd8\xff\xf7" + b"M" * 16 + b"\xff\xd9"],
}


def icon(fragments: list[bytes], short: int, undefined: bool, length_too: bool) -> bytes:
    """An Icon Image Sequence whose item states `short` bytes less than it has; so does the sequence if `length_too`."""
    inner = E(0x00280010, "US", b"\4\0") + raw.sequence(PIXELS, *map(raw.item, fragments), vr="OB", undefined=True)
    item = raw.item(inner, length=len(inner) - short)
    if undefined:
        return raw.header(ICON, "SQ", raw.UNDEFINED) + item + raw.header(raw.SEQUENCE_END, None, 0)
    return raw.element(ICON, "SQ", item, length=len(item) - (short if length_too else 0))


@pytest.mark.parametrize("short", [4, 8, 12, 16, 20, 24, 28])
@pytest.mark.parametrize("how", ["undefined", "defined", "defined, short too"])
@pytest.mark.parametrize("syntax", FRAGMENTS)
def test_an_item_whose_length_ends_within_its_fragments_is_read_whole(syntax: str, how: str, short: int) -> None:
    """The fragments' sequence delimiter shows the true end (PS3.5 7.5, A.4)."""
    fragments = FRAGMENTS[syntax]
    main = raw.sequence(PIXELS, raw.item(), raw.item(b"main"), vr="OB", undefined=True)
    data = raw.part10(icon(fragments, short, how == "undefined", how != "defined") + main, syntax)
    ds = dc.dcmread(data)
    items = ds[ICON].value
    assert [int(element.tag) for element in ds] == [ICON, PIXELS]
    assert [int(element.tag) for element in items[0]] == [ROWS, PIXELS]
    assert bytes(items[0]["PixelData"].raw) == b"".join(map(raw.item, fragments))
    assert bytes(ds["PixelData"].raw) == raw.item() + raw.item(b"main")
    if short != 8:
        assert [issue.code for issue in ds.issues] == ["SHORT_ITEM"]
    check_rows(dc.scan(data))
    assert ds.to_bytes(enforce_standard=False) == data
    repaired = dc.dcmread(ds.to_bytes(repair=True, enforce_standard=False))
    assert repaired.issues == ()
    assert bytes(repaired[ICON].value[0]["PixelData"].raw) == b"".join(map(raw.item, fragments))
    with pytest.raises(dc.ParseError):
        dc.dcmread(data, strict=True)


@pytest.mark.parametrize("short", [12, 16, 24, 28])
@pytest.mark.parametrize("undefined", [False, True], ids=["item", "undefined item"])
def test_a_sequence_whose_length_ends_within_fragments_is_read_whole(undefined: bool, short: int) -> None:
    fragments = FRAGMENTS[raw.JPEG_BASELINE]
    inner = E(ROWS, "US", b"\4\0") + raw.sequence(PIXELS, *map(raw.item, fragments), vr="OB", undefined=True)
    item = raw.item(inner, undefined=undefined)
    data = raw.element(ICON, "SQ", item, length=len(item) - short) + E(LAST, "US", b"\1\0")
    ds = dc.dcmread(raw.part10(data, raw.JPEG_BASELINE))
    assert len(ds) == 2
    assert ds[LAST].value == 1
    assert bytes(ds[ICON].value[0]["PixelData"].raw) == b"".join(map(raw.item, fragments))
    assert ds.issues != ()


@pytest.mark.skipif(shutil.which("dcmdump") is None, reason="DCMTK is not installed")
@pytest.mark.parametrize("short", [12, 16, 24])
def test_fragments_are_read_as_dcmtk_reads_them(short: int, tmp_path: Path) -> None:
    path = tmp_path / "icon.dcm"
    main = raw.sequence(PIXELS, raw.item(), raw.item(b"main"), vr="OB", undefined=True)
    path.write_bytes(raw.part10(icon(FRAGMENTS[raw.JPEG_BASELINE], short, True, False) + main, raw.JPEG_BASELINE))
    run = subprocess.run(["dcmdump", path], capture_output=True, text=True, check=True)
    sizes = [int(line.split("#")[1].split(",")[0]) for line in run.stdout.splitlines() if " pi " in line]
    ds = dc.dcmread(path)
    assert sizes == [0, len(ds[ICON].value[0]["PixelData"].raw) - 16, 0, len(ds["PixelData"].raw) - 16] == [0, 86, 0, 4]


@pytest.mark.parametrize("short", [12, 16, 24])
@pytest.mark.parametrize("undefined", [False, True], ids=["defined", "undefined"])
def test_two_items_whose_lengths_end_within_fragments(short: int, undefined: bool) -> None:
    fragments = FRAGMENTS[raw.JPEG_BASELINE]
    inner = E(0x00280010, "US", b"\4\0") + raw.sequence(PIXELS, *map(raw.item, fragments), vr="OB", undefined=True)
    items = raw.item(inner, length=len(inner) - short) * 2
    if undefined:
        sequence = raw.header(ICON, "SQ", raw.UNDEFINED) + items + raw.header(raw.SEQUENCE_END, None, 0)
    else:
        sequence = raw.element(ICON, "SQ", items, length=len(items) - 2 * short)
    nested = raw.sequence(0x00400555, raw.item(sequence, undefined=True), undefined=True)
    ds = dc.dcmread(raw.part10(nested + E(LAST, "US", b"\1\0"), raw.JPEG_BASELINE))
    assert ds[LAST].value == 1
    (around,) = ds[0x00400555].value
    assert [bytes(item["PixelData"].raw) for item in around[ICON].value] == [b"".join(map(raw.item, fragments))] * 2


def test_adding_an_item_corrects_the_length_of_its_neighbour() -> None:
    fragments = FRAGMENTS[raw.JPEG_BASELINE]
    for undefined in (False, True):
        ds = dc.dcmread(raw.part10(icon(fragments, 16, undefined, True), raw.JPEG_BASELINE))
        ds[ICON].value.append(dc.Dataset())
        made = dc.dcmread(ds.to_bytes(enforce_standard=False))
        assert made.issues == ()
        assert [len(item) for item in made[ICON].value] == [2, 0]
        assert bytes(made[ICON].value[0]["PixelData"].raw) == b"".join(map(raw.item, fragments))


def test_item_lengths_hold_if_the_fragments_are_broken() -> None:
    """A fragment with too large a length, or without a delimiter, is cut at the end of its item."""
    good = E(LAST, "US", b"\1\0")
    for fragment in (raw.item(b"abcd", length=60), raw.item(b"abcd", length=0x7FFFFFFF), raw.item(b"abcd")):
        inner = raw.header(PIXELS, "OB", raw.UNDEFINED) + raw.item() + fragment
        other = raw.item(E(ROWS, "US", b"\4\0"))
        for items, undefined in (
            ([raw.item(inner)], False),
            ([raw.item(inner)], True),
            ([raw.item(inner), other], True),
        ):
            sequence = raw.sequence(ICON, *items, undefined=undefined)
            ds = dc.dcmread(raw.part10(sequence + good, raw.JPEG_BASELINE))
            assert ds[LAST].value == 1
            assert bytes(ds[ICON].value[0]["PixelData"].raw) == raw.item() + fragment
            assert len(ds[ICON].value) == 1 or ds[ICON].value[1].Rows == 4


def test_fragments_are_read_alike_wherever_a_block_ends(tmp_path: Path) -> None:
    """A file is read in blocks, the first of 16 KiB."""
    path = tmp_path / "one.dcm"
    for syntax, fragments in FRAGMENTS.items():
        for before in range(16384 - 300, 16384, 14):
            filler = before - 132 - len(raw.meta(syntax)) - 8
            content = icon(fragments, 12, True, False) + E(LAST, "US", b"\1\0")
            path.write_bytes(raw.part10(E(0x00080001, "LO", b"A" * (filler & ~1)) + content, syntax))
            ds = dc.dcmread(path)
            assert ds[LAST].value == 1
            assert bytes(ds[ICON].value[0]["PixelData"].raw) == b"".join(map(raw.item, fragments))


def test_many_misleading_items_are_read_in_linear_time() -> None:
    """The fragments of each item lead to the same long chain without an end: the reader follows it a few times only."""
    chain = raw.item() * 20_000
    count = 5_000
    size = 8 + 12 + 8
    items = b""
    for n in range(count):
        jump = (count - n - 1) * size
        inner = raw.header(PIXELS, "OB", raw.UNDEFINED) + raw.header(raw.ITEM, None, jump)
        items += raw.item(inner, length=len(inner))
    ds = dc.dcmread(raw.part10(raw.header(ICON, "SQ", raw.UNDEFINED) + items + chain + b"\0" * 8, raw.JPEG_BASELINE))
    assert len(ds[ICON].value) >= 1


# ---- nesting ------------------------------------------------------------------------------------------------------


def test_depth_counts_sequences_and_items() -> None:
    """Each sequence is one level, each item another."""

    def nested(count: int) -> bytes:
        data = b""
        for _ in range(count):
            data = raw.sequence(SEQUENCE, raw.item(data, undefined=True), undefined=True)
        return raw.part10(data)

    dc.dcmread(nested(4), limits=dc.Limits(depth=8))
    with pytest.raises(dc.LimitError, match="depth"):
        dc.dcmread(nested(5), limits=dc.Limits(depth=8))


# ---- cut short ------------------------------------------------------------------------------------------------------

CUT = {
    "short item": raw.part10(icon([b"", b"\xff\xd8" * 8], 12, True, False) + E(LAST, "US", b"\1\0"), raw.JPEG_BASELINE),
    "no items": raw.part10(raw.element(SEQUENCE, "SQ", b"ABCDEF") + E(LAST, "US", b"\1\0")),
}  # fmt: skip


@pytest.mark.parametrize("name", CUT)
def test_every_truncation(name: str) -> None:
    check_every_truncation(CUT[name])
