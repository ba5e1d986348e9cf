"""FrameWriter: writes a file frame by frame, holding only one frame in memory."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np

from dicomcore._native.write.output import Output
from dicomcore.dataset import Dataset
from dicomcore.dataset.state import meta_of, preamble_of
from dicomcore.encoding.composing import put_elements
from dicomcore.encoding.syntax import encoding_of, own_syntax
from dicomcore.errors import EncodeError
from dicomcore.files import Placing, write_all
from dicomcore.part10.meta import put_head
from dicomcore.pixels.attributes import describe
from dicomcore.pixels.coding.uncompressed import native_bits
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.frame_coder import FrameCoder
from dicomcore.pixels.packing import packed_bits
from dicomcore.tags import ITEM_BYTES, SEQUENCE_DELIMITER_BYTES, UNDEFINED_LENGTH
from dicomcore.uids import (
    EncapsulatedUncompressedExplicitVRLittleEndian,
    GEPrivateImplicitVRBigEndianPixels,
    HTJ2KLossless,
    RLELossless,
    syntax_named,
)

__all__ = ["FrameWriter"]

PIXEL_DATA, PIXEL_GROUP = 0x7FE00010, 0x7FE00000
GROUP_28_LENGTH, NUMBER_OF_FRAMES = 0x00280000, 0x00280008
LONGEST = 0xFFFFFFFE  # the largest value of a 32-bit value length (PS3.5 7.1.1)
ITEM, END = ITEM_BYTES, SEQUENCE_DELIMITER_BYTES + bytes(4)
COPIED = 1 << 20
IN_MEMORY = 8 << 20

OffsetTable = Literal["basic", "extended", "none"]


class FrameWriter:
    """Writes a file whose frames are appended one at a time.

    ``with FrameWriter(path, ds, transfer_syntax=...) as writer: writer.append(frame)``. Closing the writer replaces the
    path by a complete file. If the `with` block raises, or `abort` is called, the path stays what it was.

    A frame is either an array with the shape and dtype that `ds` describes, within Bits Stored and in the colour of
    Photometric Interpretation; or bytes, which are written as they are: the frame's codestream, or its native bytes in
    the file's byte order. The writer updates the attributes that describe the frames. Planar Configuration becomes 0
    where the transfer syntax requires it (PS3.5 8.2). Where arrays were encoded, Photometric Interpretation, bits and
    the attributes of lossy compression become those of the codestreams. The SOP Instance UID stays.

    In encapsulated transfer syntaxes each frame is one fragment, after an offset table (PS3.5 A.4, PS3.3 C.7.6.3.1.8).
    As the table precedes the frames, they are spooled until their number is known: the first few megabytes in memory,
    then in an unnamed file beside the path. Uncompressed frames are written straight to the file.

    Parameters
    ----------
    path
        The file to write.
    ds
        The data set that describes the frames (Rows, Columns, Samples per Pixel, Bits Allocated, …). Its own pixel data
        is not written, and the data set is not changed.
    transfer_syntax
        A UID, a keyword or a short name such as "jpeg-ls" (`dicomcore.uids.NAMES`); by default the data set's own.
    offset_table
        "basic", "extended" or "none"; by default "basic" where its 32 bits suffice, else "extended".
    encode
        A function from an array to a codestream's bytes, used instead of the registered encoder. The attributes of `ds`
        have to describe its codestreams.
    quality
        The quality of a lossy transfer syntax, see `dicomcore.pixels.coding.encoders`; others refuse it.
    frames
        The number of frames, if known: closing after another number raises EncodeError, and a single frame needs no
        Number of Frames.
    enforce_standard, overwrite, durable
        As for `dcmwrite`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        ds: Dataset,
        *,
        transfer_syntax: str | None = None,
        offset_table: OffsetTable | None = None,
        encode: Callable[[Any], Any] | None = None,
        quality: float | None = None,
        frames: int | None = None,
        enforce_standard: bool = True,
        overwrite: bool = True,
        durable: bool = True,
    ) -> None:
        if offset_table not in (None, "basic", "extended", "none"):
            raise ValueError(f"offset_table is 'basic', 'extended', 'none' or None, not {offset_table!r}")
        self._syntax = syntax_named(transfer_syntax) if transfer_syntax is not None else own_syntax(ds)
        self._encoding = encoding_of(self._syntax)
        if self._encoding.deflated:
            raise EncodeError(f"{self._syntax.name} can't be written frame by frame: deflate the file afterwards")
        if self._syntax == GEPrivateImplicitVRBigEndianPixels:
            raise EncodeError(f"{self._syntax} has big-endian pixels behind a little-endian header: take another")
        self._ds = ds
        self._description = describe(ds, _keyword(ds))
        self._bits = _frame_bits(self._description)
        self._due = frames
        self._carried = np.empty(0, np.uint8)  # single bits after the last whole byte
        self._enforce_standard = enforce_standard
        self._table = offset_table
        self._coder = FrameCoder(ds, self._description, self._syntax, encode=encode, quality=quality)
        self._lengths = array("Q")  # of frames, without padding
        self._written = 0
        self._placing: Placing | None = Placing(path, overwrite=overwrite, durable=durable)
        self._spool: Any = None
        try:
            if self._encoding.encapsulated:
                folder = os.path.dirname(os.path.abspath(path))
                self._spool = tempfile.SpooledTemporaryFile(IN_MEMORY, dir=folder)  # noqa: SIM115
            else:
                self._begin_native()
        except BaseException:
            self.abort()
            raise

    def __len__(self) -> int:
        """The number of frames appended so far."""
        return len(self._lengths)

    def append(self, frame: Any) -> None:
        """Append one frame. Raises EncodeError where it doesn't match the description; earlier frames stay appended."""
        if self._placing is None:
            raise ValueError("the writer is closed")
        if self._encoding.encapsulated:
            self._append_fragment(frame)
            return
        single = self._description.bits_allocated == 1
        data = self._packed(frame) if single else self._native_bytes(frame)
        if self._written + len(data) > LONGEST:
            fragments, rle, htj2k = (
                f"{uid.name} ({uid})"
                for uid in (EncapsulatedUncompressedExplicitVRLittleEndian, RLELossless, HTJ2KLossless)
            )
            raise EncodeError(
                f"native pixel data holds {LONGEST} bytes at most, which frame {len(self)} would pass; syntaxes that "
                f"can hold more: {fragments}, or a compressed one such as {rle} or {htj2k}"
            )
        write_all(self._placing.file, data)
        self._written += len(data)
        self._lengths.append(len(data))

    def close(self) -> None:
        """Complete the file and move it to the path. Raises EncodeError where no frame was appended."""
        placing = self._placing
        if placing is None:
            return
        try:
            if not self._lengths:
                raise EncodeError("no frame was appended: append one, or call abort()")
            if self._due not in (None, len(self)):
                raise EncodeError(f"{len(self)} frames were appended where {self._due} were due")
            if self._encoding.encapsulated:
                self._finish_fragments(placing.file)
            else:
                self._finish_native(placing.file)
            placing.finish()
        except BaseException:
            self.abort()
            raise
        self._placing = None
        self._drop_spool()

    def abort(self) -> None:
        """Discard the file; the path stays what it was."""
        if self._placing is not None:
            self._placing.abort()
            self._placing = None
        self._drop_spool()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def _drop_spool(self) -> None:
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    # -- the data set around the frames

    def _parts(self, frames: str) -> tuple[Dataset, Dataset]:
        """The data set before and after pixel data, with `frames` as Number of Frames."""
        before, behind = self._ds[:PIXEL_GROUP], self._ds[PIXEL_DATA + 1 :]
        before.file_meta = meta_of(self._ds)
        before.preamble = preamble_of(self._ds)
        if GROUP_28_LENGTH in before:
            del before[GROUP_28_LENGTH]
        if self._due is not None:
            frames = str(self._due)
        if frames != "1" or "NumberOfFrames" in before or self._due is None:
            before.add_new("NumberOfFrames", "IS", frames.encode())
        return before, behind

    def _compose(self, part: Dataset, out: Output) -> None:
        # In the stated transfer syntax, even where the file that was read deviated from it: pixel data follows it too.
        put_elements(part, out, self._encoding)

    def _begin_native(self) -> None:
        """Write all up to the pixel data's first byte, with placeholders for the values known only at the end."""
        assert self._placing is not None
        before, _ = self._parts(COUNT)
        out = Output()
        put_head(before, out, self._syntax, self._enforce_standard)
        self._compose(before[:NUMBER_OF_FRAMES], out)
        self._count_at = len(out) + 8  # after the element's header
        self._compose(before[NUMBER_OF_FRAMES : NUMBER_OF_FRAMES + 1], out)  # alone: elements may be out of order
        self._compose(before[NUMBER_OF_FRAMES + 1 :], out)
        _put_header(out, self._encoding.implicit, self._encoding.big, _word_vr(self._description), 0)
        self._length_at = len(out) - 4
        write_all(self._placing.file, out.whole())

    def _native_bytes(self, frame: Any) -> memoryview:
        """A frame's bytes in the file's byte order."""
        if isinstance(frame, (bytes, bytearray, memoryview)):
            data = memoryview(frame).cast("B")
        else:
            pixels = self._coder.checked(frame, len(self))
            if pixels.ndim == 3 and self._description.planar_configuration == 1:
                pixels = np.moveaxis(pixels, -1, 0)
            order: Literal["<", ">"] = ">" if self._encoding.big else "<"
            ordered = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder(order))
            data = memoryview(ordered.reshape(-1).view("u1"))  # type: ignore[arg-type]
        if 8 * len(data) != self._bits:
            raise EncodeError(f"frame {len(self)} has {len(data)} bytes where {self._bits / 8:g} were due")
        return data

    def _packed(self, frame: Any) -> memoryview:
        """The whole bytes of single-bit samples, begun with the bits that earlier frames left over (PS3.5 8.1.1)."""
        if isinstance(frame, (bytes, bytearray, memoryview)):
            if self._bits % 8 == 0 and not len(self._carried):
                return self._native_bytes(frame)
            raise EncodeError("frames of single bits that fill no whole bytes are appended as arrays")
        bits = np.concatenate((self._carried, self._coder.checked(frame, len(self)).reshape(-1)))
        whole = len(bits) // 8 * 8
        self._carried = bits[whole:].copy()
        return memoryview(packed_bits(bits[:whole]))

    def _finish_native(self, file: int) -> None:
        if len(self._carried):
            write_all(file, packed_bits(self._carried))
            self._written += 1
        if self._written % 2:
            write_all(file, b"\0")
        _, behind = self._parts("1")
        out = Output()
        self._compose(behind, out)
        write_all(file, out.whole())
        order: Literal["little", "big"] = "big" if self._encoding.big else "little"
        os.lseek(file, self._length_at, os.SEEK_SET)
        write_all(file, (self._written + self._written % 2).to_bytes(4, order))
        if self._due is None:
            os.lseek(file, self._count_at, os.SEEK_SET)
            write_all(file, str(len(self)).encode().ljust(len(COUNT)))

    # -- encapsulated

    def _append_fragment(self, frame: Any) -> None:
        if isinstance(frame, (bytes, bytearray, memoryview)):
            data = memoryview(frame).cast("B")
        else:
            data = self._coder.coded(frame, len(self))
        if not len(data) or len(data) > LONGEST:
            raise EncodeError(f"frame {len(self)} has {len(data)} bytes, where a fragment takes 1 to {LONGEST}")
        self._spool.write(ITEM + (len(data) + len(data) % 2).to_bytes(4, "little"))
        self._spool.write(data)
        if len(data) % 2:
            self._spool.write(b"\0")
        self._lengths.append(len(data))

    def _finish_fragments(self, file: int) -> None:
        lengths = np.frombuffer(self._lengths, np.uint64)
        sizes = lengths + lengths % 2 + 8
        offsets = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype("<u8")
        table = self._table or ("basic" if offsets[-1] <= LONGEST and 4 * len(offsets) <= LONGEST else "extended")
        if table == "basic" and offsets[-1] > LONGEST:
            raise EncodeError(f"frames begin up to byte {offsets[-1]}, which only an extended offset table can say")
        before, behind = self._parts(str(len(self)))
        self._coder.describe(before)
        if table == "extended":
            before.add_new("ExtendedOffsetTable", "OV", offsets.tobytes())
            before.add_new("ExtendedOffsetTableLengths", "OV", lengths.astype("<u8").tobytes())
        out = Output()
        put_head(before, out, self._syntax, self._enforce_standard)
        self._compose(before, out)
        _put_header(out, False, False, "OB", UNDEFINED_LENGTH)
        basic = offsets.astype("<u4").tobytes() if table == "basic" else b""
        out.add(ITEM + len(basic).to_bytes(4, "little") + basic)
        write_all(file, out.whole())
        self._spool.seek(0)
        while chunk := self._spool.read(COPIED):
            write_all(file, chunk)
        out = Output()
        out.add(END)
        self._compose(behind, out)
        write_all(file, out.whole())


COUNT = "000000000000"  # placeholder for Number of Frames, of 12 characters, the most that IS allows


def _keyword(ds: Dataset) -> str:
    for keyword in ("FloatPixelData", "DoubleFloatPixelData"):
        if keyword in ds:
            raise EncodeError(f"{keyword} is not written frame by frame")
    return "PixelData"


def _frame_bits(description: FrameDescription) -> int:
    if description.bits_allocated not in (1, 8, 16, 32, 64):
        raise EncodeError(f"frames of {description.bits_allocated} bits a sample don't begin at whole bytes")
    return native_bits(description)


def _word_vr(description: FrameDescription) -> str:
    return "OB" if description.bits_allocated <= 8 else "OW"


def _put_header(out: Output, implicit: bool, big: bool, vr: str, length: int) -> None:
    order: Literal["little", "big"] = "big" if big else "little"
    tag = (0x7FE0).to_bytes(2, order) + (0x0010).to_bytes(2, order)
    out.add(tag + (b"" if implicit else vr.encode() + b"\0\0") + length.to_bytes(4, order))
