"""Uncompressed pixel data blanked in place, a stretch at a time (PS3.5 8.1, 8.2)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore._native.base import swap
from dicomcore._native.deid import fill
from dicomcore._native.pixels import unpack
from dicomcore.deid.pixels.boxes import Boxes
from dicomcore.deid.pixels.rectangles import Rectangle
from dicomcore.deid.pixels.values import CHUNK, NewValue, Stretch
from dicomcore.errors import EncodeError
from dicomcore.pixels.coding.uncompressed import BIG_ENDIAN, WORDS, is_subsampled
from dicomcore.pixels.native_frames import NativeFrames

__all__ = ["NativeValue", "has_tail"]

PAIR = 2  # pixels that share chroma, and bytes of a word


def end_of(frames: NativeFrames) -> int:
    """The byte behind the last frame."""
    return min(-(-frames.frame_bits * len(frames) // 8), frames.value.size)


def has_tail(frames: NativeFrames) -> bool:
    """Whether anything but zeros follows the last frame and its padding."""
    end, size = end_of(frames), frames.value.size
    return any(any(frames.value.read(at, min(CHUNK, size - at))) for at in range(end + end % 2, size, CHUNK))


class NativeValue(NewValue):
    """The Value Field of native pixel data with boxes filled; nothing is read before it is asked for.

    Bytes behind the last frame become zeros.

    `background` are the sample values of a blank pixel. `alone`: bits of the words that belong to no sample, which may
    have an overlay, are cleared in all frames.
    """

    def __init__(
        self, frames: NativeFrames, boxes: Boxes, background: tuple[float, ...], vr: str, *, alone: bool = False
    ) -> None:
        super().__init__(frames.value, frames.value.size, vr, is_encapsulated=False)
        self._frames, self._boxes, self._alone = frames, boxes, alone
        self._desc = desc = frames.stated
        self._bits = frames.frame_bits
        self._end = end_of(frames)
        if desc.bits_allocated != 1 and desc.bits_allocated % 8:
            raise EncodeError(f"samples of {desc.bits_allocated} bits allocated are not blanked in place")
        if desc.bits_allocated == 1 and desc.samples_per_pixel != 1:
            raise EncodeError("colour of single bits is not blanked")
        if alone and desc.bits_allocated not in WORDS:
            raise EncodeError(f"samples of {desc.bits_allocated} bits allocated keep their other bits")
        self._width = desc.bits_allocated // 8
        self._big = desc.transfer_syntax in BIG_ENDIAN
        full = desc.samples * desc.bits_allocated
        self._pairs = is_subsampled(desc) and self._bits < full
        self._planar = desc.samples_per_pixel > 1 and desc.planar_configuration == 1 and not self._pairs
        self._words = self._words_of(background)
        self._bit = bool(background[0])

    def _words_of(self, background: tuple[float, ...]) -> list[NDArray[np.uint8]]:
        """The bytes of a blank pixel: of each plane, of a pair, or of all samples together."""
        if self._width == 0:
            return []
        desc = self._desc
        if desc.floating:
            cells = np.array(background, f"{'>' if self._big else '<'}f{self._width}").view(np.uint8)
        else:
            order = "big" if self._big else "little"
            mask = (1 << desc.bits_allocated) - 1
            words = [(int(value) << desc.low_bit) & mask for value in background]
            cells = np.frombuffer(b"".join(word.to_bytes(self._width, order) for word in words), np.uint8)  # type: ignore[arg-type]
        samples = cells.reshape(len(background), self._width)
        if self._pairs:
            return [np.ascontiguousarray(samples[[0, 0, 1, 2]].reshape(-1))]
        return [np.ascontiguousarray(each) for each in samples] if self._planar else [samples.reshape(-1).copy()]

    # -- spans

    def _spans(self, frame: int) -> list[NDArray[np.int64]]:
        """For each pattern, the spans of a frame's boxes: in bytes, or in bits where samples are single bits."""
        first, columns = self._bits * frame, self._desc.columns
        boxes = self._boxes.of(frame)
        if self._width == 0:
            return [self._rows(boxes, first, columns, 1)]
        first //= 8
        if self._pairs:
            even = [
                Rectangle(
                    box.x - box.x % PAIR, box.y, box.width + box.x % PAIR + (box.x + box.width) % PAIR, box.height
                )
                for box in boxes
            ]
            return [self._rows(even, first, columns + columns % PAIR, PAIR)]
        if self._planar:
            plane = self._desc.rows * columns * self._width
            return [
                self._rows(boxes, first + number * plane, columns, self._width) for number in range(len(self._words))
            ]
        return [self._rows(boxes, first, columns, self._width * self._desc.samples_per_pixel)]

    @staticmethod
    def _rows(boxes: list[Rectangle], first: int, columns: int, unit: int) -> NDArray[np.int64]:
        """The rows of boxes as spans, in a frame that begins at `first` and has pixels of `unit`."""
        made = []
        for box in boxes:
            starts = first + (np.arange(box.y, box.y + box.height, dtype=np.int64) * columns + box.x) * unit
            made.append(np.stack((starts, starts + box.width * unit), axis=1))
        return np.ascontiguousarray(np.concatenate(made)) if made else np.empty((0, 2), np.int64)

    # -- the value

    def parts(self) -> Iterator[Stretch | bytes]:
        """See `NewValue.parts`."""
        at = 0
        for start, stop in self._changed():
            if start > at:
                yield Stretch(at, start - at)
            for begin in range(start, stop, CHUNK):
                yield bytes(self._filled(begin, min(begin + CHUNK, stop)))
            at = stop
        if at < self.size:
            yield Stretch(at, self.size - at)

    def read(self, offset: int, length: int) -> memoryview:
        """See `NewValue.read`."""
        start = offset - offset % 8
        stop = min(-(-(offset + length) // 8) * 8, self.size)
        return memoryview(self._filled(start, stop))[offset - start : offset - start + length]

    def _changed(self) -> Iterator[tuple[int, int]]:
        """The stretches of bytes to read and fill, in whole words of 64 bits."""
        if self._alone:
            yield 0, self.size
            return
        begin = end = 0
        for frame in self._boxes.touched:
            start = self._bits * frame // 64 * 8
            stop = min(-(-self._bits * (frame + 1) // 64) * 8, self.size)
            if start > end:
                if end > begin:
                    yield begin, end
                begin = start
            end = max(end, stop)
        if self.size - self._end > 1:
            start = self._end - self._end % 8
            if start > end:
                if end > begin:
                    yield begin, end
                begin = start
            end = self.size
        if end > begin:
            yield begin, end

    def _filled(self, start: int, stop: int) -> NDArray[np.uint8]:
        """These bytes of the value, of which `start` is a multiple of 8."""
        data = np.array(self.source.read(start, stop - start), np.uint8)
        if self._frames.is_swapped:
            self._swap(data, PAIR)
        if self._alone:
            self._clear(data)
        for frame in range(8 * start // self._bits, min(-(-8 * stop // self._bits), len(self._frames))):
            if not self._boxes.of(frame):
                continue
            if self._width == 0:
                fill.fill_bits(data, start, self._spans(frame)[0], self._bit)
                continue
            for spans, pattern in zip(self._spans(frame), self._words, strict=True):
                fill.fill_bytes(data, start, spans, pattern)
        if self._frames.is_swapped:
            self._swap(data, PAIR)
        if self.size - self._end > 1:
            data[max(self._end + self._end % 2 * self._frames.is_swapped - start, 0) :] = 0
        return data

    @staticmethod
    def _swap(data: NDArray[np.uint8], width: int) -> None:
        whole = data[: len(data) // width * width]
        swap.swap_words(whole, whole, width)

    def _clear(self, data: NDArray[np.uint8]) -> None:
        """Clear the bits around samples; those above signed ones repeat the sign."""
        desc, width = self._desc, self._width
        whole = data[: len(data) // width * width]
        turned = self._big == (sys.byteorder == "little") and width > 1  # the words are native in between
        if turned:
            swap.swap_words(whole, whole, width)
        unpack.extend_samples(whole, width, desc.low_bit, desc.stored, desc.pixel_representation == 1)
        if desc.low_bit:
            words: Any = whole.view(f"u{width}")
            words <<= desc.low_bit
        if turned:
            swap.swap_words(whole, whole, width)
