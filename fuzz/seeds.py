"""Seeds: real files of the corpus and of pydicom, read in place and cut to a few kilobytes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache

import numpy as np

import dicomcore as dc
from dicomcore import codecs
from tests.support import corpus
from tests.support import dicom_bytes as raw

WHOLE = 8192  # files up to that size are taken whole
CUT = 3000  # bytes of larger ones, from the beginning
FEW = 40  # codestreams
SHORT = 2048  # longest text, as parsing is slow while every branch is counted


@cache
def files() -> tuple[bytes, ...]:
    """Real files, the small ones whole."""
    paths = {one.path for one in corpus.dicom_files()}
    paths |= {path for path in corpus.PYDICOM.rglob("*") if path.suffix in (".dcm", "") and path.is_file()}
    found: dict[bytes, None] = {}
    for path in sorted(paths):
        with path.open("rb") as stream:
            data = stream.read(WHOLE + 1)
        if data[128:132] == b"DICM" or path.suffix == ".dcm":
            found[data if len(data) <= WHOLE else data[:CUT]] = None
    return (*found, *mixed_files())


def mixed_files() -> Iterator[bytes]:
    """Rare deviations: parts in another encoding, a short item, file meta information twice."""
    explicit = raw.element(0x00080100, "SH", b"AB") + raw.element(0x00080104, "LO", b"meaning ")
    sop = raw.element(0x00080016, None, b"1.2\0")
    yield raw.part10(sop + raw.sequence(0x00081140, raw.item(explicit), vr=None) + explicit, raw.IMPLICIT)
    yield raw.part10(sop + raw.element(0x00081090, None, b"GE MEDICAL", length=13) + sop, raw.IMPLICIT)
    pieces = raw.sequence(0x7FE00010, raw.item(), raw.item(b"\xff\xd8ab"), vr="OB", undefined=True)
    icon = raw.sequence(0x00880200, raw.item(pieces, length=len(pieces) - 12), undefined=True)
    yield raw.part10(icon + pieces, raw.JPEG_BASELINE)
    yield raw.PREAMBLE + raw.meta(raw.EXPLICIT) + raw.meta(raw.IMPLICIT) + explicit
    unknown = raw.element(0x00081140, "UN", raw.item(sop), big=True) + raw.element(0x00280010, "UN", b"\5\0", big=True)
    yield raw.part10(unknown, raw.BIG_ENDIAN)


def named(*names: str) -> Iterator[bytes]:
    """Small real files whose name contains one of these."""
    paths = [*corpus.PYDICOM.rglob("*"), *(one.path for one in corpus.dicom_files())]
    for path in sorted(paths):
        if path.is_file() and any(name in path.name for name in names) and path.stat().st_size <= 4 * WHOLE:
            yield path.read_bytes()


@cache
def images() -> tuple[np.ndarray, ...]:
    """Small images of several shapes, whose bytes differ from each other."""
    rng = np.random.default_rng(7)
    made = []
    for shape, kind in (((5, 7), "u1"), ((9, 4), "u2"), ((3, 5, 3), "u1"), ((2, 3), "u4"), ((16, 40), "u1")):
        top = 60 if kind == "u1" else 700
        made.append(np.cumsum(rng.integers(0, 3, shape), axis=1).astype(kind) % top)
    return tuple(image.astype(image.dtype.newbyteorder("=")) for image in made)


@cache
def codestreams(*names: str) -> tuple[bytes, ...]:
    """First frames of the corpus' encapsulated files of these transfer syntaxes, cut where they are long."""
    found = []
    for one in corpus.dicom_files():
        if one.line.get("transfer_syntax") in names and one.line.get("pixels"):
            frame = bytes(dc.dcmread(one.path, force=True).frames.encoded(0))
            found.append(frame if len(frame) <= WHOLE else frame[:CUT])
        if len(found) == FEW:
            break
    return tuple(found)


def jpeg_lossless() -> Iterator[bytes]:
    """JPEG lossless codestreams: those of the corpus, and small complete ones."""
    yield from codestreams("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
    for image in images():
        if image.itemsize <= 2:
            for selection in (1, 4, 7):
                yield codecs.jpeg_lossless_encode(image, selection_value=selection)
    for path in sorted(corpus.ROOT.rglob("p14/*.JPG")):
        yield path.read_bytes()[:WHOLE]


def headers() -> Iterator[bytes]:
    """Codestreams of every format with a header reader; a first byte chooses the reader."""
    syntaxes = {
        0: [f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70, 80, 81)],
        1: [f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 201, 202, 203)],
        2: [f"1.2.840.10008.1.2.4.{n}" for n in (110, 111, 112)],
    }
    for kind, names in syntaxes.items():
        for frame in codestreams(*names):
            yield bytes([kind]) + frame[:600]


def rle_frames() -> Iterator[bytes]:
    """RLE frames behind the bytes that describe them, see imaging.rle."""
    for image in images():
        samples = image.shape[2] if image.ndim == 3 else 1
        head = bytes([image.shape[0], image.shape[1], samples - 1, {1: 0, 2: 1, 4: 2}[image.itemsize], 0])
        yield head + codecs.rle_encode(image)
        yield head[:4] + b"\1" + codecs.rle_encode(image)


def encapsulated(syntax: str, *frames: bytes, table: bool, per_frame: int = 1) -> bytes:
    """Encapsulated pixel data of these frames, with or without a basic offset table."""
    items, offsets, at = b"", [], 0
    for frame in frames:
        offsets.append(at)
        step = -(-len(frame) // per_frame) or 1
        step += step % 2
        for start in range(0, len(frame) or 1, step):
            one = raw.item(frame[start : start + step] + b"\0" * (len(frame[start : start + step]) % 2))
            items += one
            at += len(one)
    first = raw.item(struct.pack(f"<{len(offsets)}I", *offsets) if table else b"")
    return raw.sequence(0x7FE00010, first, items, vr="OB", undefined=True)


def image_header(image: np.ndarray, frames: int = 1, photometric: bytes = b"MONOCHROME2 ", **more: int) -> bytes:
    """Image Pixel attributes for frames like `image`."""
    samples = image.shape[2] if image.ndim == 3 else 1
    bits = 8 * image.itemsize

    def us(tag: int, value: int) -> bytes:
        return raw.element(tag, "US", struct.pack("<H", value))

    return b"".join(
        (
            us(0x00280002, samples),
            raw.element(0x00280004, "CS", b"RGB " if samples == 3 else photometric),
            us(0x00280006, more.get("planar", 0)) if samples == 3 else b"",
            raw.element(0x00280008, "IS", f"{frames:<4}".encode()),
            us(0x00280010, image.shape[0]),
            us(0x00280011, image.shape[1]),
            us(0x00280100, bits),
            us(0x00280101, more.get("stored", bits)),
            us(0x00280102, more.get("stored", bits) - 1),
            us(0x00280103, more.get("signed", 0)),
        )
    )


@cache
def image_files() -> tuple[bytes, ...]:
    """Small image files made here: native, RLE and JPEG lossless, with and without tables; and real small ones."""
    made = []
    for image in images():
        head = image_header(image, 2)
        native = image.astype(image.dtype.newbyteorder("<")).tobytes() * 2
        native += b"\0" * (len(native) % 2)
        made.append(raw.part10(head + raw.element(0x7FE00010, "OW", native)))
        frame = codecs.rle_encode(image)
        for table, pieces in ((False, 1), (True, 2)):
            pixels = encapsulated("", frame, frame, table=table, per_frame=pieces)
            made.append(raw.part10(head + pixels, "1.2.840.10008.1.2.5"))
        if image.itemsize <= 2:
            frame = codecs.jpeg_lossless_encode(image)
            pixels = encapsulated("", frame, frame, table=True)
            made.append(raw.part10(head + pixels, "1.2.840.10008.1.2.4.70"))
    return (*made, *real_images())


def real_images() -> Iterator[bytes]:
    """Small real files with pixel data, whole."""
    for one in corpus.small_files(WHOLE):
        if one.line.get("pixels"):
            yield one.data()


def with_option(inputs: Iterator[bytes] | tuple[bytes, ...], count: int) -> Iterator[bytes]:
    """Each input behind an option byte, which counts from 0 to `count` - 1 in turn."""
    for i, data in enumerate(inputs):
        yield bytes([i % count]) + data


def json_texts() -> Iterator[bytes]:
    """Small files as DICOM JSON."""
    return texts(dc.Dataset.to_json)


def xml_texts() -> Iterator[bytes]:
    """Small files as the Native DICOM Model."""
    return texts(dc.Dataset.to_xml)


def texts(write: Callable[[dc.Dataset], str]) -> Iterator[bytes]:
    for data in files():
        with suppress(dc.DicomError):
            text = write(dc.dcmread(data, force=True)).encode()
            if len(text) <= SHORT:
                yield text
