"""Reading a DICOMDIR: its records, linked into a tree by their offsets, and issues for faulty links (PS3.3 F.3)."""

from __future__ import annotations

from typing import Any, NamedTuple

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import items_of
from dicomcore.dataset.state import index_of, item_header
from dicomcore.dictionary import keyword_for_tag
from dicomcore.fileset.keys import LEVELS, RECORD_TYPES, ROOT
from dicomcore.fileset.records import Record, walk
from dicomcore.issues import Issue
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.tags import Tag

__all__ = ["Directory", "read_directory"]

FIRST, LAST, NEXT, IN_USE, LOWER = (Tag(tag) for tag in (0x00041200, 0x00041202, 0x00041400, 0x00041410, 0x00041420))
RECORD_TYPE = 0x00041430
KEYWORDS = {tag: keyword_for_tag(tag) for tag in (FIRST, LAST, NEXT, IN_USE, LOWER)}
MOST_ISSUES = 1000  # one more issue then gives the number of those that are not listed


class Directory(NamedTuple):
    """The contents of a DICOMDIR: the records of the root directory entity, and issues for deviations."""

    roots: list[Record]
    issues: tuple[Issue, ...]


class _Item(NamedTuple):
    """A record as it was read: the offset of its item, the offsets that it links to, and the record itself."""

    offset: int
    next: int
    lower: int
    record: Record


def read_directory(data_set: Dataset, *, orphans: bool = True, limits: Limits = DEFAULT_LIMITS) -> Directory:
    """Read the records of a DICOMDIR as a tree (PS3.3 F.3.2.2).

    A link that leads nowhere, in a circle, or to a record that is in the tree already ends its chain and is reported as
    an issue. With `orphans`, a record that no link leads to is added below the last record before it that may be its
    parent; without, it is left out. The tree has at most `limits.depth` levels.
    """
    reader = _Reader(data_set, limits)
    reader.link()
    reader.place_orphans(orphans)
    reader.check_types()
    return Directory(reader.roots, tuple(reader.issues))


class _Reader:
    """Builds the tree of one DICOMDIR and collects its issues."""

    def __init__(self, data_set: Dataset, limits: Limits) -> None:
        self.data_set = data_set
        self.limits = limits
        self.roots: list[Record] = []
        self.issues: list[Issue] = []
        self.unlisted = 0
        self.items = self._read_items()
        self.by_offset = {item.offset: item for item in self.items}
        self.placed: set[int] = set()  # offsets of records that are in the tree

    # -- the items

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
        message = f"the record at byte {offset} lacks an offset, which is taken for 0"
        self.report("RECORD_LINK_MISSING", tag, offset, message)
        return 0

    # -- the tree

    def link(self) -> None:
        """Follow the links from the first record of the root entity on."""
        first = self._root_link(FIRST)
        if not self.items:
            if first:
                message = f"the first record is stated to be at byte {first}, but there are no records"
                self.report("RECORD_LINK", FIRST, 0, message)
            return
        if not first:
            self.report("RECORD_LINK", FIRST, 0, "no record is stated to be the first, but there are records")
        self._follow(first, None, FIRST, 0)
        self._resolve_shared()
        last = self._root_link(LAST)
        actual = self.roots[-1].offset if self.roots else 0
        if self.roots and last != actual:
            message = f"the last root record is stated to be at byte {last}, but is at {actual}"
            self.report("RECORD_LINK", LAST, 0, message)

    def _resolve_shared(self) -> None:
        """Replace references to multi-referenced file records (MRDR, retired) by references to the files themselves."""
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
        """Put the chain of records that begins at byte `at` below `parent`, with all records below them."""
        depth = 1 if parent is None else len(parent.chain()) + 1
        # Chains to follow: offset of the first record, its parent, the element and record that refer to it, its depth.
        pending = [(at, parent, source, origin, depth)]
        while pending:
            at, parent, source, origin, depth = pending.pop()
            while at:
                item = self._find(at, source, origin)
                if item is None:
                    break
                self._place(item.record, parent)
                if item.lower and depth >= self.limits.depth:
                    self.report("RECORD_DEPTH", LOWER, item.offset, f"more than {depth} levels: not followed further")
                elif item.lower:
                    pending.append((item.lower, item.record, LOWER, item.offset, depth + 1))
                at, source, origin = item.next, NEXT, item.offset

    def _find(self, at: int, source: Tag, origin: int) -> _Item | None:
        """The record that a link leads to; None, and an issue, if there is none or it is in the tree already."""
        found = self.by_offset.get(at)
        whose = f"the record at byte {origin}" if origin else "the directory"
        if found is None:
            self.report("RECORD_LINK", source, origin, f"{whose} refers to byte {at}, where no record begins")
        elif at in self.placed:
            self.report("RECORD_LOOP", source, origin, f"{whose} refers to byte {at}, to which another link led before")
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
        """Add the records that no link from the root leads to, in the order of the items, with all linked to them.

        Records that no other record links to come first, so that links count before the order does.
        """
        linked = {at for item in self.items for at in (item.next, item.lower)}
        self._place_by_order(wanted, linked)
        self._place_by_order(wanted, set())

    def _place_by_order(self, wanted: bool, linked: set[int]) -> None:
        above: dict[str, Record] = {}  # the last record of each level, in the order of the items
        for item in self.items:
            record, kind = item.record, item.record.type
            parent = self._parent_by_order(kind, above)
            # A parent that is not in the tree yet might be put below its own child later.
            settled = parent is None or parent.offset in self.placed
            if item.offset not in self.placed and item.offset not in linked and settled:
                fate = "it is added by its position" if wanted else "it is left out"
                message = f"no link leads to the {kind} record at byte {item.offset}: {fate}"
                self.report("RECORD_ORPHAN", None, item.offset, message)
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
        """Report records without a type, in an entity that PS3.3 Table F.4-1 doesn't allow, or not in use."""
        for record in walk(self.roots):
            kind = record.type
            known = RECORD_TYPES.get(kind)
            parent = ROOT if record.parent is None else record.parent.type
            at = record.offset or 0
            if not kind:
                self.report("RECORD_TYPE", Tag(RECORD_TYPE), at, f"the record at byte {at} has no type")
            elif known is not None and parent not in known.parents:
                where = f"below {parent}" if parent else "in the root entity"
                self.report("RECORD_PLACE", Tag(RECORD_TYPE), at, f"the {kind} record at byte {at} stands {where}")
            if not record.in_use:
                self.report("RECORD_INACTIVE", IN_USE, at, f"the {kind} record at byte {at} is not in use")
        if self.unlisted:
            message = f"{self.unlisted} more deviations of records are not listed"
            self.issues.append(Issue("RECORD_ISSUES", None, 0, message))

    def report(self, code: str, tag: Tag | None, offset: int, message: str) -> None:
        if len(self.issues) < MOST_ISSUES:
            self.issues.append(Issue(code, tag, offset, message))
        else:
            self.unlisted += 1


def _item_offsets(data_set: Dataset, items: list[Dataset]) -> list[int]:
    """Offsets of the items of the Directory Record Sequence, in bytes from the start of the file (PS3.3 F.3.2.2)."""
    index = index_of(items[0])
    if index is None or index_of(data_set) is not index:
        return [-1 - i for i in range(len(items))]  # made in memory or indexed separately: no offset refers to them
    headers = (item_header(item) for item in items)
    return [header[0] for header in headers if header is not None]


def _number(value: Any, default: int) -> int:
    return value if isinstance(value, int) and value >= 0 else default
