"""Print management: film sessions, film boxes and image boxes of peers, and sheets made of them (PS3.4 Annex H)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import first_item, items_of, number_of, text_of
from dicomcore.display.png import png
from dicomcore.net import Request, Server
from dicomcore.net.commands import Field, Kind
from dicomcore.services.ledger import settled
from dicomcore.services.print_sheet import (
    INCH,
    USUAL_SIZE,
    Box,
    Density,
    Lut,
    Picture,
    boxes_of,
    film_size,
    paint,
    pdf,
    picture_of,
)
from dicomcore.uids import generate_uid
from dicomcore.version import __version__

__all__ = ["Printer", "Sheet", "to_folder"]

GREY_META, COLOUR_META = "1.2.840.10008.5.1.1.9", "1.2.840.10008.5.1.1.18"
SESSION, FILM_BOX, GREY_BOX, COLOUR_BOX = (f"1.2.840.10008.5.1.1.{end}" for end in ("1", "2", "4", "4.1"))
JOB, PRINTER, PRINTER_INSTANCE, LUT = (f"1.2.840.10008.5.1.1.{end}" for end in ("14", "16", "17", "23"))
METAS = (GREY_META, COLOUR_META)
PRINT = 1  # action type
PENDING, PRINTING, DONE, FAILURE = 1, 2, 3, 4  # event types of a job

NO_INSTANCE, NO_CLASS, NO_ACTION, DUPLICATE, INVALID, MISSING, RESOURCES, FAILED, NOT_THERE, OUT_OF_RANGE = (
    0x0112, 0x0118, 0x0123, 0x0111, 0x0106, 0x0120, 0x0213, 0x0110, 0x0001, 0x0116,
)  # fmt: skip
EMPTY_SESSION, EMPTY_FILM, DEMAGNIFIED, NO_FILMS, TOO_LARGE, NO_MEMORY = 0xB602, 0xB603, 0xB604, 0xC600, 0xC603, 0xC605
MOST_FILMS, MOST_LUTS, MOST_JOBS = 64, 64, 1000
MOST_BYTES = 1 << 30  # of pictures that associations keep until they are printed


class Sheet(NamedTuple):
    """A printed sheet: its picture, (rows, columns) or (rows, columns, 3), the resolution in dots an inch, how many
    copies are wanted, and the attributes of its film box and film session."""

    picture: NDArray[np.uint8]
    dpi: float
    copies: int
    film: Dataset
    session: Dataset


Sink = Callable[[list[Sheet]], object]


def to_folder(folder: str | os.PathLike[str], *, kind: str = "png") -> Sink:
    """Write sheets into a folder: ``"png"``, a file for each, or ``"pdf"``, a file for each print with its pages."""
    if kind not in ("png", "pdf"):
        raise ValueError(f"sheets are written as png or pdf, not {kind!r}")
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)

    def write(sheets: list[Sheet]) -> None:
        name = f"{datetime.now():%Y%m%d-%H%M%S-%f}-{generate_uid()[-4:]}"
        if kind == "pdf":
            (place / f"{name}.pdf").write_bytes(pdf([sheet.picture for sheet in sheets], sheets[0].dpi))
            return
        for number, sheet in enumerate(sheets, 1):
            (place / f"{name}-{number:03}.png").write_bytes(png(sheet.picture))

    return write


@dataclass(slots=True)
class _ImageBox:
    """An image box: its place, what was set, and the picture, None as long as it is empty."""

    uid: str
    position: int
    place: Box
    film: _Film
    values: Dataset = field(default_factory=Dataset)
    picture: Picture | None = None


@dataclass(slots=True)
class _Film:
    uid: str
    values: Dataset
    size: tuple[float, float]
    images: list[_ImageBox] = field(default_factory=list)


@dataclass(slots=True)
class _Work:
    """What an association works on."""

    session: tuple[str, Dataset] | None = None
    films: dict[str, _Film] = field(default_factory=dict)
    luts: dict[str, Lut] = field(default_factory=dict)

    def image(self, uid: str) -> _ImageBox | None:
        """An image box by its UID."""
        return next((one for film in self.films.values() for one in film.images if one.uid == uid), None)

    @property
    def size(self) -> int:
        """Bytes of pictures."""
        return sum(one.picture.nbytes for film in self.films.values() for one in film.images if one.picture is not None)


class Printer:
    """A printer of sheets as a service: Basic Grayscale and Basic Color Print Management, Presentation LUT, Print Job.

    Parameters
    ----------
    sink : callable or path
        Gets the sheets of each print as a list of `Sheet`; a path is a folder that PNG files are written to
        (`to_folder`). A print whose sink raises fails with 0110.
    name : str
        The Printer Name.
    dpi : float
        Dots an inch of the sheets.
    density : Density
        Densities and light of the film that a sheet stands for.
    """

    def __init__(
        self,
        sink: Sink | str | os.PathLike[str],
        *,
        name: str = "DICOMCORE",
        dpi: float = 150.0,
        density: Density | None = None,
    ) -> None:
        self._sink: Sink = sink if callable(sink) else to_folder(sink)
        self._name, self._dpi, self._density = name, dpi, density or Density()
        self._works: WeakKeyDictionary[Any, _Work] = WeakKeyDictionary()
        self._jobs: dict[str, Dataset] = {}
        self._lock = threading.Lock()

    def join(self, server: Server) -> None:
        """Serve."""
        server.service(Kind.N_CREATE, [*METAS, LUT], self._create)
        server.service(Kind.N_SET, METAS, self._set)
        server.service(Kind.N_ACTION, METAS, self._act)
        server.service(Kind.N_DELETE, [*METAS, LUT], self._delete)
        server.service(Kind.N_GET, [*METAS, JOB, PRINTER], self._get)

    def _work(self, request: Request) -> _Work:
        assert request.association is not None
        with self._lock:
            return self._works.setdefault(request.association.key, _Work())

    def _refuse(self, request: Request, status: int, why: str) -> int:
        request.response[Field.ERROR_COMMENT] = why[:64]
        return status

    # -- N-CREATE

    def _create(self, request: Request) -> tuple[int, Dataset | None] | int:
        work, ds, uid = self._work(request), settled(request.dataset), request.sop_instance
        if request.sop_class == SESSION:
            return self._create_session(request, work, ds, uid)
        if request.sop_class == FILM_BOX:
            return self._create_film(request, work, ds, uid)
        if request.sop_class == LUT:
            try:
                made = Lut(ds)
            except (ValueError, TypeError) as error:
                return self._refuse(request, INVALID, str(error))
            if len(work.luts) >= MOST_LUTS:
                return RESOURCES
            work.luts[uid] = made
            return 0, ds
        return NO_CLASS

    def _create_session(self, request: Request, work: _Work, ds: Dataset, uid: str) -> tuple[int, Dataset] | int:
        if work.session is not None:
            return self._refuse(request, RESOURCES, "an association has one film session")
        copies = number_of(ds, "NumberOfCopies", 1)
        if not 1 <= copies <= 999:
            return self._refuse(request, INVALID, "Number of Copies is from 1 to 999")
        for keyword, usual in (("NumberOfCopies", 1), ("PrintPriority", "MED"), ("MediumType", "PAPER"),
                               ("FilmDestination", "PROCESSOR")):  # fmt: skip
            if not ds.get(keyword):
                setattr(ds, keyword, usual)
        work.session = uid, ds
        return 0, ds

    def _create_film(self, request: Request, work: _Work, ds: Dataset, uid: str) -> tuple[int, Dataset] | int:
        if work.session is None:
            return self._refuse(request, NO_INSTANCE, "there is no film session")
        if len(work.films) >= MOST_FILMS:
            return RESOURCES
        if uid in work.films:
            return DUPLICATE
        display = ds.get("ImageDisplayFormat")
        if not display:
            return self._refuse(request, MISSING, "Image Display Format is missing")
        refers = first_item(ds, "ReferencedFilmSessionSequence")
        if refers is not None and text_of(refers, "ReferencedSOPInstanceUID") != work.session[0]:
            return self._refuse(request, INVALID, "another film session is referred to")
        orientation = text_of(ds, "FilmOrientation") or "PORTRAIT"
        if orientation not in ("PORTRAIT", "LANDSCAPE"):
            return self._refuse(request, INVALID, "Film Orientation is PORTRAIT or LANDSCAPE")
        name = text_of(ds, "FilmSizeID") or "14INX17IN"
        size, status = film_size(name, orientation), 0
        if size is None:
            size, status = film_size("14INX17IN", orientation) or USUAL_SIZE, OUT_OF_RANGE
            ds.FilmSizeID = "14INX17IN"
        text = "\\".join(display) if isinstance(display, list) else str(display)
        places = boxes_of(text, *size, self._dpi)
        if places is None:
            return self._refuse(request, INVALID, "the Image Display Format is not supported")
        film = _Film(uid, ds, size)
        film.images = [_ImageBox(generate_uid(), number, place, film) for number, place in enumerate(places, 1)]
        work.films[uid] = film
        box_class = GREY_BOX if request.context.abstract_syntax == GREY_META else COLOUR_BOX
        ds.ReferencedImageBoxSequence = [_reference(box_class, one.uid) for one in film.images]
        ds.FilmSizeID, ds.FilmOrientation = ds.get("FilmSizeID") or name, orientation
        return status, ds

    # -- N-SET

    def _set(self, request: Request) -> tuple[int, Dataset | None] | int:
        work, ds, uid = self._work(request), request.dataset, request.sop_instance
        if request.sop_class in (GREY_BOX, COLOUR_BOX):
            box = work.image(uid)
            return NO_INSTANCE if box is None else self._set_image(request, work, box, ds)
        if request.sop_class == SESSION:
            if work.session is None or work.session[0] != uid:
                return NO_INSTANCE
            work.session[1].update(settled(ds))
            return 0, ds
        if request.sop_class == FILM_BOX:
            film = work.films.get(uid)
            if film is None:
                return NO_INSTANCE
            changes = settled(ds)
            for keyword in ("ImageDisplayFormat", "FilmSizeID", "FilmOrientation", "ReferencedImageBoxSequence"):
                if keyword in changes:
                    delattr(changes, keyword)  # what the boxes were made by
            film.values.update(changes)
            return 0, changes
        return NO_CLASS

    def _set_image(self, request: Request, work: _Work, box: _ImageBox, ds: Dataset) -> int:
        position = number_of(ds, "ImageBoxPosition")
        if position is not None and position != box.position:
            return self._refuse(request, INVALID, "Image Box Position is that of another box")
        keyword = "BasicGrayscaleImageSequence" if request.sop_class == GREY_BOX else "BasicColorImageSequence"
        values = settled(_without(ds, keyword))
        if keyword not in ds:
            box.values.update(values)
            return 0
        item = first_item(ds, keyword)
        if item is None:  # the box is to be empty again
            box.picture, box.values = None, values
            return 0
        picture, status, why = picture_of(item)
        if picture is None:
            return self._refuse(request, status, why)
        with self._lock:
            size = sum(one.size for one in self._works.values())
        if size + picture.nbytes > MOST_BYTES:
            return self._refuse(request, NO_MEMORY, "there are too many pictures that were not printed yet")
        box.values, box.picture = values, None
        aspect = item.get("PixelAspectRatio")
        values.PixelAspectRatio = aspect if isinstance(aspect, list) and len(aspect) == 2 else [1, 1]
        status = self._fits(box, picture)
        if status != TOO_LARGE:
            box.picture = picture
        return status

    def _fits(self, box: _ImageBox, picture: Picture) -> int:
        """Whether the size that was asked for fits into the box, as a status."""
        wanted = self._width(box)
        if wanted is None:
            return 0
        height = wanted / picture.shape[1] * picture.shape[0] * _aspect(box.values)
        if wanted <= box.place.columns + 1 and height <= box.place.rows + 1:
            return 0
        return TOO_LARGE if text_of(box.values, "RequestedDecimateCropBehavior") == "FAIL" else DEMAGNIFIED

    def _width(self, box: _ImageBox) -> float | None:
        """The width in pixels that was asked for (Requested Image Size, in mm)."""
        wanted = number_of(box.values, "RequestedImageSize")
        return wanted / INCH * self._dpi if wanted else None

    # -- N-ACTION

    def _act(self, request: Request) -> tuple[int, Dataset | None] | int:
        work, uid = self._work(request), request.sop_instance
        if request.sop_class not in (SESSION, FILM_BOX):
            return NO_CLASS
        if request.command.get(Field.ACTION_TYPE) != PRINT:
            return NO_ACTION
        is_session = request.sop_class == SESSION
        if work.session is None or (work.session[0] != uid if is_session else uid not in work.films):
            return NO_INSTANCE
        films = list(work.films.values()) if is_session else [work.films[uid]]
        if not films:
            return NO_FILMS
        is_empty = not any(one.picture is not None for film in films for one in film.images)
        if is_empty:
            return EMPTY_SESSION if is_session else EMPTY_FILM
        is_colour = request.context.abstract_syntax == COLOUR_META
        try:
            sheets = [self._sheet(work, film, is_colour) for film in films]
            self._sink(sheets)
        except Exception as error:
            self._job(request, work, FAILURE)
            return self._refuse(request, FAILED, f"not printed: {type(error).__name__}")
        return 0, self._job(request, work, DONE)

    def _sheet(self, work: _Work, film: _Film, is_colour: bool) -> Sheet:
        assert work.session is not None
        values, session = film.values, work.session[1]
        density = self._density_of(values)
        rows, columns = round(film.size[1] * self._dpi), round(film.size[0] * self._dpi)
        border = density.grey(text_of(values, "BorderDensity") or "BLACK")
        empty = density.grey(text_of(values, "EmptyImageDensity") or "BLACK")
        sheet = np.full((rows, columns, 3) if is_colour else (rows, columns), round(border * 255), np.uint8)
        for one in film.images:
            place = one.place
            sheet[place.top : place.top + place.rows, place.left : place.left + place.columns] = round(empty * 255)
            if one.picture is None:
                continue
            picture = one.picture if text_of(one.values, "Polarity") != "REVERSE" else 1 - one.picture
            lut = self._lut_of(work, one.values, values, session)
            if lut is not None and picture.ndim == 2:
                picture = lut.apply(picture, density)
            paint(
                sheet, place, picture, width=self._width(one), aspect=_aspect(one.values),
                magnification=text_of(one.values, "MagnificationType") or text_of(values, "MagnificationType") or "",
            )  # fmt: skip
        copies = int(number_of(session, "NumberOfCopies", 1))
        return Sheet(sheet, self._dpi, copies, values, session)

    def _density_of(self, film: Dataset) -> Density:
        usual = self._density
        least = number_of(film, "MinDensity", usual.least * 100) / 100
        most = number_of(film, "MaxDensity", usual.most * 100) / 100
        light = number_of(film, "Illumination", usual.light)
        ambient = number_of(film, "ReflectedAmbientLight", usual.ambient)
        if not 0 <= least < most <= 10 or light <= 0 or ambient < 0:
            return usual
        return Density(least, most, light, ambient)

    def _lut_of(self, work: _Work, *places: Dataset) -> Lut | None:
        """The presentation LUT that the image box, the film box or the session refers to."""
        for place in places:
            for item in items_of(place, "ReferencedPresentationLUTSequence"):
                return work.luts.get(text_of(item, "ReferencedSOPInstanceUID") or "")
        return None

    # -- jobs

    def _job(self, request: Request, work: _Work, event: int) -> Dataset | None:
        """Note a print as a job, if the peer knows jobs; what refers to it, and an event when the answer is out."""
        association = request.association
        if association is None or work.session is None or JOB not in association.abstract_syntaxes:
            return None
        now, uid, told = datetime.now(), generate_uid(), Dataset()
        told.ExecutionStatus = "DONE" if event == DONE else "FAILURE"
        told.ExecutionStatusInfo = "NORMAL" if event == DONE else "UNKNOWN"
        told.CreationDate, told.CreationTime = f"{now:%Y%m%d}", f"{now:%H%M%S}"
        told.PrintPriority = work.session[1].get("PrintPriority") or "MED"
        told.PrinterName, told.Originator = self._name, request.peer.calling
        with self._lock:
            self._jobs[uid] = told
            while len(self._jobs) > MOST_JOBS:
                del self._jobs[next(iter(self._jobs))]
        report = Dataset()
        report.ExecutionStatusInfo, report.PrinterName = told.ExecutionStatusInfo, self._name
        request.afterwards.append(lambda: association.n_event_report(JOB, uid, event, report))
        made = Dataset()
        made.ReferencedPrintJobSequence = [_reference(JOB, uid)]
        return made

    # -- N-GET, N-DELETE

    def _get(self, request: Request) -> tuple[int, Dataset | None] | int:
        if request.sop_class == PRINTER:
            if request.sop_instance != PRINTER_INSTANCE:
                return NO_INSTANCE
            return _chosen(self._printer(), request)
        if request.sop_class == JOB:
            with self._lock:
                job = self._jobs.get(request.sop_instance)
            return NO_INSTANCE if job is None else _chosen(job, request)
        return NO_CLASS

    def _printer(self) -> Dataset:
        made = Dataset()
        made.PrinterStatus = made.PrinterStatusInfo = "NORMAL"
        made.PrinterName, made.Manufacturer, made.ManufacturerModelName = self._name, "dicomcore", "dicomcore"
        made.SoftwareVersions = __version__
        return made

    def _delete(self, request: Request) -> int:
        work, uid = self._work(request), request.sop_instance
        if request.sop_class == SESSION and work.session is not None and work.session[0] == uid:
            work.session = None
            work.films.clear()
        elif request.sop_class == FILM_BOX and uid in work.films:
            del work.films[uid]
        elif request.sop_class == LUT and uid in work.luts:
            del work.luts[uid]
        else:
            return NO_INSTANCE if request.sop_class in (SESSION, FILM_BOX, LUT) else NO_CLASS
        return 0


def _reference(sop_class: str, uid: str) -> Dataset:
    made = Dataset()
    made.ReferencedSOPClassUID, made.ReferencedSOPInstanceUID = sop_class, uid
    return made


def _without(ds: Dataset, keyword: str) -> Dataset:
    made = ds.copy()
    if keyword in made:
        delattr(made, keyword)
    return made


def _aspect(values: Dataset) -> float:
    ratio = values.get("PixelAspectRatio")
    if isinstance(ratio, list) and len(ratio) == 2 and all(isinstance(one, int) and 0 < one < 1 << 31 for one in ratio):
        return float(ratio[0]) / float(ratio[1])
    return 1.0


def _chosen(ds: Dataset, request: Request) -> tuple[int, Dataset]:
    """The attributes that were asked for, all without a list."""
    tags = request.command.get(Field.ATTRIBUTES) or ()
    if not tags:
        return 0, ds
    made = Dataset()
    for tag in tags:
        if tag in ds:
            made.add(ds[tag])
    return (0 if len(made) == len(tags) else NOT_THERE), made
