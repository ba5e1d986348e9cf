"""Sources: the paths, URLs and lists that a caller names, resolved to files."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, groupby
from typing import Any

from dicomcore.archive.failure import DAMAGED, NOT_DICOM, failure_of
from dicomcore.archive.sources.dicomdir import fileset_paths, is_dicomdir
from dicomcore.archive.sources.lists import PathList
from dicomcore.archive.sources.place import INSIDE, Bytes, Fault, LocalFile, Place
from dicomcore.archive.sources.remote import ObjectStore, RemoteFile, RemotePlace, is_url, open_store, server_of
from dicomcore.archive.sources.tars import tar_members
from dicomcore.archive.sources.walk import Output, walk_runs
from dicomcore.archive.sources.zips import zip_members

__all__ = ["SourceLike", "Sources", "as_sources", "named_sources"]

SourceLike = str | os.PathLike[str] | PathList
ZIPS = (".zip",)
TARS = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
WILD = re.compile(r"[*?\[]")
ENDING = tuple(map(str.encode, ZIPS + TARS))
NESTED = "OSError: An archive within an archive is not opened: extract it first"
EVERYTHING = 0xFFFFFFFF
DICOMWEB = ("dicomweb+http://", "dicomweb+https://")


def as_sources(sources: SourceLike | Iterable[SourceLike]) -> Iterable[SourceLike]:
    """One source, or several, as an iterable."""
    return [sources] if isinstance(sources, (str, os.PathLike, PathList)) else sources


def _is_archive(name: str) -> bool:
    """Whether a file has the suffix of an archive, in letters of any case."""
    return name.lower().endswith(ZIPS + TARS)


def _archive_of(source: str) -> str | None:
    """The archive of a source such as ``a.zip!/b``, which names members; None for any other source."""
    archive, inside, _ = source.partition(INSIDE)
    if not inside or not _is_archive(archive) or (not is_url(source) and os.path.lexists(source)):
        return None
    return archive


def named_sources(words: Iterable[str]) -> list[SourceLike]:
    """The sources of a command line; ``@FILE`` is a list. FileNotFoundError for local files that do not exist."""
    sources: list[SourceLike] = []
    missing = []
    for word in words:
        listed = word.startswith("@") and not os.path.lexists(word)
        path = word[1:] if listed else word
        if not is_url(path) and not os.path.lexists(path) and not (listed and path == "-"):
            archive, inside, _ = path.partition(INSIDE)
            if listed or not (WILD.search(path) or (inside and os.path.lexists(archive))):
                missing.append(path)
        sources.append(PathList(path) if listed else path)
    if missing:
        raise FileNotFoundError(f"no such file or folder: {', '.join(missing)}")
    return sources


class Sources:
    """The files of one run's sources. Iterating walks them, in an order that does not change from run to run.

    A local file is a plain str. Members of archives (named by a source, or in a folder) and objects at URLs are
    Places. A path that can't be walked, or a source that does not exist, is a Fault. The file of `output` is left
    out. Headers are needed up to `stop_tag`; `options` are fsspec's storage options.
    """

    def __init__(
        self,
        sources: SourceLike | Iterable[SourceLike],
        *,
        output: Output | None = None,
        stop_tag: int = EVERYTHING,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self._sources = sources
        self._output = output
        self._stop_tag = stop_tag
        self._options = options
        self._walked: set[tuple[int, int]] = set()  # folders by device and inode: none is walked twice
        self._stores: dict[str, ObjectStore] = {}

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self.runs())

    def runs(self) -> Iterator[list[str]]:
        """The files in lists: of one Place, or of up to some thousand local files, which cost less time together."""
        self._walked.clear()
        for source in as_sources(self._sources):
            listed = isinstance(source, PathList)
            texts: Iterable[str] = source if isinstance(source, PathList) else [os.fsdecode(source)]
            for archive, group in groupby(texts, _archive_of):
                if archive is not None:
                    yield from _single(self._named_members(archive, list(group)))
                    continue
                for text in group:
                    yield from self._runs(text, listed=listed)

    def _runs(self, source: str, *, listed: bool = False) -> Iterator[list[str]]:
        """The files of one source."""
        if source.startswith(DICOMWEB):
            yield from _single(self._served(source))
        elif is_url(source):
            yield from self._behind(source, listed)
        elif os.path.isdir(source):
            yield from self._below(source)
        elif os.path.lexists(source):
            if is_dicomdir(source) and os.path.isfile(source):  # opening a pipe of this name would wait for its writer
                yield from _single(_guarded(source, fileset_paths))
            else:
                yield from _single(self._opened(source))
        elif WILD.search(source):
            yield from self._matching(source)
        else:
            yield [Fault(source, "FileNotFoundError: No such file or folder")]

    def _below(self, folder: str) -> Iterator[list[str]]:
        for run in walk_runs(folder, self._walked, self._output, ENDING):
            if len(run) == 1 and type(run[0]) is str:
                yield from _single(self._opened(run[0]))
            else:
                yield run

    def _opened(self, path: str) -> Iterator[str]:
        """A file; if it has the suffix of an archive, the archive's members."""
        if not _is_archive(path):
            yield path
        else:
            yield from _guarded(path, lambda path: self._members(path, LocalFile(path)))

    def _members(self, path: str, file: Bytes) -> Iterator[Place]:
        zipped = path.lower().endswith(ZIPS)
        for member in zip_members(file, path) if zipped else tar_members(file, path, self._stop_tag):
            nested = _is_archive(member) and not isinstance(member, Fault)
            yield Fault(member, NESTED) if nested else member

    def _named_members(self, archive: str, names: list[str]) -> Iterator[str]:
        """Members by the names that tables show, in the archive's order; a name that ends in "/" is a folder."""
        missing = set(names)
        folders = tuple(name for name in missing if name.endswith("/"))
        for file in chain.from_iterable(self._runs(archive, listed=True)):
            if file in missing:
                missing.discard(file)
            elif folders and file.startswith(folders):
                missing.difference_update(folder for folder in folders if file.startswith(folder))
            elif INSIDE in file:
                continue
            yield file  # also the Fault of an archive that can't be read
        for name in names:
            if name in missing:
                missing.discard(name)
                yield Fault(name, "FileNotFoundError: No such member in the archive")

    def _matching(self, pattern: str) -> Iterator[list[str]]:
        matches = sorted(glob.iglob(pattern, recursive=True))
        if not matches:
            yield [Fault(pattern, "FileNotFoundError: Nothing matches")]
        for path in matches:
            if not os.path.isdir(path):
                yield from _single(self._opened(path))
            elif "**" not in pattern:  # "**" matches the files below the folder as well
                yield from self._below(path)

    # -- URLs

    def _served(self, url: str) -> Iterator[str]:
        """The instances of a DICOMweb server."""
        from dicomcore.web.indexing import places_of  # a lazy door: `web` stands on `archive`

        try:
            yield from places_of(url, self._options)
        except GeneratorExit:
            raise
        except Exception as error:
            yield _failed(url, error)

    def _behind(self, url: str, listed: bool) -> Iterator[list[str]]:
        store, path = self._store(url)
        if store is None:
            yield from self._runs(path)
        else:
            yield from _single(self._objects(store, url, path, listed))

    def _objects(self, store: ObjectStore, url: str, path: str, listed: bool) -> Iterator[str]:
        try:
            for place in self._places(store, url, path, listed):
                if isinstance(place, RemotePlace) and _is_archive(place.path):
                    yield from _guarded(place, lambda place: self._members(place, RemoteFile(place)))
                else:
                    yield place
        except Exception as error:
            yield _failed(url, error)

    def _places(self, store: ObjectStore, url: str, path: str, listed: bool) -> Iterator[Place]:
        if WILD.search(path) and not store.is_web:
            matches = store.fs.glob(path, detail=True)
            if not matches:
                raise FileNotFoundError("Nothing matches")
            for name in sorted(matches):
                if matches[name]["type"] != "directory":
                    yield store.place(name, matches[name])
                elif "**" not in path:
                    yield from store.walk(name, _failed)
            return
        folder = url.endswith("/")
        info: Mapping[str, Any] = {}
        if not folder and not listed and not store.is_web:
            info = store.info(path)
            folder = info["type"] == "directory"
        if folder:
            yield from store.walk(path, _failed)
        else:
            yield store.place(path, info)

    def _store(self, url: str) -> tuple[ObjectStore | None, str]:
        """The store of a URL, and the path in it; None and the path for a local file."""
        protocol = url.partition("://")[0].lower()
        if protocol in ("file", "local") and "::" not in url:
            return None, url.partition("://")[2]
        if "::" in url:
            return open_store(url, self._options)
        key = f"{protocol} {server_of(url)}"
        if key in self._stores:
            return self._stores[key], str(self._stores[key].fs._strip_protocol(url))
        self._stores[key], path = open_store(url, self._options)
        return self._stores[key], path


def _single(files: Iterable[str]) -> Iterator[list[str]]:
    return ([file] for file in files)


def _failed(url: str, error: Exception) -> Fault:
    return Fault(url, *failure_of(error, url))


def _guarded(path: Any, members: Callable[[Any], Iterator[str]]) -> Iterator[str]:
    """The files of an archive or a DICOMDIR, and at the end a Fault if it can't be read any further."""
    try:
        yield from members(path)
    except GeneratorExit:
        raise
    except Exception as error:
        failure = failure_of(error, path)
        # Never "not DICOM": the archive or directory should have given files, and these are missing now.
        yield Fault(path, failure.reason, DAMAGED if failure.kind == NOT_DICOM else failure.kind)
