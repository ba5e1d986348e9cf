"""Overlay planes over a frame: those of the image and of the presentation state, and the bitmap shutter.

PS3.3 C.7.6.15, C.9.2, C.11.7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import number_of, texts_of
from dicomcore.errors import ParseError
from dicomcore.tags import Tag

if TYPE_CHECKING:
    from dicomcore.pixels.overlays import Overlay

__all__ = ["Plane", "bitmap_shutter_of", "covered", "planes_of"]

ACTIVATION = 0x1001


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """An overlay plane to be drawn, as large as the frame."""

    mask: NDArray[np.uint8]
    """(rows, columns): 255 where the overlay is set."""
    layer: str
    """The graphic layer that it is drawn in; empty without a presentation state."""
    region: bool
    """Whether it is a region of interest, whose outline is drawn, and no graphics."""


def bitmap_shutter_of(data_set: Dataset) -> Overlay | None:
    """Return the overlay of a bitmap shutter (PS3.3 C.7.6.15); raise ParseError if it is missing."""
    if "BITMAP" not in {shape.strip().upper() for shape in texts_of(data_set, "ShutterShape")}:
        return None
    group = number_of(data_set, "ShutterOverlayGroup")
    for overlay in _read(data_set):
        if overlay.group == group:
            return overlay
    named = f"{group:04X}" if isinstance(group, int) else "none"
    raise ParseError(
        f"the bitmap shutter's overlay group is {named}, but that overlay is missing: the area it covers is unknown",
        tag=int(Tag("ShutterOverlayGroup")),
    )


def covered(picture: NDArray[Any], overlay: Overlay, frame: int, value: Any) -> NDArray[Any]:
    """Return a copy of a frame's picture with this value or colour where the bits of the overlay are set."""
    result = picture.copy()
    result[_drawn(overlay, picture.shape[:2], frame) != 0] = value
    return result


def planes_of(image: Dataset, state: Dataset | None, frame: int) -> list[Plane]:
    """The overlays to draw over a frame (from 0) of an image.

    Without a presentation state all the image's are drawn. With one, those that it activates: an overlay of the state
    precedes one of the image of the same group, and that of its bitmap shutter is none to draw.
    """
    shape = image.frames.shape[-3:-1] if _is_coloured(image) else image.frames.shape[-2:]
    overlays = {overlay.group: (overlay, "") for overlay in image.frames.overlays}
    if state is not None:
        overlays = {**overlays, **{overlay.group: (overlay, "") for overlay in _read(state)}}
        shutter = number_of(state, "ShutterOverlayGroup")
        layers = {group: _layer(state, group) for group in overlays if group != shutter}
        overlays = {group: (overlays[group][0], layer) for group, layer in layers.items() if layer}
    shown = []
    for overlay, layer in overlays.values():
        mask = _drawn(overlay, shape, frame)
        if mask.any():
            shown.append(Plane(mask, layer, overlay.kind == "R"))
    return shown


def _is_coloured(image: Dataset) -> bool:
    return len(image.frames.description.shape) == 3


def _layer(state: Dataset, group: int) -> str:
    value = state.get(group << 16 | ACTIVATION)
    return str(getattr(value, "value", value) or "").strip()


def _read(data_set: Dataset) -> tuple[Overlay, ...]:
    from dicomcore.pixels.overlays import read_overlays

    return read_overlays(data_set, None)


def _drawn(overlay: Overlay, shape: tuple[int, ...], frame: int) -> NDArray[np.uint8]:
    from dicomcore.pixels.overlays import draw_overlays

    return draw_overlays(np.zeros(shape, np.uint8), (overlay,), frame)
