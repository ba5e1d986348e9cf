"""The scanner: every encoding, every beginning of a file, sequences, encapsulated pixel data, limits."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

import dicomcore as dc
from dicomcore.encoding.inflate import inflate
from tests.support import dicom_bytes as raw
from tests.support.corpus import real


def body(vr: bool = True, big: bool = False, *, undefined: bool = False) -> bytes:
    """One data set, in explicit or implicit VR, either byte order, and sequences of defined or undefined length."""
    order = ">" if big else "<"

    def one(tag: int, name: str, value: bytes) -> bytes:
        return raw.element(tag, name if vr else None, value, big=big)

    inner = one(0x00081150, "UI", b"1.2.3\0")
    items = [raw.item(inner, undefined=undefined, big=big), raw.item(b"", undefined=undefined, big=big)]
    return (
        one(0x00080060, "CS", b"MR")
        + raw.sequence(0x00081140, *items, vr="SQ" if vr else None, undefined=undefined, big=big)
        + one(0x00100010, "PN", b"A^B ")
        + one(0x00280010, "US", struct.pack(order + "H", 0x0102))
        + one(0x00280009, "AT", struct.pack(order + "HH", 0x3004, 0x000C))
        + one(0x00720074, "FD", struct.pack(order + "d", 1.5))
        + one(0x7FE00010, "OW", struct.pack(order + "2H", 0x0102, 0x0304))
    )


def check_body(data_set: dc.Dataset) -> None:
    assert data_set.Modality == "MR"
    assert [len(item) for item in data_set[0x00081140].value] == [1, 0]
    assert data_set[0x00081140].value[0].ReferencedSOPClassUID == "1.2.3"
    assert data_set.PatientName == "A^B"
    assert data_set.Rows == 0x0102
    assert data_set.FrameIncrementPointer == 0x3004000C
    assert data_set[0x00720074].value == 1.5
    assert data_set[0x7FE00010].array.tolist() == [0x0102, 0x0304]


def issue_codes(data_set: dc.Dataset) -> list[str]:
    return [issue.code for issue in data_set.issues]


# ---- encodings ---------------------------------------------------------------------------------------------------

ENCODINGS = {  # transfer syntax: (explicit VR, big endian)
    raw.IMPLICIT: (False, False),
    raw.EXPLICIT: (True, False),
    raw.BIG_ENDIAN: (True, True),
    raw.GE: (False, False),
    raw.JPEG_BASELINE: (True, False),
}
# (0028,0009) follows (0028,0010) in body(): an issue of every reading
OUT_OF_ORDER = ["OUT_OF_ORDER"]


@pytest.mark.parametrize("undefined", [False, True], ids=["defined", "undefined"])
@pytest.mark.parametrize("syntax", ENCODINGS)
def test_encodings(syntax: str, undefined: bool):
    explicit, big = ENCODINGS[syntax]
    data_set = dc.dcmread(raw.part10(body(explicit, big, undefined=undefined), syntax))
    check_body(data_set)
    assert data_set.is_implicit_VR is not explicit
    assert data_set.is_little_endian is not big
    assert data_set.transfer_syntax == syntax
    assert data_set.file_meta.TransferSyntaxUID == syntax
    assert issue_codes(data_set) == OUT_OF_ORDER


@pytest.mark.parametrize("syntax", [raw.DEFLATED, raw.JPIP_DEFLATE, raw.JPIP_HTJ2K_DEFLATE])
@pytest.mark.parametrize("padding", [b"", b"\0"], ids=["even", "padded"])
def test_deflated(syntax: str, padding: bytes):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(body()) + packer.flush()
    data_set = dc.dcmread(raw.part10(packed + padding, syntax))
    check_body(data_set)
    assert data_set.transfer_syntax == syntax
    assert issue_codes(data_set) == OUT_OF_ORDER


def test_deflated_with_a_zlib_header():
    """Some writers leave it on; pydicom and DCMTK give up."""
    check_body(dc.dcmread(raw.part10(zlib.compress(body()), raw.DEFLATED)))


def test_deflated_cut_short_keeps_the_elements_before():
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    rest = raw.element(0x7FE00011, "OB", os.urandom(5000))
    packed = packer.compress(body()) + packer.flush(zlib.Z_FULL_FLUSH) + packer.compress(rest) + packer.flush()
    data_set = dc.dcmread(raw.part10(packed[:-3000], raw.DEFLATED))
    check_body(data_set)
    assert "DEFLATE" in issue_codes(data_set)
    with pytest.raises(dc.TruncatedError):
        dc.dcmread(raw.part10(packed[:-3000], raw.DEFLATED), strict=True)


@pytest.mark.parametrize("mebibytes", [1, 17, 40])
def test_deflated_and_damaged_keeps_the_bytes_before(mebibytes: int):
    """However much is inflated: the rest of a large stream is counted before it is kept."""
    content = np.random.default_rng(1).integers(0, 4, mebibytes << 20, "u1").tobytes()
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    before = deflater.compress(content) + deflater.flush(zlib.Z_FULL_FLUSH)
    kept, fault = inflate(before + b"\x07" + bytes(64), dc.Limits(), 0)  # a block of type 3 (RFC 1951 3.2.3)
    assert content.startswith(kept)
    assert len(content) - len(kept) <= 1  # zlib goes on to the damage in the call that gives the last byte
    assert "is damaged" in fault


def test_deflated_nonsense_is_refused_with_an_offset():
    with pytest.raises(dc.ParseError, match="inflated") as caught:
        dc.dcmread(raw.part10(b"\xff" * 100, raw.DEFLATED))
    assert caught.value.offset == len(raw.part10(b"", raw.DEFLATED))


REAL_ENCODINGS = {
    "image_dfl.dcm": (False, True),
    "ExplVR_BigEnd.dcm": (False, False),
    "CT_small.dcm": (False, True),
    "rtplan.dcm": (True, True),
    "JPEG2000.dcm": (False, True),
}


@pytest.mark.parametrize("name", REAL_ENCODINGS)
def test_real_encodings(name: str):
    data_set = dc.dcmread(real(name))
    assert (data_set.is_implicit_VR, data_set.is_little_endian) == REAL_ENCODINGS[name]
    assert len(data_set) > 20


# ---- how a file begins -------------------------------------------------------------------------------------------

META, PLAIN = raw.meta(), body()
BEGINNINGS = {  # name: (bytes, needs force, has a preamble, codes beside body()'s)
    "whole": (raw.PREAMBLE + META + PLAIN, False, True, []),
    "no preamble": (META + PLAIN, False, False, ["MISSING_PREAMBLE"]),
    "prefix at byte 0": (b"DICM" + META + PLAIN, False, False, ["MISSING_PREAMBLE"]),
    "no meta": (raw.PREAMBLE + PLAIN, False, True, ["MISSING_META"]),
    "bare, explicit": (PLAIN, True, False, ["MISSING_META", "MISSING_PREAMBLE"]),
    "bare, implicit": (body(False), True, False, ["MISSING_META", "MISSING_PREAMBLE"]),
    "bare, big endian": (body(True, True), True, False, ["MISSING_META", "MISSING_PREAMBLE"]),
    "preamble, no meta, implicit": (raw.PREAMBLE + body(False), False, True, ["MISSING_META"]),
    "preamble, no meta, big endian": (raw.PREAMBLE + body(True, True), False, True, ["MISSING_META"]),
    "meta length too small": (raw.PREAMBLE + raw.meta(length=4) + PLAIN, False, True, ["META_LENGTH"]),
    "meta length too large": (raw.PREAMBLE + raw.meta(length=4000) + PLAIN, False, True, ["META_LENGTH"]),
    "meta length absent": (raw.PREAMBLE + raw.meta(with_length=False) + PLAIN, False, True, ["META_LENGTH"]),
    "no transfer syntax, explicit": (raw.PREAMBLE + raw.meta(None) + PLAIN, False, True, ["MISSING_TRANSFER_SYNTAX"]),
    "no transfer syntax, implicit": (
        raw.PREAMBLE + raw.meta(None) + body(False), False, True, ["MISSING_TRANSFER_SYNTAX"],
    ),
    "implicit meta": (
        raw.PREAMBLE
        + raw.element(0x00020000, None, struct.pack("<I", 28))
        + raw.element(0x00020010, None, raw.EXPLICIT.encode() + b"\0")
        + PLAIN,
        False, True, ["META_ENCODING"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("as_path", [False, True], ids=["memory", "path"])
@pytest.mark.parametrize("name", BEGINNINGS)
def test_every_beginning_of_a_file_is_read(name: str, as_path: bool, tmp_path: Path):
    data, force, preamble, codes = BEGINNINGS[name]
    source = data
    if as_path:
        source = tmp_path / "one.dcm"
        source.write_bytes(data)
    if force:
        with pytest.raises(dc.InvalidDicomError, match="force=True"):
            dc.dcmread(source)
    data_set = dc.dcmread(source, force=force)
    check_body(data_set)
    assert (data_set.preamble == bytes(128)) is preamble
    assert sorted(issue_codes(data_set)) == sorted(codes + OUT_OF_ORDER)


@pytest.mark.parametrize("vr", [True, False], ids=["explicit", "implicit"])
def test_acr_nema(vr: bool):
    """ACR-NEMA has no preamble, but group lengths and a recognition code in (0008,0010)."""
    rest = raw.element(0x00080010, "LO" if vr else None, b"ACR-NEMA 2.0") + raw.element(
        0x00080060, "CS" if vr else None, b"CT"
    )
    data = raw.element(0x00080000, "UL" if vr else None, struct.pack("<I", len(rest))) + rest
    data_set = dc.dcmread(data, force=True)
    assert data_set[0x00080000].value == len(rest)
    assert data_set[0x00080010].value == "ACR-NEMA 2.0"
    assert data_set.Modality == "CT"


def test_command_elements_before_a_data_set():
    """A DIMSE dump: group 0000 is implicit VR little endian whatever follows (PS3.7 6.3)."""
    data = raw.element(0x00000100, None, b"\x01\0") + body()
    data_set = dc.dcmread(data, force=True)
    assert data_set[0x00000100].value == 1
    check_body(data_set)


# ---- sources -----------------------------------------------------------------------------------------------------


def sources(data: bytes, folder: Path) -> dict[str, object]:
    path = folder / "one.dcm"
    path.write_bytes(data)
    return {
        "bytes": data,
        "bytearray": bytearray(data),
        "memoryview": memoryview(data),
        "words": np.frombuffer(data + bytes(-len(data) % 2), np.uint16),
        "str": str(path),
        "path": path,
        "stream": io.BytesIO(data),
        "file": path.open("rb"),
    }


@pytest.mark.parametrize("kind", ["bytes", "bytearray", "memoryview", "words", "str", "path", "stream", "file"])
def test_kinds_of_source(kind: str, tmp_path: Path):
    made = sources(raw.part10(body()), tmp_path)
    check_body(dc.dcmread(made[kind]))
    for one in made.values():
        if hasattr(one, "close"):
            one.close()


def test_a_stream_is_read_from_where_it_stands():
    stream = io.BytesIO(b"something before" + raw.part10(body()))
    stream.seek(16)
    check_body(dc.dcmread(stream))


def test_a_stream_that_cannot_seek():
    data = raw.part10(body())
    with subprocess.Popen([sys.executable, "-c", f"import sys; sys.stdout.buffer.write({data!r})"],
                          stdout=subprocess.PIPE) as made:  # fmt: skip
        check_body(dc.dcmread(made.stdout))


# ---- sequences ---------------------------------------------------------------------------------------------------

INSIDE = raw.element(0x00081150, "UI", b"1.2.3\0")
INSIDE_IMPLICIT = raw.element(0x00081150, None, b"1.2.3\0")
SEQUENCES = {  # name: ((0008,1140) or a private sequence, lengths of its items)
    "empty, defined": (raw.sequence(0x00081140), []),
    "empty, undefined": (raw.sequence(0x00081140, undefined=True), []),
    "empty items": (raw.sequence(0x00081140, raw.item(), raw.item(undefined=True)), [0, 0]),
    "defined in undefined": (raw.sequence(0x00081140, raw.item(INSIDE), undefined=True), [1]),
    "undefined in defined": (raw.sequence(0x00081140, raw.item(INSIDE, undefined=True)), [1]),
    "mixed items": (
        raw.sequence(0x00081140, raw.item(INSIDE), raw.item(INSIDE, undefined=True), undefined=True), [1, 1],
    ),
    "UN, undefined": (
        raw.sequence(0x00081140, raw.item(INSIDE_IMPLICIT, undefined=True), vr="UN", undefined=True), [1],
    ),
    "UN, undefined, defined items": (raw.sequence(0x00081140, raw.item(INSIDE_IMPLICIT), vr="UN", undefined=True), [1]),
    "UN, undefined, explicit inside": (raw.sequence(0x00081140, raw.item(INSIDE), vr="UN", undefined=True), [1]),
    "UN, defined, known": (raw.sequence(0x00081140, raw.item(INSIDE_IMPLICIT), vr="UN"), [1]),
    "UN, defined, known, explicit inside": (raw.sequence(0x00081140, raw.item(INSIDE), vr="UN"), [1]),
    "UN, defined, known, undefined item": (
        raw.sequence(0x00081140, raw.item(INSIDE_IMPLICIT, undefined=True), vr="UN"), [1],
    ),
    "UN, empty": (raw.sequence(0x00081140, vr="UN"), []),
}  # fmt: skip
AFTER = raw.element(0x00100010, "PN", b"A^B ")
LAST = raw.element(0xFFFAFFFA, "SQ")


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences(name: str):
    made, sizes = SEQUENCES[name]
    data_set = dc.dcmread(raw.part10(made + AFTER))
    element = data_set[0x00081140]
    assert element.VR == "SQ"
    assert [len(item) for item in element.value] == sizes
    for item in element.value:
        assert "ReferencedSOPClassUID" not in item or item.ReferencedSOPClassUID == "1.2.3"
    assert data_set.PatientName == "A^B"
    assert data_set.issues == ()
    walked = [e.tag for e in data_set.iterall()]
    assert walked == [0x00081140] + [0x00081150] * sum(sizes) + [0x00100010]


def test_un_of_undefined_length_in_big_endian_is_little_endian_inside():
    """PS3.5 6.2.2: implicit VR little endian whatever stands around it."""
    made = raw.sequence(
        0x00091001, raw.item(INSIDE_IMPLICIT, undefined=True), vr="UN", undefined=True, big=True, item_big=False
    )
    data_set = dc.dcmread(raw.part10(made + raw.element(0x00100010, "PN", b"A^B ", big=True), raw.BIG_ENDIAN))
    assert data_set[0x00091001].VR == "SQ"
    assert data_set[0x00091001].value[0].ReferencedSOPClassUID == "1.2.3"
    assert data_set.PatientName == "A^B"


@pytest.mark.parametrize("syntax", [raw.EXPLICIT, raw.IMPLICIT])
def test_private_sequences(syntax: str):
    """A private sequence in no dictionary is recognised by its VR, or by its undefined length in implicit VR."""
    explicit = syntax == raw.EXPLICIT
    inside = raw.element(0x00091002, "LO" if explicit else None, b"in")
    made = raw.element(0x00090010, "LO" if explicit else None, b"NOBODY") + raw.sequence(
        0x00091001, raw.item(inside), vr="SQ" if explicit else None, undefined=True
    )
    data_set = dc.dcmread(raw.part10(made, syntax))
    assert data_set[0x00091001].VR == "SQ"
    (item,) = data_set[0x00091001].value
    assert item[0x00091002].value == ("in" if explicit else b"in")
    assert data_set.issues == ()


def test_private_sequence_by_the_private_dictionary():
    """Any creator with an SQ in its private dictionary, not only GEMS_PETD_01."""
    creator, tag = b"SIEMENS MR HEADER ", 0x00191001
    made = raw.element(0x00190010, None, creator) + raw.element(tag, None, b"x ")
    assert dc.dcmread(raw.part10(made, raw.IMPLICIT))[tag].VR != "SQ"


def test_group_lengths_and_trailing_padding():
    group = raw.element(0x00100010, "PN", b"A^B ")
    data = raw.element(0x00100000, "UL", struct.pack("<I", len(group))) + group
    data_set = dc.dcmread(raw.part10(data + raw.element(0xFFFCFFFC, "OB", bytes(100))))
    assert data_set[0x00100000].value == len(group)
    assert data_set[0xFFFCFFFC].value == bytes(100)
    assert data_set.issues == ()
    assert dc.dcmread(real("MR_small_padded.dcm"))[0xFFFCFFFC].keyword == "DataSetTrailingPadding"


def test_delimiters_with_a_length_are_read_and_reported():
    inner = raw.header(raw.ITEM, None, raw.UNDEFINED) + INSIDE + raw.header(raw.ITEM_END, None, 8)
    made = raw.header(0x00081140, "SQ", raw.UNDEFINED) + inner + raw.header(raw.SEQUENCE_END, None, 4)
    data_set = dc.dcmread(raw.part10(made + AFTER))
    assert data_set[0x00081140].value[0].ReferencedSOPClassUID == "1.2.3"
    assert data_set.PatientName == "A^B"
    assert issue_codes(data_set) == ["DELIMITER_LENGTH", "DELIMITER_LENGTH"]


# ---- encapsulated pixel data -------------------------------------------------------------------------------------

TABLE = raw.item(struct.pack("<2I", 0, 12))
FRAGMENTS = [b"\xff\xd8\xff\xd9", b"\xff\xd8\x00\x01\xff\xd9"]


def encapsulated(*items: bytes, end: bool = True) -> bytes:
    made = raw.sequence(0x7FE00010, *items, vr="OB", undefined=True)
    return made if end else made[:-8]


def fragment_rows(data: bytes) -> list[tuple[int, int]]:
    rows = dc.scan(data)
    pixels = int(np.flatnonzero(rows["tag"] == 0x7FE00010)[0])
    return [(int(r["offset"]), int(r["length"])) for r in rows if r["parent"] == pixels]


@pytest.mark.parametrize("end", [True, False], ids=["delimited", "no delimiter"])
def test_fragments(end: bool):
    data = raw.part10(encapsulated(TABLE, *map(raw.item, FRAGMENTS), end=end), raw.JPEG_BASELINE)
    found = fragment_rows(data)
    assert [data[o : o + n] for o, n in found] == [TABLE[8:], *FRAGMENTS]
    data_set = dc.dcmread(data)
    element = data_set[0x7FE00010]
    assert element.VR == "OB"
    assert element.is_undefined_length
    assert bytes(element.raw) == TABLE + b"".join(map(raw.item, FRAGMENTS))
    assert issue_codes(data_set) == ([] if end else ["MISSING_SEQUENCE_DELIMITER"])


def test_fragments_of_odd_length_are_read_and_reported():
    data = raw.part10(encapsulated(raw.item(), raw.item(b"abc"), raw.item(b"defg")), raw.JPEG_BASELINE)
    assert [data[o : o + n] for o, n in fragment_rows(data)] == [b"", b"abc", b"defg"]
    assert issue_codes(dc.dcmread(data)) == ["ODD_LENGTH"]


def test_a_fragment_cut_short():
    whole = raw.part10(encapsulated(raw.item(), raw.item(b"abcdef")), raw.JPEG_BASELINE)
    data = whole[:-11]
    assert [data[o : o + n] for o, n in fragment_rows(data)] == [b"", b"abc"]
    data_set = dc.dcmread(data)
    assert issue_codes(data_set) == ["MISSING_SEQUENCE_DELIMITER", "LENGTH_BEYOND_END"]
    assert data_set[0x7FE00010].VR == "OB"


def test_extended_offset_table():
    offsets, lengths = struct.pack("<2Q", 0, 12), struct.pack("<2Q", 4, 6)
    made = raw.element(0x7FE00001, "OV", offsets) + raw.element(0x7FE00002, "OV", lengths)
    data = raw.part10(made + encapsulated(raw.item(), *map(raw.item, FRAGMENTS)), raw.JPEG_BASELINE)
    for options in ({}, {"stop_before_pixels": True}):
        data_set = dc.dcmread(data, **options)
        assert data_set.ExtendedOffsetTable == offsets
        assert data_set[0x7FE00002].array.tolist() == [4, 6]
        assert (0x7FE00010 in data_set) is not bool(options)


def test_pixel_data_is_whole_on_first_access():
    """The reader finds its end on the first access to its value, length or bytes."""
    data = raw.part10(encapsulated(TABLE, *map(raw.item, FRAGMENTS)), raw.JPEG_BASELINE)
    content = TABLE + b"".join(map(raw.item, FRAGMENTS))
    assert dc.dcmread(data)[0x7FE00010].length == len(content)
    assert dc.dcmread(data)[0x7FE00010].value == content
    assert bytes(dc.dcmread(data)[0x7FE00010].array) == content
    assert dc.dcmread(data).PixelData == content
    assert dc.dcmread(data)[0x7FE00010].VM == 1


def test_a_limit_behind_pixel_data_raises_each_time():
    data = raw.part10(AFTER + encapsulated(raw.item(), *[raw.item(b"abcd")] * 300) + LAST, raw.JPEG_BASELINE)
    data_set = dc.dcmread(data, limits=dc.Limits(elements=200))
    for _ in range(2):
        with pytest.raises(dc.LimitError):
            len(data_set)
        with pytest.raises(dc.LimitError):
            _ = data_set[0x7FE00010].value
    assert data_set.PatientName == "A^B"


def test_encapsulated_icon_in_an_item():
    icon = encapsulated(raw.item(), raw.item(b"abcd"))
    data = raw.part10(AFTER + raw.sequence(0x00880200, raw.item(icon, undefined=True), undefined=True) + LAST)
    data_set = dc.dcmread(data)
    assert data_set.IconImageSequence[0][0x7FE00010].VR == "OB"
    assert bytes(data_set.IconImageSequence[0][0x7FE00010].raw) == icon[12:-8]
    assert data_set[0xFFFAFFFA].value == []
    assert data_set.issues == ()
    assert [e.tag for e in data_set.iterall()] == [0x00100010, 0x00880200, 0x7FE00010, 0xFFFAFFFA]


@pytest.mark.parametrize("count", [1, 300, 3000])
def test_elements_behind_pixel_data_are_read_on_access(count: int, tmp_path: Path):
    """The scan stops behind pixel data until a further element is accessed."""
    items = [raw.item(bytes([i % 251]) * 1000) for i in range(count)]
    data = raw.part10(AFTER + encapsulated(raw.item(), *items) + LAST, raw.JPEG_BASELINE)
    path = tmp_path / "one.dcm"
    path.write_bytes(data)
    for source in (data, path):
        data_set = dc.dcmread(source)
        assert data_set.PatientName == "A^B"
        assert 0xFFFAFFFA in data_set
        assert len(data_set) == 3
        assert len(dc.scan(source)) == 3 + 1 + 1 + count + 1 + 1


def test_the_highest_tag_is_an_element():
    """It was once the mark for "read to the end", so that elements from it on were lost silently."""
    data = raw.element(0x00100010, "PN", b"A^B ") + raw.element(0xFFFFFFFF, "LO", b"last")
    for whole in (raw.part10(data), data, raw.part10(raw.element(0xFFFFFFFF, "LO", b"last"))):
        data_set = dc.dcmread(whole, force=True)
        assert data_set[0xFFFFFFFF].value == "last"
        assert data_set.to_bytes(enforce_standard=False) == whole


# ---- limits ------------------------------------------------------------------------------------------------------


def test_limits_hold_for_one_call():
    deep = raw.element(0x00100010, "PN", b"A^B ")
    for _ in range(20):
        deep = raw.sequence(0x00081140, raw.item(deep))
    data = raw.part10(deep)
    with pytest.raises(dc.LimitError, match=r"Limits\.depth, 10"):
        dc.dcmread(data, limits=dc.Limits(depth=10))
    with pytest.raises(dc.LimitError, match=r"Limits\.elements, 30"):
        dc.dcmread(data, limits=dc.Limits(elements=30))
    with pytest.raises(dc.LimitError):
        dc.scan(data, limits=dc.Limits(depth=10))
    assert len(list(dc.dcmread(data).iterall())) == 21


def test_element_limit_is_exact():
    data = raw.part10(b"".join(raw.element(0x00091000 + i, "OB", b"") for i in range(200)))
    rows = len(dc.scan(data))
    assert len(dc.scan(data, limits=dc.Limits(elements=rows))) == rows
    with pytest.raises(dc.LimitError) as caught:
        dc.scan(data, limits=dc.Limits(elements=rows - 1))
    assert len(data) - 12 <= caught.value.offset <= len(data)


# ---- dc.scan -----------------------------------------------------------------------------------------------------


def test_scan_views_the_index():
    data = raw.part10(body())
    rows = dc.scan(data)
    assert rows.dtype.itemsize == 32
    assert rows.flags.owndata == (sys.byteorder == "big")  # a VR's letters are turned round there
    assert not rows.flags.writeable
    again = np.asarray(rows)
    assert again.ctypes.data == rows.ctypes.data
    by_tag = {int(row["tag"]): row for row in rows}
    assert set(by_tag) >= {0x00020000, 0x00020010, 0x00100010, 0x7FE00010}
    name = by_tag[0x00100010]
    assert name["VR"] == b"PN"
    assert data[name["offset"] : name["offset"] + name["length"]] == b"A^B "
    assert name["header"] == 8
    assert name["parent"] == -1
    inner = by_tag[0x00081150]
    assert rows["tag"][inner["parent"]] == raw.ITEM
    assert rows["tag"][rows["parent"][inner["parent"]]] == 0x00081140


def test_rows_outlive_the_index():
    rows = dc.scan(raw.part10(body()))
    assert [f"{tag:08X}" for tag in rows["tag"]][-1] == "7FE00010"
