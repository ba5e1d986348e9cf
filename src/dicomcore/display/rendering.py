"""Render stored values for a screen: modality, VOI and presentation steps, or a palette (PS3.3 C.11, PS3.4 N.2)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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
    """Window Center and Window Width, in the units of the modality step's output."""

    center: float
    width: float
    function: str = "LINEAR"
    """LINEAR, LINEAR_EXACT or SIGMOID (VOI LUT Function)."""
    whole: bool = field(default=False, compare=False)
    """Whether the window stands for all possible values, because no VOI transformation is stated."""

    def __post_init__(self) -> None:
        if self.function not in FUNCTIONS:
            raise ValueError(f"a window's function is {', '.join(FUNCTIONS)}, not {self.function!r}")


View = int | Window | tuple[float, float] | None
"""The range of values to show: the number of one of the data set's views, a window, or a pair (center, width)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """A data set's parameters for displaying a frame."""

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
    """The palette of a pseudo-colour presentation state, applied to the VOI step's output (PS3.4 N.2)."""
    palette: Palette | None = None
    """The image's own palette: of PALETTE COLOR, or a supplemental one."""
    supplemental_palette: bool = False
    """Whether the palette is supplemental: it colours values from its first mapped one on, below is grey (C.7.6.19)."""
    padding: tuple[float, float] | None = None
    """Pixel Padding Value and Range Limit: stored values between the two, both included, are background."""
    notes: tuple[Note, ...] = ()
    """Display attributes of the data set that are invalid, and how they were replaced."""

    @property
    def keeps_values(self) -> bool:
        """Whether the modality step leaves stored values as they are."""
        return self.modality_lut is None and (self.rescale_slope, self.rescale_intercept) == (1.0, 0.0)

    @property
    def inverted(self) -> bool:
        """Whether the largest value is black; never with a presentation LUT, whose output is P-Values (C.11.6.1)."""
        if self.presentation_lut is not None:
            return False
        if self.presentation_shape:
            return self.presentation_shape == "INVERSE"
        return self.photometric_interpretation == "MONOCHROME1"


def apply_modality(values: NDArray[Any], display: Display) -> NDArray[Any]:
    """Apply the modality LUT, or rescale to float64 (PS3.3 C.11.1), unless the slope is 0."""
    if display.modality_lut is not None:
        return display.modality_lut.apply(_integers(values))
    scaled = np.array(values, np.float64, order="C")  # a copy even where `values` is float64
    flat = scaled.reshape(-1)
    if display.rescale_slope and (display.rescale_slope, display.rescale_intercept) != (1.0, 0.0):
        kernels.rescale(flat, flat, display.rescale_slope, display.rescale_intercept)
    return scaled


def apply_window(values: NDArray[Any], window: Window, low: float = 0.0, high: float = 255.0) -> NDArray[np.float64]:
    """Map values through a window onto `low` to `high` (PS3.3 C.11.2.1.2); equals pydicom's `apply_windowing`.

    A LINEAR window narrower than 1, which the standard doesn't allow, is taken as LINEAR_EXACT. A window of width 0
    is a threshold at the center.
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
    out: NDArray[Any] | None = None,
    levels: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Render a decoded frame as an 8-bit picture.

    Without any view, the range of the frame's own values without padding is stretched over the scale. Padding is black.

    Parameters
    ----------
    samples
        A decoded frame: (rows, columns), or (rows, columns, samples) with colour as RGB.
    display
        The data set's display parameters.
    window
        A `Window`, or a pair (center, width), or the number of one of the data set's views: its VOI LUTs first, then
        its windows. None takes the first view.
    out
        An array for the picture, of its shape and dtype; without it a new array is made.
    levels
        The driving levels of a screen, uint8 or uint16, for each of 65 536 P-Values; without it the grey values of the
        picture are P-Values in 8 bits. Colours do not pass through it.

    Returns
    -------
    NDArray
        The picture: (rows, columns) in grey, (rows, columns, 3) in colour; uint8, or the dtype of `levels` in grey.

    Raises
    ------
    PixelDecodeError
        Pixels have several samples that can't be converted to RGB.
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
    return _grey(samples, display, view, out, levels)


def _chosen(display: Display, window: View) -> LookUpTable | Window | None:
    """The view that `window` selects; None where the data set has no view."""
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
    samples: NDArray[Any],
    display: Display,
    view: LookUpTable | Window | None,
    out: NDArray[Any] | None,
    levels: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Render (rows, columns) samples in grey."""
    if out is None:
        out = np.empty(samples.shape, np.uint8 if levels is None else levels.dtype)
    if samples.dtype.kind not in "iu" or samples.itemsize > 2 or not samples.size:
        out[...] = _through_chain(samples, display, view, levels=levels)
        return out
    # A frame has fewer distinct values than pixels: the chain runs over the values, the frame is then one look-up.
    low, high = int(samples.min()), int(samples.max())
    values = np.arange(low, high + 1, dtype=samples.dtype if high < np.iinfo(samples.dtype).max else np.int32)
    present = None
    if view is None and (display.padding is not None or display.modality_lut is not None):
        # The range then depends on all values present, not on the least and the largest alone.
        present = np.zeros(len(values), np.bool_)
        present[samples.reshape(-1).astype(np.intp) - low] = True
    entries = _through_chain(values, display, view, present, levels)
    return LookUpTable(entries, low, 8 * entries.itemsize).apply(samples, out=out)


def _supplemented(
    samples: NDArray[Any],
    display: Display,
    palette: Palette,
    view: LookUpTable | Window | None,
    out: NDArray[np.uint8] | None,
) -> NDArray[np.uint8]:
    """Render samples that are grey below the palette's first mapped value, as (rows, columns, 3) (C.8.16.2.1.1)."""
    coloured = samples >= palette.first_mapped
    background = _background(samples, display)
    if background is not None:
        coloured &= ~background
    if out is None:
        out = np.empty((*samples.shape, 3), np.uint8)
    out[~coloured] = _grey(samples[~coloured], display, view, None)[:, None]  # stretched by the grey samples alone
    out[coloured] = palette.apply(_integers(samples[coloured]), eight=True)[:, :3]
    return out


def _pseudo_coloured(
    samples: NDArray[Any],
    display: Display,
    palette: Palette,
    view: LookUpTable | Window | None,
    out: NDArray[np.uint8] | None,
) -> NDArray[np.uint8]:
    """Render samples as (rows, columns, 3): the whole output range of the VOI step maps to the whole palette."""
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
    """Stored values after the modality and VOI steps, 0 to 255; `present` marks those in the frame, None means all."""
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
    levels: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Stored values after all steps; `present` marks those in the frame, None means all."""
    background = _background(values, display)
    shown = _through_voi(values, display, view, background, present)
    if display.presentation_lut is not None:
        shown = _through(display.presentation_lut, shown)
    if display.inverted:
        shown = 255.0 - shown
    if levels is not None:
        picture = levels[np.rint(np.nan_to_num(shown).clip(0, 255) * 257).astype(np.uint16)]
    else:
        picture = np.empty(values.shape, np.uint8)
        kernels.to_bytes(np.ascontiguousarray(shown).reshape(-1), picture.reshape(-1))
    if background is not None:
        picture[background] = 0 if levels is None else levels[0]
    return picture


def _background(values: NDArray[Any], display: Display) -> NDArray[np.bool_] | None:
    if display.padding is None:
        return None
    low, high = sorted(display.padding)
    background = (values >= low) & (values <= high)
    return background if background.any() else None


def _integers(values: NDArray[Any]) -> NDArray[Any]:
    """Values rounded to integers of at most 32 bits, which tables take."""
    if values.dtype.kind in "iu" and values.itemsize <= 4:
        return values
    return np.nan_to_num(np.rint(values)).clip(-(2**31), 2**31 - 1).astype(np.int32)


def _stretched(values: NDArray[Any], counted: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    """Stretch the range of the values that `counted` marks (None: all) onto 0 to 255."""
    chosen = values if counted is None else values[counted]
    chosen = chosen[np.isfinite(chosen)] if chosen.dtype.kind == "f" else chosen
    low, high = (float(chosen.min()), float(chosen.max())) if chosen.size else (0.0, 0.0)
    if high <= low:
        return np.zeros(values.shape)
    if not isfinite(high - low):  # the range of these doubles overflows
        values, low, high = values / 2, low / 2, high / 2
    return apply_window(values, Window((low + high) / 2, high - low, "LINEAR_EXACT"))


def _through(table: LookUpTable, shown: NDArray[np.float64]) -> NDArray[np.float64]:
    """Apply a presentation LUT, whose input is the whole output range of the VOI step (PS3.3 C.11.6)."""
    index = np.rint(shown * ((len(table.entries) - 1) / 255.0)).astype(np.int32)
    return LookUpTable(table.entries, 0, table.bits).apply(index) * (255.0 / ((1 << table.bits) - 1))


def _eight_bits(samples: NDArray[Any], display: Display, out: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """Colour samples in 8 bits, without the chain: deeper ones lose their low bits, shallower ones are stretched."""
    picture = _to_scale(samples, display.bits_stored)
    if out is None:
        return picture
    out[...] = picture
    return out


def _to_scale(samples: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    """Scale samples of `bits` bits to 0 to 255."""
    if samples.dtype == np.uint8 and bits >= 8:
        return samples
    if samples.dtype.kind == "i":  # the standard has no signed colour: the least value becomes 0
        samples, bits = samples >> max(bits - 8, 0), min(bits, 8)
        half = 1 << bits - 1
        samples = samples.clip(-half, half - 1).astype(np.int16) + half
    if bits < 8 and samples.size and int(samples.max()) < 1 << bits:
        return np.rint(samples * (255 / ((1 << bits) - 1))).astype(np.uint8)
    # Values of a lossy codec that overshoot Bits Stored must not wrap around.
    return np.clip(samples >> max(bits - 8, 0), 0, 255).astype(np.uint8)
