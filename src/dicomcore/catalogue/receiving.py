"""Receiving: a complete file becomes an instance of the store, at a place that no sender can choose."""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomcore.catalogue.holdings import UIDs, uids_of
from dicomcore.dataset import Dataset
from dicomcore.errors import DicomError, LimitError, ParseError
from dicomcore.part10.keeping import safe_name, same_data_set
from dicomcore.part10.reader import dcmread

if TYPE_CHECKING:
    from dicomcore.catalogue.live import LiveCatalogue

__all__ = ["DUPLICATES", "Adding", "Received", "Receiving", "own_values", "place_of", "status_of"]

DUPLICATES = ("keep", "replace", "reject", "version")
OUT_OF_RESOURCES, MISMATCH, DUPLICATE, COERCED, CANNOT_UNDERSTAND = 0xA700, 0xA900, 0x0111, 0xB000, 0xC000
CUT = "LENGTH_BEYOND_END"
"""The issue of a file that ends in the middle of a value."""
MOST_VERSIONS = 1 << 16
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Received(NamedTuple):
    """What became of a file: `status` as C-STORE says it (PS3.4 B.2.3), 0 for a success.

    `path` is where it is now, None if it was not kept. `is_new` is False for an instance that was there before, and
    `is_changed` says whether this one, with other data, has taken its place.
    """

    status: int
    path: str | None
    sop_class: str
    sop_instance: str
    study: str = ""
    series: str = ""
    is_new: bool = False
    comment: str = ""
    is_changed: bool = False

    @property
    def action(self) -> str:
        """What an audit trail calls it: created, updated, or merely read (PS3.15 A.5.3.7)."""
        return "C" if self.is_new else "U" if self.is_changed else "R"


def place_of(root: str, uids: UIDs) -> str:
    """The path of an instance in a store."""
    above = uids[:2] if uids.study else ("objects", safe_name(uids.sop_class))
    names = map(safe_name, above) if uids.study else above
    return os.path.join(root, *names, safe_name(uids.instance)) + ".dcm"


def own_values(path: str, ds: Dataset, source: str, place: str = "") -> dict[str, Any]:
    """What is kept of an instance beside its attributes."""
    return {
        "path": place or path,
        "transfer_syntax": str(ds.transfer_syntax or ""),
        "size": os.path.getsize(path),
        "source": source,
        "arrived": time.time(),
    }


def status_of(error: Exception) -> tuple[int, str]:
    """The status and comment of an instance that could not be kept."""
    if isinstance(error, DicomError) and not isinstance(error, LimitError):
        return CANNOT_UNDERSTAND, str(error)[:64]
    is_full = getattr(error, "errno", 0) in FULL or "full" in str(error)
    return OUT_OF_RESOURCES, "no room for it" if is_full else "it could not be written"


class Adding:
    """A task: a file that is in its place."""

    files: tuple[str, ...] = ()

    def __init__(self, store: LiveCatalogue, path: str, source: str) -> None:
        self._store, self._path, self._source = store, path, source

    def prepare(self) -> None:
        """Read the head."""
        self._ds = dcmread(self._path, stop_before_pixels=True, limits=self._store.limits)
        self._uids = uids_of(self._ds)
        self._own = own_values(self._path, self._ds, self._source)

    def work(self) -> bool:
        """Put it into the tables, unless the instance has another file."""
        store, uid = self._store, self._uids.instance
        held = store.held_path(uid)
        if held is not None and held != self._path and os.path.exists(held):
            if store.owns(self._path):
                store.put_aside(self._path, uid)
            return False
        return store.holdings.insert(self._ds, self._uids, self._own, arrives=False)

    def undo(self) -> None:
        """Nothing is outside the database."""

    def settle(self, result: bool) -> None:
        """Nothing is left to do."""


class Receiving:
    """A task: a file beside the store's, which is moved to its place by the rule for duplicates.

    The file goes when the transaction is on the disk: if the process ends before, `LiveCatalogue` finds it again.
    """

    def __init__(self, store: LiveCatalogue, part: str, source: str, duplicates: str) -> None:
        self._store, self._part, self._source, self._duplicates = store, part, source, duplicates
        self.files: tuple[str, ...] = (part,)
        self._linked = ""
        self._doomed: list[str] = []

    def prepare(self) -> None:
        """Read it to its end, though no pixel data."""
        self._ds = dcmread(self._part, limits=self._store.limits)
        if len(self._ds) and any(issue.code == CUT for issue in self._ds.issues):
            raise ParseError("the data set is cut short")
        self._uids = uids_of(self._ds)

    def work(self) -> Received:
        """Move it to its place, and put it into the tables."""
        store, uid = self._store, self._uids.instance
        target = place_of(store.folder, self._uids)
        held = store.held_path(uid)
        if held is None or not os.path.exists(held):
            if not os.path.lexists(target) or store.is_doomed(target):
                return self._kept(self._place(target), is_new=held is None)
            held = target  # the file is there, and the catalogue does not know it
        if same_data_set(held, self._part, store.limits):
            if store.held_path(uid) != held:
                return self._kept(held, is_new=True)
            return self._result(0, held)
        return self._double(held, target)

    def _double(self, held: str, target: str) -> Received:
        """Another instance has the UID."""
        if self._duplicates == "reject":
            return self._result(DUPLICATE, held, "the instance is here with other data")
        if self._duplicates == "keep":
            if self._store.held_path(self._uids.instance) is None:
                self._store.adopt(held)
            return self._result(COERCED, held, "the instance is here with other data, which was kept")
        if self._duplicates == "replace":
            beside = self._part + ".new"
            os.link(self._part, beside)
            if held == target:
                os.replace(beside, target)
                return self._kept(target, is_changed=True)
            os.unlink(beside)
            self._doomed = [held]
            return self._kept(self._place(target), is_changed=True)
        place = self._place(target)
        self._store.put_aside(held, self._uids.instance)
        return self._kept(place, is_changed=True)

    def _place(self, target: str) -> str:
        """Give the file its place, or one beside it if there is another file."""
        stem = target.removesuffix(".dcm")
        for number in range(1, MOST_VERSIONS):
            place = target if number == 1 else f"{stem}.{number}.dcm"
            if self._link(place):
                return place
        raise OSError(errno.ENOSPC, "too many versions", target)

    def _link(self, target: str) -> bool:
        """Give the file its place; False if there is another."""
        try:
            try:
                os.link(self._part, target)
            except FileNotFoundError:
                if not os.path.exists(self._part):
                    raise
                self._store.make_folder(os.path.dirname(target))
                os.link(self._part, target)
        except FileExistsError:
            return False
        self._linked = target
        self._store.touched_folders.add(os.path.dirname(target))
        return True

    def _kept(self, path: str, *, is_new: bool = False, is_changed: bool = False) -> Received:
        self._store.holdings.insert(self._ds, self._uids, own_values(self._part, self._ds, self._source, path))
        for one in self._doomed:
            self._store.doom(one)
        if self._store.holdings.is_of_another(self._ds, self._uids):
            status, comment = COERCED, "its study is another patient's here"
        else:
            status, comment = 0, ""
        return self._result(status, path, comment, is_new=is_new, is_changed=is_changed)

    def _result(
        self, status: int, path: str | None, comment: str = "", *, is_new: bool = False, is_changed: bool = False
    ) -> Received:
        study, series, instance, sop_class = self._uids
        return Received(status, path, sop_class, instance, study, series, is_new, comment, is_changed)

    def outcome(self, found: Received | Exception) -> Received:
        """What became of the file; one that the store did not take is gone."""
        if isinstance(found, Received):
            return found
        with suppress(OSError):
            os.unlink(self._part)
        status, comment = status_of(found)
        return Received(status, None, "", "", comment=comment)

    def undo(self) -> None:
        """Take it from its place."""
        for path in (self._linked, self._part):
            with suppress(OSError):
                if path:
                    os.unlink(path)

    def settle(self, result: Received) -> None:
        """Remove the other name of the file."""
        os.unlink(self._part)
        self._store.unlink_doomed(self._doomed)
