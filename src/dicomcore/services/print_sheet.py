"""Sheets of film: where image boxes lie, and pictures put into them (PS3.4 H.4.2, H.4.3; PS3.3 C.13.3, C.13.5)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import first_item, number_of, text_of

__all__ = ["Box", "Density", "Lut", "boxes_of", "film_size", "paint", "pdf", "picture_of"]

INCH = 25.4
LONGEST_SIDE = 48.0  # inches of a film
MOST_BOXES = 256
MOST_SAMPLES = 1 << 28  # of a picture or a sheet
MARGIN, GAP = 5.0, 2.0  # millimetres round the sheet, and between boxes
SIZES = {"A4": (210 / INCH, 297 / INCH), "A3": (297 / INCH, 420 / INCH)}
USUAL_SIZE = (14.0, 17.0)
UNITS = {"IN": 1.0, "CM": 1 / 2.54, "MM": 1 / INCH}
NEEDED = ("SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit",
          "PixelRepresentation", "PixelData")  # fmt: skip
GREY, COLOUR = ("MONOCHROME1", "MONOCHROME2"), ("RGB",)

Picture = NDArray[np.float32]
"""Presentation input from 0 (black) to 1: (rows, columns), or (rows, columns, 3)."""


class Box(NamedTuple):
    """A place on a sheet, in pixels."""

    top: int
    left: int
    rows: int
    columns: int


def film_size(name: str, orientation: str = "PORTRAIT") -> tuple[float, float] | None:
    """Width and height of a film in inches by its Film Size ID, such as ``14INX17IN``; None if it says none."""
    found = re.fullmatch(r"(\d+(?:[._]\d+)?)(IN|CM|MM)X(\d+(?:[._]\d+)?)(IN|CM|MM)", name)
    sides = SIZES.get(name)
    if found is not None:
        sides = (
            float(found[1].replace("_", ".")) * UNITS[found[2]],
            float(found[3].replace("_", ".")) * UNITS[found[4]],
        )
    if sides is None or not all(0 < side <= LONGEST_SIDE for side in sides):
        return None
    return (max(sides), min(sides)) if orientation == "LANDSCAPE" else (min(sides), max(sides))


def boxes_of(display: str, width: float, height: float, dpi: float) -> list[Box] | None:
    r"""The image boxes of an Image Display Format (``STANDARD\C,R``, ``ROW\R1,R2``, ``COL\C1,C2``) in their order.

    None for other formats, and for more than 256 boxes or none.
    """
    kind, _, numbers = display.strip().partition("\\")
    try:
        counts = [int(one) for one in numbers.split(",")]
    except ValueError:
        return None
    if kind == "STANDARD" and len(counts) == 2:
        counts = [counts[0]] * counts[1] if 0 < counts[1] <= MOST_BOXES else []
    elif kind not in ("ROW", "COL"):
        return None
    if not counts or min(counts) < 1 or sum(counts) > MOST_BOXES:
        return None
    margin, gap = MARGIN / INCH * dpi, GAP / INCH * dpi
    outer, inner = (height, width) if kind != "COL" else (width, height)
    made = []
    for count, (at, length) in zip(counts, _parts(outer * dpi, len(counts), margin, gap), strict=True):
        for place, size in _parts(inner * dpi, count, margin, gap):
            made.append(Box(at, place, length, size) if kind != "COL" else Box(place, at, size, length))
    return made


def _parts(length: float, count: int, margin: float, gap: float) -> list[tuple[int, int]]:
    """Begins and lengths of equal parts of a side."""
    gap = min(gap, length / count / 4)  # many small boxes have less between them
    size = (length - 2 * margin - (count - 1) * gap) / count
    return [(int(margin + index * (size + gap)), max(int(size), 1)) for index in range(count)]


# -- pictures


def picture_of(item: Dataset) -> tuple[Picture | None, int, str]:
    """The pixels of an item of a Basic Grayscale or Color Image Sequence; None, a status and why, if they are wrong."""
    for keyword in NEEDED:
        if item.get(keyword) in (None, ""):
            return None, 0x0120, f"{keyword} is missing"
    kind = text_of(item, "PhotometricInterpretation") or ""
    samples, rows, columns, allocated, stored = (int(number_of(item, name, 0)) for name in (
        "SamplesPerPixel", "Rows", "Columns", "BitsAllocated", "BitsStored"))  # fmt: skip
    is_right = (samples, kind in GREY, kind in COLOUR) in ((1, True, False), (3, False, True))
    if (
        not is_right
        or allocated not in (8, 16)
        or not 1 <= stored <= allocated
        or number_of(item, "PixelRepresentation", 1)
    ):
        return None, 0x0106, "the pixels are of a kind that is not printed"
    count = rows * columns * samples
    data = item.PixelData
    if not count or count > MOST_SAMPLES or not isinstance(data, bytes) or len(data) < count * allocated // 8:
        return None, 0x0106, "Pixel Data does not have the size that Rows and Columns say"
    values = np.frombuffer(data, np.uint8 if allocated == 8 else "<u2", count)
    most = (1 << stored) - 1
    picture = (values & most).astype(np.float32) / np.float32(most)
    if samples == 3:
        is_planar = number_of(item, "PlanarConfiguration", 0) == 1
        picture = (
            np.moveaxis(picture.reshape(3, rows, columns), 0, -1) if is_planar else picture.reshape(rows, columns, 3)
        )
    else:
        picture = picture.reshape(rows, columns)
        if kind == "MONOCHROME1":
            picture = 1 - picture
    return picture, 0, ""


# -- densities and presentation


class Density(NamedTuple):
    """How a film is seen: its densities, and the light behind and on it (PS3.14)."""

    least: float = 0.2
    most: float = 3.0
    light: float = 2000.0
    ambient: float = 10.0

    def greys(self, densities: NDArray[Any]) -> NDArray[np.float64]:
        """P-Values from 0 to 1 of optical densities, by the Grayscale Standard Display Function."""
        low, high = (_index(self.ambient + self.light * 10.0**-end) for end in (self.most, self.least))
        seen = np.clip(densities, self.least, self.most)
        shown = (_index(self.ambient + self.light * 10.0**-seen) - low) / (high - low)
        return np.asarray(shown, np.float64)

    def grey(self, name: str, usual: float = 0.0) -> float:
        """The P-Value of a density as attributes give it: BLACK, WHITE, or hundredths of OD."""
        if name in ("BLACK", "WHITE"):
            return float(name == "WHITE")
        return float(self.greys(np.array(int(name) / 100))) if name.isdigit() and len(name) < 6 else usual


def _index(luminance: Any) -> Any:
    """The JND index of a luminance in cd/m² (PS3.14, section 7)."""
    x = np.log10(luminance)
    terms = (71.498068, 94.593053, 41.912053, 9.8247004, 0.28175407, -1.1878455, -0.18014349, 0.14710899, -0.017046845)
    return np.polynomial.polynomial.polyval(x, terms)


class Lut:
    """A presentation LUT: a shape, or a table (PS3.3 C.11.4). ValueError for one that cannot be used."""

    def __init__(self, ds: Dataset) -> None:
        shape, item = text_of(ds, "PresentationLUTShape"), first_item(ds, "PresentationLUTSequence")
        self._table: NDArray[np.float32] | None = None
        self.is_density = shape == "LIN OD"
        if item is None:
            if shape not in ("IDENTITY", "LIN OD"):
                raise ValueError("Presentation LUT Shape is IDENTITY or LIN OD")
            return
        descriptor, data = item.get("LUTDescriptor"), item.get("LUTData")
        if not isinstance(descriptor, list) or len(descriptor) != 3 or data is None:
            raise ValueError("a presentation LUT needs LUT Descriptor and LUT Data")
        count, bits = int(descriptor[0]) or 1 << 16, int(descriptor[2])
        entries = np.frombuffer(data, "<u2") if isinstance(data, bytes) else np.asarray(data).astype(np.uint16).ravel()
        if not 8 <= bits <= 16 or len(entries) < count or count < 2:
            raise ValueError("LUT Data does not have the entries that LUT Descriptor says")
        self._table = entries[:count].astype(np.float32) / np.float32((1 << bits) - 1)

    def apply(self, picture: Picture, density: Density) -> Picture:
        """P-Values of presentation input."""
        if self._table is not None:
            last = len(self._table) - 1
            picture = np.interp(picture * last, np.arange(last + 1), self._table).astype(np.float32)
        if self.is_density:
            picture = density.greys(density.least + picture * (density.most - density.least)).astype(np.float32)
        return picture


# -- painting


def paint(
    sheet: NDArray[np.uint8], box: Box, picture: Picture, *, magnification: str = "", width: float | None = None,
    aspect: float = 1.0,
) -> None:  # fmt: skip
    """Put a picture into the middle of its box, as large as fits.

    `width` is how wide it shall be, in pixels; `magnification` ``NONE`` leaves it as large as it is if it fits,
    ``REPLICATE`` repeats pixels. `aspect` is a pixel's height by its width.
    """
    rows, columns = picture.shape[:2]
    scale = min(box.columns / columns, box.rows / (rows * aspect))
    if width is not None:
        scale = min(scale, width / columns)
    elif magnification == "NONE":
        scale = min(scale, 1.0)
    size = max(round(rows * aspect * scale), 1), max(round(columns * scale), 1)
    shown = _resized(picture, size, is_plain=magnification in ("REPLICATE", "NONE"))
    top, left = box.top + (box.rows - size[0]) // 2, box.left + (box.columns - size[1]) // 2
    place = sheet[top : top + size[0], left : left + size[1]]
    levels = np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)[: place.shape[0], : place.shape[1]]
    place[...] = levels[..., None] if sheet.ndim > levels.ndim else levels


def _resized(picture: Picture, size: tuple[int, int], *, is_plain: bool) -> Picture:
    """A picture of another size: means of what falls together, then linear between neighbours."""
    for axis in (0, 1):
        factor = picture.shape[axis] // size[axis]
        if factor > 1:
            count = picture.shape[axis] // factor
            kept = picture[: count * factor] if axis == 0 else picture[:, : count * factor]
            shape = [*kept.shape[:axis], count, factor, *kept.shape[axis + 1 :]]
            picture = kept.reshape(shape).mean(axis + 1, dtype=np.float32)
        at = (np.arange(size[axis]) + 0.5) * (picture.shape[axis] / size[axis]) - 0.5
        if is_plain:
            picture = np.take(picture, np.clip(np.rint(at).astype(int), 0, picture.shape[axis] - 1), axis)
            continue
        low = np.clip(np.floor(at).astype(int), 0, picture.shape[axis] - 1)
        high = np.minimum(low + 1, picture.shape[axis] - 1)
        part = (
            np.clip(at - low, 0, 1)
            .astype(np.float32)
            .reshape([-1 if one == axis else 1 for one in range(picture.ndim)])
        )
        picture = np.take(picture, low, axis) * (1 - part) + np.take(picture, high, axis) * part
    return picture


# -- pages


def pdf(sheets: Sequence[NDArray[np.uint8]], dpi: float) -> bytes:
    """A PDF file with a page for each sheet, as large as the film (ISO 32000)."""
    import zlib

    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    pages = []
    for sheet in sheets:
        rows, columns = sheet.shape[:2]
        space = b"/DeviceGray" if sheet.ndim == 2 else b"/DeviceRGB"
        data = zlib.compress(np.ascontiguousarray(sheet).tobytes(), 6)
        page = len(objects) + 1
        width, height = columns / dpi * 72, rows / dpi * 72
        pages.append(b"%d 0 R" % page)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.2f %.2f] /Contents %d 0 R "
            b"/Resources << /XObject << /I %d 0 R >> >> >>" % (width, height, page + 1, page + 2)
        )
        draw = b"%.2f 0 0 %.2f 0 0 cm /I Do" % (width, height)
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(draw), draw))
        objects.append(
            b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace %b /BitsPerComponent 8 "
            b"/Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream" % (columns, rows, space, len(data), data)
        )
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%b] >>" % (len(pages), b" ".join(pages))
    made, places = bytearray(b"%PDF-1.4\n"), []
    for number, one in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    table = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    made += b"".join(b"%010d 00000 n \n" % place for place in places)
    made += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(made)
