"""The methods that both faces of the client have: `web.Client` blocks, `web.AsyncClient` is awaited."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from dicomcore.dataset import DataElement, Dataset
from dicomcore.dataset.lookup import text_of
from dicomcore.dataset.state import Later, later_of
from dicomcore.errors import WebError
from dicomcore.web.client_frames import put_pixels
from dicomcore.web.client_operations import PIXELS, ClientLimits, Core, Operation
from dicomcore.web.client_requests import Result, pairs_of, resolved, split_url
from dicomcore.web.client_retries import Retries
from dicomcore.web.client_workitems import GLOBAL, WorkitemCore

if TYPE_CHECKING:
    from dicomcore.web.client_receivers import Outcome

__all__ = ["Api", "Workitems"]

# What the methods return: of AsyncClient, an asynchronous iterator or an awaitable of the same.
DataSets = TypeVar("DataSets")
Arrays = TypeVar("Arrays")
OneSet = TypeVar("OneSet")
Data = TypeVar("Data")
Text = TypeVar("Text")
Nothing = TypeVar("Nothing")
StoredT = TypeVar("StoredT")
RetrievedT = TypeVar("RetrievedT")
CommitmentT = TypeVar("CommitmentT")
Described = TypeVar("Described")

Keys = Mapping[Any, Any] | None
BULK = ("lazy", "fetch", "leave")
FRAMES = 'multipart/related; type="application/octet-stream"; transfer-syntax={}'
ANY_BYTES = 'multipart/related; type="application/octet-stream", application/octet-stream;q=0.9, */*;q=0.5'


class Api(Generic[DataSets, Arrays, OneSet, Data, Text, Nothing, StoredT, RetrievedT, CommitmentT, Described]):
    """A DICOMweb service (PS3.18). See `Client` for the options."""

    _bulk = "lazy"

    def __init__(
        self,
        url: str,
        *,
        auth: Any,
        headers: Mapping[str, str] | None,
        retries: int | Retries,
        hosts: Iterable[str],
        limits: ClientLimits | None,
    ) -> None:
        base, user = split_url(url)
        self._retries = Retries(count=retries) if isinstance(retries, int) else retries
        self._auth = auth if auth is not None else user
        self._headers = dict(headers or {})
        self._core = Core(base, limits=limits or ClientLimits(), hosts=hosts, retries=self._retries.count)
        self._limits = self._core.limits

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._core.base!r})"

    @property
    def url(self) -> str:
        """The URL of the service, without credentials."""
        return self._core.base

    # The faces run operations: these give all results, or the value that an operation returns.
    def _iterate(self, operation: Operation) -> Any:
        raise NotImplementedError

    def _run(self, operation: Operation) -> Any:
        raise NotImplementedError

    # -- search

    def studies(
        self,
        keys: Keys = None,
        *,
        fuzzy: bool = False,
        include: Iterable[str] | str = (),
        limit: int | None = None,
        offset: int = 0,
        page: int | None = 1000,
        **keywords: Any,
    ) -> DataSets:
        """Search for studies (PS3.18 10.6); pages are asked for as the iterator comes to them.

        ``client.studies(PatientName="DOE*", StudyDate="20250101-")``.

        Parameters
        ----------
        keys : mapping, optional
            What to match, by keyword, tag, or a path with dots into sequences
            (``"RequestAttributesSequence.RequestedProcedureID"``). Values are texts with the wildcards ``*`` and ``?``
            and ranges ``a-b``, dates and times, or lists of UIDs.
        fuzzy : bool
            Let the server match names by their sound or spelling.
        include : str or iterable of str
            Attributes to return beside the usual ones; ``"all"`` for all that the server has.
        limit, offset : int
            At most this many matches, after leaving out the first.
        page : int or None
            Matches of one request; None asks for all at once.
        **keywords
            What to match, by keyword.

        Returns
        -------
        iterator of Dataset

        Raises
        ------
        WebError
            The server refused, or gave the same page again and again.
        ValueError
            An attribute that does not exist.
        """
        pairs = pairs_of(keys, keywords, fuzzy=fuzzy, include=include)
        return self._searched(["studies"], pairs, limit=limit, offset=offset, page=page)

    def series(
        self,
        study: str | None = None,
        keys: Keys = None,
        *,
        fuzzy: bool = False,
        include: Iterable[str] | str = (),
        limit: int | None = None,
        offset: int = 0,
        page: int | None = 1000,
        **keywords: Any,
    ) -> DataSets:
        """Search for series, of a study or of all; the options are those of `studies`."""
        pairs = pairs_of(keys, keywords, fuzzy=fuzzy, include=include)
        return self._searched([*self._core.place(study), "series"], pairs, limit=limit, offset=offset, page=page)

    def instances(
        self,
        study: str | None = None,
        series: str | None = None,
        keys: Keys = None,
        *,
        fuzzy: bool = False,
        include: Iterable[str] | str = (),
        limit: int | None = None,
        offset: int = 0,
        page: int | None = 1000,
        **keywords: Any,
    ) -> DataSets:
        """Search for instances, of a series, of a study or of all; the options are those of `studies`."""
        pairs = pairs_of(keys, keywords, fuzzy=fuzzy, include=include)
        path = [*self._core.place(study, series), "instances"]
        return self._searched(path, pairs, limit=limit, offset=offset, page=page)

    def _searched(self, path: list[str], pairs: list[tuple[str, str]], **paging: Any) -> DataSets:
        found: DataSets = self._iterate(self._core.search(path, pairs, **paging))
        return found

    # -- retrieve

    def metadata(
        self, study: str, series: str | None = None, instance: str | None = None, *, bulk: str | None = None
    ) -> DataSets:
        """The attributes of all instances (PS3.18 10.4.1.1.2), as data sets whose bulk data may stay on the server.

        Parameters
        ----------
        study, series, instance : str
            UIDs; without the lower ones all instances below.
        bulk : {"lazy", "fetch", "leave"}
            A value that the server keeps apart (BulkDataURI) is asked for when it is first used; or at once; or never:
            ``client.bulkdata(ds["PixelData"])`` gives it. `AsyncClient` cannot fetch when a value is used; there
            "leave" is the default, and "lazy" is refused.

        Returns
        -------
        iterator of Dataset
        """
        chosen = bulk or self._bulk
        if chosen not in BULK or (chosen == "lazy" and self._bulk != "lazy"):
            raise ValueError(f"bulk is one of {', '.join(BULK[BULK.index(self._bulk) and 1 :])}, not {bulk!r}")
        path = self._core.place(study, series, instance)
        if chosen == "fetch":
            return self._iterate(self._core.filled_metadata(path))  # type: ignore[no-any-return]
        made = self._core.metadata(path, self._later if chosen == "lazy" else _left)
        return self._iterate(made if chosen == "leave" else self._with_pixels(made))  # type: ignore[no-any-return]

    def _later(self, base: str) -> Callable[[str], Later]:
        """What makes values that are fetched when they are used."""

        def later(uri: str) -> Later:
            url = resolved(uri, base)
            return Later(url, lambda: self._run(self._core.bulk(url, base, None, ANY_BYTES)))

        return later

    def _with_pixels(self, operation: Operation) -> Operation:
        """Metadata whose pixel data come with their transfer syntax."""
        answer: Any = None
        while True:
            try:
                step = operation.send(answer)
            except StopIteration:
                return
            if isinstance(step, Result):
                put_pixels(step.value, lambda url: self._run(self._core.bulk_parts(url, url, PIXELS)))
            answer = yield step

    @overload
    def retrieve(
        self,
        study: str,
        series: str | None = None,
        instance: str | None = None,
        *,
        into: None = None,
        transfer_syntax: str = "*",
    ) -> DataSets: ...
    @overload
    def retrieve(
        self,
        study: str,
        series: str | None = None,
        instance: str | None = None,
        *,
        into: str | os.PathLike[str],
        transfer_syntax: str = "*",
        resume: bool = True,
        duplicates: str = "keep",
        each: Callable[[Outcome], object] | None = None,
    ) -> RetrievedT: ...
    def retrieve(
        self,
        study: str,
        series: str | None = None,
        instance: str | None = None,
        *,
        into: str | os.PathLike[str] | None = None,
        transfer_syntax: str = "*",
        resume: bool = True,
        duplicates: str = "keep",
        each: Callable[[Outcome], object] | None = None,
    ) -> Any:
        """Retrieve instances (PS3.18 10.4), as data sets one after another, or as files.

        Files are named ``study/series/instance.dcm`` by their UIDs; what is no UID becomes a hash. A file has its name
        only when it is whole. If the connection breaks, what is missing is asked for again.

        Parameters
        ----------
        study, series, instance : str
            UIDs; without the lower ones all instances below.
        into : path, optional
            A folder, which is made. Without one, an iterator of data sets is returned.
        transfer_syntax : str
            The one to ask for; by default each instance comes as the server has it.
        resume : bool
            Ask the server which instances there are if the study has a folder already, and pass over those that are
            there.
        duplicates : {"keep", "replace", "reject", "version"}
            What becomes of an instance that is there with other bytes.
        each : callable, optional
            Gets the Outcome of each instance as it comes.

        Returns
        -------
        iterator of Dataset, or Retrieved
        """
        path = self._core.place(study, series, instance)
        if into is None:
            return self._iterate(self._core.instances(path, transfer_syntax))
        return self._run(
            self._core.into_folder(
                (study, series, instance),
                os.fsdecode(into),
                transfer_syntax,
                resume=resume,
                duplicates=duplicates,
                each=each,
            )
        )

    def frames(
        self,
        study: str,
        series: str,
        instance: str,
        numbers: Iterable[int] | None = None,
        *,
        raw: bool = False,
        transfer_syntax: str = "*",
    ) -> Arrays:
        """Frames of an instance, one after another (PS3.18 10.4.1.1.6).

        Parameters
        ----------
        study, series, instance : str
            UIDs.
        numbers : iterable of int, optional
            Frames counted from 1, as the standard does; by default all.
        raw : bool
            Give each frame as bytes in the transfer syntax that it has; by default it is an array, as
            ``Dataset.frames`` gives it.
        transfer_syntax : str
            The one to ask for; by default the server's own.

        Returns
        -------
        iterator of numpy.ndarray, or of bytes
        """
        path = self._core.place(study, series, instance)
        accept = FRAMES.format(transfer_syntax)
        return self._iterate(self._core.frames(path, numbers, accept, raw=raw))  # type: ignore[no-any-return]

    def bulkdata(
        self, uri: str | DataElement, *, span: tuple[int, int | None] | None = None, accept: str = ANY_BYTES
    ) -> Data:
        """The bytes of a value that the server keeps apart (PS3.18 10.4.1.1.5).

        Parameters
        ----------
        uri : str or DataElement
            Its URI, relative ones to the service's URL; or an element of `metadata` whose value was not fetched.
        span : (int, int or None), optional
            Only the bytes from the first number up to, not with, the second.
        accept : str
            Media types, for example ``video/mp4``.

        Returns
        -------
        bytes
        """
        base = self._core.base + "/"
        if isinstance(uri, DataElement):
            later = later_of(uri)
            if later is None:
                raise ValueError(f"{uri.tag} has its value")
            uri = later.uri
        return self._run(self._core.bulk(uri, base, span, accept))  # type: ignore[no-any-return]

    def rendered(
        self,
        study: str,
        series: str | None = None,
        instance: str | None = None,
        frame: int | None = None,
        *,
        accept: str = "image/png",
        window: tuple[float, float] | tuple[float, float, str] | None = None,
        viewport: tuple[int, ...] | None = None,
        quality: int | None = None,
        annotation: str | None = None,
        iccprofile: str | None = None,
    ) -> Data:
        """A picture, video or text that the server makes of an instance or frame (PS3.18 10.4.1.1.3).

        Parameters
        ----------
        study, series, instance : str
            UIDs; not every server renders a whole study or series.
        frame : int, optional
            A frame, counted from 1.
        accept : str
            The media type.
        window : (float, float[, str]), optional
            Centre and width, and ``linear``, ``linear-exact`` or ``sigmoid``.
        viewport : (int, int), optional
            Width and height at most, and a part of the image (x, y, width, height) if there are six numbers.
        quality : int, optional
            1 to 100, of a lossy picture.
        annotation : str, optional
            ``patient`` or ``technique``, or both.
        iccprofile : str, optional
            ``no``, ``yes``, ``srgb``, …

        Returns
        -------
        bytes
        """
        path = self._framed(study, series, instance, frame)
        params = {
            "window": None if window is None else (*window, "linear")[:3],
            "viewport": viewport,
            "quality": quality,
            "annotation": annotation,
            "iccprofile": iccprofile,
        }
        return self._run(self._core.picture([*path, "rendered"], accept, params))  # type: ignore[no-any-return]

    def thumbnail(
        self,
        study: str,
        series: str | None = None,
        instance: str | None = None,
        frame: int | None = None,
        *,
        accept: str = "image/jpeg",
        viewport: tuple[int, int] | None = None,
    ) -> Data:
        """A small picture of a study, series, instance or frame (PS3.18 10.4.1.1.4)."""
        path = self._framed(study, series, instance, frame)
        params = {"viewport": viewport}
        return self._run(self._core.picture([*path, "thumbnail"], accept, params))  # type: ignore[no-any-return]

    def _framed(self, study: str, series: str | None, instance: str | None, frame: int | None) -> list[str]:
        if frame is not None and (instance is None or frame < 1):
            raise ValueError("a frame needs its instance, and is counted from 1")
        return [*self._core.place(study, series, instance), *(["frames", str(frame)] if frame is not None else [])]

    # -- store, delete

    def store(
        self, sources: Any, *, study: str | None = None, each: Callable[[Outcome], object] | None = None
    ) -> StoredT:
        """Store instances (PS3.18 10.5), in requests of a bounded size, as their files are, byte for byte.

        Parameters
        ----------
        sources : path, Dataset, or iterable of them
            Files, folders, zip and tar archives, DICOMDIRs and URLs as `archive.index` takes them, and data sets. Files
            of folders that are not DICOM are passed over.
        study : str, optional
            Refuse instances of other studies.
        each : callable, optional
            Gets the Outcome of each instance as it is known.

        Returns
        -------
        Stored
            True if nothing failed; the failures say why. One bad instance does not cost the others.

        Raises
        ------
        WebError
            The server cannot be reached, or refuses to store anything.
        """
        return self._run(self._core.store(sources, study, each))  # type: ignore[no-any-return]

    def delete(self, study: str, series: str | None = None, instance: str | None = None) -> Nothing:
        """Remove a study, series or instance. The standard has no such transaction, but many servers do."""
        return self._run(self._core.delete(self._core.place(study, series, instance)))  # type: ignore[no-any-return]

    # -- the rest

    def capabilities(self) -> Described:
        """What the service says it can do (PS3.18 8.9): a text and its media type."""
        return self._run(self._core.capabilities())  # type: ignore[no-any-return]

    @property
    def workitems(self) -> Workitems[DataSets, OneSet, Text, Nothing]:
        """The service's workitems (PS3.18 11)."""
        return Workitems(self)

    def commit(self, instances: Iterable[Any], *, transaction: str | None = None) -> CommitmentT:
        """Ask the server to take over the safekeeping of instances (PS3.18 13.4).

        `instances` are data sets, or pairs of SOP Class UID and SOP Instance UID.
        """
        pairs = [
            (text_of(one, "SOPClassUID") or "", text_of(one, "SOPInstanceUID") or "")
            if isinstance(one, Dataset)
            else (str(one[0]), str(one[1]))
            for one in instances
        ]
        return self._run(WorkitemCore(self._core).commit(pairs, transaction))  # type: ignore[no-any-return]

    def commitment(self, transaction: str) -> CommitmentT:
        """The answer to an earlier `commit` (PS3.18 13.5)."""
        return self._run(WorkitemCore(self._core).commitment(transaction))  # type: ignore[no-any-return]


class Workitems(Generic[DataSets, OneSet, Text, Nothing]):
    """Unified Procedure Steps of a service."""

    def __init__(self, api: Any) -> None:
        self._api = api
        self._core = WorkitemCore(api._core)

    def search(
        self,
        keys: Keys = None,
        *,
        fuzzy: bool = False,
        include: Iterable[str] | str = (),
        limit: int | None = None,
        offset: int = 0,
        page: int | None = 1000,
        **keywords: Any,
    ) -> DataSets:
        """Search for workitems; the options are those of `Client.studies`."""
        pairs = pairs_of(keys, keywords, fuzzy=fuzzy, include=include)
        return self._api._searched(["workitems"], pairs, limit=limit, offset=offset, page=page)  # type: ignore[no-any-return]

    def create(self, ds: Dataset, uid: str | None = None) -> Text:
        """Make a workitem of a data set; returns its UID, which is made if none is given."""
        return self._api._run(self._core.create(ds, uid))  # type: ignore[no-any-return]

    def retrieve(self, uid: str) -> OneSet:
        """The attributes of a workitem."""
        return self._api._run(self._core.retrieve(uid))  # type: ignore[no-any-return]

    def update(self, uid: str, ds: Dataset, *, transaction: str | None = None) -> Text:
        """Change attributes; `transaction` is the UID that claimed it. Returns the server's warning, "" for none."""
        return self._api._run(self._core.update(uid, ds, transaction))  # type: ignore[no-any-return]

    def state(self, uid: str, state: str, transaction: str) -> Text:
        """Claim a workitem ("IN PROGRESS") under a new transaction UID, or end it ("COMPLETED", "CANCELED") under the
        same. Returns the server's warning, "" for none."""
        return self._api._run(self._core.state(uid, state, transaction))  # type: ignore[no-any-return]

    def cancel(self, uid: str, ds: Dataset | None = None) -> Text:
        """Ask whoever performs a workitem to cancel it; `ds` may say why. Returns the server's warning, "" for none."""
        return self._api._run(self._core.cancel(uid, ds))  # type: ignore[no-any-return]

    def subscribe(
        self, aet: str, uid: str = GLOBAL, *, deletion_lock: bool = False, keys: Keys = None, **keywords: Any
    ) -> Text:
        """Ask for the events of a workitem, or of all; returns the URL that they come on, for `events`."""
        pairs = pairs_of(keys, keywords)
        return self._api._run(self._core.subscribe(uid, aet, lock=deletion_lock, keys=pairs))  # type: ignore[no-any-return]

    def unsubscribe(self, aet: str, uid: str = GLOBAL) -> Nothing:
        """Ask for no more events of a workitem, or of all."""
        return self._api._run(self._core.unsubscribe(uid, aet))  # type: ignore[no-any-return]

    def suspend(self, aet: str, uid: str = GLOBAL) -> Nothing:
        """Ask for no events of workitems that will be made."""
        return self._api._run(self._core.suspend(uid, aet))  # type: ignore[no-any-return]

    def events(self, aet: str, url: str = "") -> DataSets:
        """Event reports as they come, by WebSocket (PS3.18 8.10); needs websockets. `url` is what `subscribe` gave."""
        return self._api._events(self._core.channel(aet, url))  # type: ignore[no-any-return]


def _left(base: str) -> Callable[[str], Later]:
    """What makes values that stay on the server."""

    def later(uri: str) -> Later:
        url = resolved(uri, base)

        def fetch() -> Any:
            raise WebError('the value was left on the server: client.bulkdata(ds["PixelData"]) gives it', url=url)

        return Later(url, fetch)

    return later
