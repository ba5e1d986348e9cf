"""Frames: threads against one thread, and one frame out of ten thousand against decoding it alone."""

from __future__ import annotations

import struct
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import imagecodecs
import numpy as np
import pydicom

import dicomcore as dc
from benches.race import machine, race
from dicomcore import codecs

SIDE = 512
RNG = np.random.default_rng(1)
SLOPE = np.add.outer(np.arange(SIDE), np.arange(SIDE))
GREY = (SLOPE + RNG.integers(0, 16, (SIDE, SIDE))).astype(np.uint16)
COLOUR = np.stack([GREY >> 3, GREY.T >> 3, GREY[::-1] >> 3], -1).astype(np.uint8)
KINDS = {  # name: (end of the transfer syntax, encoder, picture)
    "RLE": ("5", codecs.rle_encode, GREY),
    "JPEG lossless": ("4.70", codecs.jpeg_lossless_encode, GREY),
    "JPEG": ("4.50", lambda array: imagecodecs.jpeg8_encode(array, level=90), COLOUR),
    "JPEG-LS": ("4.80", imagecodecs.jpegls_encode, GREY),
    "JPEG 2000": ("4.90", lambda array: imagecodecs.jpeg2k_encode(array, codecformat="J2K", reversible=True), GREY),
}

SLOW = ("JPEG-LS", "JPEG 2000")


def write(path: Path, end: str, frame: bytes, picture: np.ndarray, frames: int, table: bool) -> None:
    """Write a file that repeats one frame, with a Basic Offset Table or without."""
    ds = pydicom.Dataset()
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = f"1.2.840.10008.1.2.{end}"
    ds.SOPClassUID = ds.SOPInstanceUID = "1.2.3"
    ds.Rows, ds.Columns, ds.NumberOfFrames = *picture.shape[:2], frames
    ds.SamplesPerPixel = 1 if picture.ndim == 2 else 3
    ds.PhotometricInterpretation = "MONOCHROME2" if picture.ndim == 2 else "YBR_FULL_422"
    if picture.ndim == 3:
        ds.PlanarConfiguration = 0
    ds.BitsAllocated = ds.BitsStored = 8 * picture.itemsize
    ds.HighBit, ds.PixelRepresentation = 8 * picture.itemsize - 1, 0
    frame += b"\0" * (len(frame) % 2)
    offsets = range(0, frames * (len(frame) + 8), len(frame) + 8) if table else ()
    head = b"".join(struct.pack("<I", offset) for offset in offsets)
    ds.PixelData = item(head) + item(frame) * frames
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    ds.save_as(path, enforce_file_format=True)


def item(data: bytes) -> bytes:
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(data)) + data


def threads(folder: Path, rounds: int) -> None:
    for name, (end, encode, picture) in KINDS.items():
        path = folder / "threads.dcm"
        write(path, end, encode(picture), picture, 24, True)
        frames = dc.dcmread(path).frames
        out = np.empty(frames.shape, frames.dtype)
        contestants = {f"{n}": lambda frames, out=out, n=n: frames.array(out=out, workers=n) for n in (1, 2)}
        often = rounds if name in SLOW else 15 * rounds  # on a busy machine both cores are free for milliseconds only
        best = race(frames, contestants, rounds=often, clock=perf_counter)
        print(f"{name:16} {out.nbytes / best['1'] / 1e6:8.0f} MB/s on one thread, {best['1'] / best['2']:.2f}x on two")


def one_of_many(folder: Path, rounds: int) -> None:
    frame = codecs.rle_encode(GREY)
    for table in (True, False):
        path = folder / "many.dcm"
        write(path, "5", frame, GREY, 10_000, table)
        data_set = dc.dcmread(path)
        out = np.empty(GREY.shape, GREY.dtype)
        size = {"rows": SIDE, "columns": SIDE, "samples_per_pixel": 1, "bits_allocated": 16}
        best = race(
            data_set,
            {
                "alone": lambda _, out=out, size=size: codecs.rle_decode(frame, out=out, **size),
                "offsets known": lambda ds, out=out: ds.frames.decode(7000, out=out),
                "file opened": lambda _, out=out, path=path: dc.dcmread(path).frames.decode(7000, out=out),
            },
            rounds=rounds,
        )
        kind = "with" if table else "without"
        told = ", ".join(f"{name} {1e3 * took:.3f} ms ({took / best['alone']:.1f}x)" for name, took in best.items())
        print(f"one of 10 000 frames {kind} offset table: {told}")


def opening(folder: Path, rounds: int) -> None:
    """Open a file and decode its first frame: of one frame without fragments, and of thousands of small fragments."""
    single, many = folder / "single.dcm", folder / "fragments.dcm"
    ds = dc.Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3"
    ds.set_pixels(GREY)
    ds.save_as(single)
    small = GREY[:64, :64]
    write(many, "5", codecs.rle_encode(small), small, 10_000, True)
    for name, path in (("one native frame", single), ("10 000 fragments", many)):
        best = race(
            path,
            {
                "header": lambda path: (dc.dcmread(path).Rows, b"")[1],
                "first frame": lambda path: (dc.dcmread(path).frames[0], b"")[1],
            },
            rounds=20 * rounds,
        )
        told = ", ".join(f"{what} {1e6 * took:.0f} µs" for what, took in best.items())
        print(f"opening, {name}: {told}")


def main() -> None:
    rounds = 3 if "--quick" in sys.argv else 9
    with tempfile.TemporaryDirectory() as folder:
        opening(Path(folder), rounds)
        threads(Path(folder), rounds)
        one_of_many(Path(folder), rounds)
    print(machine("numpy", "imagecodecs"))


if __name__ == "__main__":
    main()
