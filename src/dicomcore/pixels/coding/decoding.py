"""One frame's codestream to samples: checked before it is decoded, fitted to its container afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from dicomcore.errors import DicomError, LimitError, PixelDecodeError
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.notes import Note, refuse_if_strict
from dicomcore.pixels.coding import builtin  # noqa: F401  fills the registries
from dicomcore.pixels.coding.endings import ending_notes
from dicomcore.pixels.coding.headers import CodestreamInfo
from dicomcore.pixels.coding.mislabelled import codec_of_frame
from dicomcore.pixels.coding.registry import Codec, codec_for
from dicomcore.pixels.colour import colour_notes
from dicomcore.pixels.description import FrameDescription

__all__ = ["DecodedFrame", "check_header", "decode_frame", "decode_frames"]

PIXELS_PER_BYTE = {"JPEG": 512, "JPEG-LS": 1 << 19}
"""What one byte can stand for at most: a bit a block of 64 pixels; a bit a run of 65535."""
HEADER_PIXELS = 1 << 16
"""Pixels granted to any codestream, so that the smallest images need no care."""


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """A frame's samples as coded, by pixel, and what was found out about them."""

    samples: NDArray[Any]
    description: FrameDescription
    """The frame as it turned out: the data set's word, corrected by the codestream's."""
    info: CodestreamInfo | None
    notes: tuple[Note, ...]


def decode_frame(
    codestream: Any,
    desc: FrameDescription,
    *,
    out: NDArray[Any] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    frame: int | None = None,
    stated: FrameDescription | None = None,
) -> DecodedFrame:
    """Decode one frame; no colour conversion, no masking of unused bits.

    A size that differs from the description's raises PixelDecodeError, with `frame`, before anything is allocated;
    differences in precision, sign, samples and colour are settled in the codestream's favour and noted, or raised where
    `limits` are strict.

    Parameters
    ----------
    codestream
        The frame's fragments joined, or its uncompressed bytes.
    desc
        What the data set says of its frames, in the container and with the samples that `out` has.
    out
        An array of the description's shape and dtype.
    limits
        How large a frame may be, how it is decoded, and whether deviations are errors.
    frame
        The frame's number, for errors.
    stated
        The data set's own words, where `desc` was made to fit other frames; what deviates from them is noted.
    """
    begun = _begun(codestream, desc, out, limits, frame, stated)
    return _decoded_apart([begun], [out], limits)[0] if begun.is_apart(limits) else _decoded_here(begun, out, limits)


def decode_frames(
    codestreams: Iterable[Any],
    desc: FrameDescription,
    *,
    outs: Sequence[NDArray[Any]],
    limits: Limits,
    frames: Sequence[int],
    stated: FrameDescription | None = None,
) -> list[DecodedFrame]:
    """Decode frames of one data set; those alike that are to be isolated go to a worker together.

    `outs` and `stated` are as `decode_frame` takes them. The first frame that fails raises, with its number of
    `frames`.
    """
    begun = [
        _begun(codestream, desc, out, limits, frame, stated)
        for codestream, out, frame in zip(codestreams, outs, frames, strict=True)
    ]
    done: list[DecodedFrame] = []
    for _, group in groupby(begun, key=lambda one: (one.codec, one.description)):
        alike = list(group)
        ours = outs[len(done) : len(done) + len(alike)]
        if alike[0].is_apart(limits):
            done += _decoded_apart(alike, ours, limits)
        else:
            done += [_decoded_here(one, out, limits) for one, out in zip(alike, ours, strict=True)]
    return done


@dataclass(frozen=True, slots=True)
class _Begun:
    """A frame whose codestream's header was read and checked."""

    codec: Codec
    data: memoryview
    description: FrameDescription
    info: CodestreamInfo | None
    notes: tuple[Note, ...]
    frame: int | None

    def is_apart(self, limits: Limits) -> bool:
        return limits.isolate and not self.codec.trusted

    def finished(
        self, samples: NDArray[Any], out: NDArray[Any] | None, limits: Limits, found: tuple[Note, ...] = ()
    ) -> DecodedFrame:
        """The frame of these samples; `found` is what the decoder notes of them."""
        desc = self.description
        if samples.shape != desc.shape:
            text = f"{self.codec.name} gave samples of shape {samples.shape}, not {desc.shape}"
            raise PixelDecodeError(text, frame=self.frame)
        if self.info is not None:
            found += ending_notes(self.data, self.info, samples, frame=self.frame, thorough=limits.strict)
        refuse_if_strict(found, limits, self.frame)
        return DecodedFrame(_contained(samples, desc, out), desc, self.info, self.notes + found)


def _begun(
    codestream: Any,
    desc: FrameDescription,
    out: NDArray[Any] | None,
    limits: Limits,
    frame: int | None,
    stated: FrameDescription | None,
) -> _Begun:
    data = memoryview(codestream).cast("B")
    codec = codec_for(desc.transfer_syntax)
    _check_limits(desc.rows, desc.columns, limits)
    if out is not None and (out.shape != desc.shape or out.dtype != desc.dtype or not out.flags.c_contiguous):
        raise ValueError(f"out is to be a contiguous array of shape {desc.shape} and dtype {desc.dtype}")
    info: CodestreamInfo | None = None
    notes: tuple[Note, ...] = ()
    try:
        codec, info, notes = codec_of_frame(desc.transfer_syntax, data, desc)
        if info is not None:
            desc, settled = check_header(info, desc, limits, stated=stated)
            notes += settled
        if out is not None and (out.shape != desc.shape or out.itemsize != desc.dtype.itemsize):
            raise PixelDecodeError(f"samples are {desc.shape} of {desc.dtype}, and out is {out.shape} of {out.dtype}")
        refuse_if_strict(notes, limits)
    except Exception as error:
        _fail(error, codec, frame)
    return _Begun(codec, data, desc, info, notes, frame)


def _decoded_here(begun: _Begun, out: NDArray[Any] | None, limits: Limits) -> DecodedFrame:
    try:
        decoded = begun.codec.decoder(begun.data, begun.description, out)
        samples, notes = decoded if isinstance(decoded, tuple) else (decoded, ())
        return begun.finished(samples, out, limits, notes)
    except Exception as error:
        _fail(error, begun.codec, begun.frame)


def _decoded_apart(begun: Sequence[_Begun], outs: Sequence[NDArray[Any] | None], limits: Limits) -> list[DecodedFrame]:
    """Frames of one codec and description, by a worker."""
    from dicomcore.pixels.isolation import decode_apart  # sockets and processes, which few ask for

    codec = begun[0].codec
    try:
        found, failure = decode_apart(codec, [one.data for one in begun], begun[0].description, outs, limits)
    except Exception as error:
        _fail(error, codec, begun[0].frame)
    if failure is not None:
        _fail(failure, codec, begun[len(found)].frame)
    return [one.finished(samples, out, limits) for one, samples, out in zip(begun, found, outs, strict=True)]


def _fail(error: Exception, codec: Codec, frame: int | None) -> NoReturn:
    """Raise the error with its frame; what a foreign library raises is its own affair, and becomes ours here."""
    if isinstance(error, PixelDecodeError) and error.frame is None:
        error.frame = frame
    if isinstance(error, (DicomError, MemoryError)):
        raise error
    raise PixelDecodeError(f"{codec.name} can't decode the frame: {error}", frame=frame) from error


def _check_limits(rows: int, columns: int, limits: Limits) -> None:
    if rows < 1 or columns < 1:
        raise PixelDecodeError(f"a frame of {rows} × {columns} pixels")
    if rows * columns > limits.frame_pixels:
        raise LimitError(f"a frame of {rows} × {columns} pixels crosses the limit of {limits.frame_pixels}")


def check_header(
    info: CodestreamInfo,
    desc: FrameDescription,
    limits: Limits = DEFAULT_LIMITS,
    *,
    held: int | None = None,
    stated: FrameDescription | None = None,
) -> tuple[FrameDescription, tuple[Note, ...]]:
    """Compare a codestream's header with the data set's word; give the settled description and what was settled.

    `held` is the codestream's length where only its head was read, `stated` as in `decode_frame`. Raises LimitError
    or PixelDecodeError where decoding would be futile: another size, or more pixels than its bytes could hold.
    """
    held = info.length if held is None else held
    rows = info.rows or desc.rows  # JPEG leaves it to a DNL marker
    _check_limits(rows, info.columns, limits)
    if (rows, info.columns) != (desc.rows, desc.columns):
        raise PixelDecodeError(
            f"codestream of {rows} × {info.columns} pixels in a data set of {desc.rows} × {desc.columns}",
            offset=info.offset,
        )
    most = PIXELS_PER_BYTE.get(info.format)
    if most is not None and rows * info.columns > HEADER_PIXELS + most * held and not info.lossless:
        raise PixelDecodeError(
            f"{info.length} bytes cannot hold {rows} × {info.columns} pixels of {info.format}", offset=info.length
        )
    stated = desc if stated is None else stated
    settled = desc
    if info.components is not None and info.components != desc.samples_per_pixel:
        settled = replace(settled, samples_per_pixel=info.components)
    if info.precision is not None and info.precision != desc.stored:
        # a container too small for the samples grows; one too large stays
        word = 8 if info.precision <= 8 else 16 if info.precision <= 16 else 32
        allocated = desc.bits_allocated if info.precision <= desc.bits_allocated else word
        settled = replace(settled, bits_stored=info.precision, bits_allocated=allocated)
    return settled, (*_contradicted(info, stated), *colour_notes(stated, info))


def _contradicted(info: CodestreamInfo, stated: FrameDescription) -> list[Note]:
    """The data set's words about samples that its codestream contradicts."""
    notes = []
    if info.components not in (None, stated.samples_per_pixel):
        notes.append(_said("pixel-samples", "Samples per Pixel", stated.samples_per_pixel, info.components))
    if info.precision not in (None, stated.stored):
        notes.append(_said("pixel-precision", "Bits Stored", stated.stored, info.precision))
    if info.format in ("JPEG 2000", "HTJ2K") and info.signed != bool(stated.pixel_representation):
        notes.append(_said("pixel-sign", "Pixel Representation", stated.pixel_representation, int(info.signed)))
    return notes


def _said(code: str, attribute: str, stated: Any, found: Any) -> Note:
    return Note(code, f"{attribute} is {stated}, the codestream has {found}")


def _contained(samples: NDArray[Any], desc: FrameDescription, out: NDArray[Any] | None) -> NDArray[Any]:
    """Samples in the container of Bits Allocated, `out` where it was given; signed ones sign-extended."""
    if out is not None:
        if not np.may_share_memory(samples, out):
            np.copyto(out, samples, casting="unsafe")
        return out
    if samples.dtype.itemsize == desc.dtype.itemsize and samples.flags.c_contiguous and samples.flags.writeable:
        return samples.view(desc.dtype)
    return np.ascontiguousarray(samples.astype(desc.dtype, casting="unsafe"))
