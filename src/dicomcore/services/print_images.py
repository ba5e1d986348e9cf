"""print_images: pictures to a printer of the network, some to a sheet (PS3.4 Annex H as its user)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import first_item, items_of, text_of
from dicomcore.errors import NetworkError
from dicomcore.net import Association, Response, associate
from dicomcore.part10.reader import dcmread
from dicomcore.services.print_sheet import boxes_of
from dicomcore.services.printing import (
    COLOUR_BOX,
    COLOUR_META,
    FILM_BOX,
    GREY_BOX,
    GREY_META,
    JOB,
    PRINT,
    SESSION,
)
from dicomcore.uids import generate_uid

__all__ = ["Printed", "print_images"]


LUMA = np.array([0.299, 0.587, 0.114])


class _Picture(NamedTuple):
    """A picture, and the height and width of its pixels as whole numbers."""

    samples: NDArray[np.uint8]
    aspect: tuple[int, int] = (1, 1)


class Printed(NamedTuple):
    """What was printed: how many sheets, the UIDs of print jobs where the printer tells them, and its warnings."""

    sheets: int
    jobs: tuple[str, ...]
    warnings: tuple[str, ...]


def print_images(
    address: str,
    sources: Iterable[Any],
    *,
    layout: str = "1,1",
    film_size: str = "14INX17IN",
    orientation: str = "PORTRAIT",
    colour: bool = False,
    copies: int = 1,
    medium: str | None = None,
    window: Any = None,
    label: str | None = None,
    **options: Any,
) -> Printed:
    """Print images on sheets.

    Parameters
    ----------
    address : str
        The printer: ``AET@host:port``.
    sources : iterable
        Paths, data sets, or uint8 arrays (rows, columns) or (rows, columns, 3). Each frame is an image.
    layout : str
        Images of a sheet: ``columns,rows``, or an Image Display Format.
    film_size, orientation : str
        Film Size ID, and PORTRAIT or LANDSCAPE.
    colour : bool
        Use the printer's colour service; otherwise coloured images are printed grey.
    copies : int
        Copies of each sheet.
    medium, label : str, optional
        Medium Type, such as ``PAPER`` or ``BLUE FILM``, and Film Session Label.
    window : optional
        How values become grey, as in ``frames.render``.
    options
        Of `net.associate`.

    Raises
    ------
    NetworkError
        The printer cannot be reached or refuses something.
    ValueError
        A layout that does not exist.
    """
    display = layout if "\\" in layout else f"STANDARD\\{layout}"
    places = boxes_of(display, 14, 17, 100)
    if places is None:
        raise ValueError(f"{layout!r} is no layout; it is columns,rows, or an Image Display Format")
    meta = COLOUR_META if colour else GREY_META
    with associate(address, contexts=[meta, JOB], **options) as association:
        work = _Work(association, meta)
        session = generate_uid()
        values = _values(NumberOfCopies=copies, MediumType=medium, FilmSessionLabel=label)
        if not (label or "").isascii():
            values.SpecificCharacterSet = "ISO_IR 192"
        work.done(association.n_create(SESSION, values, instance=session, over=meta))
        film = _values(ImageDisplayFormat=display, FilmOrientation=orientation, FilmSizeID=film_size)
        film.ReferencedFilmSessionSequence = [_values(ReferencedSOPClassUID=SESSION, ReferencedSOPInstanceUID=session)]
        sheets = 0
        for pictures in _grouped(_pictures(sources, window), len(places)):
            work.sheet(film, pictures, colour)
            sheets += 1
        work.done(association.n_delete(SESSION, session, over=meta))
    return Printed(sheets, tuple(work.jobs), tuple(work.warnings))


class _Work:
    """What is done over one association."""

    def __init__(self, association: Association, meta: str) -> None:
        self._association, self._meta = association, meta
        self.jobs: list[str] = []
        self.warnings: list[str] = []

    def done(self, response: Response) -> Response:
        """Note a warning; NetworkError for a failure."""
        if response.status.category == "failure":
            why = response.comment or response.status.text
            raise NetworkError(f"the printer refused: {why} ({int(response.status):04X})", peer=self._association.peer)
        if response.status:
            self.warnings.append(response.status.text.removeprefix("warning: "))
        return response

    def sheet(self, film: Dataset, pictures: list[_Picture], colour: bool) -> None:
        """Print one sheet."""
        one, meta = self._association, self._meta
        made = self.done(one.n_create(FILM_BOX, film, instance=(uid := generate_uid()), over=meta))
        boxes = items_of(made.dataset, "ReferencedImageBoxSequence") if made.dataset is not None else []
        if len(boxes) < len(pictures):
            raise NetworkError(f"the printer gave {len(boxes)} image boxes", peer=one.peer)
        for number, (box, picture) in enumerate(zip(boxes, pictures, strict=False), 1):
            values = _image(picture, colour)
            values.ImageBoxPosition = number
            kind = COLOUR_BOX if colour else GREY_BOX
            self.done(one.n_set(kind, text_of(box, "ReferencedSOPInstanceUID") or "", values, over=meta))
        printed = self.done(one.n_action(FILM_BOX, uid, PRINT, over=meta))
        job = first_item(printed.dataset, "ReferencedPrintJobSequence") if printed.dataset is not None else None
        if job is not None:
            self.jobs.append(text_of(job, "ReferencedSOPInstanceUID") or "")
        self.done(one.n_delete(FILM_BOX, uid, over=meta))


def _values(**values: Any) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        if value is not None:
            setattr(made, keyword, value)
    return made


def _image(shown: _Picture, colour: bool) -> Dataset:
    """The attributes of an image box with a picture."""
    picture = shown.samples
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3):
        raise ValueError(
            f"a picture is of uint8, (rows, columns) or (rows, columns, 3), not {picture.dtype} {picture.shape}"
        )
    if colour and picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, 2)
    elif not colour and picture.ndim == 3:
        picture = np.rint(picture @ LUMA).astype(np.uint8)
    rows, columns = picture.shape[:2]
    data = np.ascontiguousarray(picture).tobytes()
    item = _values(
        SamplesPerPixel=3 if colour else 1, PhotometricInterpretation="RGB" if colour else "MONOCHROME2",
        Rows=rows, Columns=columns, PixelAspectRatio=list(shown.aspect), BitsAllocated=8, BitsStored=8, HighBit=7,
        PixelRepresentation=0,
    )  # fmt: skip
    if colour:
        item.PlanarConfiguration = 0
    item.add_new(0x7FE00010, "OW", data + b"\0" * (len(data) & 1))
    made = Dataset()
    setattr(made, "BasicColorImageSequence" if colour else "BasicGrayscaleImageSequence", [item])
    return made


def _pictures(sources: Iterable[Any], window: Any) -> Iterator[_Picture]:
    for source in [sources] if isinstance(sources, str | os.PathLike | Dataset | np.ndarray) else sources:
        if isinstance(source, np.ndarray):
            yield _Picture(source)
            continue
        ds: Any = source if isinstance(source, Dataset) else dcmread(source)
        aspect = _aspect_of(ds)
        for index in range(len(ds.frames)):
            yield _Picture(ds.frames.render(index, window=window), aspect)


def _aspect_of(ds: Dataset) -> tuple[int, int]:
    """The shape of pixels that are not square, by Pixel Aspect Ratio or the spacing between them."""
    for keyword, scale in (("PixelAspectRatio", 1), ("PixelSpacing", 10_000), ("ImagerPixelSpacing", 10_000)):
        value = ds.get(keyword)
        if isinstance(value, list) and len(value) == 2:
            height, width = (round(float(one) * scale) for one in value)
            if height != width and height > 0 < width:
                return height, width
    return 1, 1


def _grouped(pictures: Iterator[_Picture], count: int) -> Iterator[list[_Picture]]:
    some: list[_Picture] = []
    for picture in pictures:
        some.append(picture)
        if len(some) == count:
            yield some
            some = []
    if some:
        yield some
