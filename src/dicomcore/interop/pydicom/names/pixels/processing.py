"""pydicom.pixels.processing: stored values to what is shown, step by step."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from io import BytesIO
from struct import unpack_from
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore._native.pixels.colour import rgb_to_ybr_full, ybr_full_to_rgb
from dicomcore.arrays import as_bytes
from dicomcore.dataset.lookup import is_big_endian
from dicomcore.display.rendering import Display, Window, apply_modality, apply_window
from dicomcore.display.tables import LookUpTable, Palette, expand_segments
from dicomcore.interop.pydicom.names.misc import warn_and_log
from dicomcore.interop.pydicom.names.pixels.utils import is_little_endian
from dicomcore.interop.pydicom.names.uid import UID

HAVE_NP = True
HAVE_PIL = find_spec("PIL") is not None  # it takes long to import

__all__ = [
    "apply_color_lut",
    "apply_icc_profile",
    "apply_modality_lut",
    "apply_presentation_lut",
    "apply_rescale",
    "apply_voi",
    "apply_voi_lut",
    "apply_windowing",
    "convert_color_space",
    "create_icc_transform",
]

LONGEST = 65536
"""Entries of a look-up table whose descriptor says 0."""
COLOURS = ("Red", "Green", "Blue", "Alpha")
PALETTES = {  # the well-known ones of PS3.6 Annex A: keyword: (end of the UID, pydicom's file)
    "HOT_IRON": ("1", "hotiron.dcm"),
    "PET": ("2", "pet.dcm"),
    "HOT_METAL_BLUE": ("3", "hotmetalblue.dcm"),
    "PET_20_STEP": ("4", "pet20step.dcm"),
    "SPRING": ("5", "spring.dcm"),
    "SUMMER": ("6", "summer.dcm"),
    "FALL": ("7", "fall.dcm"),
    "WINTER": ("8", "winter.dcm"),
}
PALETTE_ROOT = "1.2.840.10008.1.5."
NO_PALETTE = "No suitable Palette Color Lookup Table Module found"
COLOUR_SPACES = {"SRGB": "sRGB", "XYZ": "XYZ", "LAB": "LAB"}
INTENTS = range(4)


# -- modality


def apply_modality_lut(arr: NDArray[Any], ds: Any) -> NDArray[Any]:
    """Apply the first Modality LUT, or Rescale Slope and Intercept, to stored values (PS3.3 C.11.1).

    Gives the entries of the table, or float64; without any of these, `arr` itself.
    """
    if ds.get("ModalityLUTSequence"):
        item = ds.ModalityLUTSequence[0]
        count, first, bits = _descriptor(item)
        if arr.dtype.kind not in "iu":
            raise IndexError("a modality LUT maps integers, not values of dtype " + str(arr.dtype))
        return _looked_up(arr, _entries(item, ds, count, f"uint{bits}"), first, count)
    if "RescaleSlope" in ds and "RescaleIntercept" in ds:
        slope, intercept = float(ds.RescaleSlope), float(ds.RescaleIntercept)
        if not slope:  # which the display leaves out
            return np.full(arr.shape, intercept)
        return apply_modality(arr, Display(rescale_slope=slope, rescale_intercept=intercept))
    return arr


apply_rescale = apply_modality_lut


# -- values of interest


def apply_voi_lut(arr: NDArray[Any], ds: Any, index: int = 0, prefer_lut: bool = True) -> NDArray[Any]:
    """Apply a VOI LUT or a window, with `prefer_lut` the LUT where there are both; else give `arr` itself."""
    luts = ds.get("VOILUTSequence")
    has_lut = bool(luts) and None not in (luts[0].get("LUTDescriptor"), luts[0].get("LUTData"))
    has_window = None not in (ds.get("WindowCenter"), ds.get("WindowWidth"))
    if has_lut and (prefer_lut or not has_window):
        return apply_voi(arr, ds, index)
    return apply_windowing(arr, ds, index) if has_window else arr


def apply_voi(arr: NDArray[Any], ds: Any, index: int = 0) -> NDArray[Any]:
    """Apply the VOI LUT at `index`: its entries, uint8 or uint16; without one `arr` itself (PS3.3 C.11.2.1.1)."""
    if not ds.get("VOILUTSequence"):
        return arr
    if arr.dtype.kind not in "iu":
        warn_and_log("Applying a VOI LUT on a float input array may give incorrect results")
    item = ds.VOILUTSequence[index]
    count, first, bits = _descriptor(item)
    if bits != 8 and not 10 <= bits <= 16:
        raise NotImplementedError(f"'{bits}' bits per LUT entry is not supported")
    return _looked_up(arr, _entries(item, ds, count, "uint8" if bits == 8 else "uint16"), first, count)


def apply_windowing(arr: NDArray[Any], ds: Any, index: int = 0) -> NDArray[Any]:
    """Apply the window at `index`, as float64 over the range of the modality step's output (PS3.3 C.11.2.1.2).

    Without a window `arr` itself. Raises ValueError for colour, an unknown VOI LUT Function and a width out of range.
    """
    if "WindowWidth" not in ds and "WindowCenter" not in ds:
        return arr
    if ds.PhotometricInterpretation not in ("MONOCHROME1", "MONOCHROME2"):
        raise ValueError(
            "When performing a windowing operation only 'MONOCHROME1' and 'MONOCHROME2' are allowed for (0028,0004) "
            "Photometric Interpretation"
        )
    function = str(ds.get("VOILUTFunction") or "LINEAR").upper()
    center, width = _value_at(ds["WindowCenter"], index), _value_at(ds["WindowWidth"], index)
    low, high = _reached(ds)
    if function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        raise ValueError(f"Unsupported (0028,1056) VOI LUT Function value '{function}'")
    if function == "LINEAR" and width < 1:
        raise ValueError(
            "The (0028,1051) Window Width must be greater than or equal to 1 for a 'LINEAR' windowing operation"
        )
    if width <= 0:
        raise ValueError(f"The (0028,1051) Window Width must be greater than 0 for a '{function}' windowing operation")
    return apply_window(arr, Window(center, width, function), low, high)


def _value_at(element: Any, index: int) -> float:
    return float(element.value[index] if element.VM > 1 else element.value)


def _reached(ds: Any) -> tuple[float, float]:
    """The least and the largest value that the modality step can give."""
    if ds.get("ModalityLUTSequence"):
        low, high = 0.0, 2.0 ** ds.ModalityLUTSequence[0].LUTDescriptor[2] - 1
    elif ds.PixelRepresentation == 0:
        low, high = 0.0, 2.0**ds.BitsStored - 1
    else:
        low, high = -(2.0 ** (ds.BitsStored - 1)), 2.0 ** (ds.BitsStored - 1) - 1
    slope, intercept = ds.get("RescaleSlope"), ds.get("RescaleIntercept")
    if slope is None or intercept is None:
        return low, high
    return low * float(slope) + float(intercept), high * float(slope) + float(intercept)


# -- presentation


def apply_presentation_lut(arr: NDArray[Any], ds: Any) -> NDArray[Any]:
    """Apply the Presentation LUT, whose input is stretched over it, or Presentation LUT Shape (PS3.3 C.11.6)."""
    if "PresentationLUTSequence" in ds:
        return _through_presentation(arr, ds.PresentationLUTSequence[0])
    if "PresentationLUTShape" not in ds:
        return arr
    shape = ds.PresentationLUTShape.strip().upper()
    if shape not in ("IDENTITY", "INVERSE"):
        raise NotImplementedError(
            f"A (2050,0020) 'Presentation LUT Shape' value of '{ds.PresentationLUTShape}' is not supported"
        )
    return arr.max() - arr if shape == "INVERSE" else arr


def _through_presentation(arr: NDArray[Any], item: Any) -> NDArray[Any]:
    count, _, bits = _descriptor(item)
    width = 8 if bits <= 8 else 16
    data = item["LUTData"]
    entries: NDArray[Any]
    if data.VR == "US":
        entries = np.asarray(data.value, np.uint16)
    else:
        entries = np.frombuffer(data.value[: count * width // 8], f"<u{width // 8}")
    unused = width - bits
    entries = entries << unused >> unused
    stretched = arr.astype(np.float32)
    stretched -= stretched.min()
    stretched /= stretched.max() / (count - 1)
    return entries[stretched.astype(np.uint16)]


# -- look-up tables


def _descriptor(item: Any) -> tuple[int, int, int]:
    """The number of entries, the first mapped value and the bits of an entry."""
    count, first, bits = item.LUTDescriptor
    return count or LONGEST, first, bits


def _entries(item: Any, ds: Any, count: int, dtype: str) -> NDArray[Any]:
    """LUT Data as an array: numbers, or the words of OW."""
    data = item["LUTData"]
    if data.VR != "OW":
        return np.asarray(data.value, dtype)
    order = "<" if is_little_endian(ds) else ">"
    return np.asarray(unpack_from(f"{order}{count}H", data.value), dtype)


def _looked_up(arr: NDArray[Any], entries: NDArray[Any], first: int, count: int) -> NDArray[Any]:
    """The entry of each value; values outside a table of `count` entries take the nearer end's.

    Raises IndexError for a value whose entry is missing.
    """
    _check_reach(arr, first, count, len(entries))
    if arr.dtype.kind not in "iu" or arr.itemsize > 4:
        return entries[np.clip(arr - float(first), 0, count - 1).astype(np.intp)]
    return LookUpTable(np.ascontiguousarray(entries[:count]), first, 0).apply(_native(arr))


def _check_reach(arr: NDArray[Any], first: int, count: int, size: int) -> None:
    """Raise IndexError for a value whose entry is missing in a table of `size` instead of `count` entries."""
    if size < count:
        places = np.clip(arr - float(first), 0, count - 1)
        missing = places[places >= size]
        if missing.size:
            raise IndexError(f"index {missing[0]:.0f} is out of bounds for axis 0 with size {size}")


def _native(arr: NDArray[Any]) -> NDArray[Any]:
    return arr.astype(arr.dtype.newbyteorder("="), copy=False)


def apply_color_lut(arr: NDArray[Any], ds: Any = None, palette: str | UID | None = None) -> NDArray[Any]:
    """Apply a palette to indices: (…, 3), or (…, 4) with alpha, in the width of its entries (PS3.3 C.7.6.3.1.5).

    Parameters
    ----------
    arr : ndarray
        The indices.
    ds : Dataset, optional
        The data set with the palette, plain or segmented.
    palette : str, optional
        The UID or the name of a well-known palette, such as "HOT_IRON", which pydicom's files hold.
    """
    if not ds and not palette:
        raise ValueError("Either 'ds' or 'palette' is required")
    source = _well_known(str(palette)) if palette else ds
    if source.get("PixelPresentation") in ("MIXED", "COLOR"):
        raise ValueError(
            "Use of this function with the Supplemental Palette Color Lookup Table Module is not currently supported"
        )
    if "RedPaletteColorLookupTableDescriptor" not in source:
        raise ValueError(NO_PALETTE)
    stated, first, bits = source.RedPaletteColorLookupTableDescriptor
    count = stated or LONGEST
    channels = _channels(source, count, bits)
    if len({len(channel) for channel in channels}) > 1:
        raise ValueError("LUT data must be the same length")
    _check_reach(arr, first, count, len(channels[0]))
    indices = arr if arr.dtype.kind in "iu" and arr.itemsize <= 4 else arr.astype(np.int32)
    return Palette(tuple(channel[:count] for channel in channels), first, bits).apply(_native(indices))


def _well_known(palette: str) -> Any:
    """The data set of a well-known palette."""
    from pydicom.data import get_palette_files

    from dicomcore.interop.pydicom.names.filereader import dcmread

    files = {PALETTE_ROOT + end: file for end, file in PALETTES.values()}
    uid = PALETTE_ROOT + PALETTES[palette][0] if palette in PALETTES else palette
    if uid not in files:
        raise ValueError(f"Unknown palette '{palette}'")
    return dcmread(get_palette_files(files[uid])[0])


def _channels(ds: Any, count: int, bits: int) -> list[NDArray[Any]]:
    """The entries of red, green, blue and perhaps alpha."""
    np.dtype(f"uint{bits}")  # raises TypeError for bits that no table has
    for prefix in ("", "Segmented"):
        names = [f"{prefix}{colour}PaletteColorLookupTableData" for colour in COLOURS]
        if names[0] in ds:
            tables = {name: data for name in names if (data := ds.get(name))}
            if prefix:
                return _expanded(ds, tables, bits)
            return _plain(ds, tables, len(ds[names[0]].value) / count * 8)
    raise ValueError(NO_PALETTE)


def _plain(ds: Any, tables: dict[str, bytes], bits: float) -> list[NDArray[Any]]:
    np.dtype(f"uint{bits:.0f}")
    if bits not in (8, 16):
        raise ValueError(f"The bit depth of the LUT data '{bits:.1f}' is invalid (only 8 or 16 bits per entry allowed)")
    channels = []
    for name, data in tables.items():
        swapped = bits == 16 and is_big_endian(ds, name, ds)
        channels.append(np.frombuffer(data, f"{'>' if swapped else '<'}u{bits // 8:.0f}").astype(f"u{bits // 8:.0f}"))
    return channels


def _expanded(ds: Any, tables: dict[str, bytes], bits: int) -> list[NDArray[Any]]:
    big = not is_little_endian(ds)
    return [expand_segments((0, 0, bits), data, big_endian=big) for data in tables.values()]


# -- colour


def convert_color_space(arr: NDArray[Any], current: str, desired: str, per_frame: bool = False) -> NDArray[Any]:
    """Convert 8-bit pixels, (…, 3), between RGB, YBR_FULL and YBR_FULL_422 with chrominance for each pixel.

    Gives a new array, or `arr` itself where nothing changes; with `per_frame` several frames are converted in place.
    """
    if arr.dtype != np.uint8:
        raise ValueError(
            f"Invalid ndarray.dtype '{arr.dtype}' for color space conversion, must be 'uint8' or an equivalent"
        )
    kinds = {"RGB": "RGB", "YBR_FULL": "YBR", "YBR_FULL_422": "YBR"}
    if current not in kinds or desired not in kinds:
        raise NotImplementedError(f"Conversion from {current} to {desired} is not supported.")
    if kinds[current] == kinds[desired]:
        return arr
    if arr.shape[-1] != 3:
        raise ValueError(f"pixels of an array of shape {arr.shape} do not have three samples")
    convert = ybr_full_to_rgb if kinds[desired] == "RGB" else rgb_to_ybr_full
    if arr.ndim == 4 and per_frame:
        for frame in arr:
            frame[...] = _converted(frame, convert)
        return arr
    return _converted(arr, convert)


def _converted(arr: NDArray[Any], convert: Callable[[Any, Any], None]) -> NDArray[Any]:
    samples = np.ascontiguousarray(arr)
    out = np.empty_like(samples)
    convert(as_bytes(samples), as_bytes(out))
    return out


def apply_icc_profile(
    arr: NDArray[Any],
    ds: Any = None,
    transform: Any = None,
    intent: int | None = None,
    color_space: str | None = None,
) -> NDArray[Any]:
    """Apply an ICC profile to RGB pixels in place, with Pillow; see `create_icc_transform` for what is not `arr`."""
    if not HAVE_PIL:
        raise ImportError("Pillow is required to apply an ICC profile to an ndarray")
    if ds is None and not transform:
        raise ValueError("Either 'ds' or 'transform' must be supplied")
    if ds is not None and transform:
        raise ValueError("Only one of 'ds' and 'transform' should be used, not both")
    if arr.ndim not in (3, 4):
        raise ValueError(f"The ndarray must have 3 or 4 dimensions, not {arr.ndim}")
    if arr.shape[-1] != 3:
        raise ValueError(
            f"Invalid ndarray shape, must be (rows, columns, 3) or (frames, rows, columns, 3), not {arr.shape}"
        )
    from PIL import Image, ImageCms

    transform = transform or create_icc_transform(ds=ds, intent=intent, color_space=color_space)
    for frame in arr if arr.ndim == 4 else arr[None]:
        picture = Image.fromarray(frame)
        ImageCms.applyTransform(picture, transform, inPlace=True)
        frame[...] = np.asarray(picture)
    return arr


def create_icc_transform(
    ds: Any = None, icc_profile: bytes = b"", intent: int | None = None, color_space: str | None = None
) -> Any:
    """Pillow's transform from an ICC profile to a colour space.

    Parameters
    ----------
    ds : Dataset, optional
        The data set with ICC Profile, and perhaps Color Space.
    icc_profile : bytes, optional
        The profile, without `ds`.
    intent : int, optional
        The rendering intent, 0 to 3; by default the profile's.
    color_space : str, optional
        "sRGB", "LAB" or "XYZ"; by default Color Space, else sRGB.
    """
    if not HAVE_PIL:
        raise ImportError("Pillow is required to create a color transformation object")
    from PIL import ImageCms

    if ds is None and not icc_profile:
        raise ValueError("Either 'ds' or 'icc_profile' must be supplied")
    if ds and icc_profile:
        raise ValueError("Only one of 'ds' and 'icc_profile' should be used, not both")
    data = getattr(ds, "ICCProfile", icc_profile)
    if not data:
        raise ValueError("No (0028,2000) 'ICC Profile' element was found in 'ds'")
    target = str(color_space or getattr(ds, "ColorSpace", "sRGB"))
    if target.upper() not in COLOUR_SPACES:
        if color_space:
            raise ValueError(f"Unsupported 'color_space' value '{target}', must be 'sRGB', 'LAB' or 'XYZ'")
        raise ValueError(
            f"The (0028,2002) 'Color Space' value '{target}' is not supported by Pillow, please use the 'color_space' "
            "argument to specify a supported value"
        )
    profile = ImageCms.ImageCmsProfile(BytesIO(data))
    chosen = intent or ImageCms.getDefaultIntent(profile)
    if chosen not in INTENTS:
        raise ValueError(f"Invalid 'intent' value '{chosen}', must be 0, 1, 2 or 3")
    return ImageCms.buildTransform(
        inputProfile=profile,
        outputProfile=ImageCms.createProfile(COLOUR_SPACES[target.upper()]),  # type: ignore[arg-type]
        inMode="RGB",
        outMode="RGB",
        renderingIntent=ImageCms.Intent(chosen),
    )
