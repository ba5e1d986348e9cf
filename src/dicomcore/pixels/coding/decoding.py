"""Decode a frame's codestream to samples: check its header first, and fit the samples to their container afterwards."""

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
"""Pixels that one byte can decode to at most: a bit for a block of 64 pixels; a bit for a run of 65535."""
HEADER_PIXELS = 1 << 16
"""Pixels allowed to any codestream, so that the smallest images need no exception."""


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """A frame's samples as coded, by pixel, with their description, codestream header and notes."""

    samples: NDArray[Any]
    description: FrameDescription
    """The data set's description, corrected by the codestream's header."""
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
    """Decode one frame, without converting colour or masking unused bits.

    A size that differs from the description's raises PixelDecodeError, with `frame`, before anything is allocated.
    Where precision, sign, samples or colour differ, the codestream is right and the difference is noted, or raised
    under strict `limits`.

    Parameters
    ----------
    codestream
        The frame's fragments joined, or its uncompressed bytes.
    desc
        The data set's description of its frames, with the container and the samples of `out`.
    out
        An array of the description's shape and dtype.
    limits
        How large a frame may be, how it is decoded, and whether deviations are errors.
    frame
        The frame's number, for errors.
    stated
        The data set's own description, where `desc` was adapted to other frames; notes refer to it.
    """
    checked = _checked(codestream, desc, out, limits, frame, stated)
    if checked.is_apart(limits):
        return _decoded_apart([checked], [out], limits)[0]
    return _decoded_here(checked, out, limits)


def decode_frames(
    codestreams: Iterable[Any],
    desc: FrameDescription,
    *,
    outs: Sequence[NDArray[Any]],
    limits: Limits,
    frames: Sequence[int],
    stated: FrameDescription | None = None,
) -> list[DecodedFrame]:
    """Decode frames of one data set; a worker process decodes isolated frames of one kind in one request.

    `frames` are the frames' numbers; the other parameters are as for `decode_frame`. The first frame that fails raises
    its error, with its number.
    """
    checked = [
        _checked(codestream, desc, out, limits, frame, stated)
        for codestream, out, frame in zip(codestreams, outs, frames, strict=True)
    ]
    done: list[DecodedFrame] = []
    for _, group in groupby(checked, key=lambda each: (each.codec, each.description)):
        alike = list(group)
        ours = outs[len(done) : len(done) + len(alike)]
        if alike[0].is_apart(limits):
            done += _decoded_apart(alike, ours, limits)
        else:
            done += [_decoded_here(each, out, limits) for each, out in zip(alike, ours, strict=True)]
    return done


@dataclass(frozen=True, slots=True)
class _CheckedFrame:
    """A frame whose codestream header was read and checked."""

    codec: Codec
    data: memoryview
    description: FrameDescription
    info: CodestreamInfo | None
    notes: tuple[Note, ...]
    frame: int | None

    def is_apart(self, limits: Limits) -> bool:
        return limits.isolate and not self.codec.trusted

    def finished(
        self, samples: NDArray[Any], out: NDArray[Any] | None, limits: Limits, notes: tuple[Note, ...] = ()
    ) -> DecodedFrame:
        """The decoded frame with these samples; `notes` are the decoder's."""
        desc = self.description
        if samples.shape != desc.shape:
            text = f"{self.codec.name} gave samples of shape {samples.shape}, not {desc.shape}"
            raise PixelDecodeError(text, frame=self.frame)
        if self.info is not None:
            notes += ending_notes(self.data, self.info, samples, frame=self.frame, thorough=limits.strict)
        refuse_if_strict(notes, limits, self.frame)
        return DecodedFrame(_contained(samples, desc, out), desc, self.info, self.notes + notes)


def _checked(
    codestream: Any,
    desc: FrameDescription,
    out: NDArray[Any] | None,
    limits: Limits,
    frame: int | None,
    stated: FrameDescription | None,
) -> _CheckedFrame:
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
    return _CheckedFrame(codec, data, desc, info, notes, frame)


def _decoded_here(checked: _CheckedFrame, out: NDArray[Any] | None, limits: Limits) -> DecodedFrame:
    try:
        decoded = checked.codec.decoder(checked.data, checked.description, out)
        samples, notes = decoded if isinstance(decoded, tuple) else (decoded, ())
        return checked.finished(samples, out, limits, notes)
    except Exception as error:
        _fail(error, checked.codec, checked.frame)


def _decoded_apart(
    checked: Sequence[_CheckedFrame], outs: Sequence[NDArray[Any] | None], limits: Limits
) -> list[DecodedFrame]:
    """Decode frames of one codec and description in a worker process."""
    from dicomcore.pixels.isolation import decode_apart  # imports sockets and processes, which few callers need

    codec = checked[0].codec
    try:
        decoded, failure = decode_apart(codec, [each.data for each in checked], checked[0].description, outs, limits)
    except Exception as error:
        _fail(error, codec, checked[0].frame)
    if failure is not None:
        _fail(failure, codec, checked[len(decoded)].frame)
    return [each.finished(samples, out, limits) for each, samples, out in zip(checked, decoded, outs, strict=True)]


def _fail(error: Exception, codec: Codec, frame: int | None) -> NoReturn:
    """Raise the error with its frame; any exception of a foreign library becomes a PixelDecodeError."""
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
    length: int | None = None,
    stated: FrameDescription | None = None,
) -> tuple[FrameDescription, tuple[Note, ...]]:
    """Compare a codestream's header with the data set's description; returns the corrected description, and notes.

    `length` is the codestream's length where only its first bytes were read; `stated` is as in `decode_frame`. Raises
    LimitError or PixelDecodeError where decoding would be futile: the size differs, or the bytes are too few for the
    pixels.
    """
    length = info.length if length is None else length
    rows = info.rows or desc.rows  # 0 in a JPEG means that a DNL marker segment states the rows
    _check_limits(rows, info.columns, limits)
    if (rows, info.columns) != (desc.rows, desc.columns):
        raise PixelDecodeError(
            f"codestream of {rows} × {info.columns} pixels in a data set of {desc.rows} × {desc.columns}",
            offset=info.offset,
        )
    most = PIXELS_PER_BYTE.get(info.format)
    if most is not None and rows * info.columns > HEADER_PIXELS + most * length and not info.lossless:
        raise PixelDecodeError(
            f"{info.length} bytes cannot hold {rows} × {info.columns} pixels of {info.format}", offset=info.length
        )
    stated = desc if stated is None else stated
    settled = desc
    if info.components is not None and info.components != desc.samples_per_pixel:
        settled = replace(settled, samples_per_pixel=info.components)
    if info.precision is not None and info.precision != desc.stored:
        # A container too small for the samples grows; a larger one stays.
        word = 8 if info.precision <= 8 else 16 if info.precision <= 16 else 32
        allocated = desc.bits_allocated if info.precision <= desc.bits_allocated else word
        settled = replace(settled, bits_stored=info.precision, bits_allocated=allocated)
    return settled, (*_contradicted(info, stated), *colour_notes(stated, info))


def _contradicted(info: CodestreamInfo, stated: FrameDescription) -> list[Note]:
    """Notes on the data set's attributes of samples that the codestream contradicts."""
    notes = []
    if info.components not in (None, stated.samples_per_pixel):
        notes.append(_contradiction("pixel-samples", "Samples per Pixel", stated.samples_per_pixel, info.components))
    if info.precision not in (None, stated.stored):
        notes.append(_contradiction("pixel-precision", "Bits Stored", stated.stored, info.precision))
    if info.format in ("JPEG 2000", "HTJ2K") and info.signed != bool(stated.pixel_representation):
        representation, coded = stated.pixel_representation, int(info.signed)
        notes.append(_contradiction("pixel-sign", "Pixel Representation", representation, coded))
    return notes


def _contradiction(code: str, attribute: str, stated: Any, coded: Any) -> Note:
    return Note(code, f"{attribute} is {stated}, the codestream has {coded}")


def _contained(samples: NDArray[Any], desc: FrameDescription, out: NDArray[Any] | None) -> NDArray[Any]:
    """Samples in the container of Bits Allocated, in `out` if given; signed samples are sign-extended."""
    if out is not None:
        if not np.may_share_memory(samples, out):
            np.copyto(out, samples, casting="unsafe")
        return out
    if samples.dtype.itemsize == desc.dtype.itemsize and samples.flags.c_contiguous and samples.flags.writeable:
        return samples.view(desc.dtype)
    return np.ascontiguousarray(samples.astype(desc.dtype, casting="unsafe"))
