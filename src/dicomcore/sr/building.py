"""new: a document made from a template (PS3.16)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dicomcore.dataset.code import Code
from dicomcore.sr.checking import check
from dicomcore.sr.context_groups import code_at, contexts
from dicomcore.sr.document import make_report
from dicomcore.sr.item import ContentItem, Template
from dicomcore.sr.levels import MANDATORY, Level, Slot, level_of, whole
from dicomcore.sr.template_views import RELATIONSHIPS, VALUE_TYPES, find

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["new"]

CONTAINER = 1


def new(
    template: int | str,
    values: Mapping[Code | str, Any] | None = None,
    *,
    title: Code | None = None,
    items: Sequence[ContentItem] = (),
    sop_class: str = "ComprehensiveSRStorage",
    sources: Sequence[Dataset] = (),
    attributes: Mapping[str, Any] | None = None,
) -> Dataset:
    """A document that follows a template; see `dicomcore.sr.new`."""
    row = find(template)
    if row < 0:
        raise KeyError(f"there is no template {template}")
    slot = level_of(whole(row)).slots[0]
    if slot.value_type != CONTAINER:
        raise ValueError(f"template {template} is not that of a whole document")
    given = {_key(concept): value for concept, value in (values or {}).items()}
    used: set[str] = set()
    concept = title or _only(slot)
    if concept is None:
        raise ValueError(f"template {template} needs a title: {_choices(slot)}")
    root = ContentItem("CONTAINER", concept, None, continuity="SEPARATE", template=Template(str(template)))
    pending = [(root, slot)]
    while pending:
        item, above = pending.pop()
        if not above.below:
            continue
        level = level_of(above.below)
        for one in level.slots:
            made = _made(level, one, given, used)
            if made is not None:
                item.add(made)
                pending.append((made, one))
    root.add(*items)
    unused = sorted(set(given) - used)
    if unused:
        raise ValueError(f"template {template} has no row for {', '.join(unused)}")
    document = make_report(root, sources=sources, sop_class=sop_class, attributes=attributes)
    errors = check(document, template).at_least("error")
    if errors:
        raise ValueError("the document would not follow its template: " + "; ".join(map(str, errors)))
    return document


def _made(level: Level, slot: Slot, given: dict[str, Any], used: set[str]) -> ContentItem | None:
    """The item of a row: a mandatory container, or one whose value is given; None if there is none."""
    concept = _only(slot)
    if concept is None or slot.by_reference:
        return None
    relationship = RELATIONSHIPS[slot.relationship] or "CONTAINS"
    if slot.value_type == CONTAINER:
        if slot.requirement != MANDATORY or not _is_due(level, slot):
            return None
        return ContentItem("CONTAINER", concept, None, relationship, continuity="SEPARATE")
    for name in (f"{concept.value} {concept.scheme}", concept.value, concept.meaning):
        if name in given and name not in used:
            used.add(name)
            return ContentItem(VALUE_TYPES[slot.value_type], concept, given[name], relationship)
    return None


def _is_due(level: Level, slot: Slot) -> bool:
    """Whether all includes around a row are mandatory."""
    group = slot.group
    while group >= 0:
        if level.groups[group].requirement != MANDATORY:
            return False
        group = level.groups[group].above
    return True


def _only(slot: Slot) -> Code | None:
    return code_at(slot.concept[1]) if slot.concept is not None and slot.concept[0] == "C" else None


def _choices(slot: Slot) -> str:
    if slot.concept is None or slot.concept[0] not in ("D", "B"):
        return "any code"
    return ", ".join(str(code) for number in slot.concept[1:] for code in contexts[number])


def _key(concept: Code | str) -> str:
    return f"{concept.value} {concept.scheme}" if isinstance(concept, Code) else concept
