"""Frames of every real file against what independent decoders and pydicom give, and of files made here."""

import copy
import io
import pickle
import threading
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

import dicomcore as dc
from dicomcore.codecs import rle_encode
from dicomcore.errors import DicomError, LimitError, PixelDecodeError, UnsupportedTransferSyntaxError
from dicomcore.pixels import FrameDescription, decode_frame
from tests.support.pixel_files import ABSENT, named, sha256, with_pixels

pytest.importorskip("imagecodecs")
needs_corpus = pytest.mark.skipif(bool(ABSENT), reason=ABSENT)

UNDECODABLE = {
    "test_files/JPEG2000-embedded-sequence-delimiter.dcm": "its codestream is dirt behind the first bytes",
}
MORE_FRAMES = {
    "test_files/badVR.dcm": "Number of Frames is '1A', and 15 frames are there; the manifest has the first",
}
BEST_OF_ALL = {  # files/...: the one family of decoders that reads it
    "files/pylibjpeg-data/ds/JPEG2000Lossless/966.dcm": "ffmpeg",
}
REAL = [entry for entry in with_pixels() if entry["path"] not in UNDECODABLE]
EVERY = pytest.mark.parametrize("entry", REAL, ids=[entry["path"] for entry in REAL])


@needs_corpus
@EVERY
def test_real_files(entry):
    pixels = entry["pixels"]
    frames = dc.dcmread(entry["file"], force=True).frames
    hashes = [sha256(frames.decode(i, raw=True)) for i in range(len(frames))]
    if entry["path"] in MORE_FRAMES:
        hashes = hashes[: pixels["frames"]]
    if pixels.get("consensus"):
        assert hashes == pixels["consensus"]
    elif pixels.get("decoders"):
        groups = [group["families"] for group in pixels["decoders"] if group["frames_sha256"] == hashes]
        assert groups, "no decoder gave these samples"
        wanted = BEST_OF_ALL.get(entry["path"])
        assert wanted is None or [wanted] in groups
    array = frames.array()
    theirs = pixels.get("pixel_array") or {}
    if "shape" in theirs:
        assert list(array.shape) == theirs["shape"]
        assert array.dtype.str == theirs["dtype"]
    if theirs.get("sha256"):
        assert sha256(array) == theirs["sha256"]
    if "encoded_frames" in pixels:
        assert [[len(frames.encoded(i)), hash_of(frames.encoded(i))] for i in range(len(frames))] == pixels[
            "encoded_frames"
        ]


def hash_of(data: memoryview) -> str:
    return sha256(np.frombuffer(data, np.uint8))


@needs_corpus
@pytest.mark.parametrize("path", UNDECODABLE)
def test_undecodable(path):
    with pytest.raises(PixelDecodeError) as caught:
        dc.dcmread(named(path), force=True).frames[0]
    assert caught.value.frame == 0


@needs_corpus
def test_lossy_colour_as_pydicom():
    """Where chroma isn't upsampled every decoder gives the same YBR, so RGB is pydicom's to the last bit."""
    path = named("SC_rgb_dcmtk_+eb+cy+s4.dcm")
    assert (dc.dcmread(path).pixel_array == pydicom.dcmread(path).pixel_array).all()


@needs_corpus
def test_indexing():
    frames = dc.dcmread(named("emri_small_RLE.dcm")).frames
    everything = frames.array()
    assert everything.shape == (10, 64, 64)
    assert len(frames) == 10
    assert (frames[-1] == everything[9]).all()
    assert (frames[2:7:2] == everything[2:7:2]).all()
    assert frames[5:5].shape == (0, 64, 64)
    assert [frame.shape for frame in frames] == [(64, 64)] * 10
    for outside in (10, -11):
        with pytest.raises(IndexError):
            frames[outside]


@needs_corpus
@pytest.mark.parametrize("end", ["emri_small_RLE.dcm", "emri_small_jpeg_2k_lossless.dcm", "liver_nonbyte_aligned.dcm"])
def test_out(end):
    frames = dc.dcmread(named(end)).frames
    out = np.zeros(frames.shape, frames.dtype)
    assert frames.array(out=out, workers=2) is out
    assert np.shares_memory(frames.array(out=out.reshape(-1)), out)
    assert (out == frames.array()).all()
    one = np.zeros(frames.shape[1:], frames.dtype)
    assert frames.decode(1, out=one) is one
    assert (one == out[1]).all()
    with pytest.raises(ValueError, match="out is to"):
        frames.decode(0, out=np.zeros((3, 3), frames.dtype))


@needs_corpus
def test_many_threads_one_data_set():
    ds = dc.dcmread(named("examples_ybr_color.dcm"))
    wanted = ds.frames.array(workers=1)
    start = threading.Barrier(4)

    def work(k: int) -> bool:
        start.wait()
        return all((ds.frames[i] == wanted[i]).all() for i in range(k, 30, 4))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))


@needs_corpus
def test_copies_decode_alike():
    ds = dc.dcmread(named("emri_small_RLE.dcm"))
    wanted = ds.pixel_array
    for other in (pickle.loads(pickle.dumps(ds)), copy.deepcopy(ds), ds.copy()):
        assert (other.pixel_array == wanted).all()
    assert (pickle.loads(pickle.dumps(ds.frames))[3] == wanted[3]).all()


@needs_corpus
def test_corrected_contradictions_are_issues():
    ds = dc.dcmread(named("693_J2KR.dcm"))
    before = ds.issues
    assert ds.pixel_array.any()
    (issue,) = set(ds.issues) - set(before)
    assert issue.code == "PIXEL_PRECISION"
    assert issue.tag == 0x7FE00010


@needs_corpus
def test_setting_pixels_makes_new_frames():
    ds = dc.dcmread(named("MR_small.dcm"))
    assert ds.pixel_array.any()
    ds.PixelData = bytes(2 * 64 * 64)
    assert not ds.pixel_array.any()
    ds.Rows = 32
    assert ds.pixel_array.shape == (2, 32, 64)


def made(array, *, syntax=ExplicitVRLittleEndian, data=None, **attributes) -> bytes:
    """A file of uncompressed pixels, written by pydicom."""
    ds = pydicom.Dataset()
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.SOPClassUID = ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    ds.file_meta.MediaStorageSOPClassUID = "1.2.3"
    ds.Rows, ds.Columns = array.shape[1:3]
    ds.NumberOfFrames = len(array)
    ds.SamplesPerPixel = array.shape[3] if array.ndim == 4 else 1
    ds.PhotometricInterpretation = "RGB" if array.ndim == 4 else "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 8 * array.itemsize
    ds.PixelRepresentation = int(array.dtype.kind == "i")
    if array.ndim == 4:
        ds.PlanarConfiguration = 0
    vr = attributes.pop("vr", "OB")
    for name, value in attributes.items():
        setattr(ds, name, value)
    ds.HighBit = ds.BitsStored - 1
    ds.PixelData = array.tobytes() if data is None else data
    ds["PixelData"].VR = "OW" if array.itemsize > 1 else vr
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, ds, enforce_file_format=True)
    return buffer.getvalue()


RNG = np.random.default_rng(3)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8"])
@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("planar", [0, 1])
def test_uncompressed(syntax, dtype, samples, planar):
    shape = (3, 5, 7) if samples == 1 else (3, 5, 7, 3)
    array = RNG.integers(0, 256, (*shape, np.dtype(dtype).itemsize), dtype=np.uint8).view(dtype)[..., 0]
    stored = np.moveaxis(array, -1, 1) if samples == 3 and planar else array
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    data = np.ascontiguousarray(stored).astype(np.dtype(dtype).newbyteorder(order)).tobytes()
    extra = {"PlanarConfiguration": planar} if samples == 3 else {}
    ds = dc.dcmread(made(array, syntax=syntax, data=data + bytes(len(data) % 2), **extra))
    assert ds.pixel_array.dtype == dtype
    assert (ds.pixel_array == array).all()
    assert (ds.frames[1] == array[1]).all()


@pytest.mark.parametrize(("rows", "columns"), [(3, 3), (8, 8), (5, 13), (1, 7)])
def test_single_bits_begin_anywhere(rows, columns):
    array = RNG.integers(0, 2, (5, rows, columns), dtype=np.uint8)
    data = np.packbits(array.reshape(-1), bitorder="little").tobytes()
    ds = dc.dcmread(made(array, data=data + bytes(len(data) % 2), BitsAllocated=1, BitsStored=1))
    assert (ds.pixel_array == array).all()
    assert all((ds.frames[i] == array[i]).all() for i in range(5))


@pytest.mark.parametrize(("rows", "columns"), [(3, 3), (8, 8), (5, 13), (1, 7)])
def test_single_bits_in_big_endian_words(rows, columns):
    """In OW the first pixel is the lowest bit of a 16-bit word, whose bytes change places (PS3.5 8.1.1, A.3)."""
    array = RNG.integers(0, 2, (5, rows, columns), dtype=np.uint8)
    data = np.packbits(array.reshape(-1), bitorder="little").tobytes()
    words = np.frombuffer(data + bytes(len(data) % 2), "<u2").astype(">u2").tobytes()
    file = made(array, syntax=ExplicitVRBigEndian, data=words, BitsAllocated=1, BitsStored=1, vr="OW")
    ds = dc.dcmread(file)
    assert (ds.pixel_array == array).all()
    assert all((ds.frames[i] == array[i]).all() for i in range(5))


@pytest.mark.parametrize("signed", [0, 1])
def test_12_bits_packed(signed):
    values = RNG.integers(0, 4096, (2, 3, 5))
    whole = sum(int(v) << (12 * i) for i, v in enumerate(values.reshape(-1)))
    data = whole.to_bytes(46, "little")
    ds = dc.dcmread(made(values.astype("u2"), data=data, BitsAllocated=12, BitsStored=12, PixelRepresentation=signed))
    wanted = np.where(values > 2047, values - 4096, values) if signed else values
    assert (ds.pixel_array == wanted).all()
    assert (ds.frames[1] == wanted[1]).all()


@pytest.mark.parametrize("signed", [0, 1])
def test_unused_bits(signed):
    """An overlay above 12 stored bits is no part of the sample; raw gives the words as they stand."""
    array = RNG.integers(0, 65536, (1, 4, 4)).astype("u2")
    ds = dc.dcmread(made(array, BitsStored=12, PixelRepresentation=signed))
    low = array[0].astype(int) & 0xFFF
    assert (ds.pixel_array == (np.where(low > 2047, low - 4096, low) if signed else low)).all()
    assert (ds.frames.decode(0, raw=True).view("u2") == array[0]).all()


def test_float():
    values = RNG.normal(size=(2, 3, 4)).astype("f8")
    ds = pydicom.dcmread(io.BytesIO(made(values.astype("u8"))))
    del ds.PixelData
    ds.DoubleFloatPixelData = values.tobytes()
    buffer = io.BytesIO()
    ds.save_as(buffer)
    assert (dc.dcmread(buffer.getvalue()).pixel_array == values).all()


LENGTHS = {  # name: (bytes more or fewer, frames that are there, code of the issue)
    "as due": (0, 3, None),
    "a whole frame more": (32, 4, "FRAMES"),
    "padding": (10, 3, "PIXEL_LENGTH"),
    "part of the last": (-10, 3, "PIXEL_LENGTH"),
    "the last missing": (-32, 2, "PIXEL_LENGTH"),
    "one and a half": (-48, 2, "PIXEL_LENGTH"),
}


@pytest.mark.parametrize(("change", "count", "code"), LENGTHS.values(), ids=LENGTHS)
def test_pixel_data_of_another_length(change, count, code):
    array = np.arange(1, 49, dtype="u2").reshape(3, 4, 4)
    data = array.tobytes() + bytes(max(change, 0))
    ds = dc.dcmread(made(array, data=data[: len(data) + min(change, 0)]))
    assert len(ds.frames) == count
    wanted = np.frombuffer(data[: len(data) + min(change, 0)] + bytes(96), "u2")[: 16 * count]
    assert (ds.pixel_array.reshape(-1) == wanted).all()
    assert [issue.code for issue in ds.issues if issue.code in ("FRAMES", "PIXEL_LENGTH")] == ([code] if code else [])


REFUSED = {
    "40 bits allocated": ({"BitsAllocated": 40}, None, PixelDecodeError),
    "0 bits allocated": ({"BitsAllocated": 0}, None, PixelDecodeError),
    "4:2:2 of 30 bits": (
        {"BitsAllocated": 30, "SamplesPerPixel": 3, "PhotometricInterpretation": "YBR_FULL_422"},
        bytes(120),
        PixelDecodeError,
    ),
    "hardly there": ({"Rows": 20000, "Columns": 20000}, None, PixelDecodeError),
    "no pixel data": ({}, b"", PixelDecodeError),
    "no rows": ({"Rows": 0}, None, PixelDecodeError),
    "too many pixels": ({"Rows": 65535, "Columns": 65535}, None, LimitError),
    "too many frames": ({"NumberOfFrames": "2147483647"}, None, LimitError),
}


@pytest.mark.parametrize(("attributes", "data", "error"), REFUSED.values(), ids=REFUSED)
def test_refused(attributes, data, error):
    ds = dc.dcmread(made(np.zeros((1, 4, 4), "u2"), data=data, **attributes))
    with pytest.raises(error):
        ds.frames.array()


def test_mutated_files_decode_or_raise_ours():
    """Seeded flips over small files of every kind: an array, or an error that names what is wrong."""
    rng = np.random.default_rng(11)
    small = [entry for entry in REAL if entry["size"] < 40_000][::6]
    for entry in small:
        data = np.frombuffer(entry["file"].read_bytes(), np.uint8)
        for _ in range(12):
            bad = data.copy()
            bad[rng.integers(132, len(bad), 4)] = rng.integers(0, 256, 4)
            try:
                ds = dc.dcmread(bad.tobytes()[: rng.integers(len(bad) // 2, len(bad) + 1)], force=True)
                ds.frames[0]
            except DicomError:
                continue


def encapsulated(frames, *, syntax="1.2.840.10008.1.2.5", stated=None) -> bytes:
    """A file of RLE frames of 4 × 4 words of 16 bits, one fragment each."""
    array = np.zeros((stated or len(frames), 4, 4), "u2")
    items = [b"", *(frame + b"\0" * (len(frame) % 2) for frame in frames)]
    data = b"".join(b"\xfe\xff\x00\xe0" + len(item).to_bytes(4, "little") + item for item in items)
    ds = pydicom.dcmread(io.BytesIO(made(array)))
    ds.file_meta.TransferSyntaxUID = syntax
    ds.PixelData = data
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, ds, enforce_file_format=True)
    return buffer.getvalue()


PICTURES = [np.arange(16, dtype="u2").reshape(4, 4) + 1000 * i for i in range(20)]


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_threads_keep_order(workers):
    frames = dc.dcmread(encapsulated([rle_encode(picture) for picture in PICTURES])).frames
    assert (frames.array(workers=workers) == np.stack(PICTURES)).all()
    assert (frames.stack([9, 3, 3], workers=workers) == np.stack([PICTURES[9], PICTURES[3], PICTURES[3]])).all()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_bad_frame_is_named(workers):
    streams = [rle_encode(picture) for picture in PICTURES]
    streams[11] = b"\xff" * 80
    frames = dc.dcmread(encapsulated(streams)).frames
    with pytest.raises(PixelDecodeError) as caught:
        frames.array(workers=workers)
    assert caught.value.frame == 11
    assert (frames[12] == PICTURES[12]).all()


def test_fewer_fragments_than_frames():
    ds = dc.dcmread(encapsulated([rle_encode(picture) for picture in PICTURES[:3]], stated=5))
    assert (ds.pixel_array == np.stack(PICTURES[:3])).all()
    assert "FRAMES" in [issue.code for issue in ds.issues]


def test_an_unknown_transfer_syntax_is_refused():
    ds = dc.dcmread(encapsulated([b"what it is"], syntax="1.2.3.4.5"))
    assert bytes(ds.frames.encoded(0)) == b"what it is"
    with pytest.raises(UnsupportedTransferSyntaxError):
        ds.frames[0]


def test_data_set_made_in_memory():
    ds = dc.Dataset()
    ds.Rows, ds.Columns, ds.BitsAllocated, ds.BitsStored, ds.SamplesPerPixel = 2, 3, 16, 12, 1
    ds.PixelRepresentation, ds.PhotometricInterpretation = 0, "MONOCHROME2"
    ds.PixelData = np.arange(6, dtype="<u2").tobytes()
    assert ds.pixel_array.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert ds.frames.render(0).tolist() == [[0, 51, 102], [153, 204, 255]]


def test_encapsulated_uncompressed():
    syntax = "1.2.840.10008.1.2.1.98"
    data = encapsulated([picture.astype("<u2").tobytes() for picture in PICTURES], syntax=syntax)
    assert (dc.dcmread(data).pixel_array == np.stack(PICTURES)).all()


def test_deflated_frames_are_bounded():
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = deflater.compress(bytes(50_000_000)) + deflater.flush()
    desc = FrameDescription(rows=4, columns=4, bits_allocated=16, transfer_syntax="1.2.840.10008.1.2.8.1")
    tracemalloc.start()
    assert not decode_frame(bomb, desc).samples.any()
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    for bad in (bomb[:2], b"\xff" * 40):
        with pytest.raises(PixelDecodeError):
            decode_frame(bad, desc)


def test_ge_big_endian_pixels_behind_a_little_endian_header():
    """1.2.840.113619.5.2: the header is implicit VR little endian, the pixels alone are big endian."""
    array = np.arange(16, dtype="u2").reshape(1, 4, 4) * 257 + 1
    whole = io.BytesIO(made(array, data=array.astype(">u2").tobytes()))
    ds = pydicom.dcmread(whole)
    meta = ds.file_meta
    buffer = io.BytesIO()
    buffer.write(bytes(128) + b"DICM")
    meta.TransferSyntaxUID = "1.2.840.113619.5.2"
    pydicom.filewriter.write_file_meta_info(buffer, meta, enforce_standard=False)
    body = pydicom.filebase.DicomBytesIO()
    body.is_implicit_VR, body.is_little_endian = True, True
    pydicom.filewriter.write_dataset(body, ds)
    buffer.write(body.getvalue())
    assert (dc.dcmread(buffer.getvalue()).pixel_array == array[0]).all()
