"""Documents that follow a template as the tables have it, for tests and benches: every row may be there."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

import dicomcore as dc
from dicomcore import sr
from dicomcore._native.rules import contexts
from dicomcore.sr import Code, ContentItem, Coordinates, ImageReference, Numeric, Reference, TemporalRange
from dicomcore.sr.context_groups import code_at
from dicomcore.sr.levels import MANDATORY, Level, Slot, level_of, whole
from dicomcore.sr.template_views import RELATIONSHIPS, VALUE_TYPES, find
from dicomcore.values import PersonName

NO_CODE = Code("1", "99TEST", "nothing")
NO_UNITS = Code("1", "UCUM", "no units")
CT = dc.UID("1.2.840.10008.5.1.4.1.1.2")
PLAIN = {
    "TEXT": "a text",
    "DATE": "20200101",
    "TIME": "120000",
    "DATETIME": "20200101120000",
    "UIDREF": dc.UID("1.2.3.4"),
    "PNAME": PersonName("Doe^Jane"),
    "COMPOSITE": Reference(CT, dc.UID("1.2.3.5")),
    "IMAGE": ImageReference(CT, dc.UID("1.2.3.6")),
    "WAVEFORM": sr.WaveformReference(dc.UID("1.2.840.10008.5.1.4.1.1.9.1.1"), dc.UID("1.2.3.7")),
    "TCOORD": TemporalRange("POINT", samples=(1,)),
}
POINTS = {"POINT": 1, "MULTIPOINT": 2, "POLYLINE": 3, "CIRCLE": 2, "ELLIPSE": 4, "POLYGON": 4, "ELLIPSOID": 6}
UNNAMED = ("IMAGE", "COMPOSITE", "WAVEFORM", "SCOORD", "SCOORD3D", "TCOORD")
"""Value types that may have no concept."""
MOST_TURNS = 12
Known = Callable[[int, Code], bool]
"""Whether a code of a context group may be used."""


def any_code(_: int, __: Code) -> bool:
    return True


class Builder:
    """Makes a tree row by row, then drops and adds what the check says, since conditions depend on the whole."""

    def __init__(self, random: Random, share: float, most_depth: int, known: Known) -> None:
        self.random = random
        self.known = known
        self.share = share  # of the optional rows
        self.most_depth = most_depth
        self.rows: dict[int, tuple[str, str]] = {}  # by id of an item
        self.missing: dict[tuple[int, str, str], tuple[Level, Slot, int]] = {}  # what may be added below an item

    def item(self, slot: Slot, root: bool = False) -> ContentItem:
        kind = VALUE_TYPES[slot.value_type]
        concept = self.code(slot.concept)
        if concept is None and kind not in UNNAMED and (kind != "CONTAINER" or root):
            concept = NO_CODE
        relationship = None if root else RELATIONSHIPS[slot.relationship] or "CONTAINS"
        made = ContentItem(kind, concept, self.value(kind, slot.value), relationship)
        if kind == "CONTAINER":
            made.continuity = "SEPARATE"
        self.rows[id(made)] = slot.template, slot.number
        return made

    def code(self, tree: Any) -> Code | None:
        if tree is None:
            return None
        if tree[0] == "C":
            return code_at(tree[1])
        if tree[0] == "|":
            return self.code(self.random.choice(tree[1:]))
        if tree[0] in ("D", "B"):
            codes = [
                code
                for number in tree[1:]
                for code in map(code_at, contexts.members(contexts.find_context(number)))
                if self.known(number, code)
            ]
            return self.random.choice(codes) if codes else NO_CODE
        return None

    def value(self, kind: str, tree: Any) -> Any:
        if kind == "CODE":
            return self.code(tree) or NO_CODE
        if kind == "NUM":
            return Numeric(1.0, self.code(tree) or NO_UNITS)
        if kind in ("SCOORD", "SCOORD3D"):
            types = str(tree[1]).split("_") if tree is not None and tree[0] == "G" else ["POINT"]
            named = [name for name in types if name in POINTS] or ["POINT"]
            dimensions = 2 if kind == "SCOORD" else 3
            points = np.arange(POINTS[named[0]] * dimensions, dtype=np.float32).reshape(-1, dimensions)
            return Coordinates(named[0], points, dc.UID("1.2.3.8") if dimensions == 3 else None)
        return PLAIN.get(kind)

    def fill(self, item: ContentItem, slot: Slot, depth: int) -> None:
        if not slot.below:
            return
        level = level_of(slot.below)
        skipped: set[int] = set()
        for number, group in enumerate(level.groups):
            left = group.requirement != MANDATORY and self.random.random() > self.share
            if left or group.above in skipped:
                skipped.add(number)
        for one in level.slots:
            if one.by_reference:
                continue
            self.missing[id(item), one.template, one.number] = level, one, depth
            wanted = one.requirement == MANDATORY or (depth < self.most_depth and self.random.random() < self.share)
            if wanted and one.group not in skipped:
                self.add(item, one, depth)

    def add(self, item: ContentItem, slot: Slot, depth: int) -> None:
        for _ in range(max(slot.least, 1)):
            made = self.item(slot)
            twins = [child for child in item.children if child.concept == made.concept]
            if any(
                child.value_type == made.value_type and self.rows[id(child)] != self.rows[id(made)] for child in twins
            ):
                continue  # it would be an item of another row, too
            item.add(made)
            self.fill(made, slot, depth + 1)

    def mend(self, root: ContentItem, template: str, sop_class: str) -> None:
        """Drop and add items until the check has no errors, or turns are used up."""
        for _ in range(MOST_TURNS):
            changed = False
            for one in sr.check(sr.make_report(root, sop_class=sop_class), template).errors:
                place = tuple(map(int, one.position.split(".")))
                item = root.at(place)
                if item is None or not one.template:
                    continue
                row = one.template, one.row
                if one.code == "ROW_MISSING":
                    known = self.missing.get((id(item), *row))
                    if known:
                        self.add(item, known[1], known[2])
                        changed = True
                elif one.code in ("ROW_NOT_ALLOWED", "ROW_TOO_OFTEN"):
                    found = [child for child in item.children if self.rows.get(id(child)) == row]
                    kept = found if one.code == "ROW_NOT_ALLOWED" else found[1:]
                    for child in kept:
                        item.children.remove(child)
                    changed = changed or bool(kept)
            if not changed:
                return


def filled(
    template: str, sop_class: str, seed: int, share: float = 0.6, *, most_depth: int = 6, known: Known = any_code
) -> ContentItem:
    """The tree of a document with a share of the template's optional rows; `known` chooses among a group's codes."""
    builder = Builder(Random(f"{template} {seed}"), share, most_depth, known)
    slot = level_of(whole(find(template))).slots[0]
    root = builder.item(slot, root=True)
    root.template = sr.Template(template)
    builder.fill(root, slot, 1)
    builder.mend(root, template, sop_class)
    return root
