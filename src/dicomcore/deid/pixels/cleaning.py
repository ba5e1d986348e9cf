"""clean: blank the text that was burned into a data set's pixels."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.deid.pixels.background import background_of
from dicomcore.deid.pixels.boxes import Box, Boxes
from dicomcore.deid.pixels.coded import JPEG, Recoding, blank_coded
from dicomcore.deid.pixels.comments import without_comments
from dicomcore.deid.pixels.detect import Picture, is_cine, pictures_of, project
from dicomcore.deid.pixels.jpeg import JpegUnits
from dicomcore.deid.pixels.judge import ALLOWED, Judge
from dicomcore.deid.pixels.masks import Masks, known_masks
from dicomcore.deid.pixels.native import NativeValue, has_tail
from dicomcore.deid.pixels.ocr import Engine, Reading, find_engine, read_boxes
from dicomcore.deid.pixels.rectangles import Rectangle
from dicomcore.deid.pixels.regions import outside_regions, regions_of
from dicomcore.deid.pixels.values import NewValue
from dicomcore.errors import DeidError, LimitError, PixelDecodeError, UnsupportedTransferSyntaxError
from dicomcore.limits import Limits
from dicomcore.pixels.attributes import PIXEL_KEYWORDS
from dicomcore.pixels.encapsulated_frames import EncapsulatedFrames
from dicomcore.pixels.frame_source import FrameSource
from dicomcore.pixels.frames import Frames
from dicomcore.pixels.native_frames import NativeFrames
from dicomcore.pixels.overlays import GROUPS, embedded_bit
from dicomcore.pixels.sample_values import sample_values
from dicomcore.tags import Tag
from dicomcore.transcoding.damage import Damage

__all__ = ["Cleaned", "How", "clean"]

How = Literal["regions", "masks", "ocr", "detect"]
EVERY: tuple[How, ...] = ("regions", "masks", "ocr", "detect")
WINDOW = 16
"""Frames of a cine in which text has to stay in its place to be seen."""
ROUNDS = 3
"""Times that what a second look finds is blanked and looked at again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """The result of `clean`: what was blanked, and the pixel data without it."""

    how: tuple[How, ...]
    """What was done."""
    boxes: tuple[Box, ...] = ()
    frames: int = 0
    """The number of frames."""
    frames_changed: tuple[int, ...] = ()
    """The frames whose pixels changed, from 0."""
    burned_in: Literal["NO"] | None = None
    """The value of Burned In Annotation that can be stated: NO only if a second look at the result found no text."""
    lossless: bool = True
    """Whether pixels outside of the boxes kept their values."""
    notes: tuple[str, ...] = ()
    """What a reader of the report should know; never text out of the pixels."""
    attributes: dict[str, Any]
    """New values by keyword of what describes the pixel data; None for an attribute that must go."""
    pixel_data: NewValue | None = None
    """The new value of the pixel data; None where it stays."""
    keyword: str = "PixelData"
    """The element that `pixel_data` is the value of."""

    def put(self, data_set: Dataset) -> None:
        """Put the cleaned pixel data and its attributes into a data set in memory."""
        for keyword, value in self.attributes.items():
            if value is not None:
                setattr(data_set, keyword, value)
            elif keyword in data_set:
                del data_set[keyword]
        if self.pixel_data is not None:
            data_set.add_new(Tag(self.keyword), self.pixel_data.vr, self.pixel_data.whole())


def clean(
    data_set: Dataset,
    how: Sequence[How] | None = None,
    *,
    identifiers: Iterable[str] | None = None,
    is_identifying: Callable[[str], bool] | None = None,
    allowed: Collection[str] = ALLOWED,
    masks: Masks | None = None,
    engine: Engine | None = None,
    recode: bool = False,
    second_look: bool = True,
    limits: Limits | None = None,
) -> Cleaned:
    """Blank the text in the pixels of a data set, which stays as it is.

    Pixel data is read frame by frame, and the result is made while it is read, so that only a few frames are in memory.
    Outside of the boxes pixels keep their values, bit by bit, unless the result says otherwise: lossless codestreams
    are encoded again in their own transfer syntax, and so are lossy ones where the syntax allows lossless frames; in
    JPEG Baseline and Extended whole units are blanked, and all others keep their coefficients.
    Frames without boxes keep their bytes. Overlay planes in the bits beside samples are cleared; Overlay Data, icons
    and other images in the data set are not looked at.

    Parameters
    ----------
    data_set
        A data set with its original attributes, which tell the device.
    how
        What is done, of: "regions", all outside of the ultrasound regions is blanked; "masks", the rectangles of known
        devices; "ocr", text is sought, read, and blanked if it is identifying; "detect", text is sought and all of it
        blanked. By default regions, masks and ocr; detect in place of ocr where none is installed.
    identifiers
        Names, numbers and other words of this patient and study, for "ocr"; text that resembles one is blanked.
    is_identifying
        A function that says whether a text is identifying. Without it and without `identifiers` all text that is not
        allowed is blanked.
    allowed
        Words that stay, such as sides and units.
    masks
        Another list than that of the devices known to dicomcore, such as `read_ctp` gives.
    engine
        An OCR of the caller's; by default rapidocr-onnxruntime or tesseract.
    recode
        Allow blanked frames of JPEG that can't be blanked by units, as they are progressive, to be compressed with loss
        a second time.
    second_look
        Look at the result again. Only then can Burned In Annotation be NO.
    limits
        Bounds on the frames, as for `dcmread`.

    Returns
    -------
    Cleaned
        The boxes, what may be said of the result, and the new pixel data as a stream.

    Raises
    ------
    PixelDecodeError
        The pixel data is damaged, or can't be decoded: put the file aside.
    EncodeError
        The frames can't be encoded again, or not without further loss and `recode` is False.
    DeidError
        "ocr" is asked for and there is none.
    """
    chosen = _chosen(how, engine)
    keyword = next((each for each in PIXEL_KEYWORDS if each in data_set), None)
    if keyword is None:
        return Cleaned(how=chosen, attributes={}, notes=("no pixel data",))
    work = _Work(data_set, keyword, limits)
    work.place(chosen, known_masks() if masks is None else masks)
    looks = "ocr" in chosen or "detect" in chosen
    looker = None
    if looks:
        reads = engine or find_engine() if "ocr" in chosen else None
        looker = _Looker(work, reads, Judge(identifiers, is_identifying, allowed))
        looker.look(work.frames.source, again=False)
    work.blank(recode=recode)
    clear = False
    for _ in range(ROUNDS if looker is not None and second_look else 0):
        assert looker is not None
        if not looker.look(work.result(), again=True):
            clear = True
            break
        work.blank(recode=recode)
    if looks and second_look and not clear:
        work.notes.append(f"text was still found after {ROUNDS} turns of blanking")
    work.clear_comments()
    return work.cleaned(chosen, "NO" if clear else None)


def _chosen(how: Sequence[How] | None, engine: Engine | None) -> tuple[How, ...]:
    if how is None:
        return ("regions", "masks", "detect" if engine is None and find_engine() is None else "ocr")
    given = (how,) if isinstance(how, str) else tuple(how)
    unknown = [each for each in given if each not in EVERY]
    if unknown or not given:
        raise ValueError(f"how is some of {', '.join(EVERY)}, not {', '.join(map(repr, unknown)) or 'nothing'}")
    if "ocr" in given and "detect" not in given and engine is None and find_engine() is None:
        raise DeidError(
            "there is no OCR: pip install 'dicomcore[ocr]', or install tesseract, or choose 'detect', which blanks all "
            "that looks like text"
        )
    return tuple(each for each in EVERY if each in given)


class _Work:
    """One data set while it is cleaned."""

    def __init__(self, data_set: Dataset, keyword: str, limits: Limits | None) -> None:
        self.data_set, self.keyword = data_set, keyword
        self.frames: Frames = data_set.frames
        self.notes: list[str] = []
        stated = self.frames.stated
        if limits is not None and (
            len(self.frames) > limits.frames or stated.rows * stated.columns > limits.frame_pixels
        ):
            raise LimitError(
                f"{len(self.frames)} frames of {stated.rows} × {stated.columns} pixels cross the limits of the call"
            )
        self._refuse_damage()
        self.boxes = Boxes(stated.rows, stated.columns, len(self.frames))
        self.embedded = [group for group in GROUPS if embedded_bit(data_set, group) is not None]
        self._value: NewValue | None = None
        self._attributes: dict[str, Any] = {}
        self._lossless = True

    def _refuse_damage(self) -> None:
        damage = Damage(self.data_set, self.frames, range(len(self.frames)), all_frames=True)
        if self.frames.is_encapsulated:
            damage.add_open_end(self.data_set)
        for text in damage.texts:
            raise PixelDecodeError(f"damaged pixel data is not cleaned: {text}")

    # -- boxes without a look

    def place(self, chosen: Sequence[How], masks: Masks) -> None:
        """Add the boxes that attributes alone tell."""
        rows, columns = self.boxes.rows, self.boxes.columns
        if "regions" in chosen:
            self.boxes.add(None, outside_regions(self.data_set, rows, columns), "regions")
            if "SequenceOfUltrasoundRegions" in self.data_set and not regions_of(self.data_set, rows, columns):
                self.notes.append("the ultrasound regions make no sense: nothing was blanked by them")
        if "masks" in chosen:
            for mask in masks.matching(self.data_set):
                self.boxes.add(None, mask.rectangles, f"mask: {mask.label}")
                if mask.kind == "suspect":
                    self.notes.append(f"such images may have text that no mask covers: {mask.label}")

    # -- blanking

    def clear_comments(self) -> None:
        """Blank what the headers of codestreams say beside the pixels."""
        if not isinstance(self.frames.source, EncapsulatedFrames):
            return
        made = without_comments(self.frames.source, self._value, self.data_set[self.keyword].VR)
        if made is not None:
            self._value = made
            self.notes.append("comments in compressed frames were blanked")

    def blank(self, *, recode: bool) -> None:
        """Make the new pixel data, if there is anything to blank."""
        element, source = self.data_set[self.keyword], self.frames.source
        tail = isinstance(source, NativeFrames) and has_tail(source)
        if tail:
            self.notes.append("bytes behind the last frame were cleared")
        elif not self.boxes and not self.embedded:
            return
        if isinstance(source, NativeFrames):
            background = background_of(self.data_set, self.frames.stated, self.frames.decode(0))
            self._value = NativeValue(source, self.boxes, background, element.VR, alone=bool(self.embedded))
        else:
            boxes = self.boxes
            if self.embedded:
                boxes = _AllTouched(boxes)
            recoding = self._recoding(boxes, recode=recode)
            extended = "ExtendedOffsetTable" in self.data_set
            self._value, tables = blank_coded(self.frames, boxes, recoding.frame, element.VR, extended=extended)
            self._attributes = {**recoding.attributes(), **self._needed(tables)}
            self._lossless = recoding.lossless
            if recoding.note:
                self.notes.append(recoding.note)
            if not recoding.lossless:
                self.notes.append(f"{len(boxes.touched)} frames were compressed with loss again")
        for group in self.embedded:
            self.notes.append(f"the overlay of group {group:04X}, in bits beside the samples, was cleared")

    def _recoding(self, boxes: Boxes, *, recode: bool) -> Recoding | JpegUnits:
        """What blanks the frames: JPEG by units where that is possible, else decoded and encoded again."""
        if self.frames.stated.transfer_syntax in JPEG and not self.embedded:
            try:
                return JpegUnits(self.data_set, self.frames, boxes)
            except UnsupportedTransferSyntaxError:
                pass  # progressive, or such as no transfer syntax has
        return Recoding(self.data_set, self.frames, boxes, recode=recode)

    def _needed(self, attributes: dict[str, Any]) -> dict[str, Any]:
        """Without the removal of what is not there."""
        return {key: value for key, value in attributes.items() if value is not None or key in self.data_set}

    def result(self) -> FrameSource:
        """The frames as they are now, read from the new pixel data."""
        source, limits = self.frames.source, self.frames.limits
        if self._value is None:
            return source
        field, stated = self._value.field(), source.stated
        if isinstance(source, NativeFrames):
            in_words = self.data_set[self.keyword].VR == "OW"
            return NativeFrames(field, stated, len(source), limits, in_words=in_words)
        tables = [self._attributes.get(key) for key in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")]
        offsets, lengths = (np.frombuffer(table, "<u8") if table else None for table in tables)
        extended = None if offsets is None or lengths is None else (offsets, lengths)
        return EncapsulatedFrames(field, stated, len(source), limits, extended=extended)

    def cleaned(self, chosen: tuple[How, ...], burned_in: Literal["NO"] | None) -> Cleaned:
        """The result."""
        every = range(len(self.frames)) if self.embedded else self.boxes.touched
        return Cleaned(
            how=chosen,
            boxes=self.boxes.all(),
            frames=len(self.frames),
            frames_changed=tuple(every),
            burned_in=burned_in,
            lossless=self._lossless,
            notes=tuple(dict.fromkeys(self.notes)),
            attributes=self._attributes,
            pixel_data=self._value,
            keyword=self.keyword,
        )


class _AllTouched(Boxes):
    """Boxes of which every frame is touched, if only for the bits beside its samples."""

    def __init__(self, boxes: Boxes) -> None:
        super().__init__(boxes.rows, boxes.columns, boxes.frames)
        self._boxes = boxes

    def of(self, frame: int) -> list[Rectangle]:
        return self._boxes.of(frame)

    @property
    def touched(self) -> list[int]:
        return list(range(self.frames))


class _Looker:
    """Looks for text in frames, and adds boxes for what must go."""

    def __init__(self, work: _Work, engine: Engine | None, judge: Judge) -> None:
        self._work, self._engine, self._judge = work, engine, judge
        self._cine = is_cine(work.data_set, len(work.frames))
        self._kept: dict[int, list[Rectangle]] = {}
        """What looks like text and stays, by frame, -1 for a cine."""

    def look(self, source: FrameSource, *, again: bool) -> bool:
        """Look at frames; returns whether boxes were added. `again` is for frames that were blanked before."""
        return self._look_at_cine(source, again) if self._cine else self._look_at_each(source, again)

    def _look_at_each(self, source: FrameSource, again: bool) -> bool:
        added = False
        boxes = self._work.boxes
        for index in range(len(source)):
            if again and not boxes.of(index) and not self._kept.get(index):
                continue  # as it was when nothing was found
            pictures = self._pictures(source, index, again)
            added |= boxes.add(index, self._found(pictures, index, again), "text")
        return added

    def _look_at_cine(self, source: FrameSource, again: bool) -> bool:
        added = False
        count = len(source)
        for start in range(0, count, WINDOW):
            indices = range(min(start, max(count - WINDOW, 0)), min(start + WINDOW, count))
            pictures = project(self._pictures(source, index, again) for index in indices)
            added |= self._work.boxes.add(None, self._found(pictures, -1 - start, again), "text")
        return added

    def _pictures(self, source: FrameSource, index: int, again: bool) -> list[Picture]:
        """The pictures of a frame; at the first look without what is to be blanked anyway."""
        try:
            values = sample_values(source.decoded(index), source.stated)
        except PixelDecodeError as error:
            error.frame = index if error.frame is None else error.frame
            raise
        pictures = pictures_of(self._work.data_set, index, values)
        known = () if again else self._work.boxes.of(index)
        return [_without(picture, known) for picture in pictures] if known else pictures

    def _found(self, pictures: list[Picture], key: int, again: bool) -> list[Rectangle]:
        """The boxes that must go."""
        found: list[Rectangle] = []
        kept: list[Rectangle] = []
        for picture in pictures:
            boxes = picture.boxes()
            if not boxes or self._engine is None:
                found += boxes
                continue
            wide = [box for each in boxes if (box := _widened(each).within(*picture.bright.shape)) is not None]
            for box, read in zip(boxes, self._read(picture.grey, wide, again), strict=True):
                (kept if self._judge.keeps(read) else found).append(box)
        self._kept[key] = kept
        return found

    def _read(self, picture: NDArray[np.uint8], boxes: list[Rectangle], again: bool) -> list[Reading]:
        """The text of each box; a box in which nothing is read gets a second try in the other polarity."""
        assert self._engine is not None
        read = read_boxes(self._engine, picture, boxes, inverted=again)
        empty = [place for place, reading in enumerate(read) if not reading.text.strip()]
        tried = read_boxes(self._engine, picture, [boxes[place] for place in empty], inverted=not again)
        for place, reading in zip(empty, tried, strict=True):
            read[place] = reading
        return read


def _widened(box: Rectangle) -> Rectangle:
    """A box with some room, in which OCR reads better."""
    room = max(box.height // 6, 2)
    return Rectangle(box.x - room, box.y - room, box.width + 2 * room, box.height + 2 * room)


def _without(picture: Picture, boxes: Iterable[Rectangle]) -> Picture:
    bright, dark = picture.bright.copy(), picture.dark.copy()
    for box in boxes:
        for plane in (bright, dark):
            _fill(plane, box)
    return Picture(bright, dark, picture.colours)


def _fill(plane: NDArray[np.uint8], box: Rectangle) -> None:
    plane[box.y : box.y + box.height, box.x : box.x + box.width] = 0
