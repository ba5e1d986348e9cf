"""Objects at URLs, through fsspec: listed folder by folder, and read by ranges, many at a time."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from dicomcore.archive.extra import needs_extra
from dicomcore.archive.sources.answer import Answer, facts_of
from dicomcore.archive.sources.blob import Blob
from dicomcore.archive.sources.place import Place
from dicomcore.archive.sources.ranges import Ranges

__all__ = ["ObjectStore", "RemoteFile", "RemotePlace", "is_url", "open_store", "server_of"]

T = TypeVar("T")
HEAD = 32 * 1024  # bytes of an object in the first request: few headers are longer
THREADS = 16  # threads that read from a file system that is not asynchronous
URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(://|::)")
HTTP = frozenset(("http", "https"))
S3 = frozenset(("s3", "s3a"))
EXTRAS = {"s3": "s3", "s3a": "s3", "http": "http", "https": "http"}


def is_url(source: str) -> bool:
    """Whether a source is a URL for fsspec: it begins with a protocol (a single letter is a drive)."""
    match = URL.match(source)
    return match is not None and match.end() > 4


class RemotePlace(Place):
    """One object; the facts that the listing does not state come with its first bytes."""

    __slots__ = ("path", "store")
    store: ObjectStore
    path: str

    def open(self) -> Blob:
        """Read the object's head."""
        return self.ask().result()

    def ask(self) -> Future[Blob]:
        """Request the object's head."""
        return self.store.begin(self)


class ObjectStore:
    """A file system of fsspec; `protocol` is that of its URLs, `tail` the rest of a chained URL behind "::"."""

    def __init__(self, fs: Any, protocol: str, tail: str = "") -> None:
        self.fs = fs
        self.protocol = protocol
        self.tail = tail
        self._cached_ranges: Ranges | None = None
        self._pool: ThreadPoolExecutor | None = None

    def __reduce__(self) -> tuple[type[ObjectStore], tuple[Any, str, str]]:
        return ObjectStore, (self.fs, self.protocol, self.tail)

    @property
    def is_web(self) -> bool:
        """Whether its paths are HTTP URLs: these do not show whether they name a folder."""
        return self.protocol in HTTP

    def shown(self, path: str) -> str:
        """The URL of a path."""
        url = path if self.is_web else self.fs.unstrip_protocol(path)
        return f"{url}::{self.tail}" if self.tail else url

    def place(self, path: str, info: Mapping[str, Any] | None = None) -> RemotePlace:
        """The object at `path`, with the facts of its entry `info` in a listing."""
        size, mtime, etag = facts_of(info or {})
        place = RemotePlace(self.shown(path), size, mtime, etag)
        place.store, place.path = self, path
        return place

    def walk(self, top: str, failed: Callable[[str, Exception], T]) -> Iterator[RemotePlace | T]:
        """The objects below a folder, each folder's entries sorted by name. For a folder that can't be listed, the
        result of ``failed(url, error)``."""
        walked: set[str] = set()
        pending: list[tuple[str, Mapping[str, Any]]] = [(top, {"type": "directory"})]
        while pending:
            path, info = pending.pop()
            if info["type"] != "directory":
                yield self.place(path, info)
                continue
            if path.rstrip("/") in walked:
                continue
            walked.add(path.rstrip("/"))
            try:
                listed = self._list(path)
            except Exception as error:
                yield failed(self.shown(path), error)
                continue
            pending.extend((entry["name"], entry) for entry in reversed(listed))

    def _list(self, folder: str) -> list[Mapping[str, Any]]:
        listed = self.fs.ls(folder, detail=True)
        if (cache := getattr(self.fs, "dircache", None)) is not None:
            cache.clear()  # it would grow with the archive
        itself = folder.rstrip("/")  # some stores list a marker object of the folder among its entries
        entries = [entry for entry in listed if str(entry["name"]).rstrip("/") != itself]
        return sorted(entries, key=lambda entry: posixpath.basename(str(entry["name"]).rstrip("/")))

    # -- reading

    def begin(self, place: RemotePlace) -> Future[Blob]:
        """Request the head of an object."""
        if self.fs.async_impl:
            return self._run(self._begin(place))
        if self._pool is None:
            self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="dicomcore-read")
        return self._pool.submit(self._begin_waiting, place)

    def fetch(self, path: str, offset: int, length: int) -> bytes:
        """Bytes of an object; fewer at its end."""
        if self.fs.async_impl:
            return self._run(self._ask(path, offset, length, 0)).result().data
        return bytes(self.fs.cat_file(path, start=offset, end=offset + length))

    def info(self, path: str) -> Mapping[str, Any]:
        """The file system's entry of a path; raises FileNotFoundError and other OSErrors."""
        entry: Mapping[str, Any] = self.fs.info(path)
        return entry

    def _run(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        import asyncio  # local files need none of it

        return asyncio.run_coroutine_threadsafe(work, self.fs.loop)

    async def _begin(self, place: RemotePlace) -> Blob:
        length = HEAD if place.size is None else min(HEAD, place.size)
        answer = await self._ask(place.path, 0, length, place.size)
        return self._blob(place, answer)

    def _begin_waiting(self, place: RemotePlace) -> Blob:
        size, mtime, etag = place.size, place.mtime, place.etag
        if size is None:
            size, mtime, etag = facts_of(self.fs.info(place.path))
        length = HEAD if size is None else min(HEAD, size)
        data = bytes(self.fs.cat_file(place.path, start=0, end=length)) if length else b""
        return self._blob(place, Answer(data, size, mtime, etag))

    def _blob(self, place: RemotePlace, answer: Answer) -> Blob:
        size = answer.size if answer.size is not None else place.size
        if size is None:
            raise OSError("The server does not say how long the file is")
        mtime = answer.mtime if answer.mtime is not None else place.mtime
        fetch = partial(self.fetch, place.path)
        return Blob(place, size, None if mtime is None else mtime * 1000, fetch, answer.data[:size])

    async def _ask(self, path: str, offset: int, length: int, size: int | None) -> Answer:
        if size == 0 and not offset and not length:
            return Answer(b"", 0, None, None)
        return await self._ranges.read(path, offset, length, size)

    @property
    def _ranges(self) -> Ranges:
        if self._cached_ranges is None:
            self._cached_ranges = Ranges(self.fs, web=self.is_web, signs=self.protocol in S3)
        return self._cached_ranges


class RemoteFile:
    """The Bytes of an object that is an archive."""

    def __init__(self, place: RemotePlace) -> None:
        self._store, self._path = place.store, place.path
        size, mtime = place.size, place.mtime
        if size is None:
            size, mtime, _ = facts_of(place.store.info(place.path))
        if size is None:
            raise OSError("The server does not say how long the file is")
        self.size, self.mtime = size, mtime

    def read_at(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset` on; fewer at the end of the object."""
        length = min(length, self.size - offset)
        return self._store.fetch(self._path, offset, length) if length > 0 else b""


def open_store(url: str, options: Mapping[str, Any] | None) -> tuple[ObjectStore, str]:
    """The file system of a URL, and the path in it.

    `options` are fsspec's storage options, either for all protocols or by protocol. Raises ModuleNotFoundError if a
    library is missing, and ValueError for an unknown protocol.
    """
    protocol = re.split(r"://|::", url, maxsplit=1)[0].lower()
    options = dict(options or {})
    with needs_extra("fsspec"):
        import fsspec
        from fsspec.core import url_to_fs
    if options and "::" not in url and set(fsspec.available_protocols()).issuperset(options):
        options = dict(options.get(protocol, {}))
    try:
        fs, path = url_to_fs(url, skip_instance_cache=True, **options)
    except ImportError as error:
        extra = EXTRAS.get(protocol)
        brings = f'; pip install "dicomcore[{extra}]" brings it' if extra else ""
        raise ModuleNotFoundError(f"{protocol}:// is read with another library: {error}{brings}") from error
    return ObjectStore(fs, protocol, url.partition("::")[2]), path


def server_of(url: str) -> str:
    """The server that a URL names, as text to compare; empty for most protocols, whose URLs name none."""
    try:
        import fsspec

        options = fsspec.get_filesystem_class(url.partition("://")[0].lower())._get_kwargs_from_urls(url)
    except (ImportError, ValueError):  # the error that opening the URL raises says more
        return ""
    return repr(sorted((name, repr(value)) for name, value in options.items() if name not in ("path", "fo")))
