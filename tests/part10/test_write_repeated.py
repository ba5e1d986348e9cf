"""Elements repeated behind the pixel data, against PS3.5 7.1: no old value of a changed element is written."""

from __future__ import annotations

import copy
import io
import pickle
import zlib

import pydicom
import pytest

import dicomcore as dc
from tests.support.dicom_bytes import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, element, item, part10, sequence

SECONDARY_CAPTURE = b"1.2.840.10008.5.1.4.1.1.7\0"
RLE = "1.2.840.10008.1.2.5"
PATIENT_ID, IMAGES, PIXEL_DATA = 0x00100020, 0x00081140, 0x7FE00010
NEW = "a longer new value"
FRAME = bytes([1, 0, 0, 0, 64, 0, 0, 0]) + bytes(56) + b"\3\1\2\3\4\0"  # of RLE (PS3.5 G)


def identity(value: bytes, vr: str | None = "LO", big: bool = False) -> bytes:
    return element(PATIENT_ID, vr, value, big=big)


def image(tail: bytes, first: bytes, pixels: bytes, vr: bool = True, big: bool = False) -> bytes:
    """A data set of one frame of 1 × 4 pixels: `first` in the place of Patient ID, `tail` behind the pixel data."""

    def put(tag: int, letters: str, value: bytes | int) -> bytes:
        if isinstance(value, int):
            value = value.to_bytes(2, "big" if big else "little")
        return element(tag, letters if vr else None, value, big=big)

    return b"".join((
        put(0x00080016, "UI", SECONDARY_CAPTURE), put(0x00080018, "UI", b"1.2.3\0"), put(0x00080020, "DA", b"20200101"),
        put(0x00080030, "TM", b"1200"), put(0x00080060, "CS", b"OT"), first, put(0x0020000D, "UI", b"1.2.4\0"),
        put(0x0020000E, "UI", b"1.2.5\0"), put(0x00200010, "SH", b"1 "), put(0x00200011, "IS", b"1 "),
        put(0x00200013, "IS", b"1 "), put(0x00280002, "US", 1), put(0x00280004, "CS", b"MONOCHROME2 "),
        put(0x00280010, "US", 1), put(0x00280011, "US", 4), put(0x00280100, "US", 8), put(0x00280101, "US", 8),
        put(0x00280102, "US", 7), put(0x00280103, "US", 0), pixels, tail,
    ))  # fmt: skip


NATIVE = element(PIXEL_DATA, "OB", b"\1\2\3\4")
FRAGMENTS = sequence(PIXEL_DATA, item(b""), item(FRAME), vr="OB", undefined=True)
PADDING = element(0xFFFCFFFC, "OB", bytes(6))
AGAIN = identity(b"OLD2")
WORDS = {"pixels": element(PIXEL_DATA, "OW", b"\1\2\3\4", big=True), "big": True}
PLAIN = {"pixels": element(PIXEL_DATA, None, b"\1\2\3\4"), "vr": False}

FILES = {  # name: (tail, tail without the repeated Patient ID, transfer syntax, pixel data and encoding)
    "native": (AGAIN, b"", EXPLICIT, {"pixels": NATIVE}),
    "fragments": (AGAIN, b"", RLE, {"pixels": FRAGMENTS}),
    "many fragments": (
        AGAIN,
        b"",
        RLE,
        {"pixels": sequence(PIXEL_DATA, item(b""), item(FRAME), *[item(b"")] * 400, vr="OB", undefined=True)},
    ),
    "before padding": (AGAIN + PADDING, PADDING, EXPLICIT, {"pixels": NATIVE}),
    "behind padding": (PADDING + AGAIN, PADDING, RLE, {"pixels": FRAGMENTS}),
    "twice": (AGAIN + PADDING + identity(b"OLD3"), PADDING, EXPLICIT, {"pixels": NATIVE}),
    "behind zeros too few for an element": (AGAIN + bytes(6), bytes(6), EXPLICIT, {"pixels": NATIVE}),
    "implicit VR": (identity(b"OLD2", None), b"", IMPLICIT, PLAIN),
    "big endian": (identity(b"OLD2", big=True), b"", BIG_ENDIAN, WORDS),
    "deflated": (AGAIN, b"", DEFLATED, {"pixels": NATIVE}),
}


def file_of(tail: bytes, first: bytes, syntax: str, about: dict) -> bytes:
    body = image(tail, first, **about)
    if syntax == DEFLATED:
        deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        body = deflater.compress(body) + deflater.flush()
        body += b"\0" * (len(body) % 2)
    return part10(body, syntax)


def twice(name: str) -> bytes:
    """The file of that name, with the old value in both places."""
    tail, _, syntax, about = FILES[name]
    return file_of(tail, identity(b"OLD1", None if syntax == IMPLICIT else "LO", syntax == BIG_ENDIAN), syntax, about)


def once(name: str, value: bytes | None) -> bytes:
    """The expected file: `value` once, in the first place; not at all for None."""
    _, tail, syntax, about = FILES[name]
    first = b"" if value is None else identity(value, None if syntax == IMPLICIT else "LO", syntax == BIG_ENDIAN)
    return file_of(tail, first, syntax, about)


def set_value(ds):
    ds.PatientID = NEW


def put_element(ds):
    ds.add_new(PATIENT_ID, "LO", NEW)


def set_returned_element(ds):
    held = ds["PatientID"]
    len(ds)  # completes the scan after the first element was returned
    held.value = NEW


def set_after_the_scan(ds):
    len(ds)
    ds.PatientID = NEW


def delete_and_put(ds):
    del ds.PatientID
    ds.PatientID = NEW


def delete(ds):
    del ds.PatientID


def pop(ds):
    ds.pop("PatientID")


CHANGES = {  # name: (change, the remaining value)
    "set": (set_value, NEW.encode()),
    "put": (put_element, NEW.encode()),
    "returned, then set": (set_returned_element, NEW.encode()),
    "set after the scan": (set_after_the_scan, NEW.encode()),
    "deleted and put": (delete_and_put, NEW.encode()),
    "deleted": (delete, None),
    "popped": (pop, None),
}


@pytest.mark.parametrize("from_path", [True, False], ids=["path", "memory"])
@pytest.mark.parametrize(("change", "value"), CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("name", FILES)
def test_a_changed_element_is_written_once(name, change, value, from_path, tmp_path):
    path = tmp_path / "twice.dcm"
    path.write_bytes(twice(name))
    wanted = once(name, value)
    ds = dc.dcmread(path if from_path else twice(name))
    change(ds)
    assert ds.to_bytes(enforce_standard=False) == wanted
    assert ds.copy().to_bytes(enforce_standard=False) == wanted
    assert copy.deepcopy(ds).to_bytes(enforce_standard=False) == wanted
    assert pickle.loads(pickle.dumps(ds)).to_bytes(enforce_standard=False) == wanted
    dc.dcmwrite(path, ds, enforce_standard=False)  # the same path
    assert path.read_bytes() == wanted
    assert pydicom.dcmread(path).get("PatientID", "") == (value or b"").decode()


@pytest.mark.parametrize("name", FILES)
def test_an_unchanged_repeated_element_is_written_as_read(name, tmp_path):
    """Both elements stay byte for byte, also when another element changes."""
    path = tmp_path / "twice.dcm"
    path.write_bytes(twice(name))
    assert dc.dcmread(path).to_bytes(enforce_standard=False) == twice(name)
    ds = dc.dcmread(path)
    ds.Modality = "MR"
    if name == "deflated":
        assert b"".join(inflated(ds.to_bytes())).count(b"OLD") == 2
    else:
        assert ds.to_bytes(enforce_standard=False) == twice(name).replace(b"OT", b"MR")


def inflated(data: bytes) -> tuple[bytes, bytes]:
    """Head and data set of a deflated file."""
    begin = 144 + int.from_bytes(data[140:144], "little")
    return data[:begin], zlib.decompressobj(wbits=-zlib.MAX_WBITS).decompress(data[begin:])


IN_ITEMS = {  # name: (sequences before and behind the pixel data)
    "the sequence": (sequence(IMAGES, item(AGAIN)), sequence(IMAGES, item(AGAIN))),
    "of undefined length": (
        sequence(IMAGES, item(AGAIN, undefined=True), undefined=True),
        sequence(IMAGES, item(AGAIN, undefined=True), undefined=True),
    ),
    "called UN": (element(IMAGES, "UN", item(identity(b"OLD2", None))), element(IMAGES, "UN", item(AGAIN))),
}


@pytest.mark.parametrize("pixels", [NATIVE, FRAGMENTS], ids=["native", "fragments"])
@pytest.mark.parametrize(("before", "behind"), IN_ITEMS.values(), ids=IN_ITEMS)
def test_a_repeated_sequence_changed_in_its_items_is_written_once(before, behind, pixels):
    data = part10(image(behind, before, pixels), EXPLICIT if pixels is NATIVE else RLE)
    ds = dc.dcmread(data)
    ds.ReferencedImageSequence[0].PatientID = NEW
    made = ds.to_bytes(enforce_standard=False)
    assert b"OLD" not in made
    assert made.count(NEW.encode()) == 1
    assert pydicom.dcmread(io.BytesIO(made)).ReferencedImageSequence[0].PatientID == NEW


OPTIONS = {
    "repair": {"repair": True},
    "defined lengths": {"lengths": "defined"},
    "undefined lengths": {"lengths": "undefined"},
    "wider text": {"widen": "utf-8"},
    "implicit VR": {"transfer_syntax": IMPLICIT},
    "big endian": {"transfer_syntax": BIG_ENDIAN},
}


@pytest.mark.parametrize(("change", "value"), CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_no_option_writes_the_old_value(options, change, value):
    ds = dc.dcmread(twice("behind padding" if "transfer_syntax" not in options else "twice"))
    change(ds)
    made = ds.to_bytes(**options)
    assert b"OLD" not in made
    assert pydicom.dcmread(io.BytesIO(made)).get("PatientID", "") == (value or b"").decode()


def by_frame_writer(ds, folder):
    path = folder / "frames.dcm"
    with dc.FrameWriter(path, ds, transfer_syntax=EXPLICIT) as writer:
        writer.append(ds.frames[0])
    return path.read_bytes()


def by_transcoding(ds, folder):
    dc.transcode(ds, folder / "lossless.dcm", "jpeg-lossless")
    return (folder / "lossless.dcm").read_bytes()


def by_pydicom(ds, folder):
    stream = io.BytesIO()
    ds.to_pydicom().save_as(stream)
    return stream.getvalue()


def by_file_set(ds, folder):
    files = dc.FileSet.new(folder)
    files.add(ds)
    files.write()
    (found,) = [path for path in folder.rglob("*") if path.is_file() and path.name != "DICOMDIR"]
    assert b"OLD" not in (folder / "DICOMDIR").read_bytes()
    return found.read_bytes()


def by_new_pixels(ds, folder):
    ds.set_pixels(ds.pixel_array)
    return ds.to_bytes()


WAYS = {
    "FrameWriter": by_frame_writer,
    "transcode": by_transcoding,
    "set_pixels": by_new_pixels,
    "pydicom": by_pydicom,
    "file-set": by_file_set,
    "JSON": lambda ds, folder: ds.to_json().encode(),
    "XML": lambda ds, folder: ds.to_xml().encode(),
    "text": lambda ds, folder: str(ds).encode(),
}


@pytest.mark.parametrize("name", ["native", "fragments"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_every_way_to_write_drops_the_old_value(way, name, tmp_path):
    (tmp_path / "twice.dcm").write_bytes(twice(name))
    ds = dc.dcmread(tmp_path / "twice.dcm")
    ds.PatientID = NEW
    (tmp_path / "made").mkdir()
    made = way(ds, tmp_path / "made")
    assert b"OLD" not in made
    assert made.count(NEW.encode()) == 1


PIXELS_TWICE = {  # name: (pixel data, elements behind it)
    "side by side": (NATIVE, element(PIXEL_DATA, "OB", b"\5\6\7\10")),
    "apart": (NATIVE, PADDING + element(PIXEL_DATA, "OB", b"\5\6\7\10")),
    "in fragments": (FRAGMENTS, FRAGMENTS),
    "native behind fragments": (FRAGMENTS, element(PIXEL_DATA, "OB", b"\5\6\7\10")),
}


@pytest.mark.parametrize(("pixels", "behind"), PIXELS_TWICE.values(), ids=PIXELS_TWICE)
def test_repeated_pixel_data_is_reported(pixels, behind):
    """It is reported, kept when another element changes, and dropped when pixel data is set."""
    data = part10(image(behind, identity(b"OLD1"), pixels), EXPLICIT if pixels is NATIVE else RLE)
    ds = dc.dcmread(data)
    assert "DUPLICATE_TAG" in [issue.code for issue in ds.issues if issue.tag == PIXEL_DATA]
    ds = dc.dcmread(data)
    ds.PatientID = "NEW1"
    assert ds.to_bytes(enforce_standard=False) == data.replace(b"OLD1", b"NEW1")
    ds = dc.dcmread(data)
    if pixels is NATIVE:
        ds.PixelData = b"\x11\x12\x13\x14"
    else:
        ds.PixelData = dc.dcmread(part10(image(b"", b"", FRAGMENTS), RLE)).PixelData
    made = ds.to_bytes(enforce_standard=False)
    assert [row["tag"] for row in dc.scan(made)].count(PIXEL_DATA) == 1
    wanted = [[0x11, 0x12, 0x13, 0x14]] if pixels is NATIVE else [[1, 2, 3, 4]]
    assert dc.dcmread(made).pixel_array.tolist() == wanted


# ---- elements that must not be written ---------------------------------------------------------------------------


def test_stop_before_pixels_leaves_out_later_elements():
    ds = dc.dcmread(twice("before padding"), stop_before_pixels=True)
    ds.PatientID = NEW
    wanted = part10(image(b"", identity(NEW.encode()), b""))
    assert ds.to_bytes(enforce_standard=False) == wanted


@pytest.mark.parametrize("value", [None, NEW], ids=["as read", "changed"])
@pytest.mark.parametrize(("name", "syntax"), [("behind padding", RLE), ("before padding", EXPLICIT)])
def test_specific_tags_alone_are_written(name, syntax, value):
    """Elements behind the pixel data that were not chosen are not written, either."""
    ds = dc.dcmread(twice(name), specific_tags=["PatientID", "PixelData"])
    pixels = FRAGMENTS if syntax == RLE else NATIVE
    if value:
        ds.PatientID = value
        assert ds.to_bytes(enforce_standard=False) == part10(identity(value.encode()) + pixels, syntax)
    else:
        assert ds.to_bytes(enforce_standard=False) == part10(identity(b"OLD1") + pixels + AGAIN, syntax)


def test_limits_hold_while_looking_for_repeated_elements():
    limits = dc.Limits(elements=100)
    ds = dc.dcmread(twice("many fragments"), limits=limits)
    assert ds.to_bytes(enforce_standard=False) == twice("many fragments")
    ds.PatientID = NEW
    with pytest.raises(dc.LimitError, match=r"Limits\.elements"):
        ds.to_bytes(enforce_standard=False)
