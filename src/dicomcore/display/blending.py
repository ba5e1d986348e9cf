"""Blending: one picture of several sets of images (PS3.4 N.2.4, N.2.6; PS3.3 C.11.14, C.11.33, C.11.34)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore._native.pixels import blend as kernels
from dicomcore._native.pixels import resample as scaling
from dicomcore.arrays import as_bytes
from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import first_item, items_of, number_of, term_of, text_of
from dicomcore.dataset.state import header_of
from dicomcore.display.geometry import plane_of
from dicomcore.display.opening import limits_of, uid_of
from dicomcore.display.reading import display_of, display_through, palette_of, replaced
from dicomcore.display.references import Images, images_of, series_images
from dicomcore.display.rendering import Display, apply_modality, render
from dicomcore.display.states import State, views_of
from dicomcore.display.tables import LookUpTable, Palette
from dicomcore.display.thresholds import Threshold, passing, thresholds_of
from dicomcore.errors import LimitError, MissingReferenceError, ParseError, UnsupportedStateError
from dicomcore.notes import Note
from dicomcore.tags import Tag

__all__ = ["blended"]

Picture = NDArray[np.uint8]
"""(rows, columns, 4): red, green, blue, and 255 where a pixel is no padding, else 0."""
MOST_STEPS = 1024
MOST_SUMMED = 257


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """One set of images, and how they are displayed."""

    frames: tuple[tuple[Dataset, int], ...]
    """(image, frame from 0), in the order of the images given."""
    item: Dataset
    state: State
    palette: Palette | None = None
    thresholds: tuple[Threshold, ...] = ()
    advanced: bool = False
    notes: list[Note] = field(default_factory=list)

    def picture(self, place: int, padding: str) -> Picture:
        """The picture of one of the frames."""
        image, frame = self.frames[place]
        display = self._display(image, frame)
        hidden = display.padding if padding == "background" else None
        return _coloured(image.frames[frame], replace(display, padding=None), hidden, self.thresholds)

    def _display(self, image: Dataset, frame: int) -> Display:
        header = header_of(image)
        view = next(views_of(self.item, uid_of(image), frame), None)
        if not self.advanced:
            state = self.state.data_set
            shown = display_through(header, state, modality=self.item, view=view, palette=self.palette)
            return replace(shown, presentation_lut=None, presentation_shape="IDENTITY")
        shown = display_of(header, frame)
        shown = replaced(shown, self.state.data_set, header, modality=self.item, view=view)
        if self.palette is None:
            return shown
        if view is not None:
            return replace(shown, presentation_palette=self.palette, supplemental_palette=False)
        return replace(shown, photometric_interpretation="PALETTE COLOR", palette=self.palette)


def blended(
    images: list[Dataset], state: State, frame: int, *, padding: str, notes: list[Note]
) -> tuple[Dataset, int, NDArray[np.uint8]]:
    """Blend images by a blending or an advanced blending presentation state.

    Parameters
    ----------
    images : list of Dataset
        All images, of all sets.
    state : State
        The presentation state.
    frame : int
        The number of the picture, from 0: which frame of the set whose geometry the picture has.
    padding : str
        "background" gives padding no opacity, "through" treats it as other values.
    notes : list
        Receives what was assumed.

    Returns
    -------
    tuple
        The image and the frame (from 0) whose geometry the picture has, and the picture, (rows, columns, 3).
    """
    make = _simple if state.kind == "blending" else _advanced
    return make(images, state, frame, padding, notes)


def _simple(
    images: list[Dataset], state: State, frame: int, padding: str, notes: list[Note]
) -> tuple[Dataset, int, NDArray[np.uint8]]:
    """One superimposed set in colour over one underlying set in grey."""
    items = {term_of(item, "BlendingPosition"): item for item in items_of(state.data_set, "BlendingSequence")}
    missing = {"UNDERLYING", "SUPERIMPOSED"} - items.keys()
    if missing:
        lacking = " and ".join(sorted(missing))
        raise ParseError(f"Blending Sequence (0070,0402) has no {lacking} item", tag=int(Tag("BlendingSequence")))
    opacity = _opacity(state.data_set)
    under, over = items["UNDERLYING"], items["SUPERIMPOSED"]
    below = Input(_frames_of(images, series_images(under), "underlying"), under, state)
    palette = palette_of(state.data_set)
    if palette is None:
        tag = int(Tag("RedPaletteColorLookupTableDescriptor"))
        raise ParseError(
            "a blending presentation state has no palette (0028,1101) for its superimposed images", tag=tag
        )
    above = Input(_frames_of(images, series_images(over), "superimposed"), over, state, palette)
    image, number = _at(below, frame)
    first = _matched(above, frame, below, padding, notes)
    second = below.picture(frame, padding)
    second[second[..., 3] == 0] = (0, 0, 0, 255)  # padding of the underlying image is black
    return image, number, _opaque(_foreground(first, second, opacity))


def _advanced(
    images: list[Dataset], state: State, frame: int, padding: str, notes: list[Note]
) -> tuple[Dataset, int, NDArray[np.uint8]]:
    """Any number of inputs, blended step by step."""
    inputs: dict[int, Input] = {}
    leading: Input | None = None
    for item in items_of(state.data_set, "AdvancedBlendingSequence"):
        made = _advanced_input(images, item, state)
        inputs[_number(item, "AdvancedBlendingSequence")] = made
        if leading is None or term_of(item, "GeometryForDisplay") == "TRUE":
            leading = made
    if leading is None:
        tag = int(Tag("AdvancedBlendingSequence"))
        raise ParseError("Advanced Blending Sequence (0070,1B01) has no items", tag=tag)
    image, number = _at(leading, frame)
    steps = items_of(state.data_set, "BlendingDisplaySequence")
    shape = image.frames.description.shape[:2]
    if len(steps) > MOST_STEPS or (len(steps) + len(inputs)) * shape[0] * shape[1] > 16 * limits_of(image).pixels:
        raise LimitError(f"{len(steps)} blending steps of {shape[0]} × {shape[1]} pixels cross the limit of pixels")
    pictures = {
        key: one.picture(frame, padding) if one is leading else _matched(one, frame, leading, padding, notes)
        for key, one in inputs.items()
    }
    return image, number, _opaque(_stepwise(steps, pictures))


def _advanced_input(images: list[Dataset], item: Dataset, state: State) -> Input:
    references = images_of(item)
    series = text_of(item, "SeriesInstanceUID")
    if not references:
        own = [image for image in images if series and text_of(image, "SeriesInstanceUID") == series]
        references = {uid_of(image): () for image in own}
        if not own:
            raise MissingReferenceError(f"no image of the series {series} was given, which the state blends")
    tables = first_item(item, "PaletteColorLookupTableSequence")
    return Input(
        _frames_of(images, references, f"input {number_of(item, 'BlendingInputNumber')}"),
        item,
        state,
        None if tables is None else palette_of(tables),
        thresholds_of(item),
        advanced=True,
    )


def _stepwise(steps: list[Dataset], pictures: dict[int, Picture]) -> Picture:
    """Carry out the blending steps in the order in which their inputs become known."""
    pending = list(steps)
    while pending:
        ready = [step for step in pending if all(number in pictures for number in _inputs_of(step))]
        if not ready:
            wanted = sorted({number for step in pending for number in _inputs_of(step)} - pictures.keys())
            raise ParseError(
                f"blending steps need the Blending Input Numbers (0070,1B02) {wanted[:8]}, which nothing provides",
                tag=int(Tag("BlendingInputNumber")),
            )
        for step in ready:
            result = _step(step, [pictures[number] for number in _inputs_of(step)])
            if "BlendingInputNumber" not in step:
                return result
            pictures[_number(step, "BlendingDisplaySequence")] = result
        done = {id(step) for step in ready}
        pending = [step for step in pending if id(step) not in done]
    tag = int(Tag("BlendingDisplaySequence"))
    raise ParseError("no item of Blending Display Sequence (0070,1B04) is the final one", tag=tag)


def _inputs_of(step: Dataset) -> list[int]:
    return [_number(item, "BlendingDisplayInputSequence") for item in items_of(step, "BlendingDisplayInputSequence")]


def _number(item: Dataset, sequence: str) -> int:
    number = number_of(item, "BlendingInputNumber")
    if not isinstance(number, int):
        tag = int(Tag("BlendingInputNumber"))
        raise ParseError(f"an item of {sequence} has no Blending Input Number (0070,1B02)", tag=tag)
    return number


def _step(step: Dataset, inputs: list[Picture]) -> Picture:
    mode = term_of(step, "BlendingMode")
    if mode == "FOREGROUND" and len(inputs) == 2:
        return _foreground(inputs[0], inputs[1], _opacity(step))
    if mode == "EQUAL" and len(inputs) == 2:
        return _foreground(inputs[0], inputs[1], 0.5)
    if mode == "EQUAL" and 1 <= len(inputs) <= MOST_SUMMED:
        sums = np.zeros(inputs[0].shape, np.uint16)
        for picture in inputs:
            kernels.accumulate(as_bytes(picture), sums.reshape(-1))
        result = np.empty(inputs[0].shape, np.uint8)
        kernels.equal(sums.reshape(-1), as_bytes(result))
        return result
    tag = int(Tag("BlendingMode"))
    raise ParseError(f"Blending Mode (0070,1B06) is {mode!r} with {len(inputs)} inputs", tag=tag)


def _foreground(first: Picture, second: Picture, opacity: float) -> Picture:
    result = np.empty(second.shape, np.uint8)
    kernels.foreground(as_bytes(first), as_bytes(second), as_bytes(result), opacity)
    return result


def _opacity(place: Dataset) -> float:
    opacity = number_of(place, "RelativeOpacity")
    if opacity is None or not 0 <= opacity <= 1:
        raise ParseError(f"Relative Opacity (0070,0403) is {opacity}, not 0 to 1", tag=int(Tag("RelativeOpacity")))
    return float(opacity)


def _opaque(picture: Picture) -> NDArray[np.uint8]:
    result = np.empty((*picture.shape[:2], 3), np.uint8)
    kernels.drop_opacity(as_bytes(picture), as_bytes(result))
    return result


def _frames_of(images: Iterable[Dataset], references: Images, role: str) -> tuple[tuple[Dataset, int], ...]:
    """The frames of a set, of the images that were given."""
    frames: list[tuple[Dataset, int]] = []
    for image in images:
        uid = uid_of(image)
        if uid in references:
            count = len(image.frames)
            numbers = references[uid] or range(1, count + 1)
            frames += [(image, number - 1) for number in numbers if 1 <= number <= count]
    if not frames:
        named = ", ".join(list(references)[:3])
        message = f"none of the {role} images that the presentation state blends was given: {named}"
        raise MissingReferenceError(message, uids=tuple(references))
    return tuple(frames)


def _at(one: Input, frame: int) -> tuple[Dataset, int]:
    if not 0 <= frame < len(one.frames):
        raise IndexError(f"picture {frame} of {len(one.frames)}")
    return one.frames[frame]


def _matched(one: Input, frame: int, leading: Input, padding: str, notes: list[Note]) -> Picture:
    """The picture of an input that belongs to a frame of the leading one, brought onto its pixels."""
    image, number = leading.frames[frame]
    rows, columns = image.frames.description.shape[:2]
    shape = (rows, columns)
    plane = plane_of(image, number)
    planes = [plane_of(*pair) for pair in one.frames] if plane is not None else []
    if plane is None or any(other is None for other in planes):
        place = frame if len(one.frames) == len(leading.frames) else min(frame, len(one.frames) - 1)
        if len(one.frames) not in (1, len(leading.frames)):
            notes.append(
                Note(
                    "blending-order", f"sets of {len(leading.frames)} and {len(one.frames)} frames are paired in order"
                )
            )
        picture = one.picture(place, padding)
        return _onto(picture, shape, (0.0, 0.0, float(picture.shape[1]), float(picture.shape[0])))
    known = [other for other in planes if other is not None]
    if not all(plane.is_parallel_to(other) for other in known):
        raise UnsupportedStateError("images that lie in different planes are to be blended: resample them first")
    distances = [plane.distance_to(other) for other in known]
    place = int(np.argmin(distances))
    steps = np.diff(sorted(float(other.position @ plane.normal) for other in known))
    reach = max(known[place].thickness, plane.thickness, float(steps.max()) if steps.size else 0.0, 0.01)
    if distances[place] > 0.51 * reach:
        said = f"no frame of an input lies within {0.5 * reach:g} mm: it is left out there"
        notes.append(Note("blending-position", said))
        return np.zeros((*shape, 4), np.uint8)
    return _onto(one.picture(place, padding), shape, plane.box_in(known[place], shape))


def _onto(picture: Picture, shape: tuple[int, ...], box: tuple[float, float, float, float]) -> Picture:
    """The part of a picture in `box` (left, top, right, bottom, in its pixels), scaled to a shape."""
    rows, columns = picture.shape[:2]
    whole = np.allclose(box, (0.0, 0.0, columns, rows), atol=1e-3)
    if whole and picture.shape[:2] == tuple(shape):
        return picture
    result = np.empty((*shape, 4), np.uint8)
    scaling.resample(as_bytes(picture), rows, columns, 4, 1, as_bytes(result), shape[0], shape[1], *box)
    # Padding is black: colours beside it were mixed with it, and are divided by what is left of them.
    opacity = result[..., 3]
    mixed = (opacity > 127) & (opacity < 255)
    if mixed.any():
        colours = result[mixed].astype(np.uint32)
        colours[:, :3] = np.minimum((255 * colours[:, :3] + colours[:, 3:] // 2) // colours[:, 3:], 255)
        colours[:, 3] = 255
        result[mixed] = colours
    result[opacity < 128] = 0
    return result


def _coloured(
    samples: NDArray[Any],
    display: Display,
    hidden: tuple[float, float] | None,
    thresholds: tuple[Threshold, ...],
) -> Picture:
    """Samples as red, green, blue and opacity: padding, and values below a threshold, have none."""
    if samples.ndim == 3 or samples.dtype.kind not in "iu" or samples.itemsize > 2 or not _has_view(display):
        return _through(samples, display, hidden, thresholds)
    # A frame has fewer distinct values than pixels: the chain runs over the values, the frame is then one look-up.
    low, high = int(samples.min()), int(samples.max())
    values = np.arange(low, high + 1, dtype=samples.dtype if high < np.iinfo(samples.dtype).max else np.int32)
    table = _through(values[None], display, hidden, thresholds)[0]
    entries = np.ascontiguousarray(table).view(np.uint32).reshape(-1)
    picture: Picture = np.empty((*samples.shape, 4), np.uint8)
    LookUpTable(entries, low, 32).apply(samples, out=picture.view(np.uint32)[..., 0])
    return picture


def _has_view(display: Display) -> bool:
    direct = display.palette is not None and display.photometric_interpretation == "PALETTE COLOR"
    return direct or bool(display.windows or display.voi_luts)


def _through(
    samples: NDArray[Any],
    display: Display,
    hidden: tuple[float, float] | None,
    thresholds: tuple[Threshold, ...],
) -> Picture:
    direct = samples.ndim == 2 and display.photometric_interpretation == "PALETTE COLOR"
    shown = samples
    if direct and not display.keeps_values:
        shown = np.rint(np.nan_to_num(apply_modality(samples, display))).clip(-(2**31), 2**31 - 1).astype(np.int32)
    colours = render(shown, display)
    picture = np.empty((*samples.shape[:2], 4), np.uint8)
    picture[..., :3] = colours if colours.ndim == 3 else colours[..., None]
    picture[..., 3] = 255
    if samples.ndim == 2 and hidden is not None:
        low, high = sorted(hidden)
        picture[(samples >= low) & (samples <= high)] = 0
    if samples.ndim == 2 and thresholds:
        picture[~passing(apply_modality(samples, display), thresholds)] = 0
    return picture
