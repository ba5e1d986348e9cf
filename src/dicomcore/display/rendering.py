"""From stored values to a picture for a screen: modality, VOI, presentation or palette (PS3.3 C.11, PS3.4 N.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore._native.pixels import lut as kernels
from dicomcore.display.retired import as_rgb
from dicomcore.display.tables import LookUpTable, Palette
from dicomcore.notes import Note

__all__ = ["FUNCTIONS", "Display", "View", "Window", "apply_modality", "apply_window", "render"]

FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


@dataclass(frozen=True, slots=True)
class Window:
    """Window Center and Window Width, in the units that the modality step gives."""

    center: float
    width: float
    function: str = "LINEAR"
    """LINEAR, LINEAR_EXACT or SIGMOID (VOI LUT Function)."""

    def __post_init__(self) -> None:
        if self.function not in FUNCTIONS:
            raise ValueError(f"a window's function is {', '.join(FUNCTIONS)}, not {self.function!r}")


View = int | Window | tuple[float, float] | None
"""What to show of the values: a view of the data set by its number, or a window, or one's center and width."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """What a data set says of how its frame is to be shown."""

    photometric_interpretation: str = "MONOCHROME2"
    bits_stored: int = 8
    rescale_slope: float = 1.0
    rescale_intercept: float = 0.0
    modality_lut: LookUpTable | None = None
    windows: tuple[Window, ...] = ()
    voi_luts: tuple[LookUpTable, ...] = ()
    presentation_shape: str | None = None
    """IDENTITY or INVERSE (Presentation LUT Shape); without it MONOCHROME1 is shown inverted."""
    presentation_lut: LookUpTable | None = None
    presentation_palette: Palette | None = None
    """Of a pseudo-colour presentation state: what the VOI step gives has its colours (PS3.4 N.2)."""
    palette: Palette | None = None
    """Of an image that is shown by it: PALETTE COLOR, or one with a supplemental palette."""
    supplemental_palette: bool = False
    """Whether grey ends where the palette begins: values from its first mapped one on have its colours (C.7.6.19)."""
    padding: tuple[float, float] | None = None
    """Stored values from the first to the second are background (Pixel Padding Value and Range Limit)."""
    notes: tuple[Note, ...] = ()
    """What of the data set's own words was passed over."""

    @property
    def keeps_values(self) -> bool:
        """Whether the modality step leaves stored values as they are."""
        return self.modality_lut is None and (self.rescale_slope, self.rescale_intercept) == (1.0, 0.0)

    @property
    def inverted(self) -> bool:
        """Whether the largest value is black; never behind a presentation LUT, which gives P-Values (C.11.6.1)."""
        if self.presentation_lut is not None:
            return False
        if self.presentation_shape:
            return self.presentation_shape == "INVERSE"
        return self.photometric_interpretation == "MONOCHROME1"


def apply_modality(values: NDArray[Any], display: Display) -> NDArray[Any]:
    """Apply the modality LUT, or rescale to float64 (PS3.3 C.11.1); a slope of 0 is none, and left out."""
    if display.modality_lut is not None:
        return display.modality_lut.apply(_integers(values))
    scaled = np.array(values, np.float64, order="C")  # a new array, even of float64
    flat = scaled.reshape(-1)
    if display.rescale_slope and (display.rescale_slope, display.rescale_intercept) != (1.0, 0.0):
        kernels.rescale(flat, flat, display.rescale_slope, display.rescale_intercept)
    return scaled


def apply_window(values: NDArray[Any], window: Window, low: float = 0.0, high: float = 255.0) -> NDArray[np.float64]:
    """Map values through a window onto `low` to `high` (PS3.3 C.11.2.1.2); equals pydicom's `apply_windowing`.

    A LINEAR window narrower than 1, which the standard doesn't allow, is taken as LINEAR_EXACT. A window of no width is
    a threshold at the center.
    """
    result = np.array(values, np.float64, order="C")
    flat = result.reshape(-1)
    center, width = float(window.center), float(window.width)
    sigmoid = window.function == "SIGMOID" and width > 0
    if window.function == "LINEAR" and width >= 1:
        center, width = center - 0.5, width - 1
    kernels.window(flat, flat, center, max(width, 0.0), low, high, sigmoid)
    return result


def render(
    samples: NDArray[Any],
    display: Display,
    *,
    window: View = None,
    out: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Give a picture of 8 bits: (rows, columns) in grey, (rows, columns, 3) in colour.

    `samples` is a decoded frame, colour as RGB. `window` is a window of one's own, also as a pair of its center and
    width, or the number of one of the data set's views: its VOI LUTs come first, its windows after them; None takes the
    first. Without any view the range of the frame's own values fills the scale, padding left out. Padding is black.

    Raises PixelDecodeError where pixels have several samples that no RGB is known of.
    """
    if samples.ndim == 3:
        if samples.shape[2] == 3 and display.photometric_interpretation != "HSV":
            return _eight_bits(samples, display, out)
        picture = as_rgb(_eight_bits(samples, display, None), display.photometric_interpretation)
        if out is not None:
            out[...] = picture
        return picture if out is None else out
    palette = display.palette
    if palette is not None and display.photometric_interpretation == "PALETTE COLOR":
        return palette.apply(_integers(samples), eight=True, out=out)
    view = _chosen(display, window)
    if display.presentation_palette is not None:
        return _pseudo_coloured(samples, display, display.presentation_palette, view, out)
    if palette is not None and display.supplemental_palette:
        return _supplemented(samples, display, palette, view, out)
    return _grey(samples, display, view, out)


def _chosen(display: Display, window: View) -> LookUpTable | Window | None:
    """The view that is meant; None where the data set has none."""
    if isinstance(window, (tuple, list)):
        if len(window) != 2:
            raise ValueError(f"a window is a pair of center and width, not {window!r}")
        window = Window(float(window[0]), float(window[1]))
    if isinstance(window, Window):
        if not (isfinite(window.center) and isfinite(window.width)):
            raise ValueError(f"a window's center and width are finite, not {window.center} and {window.width}")
        return window
    views: tuple[LookUpTable | Window, ...] = (*display.voi_luts, *display.windows)
    if window is None:
        return views[0] if views else None
    if not 0 <= index(window) < len(views):
        raise IndexError(f"view {window} of {len(views)}")
    return views[window]


def _grey(
    samples: NDArray[Any], display: Display, view: LookUpTable | Window | None, out: NDArray[np.uint8] | None
) -> NDArray[np.uint8]:
    """The picture in grey of (rows, columns) samples."""
    if out is None:
        out = np.empty(samples.shape, np.uint8)
    if samples.dtype.kind not in "iu" or samples.itemsize > 2 or not samples.size:
        out[...] = _through_chain(samples, display, view)
        return out
    # All values a frame holds are fewer than its pixels: the chain runs over them, and the frame is one look-up.
    low, high = int(samples.min()), int(samples.max())
    values = np.arange(low, high + 1, dtype=samples.dtype if high < np.iinfo(samples.dtype).max else np.int32)
    present = None
    if view is None and (display.padding is not None or display.modality_lut is not None):
        # The ends alone don't tell the range then.
        present = np.zeros(len(values), np.bool_)
        present[samples.reshape(-1).astype(np.intp) - low] = True
    table = LookUpTable(_through_chain(values, display, view, present), low, 8)
    return table.apply(samples, out=out)


def _supplemented(
    samples: NDArray[Any],
    display: Display,
    palette: Palette,
    view: LookUpTable | Window | None,
    out: NDArray[np.uint8] | None,
) -> NDArray[np.uint8]:
    """The picture, (rows, columns, 3), of samples that are grey below the palette's first one (C.8.16.2.1.1)."""
    coloured = samples >= palette.first_mapped
    background = _background(samples, display)
    if background is not None:
        coloured &= ~background
    if out is None:
        out = np.empty((*samples.shape, 3), np.uint8)
    out[~coloured] = _grey(samples[~coloured], display, view, None)[:, None]  # whose range is that of the greys alone
    out[coloured] = palette.apply(_integers(samples[coloured]), eight=True)[:, :3]
    return out


def _pseudo_coloured(
    samples: NDArray[Any],
    display: Display,
    palette: Palette,
    view: LookUpTable | Window | None,
    out: NDArray[np.uint8] | None,
) -> NDArray[np.uint8]:
    """The picture, (rows, columns, 3): all the range of what the VOI step gives goes over all of the palette."""
    background = _background(samples, display)
    shown = _through_voi(samples, display, view, background, None)
    place = np.rint(np.nan_to_num(shown) * ((len(palette.channels[0]) - 1) / 255.0)).astype(np.int32)
    picture = replace(palette, first_mapped=0).apply(place, eight=True)[..., :3]
    if background is not None:
        picture[background] = 0
    if out is None:
        return np.ascontiguousarray(picture)
    out[...] = picture
    return out


def _through_voi(
    values: NDArray[Any],
    display: Display,
    view: LookUpTable | Window | None,
    background: NDArray[np.bool_] | None,
    present: NDArray[np.bool_] | None,
) -> NDArray[np.float64]:
    """The chain over stored values up to the VOI step, 0 to 255; `present` marks those of a frame, None means all."""
    scaled = apply_modality(values, display)
    if view is None:
        counted = present
        if background is not None:
            counted = ~background if present is None else present & ~background
        return _stretched(scaled, counted)
    if isinstance(view, Window):
        return apply_window(scaled, view)
    return np.asarray(view.apply(_integers(scaled)) * (255.0 / ((1 << view.bits) - 1)))


def _through_chain(
    values: NDArray[Any],
    display: Display,
    view: LookUpTable | Window | None,
    present: NDArray[np.bool_] | None = None,
) -> NDArray[np.uint8]:
    """The whole chain over stored values; `present` marks those that a frame has, None means all."""
    background = _background(values, display)
    shown = _through_voi(values, display, view, background, present)
    if display.presentation_lut is not None:
        shown = _through(display.presentation_lut, shown)
    if display.inverted:
        shown = 255.0 - shown
    picture = np.empty(values.shape, np.uint8)
    kernels.to_bytes(np.ascontiguousarray(shown).reshape(-1), picture.reshape(-1))
    if background is not None:
        picture[background] = 0
    return picture


def _background(values: NDArray[Any], display: Display) -> NDArray[np.bool_] | None:
    if display.padding is None:
        return None
    low, high = sorted(display.padding)
    background = (values >= low) & (values <= high)
    return background if background.any() else None


def _integers(values: NDArray[Any]) -> NDArray[Any]:
    """Values as a table takes them: integers of 32 bits at most."""
    if values.dtype.kind in "iu" and values.itemsize <= 4:
        return values
    return np.nan_to_num(np.rint(values)).clip(-(2**31), 2**31 - 1).astype(np.int32)


def _stretched(values: NDArray[Any], counted: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    """The range of the values that count, onto 0 to 255."""
    seen = values if counted is None else values[counted]
    seen = seen[np.isfinite(seen)] if seen.dtype.kind == "f" else seen
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 0.0)
    if high <= low:
        return np.zeros(values.shape)
    if not isfinite(high - low):  # doubles from one end to the other
        values, low, high = values / 2, low / 2, high / 2
    return apply_window(values, Window((low + high) / 2, high - low, "LINEAR_EXACT"))


def _through(table: LookUpTable, shown: NDArray[np.float64]) -> NDArray[np.float64]:
    """A presentation LUT takes the whole range of what VOI gives (PS3.3 C.11.6)."""
    index = np.rint(shown * ((len(table.entries) - 1) / 255.0)).astype(np.int32)
    return LookUpTable(table.entries, 0, table.bits).apply(index) * (255.0 / ((1 << table.bits) - 1))


def _eight_bits(samples: NDArray[Any], display: Display, out: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """Colour needs no chain: samples of more than 8 bits lose their lowest, those of fewer get all of the scale."""
    picture = _to_scale(samples, display.bits_stored)
    if out is None:
        return picture
    out[...] = picture
    return out


def _to_scale(samples: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    """Samples of so many bits, 0 to 255."""
    if samples.dtype == np.uint8 and bits >= 8:
        return samples
    if samples.dtype.kind == "i":  # which the standard has no colour of; from the least value on
        samples, bits = samples >> max(bits - 8, 0), min(bits, 8)
        half = 1 << bits - 1
        samples = samples.clip(-half, half - 1).astype(np.int16) + half
    if bits < 8 and samples.size and int(samples.max()) < 1 << bits:
        return np.rint(samples * (255 / ((1 << bits) - 1))).astype(np.uint8)
    # What a lossy codec overshoots Bits Stored by must not wrap around.
    return np.clip(samples >> max(bits - 8, 0), 0, 255).astype(np.uint8)
