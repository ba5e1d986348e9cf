"""A DICOMweb server as a source of an archive index: the headers of its instances, from the metadata of each series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from dicomcore.archive.failure import failure_of
from dicomcore.archive.sources.blob import Blob
from dicomcore.archive.sources.place import Fault, Place
from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import text_of
from dicomcore.dataset.state import later_of
from dicomcore.errors import DicomError, TruncatedError
from dicomcore.uids import UID, ExplicitVRLittleEndian
from dicomcore.web.client import Client
from dicomcore.web.client_requests import path_of

__all__ = ["PREFIX", "places_of"]

PREFIX = "dicomweb+"


class InstancePlace(Place):
    """An instance on a server: its header, encoded as a file without bulk data."""

    __slots__ = ("head",)
    head: bytes

    @property
    def kept_bytes(self) -> int:
        """Bytes of the header."""
        return len(self.head)

    def open(self) -> Blob:
        """The header; there is no more to fetch."""
        return Blob(self, len(self.head), None, self._nothing, self.head)

    def _nothing(self, offset: int, length: int) -> bytes:
        raise TruncatedError("bulk data stay on the server", offset=offset)


def places_of(url: str, options: Mapping[str, Any] | None = None) -> Iterator[Place]:
    """The instances of ``dicomweb+https://host/dicom-web``, or of a study or series below it, series by series.

    `options` are those of `web.Client`. Raises WebError.
    """
    base, place = _split(url)
    with Client(base, **(options or {})) as client:
        studies = [place[0]] if place else (text_of(ds, "StudyInstanceUID") or "" for ds in client.studies())
        for study in studies:
            if len(place) > 1:
                chosen = [place[1]]
            else:
                chosen = [text_of(ds, "SeriesInstanceUID") or "" for ds in client.series(study)]
            for series in chosen:
                for ds in client.metadata(study, series, *place[2:], bulk="leave"):
                    yield _place(base, study, series, ds)


def _split(url: str) -> tuple[str, list[str]]:
    """The service's URL, and the UIDs of study, series and instance that follow it."""
    text = url.removeprefix(PREFIX).rstrip("/")
    base, found, rest = text.partition("/studies/")
    if not found:
        return text.removesuffix("/studies"), []
    words = rest.split("/")
    if words[1::2] not in ([], ["series"], ["series", "instances"]) or len(words) % 2 == 0:
        raise ValueError(f"{url!r} names no study, series or instance of a service")
    return base, [unquote(word) for word in words[::2]]


def _place(base: str, study: str, series: str, ds: Dataset) -> Place:
    instance = text_of(ds, "SOPInstanceUID") or ""
    text = f"{PREFIX}{base}/{path_of('studies', study, 'series', series, 'instances', instance or '-')}"
    try:
        made = InstancePlace(text)
        made.head = _encoded(ds)
    except DicomError as error:
        return Fault(text, *failure_of(error, text))
    return made


def _encoded(ds: Dataset) -> bytes:
    """The header as a file, in the transfer syntax that the server says, if it can hold a header as it is."""
    ds.walk(lambda data_set, element: data_set.pop(element.tag) if later_of(element) is not None else None)
    stated = UID(text_of(ds, "AvailableTransferSyntaxUID") or ExplicitVRLittleEndian)
    ds.ensure_file_meta()
    assert ds.file_meta is not None
    ds.file_meta.TransferSyntaxUID = stated if stated.is_compressed else ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = text_of(ds, "SOPClassUID") or ""
    ds.file_meta.MediaStorageSOPInstanceUID = text_of(ds, "SOPInstanceUID") or ""
    return ds.to_bytes(enforce_standard=False)
