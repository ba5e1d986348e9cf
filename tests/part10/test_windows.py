"""The rows are the same wherever a block of a file ends: compared with those of its bytes, and with pydicom.

Generated data sets put headers, items and delimiters at every distance from a block's end.
"""

from __future__ import annotations

import io
import random
from pathlib import Path

import pydicom
import pytest

import dicomcore as dc
from tests.support import dicom_bytes as raw

BLOCK = 16 << 10  # the first block of a path
VRS = ["LO", "UI", "US", "OB", "UT", "DS", "SQ", "SQ", "UN"]


def made(rng: random.Random, size: int, *, explicit: bool, big: bool, depth: int = 0) -> bytes:
    """A valid data set of about `size` bytes: ascending private tags, nested sequences, even lengths."""
    parts, tag, total = [], 0x00091000, 0
    while total < size and tag < 0x0009FFF0:
        tag += rng.randint(1, 3)
        vr = rng.choice(VRS)
        if vr == "SQ" and depth < 5:
            items = [
                raw.item(
                    made(rng, rng.choice((0, 20, 300, size // 4)), explicit=explicit, big=big, depth=depth + 1),
                    undefined=rng.random() < 0.5, big=big,
                )
                for _ in range(rng.randint(0, 4))
            ]  # fmt: skip
            undefined = rng.random() < 0.5 or not explicit  # a private sequence in implicit VR needs it
            part = raw.sequence(tag, *items, vr=vr if explicit else None, undefined=undefined, big=big)
        else:
            vr = "LO" if vr == "SQ" else vr
            part = raw.element(tag, vr if explicit else None, bytes(2 * rng.choice((0, 1, 4, 40, 400))), big=big)
        parts.append(part)
        total += len(part)
    return b"".join(parts)


ENCODINGS = {"explicit": raw.EXPLICIT, "implicit": raw.IMPLICIT, "big endian": raw.BIG_ENDIAN}


def file_of(encoding: str, seed: int, size: int) -> bytes:
    content = made(random.Random(seed), size, explicit=encoding != "implicit", big=encoding == "big endian")
    return raw.part10(content, ENCODINGS[encoding])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_blocks_and_memory(encoding: str, seed: int, tmp_path: Path):
    data = file_of(encoding, seed, 200_000)
    path = tmp_path / "made.dcm"
    path.write_bytes(data)
    rows = dc.scan(data)
    assert dc.dcmread(data).issues == ()
    assert dc.scan(path).tobytes() == rows.tobytes()
    theirs = pydicom.dcmread(io.BytesIO(data))
    assert [int(e.tag) for e in dc.dcmread(path).iterall()] == [int(e.tag) for e in theirs.iterall()]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_block_may_end_anywhere(encoding: str, tmp_path: Path):
    """A small data set with every structure, moved byte by byte over the end of the first block."""
    explicit, big = encoding != "implicit", encoding == "big endian"
    inner = raw.element(0x00091002, "US" if explicit else None, b"\1\2", big=big)
    tree = b"".join(
        raw.sequence(
            0x00091001 + i, raw.item(inner, undefined=i % 2 == 0, big=big), raw.item(b"", big=big),
            vr="SQ" if explicit else None, undefined=True, big=big,
        )
        for i in range(4)
    )  # fmt: skip
    tree += raw.element(0x00091010, "OB" if explicit else None, b"abcd", big=big)
    path = tmp_path / "made.dcm"
    start = len(raw.part10(b"", ENCODINGS[encoding]))
    for end in range(0, len(tree) + 8, 2):
        fill = BLOCK - start - end - (12 if explicit else 8)
        filler = raw.element(0x00080999, "OB" if explicit else None, bytes(fill), big=big)
        behind = raw.element(0xFFFCFFFC, "OB" if explicit else None, bytes(3 * BLOCK), big=big)
        data = raw.part10(filler + tree + behind, ENCODINGS[encoding])
        path.write_bytes(data)
        assert dc.scan(path).tobytes() == dc.scan(data).tobytes()


STRANGE = {  # name: header of an element whose reading depends on what follows its value
    "unknown, short": raw.tag_bytes(0x00091001) + b"ZZ" + (40_000).to_bytes(2, "little"),
    "??, short": raw.tag_bytes(0x00091001) + b"??" + (40_000).to_bytes(2, "little"),
    "zeros, short": raw.tag_bytes(0x00091001) + b"\0\0" + (40_000).to_bytes(2, "little"),
    "unknown, long": raw.tag_bytes(0x00091001) + b"ZZ\0\0" + (40_000).to_bytes(4, "little"),
    "implicit": raw.tag_bytes(0x00091001) + (40_000).to_bytes(4, "little"),
    "OB with 16 bits": raw.tag_bytes(0x00091001) + b"OB" + (40_000).to_bytes(2, "little"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_the_next_header_may_be_in_another_block(name: str, tmp_path: Path):
    behind = raw.element(0x00280010, "US", b"\2\1") + raw.element(0x7FE00010, "OW", bytes(5 * BLOCK))
    data = raw.part10(raw.element(0x00080060, "CS", b"MR") + STRANGE[name] + bytes(40_000) + behind)
    path = tmp_path / "made.dcm"
    path.write_bytes(data)
    rows = dc.scan(path)
    assert rows.tobytes() == dc.scan(data).tobytes()
    assert [int(row["tag"]) for row in rows if row["tag"] > 0x0002FFFF] == [
        0x00080060, 0x00091001, 0x00280010, 0x7FE00010,
    ]  # fmt: skip
    assert int(rows["length"][-3]) == 40_000


@pytest.mark.parametrize("seed", range(8))
def test_damage_reads_alike(seed: int, tmp_path: Path):
    """A damaged file and its bytes are read alike."""
    data = bytearray(file_of("explicit", seed, 60_000))
    rng = random.Random(seed)
    path = tmp_path / "made.dcm"
    for _ in range(40):
        at = rng.randrange(200, len(data))
        data[at] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        try:
            expected = dc.scan(bytes(data)).tobytes()
        except dc.DicomError as error:
            with pytest.raises(type(error)):
                dc.scan(path)
        else:
            assert dc.scan(path).tobytes() == expected
