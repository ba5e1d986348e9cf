"""Decode many frames of dicomcore's own codecs in one native call, which runs without the interpreter."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from dicomcore._native.pixels.batch import Batch, How
from dicomcore.errors import DicomError
from dicomcore.limits import Limits
from dicomcore.notes import Note
from dicomcore.pixels.coding.decoding import check_header
from dicomcore.pixels.coding.headers import CodestreamInfo
from dicomcore.pixels.coding.own import decode_jpeg_lossless, decode_rle
from dicomcore.pixels.coding.registry import Codec
from dicomcore.pixels.coding.uncompressed import WORDS
from dicomcore.pixels.colour import coded_colour
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.fragments import Spans
from dicomcore.pixels.unused_bits import bits_that_count, low_bit_of
from dicomcore.pixels.value_field import ValueField
from dicomcore.threads import hand_out

__all__ = ["SERIAL_BYTES", "Plan", "decode_together", "plan_for"]

AT_ONCE = 64 << 20
"""Bytes that a thread decodes before it checks whether to stop."""
SERIAL_BYTES, RLE_SERIAL_BYTES = 1 << 20, 4 << 20
"""Half a millisecond or more of work for one thread, while waking another takes a tenth of a millisecond."""
LOSSLESS_SOF = 3
MOST_GROWTH = 64
"""Bytes that one byte of RLE can decode to at most; for JPEG lossless the most is 16."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The parameters for decoding frames that are like the first one, and the notes on them."""

    how: How
    notes: tuple[Note, ...]
    serial_bytes: int
    """Frames with fewer bytes in total are decoded faster by one thread."""

    def could_fill(self, length: int) -> bool:
        """Whether a codestream of `length` bytes could contain a frame."""
        return self.how.size <= MOST_GROWTH * length


def plan_for(
    codec: Codec, stated: FrameDescription, settled: FrameDescription, head: Any, limits: Limits, *, raw: bool
) -> Plan | None:
    """Plan how to decode frames together; None where they have to be decoded one by one.

    Under strict limits, frames with notes are decoded one by one, so that the error names the frame.

    Parameters
    ----------
    codec
        The codec of the stated transfer syntax.
    stated
        The data set's own description.
    settled
        The description of decoded arrays.
    head
        The first bytes of the first frame's codestream.
    limits
        How large a frame may be, and whether deviations are errors.
    raw
        As in `Frames.decode`.
    """
    info: CodestreamInfo | None = None
    notes: tuple[Note, ...] = ()
    desc, width = settled, settled.dtype.itemsize
    if codec.decoder is decode_rle:
        if settled.bits_allocated not in WORDS or settled.samples_per_pixel * width > 15 or sys.byteorder != "little":
            return None
    elif codec.decoder is decode_jpeg_lossless and codec.read_header is not None and head is not None:
        try:
            info = codec.read_header(head)
            desc, notes = check_header(info, settled, limits, length=1 << 62, stated=stated)
        except DicomError:
            return None  # raised again when the frame is decoded
        if notes and limits.strict:
            return None
        if info.frame_type != LOSSLESS_SOF or not info.rows or not 2 <= (info.precision or 0) <= 8 * min(width, 2):
            return None
        if desc.shape != settled.shape or desc.dtype.itemsize != width or width > 2 or desc.samples_per_pixel > 4:
            return None
    else:
        return None
    bits, to_rgb = None, False
    if not raw:
        if low_bit_of(stated, info):
            return None
        bits = bits_that_count(stated, info, 8 * width)
        colour = coded_colour(desc, info)
        to_rgb = colour == "YBR"
        if colour not in (None, "RGB", "YBR") or (to_rgb and width > 1):
            return None
    how = How(
        pixels=settled.rows * settled.columns,
        samples=settled.samples_per_pixel,
        width=width,
        header=None if info is None else bytes(head),
        bits=bits or 0,
        is_signed=settled.dtype.kind == "i",
        to_rgb=to_rgb,
    )
    return Plan(how, notes, SERIAL_BYTES if info is not None else RLE_SERIAL_BYTES)


def decode_together(
    plan: Plan, value: ValueField, spans: Spans, target: NDArray[Any], *, threads: int = 1
) -> list[int]:
    """Decode frames into the rows of `target` on `threads` threads; returns the places of frames not decoded.

    These are frames unlike the first, and after a faulty frame all that were not decoded by then.
    """
    source, base = value.source
    batch = Batch(plan.how, source, base, spans.places, target, spans.exact)

    def work() -> None:
        while batch.run(AT_ONCE):
            pass

    for _ in range(threads - 1):
        hand_out(work)
    try:
        work()
    finally:
        batch.stop()  # all is decoded, unless this thread was interrupted; threads that start late have nothing to do
    return batch.left()
