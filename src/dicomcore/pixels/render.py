"""From stored values to a picture for a screen: modality, VOI, presentation or palette (PS3.3 C.11, PS3.4 N.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore._native import lut as kernels
from dicomcore.pixels.tables import LookUpTable, Palette

__all__ = ["Display", "Window", "apply_modality", "apply_window", "render"]


@dataclass(frozen=True, slots=True)
class Window:
    """Window Center and Window Width, in the units that the modality step gives."""

    center: float
    width: float
    function: str = "LINEAR"
    """LINEAR, LINEAR_EXACT or SIGMOID (VOI LUT Function)."""


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
    palette: Palette | None = None
    padding: tuple[float, float] | None = field(default=None)
    """Stored values from the first to the second are background (Pixel Padding Value and Range Limit)."""

    @property
    def inverted(self) -> bool:
        """Whether the largest value is black."""
        if self.presentation_shape:
            return self.presentation_shape == "INVERSE"
        return self.photometric_interpretation == "MONOCHROME1"


def apply_modality(values: NDArray[Any], display: Display) -> NDArray[Any]:
    """Apply the modality LUT, or rescale to float64 (PS3.3 C.11.1)."""
    if display.modality_lut is not None:
        return display.modality_lut.apply(_integers(values))
    scaled = np.array(values, np.float64, order="C")  # a new array, even of float64
    flat = scaled.reshape(-1)
    if (display.rescale_slope, display.rescale_intercept) != (1.0, 0.0):
        kernels.rescale(flat, flat, display.rescale_slope, display.rescale_intercept)
    return scaled


def apply_window(values: NDArray[Any], window: Window, low: float = 0.0, high: float = 255.0) -> NDArray[np.float64]:
    """Map values through a window onto `low` to `high` (PS3.3 C.11.2.1.2); equals pydicom's `apply_windowing`.

    A LINEAR window narrower than 1 and any other of no width is a threshold at the center.
    """
    result = np.array(values, np.float64, order="C")
    flat = result.reshape(-1)
    center, width = float(window.center), float(window.width)
    sigmoid = window.function == "SIGMOID" and width > 0
    if window.function == "LINEAR":
        center, width = center - 0.5, width - 1
    kernels.window(flat, flat, center, max(width, 0.0), low, high, sigmoid)
    return result


def render(
    samples: NDArray[Any],
    display: Display,
    *,
    window: int | Window | None = None,
    out: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Give a picture of 8 bits: (rows, columns) in grey, (rows, columns, 3) in colour.

    `samples` is a decoded frame, colour as RGB. `window` is a window of one's own, or the number of one of the data
    set's views: its VOI LUTs come first, its windows after them; None takes the first. Without any view the frame's own
    range fills the scale. Padding is black.
    """
    if samples.ndim == 3:
        return _eight_bits(samples, display, out)
    if display.palette is not None and display.photometric_interpretation == "PALETTE COLOR":
        return display.palette.apply(samples, eight=True, out=out)
    if out is None:
        out = np.empty(samples.shape, np.uint8)
    if samples.dtype.kind in "iu" and samples.itemsize <= 2 and samples.size:
        # All values a frame holds are fewer than its pixels: the chain runs over them, and the frame is one look-up.
        low, high = int(samples.min()), int(samples.max())
        present = np.arange(low, high + 1, dtype=samples.dtype if high < np.iinfo(samples.dtype).max else np.int32)
        table = LookUpTable(_grey(present, display, window), low, 8)
        return table.apply(samples, out=out)
    out[...] = _grey(samples, display, window)
    return out


def _grey(values: NDArray[Any], display: Display, window: int | Window | None) -> NDArray[np.uint8]:
    """The whole chain over stored values."""
    background = _background(values, display)
    shown = _view(apply_modality(values, display), background, display, window)
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


def _view(
    values: NDArray[Any], background: NDArray[np.bool_] | None, display: Display, window: int | Window | None
) -> NDArray[np.float64]:
    """VOI: the view asked for, on a scale of 0 to 255."""
    if isinstance(window, Window):
        return apply_window(values, window)
    views: tuple[LookUpTable | Window, ...] = (*display.voi_luts, *display.windows)
    if window is not None and not 0 <= window < len(views):
        raise IndexError(f"view {window} of {len(views)}")
    if not views:
        return _stretched(values, background)
    view = views[window or 0]
    if isinstance(view, Window):
        return apply_window(values, view)
    return view.apply(_integers(values)) * (255.0 / ((1 << view.bits) - 1))


def _integers(values: NDArray[Any]) -> NDArray[Any]:
    """Values as a table takes them: integers of 32 bits at most."""
    if values.dtype.kind in "iu" and values.itemsize <= 4:
        return values
    return np.nan_to_num(np.rint(values)).clip(-(2**31), 2**31 - 1).astype(np.int32)


def _stretched(values: NDArray[Any], background: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    seen = values if background is None else values[~background]
    seen = seen[np.isfinite(seen)] if seen.dtype.kind == "f" else seen
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 0.0)
    if high <= low:
        return np.zeros(values.shape)
    return apply_window(values, Window((low + high) / 2, high - low, "LINEAR_EXACT"))


def _through(table: LookUpTable, shown: NDArray[np.float64]) -> NDArray[np.float64]:
    """A presentation LUT takes the whole range of what VOI gives (PS3.3 C.11.6)."""
    index = np.rint(shown * ((len(table.entries) - 1) / 255.0)).astype(np.int32)
    return LookUpTable(table.entries, 0, table.bits).apply(index) * (255.0 / ((1 << table.bits) - 1))


def _eight_bits(samples: NDArray[Any], display: Display, out: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """Colour needs no chain: samples of more than 8 bits lose their lowest."""
    if samples.dtype == np.uint8:
        if out is None:
            return samples
        out[...] = samples
        return out
    picture = (samples >> max(display.bits_stored - 8, 0)).astype(np.uint8)
    if out is None:
        return picture
    out[...] = picture
    return out
