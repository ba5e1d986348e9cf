"""send: many files to one peer, over several associations, with retries and a file to go on from."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

from dicomcore.dataset import Dataset
from dicomcore.errors import AssociationRejected, DicomError, InvalidDicomError, NetworkError
from dicomcore.net.blocking import Association, associate
from dicomcore.net.instances import TRANSCODE, Instance, open_instance
from dicomcore.net.operations import Outcome
from dicomcore.net.statuses import Status

__all__ = ["Sent", "send"]

PORTION = 512  # instances that a worker takes at a time
PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds before another try
NOT_SENT = 0x0110
PERMANENT = 1  # the result of an A-ASSOCIATE-RJ


class Sent(NamedTuple):
    """What came of `send`: how many instances were stored, how many of them with a warning, which failed.

    `skipped` counts what an earlier run had sent, `passed_over` files of folders that are not DICOM. True if nothing
    failed.
    """

    stored: int
    warnings: int
    failures: list[Outcome]
    skipped: int
    passed_over: int

    def __bool__(self) -> bool:
        return not self.failures


def send(
    sources: Any,
    peer: str | tuple[str, int],
    *,
    workers: int = 2,
    transcode: str = "uncompressed",
    retries: int = 2,
    resume: str | os.PathLike[str] | None = None,
    each: Callable[[Outcome], None] | None = None,
    **options: Any,
) -> Sent:
    """Send instances to a peer (C-STORE).

    Parameters
    ----------
    sources : path, Dataset, or iterable of them
        Files and data sets to send, and folders of files. Files in folders that are not DICOM are passed over.
    peer : str or (str, int)
        ``AET@host:port``.
    workers : int
        Associations at a time.
    transcode : {"never", "uncompressed", "lossless"}
        What may be done with an instance whose transfer syntax the peer does not take, as for `Association.store`.
    retries : int
        How often an association that was lost is opened again for what is left.
    resume : path, optional
        A file that lists what was stored, a JSON line each; what it lists already is not sent again.
    each : callable, optional
        Gets each Outcome as it comes, in a thread that sends.
    **options
        As for `associate`.

    Returns
    -------
    Sent

    Raises
    ------
    NetworkError
        There is no association to begin with. What is lost later are failures.
    ValueError
        A wrong option.
    OSError
        A source does not exist, or the resume file cannot be written.
    """
    if workers < 1 or retries < 0:
        raise ValueError("workers must be 1 or more, retries 0 or more")
    if transcode not in TRANSCODE:
        raise ValueError(f"transcode is one of {', '.join(TRANSCODE)}, not {transcode!r}")
    sending = _Sending(peer, transcode, retries, resume, each, options)
    places = _places(sources)
    try:
        with ThreadPoolExecutor(workers, thread_name_prefix="dicomcore-send") as pool:
            for done in [pool.submit(sending.work, places) for _ in range(workers)]:
                done.result()
    finally:
        sending.close()
    return Sent(sending.stored, sending.warnings, sending.failures, sending.skipped, sending.passed_over)


class _Place(NamedTuple):
    source: Any
    is_named: bool


def _places(sources: Any) -> Iterator[_Place]:
    """Files and data sets, with those in folders; OSError for a path that does not exist."""
    if isinstance(sources, str | os.PathLike | Dataset):
        sources = [sources]
    for source in sources:
        if isinstance(source, Dataset):
            yield _Place(source, True)
        elif os.path.isdir(source):
            yield from (_Place(path, False) for path in _walk(os.fsdecode(source)))
        else:
            os.stat(source)
            yield _Place(os.fsdecode(source), True)


def _walk(folder: str) -> Iterator[str]:
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(root, name)
            if os.path.isfile(path):
                yield path


class _Sending:
    """What the workers share."""

    def __init__(
        self,
        peer: Any,
        transcode: str,
        retries: int,
        resume: str | os.PathLike[str] | None,
        each: Callable[[Outcome], None] | None,
        options: dict[str, Any],
    ) -> None:
        self.stored = self.warnings = self.skipped = self.passed_over = 0
        self.failures: list[Outcome] = []
        self._peer, self._transcode, self._retries, self._each, self._options = peer, transcode, retries, each, options
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._journal: Any = None
        if resume is not None:
            with suppress(FileNotFoundError):
                self._known = set(_listed(resume))
            self._journal = open(resume, "a", encoding="utf-8")  # noqa: SIM115 (close() does)

    def close(self) -> None:
        """Close the resume file."""
        if self._journal is not None:
            self._journal.close()

    def work(self, places: Iterator[_Place]) -> None:
        """One worker: take portions, and send each over an association that stays open between them."""
        association: Association | None = None
        try:
            while True:
                with self._lock:
                    portion = list(islice(places, PORTION))
                if not portion:
                    break
                instances = [one for place in portion if (one := self._opened(place)) is not None]
                association = self._send(instances, association)
        finally:
            if association is not None:
                if association.is_open:
                    association.release()
                else:
                    association.abort()

    def _opened(self, place: _Place) -> Instance | None:
        if isinstance(place.source, str) and os.path.abspath(place.source) in self._known:
            with self._lock:
                self.skipped += 1
            return None
        try:
            return open_instance(place.source, self._options.get("reading"))
        except InvalidDicomError as error:
            if not place.is_named and not error.may_be_dicom:
                with self._lock:
                    self.passed_over += 1
                return None
            reason = str(error)
        except (DicomError, OSError) as error:
            reason = str(error)
        path = None if isinstance(place.source, Dataset) else str(place.source)
        self._take(Outcome(Status(NOT_SENT), path, "", "", reason))
        return None

    def _send(self, instances: list[Instance], association: Association | None) -> Association | None:
        """Send instances; those without an outcome when the association is lost are tried again."""
        tries = 0
        while instances:
            left = {id(one.source): one for one in instances}
            by_path = {one.path or one.sop_instance: id(one.source) for one in instances}
            try:
                if association is None or not association.is_open:
                    association = associate(self._peer, **self._options)
                for outcome in association.store(instances, transcode=self._transcode):
                    left.pop(by_path.get(outcome.path or outcome.sop_instance, -1), None)
                    self._take(outcome)
                return association
            except NetworkError as error:
                if association is None and not (self.stored or self.failures):
                    raise  # there was none to begin with
                association = None
                instances = list(left.values())
                rejected = isinstance(error, AssociationRejected) and error.result == PERMANENT
                if tries >= self._retries or rejected:
                    for one in instances:
                        self._take(Outcome(Status(NOT_SENT), one.path, one.sop_class, one.sop_instance, str(error)))
                    return None
                time.sleep(min(PAUSE * 2**tries, LONGEST_PAUSE))
                tries += 1
        return association

    def _take(self, outcome: Outcome) -> None:
        with self._lock:
            if outcome.status.is_success:
                self.stored += 1
                self.warnings += outcome.status.category == "warning"
                if self._journal is not None and outcome.path is not None:
                    entry = {"path": os.path.abspath(outcome.path), "sop_instance": outcome.sop_instance}
                    self._journal.write(json.dumps(entry) + "\n")
                    self._journal.flush()
            else:
                self.failures.append(outcome)
            if self._each is not None:
                self._each(outcome)


def _listed(resume: str | os.PathLike[str]) -> Iterable[str]:
    """The paths in a resume file; a last line that was cut is passed over."""
    with open(resume, encoding="utf-8") as lines:
        for line in lines:
            with suppress(ValueError, KeyError, TypeError):
                yield json.loads(line)["path"]
