"""Check the end of a codestream: whether it has its end marker, and whether a JPEG's scans are complete.

Other decoders refuse a codestream that breaks off; libjpeg fills the rest with grey and goes on.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from dicomcore._native.pixels.jpegdct import count_mcus
from dicomcore.notes import Note
from dicomcore.pixels.coding.headers import CodestreamInfo

__all__ = ["END", "ending_notes"]

END = b"\xff\xd9"
"""EOI of JPEG and JPEG-LS, EOC of JPEG 2000."""
TAIL = 16
"""Last bytes that are searched for an end marker first: some writers pad."""
HEAD = 4096
"""First bytes, which include tables and the restart interval."""
RESTART_INTERVAL, SCAN = b"\xff\xdd", b"\xff\xda"
PROGRESSIVE = 2


def ending_notes(
    codestream: memoryview, info: CodestreamInfo, samples: NDArray[Any], *, frame: int | None, thorough: bool
) -> tuple[Note, ...]:
    """Notes on what is missing at the end of a codestream, from which `samples` were decoded.

    All scans of a JPEG are walked through where they are likely to break off, and always if `thorough`. If libjpeg
    filled up a frame, its last row ends in grey, unless a restart marker or a further scan follows.
    """
    bare = codestream[info.offset : info.offset + info.length]
    marked = END in bytes(bare[-TAIL:])
    if info.format in ("JPEG 2000", "HTJ2K"):
        marked = marked or END in bytes(bare)
        return () if marked else (Note("pixel-end", "the codestream has no end marker (EOC)", frame),)
    if info.format != "JPEG" or info.lossless:
        return ()
    if marked and not (thorough or info.frame_type == PROGRESSIVE or _may_break_off(bare, info, samples)):
        return ()
    done, due, ended = count_mcus(bare)
    if done < due:
        text = f"the JPEG scan breaks off: {done} of {due} minimum coded units are there, the others are made up"
        return (Note("pixel-incomplete", text, frame),)
    if not ended and not any(bare[-TAIL:]):  # no encoder ends in zeros: nothing was written here; zeros decode too
        text = "the JPEG ends with zeros instead of an end marker (EOI): what they decode to is made up"
        return (Note("pixel-incomplete", text, frame),)
    return () if ended or (marked and not due) else (Note("pixel-end", "the JPEG has no end marker (EOI)", frame),)


def _may_break_off(bare: memoryview, info: CodestreamInfo, samples: NDArray[Any]) -> bool:
    last = samples[-1, -1] if samples.ndim == 2 else samples[-1, -1, 0]
    head = bytes(bare[:HEAD])
    scan = head.find(SCAN)
    several = 0 <= scan < len(head) - 4 and head[scan + 4] < (info.components or 1)  # a scan without all components
    return several or last == 1 << ((info.precision or 8) - 1) or RESTART_INTERVAL in head
