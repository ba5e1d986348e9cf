"""Frames of the codecs written here, many in one native call: no interpreter between one and the next."""

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
"""Bytes that a thread decodes before it looks whether somebody wants to stop."""
SERIAL_BYTES, RLE_SERIAL_BYTES = 1 << 20, 4 << 20
"""Half a millisecond and more on one thread, where waking another takes a tenth."""
LOSSLESS_SOF = 3
MOST_GROWTH = 64
"""What a byte of RLE stands for at most; a byte of JPEG lossless for 16."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How frames are decoded that are as the first one, and what is noted of them."""

    how: How
    notes: tuple[Note, ...]
    serial_bytes: int
    """Frames that are smaller together are decoded faster without threads."""

    def could_fill(self, held: int) -> bool:
        """Whether a codestream of so many bytes could hold a frame."""
        return self.how.size <= MOST_GROWTH * held


def plan_for(
    codec: Codec, stated: FrameDescription, settled: FrameDescription, head: Any, limits: Limits, *, raw: bool
) -> Plan | None:
    """How to decode frames together; None where they can't be.

    Frames of which something is to be noted can't where `limits` are strict: the one that is refused is then named.
    `stated` is the data set's own word, `settled` what arrays are made by, `head` the head of the first frame's
    codestream. `raw` as in `Frames.decode`.
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
            desc, notes = check_header(info, settled, limits, held=1 << 62, stated=stated)
        except DicomError:
            return None  # said when the frame is decoded
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
    """Decode frames into the rows of `target`, on so many threads; the places of those that are left to be decoded.

    Left are frames that aren't like the first, and once one faults all that aren't decoded by then.
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
        batch.stop()  # nothing is left by now, unless somebody wants to go; who comes later finds nothing to do
    return batch.left()
