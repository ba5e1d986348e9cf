"""check: a structured report compared with its IOD and its template (PS3.3 A.35, PS3.16)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from dicomcore._native.views.dataset import make_dataset
from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import text_of
from dicomcore.dataset.state import DATA_SET
from dicomcore.findings import SEVERITIES
from dicomcore.iod.opening import index_for
from dicomcore.limits import DEFAULT_LIMITS
from dicomcore.sr.content import Content
from dicomcore.sr.findings import CODES, CheckReport, Finding
from dicomcore.sr.item_rules import item_faults
from dicomcore.sr.levels import Slot, level_of, whole
from dicomcore.sr.matching import MOST_FOUND, Found, Matcher
from dicomcore.sr.template_views import RELATIONSHIPS, VALUE_TYPES, find, native

if TYPE_CHECKING:
    from dicomcore.encoding.sources import Source
    from dicomcore.limits import Limits

__all__ = ["check"]

NO_CODE = -1
MESSAGES = {
    "ROW_MISSING": "{row} is missing",
    "ROW_NOT_ALLOWED": "{row} is there though its condition is not met",
    "ROW_TOO_OFTEN": "{row} is there {count} times",
    "ROW_TOO_FEW": "{row} is there {count} times only",
    "ROW_VALUE_TYPE": "{row} has another value type",
    "ROW_RELATIONSHIP": "{row} has another relationship",
    "ROW_VALUE": "{row} has another value or unit",
    "ROW_GRAPHIC_TYPE": "{row} has another graphic type",
    "ROW_VALUE_NOT_DEFINED": "{row} has a value outside a context group that is not extensible",
    "ROW_VALUE_NOT_BASELINE": "{row} has a value outside the baseline context group",
    "ROW_VALUE_UNKNOWN": "{row} has a value outside a context group that may be extensible",
    "NOT_IN_TEMPLATE": "the template has no row for this item",
}


def check(src: Source | Dataset, template: int | str | None = None, *, limits: Limits | None = None) -> CheckReport:
    """The report of a document; see `dicomcore.sr.check`."""
    index = index_for(src, limits)
    content = Content(index, limits or DEFAULT_LIMITS)
    sop_class = (text_of(make_dataset(Dataset, index, DATA_SET), "SOPClassUID") or "").strip(" \0")
    found = [
        Finding(
            fault.code, CODES[fault.code], "", "", content.position(fault.number), fault.expected, fault.found,
            fault.message, fault.times,
        )
        for fault in item_faults(content, sop_class)
    ]  # fmt: skip
    row = _template_row(content, template)
    undecided, name = 0, ""
    if row < 0:
        named = content.templates[content.items[0]["template"]] if content.items[0]["template"] >= 0 else ""
        message = "no template is known that the document follows"
        found.append(Finding("NO_TEMPLATE", "note", "", "", "1", "", named, message))
    else:
        name = native().template(row)[0]
        more, undecided = _match(content, row)
        found.extend(more)
    found.sort(key=lambda finding: -SEVERITIES.index(finding.severity))
    return CheckReport(found, template=name, items=len(content), unknown=undecided)


def _template_row(content: Content, template: int | str | None) -> int:
    """The row of the template, -1 if none is known."""
    if template is not None:
        row = find(template)
        if row < 0:
            raise KeyError(f"there is no template {template}")
        return row
    root = content.items[0]
    if root["template"] >= 0:
        return find(content.templates[root["template"]].strip())
    return _roots().get(int(root["concept"]), -1)


@cache
def _roots() -> dict[int, int]:
    """Templates of whole documents by the code of their root."""
    from dicomcore._native.rules import contexts

    found: dict[int, int] = {}
    for identifier in (2010, 2000, 1500, 4000, 4100, 4120, 5000, 5100, 5200, 3001, 10001, 10011, 10021):
        row = find(identifier)
        slots = level_of(whole(row)).slots if row >= 0 else []
        concept = slots[0].concept if slots else None
        if concept is None:
            continue
        codes: Iterable[int] = concept[1:]
        if concept[0] in ("D", "B"):
            codes = [code for number in concept[1:] for code in contexts.members(contexts.find_context(number))]
        for code in codes:
            found.setdefault(code, row)
    return found


def _match(content: Content, row: int) -> tuple[list[Finding], int]:
    """The findings of the template in a row, and the number of conditions that could not be decided."""
    from dicomcore._native.rules import contexts

    numbers, kinds = content.kinds()
    document = (0, 0, False, NO_CODE, NO_CODE, NO_CODE, (int(numbers[0]),))
    matcher = Matcher([*kinds, document], contexts, content.templates, content.codes)
    result = matcher.run((whole(row), len(kinds), -1, -1))
    folded: dict[tuple[Any, ...], Finding] = {}
    for one in result.found:
        key = one.code, one.slot.template, one.slot.number, one.slot.concept, one.kind
        known = folded.get(key)
        folded[key] = known._replace(count=known.count + one.times) if known else _finding(content, kinds, one)
    findings = list(folded.values())
    if result.cut:
        message = f"{result.cut} more findings; the first {MOST_FOUND} are kept"
        findings.append(Finding("FINDINGS_CUT", "note", "", "", "1", "", "", message))
    return findings, result.undecided


def _finding(content: Content, kinds: list[Any], one: Found) -> Finding:
    slot = one.slot
    expected, found = "", ""
    if one.kind >= 0:
        value_type, relationship, _, concept, value, _, _ = kinds[one.kind]
        if one.code == "ROW_VALUE_TYPE":
            expected, found = VALUE_TYPES[slot.value_type], VALUE_TYPES[value_type]
        elif one.code == "ROW_RELATIONSHIP":
            expected, found = RELATIONSHIPS[slot.relationship], RELATIONSHIPS[relationship]
        elif one.code == "NOT_IN_TEMPLATE":
            named = content.code(concept)
            found = f"{RELATIONSHIPS[relationship]} {VALUE_TYPES[value_type]} {named or ''}".strip()
        else:
            said = content.code(value)
            expected = _said(content, slot.value)
            found = said.value if said is not None and slot.value[0] == "G" else str(said or "")
    elif one.code in ("ROW_TOO_OFTEN", "ROW_TOO_FEW"):
        expected, found = f"{slot.least}-{slot.most or 'n'}", str(one.held)
    elif one.code == "ROW_MISSING":
        expected = _described(content, slot)
    message = MESSAGES[one.code].format(row=_described(content, slot), count=one.held)
    position = ".".join(map(str, one.place)) or "1"
    row = "" if one.code == "NOT_IN_TEMPLATE" else slot.number
    return Finding(one.code, CODES[one.code], slot.template, row, position, expected, found, message, one.times)


def _described(content: Content, slot: Slot) -> str:
    """A row in words: its value type and concept."""
    parts = (RELATIONSHIPS[slot.relationship], VALUE_TYPES[slot.value_type], _said(content, slot.concept))
    return " ".join(filter(None, parts))


def _said(content: Content, tree: Any) -> str:
    if tree is None or tree[0] == "$":
        return ""
    if tree[0] == "G":
        return str(tree[1]).replace("NOT_", "not ").replace("_", ", ")
    if tree[0] == "C":
        return str(content.code(tree[1]))
    if tree[0] in ("D", "B"):
        return " or ".join(f"CID {number}" for number in tree[1:])
    return " or ".join(_said(content, part) for part in tree[1:]) if tree[0] == "|" else ""
