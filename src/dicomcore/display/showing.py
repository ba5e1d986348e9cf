"""render: images as a presentation state, or they themselves, say they are to be seen (PS3.4 N.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.dataset.state import header_of
from dicomcore.display.area import Placement, pixel_aspect, placed
from dicomcore.display.frame import Shown, shown_frame
from dicomcore.display.geometry import matrix_origin
from dicomcore.display.icc import OUTPUTS, managed, profile_of
from dicomcore.display.opening import limits_of, opened, uid_of
from dicomcore.display.rendering import Display, View
from dicomcore.display.rendering import render as render_samples
from dicomcore.display.states import State, read_state
from dicomcore.errors import MissingReferenceError, UnsupportedStateError
from dicomcore.notes import Note

__all__ = ["render"]

STAGES = ("grey", "spatial", "graphics")
PADDINGS = ("background", "through")
LACKING = {
    "volumetric": "resampling of a volume: its inputs can be rendered one by one without the state",
    "waveform": "drawing of waveforms",
}


def render(
    images: Any,
    state: Any = None,
    *,
    frame: int = 0,
    size: int | tuple[int, int] | None = None,
    window: View = None,
    graphics: bool = True,
    layers: Iterable[str] | None = None,
    padding: str = "background",
    profile: str | bytes | None = "srgb",
    screen: Any = None,
    only: Sequence[str] = STAGES,
    notes: list[Note] | None = None,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Render images as a picture: by a presentation state, or by their own attributes.

    The steps are those of PS3.4 N.2: modality, mask subtraction, VOI, presentation; palettes, colour profiles,
    blending; shutters, rotation, flip, displayed area; overlays, graphics, text.

    Parameters
    ----------
    images
        A path, a data set, or several of them. A state of single images shows the first that it references.
    state
        A presentation state: a path, a data set, or a `State`. None shows the first image by its own attributes.
    frame
        The frame, from 0; of a state that blends, the number of the picture among those of the underlying images.
    size
        The longer side of the picture, or its rows and columns. None gives a pixel of the image one pixel of the
        picture, unless the state magnifies, or says that pixels are no squares.
    window
        What to show instead of the state's or the image's first view: a `Window`, a pair (center, width), or the number
        of a view.
    graphics
        Whether overlays, graphics and text are drawn.
    layers
        Names of the graphic layers to draw; None draws all.
    padding
        "background" shows padding in black; "through" takes it through the chain like other values.
    profile
        The colour space of a colour picture: "srgb", "adobergb", "rommrgb", "displayp3", or the bytes of an output
        profile. None and "none" leave colours as they are stored.
    screen
        A screen whose ``table(16)`` gives its driving levels for 65 536 P-Values; grey pictures then consist of driving
        levels. Its ``pixel_spacing`` (rows, columns) in mm is used for the size mode TRUE SIZE.
    only
        The parts of the state to apply: "grey" (tables, mask), "spatial" (shutters, rotation, flip, displayed area),
        "graphics". For the others the image's own attributes count.
    notes
        A list that receives what was assumed and what was corrected.
    out
        With a decoded frame as `images` and a `Display` as `state`: an array for the picture.

    Returns
    -------
    NDArray
        (rows, columns) in grey, (rows, columns, 3) where anything in the picture has a colour; uint8. Without a screen,
        grey values are P-Values in 8 bits. A decoded frame and its `Display` may be passed as `images` and `state`; the
        options but `window` and `out` then have no effect.

    Raises
    ------
    MissingReferenceError
        The state references none of the images; ``uids`` are those that it does.
    UnsupportedStateError
        The state shows a volume or a waveform, or blends images whose planes differ.
    ParseError
        The state is damaged; the message names the element.
    LimitError
        The picture, or what is drawn over it, would cross ``Limits.pixels``.
    ModuleNotFoundError
        Pillow is needed, for graphics and for colour profiles, and is not installed.
    """
    if isinstance(images, np.ndarray):
        if not isinstance(state, Display):
            raise TypeError("a decoded frame is rendered by its Display")
        return render_samples(images, state, window=window, out=out)
    if padding not in PADDINGS:
        raise ValueError(f"padding is {' or '.join(PADDINGS)}, not {padding!r}")
    if not set(only) <= set(STAGES):
        raise ValueError(f"only takes {', '.join(STAGES)}, not {only!r}")
    if isinstance(profile, str) and profile not in OUTPUTS:
        raise ValueError(f"a profile is {', '.join(OUTPUTS)} or the bytes of one, not {profile!r}")
    found: list[Note] = [] if notes is None else notes
    sources = opened(images)
    if not sources:
        raise ValueError("there are no images to render")
    shown_by = None if state is None else read_state(state)
    if shown_by is not None and shown_by.kind in LACKING:
        raise UnsupportedStateError(f"a {shown_by.kind} presentation state needs {LACKING[shown_by.kind]}")
    job = _Job(shown_by, window, padding, profile, screen, tuple(only), found)
    image, frame, shown = job.picture(sources, frame)
    placement = job.placement(image, frame, shown.picture.shape[:2], size)
    picture = placement.apply(shown.picture)
    if graphics:
        picture = job.annotated(picture, placement, image, frame, layers)
    return picture


class _Job:
    """One call of `render`."""

    def __init__(
        self,
        state: State | None,
        window: View,
        padding: str,
        profile: str | bytes | None,
        screen: Any,
        only: tuple[str, ...],
        notes: list[Note],
    ) -> None:
        self.state, self.window, self.padding, self.profile = state, window, padding, profile
        self.screen, self.notes = screen, notes
        self.levels = None if screen is None else _levels(screen)
        self.grey = state if "grey" in only else None
        self.spatial = state if "spatial" in only else None
        self.graphics = state if "graphics" in only else None

    def picture(self, sources: list[Dataset], frame: int) -> tuple[Dataset, int, Shown]:
        """The image and the frame that the state shows, and their picture before it is turned and scaled."""
        if self.grey is not None and self.grey.kind in ("blending", "advanced-blending"):
            from dicomcore.display.blending import blended

            image, frame, picture = blended(sources, self.grey, frame, padding=self.padding, notes=self.notes)
            shown = Shown(picture)
        else:
            image = _chosen(sources, self.state)
            frame = _checked(frame, len(image.frames))
            shown = shown_frame(
                image,
                self.grey,
                frame,
                window=self.window,
                padding=self.padding,
                levels=self.levels,
                shutters=False,
                notes=self.notes,
            )
        picture = shown.picture
        if picture.ndim == 3:
            picture = managed(picture, self._profile(image, frame, shown), self.profile, self.notes)
        return image, frame, Shown(self._shuttered(picture, image, frame), shown.display)

    def _profile(self, image: Dataset, frame: int, shown: Shown) -> bytes | str | None:
        """The profile of a colour picture: the state's where it makes the colours, else the image's."""
        own = None if self.grey is None else profile_of(self.grey.data_set)
        by_image = shown.display is not None and shown.display.supplemental_palette
        return own if own is not None and not by_image else profile_of(image, frame)

    def _shuttered(self, picture: NDArray[Any], image: Dataset, frame: int) -> NDArray[Any]:
        from dicomcore.display.frame import with_shutters

        place = image if self.spatial is None else self.spatial.data_set
        return with_shutters(picture, place, frame, self.levels)

    def placement(
        self, image: Dataset, frame: int, shape: tuple[int, int], size: int | tuple[int, int] | None
    ) -> Placement:
        """Where the image lands in the picture."""
        state = self.spatial
        area = None if state is None else state.displayed_area(image, frame)
        if area is not None and area.origin == "VOLUME":  # corners in the total pixel matrix
            area = area.moved(*(-round(number) for number in matrix_origin(image, frame)))
        aspect = pixel_aspect(header_of(image), frame) if size is not None and area is None else 1.0
        return placed(
            shape,
            area,
            rotation=0 if state is None else state.rotation,
            flipped=state is not None and state.flipped,
            aspect=aspect,
            size=size,
            screen_spacing=_spacing(self.screen),
            limits=limits_of(image),
            notes=self.notes,
        )

    def annotated(
        self, picture: NDArray[Any], placement: Placement, image: Dataset, frame: int, layers: Iterable[str] | None
    ) -> NDArray[Any]:
        """Draw overlays, graphics and text."""
        from dicomcore.display.overlays import planes_of

        state = self.graphics
        planes = planes_of(image, None if state is None else state.data_set, frame)
        if not planes and (state is None or not state.annotations):
            return picture
        from dicomcore.display.annotating import annotate

        return annotate(
            picture,
            placement,
            planes,
            state,
            image=image,
            frame=frame,
            layers=None if layers is None else frozenset(layers),
            levels=self.levels,
            limits=limits_of(image),
            notes=self.notes,
        )


def _levels(screen: Any) -> NDArray[Any]:
    levels = np.asarray(screen.table(16))
    if levels.shape != (65536,) or levels.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"a screen's table(16) is 65 536 driving levels, not {levels.dtype} of shape {levels.shape}")
    return np.ascontiguousarray(levels)


def _spacing(screen: Any) -> tuple[float, float] | None:
    spacing = getattr(screen, "pixel_spacing", None)
    if spacing is None:
        return None
    rows, columns = (float(number) for number in spacing)
    if not (isfinite(rows) and isfinite(columns) and min(rows, columns) > 0):
        raise ValueError(f"a screen's pixel spacing is {spacing!r}")
    return rows, columns


def _checked(frame: int, count: int) -> int:
    if not 0 <= frame < count:
        raise IndexError(f"frame {frame} of {count}")
    return frame


def _chosen(images: list[Dataset], state: State | None) -> Dataset:
    """The first image, or the first that the state references."""
    if state is None or not state.referenced:
        return images[0]
    for image in images:
        if uid_of(image) in state.referenced:
            return image
    uids = tuple(state.referenced)
    named = ", ".join(uids[:3]) + (f" and {len(uids) - 3} more" if len(uids) > 3 else "")
    raise MissingReferenceError(f"the presentation state is for other images: it references {named}", uids=uids)
