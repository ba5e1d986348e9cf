"""What a client does, without any I/O: each operation is a generator of requests, which is sent their answers.

A step of an operation is a `Call`, whose `Answer` comes back, or a `Result` for the caller. Both faces run the same
operations: `web.Client` blocks, `web.AsyncClient` awaits.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import text_of
from dicomcore.dataset.state import Later
from dicomcore.errors import WebError
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.net.storing import DUPLICATES, INCOMING, Folder
from dicomcore.part10.keeping import safe_name
from dicomcore.web.client_answers import Answer, check, data_sets_of
from dicomcore.web.client_frames import FrameDecoder, put_pixels
from dicomcore.web.client_receivers import BytesReceiver, DataSetReceiver, FileReceiver, Outcome, Whole
from dicomcore.web.client_requests import JSON, Call, Result, is_same_origin, path_of, resolved
from dicomcore.web.client_storing import Batch, Stored, UnreadableError, batches_of, outcomes_of
from dicomcore.web.multipart import DEFAULT_PART_LIMITS, PartLimits

if TYPE_CHECKING:
    from dicomcore.web.client_receivers import Receiver

__all__ = ["PIXELS", "ClientLimits", "Core", "Operation", "Retrieved"]

Operation = Generator[Call | Result, Any, Any]
PIXELS = 'multipart/related; type="application/octet-stream"; transfer-syntax=*, */*;q=0.1'
INSTANCES = 'multipart/related; type="application/dicom"; transfer-syntax={}'


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLimits:
    """Bounds on what a server may make the client hold, and on how much is sent at once."""

    body: int = 512 << 20
    """Bytes of a body that is read into memory: data sets as JSON or XML, a picture, a value."""
    part: int = 1 << 31
    """Bytes of an instance or frame that is read into memory."""
    parts: PartLimits = DEFAULT_PART_LIMITS
    """Bounds on multipart messages."""
    reading: Limits = DEFAULT_LIMITS
    """Bounds on the data sets."""
    batch: int = 100
    """Instances of one request to store."""
    batch_bytes: int = 256 << 20
    """Bytes of one request to store, unless one instance has more."""
    frames: int = 50
    """Frames of one request."""


class Retrieved(NamedTuple):
    """What came of `retrieve` into a folder: instances received, those that were there before, and failures.

    True if nothing failed.
    """

    received: int
    present: int
    failures: list[Outcome]

    def __bool__(self) -> bool:
        return not self.failures


class Core:
    """The operations of one service."""

    def __init__(self, base: str, *, limits: ClientLimits, hosts: Iterable[str], retries: int) -> None:
        self.base, self.limits, self._retries = base, limits, retries
        self._hosts = frozenset(host.lower() for host in hosts)

    def url(self, *segments: str) -> str:
        """The URL of a resource."""
        return f"{self.base}/{path_of(*segments)}"

    def place(self, study: str | None, series: str | None = None, instance: str | None = None) -> list[str]:
        """The path of a study, series or instance. ValueError if one of the upper levels is missing."""
        if (series is not None and study is None) or (instance is not None and series is None):
            raise ValueError("a series needs its study, an instance its series")
        levels = (("studies", study), ("series", series), ("instances", instance))
        return [part for name, uid in levels if uid is not None for part in (name, uid)]

    # -- search

    def search(
        self,
        path: Sequence[str],
        pairs: list[tuple[str, str]],
        *,
        limit: int | None,
        offset: int,
        page: int | None,
    ) -> Operation:
        """The matches of a query, page by page (PS3.18 8.3.4.4)."""
        if (limit is not None and limit < 0) or offset < 0 or (page is not None and page < 1):
            raise ValueError("limit and offset are 0 or more, page is 1 or more")
        left, first = limit, None
        while left is None or left:
            size = page if left is None else left if page is None else min(page, left)
            more = [("limit", str(size))] if size is not None else []
            more += [("offset", str(offset))] if offset else []
            answer = check((yield self.query(path, (*pairs, *more))))
            found = 0
            for ds in data_sets_of(answer, self.limits.reading):
                if not found and first is not None and ds == first:
                    raise WebError("the server gives the same page again", status=answer.status, url=answer.url)
                if not found:
                    first = ds
                found += 1
                yield Result(ds)
                if left is not None and found >= left:
                    return
            is_cut = "299" in answer.warning
            is_last = not is_cut if size is None else found > size or (found < size and not is_cut)
            if not found or is_last:
                return
            offset += found
            left = None if left is None else left - found

    def query(self, path: Sequence[str], pairs: Iterable[tuple[str, str]]) -> Call:
        """The request of a search."""
        return self.get_json(self.url(*path), tuple(pairs))

    def get_json(self, url: str, params: tuple[tuple[str, str], ...] = ()) -> Call:
        """A request for data sets."""
        headers = {"Accept": JSON, "Accept-Encoding": "gzip"}
        return Call("GET", url, params, headers, most=self.limits.body)

    # -- retrieve

    def metadata(self, path: Sequence[str], handler: Callable[[str], Any]) -> Operation:
        """The attributes of instances; `handler` makes of an answer's URL what makes a `Later` of a URI."""
        answer = check((yield self.get_json(self.url(*path, "metadata"))))
        for ds in data_sets_of(answer, self.limits.reading, handler(answer.url)):
            yield Result(ds)

    def filled_metadata(self, path: Sequence[str]) -> Operation:
        """The same with all values, which are fetched between a first reading and a second."""
        answer = check((yield self.get_json(self.url(*path, "metadata"))))
        values: dict[str, list[Whole]] = {}
        for _ in data_sets_of(answer, self.limits.reading, lambda uri: values.update({uri: []})):
            pass
        for uri in values:
            values[uri] = yield from self.bulk_parts(uri, answer.url, PIXELS)

        def later(uri: str) -> Later:
            return Later(uri, lambda: b"".join(whole.data for whole in values[uri]))

        for ds in data_sets_of(answer, self.limits.reading, later):
            put_pixels(ds, values.__getitem__)
            yield Result(ds)

    def instances(self, path: Sequence[str], syntax: str) -> Operation:
        """Instances as data sets. If the connection breaks, those that were given are not given again."""
        seen: set[str] = set()

        def receiver() -> Receiver:
            return DataSetReceiver(self.limits.part, self.limits.reading, seen, seen.add, self.limits.parts)

        yield from self._again(lambda: self._fetch(path, syntax, receiver), lambda: len(seen))

    def _fetch(self, path: Sequence[str], syntax: str, receiver: Callable[[], Receiver]) -> Operation:
        headers = {"Accept": INSTANCES.format(syntax), "Accept-Encoding": "identity"}
        check((yield Call("GET", self.url(*path), (), headers, receiver=receiver)))

    def _again(self, attempt: Callable[[], Operation], progress: Callable[[], int]) -> Operation:
        """Run an attempt; again if it breaks off after it came further than the one before."""
        for tries in count(1):
            before = progress()
            try:
                return (yield from attempt())
            except WebError as error:
                if error.status or tries > self._retries or progress() == before:
                    raise

    def into_folder(
        self,
        levels: tuple[str, str | None, str | None],
        folder: str,
        syntax: str,
        *,
        resume: bool,
        duplicates: str,
        each: Callable[[Outcome], object] | None,
    ) -> Operation:
        """Instances as files."""
        if duplicates not in DUPLICATES:
            raise ValueError(f"duplicates is one of {', '.join(DUPLICATES)}, not {duplicates!r}")
        target = Folder(folder, duplicates=duplicates, reading=self.limits.reading)
        tally = _Tally(each)

        def receiver() -> Receiver:
            return FileReceiver(target, self.limits.reading, tally.take, self.limits.parts)

        def attempt() -> Operation:
            for path in (yield from self._missing(levels, target, tally, resume=resume)):
                yield from self._fetch(path, syntax, receiver)

        try:
            yield from self._again(attempt, lambda: len(tally.come))
        finally:
            with suppress(OSError):
                os.rmdir(os.path.join(target.root, INCOMING))
        return Retrieved(len(tally.come), len(tally.present), tally.failures)

    def _missing(
        self, levels: tuple[str, str | None, str | None], target: Folder, tally: _Tally, *, resume: bool
    ) -> Generator[Call | Result, Any, list[list[str]]]:
        """Paths to retrieve: all at once, or by the server's list what is not in the folder."""
        study, series, instance = levels
        whole = [self.place(*levels)]
        if not tally.come and (not resume or not os.path.isdir(os.path.join(target.root, safe_name(study)))):
            return whole
        if instance is not None:
            here = _is_there(target, study, series or "", instance)
            return [] if here and tally.saw_present(instance) else whole
        wanted: dict[str, list[str]] = {}
        missing: dict[str, list[str]] = {}
        answers = self.search([*self.place(study, series), "instances"], [], limit=None, offset=0, page=1000)
        for ds in (yield from _gathered(answers)):
            within, uid = text_of(ds, "SeriesInstanceUID") or series or "", text_of(ds, "SOPInstanceUID") or ""
            wanted.setdefault(within, []).append(uid)
            if uid in tally.come:
                continue
            if _is_there(target, study, within, uid):
                tally.saw_present(uid)
            else:
                missing.setdefault(within, []).append(uid)
        if not wanted:
            return whole
        paths = []
        for within, uids in missing.items():
            if len(uids) == len(wanted[within]):
                paths.append(self.place(study, within))
            else:
                paths += [self.place(study, within, uid) for uid in uids]
        return paths

    def frames(self, path: Sequence[str], numbers: Iterable[int] | None, accept: str, *, raw: bool) -> Operation:
        """Frames as arrays, or as they lie."""
        header: Dataset | None = None
        if not raw or numbers is None:
            answer = check((yield self.get_json(self.url(*path, "metadata"))))
            header = next(data_sets_of(answer, self.limits.reading, lambda uri: None), None)
            if header is None:
                raise WebError("the server has no metadata of the instance", status=answer.status, url=answer.url)
        decoder = None if raw else FrameDecoder(header, self.limits.reading)
        wanted = list(range(1, _frames_of(header) + 1) if numbers is None else numbers)
        if any(number < 1 for number in wanted):
            raise ValueError("frames are numbered from 1")
        for at in range(0, len(wanted), self.limits.frames):
            some = wanted[at : at + self.limits.frames]
            got = yield from self._some_frames(path, some, accept)
            if len(got) != len(some):
                raise WebError(f"{len(some)} frames were asked for, and {len(got)} came", url=self.url(*path))
            for number, whole in zip(some, got, strict=True):
                yield Result(whole.data if decoder is None else decoder.decoded(whole, number))

    def _some_frames(self, path: Sequence[str], numbers: list[int], accept: str) -> Operation:
        got: list[Any] = []

        def receiver() -> Receiver:
            got.clear()
            return _Kept(BytesReceiver(self.limits.part, self.limits.parts), got)

        url = f"{self.url(*path, 'frames')}/{','.join(map(str, numbers))}"
        check((yield Call("GET", url, (), {"Accept": accept, "Accept-Encoding": "identity"}, receiver=receiver)))
        return got

    def bulk(self, uri: str, base: str, span: tuple[int, int | None] | None, accept: str) -> Operation:
        """The bytes of a value, or a span of them."""
        got, status = yield from self._parts(uri, base, accept, span)
        data = b"".join(whole.data for whole in got)
        return data if span is None or status == 206 else data[span[0] : span[1]]

    def bulk_parts(self, uri: str, base: str, accept: str) -> Generator[Call | Result, Any, list[Whole]]:
        """A value as the parts that it comes in. A server that does not know what may be asked for is asked again."""
        try:
            return (yield from self._parts(uri, base, accept, None))[0]
        except WebError as error:
            if error.status != 406:
                raise
        return (yield from self._parts(uri, base, "*/*", None))[0]

    def _parts(
        self, uri: str, base: str, accept: str, span: tuple[int, int | None] | None
    ) -> Generator[Call | Result, Any, tuple[list[Whole], int]]:
        url = resolved(uri, base)
        is_foreign = not is_same_origin(self.base, url)
        if is_foreign and _host_of(url) not in self._hosts:
            raise WebError("the value is at another server, which `hosts` does not name", url=url)
        got: list[Whole] = []

        def receiver() -> Receiver:
            got.clear()
            return _Kept(BytesReceiver(self.limits.part, self.limits.parts), got)

        headers = {"Accept": accept, "Accept-Encoding": "identity"}
        if span is not None:
            headers["Range"] = f"bytes={span[0]}-{'' if span[1] is None else span[1] - 1}"
        answer = check((yield Call("GET", url, (), headers, receiver=receiver, is_foreign=is_foreign)))
        return got, answer.status

    def picture(self, path: Sequence[str], accept: str, params: Mapping[str, Any]) -> Operation:
        """A rendered image, video or text."""
        pairs = tuple((name, _listed(value)) for name, value in params.items() if value is not None)
        got: list[Any] = []

        def receiver() -> Receiver:
            got.clear()
            return _Kept(BytesReceiver(self.limits.body, self.limits.parts), got)

        check((yield Call("GET", self.url(*path), pairs, {"Accept": accept}, receiver=receiver)))
        if not got:
            raise WebError("the server sent an empty picture", url=self.url(*path))
        return got[0].data

    # -- store, delete

    def store(
        self, sources: Any, study: str | None, each: Callable[[Outcome], object] | None
    ) -> Generator[Call | Result, Any, Stored]:
        """Instances of any sources, an outcome for each."""
        tally = _StoreTally(each)
        path = ["studies"] if study is None else ["studies", study]
        for batch in batches_of(
            sources, self.limits.reading, most=self.limits.batch, most_bytes=self.limits.batch_bytes
        ):
            tally.passed_over += batch.passed_over
            for outcome in batch.refused:
                tally.take(outcome)
            if batch.items:
                yield from self._send(batch, self.url(*path), tally)
        return Stored(tally.stored, tally.warnings, tally.failures, tally.passed_over)

    def _send(self, batch: Batch, url: str, tally: _StoreTally) -> Operation:
        headers, content = batch.content()
        try:
            answer: Answer = yield Call("POST", url, (), {"Accept": JSON, **headers}, content, most=self.limits.body)
        except UnreadableError as error:
            tally.take(error.item.outcome("failed", str(error)))
            others = [item for item in batch.items if item is not error.item]
            if others:
                yield from self._send(Batch(others, [], 0), url, tally)
            return
        except WebError as error:
            for item in batch.items:
                tally.take(item.outcome("failed", str(error)))
            raise
        if answer.status == 413 and len(batch.items) > 1:
            middle = len(batch.items) // 2
            for some in (batch.items[:middle], batch.items[middle:]):
                yield from self._send(Batch(some, [], 0), url, tally)
            return
        try:
            if answer.status in (401, 403, 404, 405):
                check(answer)  # the next batch would be answered the same
            said = list(_module_of(answer, self.limits.reading))
        except WebError as error:
            for item in batch.items:
                tally.take(item.outcome("failed", str(error)))
            if answer.status in (401, 403, 404, 405):
                raise
            return
        for outcome in outcomes_of(batch.items, said):
            tally.take(outcome)

    def delete(self, path: Sequence[str]) -> Operation:
        """Remove from the server."""
        check((yield Call("DELETE", self.url(*path))))

    def capabilities(self) -> Operation:
        """What the service says of itself: text, and its media type."""
        headers = {"Accept": "application/json, application/vnd.sun.wadl+xml;q=0.9, */*;q=0.1"}
        answer = check((yield Call("OPTIONS", self.base + "/", (), headers, most=self.limits.body)))
        return answer.body.decode("utf-8", "replace"), answer.content_type


class _Tally:
    """What arrived in a folder."""

    def __init__(self, each: Callable[[Outcome], object] | None) -> None:
        self.come: set[str] = set()
        self.present: set[str] = set()
        self.failures: list[Outcome] = []
        self._each = each

    def take(self, outcome: Outcome, is_new: bool) -> None:
        """An instance came."""
        if outcome.state == "failed":
            self.failures.append(outcome)
        elif is_new or outcome.state == "warning":
            self.come.add(outcome.sop_instance)
        else:
            self.present.add(outcome.sop_instance)
        if self._each is not None:
            self._each(outcome)

    def saw_present(self, instance: str) -> bool:
        """An instance need not come."""
        self.present.add(instance)
        return True


class _StoreTally:
    """What the server took."""

    def __init__(self, each: Callable[[Outcome], object] | None) -> None:
        self.stored = self.warnings = self.passed_over = 0
        self.failures: list[Outcome] = []
        self._each = each

    def take(self, outcome: Outcome) -> None:
        """An instance was sent, or was not."""
        if outcome.state == "failed":
            self.failures.append(outcome)
        else:
            self.stored += 1
            self.warnings += outcome.state == "warning"
        if self._each is not None:
            self._each(outcome)


class _Kept:
    """A receiver whose results are kept for the operation, and not given to the caller."""

    def __init__(self, inner: Any, kept: list[Any]) -> None:
        self._inner, self._kept = inner, kept
        self.begin, self.abort = inner.begin, inner.abort

    def feed(self, data: bytes) -> list[Any]:
        """The next bytes."""
        self._kept += self._inner.feed(data)
        return []

    def close(self) -> list[Any]:
        """The body is complete."""
        self._kept += self._inner.close()
        return []


def _gathered(operation: Operation) -> Generator[Call | Result, Any, list[Any]]:
    """The results of an operation as a list, for another operation."""
    results: list[Any] = []
    answer: Any = None
    while True:
        try:
            step = operation.send(answer)
        except StopIteration:
            return results
        answer = None
        if isinstance(step, Result):
            results.append(step.value)
        else:
            answer = yield step


def _is_there(target: Folder, study: str, series: str, instance: str) -> bool:
    parts = [safe_name(uid) for uid in (study, series, instance)]
    return os.path.isfile(os.path.join(target.root, *parts[:2], parts[2] + ".dcm"))


def _frames_of(header: Dataset | None) -> int:
    from dicomcore.pixels.attributes import number_of_frames

    return number_of_frames(header)


def _host_of(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()


def _listed(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _module_of(answer: Answer, limits: Limits) -> Iterator[Dataset]:
    """The Store Instances Response Module. WebError if there is none in an answer that is no success."""
    is_good = 200 <= answer.status < 300
    if is_good or answer.status == 409:
        said = list(data_sets_of(answer, limits)) if is_good or "dicom" in answer.content_type else []
        if said or is_good:
            return iter(said)
    check(answer, 0)
    return iter(())
