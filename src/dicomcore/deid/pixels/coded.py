"""Encapsulated pixel data blanked frame by frame: only frames with boxes are encoded again (PS3.5 A.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore import uids
from dicomcore.dataset import Dataset
from dicomcore.deid.pixels.background import background_of
from dicomcore.deid.pixels.boxes import Boxes
from dicomcore.deid.pixels.values import Joined, Spool, Stretch
from dicomcore.errors import DicomError, EncodeError, PixelDecodeError
from dicomcore.pixels.coding.decoding import decode_frame
from dicomcore.pixels.coding.encoder_registry import FrameEncoder, encoder_for, refuse_unless_held
from dicomcore.pixels.coding.video import VIDEO_SYNTAXES
from dicomcore.pixels.colour import to_rgb
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.encapsulated_frames import EncapsulatedFrames
from dicomcore.pixels.frames import Frames
from dicomcore.pixels.labels import describe_pixels, note_loss
from dicomcore.pixels.unused_bits import settle_unused_bits
from dicomcore.tags import ITEM_BYTES
from dicomcore.threads import cpus, in_order
from dicomcore.transcoding.attributes import append, code
from dicomcore.transcoding.damage import KEEPS
from dicomcore.transcoding.source import Prepared
from dicomcore.uids import UID

__all__ = ["JPEG", "Recoding", "blank_coded"]

ITEM_HEADER = 8
LONGEST = 0xFFFFFFFE
JPEG = (str(uids.JPEGBaseline8Bit), str(uids.JPEGExtended12Bit))
JPEG_LS_NEAR, JPEG_2000 = str(uids.JPEGLSNearLossless), str(uids.JPEG2000)
HTJ2K, JPEG_XL = str(uids.HTJ2K), str(uids.JPEGXL)
# Lossy syntaxes in which a lossless codestream is valid too: the syntax of its encoder.
EXACT = {
    JPEG_LS_NEAR: str(uids.JPEGLSLossless),
    JPEG_2000: str(uids.JPEG2000Lossless),
    HTJ2K: str(uids.HTJ2KLossless),
    JPEG_XL: str(uids.JPEGXLLossless),
}
LOSSY_COLOURS = ("YBR_ICT", "XYB")  # which no lossless codestream has
# The highest quality that is worth its bytes, where pixels are compressed with loss a second time.
QUALITY = {JPEG[0]: 97, JPEG[1]: 97, JPEG_2000: 80, HTJ2K: 0.0005, JPEG_XL: 0.05}
OF_J2K = ("JPEG 2000", "HTJ2K")
DESCRIBING = (
    *("SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "BitsAllocated", "BitsStored", "HighBit"),
    *("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod", "DerivationCodeSequence"),
)


class Recoding:
    """How the touched frames of a data set are encoded again in their own transfer syntax.

    Raises EncodeError where there is no encoder for it, and where pixels would lose quality without `recode`.
    """

    def __init__(self, data_set: Dataset, frames: Frames, boxes: Boxes, *, recode: bool) -> None:
        self._data_set, self._frames, self._boxes = data_set, frames, boxes
        self._syntax = frames.stated.transfer_syntax
        if self._syntax in VIDEO_SYNTAXES:
            raise EncodeError(f"{UID(self._syntax).name}: the frames of a video are not blanked")
        first = boxes.touched[0]
        self._encoder, self._quality = self._chosen(recode)
        self._prepared = self._prepare(first)
        described = self._prepared.description
        refuse_unless_held(self._encoder, described)
        self._described = self._untransformed(described)
        self._background = background_of(data_set, described, frames.decode(first))
        self.given = self.made = 0  # bytes of frames and of their codestreams

    note = ""

    @property
    def lossless(self) -> bool:
        """Whether pixels outside of boxes keep their values."""
        return self._encoder.lossless

    def _chosen(self, recode: bool) -> tuple[FrameEncoder, float | None]:
        syntax = self._syntax
        if syntax in EXACT and self._frames.stated.photometric_interpretation not in LOSSY_COLOURS:
            return encoder_for(EXACT[syntax]), None
        if syntax in JPEG and not recode:
            raise EncodeError(
                f"{UID(syntax).name}: these frames can't be blanked unit by unit; blanking would compress "
                f"{len(self._boxes.touched)} of them a second time, with loss, which recode=True allows"
            )
        return encoder_for(syntax), QUALITY.get(syntax)

    def _prepare(self, first: int) -> Prepared:
        with _without_advice():
            prepared = Prepared(self._data_set, self._frames, self._encoder, first)
        stated = self._frames.stated
        others = len(self._boxes.touched) < self._boxes.frames
        if others and (prepared.overlays or stated.low_bit or prepared.description.stored != stated.stored):
            raise EncodeError("samples that share their words with other bits are blanked in all frames or in none")
        return prepared

    def _untransformed(self, described: FrameDescription) -> FrameDescription:
        """The description for the encoder; colour that was not transformed in JPEG 2000 is not transformed now."""
        plain = self._frames.stated.photometric_interpretation == "RGB"
        j2k = self._prepared.info is not None and self._prepared.info.format in OF_J2K
        if plain and j2k and self._encoder.lossless:
            return replace(described, photometric_interpretation="YBR_FULL")
        return described

    def frame(self, index: int) -> bytes:
        """The new codestream of a frame, which was decoded again and compared."""
        with _without_advice():
            samples = self._prepared.samples(index, index)
        for x, y, width, height in self._boxes.of(index):
            samples[y : y + height, x : x + width] = self._blank(samples)
        try:
            data = bytes(self._encoder.encode(samples, self._described, self._quality))
        except (DicomError, MemoryError, OSError):
            raise
        except Exception as error:  # any exception of a codec library
            raise EncodeError(f"frame {index} can't be encoded: {error}") from error
        self.given, self.made = self.given + samples.nbytes, self.made + len(data)
        if self.lossless and not np.array_equal(self._decoded(data, index), samples):
            raise EncodeError(f"frame {index} can't be encoded without loss in {UID(self._syntax).name}")
        return data

    def _blank(self, samples: NDArray[Any]) -> NDArray[Any]:
        values = np.array(self._background[0] if samples.ndim == 2 else self._background)
        return values.astype(samples.dtype)

    def _decoded(self, data: bytes, index: int) -> NDArray[Any]:
        """The samples as they are encoded, out of the new codestream."""
        decoded = decode_frame(
            data, self._frames.description, limits=self._frames.limits, frame=index, stated=self._frames.stated
        )
        samples = settle_unused_bits(decoded.samples, self._frames.stated, decoded.info)
        if self._described.photometric_interpretation == "RGB":
            samples = to_rgb(samples, decoded.description, decoded.info, out=samples)
        return samples

    def attributes(self) -> dict[str, Any]:
        """The attributes of the frames that change, None for those to be removed; asked for after the last frame."""
        header = Dataset()
        for keyword in DESCRIBING:
            if keyword in self._data_set:
                header[keyword] = self._data_set[keyword]
        before = dict(self._shown(header))
        described = replace(self._prepared.description, planar_configuration=self._frames.stated.planar_configuration)
        describe_pixels(header, self._kept_colour(described), self._encoder)
        if not self.lossless:
            note_loss(header, round(self.given / max(self.made, 1), 2), self._encoder.method)
            append(header, "DerivationCodeSequence", code("lossy"))
        return {keyword: value for keyword, value in self._shown(header) if value != before.get(keyword)}

    def _kept_colour(self, described: FrameDescription) -> FrameDescription:
        """The description with the label that the codestreams had, where they are still such."""
        stated = self._frames.stated.photometric_interpretation
        if self._described.photometric_interpretation != described.photometric_interpretation:
            return replace(described, photometric_interpretation="YBR_FULL" if stated != "RGB" else stated)
        return described

    def _shown(self, header: Dataset) -> Iterable[tuple[str, Any]]:
        return ((keyword, header.get(keyword)) for keyword in DESCRIBING if keyword in header)


@contextmanager
def _without_advice() -> Iterator[None]:
    """Remove advice on an option that only `transcode` has from errors."""
    try:
        yield
    except PixelDecodeError as error:
        error.message = error.message.replace(KEEPS, "")
        raise


def blank_coded(frames: Frames, boxes: Boxes, encode: Any, vr: str, *, extended: bool) -> tuple[Joined, dict[str, Any]]:
    """The Value Field with new codestreams of the touched frames, and the attributes of its offset tables.

    `encode` gives a frame's codestream. Other frames keep their bytes, and their fragments. An Extended Offset Table
    is written if there was one, or if 32 bits don't suffice and each frame is one fragment.
    """
    source = frames.source
    assert isinstance(source, EncapsulatedFrames)
    spool, touched = Spool(), boxes.touched
    made = in_order(touched, encode, min(len(touched), cpus()))
    items: list[Any] = []
    starts, lengths, at, single = [], [], 0, True
    due = set(touched)
    for index in range(len(frames)):
        starts.append(at)
        if index in due:
            data = next(made)
            if not 0 < len(data) <= LONGEST:
                raise EncodeError(f"frame {index} has {len(data)} bytes, where a fragment takes 1 to {LONGEST}")
            size = len(data) + len(data) % 2
            items.append(spool.add(ITEM_BYTES + size.to_bytes(4, "little") + data + b"\0" * (len(data) % 2)))
            lengths.append(len(data))
            at += ITEM_HEADER + size
            continue
        fragments = source.fragments(index)
        single = single and len(fragments) == 1
        lengths.append(sum(fragment.length for fragment in fragments))
        for fragment in fragments:
            size = ITEM_HEADER + fragment.length + fragment.length % 2
            _extend(items, Stretch(fragment.offset - ITEM_HEADER, size))
            at += size
    far = starts[-1] > LONGEST or 4 * len(starts) > LONGEST
    extended = single and (extended or far)
    table = b"" if extended or far else np.array(starts, "<u4").tobytes()
    items.insert(0, ITEM_BYTES + len(table).to_bytes(4, "little") + table)
    words = {"ExtendedOffsetTable": starts, "ExtendedOffsetTableLengths": lengths}
    attributes = {keyword: np.array(value, "<u8").tobytes() if extended else None for keyword, value in words.items()}
    return Joined(source.value, items, spool, vr), attributes


def _extend(items: list[Any], stretch: Stretch) -> None:
    """Append a stretch; to the last one where it follows that."""
    last = items[-1] if items else None
    if isinstance(last, Stretch) and last.offset + last.length == stretch.offset:
        items[-1] = Stretch(last.offset, last.length + stretch.length)
    else:
        items.append(stretch)
