"""The job of transcoding one data set: a plan for its pixel data, carried out frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dicomcore.arrays import as_bytes
from dicomcore.dataset import Dataset
from dicomcore.encoding.syntax import encoding_of, own_syntax
from dicomcore.errors import DicomError, EncodeError, PixelDecodeError, UnsupportedTransferSyntaxError
from dicomcore.pixels.attributes import find_pixel_data
from dicomcore.pixels.coding.encoder_registry import FrameEncoder, encoder_for, refuse_idle_quality, refuse_unless_held
from dicomcore.pixels.coding.endings import END
from dicomcore.pixels.coding.mislabelled import codec_of_frame
from dicomcore.pixels.coding.uncompressed import native_bits
from dicomcore.pixels.coding.video import VIDEO_SYNTAXES
from dicomcore.pixels.frame_writer import FrameWriter, OffsetTable
from dicomcore.pixels.frames import Frames
from dicomcore.pixels.labels import describe_pixels, note_loss
from dicomcore.pixels.selecting import select_frames
from dicomcore.syntaxes import SYNTAXES
from dicomcore.threads import cpus, in_order
from dicomcore.transcoding.attributes import (
    derive,
    note_old_loss,
    plain_icons,
    without_pixels,
)
from dicomcore.transcoding.damage import Damage, path_of
from dicomcore.transcoding.recompress import from_jpeg_xl, to_jpeg_xl
from dicomcore.transcoding.source import Prepared
from dicomcore.uids import (
    UID,
    GEPrivateImplicitVRBigEndianPixels,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGXLJPEGRecompression,
    syntax_named,
)

__all__ = ["Job", "Options"]

# Pairs of syntaxes: codestreams of the first are valid in the second, too (PS3.5 A.4).
TAKEN_AS_THEY_ARE = frozenset(
    (syntax.uid, str(syntax_named(syntax.taken_as))) for syntax in SYNTAXES if syntax.taken_as
)


class Options(NamedTuple):
    """The options that a caller of `transcode` gave."""

    syntax: UID
    quality: float | None = None
    frames: int | slice | Iterable[int] | None = None
    new_instance: bool | None = None
    offset_table: OffsetTable | None = None
    workers: int | None = None
    keep: bool = False
    """Write frames that are cut short."""


class Job:
    """The plan for the frames of `data_set`; `write` carries it out.

    Raises EncodeError if the target syntax can't hold the frames, and PixelDecodeError if parts of them are missing,
    before anything is written.
    """

    def __init__(self, data_set: Dataset, options: Options) -> None:
        refuse_idle_quality(options.syntax, options.quality)
        self.data_set, self.options = data_set, options
        self.frames: Frames = data_set.frames
        self.own = own_syntax(data_set)
        self.indices = _chosen(options.frames, len(self.frames))
        self.all = list(self.indices) == list(range(len(self.frames)))
        self.damage = Damage(data_set, self.frames, self.indices, all_frames=options.frames is None)
        self.encoder: FrameEncoder | None = None
        self.prepared: Prepared | None = None
        self.encode: Callable[[tuple[int, int]], tuple[Any, int]] = self._copied
        self.ratio: float | None = None
        self.sop_instance_uid: str | None = data_set.get("SOPInstanceUID")
        wanted, had = encoding_of(options.syntax), encoding_of(self.own)
        self._big = wanted.big
        self.stays = self._stays(wanted.encapsulated, had.encapsulated)
        self.copies = self.recompresses = False
        if self.stays:
            return
        if find_pixel_data(data_set) != "PixelData":
            raise EncodeError(
                "floating-point pixel data takes an uncompressed or deflated syntax, and all of its frames"
            )
        self.copies = had.encapsulated and self._taken(options.syntax)
        if not self.copies:
            self._plan()
        self._check_damage()

    def _check_damage(self) -> None:
        """Refuse damaged frames, as the damage would not show in the new file; or find all of it, to report it."""
        if self.prepared is None:
            self.damage.add_open_end(self.data_set)
        if not self.options.keep:
            self.damage.refuse()
        elif self.prepared is not None and self.frames.is_encapsulated:
            self.damage.add_decoded(self.indices)

    # -- the plan

    def _stays(self, wants_coded: bool, coded: bool) -> bool:
        """Whether the element of the pixel data is written unchanged, and only the data set is encoded anew."""
        options = self.options
        if not self.all or options.new_instance:
            return False
        if wants_coded or coded:
            return options.syntax == self.own and options.offset_table is None and self._taken(options.syntax)
        return GEPrivateImplicitVRBigEndianPixels not in (self.own, options.syntax) and not self.frames.is_encapsulated

    def _taken(self, syntax: UID) -> bool:
        """Whether the source's codestreams are valid in the target syntax."""
        if self.options.quality is not None or (syntax != self.own and (self.own, syntax) not in TAKEN_AS_THEY_ARE):
            return False
        if self.own in VIDEO_SYNTAXES:
            return self.all
        try:
            _, _, notes = codec_of_frame(self.own, self.frames.encoded(self.indices[0]), self.frames.stated)
        except DicomError:
            return True  # it can't be decoded, and copying needs no decoding
        return not any(note.code == "pixel-transfer-syntax" for note in notes)

    def _plan(self) -> None:
        syntax = self.options.syntax
        if syntax == JPEGXLJPEGRecompression or (self.own, syntax) == (JPEGXLJPEGRecompression, JPEGBaseline8Bit):
            if syntax == JPEGBaseline8Bit and self.options.quality is None:
                self.recompresses, self.encode = True, self._restored
                return
            if syntax == JPEGXLJPEGRecompression:
                if self.own not in (JPEGBaseline8Bit, JPEGExtended12Bit):
                    raise EncodeError(f"{syntax.name} can only be made from JPEG Baseline, not from {self.own.name}")
                self.recompresses, self.encode = True, self._recompressed
                return
        self.encoder = encoder_for(syntax) if encoding_of(syntax).encapsulated else None
        if self.encoder is None and syntax.is_private:
            raise UnsupportedTransferSyntaxError(f"no encoder for transfer syntax {syntax}")
        self.prepared = Prepared(self.data_set, self.frames, self.encoder, self.indices[0], keep=self.options.keep)
        if self.encoder is not None:
            refuse_unless_held(self.encoder, self.prepared.description)
        self.encode = self._encoded

    @property
    def lossless(self) -> bool:
        """Whether encoding loses nothing."""
        return self.encoder is None or self.encoder.lossless

    # -- one frame: its encoded bytes, and its size in bytes before encoding

    def _copied(self, place: tuple[int, int]) -> tuple[Any, int]:
        return self.frames.encoded(place[1]), native_bits(self.frames.stated) // 8

    def _recompressed(self, place: tuple[int, int]) -> tuple[Any, int]:
        data = whole_jpeg(self.frames.encoded(place[1]))
        return to_jpeg_xl(data, self.frames.limits), len(data)

    def _restored(self, place: tuple[int, int]) -> tuple[Any, int]:
        data = from_jpeg_xl(self.frames.encoded(place[1]), self.frames.limits)
        return data, len(data)

    def _encoded(self, place: tuple[int, int]) -> tuple[Any, int]:
        assert self.prepared is not None
        samples = self.prepared.samples(place[1], place[0])
        if self.encoder is None:
            return self._native(samples), samples.nbytes
        return self.encoder.encode(samples, self.prepared.description, self.options.quality), samples.nbytes

    def _native(self, samples: NDArray[Any]) -> Any:
        """Samples in the file's byte order; single bits stay an array, as consecutive frames share bytes."""
        if self.frames.stated.bits_allocated == 1:
            return samples
        ordered = np.ascontiguousarray(samples, samples.dtype.newbyteorder(">" if self._big else "<"))
        return memoryview(as_bytes(ordered))

    def _one(self, place: tuple[int, int]) -> tuple[Any, int]:
        try:
            return self.encode(place)
        except PixelDecodeError as error:
            error.frame = place[1] if error.frame is None else error.frame
            error.path = path_of(self.data_set) if error.path is None else error.path
            raise
        except (DicomError, MemoryError, OSError):
            raise
        except Exception as error:  # any exception of a codec library becomes an EncodeError
            raise EncodeError(f"frame {place[1]} can't be encoded: {error}") from error

    # -- the file

    def write(self, path: str, syntax: UID, *, overwrite: bool = True, durable: bool = True) -> None:
        """Write the file; `path` is unchanged if that fails."""
        header = self._header(syntax)
        options, native, coded = self.options, 0, 0
        writing: Any = {"overwrite": overwrite, "durable": durable, "offset_table": options.offset_table}
        many = len(self.indices)
        if self.own in VIDEO_SYNTAXES and self.copies:
            raise EncodeError("a video's frames have no codestreams of their own")
        threads = 1 if self.own in VIDEO_SYNTAXES else min(many, options.workers or cpus())
        with FrameWriter(path, header, transfer_syntax=syntax, frames=many, **writing) as writer:
            for data, size in in_order(list(enumerate(self.indices)), self._one, threads):
                writer.append(data)
                native, coded = native + size, coded + memoryview(data).nbytes
            self.ratio = None if self.copies else native / max(coded, 1)
            self._complete(header)

    def _header(self, syntax: UID) -> Dataset:
        header, options = without_pixels(self.data_set), self.options
        if self.prepared is not None:
            describe_pixels(header, self.prepared.description, self.encoder)
            if self.prepared.lossy:
                whole = len(self.frames) if self.prepared.is_video else 1  # the frames of a video are one stream
                held = max(len(self.frames.encoded(self.indices[0])), 1)
                ratio = whole * self.prepared.description.samples * self.prepared.description.dtype.itemsize / held
                note_old_loss(header, self.own, round(ratio, 2))
        if encoding_of(self.own).encapsulated and syntax != self.own:
            plain_icons(header, syntax)
        if not self.all or len(self.frames) < self.damage.stated:
            select_frames(header, self.indices, self.damage.stated)
        whole = self.lossless and self.all and not self.damage
        derived = options.new_instance if options.new_instance is not None else not whole
        if derived:
            parts = [f"{syntax.name} from {self.own.name}"] * (not self.lossless)
            parts += [f"frames {', '.join(str(i + 1) for i in self.indices[:20])} of {self.damage.stated}"] * (
                not self.all
            )
            parts += self.damage.texts
            purpose = "uncompressed" if not self.lossless and not encoding_of(self.own).encapsulated else "source"
            derive(header, "; ".join(parts) or f"{syntax.name}", lossy=not self.lossless, purpose=purpose)
            self.sop_instance_uid = header.get("SOPInstanceUID")
        return header

    def _complete(self, header: Dataset) -> None:
        """Add the attributes that are known only when all frames are encoded."""
        if self.encoder is not None and not self.encoder.lossless:
            note_loss(header, self.ratio, self.encoder.method)
        if self.prepared is not None and self.prepared.overlays:
            self.prepared.overlays.put(header, len(self.indices))


def _chosen(frames: int | slice | Iterable[int] | None, of: int) -> list[int]:
    if frames is None:
        return list(range(of))
    if isinstance(frames, slice):
        chosen = list(range(of))[frames]
    else:
        chosen = [frames] if isinstance(frames, int) else list(frames)
    outside = [index for index in chosen if not -of <= index < of]
    if outside or not chosen:
        raise IndexError(f"frame {outside[0]} of {of}" if outside else "no frame is chosen")
    return [index % of for index in chosen]


def whole_jpeg(data: memoryview) -> bytes:
    """A JPEG codestream up to its EOI marker, without the byte that pads it to an even length."""
    end = bytes(data[-16:]).rfind(END)
    return bytes(data) if end < 0 else bytes(data[: max(len(data) - 16, 0) + end + 2])
