"""The bulk loop and dcmread give the same rows for every real file."""

from __future__ import annotations

import random
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.corpus import PYDICOM, ROOT, real
from tests.support.dicom_bytes import BIG_ENDIAN, EXPLICIT, IMPLICIT, PREAMBLE, element, meta, part10
from tests.support.mutate import mutants

pytest.importorskip("pyarrow")

from dicomcore._native.bulk.extract import Extractor
from dicomcore.archive import index
from dicomcore.archive.sources.sources import Sources
from dicomcore.archive.tables import batch
from dicomcore.archive.tables.batch import read_batch
from dicomcore.archive.tables.columns import DEFAULT_COLUMNS, KIND_OF_VR, Columns
from dicomcore.archive.tables.row import read_row
from dicomcore.archive.tables.table import schema_of
from dicomcore.dictionary import get_entry, keywords

# Columns with elements behind the pixel data, and every element that a column can show.
COLUMN_SETS = {
    "default": DEFAULT_COLUMNS,
    "file meta": ("MediaStorageSOPClassUID", "ImplementationVersionName"),
    "all": tuple(one for one in keywords() if get_entry(one)[0] in KIND_OF_VR),
}


@pytest.fixture(scope="module")
def files() -> list[str]:
    found = [path for path in Sources([str(PYDICOM), str(ROOT / "files")]) if type(path) is str]
    assert len(found) > 150
    return found


def check(paths: list[str], columns: Columns) -> list[dict[str, Any]]:
    """The rows, after checking that they are the same with and without the bulk loop."""
    schema = schema_of(columns)
    bulk = read_batch(paths, columns, schema).to_pylist()
    slow = read_batch(paths, columns, schema, bulk=False).to_pylist()
    for one, other in zip(bulk, slow, strict=True):
        assert one == other or repr(one) == repr(other), one["path"]  # repr, as NaN does not equal itself
    return bulk


@pytest.mark.parametrize("names", COLUMN_SETS.values(), ids=COLUMN_SETS)
def test_the_bulk_loop_and_dcmread_give_the_same_rows(files, names):
    check(files, Columns(names))


def test_the_bulk_loop_reads_most_files(files):
    columns = Columns()
    readable = [path for path in files if read_row(path, columns).failure is None]
    alone = [Extractor(columns.native, columns.stop_tag, [path]).run() for path in readable]
    assert sum(alone) > 0.75 * len(readable)


BIG_META = b"".join(
    element(tag, vr, value, big=True)
    for tag, vr, value in ((0x00020000, "UL", b"\0\0\0\x1c"), (0x00020010, "UI", b"1.2.840.10008.1.2.1\0"))
)


@pytest.mark.parametrize("label", [EXPLICIT, IMPLICIT, BIG_ENDIAN], ids=["explicit", "implicit", "big endian"])
@pytest.mark.parametrize("coded", [EXPLICIT, IMPLICIT, BIG_ENDIAN], ids=["explicit", "implicit", "big endian"])
def test_another_encoding_is_detected_with_and_without_the_bulk_loop(tmp_path, coded, label):
    big, vr = coded == BIG_ENDIAN, coded != IMPLICIT
    content = b"".join(
        element(tag, name if vr else None, value, big=big)
        for tag, name, value in ((0x00080060, "CS", b"MR"), (0x00100020, "LO", b"id"))
    )
    path = tmp_path / "one"
    path.write_bytes(part10(content, label))
    row = check([str(path)], Columns())[0]
    assert (row["Modality"], row["PatientID"]) == ("MR", "id")
    assert bool(row["issues"]) == (coded != label)


UTF8 = {
    "four bytes": ("😀𐀀\U0010ffff".encode(), "😀𐀀\U0010ffff"),
    "three bytes": ("ࠀ山\ud7ff\ue000".encode(), "ࠀ山\ud7ff\ue000"),
    "longer than needed": (b"a\xf0\x80\x80\xafb", None),
    "past the last character": (b"a\xf4\x90\x80\x80b", None),
    "half of a pair": (b"a\xed\xa0\x80b", None),
    "cut short": (b"a\xf0\x9f\x98", None),
    "not begun": (b"a\x80b", None),
}


@pytest.mark.parametrize(("data", "text"), UTF8.values(), ids=UTF8)
def test_utf8_is_checked_with_and_without_the_bulk_loop(tmp_path, data, text):
    path = tmp_path / "one"
    data += b" " * (len(data) % 2)
    path.write_bytes(part10(element(0x00080005, "CS", b"ISO_IR 192") + element(0x00100020, "LO", data)))
    row = check([str(path)], Columns())[0]
    assert (row["PatientID"] == text) == (text is not None)


NUMBERS = {  # name: (bytes of a DS, the column's value)
    "past what a double holds": (b"1e400 ", None),
    "below it": (b"-1E999", None),
    "as large as it holds": (b"1.7e308 ", 1.7e308),
    "too small to differ from 0": (b"1e-400", 0.0),
}


@pytest.mark.parametrize(("data", "number"), NUMBERS.values(), ids=NUMBERS)
def test_only_numbers_that_a_double_holds_are_shown(tmp_path, data, number):
    """An infinite value would make sums and means over the column infinite."""
    path = tmp_path / "one"
    path.write_bytes(part10(element(0x00180050, "DS", data)))
    row = check([str(path)], Columns())[0]
    assert row["SliceThickness"] == number
    assert bool(row["issues"]) == (number is None)


def test_meta_information_in_big_endian_is_read_with_and_without_the_bulk_loop(tmp_path):
    path = tmp_path / "one"
    path.write_bytes(PREAMBLE + BIG_META + element(0x00100020, "LO", b"id"))
    row = check([str(path)], Columns())[0]
    assert row["PatientID"] == "id"
    assert row["issues"][0].startswith("META_ENCODING")


DAMAGED = ("CT_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "chrX1.dcm", "chrH31.dcm")


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files_give_the_same_rows(tmp_path, name):
    data = real(name).read_bytes()[:6000]
    made = [*mutants(data, seed=2, count=250), *(data[:end] for end in range(0, len(data), 29))]
    paths = [f"{tmp_path}/{i:04}" for i in range(len(made))]
    for path, damaged in zip(paths, made, strict=True):
        Path(path).write_bytes(damaged)
    check(paths, Columns())


@pytest.mark.long
def test_many_damaged_files_give_the_same_rows(tmp_path):
    path = tmp_path / "damaged"
    for seed in range(1000):
        for name in DAMAGED:
            for damaged in mutants(real(name).read_bytes()[:6000], seed=seed, count=20):
                path.write_bytes(damaged)
                check([str(path)], Columns())


NUMBERS = st.text("0123456789.+-eE \\_1a", max_size=12) | st.floats().map(repr) | st.integers().map(str)
DATES = st.dates().map(lambda day: f"{day:%Y%m%d}") | st.text("0129.-", max_size=10)
NAMES = st.text("A^=\\ \0Bä山", max_size=8)
SETS = st.sampled_from(["", "ISO_IR 100", "ISO_IR 192", "ISO_IR 144", "\\ISO 2022 IR 87", "GB18030", "nonsense"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(terms=SETS, codec=st.sampled_from(["utf-8", "latin-1"]), name=NAMES, day=DATES, number=NUMBERS, spacing=NUMBERS)
def test_any_value_gives_the_same_row(tmp_path, terms, codec, name, day, number, spacing):
    elements = (
        (0x00080005, "CS", terms),
        (0x00080008, "CS", name),
        (0x00080020, "DA", day),
        (0x00100010, "PN", name),
        (0x00100020, "LO", name),
        (0x00200013, "IS", number),
        (0x00280030, "DS", spacing),
    )
    path = tmp_path / "any.dcm"
    path.write_bytes(part10(b"".join(element(tag, vr, text.encode(codec, "ignore")) for tag, vr, text in elements)))
    check([str(path)], Columns())


DEFLATED = "1.2.840.10008.1.2.1.99"


def deflated(data_set: bytes, wbits: int = -zlib.MAX_WBITS) -> bytes:
    packer = zlib.compressobj(6, wbits=wbits)
    return packer.compress(data_set) + packer.flush()


BEGINNINGS = {  # name: a file with this data set
    "bare": lambda body: body,
    "no preamble": lambda body: meta() + body,
    "prefix first": lambda body: b"DICM" + meta() + body,
    "no file meta": lambda body: PREAMBLE + body,
    "no transfer syntax": lambda body: PREAMBLE + meta(None) + body,
    "empty transfer syntax": lambda body: PREAMBLE + meta(" ") + body,
    "no meta length": lambda body: PREAMBLE + meta(with_length=False) + body,
    "wrong meta length, no syntax": lambda body: PREAMBLE + meta(None, length=3) + body,
    "deflated": lambda body: part10(deflated(body), DEFLATED),
    "deflated, no preamble": lambda body: meta(DEFLATED) + deflated(body),
    "deflated, with a zlib header": lambda body: part10(deflated(body, zlib.MAX_WBITS), DEFLATED),
    "deflated, more behind it": lambda body: part10(deflated(body) + b"\0\1", DEFLATED),
}


def data_set_of(path: str) -> bytes:
    """The bytes behind the file meta information, by its group length; empty where there is none."""
    data = Path(path).read_bytes()
    begins = data[128:144]
    known = begins[:4] == b"DICM" and begins[4:10] == b"\2\0\0\0UL"
    return data[144 + int.from_bytes(data[140:144], "little") :] if known else b""


@pytest.mark.parametrize("begun", BEGINNINGS.values(), ids=BEGINNINGS)
def test_every_beginning_gives_the_same_rows(tmp_path, files, begun):
    paths = []
    for path in files:
        if body := data_set_of(path)[:200_000]:
            paths.append(f"{tmp_path}/{len(paths)}")
            Path(paths[-1]).write_bytes(begun(body))
    assert len(paths) > 100
    check(paths, Columns())


@pytest.mark.parametrize("begun", BEGINNINGS.values(), ids=BEGINNINGS)
@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm"])
def test_damaged_beginnings_give_the_same_rows(tmp_path, name, begun):
    whole = begun(data_set_of(str(real(name)))[:3000])
    paths = []
    for damaged in [*mutants(whole, seed=3, count=60), *(whole[:end] for end in range(0, min(len(whole), 1500), 31))]:
        paths.append(f"{tmp_path}/{len(paths)}")
        Path(paths[-1]).write_bytes(damaged)
    check(paths, Columns())


@pytest.mark.parametrize("begun", BEGINNINGS.values(), ids=BEGINNINGS)
def test_the_bulk_loop_reads_every_beginning(tmp_path, monkeypatch, begun):
    """Without a call of dcmread; only a zlib header, which some writers add, is left to it."""
    asked = []
    monkeypatch.setattr(batch, "read_row", lambda path, columns: asked.append(path) or read_row(path, columns))
    path = tmp_path / "one"
    path.write_bytes(begun(data_set_of(str(real("CT_small.dcm")))))
    columns = Columns()
    (row,) = read_batch([str(path)], columns, schema_of(columns)).to_pylist()
    assert row["PatientID"] == "1CT1"
    assert len(asked) == (begun is BEGINNINGS["deflated, with a zlib header"])


def test_headers_of_any_length_behind_short_ones(tmp_path):
    """Of a file behind some with short headers, few bytes are read at first."""
    short = element(0x00080060, "CS", b"MR") + element(0x00100020, "LO", b"id")
    shown = real("MR_small_bigendian.dcm").read_bytes()
    odd = [
        shown,
        real("MR_small_implicit.dcm").read_bytes(),
        shown.replace(b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.1"),
    ]
    for size in (3_500, 3_900, 4_000, 4_090, 5_000, 16_000, 70_000):
        odd.append(part10(element(0x00080060, "CS", b"MR") + element(0x00091001, "OB", bytes(size)) + short[10:]))
    files = [one for data in odd for one in [part10(short)] * 12 + [data]]
    paths = [f"{tmp_path}/{i:03}" for i in range(len(files))]
    for path, data in zip(paths, files, strict=True):
        Path(path).write_bytes(data)
    check(paths, Columns())


HEADERS = {  # name: (bytes of a private value in front of Patient ID, whether the bulk loop reads the file)
    "short": (100, True),
    "beyond what is inflated at first": (20_000, True),
    "beyond what is read at first": (300_000, True),
    "beyond what is inflated at all": (1 << 21, False),
}


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut short"])
@pytest.mark.parametrize(("size", "read"), HEADERS.values(), ids=HEADERS)
def test_a_deflated_header_of_any_size(tmp_path, monkeypatch, size, read, cut):
    asked = []
    monkeypatch.setattr(batch, "read_row", lambda path, columns: asked.append(path) or read_row(path, columns))
    noise = random.Random(size).randbytes(size)  # hardly deflates
    body = element(0x00080060, "CS", b"MR") + element(0x00091001, "OB", noise) + element(0x00100020, "LO", b"id")
    path = tmp_path / "one"
    whole = part10(deflated(body), DEFLATED)
    path.write_bytes(whole[: len(whole) - 40] if cut else whole)
    (row,) = check([str(path)], Columns())
    assert row["Modality"] == "MR"
    assert row["PatientID"] == (None if cut else "id")
    assert bool(row["issues"]) == cut
    assert len(asked) == 1 + (cut or not read)  # once without the bulk loop


def test_many_deflated_files_in_one_batch(tmp_path):
    """Each file's row has its own values and its own size, whichever path its neighbours take."""
    makers = list(BEGINNINGS.values())
    paths = []
    for i in range(60):
        body = element(0x00080005, "CS", b"ISO_IR 100") + element(0x00100020, "LO", f"id{i:04}".encode())
        body += element(0x00104000, "LT", b"x" * (7000 * (i % 3)))
        paths.append(str(tmp_path / f"{i}"))
        Path(paths[-1]).write_bytes(makers[i % len(makers)](body) if i % 7 else b"no DICOM")
    rows = check(paths, Columns())
    assert [row["PatientID"] for row in rows] == [f"id{i:04}" if i % 7 else None for i in range(60)]
    assert [row["size"] for row in rows] == [Path(path).stat().st_size for path in paths]


@pytest.mark.parametrize("options", [{"columns": ["all"]}, {"pixel_hash": "sha256"}], ids=["all", "pixel_hash"])
def test_damage_behind_a_deflated_header_shows_where_the_whole_file_is_read(tmp_path, options):
    path = tmp_path / "cut"
    path.write_bytes(real("image_dfl.dcm").read_bytes()[:-1500])
    assert index(path).to_pylist()[0]["issues"] is None  # read no further than its last column
    assert index(path, **options).to_pylist()[0]["issues"][0].startswith("DEFLATE")
