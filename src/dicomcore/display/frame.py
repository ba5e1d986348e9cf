"""One frame through the chain as far as its shutter: modality, mask, VOI, presentation, shutter (PS3.4 N.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import number_of
from dicomcore.dataset.state import header_of
from dicomcore.display.mask import filtered, subtracted
from dicomcore.display.opening import uid_of
from dicomcore.display.overlays import bitmap_shutter_of, covered
from dicomcore.display.reading import display_of
from dicomcore.display.rendering import Display, View, render
from dicomcore.display.shutters import shutter_colour, shutter_of, shutter_value
from dicomcore.notes import Note

if TYPE_CHECKING:
    from dicomcore.display.states import State

__all__ = ["Shown", "shown_frame", "with_shutters"]


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A frame's picture before it is turned and scaled."""

    picture: NDArray[Any]
    """(rows, columns) in grey, (rows, columns, 3) in colour."""
    display: Display | None = None
    """How it was displayed; None if images were blended."""


def shown_frame(
    image: Dataset,
    state: State | None,
    frame: int,
    *,
    window: View = None,
    padding: str = "background",
    levels: NDArray[Any] | None = None,
    shutters: bool = True,
    notes: list[Note] | None = None,
) -> Shown:
    """Show a frame (from 0) of an image by a presentation state, or by the image's own attributes."""
    frames = image.frames
    display = display_of(header_of(image), frame) if state is None else state.display(image, frame)
    for note in display.notes:
        frames.note(note)
    found = list(display.notes)
    if padding == "through":
        display = replace(display, padding=None)
    difference = None
    if state is not None and "MaskSubtractionSequence" in state.data_set:
        log = state.kind == "xa-xrf"
        difference = subtracted(image, state.data_set, frame, display, uid=uid_of(image), log=log, notes=found)
    if state is not None and state.kind == "xa-xrf" and filtered(state.data_set, uid_of(image), frame):
        found.append(Note("edge-enhancement", "the state enhances edges (0028,9411): that is left out"))
    samples, display = (frames[frame], display) if difference is None else difference
    picture = render(samples, display, window=window, levels=levels)
    if shutters:
        picture = with_shutters(picture, image if state is None else state.data_set, frame, levels)
    if notes is not None:
        notes.extend(found)
    return Shown(picture, display)


def with_shutters(
    picture: NDArray[Any], place: Dataset, frame: int, levels: NDArray[Any] | None = None
) -> NDArray[Any]:
    """Close the shutters that a data set states over a frame's picture."""
    if "ShutterShape" not in place:
        return picture
    shutter, overlay = shutter_of(place), bitmap_shutter_of(place)
    value: Any = shutter_value(place)
    if picture.ndim == 3:
        value = shutter_colour(place) or value
    elif levels is not None:
        value = levels[min(max(int(number_of(place, "ShutterPresentationValue", 0)), 0), 65535)]
    if shutter is not None:
        picture = picture.copy()
        picture[~shutter.opening(*picture.shape[:2])] = value
    return picture if overlay is None else covered(picture, overlay, frame, value)
