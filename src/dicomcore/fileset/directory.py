"""A DICOMDIR read: records by their offsets, linked into a tree, and what is wrong about the links (PS3.3 F.3)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import items_of
from dicomcore.dataset.state import index_of, row_of
from dicomcore.dictionary import keyword_for_tag
from dicomcore.fileset.keys import LEVELS, RECORD_TYPES, ROOT
from dicomcore.fileset.records import Record, walk
from dicomcore.issues import Issue
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.part10.rows import ROW
from dicomcore.tags import Tag

__all__ = ["Directory", "read_directory"]

FIRST, LAST, NEXT, IN_USE, LOWER = (Tag(tag) for tag in (0x00041200, 0x00041202, 0x00041400, 0x00041410, 0x00041420))
RECORD_TYPE = 0x00041430
KEYWORDS = {tag: keyword_for_tag(tag) for tag in (FIRST, LAST, NEXT, IN_USE, LOWER)}
MOST_ISSUES = 1000  # of links; how many more there are is said once


class Directory(NamedTuple):
    """What a DICOMDIR says: the records of the root directory entity, and what deviates."""

    roots: list[Record]
    issues: tuple[Issue, ...]


class _Item(NamedTuple):
    """A record as it stands: where it begins, what it links to, and the record itself."""

    offset: int
    next: int
    lower: int
    record: Record


def read_directory(data_set: Dataset, *, orphans: bool = True, limits: Limits = DEFAULT_LIMITS) -> Directory:
    """The records of a DICOMDIR as a tree (PS3.3 F.3.2.2).

    Links that lead nowhere, round in a circle or to a record that has a place already end their chain and are said.
    With `orphans`, records that no link leads to are taken in below the last record before them that can stand above
    them; without, they are left out. At most `limits.depth` levels.
    """
    reader = _Reader(data_set, limits)
    reader.link()
    reader.place_orphans(orphans)
    reader.check_types()
    return Directory(reader.roots, tuple(reader.issues))


class _Reader:
    def __init__(self, data_set: Dataset, limits: Limits) -> None:
        self.data_set = data_set
        self.limits = limits
        self.roots: list[Record] = []
        self.issues: list[Issue] = []
        self.untold = 0
        self.items = self._read_items()
        self.by_offset = {item.offset: item for item in self.items}
        self.placed: set[int] = set()  # offsets of records that have their place

    # -- what stands there

    def _read_items(self) -> list[_Item]:
        items = items_of(self.data_set, "DirectoryRecordSequence")
        if not items:
            return []
        offsets = _item_offsets(self.data_set, items)
        return [self._item(item, offset) for item, offset in zip(items, offsets, strict=True)]

    def _item(self, item: Dataset, offset: int) -> _Item:
        in_use = _number(item.get(KEYWORDS[IN_USE]), 0xFFFF) != 0
        record = Record(item, in_use=in_use, offset=offset)
        return _Item(offset, self._link(item, NEXT, offset), self._link(item, LOWER, offset), record)

    def _link(self, data_set: Dataset, tag: Tag, offset: int) -> int:
        value = data_set.get(KEYWORDS[tag])
        if isinstance(value, int) and value >= 0:
            return value
        self.say("RECORD_LINK_MISSING", tag, offset, f"the record at byte {offset} lacks an offset: taken for 0")
        return 0

    # -- the tree

    def link(self) -> None:
        """Follow the links from the first record of the root entity on."""
        first = self._root_link(FIRST)
        if not self.items:
            if first:
                self.say("RECORD_LINK", FIRST, 0, f"the first record is said to be at byte {first}: there are none")
            return
        if not first:
            self.say("RECORD_LINK", FIRST, 0, "no record is said to be the first, yet there are records")
        self._follow(first, None, FIRST, 0)
        self._resolve_shared()
        last = self._root_link(LAST)
        actual = self.roots[-1].offset if self.roots else 0
        if self.roots and last != actual:
            self.say("RECORD_LINK", LAST, 0, f"the last root record is said to be at byte {last}, it is at {actual}")

    def _resolve_shared(self) -> None:
        """Give records that refer to a file by way of another record (MRDR, of earlier editions) the file itself."""
        for item in self.items:
            keys = item.record.keys
            at = keys.get("MRDRDirectoryRecordOffset")
            shared = self.by_offset.get(at) if isinstance(at, int) and at else None
            if shared is None or shared.record.type != "MRDR":
                continue
            self.placed.add(shared.offset)
            del keys.MRDRDirectoryRecordOffset
            for element in shared.record.keys[0x00041500:0x00041600]:
                if element.tag not in keys:
                    keys[element.tag] = element

    def _root_link(self, tag: Tag) -> int:
        return _number(self.data_set.get(KEYWORDS[tag]), 0)

    def _follow(self, at: int, parent: Record | None, source: Tag, origin: int) -> None:
        """Place the chain of records that begins at byte `at` below `parent`, and all that is below those."""
        depth = 1 if parent is None else len(parent.chain()) + 1
        # Chains still to be followed: where each begins, the record above it, what refers to it, how deep it lies.
        pending = [(at, parent, source, origin, depth)]
        while pending:
            at, parent, source, origin, depth = pending.pop()
            while at:
                found = self._find(at, source, origin)
                if found is None:
                    break
                self._place(found.record, parent)
                if found.lower and depth >= self.limits.depth:
                    self.say("RECORD_DEPTH", LOWER, found.offset, f"more than {depth} levels: not followed further")
                elif found.lower:
                    pending.append((found.lower, found.record, LOWER, found.offset, depth + 1))
                at, source, origin = found.next, NEXT, found.offset

    def _find(self, at: int, source: Tag, origin: int) -> _Item | None:
        """The record that a link leads to, unless it leads nowhere or to one that has its place."""
        found = self.by_offset.get(at)
        whose = f"the record at byte {origin}" if origin else "the directory"
        if found is None:
            self.say("RECORD_LINK", source, origin, f"{whose} refers to byte {at}, where no record begins")
        elif at in self.placed:
            self.say(
                "RECORD_LOOP", source, origin, f"{whose} refers to byte {at}, to which another link has led before"
            )
            found = None
        else:
            self.placed.add(at)
        return found

    def _place(self, record: Record, parent: Record | None) -> None:
        if parent is None:
            self.roots.append(record)
        else:
            parent.adopt(record)

    def place_orphans(self, wanted: bool) -> None:
        """Take in what no link from the root leads to: by the order of the items, with what is linked to it.

        Those first that no other record links to, so that links count before order does.
        """
        linked = {at for item in self.items for at in (item.next, item.lower)}
        self._place_by_order(wanted, linked)
        self._place_by_order(wanted, set())

    def _place_by_order(self, wanted: bool, linked: set[int]) -> None:
        above: dict[str, Record] = {}  # the last record of each level, in the order of the items
        for item in self.items:
            record, kind = item.record, item.record.type
            parent = self._parent_by_order(kind, above)
            # A parent that has no place yet might come to stand below its child.
            settled = parent is None or parent.offset in self.placed
            if item.offset not in self.placed and item.offset not in linked and settled:
                said = "taken in by its place" if wanted else "left out"
                message = f"no link leads to the {kind} record at byte {item.offset}: {said}"
                self.say("RECORD_ORPHAN", None, item.offset, message)
                if wanted:
                    self._follow(item.offset, parent, NEXT, 0)
                else:
                    self.placed.add(item.offset)
            if kind in LEVELS:
                for lower in LEVELS[LEVELS.index(kind) :]:
                    above.pop(lower, None)
                above[kind] = record

    @staticmethod
    def _parent_by_order(kind: str, above: dict[str, Record]) -> Record | None:
        if kind in LEVELS:
            candidates = LEVELS[: LEVELS.index(kind)]
        elif kind in RECORD_TYPES and RECORD_TYPES[kind].parents == (ROOT,):
            candidates = ()
        else:
            candidates = LEVELS
        return next((above[level] for level in reversed(candidates) if level in above), None)

    def check_types(self) -> None:
        """Say where a record stands in an entity that PS3.3 Table F.4-1 doesn't allow it in, or is not in use."""
        for record in walk(self.roots):
            kind = record.type
            known = RECORD_TYPES.get(kind)
            parent = ROOT if record.parent is None else record.parent.type
            at = record.offset or 0
            if not kind:
                self.say("RECORD_TYPE", Tag(RECORD_TYPE), at, f"the record at byte {at} has no type")
            elif known is not None and parent not in known.parents:
                where = f"below {parent}" if parent else "in the root entity"
                self.say("RECORD_PLACE", Tag(RECORD_TYPE), at, f"the {kind} record at byte {at} stands {where}")
            if not record.in_use:
                self.say("RECORD_INACTIVE", IN_USE, at, f"the {kind} record at byte {at} is not in use")
        if self.untold:
            message = f"{self.untold} more deviations of records are not listed"
            self.issues.append(Issue("RECORD_ISSUES", None, 0, message))

    def say(self, code: str, tag: Tag | None, offset: int, message: str) -> None:
        if len(self.issues) < MOST_ISSUES:
            self.issues.append(Issue(code, tag, offset, message))
        else:
            self.untold += 1


def _item_offsets(data_set: Dataset, items: list[Dataset]) -> list[int]:
    """Where the items of the Directory Record Sequence begin, in bytes from the file's first (PS3.3 F.3.2.2)."""
    index = index_of(items[0])
    if index is None or index_of(data_set) is not index:
        return [-1 - i for i in range(len(items))]  # made in memory, or indexed apart: nothing can refer to them
    rows = np.frombuffer(index, ROW)
    at = [row_of(item) for item in items]
    return (rows["offset"][at].astype(np.int64) - rows["header"][at]).tolist()


def _number(value: Any, default: int) -> int:
    return value if isinstance(value, int) and value >= 0 else default
